//! What is looked at beside reaching the agent: who looks, how often, and when it counts (protocol 3.10).
//!
//! Law Y6: on one group lie at most [`Check::ON_A_GROUP_MAX`] checks, so that what an observer runs is bounded.
//! Not here: who runs it when (see `detection::fitness`), and what follows from it: nothing yet.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use vocabulary::{CheckFrom, GroupName, Label, Span};

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What people and verdicts call it; unique in its policy.
    pub name: Label,
    /// What is done.
    pub kind: CheckKind,
    /// Who carries it out.
    pub from: CheckFrom,
    /// How often, by each who does.
    pub every: Span,
    /// How long one run may take; less than `every`.
    pub timeout: Span,
    /// So many runs in a row that fail make it failed in their author's eyes.
    pub fails_after: u32,
    /// So many that serve make it well again there.
    pub recovers_after: u32,
    /// The groups it is for; empty: all.
    pub groups: BTreeSet<GroupName>,
}

/// What a check does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CheckKind {
    /// Connects to a port of the host's address: accepted, or bytes, is `Ok`, refused or silent is `Failed`.
    Tcp {
        /// Which one.
        port: u16,
    },
}

impl Check {
    /// On one group, those for all groups among them: a host runs them on itself and for each of its seats.
    pub const ON_A_GROUP_MAX: usize = 8;

    /// Whether it is for hosts of this group.
    pub fn covers(&self, group: &GroupName) -> bool {
        self.groups.is_empty() || self.groups.contains(group)
    }
}
