//! What the operators allow: the checked policy, as the ledger commits it.
//!
//! Law Y1: no policy, no remedy: [`Policy::default`] only observes.
//! Law Y2: a policy that exists is within every range of its reference page; nothing checks it again.
//! Law Y3: integers with units only, in ordered maps: the same policy has the same digest on every host.
//! Not here: whether a remedy may begin now (see the ledger's leases and brakes).

mod budget;
mod check;
mod digest;
mod keys;
mod read;
mod rule;
mod timers;

pub use budget::{Budget, Budgets, Floor, HaltAbove, InFlight, Share};
pub use check::{Check, CheckKind};
pub use rule::{Attempts, Mode, Proof, Rule, Rung, Then};
pub use timers::Timers;

use serde::{Deserialize, Serialize};
use vocabulary::{GroupName, Label, Span, VerdictKind};

/// The operators' rules, one document, versioned in the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// How much may be under repair at once.
    pub budget: Budgets,
    /// What is done about which verdict; at most [`Policy::RULES_MAX`], the first that matches decides.
    pub rules: Vec<Rule>,
    /// How long the mesh waits for what.
    pub timers: Timers,
    /// What is run when a person is needed; without it the page is a line in the audit and the log.
    pub escalation: Option<Escalation>,
    /// TCP ports, beside the agent's own, whose answer proves that a host lives (protocol 2.4); at most
    /// [`Policy::NAMED_PORTS_MAX`], each once, ascending.
    pub named_ports: Vec<u16>,
    /// Which hosts are taken in (protocol 1.3). Read from the policy's text again after a snapshot: the layout of the state is
    /// older than this.
    #[serde(skip)]
    pub hosts_may_enrol: MayEnrol,
    /// What is looked at beside reaching the agent; at most [`Policy::CHECKS_MAX`]. Read from the text again after a snapshot too.
    #[serde(skip)]
    pub checks: Vec<Check>,
}

/// What a new host needs beside a certificate of the cluster's authority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MayEnrol {
    /// Nothing.
    #[default]
    Certified,
    /// A person who has added it.
    Added,
}

/// A program that calls a person; it gets the case in `HALE_*` variables and nothing from peers in its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// Absolute path of the program, then its arguments.
    pub argv: Vec<String>,
    /// It is ended, process group and all, when it runs longer.
    pub time_limit: Span,
}

impl Policy {
    /// More rules than a person can hold in mind; keeps the committed entry under its 128 KiB.
    pub const RULES_MAX: usize = 64;
    /// An attestation has room for four named ports (`Attestation::PATHS_MAX`).
    pub const NAMED_PORTS_MAX: usize = 4;
    /// Keeps the document readable; how many lie on one host is bounded more closely ([`Check::ON_A_GROUP_MAX`]).
    pub const CHECKS_MAX: usize = 32;

    /// The checks on hosts of this group, in the document's order.
    pub fn checks_on<'p>(&'p self, group: &'p GroupName) -> impl Iterator<Item = &'p Check> {
        self.checks.iter().filter(|check| check.covers(group))
    }

    /// The check of this name.
    pub fn check(&self, name: &Label) -> Option<&Check> {
        self.checks.iter().find(|check| check.name == *name)
    }

    /// Whether this rule is the one for its verdict on a host of this group.
    pub fn decides(&self, rule: &Rule, group: &GroupName) -> bool {
        self.rule_for(&rule.verdict, group).is_some_and(|first| first.name == rule.name)
    }

    /// The rule for a verdict on a host of this group: the first in the document's order that names both.
    pub fn rule_for(&self, verdict: &VerdictKind, group: &GroupName) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.verdict == *verdict && rule.covers(group))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_policy_the_mesh_has_no_rule_and_so_no_remedy() {
        let group = GroupName::new("web").expect("sound");
        for verdict in [VerdictKind::AgentDown, VerdictKind::HostDown, VerdictKind::HostHung] {
            assert_eq!(Policy::default().rule_for(&verdict, &group), None);
        }
    }
}
