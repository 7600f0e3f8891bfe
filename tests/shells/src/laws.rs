//! What may never be, looked at from outside by the world, which knows the truth.
//!
//! Law V-truth: no host that was alive and in reach of all for the last seconds gets `AgentDown`, `HostDown` or `HostHung`.
//! Law L2: fences only rise. Law A1: the audit is one chain, and all agents tell the same. Protocol 7.5: no remedy is intended twice.
//! Not here: the moment of an effect (see `desk`); budgets and brakes, which the ledger asserts after each entry.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ledger::Ledger;
use ledger::audit::{Checkpoint, Record, What};
use ledger::verify_chain_after;
use tokio::time::Instant;
use vocabulary::{CaseId, Fence, RemedyId, Scope, VerdictKind};

use crate::machine::Machines;

/// Trouble that ended so lately may still be what a verdict saw: a round, its entry, and the freshness of protocol 3.2.
const AFTERMATH: Duration = Duration::from_secs(8);

/// After so many breaches the rest would tell nothing new.
const BREACHES_MAX: usize = 64;

/// What was seen so far.
#[derive(Default)]
pub(crate) struct Laws {
    breaches: Vec<String>,
    read: Checkpoint,
    fence: Fence,
    intended: BTreeSet<(CaseId, RemedyId)>,
}

impl Laws {
    pub fn breach(&mut self, law: &str) {
        if self.breaches.len() < BREACHES_MAX {
            self.breaches.push(law.to_owned());
        }
    }

    pub fn breaches(&self) -> &[String] {
        &self.breaches
    }

    fn read(&mut self, ledger: &Ledger) -> Vec<Record> {
        let records: Vec<Record> = ledger.audit_since(self.read.number).cloned().collect();
        if verify_chain_after(self.read, &records).is_err() {
            self.breach("law A1: the audit is one chain");
        }
        self.read = records.last().map_or(self.read, Record::place);
        records
    }

    fn judge(&mut self, record: &Record) {
        match &record.what {
            What::Granted { fence, .. } => {
                if *fence <= self.fence {
                    self.breach("law L2: fences only rise");
                }
                self.fence = *fence;
            }
            What::Intended { case, remedy, .. } if !self.intended.insert((*case, *remedy)) => {
                self.breach("protocol 7.5: a remedy id was given twice");
            }
            _ => {}
        }
    }
}

impl Machines {
    /// Reads what the newest ledger has that no ledger before had.
    pub(crate) fn look(&self) {
        for machine in &self.all {
            if !self.is_sound(machine) {
                machine.inside().last_unsound = Some(Instant::now());
            }
        }
        let ledger = self.newest();
        let records = self.laws().read(&ledger);
        for record in &records {
            self.laws().judge(record);
            if let What::Verdict { subject: Scope::Host(host), kind, .. } = &record.what {
                let is_of_death = matches!(
                    kind,
                    VerdictKind::AgentDown | VerdictKind::HostDown | VerdictKind::HostHung
                );
                let machine = self.all.iter().find(|machine| machine.id == *host);
                if let Some(machine) = machine.filter(|_| is_of_death) {
                    let lately = machine.inside().last_unsound;
                    if lately.is_none_or(|at| at.elapsed() > AFTERMATH) {
                        let name = &machine.claims.host;
                        self.laws().breach(&format!("law V-truth: {kind} of {name}, which lives"));
                    }
                }
            }
        }
    }

    /// Law A1: of any two audits one begins with the other.
    pub(crate) fn compare_audits(&self) {
        let views: Vec<Arc<Ledger>> =
            self.all.iter().filter_map(|machine| machine.view()).collect();
        let newest = self.newest();
        for view in views {
            let head = view.audit().head();
            let before = head.number.saturating_sub(1);
            let there = newest.audit_since(before).next().map(Record::place);
            if head.number > 0 && there.is_some_and(|there| there != head) {
                self.laws().breach("law A1: two agents tell two histories");
            }
        }
    }
}
