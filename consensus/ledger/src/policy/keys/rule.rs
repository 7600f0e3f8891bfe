//! The keys of `[[rule]]`, its trouble and its ladder.

use vocabulary::{RemedyClass, Span, VerdictKind};

use super::super::Policy;
use super::super::rule::{Attempts, Mode, Proof, Rule, Then};
use super::{DAY, PROGRAM, from_to};
use crate::document::{
    Choice, Count, Duration, Key, ListOf, Name, OptionalKey, Program, RequiredKey, Section, Shape,
    Text,
};

pub static RULE: Section = Section {
    name: "rule",
    shape: Shape::List { at_most: Policy::RULES_MAX },
    says: "\
What is done about one kind of trouble. The first rule that names verdict and group decides.
A verdict that no rule names opens a case and a person sees it; nothing is done.",
    keys: &[&RULE_NAME, &GROUPS, &MODE, &FOR, &COOLDOWN, &THEN],
    sections: &[&WHEN, &ATTEMPTS, &LADDER],
    refused: &[],
};

pub static RULE_NAME: RequiredKey<Text> = RequiredKey {
    name: "name",
    form: Text { bytes_max: Rule::NAME_BYTES_MAX },
    example: "\"agent down\"",
    says: "What people call the rule; unique, since cases and the audit name it.",
};

pub static GROUPS: Key<ListOf<Name>> = Key {
    name: "groups",
    form: ListOf { member: Name, at_most: Rule::GROUPS_MAX },
    default: "[]",
    says: "The groups it is for; an empty list means all of them.",
};

pub static MODE: Key<Choice<Mode>> = Key {
    name: "mode",
    form: Choice {
        words: &[
            ("observe", Mode::Observe),
            ("shadow", Mode::Shadow),
            ("approve", Mode::Approve),
            ("act", Mode::Act),
        ],
        refused: &[],
    },
    default: "\"observe\"",
    says: "Whether it may act: \"observe\" opens cases and does nothing, \"shadow\" also puts down what it would have begun, \"approve\" \
           asks a person before each remedy (hale approve, hale deny), \"act\" asks nobody; the second and the third are taken from rules \
           2 on. A new rule should begin in shadow.",
};

/// What a mesh says to "shadow" while its rules are older.
pub const NO_SHADOWS: &str = "this version puts down nothing that a rule would begin; \"observe\" opens cases and does nothing";

/// What it says to "approve".
pub const NOBODY_APPROVES: &str = "this version cannot wait for a person's approval yet; \"observe\" opens cases and does nothing";

pub static FOR: OptionalKey<Duration> = OptionalKey {
    name: "for",
    form: from_to(Span::ZERO, DAY),
    without: "by the rung's class: gentle 0s, disruptive 30s, destructive 2m",
    example: "\"30s\"",
    says: "How long the verdict must stand before a remedy begins; longer forgives short trouble and heals later.",
};

pub static COOLDOWN: Key<Duration> = Key {
    name: "cooldown",
    form: from_to(Span::ZERO, Span::minutes(7 * 24 * 60)),
    default: "\"10m\"",
    says: "How long a host is left alone after a rung before that rung is tried on it again; longer damps a host \
           that fails again and again.",
};

pub static THEN: Key<Choice<Then>> = Key {
    name: "then",
    form: Choice { words: &[("page", Then::Page)], refused: &[] },
    default: "\"page\"",
    says: "What happens when ladder or attempts are spent: the case is escalated and a person is called.",
};

pub static WHEN: Section = Section {
    name: "when",
    shape: Shape::Inline,
    says: "The trouble it answers.",
    keys: &[&VERDICT],
    sections: &[],
    refused: &[("check", "this version heals nothing for checks; name a verdict alone")],
};

pub static VERDICT: RequiredKey<Choice<VerdictKind>> = RequiredKey {
    name: "verdict",
    form: Choice {
        words: &[
            ("AgentDown", VerdictKind::AgentDown),
            ("HostDown", VerdictKind::HostDown),
            ("HostHung", VerdictKind::HostHung),
        ],
        refused: &[
            (
                "Unfit",
                "this version judges checks and heals nothing for them; a case Unfit is shown to people",
            ),
            (
                "unfit",
                "this version judges checks and heals nothing for them; a case Unfit is shown to people",
            ),
            (
                "DomainDown",
                "a whole domain in the dark is a person's business; hale never heals it",
            ),
            ("Surge", "a surge brakes all healing until a person resumes; no rule answers it"),
            ("Left", "an agent that said goodbye is no case for left_grace; no rule answers it"),
            ("Unsettled", "nothing may follow from an unsettled doubt; no rule answers it"),
            ("Duplicate", "two machines with one name are a person's business; no rule answers it"),
        ],
    },
    example: "\"AgentDown\"",
    says: "Which verdict: AgentDown (its host lives), HostDown (nothing answers), HostHung (accepts, says nothing).",
};

pub static ATTEMPTS: Section = Section {
    name: "attempts",
    shape: Shape::Inline,
    says: "How often a host is tried before it is quarantined: a person is called, and releases it (`hale release HOST`).",
    keys: &[&AT_MOST, &WITHIN],
    sections: &[],
    refused: &[],
};

pub static AT_MOST: Key<Count> = Key {
    name: "at_most",
    form: Count { at_least: 1, at_most: Attempts::AT_MOST_MAX },
    default: "3",
    says: "Remedies of this rule on one host; more tries longer before it calls.",
};

pub static WITHIN: Key<Duration> = Key {
    name: "within",
    form: from_to(Span::seconds(1), Span::minutes(30 * 24 * 60)),
    default: "\"1h\"",
    says: "The window in which they are counted; longer catches slower repetition.",
};

pub static LADDER: Section = Section {
    name: "ladder",
    shape: Shape::List {
        at_most: Rule::RUNGS_MAX,
    },
    says: "\
The remedies, mildest first; the next is tried when one is not proven. Each may stand on a line of its own instead:
ladder = [ { do = \"command\", class = \"gentle\", argv = [\"/path\"] }, ... ]",
    keys: &[
        &DO,
        &CLASS,
        &ARGV,
        &INSPECT,
        &TIME_LIMIT,
        &VERIFY_WITHIN,
        &SOAK,
        &PROOF,
    ],
    sections: &[],
    refused: &[
        (
            "through",
            "this version drives no cloud; name a program with do = \"command\"",
        ),
        (
            "unit",
            "this version restarts no unit itself; name a program with do = \"command\"",
        ),
    ],
};

pub static DO: RequiredKey<Choice<()>> = RequiredKey {
    name: "do",
    form: Choice {
        words: &[("command", ())],
        refused: &[
            (
                "unit.restart",
                "this version restarts no unit itself; do = \"command\" can run a program that does",
            ),
            (
                "host.reboot",
                "this version reboots no host itself; do = \"command\" can run a program that does",
            ),
            (
                "instance.replace",
                "this version replaces no instance itself; do = \"command\" can run a program that does",
            ),
        ],
    },
    example: "\"command\"",
    says: "What is done; \"command\" runs a program on the healer.",
};

pub static CLASS: RequiredKey<Choice<RemedyClass>> = RequiredKey {
    name: "class",
    form: Choice {
        words: &[
            ("gentle", RemedyClass::Gentle),
            ("disruptive", RemedyClass::Disruptive),
            ("destructive", RemedyClass::Destructive),
        ],
        refused: &[],
    },
    example: "\"gentle\"",
    says: "How much it may break: a part of the host, the host for a while, the host for good. hale cannot know; say \
           the worst that the program can do.",
};

pub static ARGV: RequiredKey<Program> = RequiredKey {
    name: "argv",
    form: PROGRAM,
    example: "[\"/usr/local/lib/hale/start-agent\"]",
    says: "The program and its fixed arguments, run without a shell; HALE_CASE, HALE_SUBJECT, HALE_VERDICT, \
           HALE_FENCE and HALE_REMEDY_ID tell it the rest.",
};

pub static INSPECT: OptionalKey<Program> = OptionalKey {
    name: "inspect",
    form: PROGRAM,
    without: "an ambiguous end stays unknown and a person is called",
    example: "[\"/usr/local/lib/hale/start-agent\", \"--was-it-done\"]",
    says: "A program that changes nothing and says whether the remedy was done: exit 0 done, 1 not done, else unknown.",
};

pub static TIME_LIMIT: OptionalKey<Duration> = OptionalKey {
    name: "time_limit",
    form: from_to(Span::seconds(1), Span::minutes(10)),
    without: "20s, or what timers.lease_term leaves of itself if that is less",
    example: "\"20s\"",
    says: "It is ended, with all it started, when it runs longer; it must fit the lease.",
};

/// What a rung has without `time_limit`, if the lease leaves as much.
pub const TIME_LIMIT_DEFAULT: Span = Span::seconds(20);

pub static VERIFY_WITHIN: Key<Duration> = Key {
    name: "verify_within",
    form: from_to(Span::seconds(1), Span::minutes(120)),
    default: "\"60s\"",
    says: "How long its proof may take before the next rung; longer waits for slow starts.",
};

pub static SOAK: Key<Duration> = Key {
    name: "soak",
    form: from_to(Span::ZERO, Span::minutes(60)),
    default: "\"10s\"",
    says: "How long the host must stay well after the proof; longer catches what dies again, and holds the budget.",
};

pub static PROOF: Key<Choice<Proof>> = Key {
    name: "proof",
    form: Choice {
        words: &[("higher-boot", Proof::HigherBoot)],
        refused: &[
            (
                "unit-invocation",
                "this version restarts no unit itself, so it cannot compare invocation ids",
            ),
            (
                "kernel-boot",
                "this version reads no kernel boot ids; a rebooted host's agent has a higher boot",
            ),
        ],
    },
    default: "\"higher-boot\"",
    says: "What proves it, beside rounds that see the host well: its agent has started anew.",
};
