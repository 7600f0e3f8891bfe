//! What a host's checks are told, and what they ask for.

use std::collections::BTreeSet;

use vocabulary::{Anchor, Boot, CheckFrom, CheckWord, Epoch, Grade, HostId, Label, Span};
use wire::{Unavailable, UnfitNote};

/// One check on one subject, or on this host itself, as the policy has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// Whose check.
    pub subject: HostId,
    /// The highest life that the roster knows.
    pub boot: Option<Boot>,
    /// Which.
    pub check: Label,
    /// Who carries it out; a duty that this host does not carry out is known all the same, so that it answers for itself.
    pub from: CheckFrom,
    /// At which port it knocks.
    pub port: u16,
    /// Between two runs.
    pub every: Span,
    /// A run that takes longer has failed.
    pub timeout: Span,
    /// Failures in a row after which it stands failed; from 1.
    pub fails_after: u32,
    /// Successes in a row after which it does so no longer; from 1.
    pub recovers_after: u32,
}

/// A leader's wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Comes back with the answer.
    pub id: u64,
    /// Whose check.
    pub subject: HostId,
    /// The highest life that the leader knows.
    pub boot: Boot,
    /// The round.
    pub anchor: Anchor,
    /// Which.
    pub check: Label,
}

/// Names one run of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(pub u64);

/// What the machine is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// All that this host watches, by the committed roster and policy.
    DutiesChanged {
        /// The roster's.
        epoch: Epoch,
        /// In the order of their worth: the first [`super::DUTIES_MAX`] are taken.
        duties: Vec<Duty>,
    },
    /// Whom this host doubts now.
    DoubtsChanged {
        /// All of them.
        doubted: BTreeSet<HostId>,
    },
    /// The leader asks for a word.
    Asked(Ask),
    /// The end of [`Effect::Run`].
    Ran {
        /// Which one.
        id: RunId,
        /// `Unknown` if it could not even be tried.
        grade: Grade,
    },
    /// Somebody else leads: what fails is told to it.
    LeaderChanged,
    /// The shell's own loop, or its sockets, were late by so much.
    WasLate {
        /// By how much at worst.
        by: Span,
    },
    /// Too much of what came to this host was dropped in its sockets, within the last [`super::NOTICED_WITHIN`].
    SocketsLost,
    /// The moment of `next_deadline` has come.
    DeadlineReached,
}

/// What the machine asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Carry a check out; it always ends, by [`Event::Ran`].
    Run {
        /// Comes back with the end.
        id: RunId,
        /// On whom.
        subject: HostId,
        /// At which port.
        port: u16,
        /// For how long.
        within: Span,
    },
    /// All that stands failed now: for the leader, and of this host itself for its health record.
    Tell(Vec<UnfitNote>),
    /// The answer to the leader.
    Say {
        /// From the ask.
        ask: u64,
        /// What was read.
        word: Box<CheckWord>,
    },
    /// The answer to the leader that there will be none.
    Refuse {
        /// From the ask.
        ask: u64,
        /// Why.
        why: Unavailable,
    },
}
