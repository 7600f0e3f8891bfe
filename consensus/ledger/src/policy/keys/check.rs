//! The keys of `[[check]]`.

use vocabulary::{CheckFrom, Span};

use super::super::Policy;
use super::from_to;
use super::pager::Port;
use super::rule::GROUPS;
use crate::document::{Choice, Count, Duration, Key, Name, RequiredKey, Section, Shape};

pub static CHECK: Section = Section {
    name: "check",
    shape: Shape::List { at_most: Policy::CHECKS_MAX },
    says: "\
What is looked at beside reaching the agent. A host that is reached and fails a check, as those agree who are asked, is a
case Unfit, which a person sees; no rule answers it yet. Taken from rules 2 on. At most 8 lie on one group.",
    keys: &[
        &NAME,
        &KIND,
        &PORT,
        &FROM,
        &EVERY,
        &TIMEOUT,
        &FAILS_AFTER,
        &RECOVERS_AFTER,
        &GROUPS,
    ],
    sections: &[],
    refused: &[
        ("url", "this version sends no HTTP; kind = \"tcp\" with a port knocks at it"),
        ("unit", "this version asks no service manager; kind = \"tcp\" knocks at what a unit serves"),
        ("argv", "this version runs no program as a check; kind = \"tcp\" knocks at a port"),
        ("degraded_above", "this version measures no times of answers; a check serves or fails"),
    ],
};

/// What a mesh says to it while its rules are older.
pub const NOTHING_CHECKED: &str =
    "under rules 1 there are no checks beside reaching the agent; they are known from rules 2 on";

/// The name of hale's own.
pub const REACH: &str = "reach";

pub static NAME: RequiredKey<Name> = RequiredKey {
    name: "name",
    form: Name,
    example: "\"api\"",
    says: "What people call the check; unique, since verdicts, cases and the audit name it.",
};

pub static KIND: RequiredKey<Choice<()>> = RequiredKey {
    name: "kind",
    form: Choice {
        words: &[("tcp", ())],
        refused: &[
            ("http", "this version sends no HTTP; \"tcp\" knocks at the same port"),
            ("unit", "this version asks no service manager; \"tcp\" knocks at what a unit serves"),
            ("command", "this version runs no program as a check; \"tcp\" knocks at a port"),
            ("pressure", "this version reads no pressure of a host; \"tcp\" knocks at a port"),
            (
                "reach",
                "every host is reached without being named; its verdicts are AgentDown, HostDown and HostHung",
            ),
        ],
    },
    example: "\"tcp\"",
    says: "How it looks; \"tcp\" connects to a port of the host's address: accepted, or bytes, is well, refused or silent \
           is failed.",
};

pub static PORT: RequiredKey<Port> =
    RequiredKey { name: "port", form: Port, example: "8080", says: "The port that is knocked at." };

pub static FROM: Key<Choice<CheckFrom>> = Key {
    name: "from",
    form: Choice {
        words: &[("self", CheckFrom::Own), ("peers", CheckFrom::Peers), ("both", CheckFrom::Both)],
        refused: &[],
    },
    default: "\"peers\"",
    says: "Who looks and whose word counts: \"peers\" takes a quorum of the host's observers, \"self\" the host's own word, \
           \"both\" either to find it failed and both to find it well. Its own word sees what no network spoils, and is one \
           host's word.",
};

pub static EVERY: Key<Duration> = Key {
    name: "every",
    form: from_to(Span::seconds(1), Span::minutes(5)),
    default: "\"5s\"",
    says: "How often each who looks does; shorter finds trouble sooner and knocks more: every host has up to 10 observers.",
};

pub static TIMEOUT: Key<Duration> = Key {
    name: "timeout",
    form: from_to(Span::milliseconds(100), Span::seconds(5)),
    default: "\"1s\"",
    says: "A look that has no answer by then has failed; less than every. Longer forgives slow hosts.",
};

pub static FAILS_AFTER: Key<Count> = Key {
    name: "fails_after",
    form: Count { at_least: 1, at_most: 10 },
    default: "3",
    says: "So many failed looks in a row are told; more forgives short trouble and finds the rest later.",
};

pub static RECOVERS_AFTER: Key<Count> = Key {
    name: "recovers_after",
    form: Count { at_least: 1, at_most: 20 },
    default: "5",
    says: "So many good looks in a row end what was told; more damps what comes and goes.",
};
