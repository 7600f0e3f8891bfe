//! The keys of `[pager]` and `[second_channel]`.

use vocabulary::Span;

use super::super::Policy;
use super::{PROGRAM, from_to};
use crate::document::{
    Count, Duration, Form, Given, Key, ListOf, Misfit, Program, RequiredKey, Section, Shape,
};

pub static PAGER: Section = Section {
    name: "pager",
    shape: Shape::Table,
    says: "How a person is called.",
    keys: &[],
    sections: &[&ESCALATION],
    refused: &[],
};

pub static ESCALATION: Section = Section {
    name: "escalation",
    shape: Shape::Inline,
    says: "The program that is run when a person is needed; without it a call is a line in log and audit.",
    keys: &[&PAGER_ARGV, &PAGER_TIME_LIMIT],
    sections: &[],
    refused: &[],
};

pub static PAGER_ARGV: RequiredKey<Program> = RequiredKey {
    name: "argv",
    form: PROGRAM,
    example: "[\"/usr/local/lib/hale/page\"]",
    says: "The program and its fixed arguments, run without a shell; HALE_* variables tell it the case.",
};

pub static PAGER_TIME_LIMIT: Key<Duration> = Key {
    name: "time_limit",
    form: from_to(Span::seconds(1), Span::minutes(10)),
    default: "\"20s\"",
    says: "It is ended when it runs longer.",
};

pub static SECOND_CHANNEL: Section = Section {
    name: "second_channel",
    shape: Shape::Table,
    says: "How observers look for life in a host whose agent is silent, beside the agent's own port.",
    keys: &[&PORTS],
    sections: &[],
    refused: &[],
};

pub static PORTS: Key<ListOf<Port>> = Key {
    name: "ports",
    form: ListOf { member: Port, at_most: Policy::NAMED_PORTS_MAX },
    default: "[]",
    says: "TCP ports that every host serves and that speak first (22: an SSH banner); an answer or a refusal proves \
           that the host lives, so that AgentDown and HostDown are told apart.",
};

/// A TCP port that can be knocked at.
pub struct Port;

impl Form for Port {
    type Value = u16;

    fn expects(&self) -> String {
        "a port from 1 to 65535".to_owned()
    }

    fn read(&self, given: &Given<'_>) -> Result<u16, Misfit> {
        let count = Count { at_least: 1, at_most: u32::from(u16::MAX) };
        let port = count.read(given)?;
        u16::try_from(port).map_err(|_| Misfit::plain())
    }
}
