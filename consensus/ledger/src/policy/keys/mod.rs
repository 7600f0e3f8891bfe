//! Every key of `policy.toml`: its name, form, default, range and what it trades. Defined once; the reader, the example
//! and the reference page follow.
//!
//! Not here: how keys must fit together (see `read`).

pub mod budget;
pub mod check;
pub mod enrolment;
pub mod pager;
pub mod rule;
pub mod timers;

use vocabulary::Span;
use vocabulary::actuation::CommandRemedy;

use crate::document::{Duration, Program, Section, Shape};

const DAY: Span = Span::minutes(24 * 60);

const fn from_to(at_least: Span, at_most: Span) -> Duration {
    Duration { at_least, at_most }
}

/// The whole document.
pub static POLICY: Section = Section {
    name: "",
    shape: Shape::Table,
    says: "\
The policy of a mesh: what hale may do, to how many hosts at once, and whom it calls.
It is applied once to the whole mesh: hale policy apply FILE --why TEXT. The ledger checks it, numbers it and keeps it.
Without a rule whose mode is \"act\" or \"approve\" the mesh only observes. An unknown key is a fault, never ignored.
A line behind '#:' is asleep: take the sign away to wake it. Every other key stands here with its default.
What stands under a key or table of the same kind above is not said again.",
    keys: &[],
    sections: &[
        // Its keys stand without a table in the example: before the first one.
        &enrolment::ENROLMENT,
        &budget::BUDGET,
        &check::CHECK,
        &rule::RULE,
        &timers::TIMERS,
        &pager::PAGER,
        &pager::SECOND_CHANNEL,
    ],
    refused: &[],
};

/// A program of the operators', whoever runs it.
const PROGRAM: Program = Program { words_max: CommandRemedy::ARGUMENTS_MAX };
