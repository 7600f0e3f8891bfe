//! Which policy is in force, who set it and why, and those before it.
//!
//! Law N1: versions rise by one; version 0 is the policy of a new mesh, which only observes.
//! Law N2: a text is checked by every keeper again; what does not pass changes nothing.
//! Not here: what a policy says (see `policy`).

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{Digest, HostId, LedgerTime, WallNote};

use crate::audit::What;
use crate::case::Case;
use crate::command::{Order, Outcome, Refused};
use crate::ledger::Ledger;
use crate::policy::Policy;

/// The policy in force and its history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyShelf {
    policy: Policy,
    /// Newest last; empty until a person has set a policy.
    history: VecDeque<PolicyNote>,
}

/// One version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyNote {
    /// Its version, from 1.
    pub version: u64,
    /// The text as it was given.
    pub text: Arc<str>,
    /// Of what it means, as `hale policy check` prints it; two texts that mean the same have the same.
    pub digest: Digest,
    /// Who set it.
    pub who: String,
    /// Why.
    pub why: String,
    /// When, in ledger time.
    pub at: LedgerTime,
    /// When, for people.
    pub wall: WallNote,
}

impl PolicyShelf {
    /// Versions whose text can be read back; the audit holds the digests of all.
    pub const HISTORY_MAX: usize = 16;
    /// Longest text: half of an entry (protocol 3.7), far beyond what a person can oversee.
    pub const TEXT_BYTES_MAX: usize = 64 * 1024;

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Its version; 0 if nobody has set one.
    pub fn version(&self) -> u64 {
        self.current().map_or(0, |note| note.version)
    }

    /// Text, author and reason of the policy in force; `None` if nobody has set one.
    pub fn current(&self) -> Option<&PolicyNote> {
        self.history.back()
    }

    /// The versions that can be read back, oldest first.
    pub fn history(&self) -> impl DoubleEndedIterator<Item = &PolicyNote> {
        self.history.iter()
    }

    /// What a snapshot does not carry is read from the text in force again (law N2: it passed when it was set). Of one
    /// that only older rules would take nothing is read, since it has none of these keys.
    pub(crate) fn read_again(&mut self) {
        let text = self.current().map(|note| Arc::clone(&note.text));
        if let Some(Ok(read)) = text.map(|text| Policy::read("policy.toml", &text)) {
            self.policy.timers.settle_for = read.timers.settle_for;
            self.policy.timers.unsettled_for = read.timers.unsettled_for;
            self.policy.timers.approved_for = read.timers.approved_for;
            self.policy.hosts_may_enrol = read.hosts_may_enrol;
            self.policy.checks = read.checks;
            self.policy.budget.take_later_keys(&read.budget);
        }
    }

    fn put(&mut self, policy: Policy, note: PolicyNote) {
        self.policy = policy;
        self.history.push_back(note);
        while self.history.len() > Self::HISTORY_MAX {
            self.history.pop_front();
        }
    }
}

impl Ledger {
    pub(crate) fn set_policy(
        &mut self,
        by: HostId,
        text: &str,
        if_version: Option<u64>,
        order: &Order,
    ) -> Result<Outcome, Refused> {
        self.ordered(by, order)?;
        let standing = self.state.shelf.version();
        if if_version.is_some_and(|wanted| wanted != standing) {
            return Err(Refused::PolicyVersion(standing));
        }
        if text.len() > PolicyShelf::TEXT_BYTES_MAX {
            let most = PolicyShelf::TEXT_BYTES_MAX;
            let fault = format!("{} bytes of text, at most {most} are taken", text.len());
            return Err(Refused::Malformed(fault));
        }
        let rules = self.rules();
        let policy = Policy::read_under(rules, "policy.toml", text).map_err(|faults| {
            let lines = faults.iter().take(FAULTS_MAX);
            Refused::PolicyFaults(lines.map(ToString::to_string).collect())
        })?;
        let note = PolicyNote {
            version: standing.saturating_add(1),
            text: text.into(),
            digest: policy.digest(),
            who: order.who.clone(),
            why: order.why.clone(),
            at: self.state.time,
            wall: self.state.wall,
        };
        let version = note.version;
        self.record(What::PolicySet {
            version,
            digest: note.digest,
            who: note.who.clone(),
            why: note.why.clone(),
        });
        Arc::make_mut(&mut self.state.shelf).put(policy, note);
        self.canaries_under_another_policy();
        self.days_under_another_policy();
        self.file_under_rules();
        self.end_unlooked(order);
        Ok(Outcome::Policy { version })
    }

    /// Every open case falls under the rules that are now in force; one that changes its rule begins at its first rung.
    fn file_under_rules(&mut self) {
        let cases: Vec<Arc<Case>> = self.state.cases.open().cloned().collect();
        for case in cases {
            let rule = self.rule_name(&case);
            if case.pending().is_some() || rule == case.rule {
                continue;
            }
            let mut case = Case::clone(&case);
            let name = |rule: &Option<(String, u64)>| rule.as_ref().map(|(name, _)| name.clone());
            if name(&rule) != name(&case.rule) {
                case.rung = 0;
            }
            case.rule = rule;
            self.state.cases.put(case);
        }
    }
}

/// A screen of faults; the rest comes after these are mended.
const FAULTS_MAX: usize = 50;
