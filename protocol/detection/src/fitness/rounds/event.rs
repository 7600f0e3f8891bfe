//! What the leader's rounds on checks are told, and what they ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vocabulary::{
    Anchor, Boot, CheckFrom, CheckGrounds, CheckWord, Epoch, GroupName, HostId, Label,
};
use wire::UnfitNote;

use super::Key;
use crate::roster::Roster;
use crate::seats::Seating;

/// A check of the policy, as far as rounds need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Who carries it out.
    pub from: CheckFrom,
    /// On whose hosts; empty: on all.
    pub groups: BTreeSet<GroupName>,
}

impl Named {
    /// Whether hosts of this group are checked.
    pub fn is_for(&self, group: &GroupName) -> bool {
        self.groups.is_empty() || self.groups.contains(group)
    }
}

/// What the leader is told.
#[derive(Clone, Debug)]
pub enum Event {
    /// The committed state, as far as rounds need it.
    StateChanged {
        /// Where new rounds hang.
        anchor: Anchor,
        /// Who belongs.
        roster: Arc<Roster>,
        /// Who watches whom.
        seating: Arc<Seating>,
    },
    /// The checks of the policy in force.
    ChecksChanged {
        /// All of them.
        checks: BTreeMap<Label, Named>,
    },
    /// What the ledger holds of hosts.
    CasesChanged {
        /// Open cases `Unfit`.
        open: BTreeSet<Key>,
        /// Hosts with another open case.
        taken: BTreeSet<HostId>,
        /// Hosts that are down by it, departed, or doubled.
        down: BTreeSet<HostId>,
    },
    /// All checks that fail for this host now.
    Noted {
        /// Who says so.
        by: HostId,
        /// Which checks of whom.
        notes: Vec<UnfitNote>,
    },
    /// A host that was asked has answered.
    Said {
        /// What it says.
        word: Box<CheckWord>,
    },
    /// A host that was asked did not answer.
    Silent {
        /// Who.
        from: HostId,
        /// About which check on whom.
        key: Key,
        /// In which set.
        anchor: Anchor,
    },
    /// This host leads no more.
    Deposed,
    /// The moment of `next_deadline` has come.
    DeadlineReached,
}

/// What the leader asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask this host to carry the check out, or to say that it is there if it is the subject.
    Look {
        /// Whom to ask.
        to: HostId,
        /// On whom.
        subject: HostId,
        /// The subject's boot in the roster.
        boot: Boot,
        /// The round.
        anchor: Anchor,
        /// The roster's epoch.
        epoch: Epoch,
        /// Which check.
        check: Label,
    },
    /// A set of rounds has ended.
    Ended {
        /// All that was signed for it.
        grounds: Box<CheckGrounds>,
        /// Which checks on whom were looked at.
        keys: Vec<Key>,
    },
    /// The anchor is too old to begin on: commit a tick.
    Freshen,
}
