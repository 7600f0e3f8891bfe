//! The laws, judged by what subjects feel and by what anybody can read in the ledger and its audit.
//!
//! Law L1: never two healers at one subject. Law L2: fences only rise, as they are given and as subjects feel them.
//! Law L3: no call begins or runs on without a lease that stands in the ledger, and an intent that is committed.
//! Law B1: no grant, and no moment, has more subjects under repair than the limit.
//! Law B2: whatever may still be done to a subject, or has no known end, counts.
//! Law A1: the intent stands before the effect and the outcome after it, in an unbroken chain.
//! Law V3: no intent whose last look was taken while its subject was well.
//! Not here: L3 of a call that stood still between its guard's look at the clock and its subject: no lease can end that, only
//! the subject's comparing fences can, and that is judged (L2).

use std::collections::BTreeSet;

use ledger::audit::{Checkpoint, Record, What};
use ledger::verify_chain_after;
use vocabulary::{Fence, RemedyId, Scope, Span};

use crate::fleet::{HEALERS, LIMIT, SUBJECTS, id};
use crate::world::{Call, Look, Seen, World};

/// The laws that are judged here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Law {
    /// One healer at a subject.
    L1,
    /// Rising fences.
    L2,
    /// Lease, margin, intent.
    L3,
    /// The limit.
    B1,
    /// What counts.
    B2,
    /// The chain.
    A1,
    /// The last look.
    V3,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Breach {
    /// The law.
    pub law: Law,
    /// How it was broken.
    pub how: &'static str,
}

impl World {
    /// The first breach stands: nothing is tried after it.
    fn hold(&mut self, law: Law, holds: bool, how: &'static str) {
        if !holds && self.breach.is_none() {
            self.breach = Some(Breach { law, how });
        }
    }

    /// What holds between any two steps.
    pub fn judge(&mut self) {
        self.judge_records();
        self.judge_counts();
        self.judge_running();
        for subject in 0..SUBJECTS.len() {
            let case = self.case(subject);
            let is_proven = case.remedies.last().is_some_and(|note| note.is_proven == Some(true));
            let (is_healed, is_escalated) =
                (case.is_closed() && is_proven, case.stage.word() == "escalated");
            self.seen.add(Seen::HEALED, is_healed);
            self.seen.add(Seen::ESCALATED, is_escalated);
        }
    }

    fn judge_records(&mut self) {
        let audit = self.keeper.ledger.audit();
        if audit.head().number == self.judged {
            return;
        }
        let before = audit.since(self.judged.saturating_sub(1)).next().map(Record::place);
        let new: Vec<Record> = audit.since(self.judged).cloned().collect();
        let start = before.unwrap_or_default();
        self.hold(Law::A1, follows(start, &new), "the audit does not chain");
        self.judged = audit_head(&new, self.judged);
        for record in &new {
            self.judge_record(record);
        }
    }

    fn judge_record(&mut self, record: &Record) {
        match &record.what {
            What::Granted { fence, is_takeover, .. } => {
                let rises = self.fences_before(record.number).all(|given| given < *fence);
                self.hold(Law::L2, rises, "a fence was given that is not above all before it");
                let used = self.counted();
                let is_within = *is_takeover || used <= LIMIT;
                self.hold(Law::B1, is_within, "a grant has more leases in flight than the limit");
            }
            What::Received { remedy, .. }
            | What::Inspected { remedy, .. }
            | What::Verified { remedy, .. }
            | What::Unproven { remedy, .. } => {
                let stands =
                    self.intents().any(|(at, known, _)| known == *remedy && at < record.number);
                self.hold(
                    Law::A1,
                    stands,
                    "an outcome stands in the audit without an intent before it",
                );
            }
            _ => {}
        }
    }

    fn fences_before(&self, number: u64) -> impl Iterator<Item = Fence> {
        let records = self.keeper.ledger.audit_since(0);
        records.take_while(move |record| record.number < number).filter_map(|record| {
            match record.what {
                What::Granted { fence, .. } => Some(fence),
                _ => None,
            }
        })
    }

    fn intents(&self) -> impl Iterator<Item = (u64, RemedyId, Fence)> {
        self.keeper.ledger.audit_since(0).filter_map(|record| match record.what {
            What::Intended { remedy, fence, .. } => Some((record.number, remedy, fence)),
            _ => None,
        })
    }

    /// Leases that count by their stage, told from the cases alone.
    fn counted(&self) -> u32 {
        let counts = |subject: &usize| self.case(*subject).counted_lease().is_some();
        u32::try_from((0..SUBJECTS.len()).filter(counts).count()).unwrap_or(u32::MAX)
    }

    fn judge_counts(&mut self) {
        let lines = self.keeper.ledger.budgets();
        let used = lines.iter().find(|line| line.scope == Scope::Fleet).map(|line| line.used);
        let counted = self.counted();
        self.hold(Law::B2, used == Some(counted), "the fleet's count is not that of its leases");
        for subject in 0..SUBJECTS.len() {
            let case = self.case(subject);
            let is_worked_on = self.live_calls().any(|call| call.subject == subject);
            let is_owed = is_worked_on || case.unresolved().is_some();
            let counts = case.counted_lease().is_some();
            self.hold(Law::B2, !is_owed || counts, "a remedy without a known end does not count");
        }
        let worked_on: BTreeSet<usize> = self.live_calls().map(|call| call.subject).collect();
        let is_within = worked_on.len() <= LIMIT as usize;
        self.hold(Law::B1, is_within, "more subjects are worked on at once than the limit");
    }

    fn live_calls(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(|call| self.is_live(call))
    }

    /// What runs, runs under a lease that stands.
    fn judge_running(&mut self) {
        let runs: Vec<Call> = self.calls.iter().filter(|call| call.is_running).cloned().collect();
        for call in runs {
            let left = self.left_of(&call);
            self.hold(Law::L3, left.is_some(), "a call runs on, and its lease is over");
        }
    }

    /// What is left, by the ledger, of the lease that a call runs under.
    fn left_of(&self, call: &Call) -> Option<Span> {
        let lease = self.held_by_anybody(call.subject)?;
        let is_its = lease.fence == call.fence && lease.healer == id(HEALERS[call.healer]);
        let left = lease.ends.since(self.keeper.ledger.time());
        (is_its && left > Span::ZERO).then_some(left)
    }

    /// A guard looks at its clock and goes on its way.
    pub fn judge_call(&mut self, call: &Call) {
        let is_begun_once = !self.calls.iter().any(|other| other.remedy == call.remedy);
        self.hold(Law::L3, is_begun_once, "a remedy is begun twice");
        let left = self.left_of(call);
        self.hold(Law::L3, left.is_some(), "a call begins, and its lease is over");
        let is_intended =
            self.intents().any(|(_, remedy, fence)| remedy == call.remedy && fence == call.fence);
        self.hold(Law::L3, is_intended, "a call begins without a committed intent");
    }

    /// Something is done to a subject.
    pub fn judge_touch(&mut self, call: &Call) {
        let is_alone = !self
            .calls
            .iter()
            .any(|other| other.is_running && other.subject == call.subject && other != call);
        let touched = &mut self.subjects[call.subject].touched;
        let rises = call.fence >= *touched;
        *touched = (*touched).max(call.fence);
        self.hold(Law::L2, rises, "a subject feels a lower fence after a higher one");
        self.hold(Law::L1, is_alone, "two calls run at one subject");
        let is_intended = self.intents().any(|(_, remedy, _)| remedy == call.remedy);
        self.hold(Law::A1, is_intended, "an effect without an intent in the audit");
    }

    /// An intent was taken.
    pub fn judge_look(&mut self, look: &Look) {
        self.hold(Law::V3, !look.was_well, "an intent on a subject that was well at its last look");
    }
}

fn follows(start: Checkpoint, records: &[Record]) -> bool {
    verify_chain_after(start, records).is_ok()
}

fn audit_head(new: &[Record], before: u64) -> u64 {
    new.last().map_or(before, |record| record.number)
}
