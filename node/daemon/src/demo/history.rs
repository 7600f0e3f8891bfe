//! The audit as the demo reads it: chained again from its records, and asked what became of a case.
//!
//! Law Y1: a record is believed only after its digest was computed again and found to follow from the one before.
//! Not here: fetching it (see `sight`), judging it (see `proofs`).

use std::collections::BTreeSet;

use ledger::audit::{BrokenAt, Checkpoint, Record, What, verify_chain_after};
use vocabulary::{CaseId, Fence, RemedyId, Scope, VerdictKind};

/// All records from the first on, verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    records: Vec<Record>,
}

/// One case as the audit tells it, from its verdict to its end; a step that is not there is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseStory {
    /// Every verdict on it, first to last.
    pub verdicts: Vec<Step<Spoken>>,
    /// Every lease.
    pub granted: Vec<Step<Fence>>,
    /// Every intent, with its fence.
    pub intended: Vec<Step<(RemedyId, Fence)>>,
    /// Every receipt, with its fence.
    pub received: Vec<Step<(RemedyId, Fence)>>,
    /// The life of the subject that proved a remedy.
    pub verified: Option<Step<Option<u64>>>,
    /// How it ended.
    pub closed: Option<Step<ledger::case::Closure>>,
}

/// A verdict and how the voices stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// What was concluded.
    pub kind: VerdictKind,
    /// Voices against the subject.
    pub against: u64,
    /// Voices that saw it well.
    pub well: u64,
    /// Seats that did not count.
    pub vacant: u64,
}

/// One step of a case, with its place in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<T> {
    /// Number of the record.
    pub number: u64,
    /// The leader's wall clock, in milliseconds of the Unix epoch.
    pub wall_ms: u64,
    /// What became true.
    pub what: T,
}

impl History {
    /// Takes what follows; nothing of it if any record does not follow from the one before.
    pub fn extend(&mut self, records: Vec<Record>) -> Result<&[Record], BrokenAt> {
        verify_chain_after(self.head(), &records)?;
        let known = self.records.len();
        self.records.extend(records);
        Ok(&self.records[known..])
    }

    /// The newest record's place.
    pub fn head(&self) -> Checkpoint {
        self.records.last().map(Record::place).unwrap_or_default()
    }

    /// Whether the shorter of the two is the beginning of the longer: digests chain, so one comparison tells.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let common = self.records.len().min(other.records.len());
        let last = |history: &Self| {
            let index = common.checked_sub(1)?;
            history.records.get(index).map(Record::place)
        };
        last(self) == last(other)
    }

    /// The records above this number.
    pub fn since(&self, number: u64) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(move |record| record.number > number)
    }

    /// Cases whose first verdict is above this number, with subject and first kind.
    pub fn opened_since(&self, number: u64) -> Vec<(CaseId, Scope, VerdictKind)> {
        let mut seen = BTreeSet::new();
        let verdicts = self.since(number).filter_map(|record| match &record.what {
            What::Verdict { case, subject, kind, .. } => {
                Some((*case, subject.clone(), kind.clone()))
            }
            _ => None,
        });
        verdicts.filter(|(case, _, _)| seen.insert(*case)).collect()
    }

    /// The first case on this subject whose verdict is above this number.
    pub fn case_on(&self, subject: &Scope, number: u64) -> Option<CaseId> {
        let opened = self.opened_since(number).into_iter();
        opened.filter(|(_, on, _)| on == subject).map(|(case, _, _)| case).next()
    }

    /// What became of a case above this number.
    pub fn story(&self, of: CaseId, number: u64) -> CaseStory {
        let mut story = CaseStory::default();
        for record in self.since(number) {
            story.take(of, record);
        }
        story
    }

    /// How many leases counted at once, at most, above this number.
    pub fn in_flight_max(&self, number: u64) -> usize {
        let mut counted: BTreeSet<CaseId> = BTreeSet::new();
        let mut most = 0;
        for record in &self.records {
            match &record.what {
                What::Granted { case, .. } => {
                    counted.insert(*case);
                }
                What::LeaseOver { case, is_orphaned: false, .. }
                | What::Escalated { case, is_counted: false, .. }
                | What::Closed { case, .. } => {
                    counted.remove(case);
                }
                _ => {}
            }
            if record.number > number {
                most = most.max(counted.len());
            }
        }
        most
    }

    /// Records above this number by which something was begun: leases and intents.
    pub fn begun_since(&self, number: u64) -> usize {
        let is_begin =
            |record: &&Record| matches!(record.what, What::Granted { .. } | What::Intended { .. });
        self.since(number).filter(is_begin).count()
    }

    /// The first record above this number by which a person, or the policy, lifted a brake.
    pub fn resumed_since(&self, number: u64) -> Option<&Record> {
        self.since(number).find(|record| matches!(record.what, What::Resumed { .. }))
    }
}

impl CaseStory {
    fn take(&mut self, of: CaseId, record: &Record) {
        match &record.what {
            What::Verdict { case, kind, against, well, vacant, .. } if *case == of => {
                let spoken =
                    Spoken { kind: kind.clone(), against: *against, well: *well, vacant: *vacant };
                self.verdicts.push(Step::of(record, spoken));
            }
            What::Granted { case, fence, .. } if *case == of => {
                self.granted.push(Step::of(record, *fence));
            }
            What::Intended { case, fence, remedy, .. } if *case == of => {
                self.intended.push(Step::of(record, (*remedy, *fence)))
            }
            What::Received { case, fence, remedy, .. } if *case == of => {
                self.received.push(Step::of(record, (*remedy, *fence)))
            }
            What::Verified { case, boot, .. } if *case == of => {
                self.verified = Some(Step::of(record, boot.map(|boot| boot.number)));
            }
            What::Closed { case, how } if *case == of => {
                self.closed = Some(Step::of(record, how.clone()));
            }
            // Every other record tells of another case or of no step.
            _ => {}
        }
    }
}

impl<T> Step<T> {
    fn of(record: &Record, what: T) -> Self {
        Self { number: record.number, wall_ms: record.wall.0, what }
    }
}

#[cfg(test)]
mod tests {
    use ledger::audit::LeaseEnd;
    use vocabulary::{Fence, RemedyId};

    use super::super::chain::{Chain, granted, intended, verdict};
    use super::super::stage::id_of;
    use super::*;

    fn host(place: usize) -> Scope {
        Scope::Host(id_of(place))
    }

    #[test]
    fn a_healed_case_is_told_step_by_step() {
        let chain = Chain::default().healed(1, &host(1), VerdictKind::AgentDown);
        let history = chain.healed(2, &host(3), VerdictKind::HostDown).history();
        assert_eq!(history.case_on(&host(3), 0), Some(CaseId(2)));
        assert_eq!(history.case_on(&host(1), 6), None, "an earlier act's");
        let story = history.story(CaseId(2), 6);
        assert_eq!(story.verdicts[0].what.kind, VerdictKind::HostDown);
        assert_eq!(story.granted[0].number, 8);
        assert_eq!(story.intended[0].what, (RemedyId(2), Fence(20)));
        assert_eq!(story.verified.map(|step| step.what), Some(Some(2)));
        assert_eq!(story.closed.map(|step| step.wall_ms), Some(12_000));
        assert_eq!(history.in_flight_max(0), 1);
    }

    #[test]
    fn a_record_that_was_altered_is_not_believed_and_nothing_of_its_page_is() {
        let mut records = Chain::default().healed(1, &host(1), VerdictKind::AgentDown).records();
        records[3].what = granted(CaseId(9), Fence(99));
        let mut history = History::default();
        assert_eq!(history.extend(records), Err(BrokenAt::Contents { number: 4 }));
        assert_eq!(history.head().number, 0);
    }

    #[test]
    fn histories_agree_when_one_is_the_beginning_of_the_other_and_else_never() {
        let short = Chain::default().then(granted(CaseId(1), Fence(1))).history();
        let long = Chain::default()
            .then(granted(CaseId(1), Fence(1)))
            .then(granted(CaseId(2), Fence(2)))
            .history();
        let other = Chain::default().then(granted(CaseId(3), Fence(1))).history();
        assert!(short.agrees_with(&long) && long.agrees_with(&short));
        assert!(!other.agrees_with(&long));
        assert!(History::default().agrees_with(&long));
    }

    #[test]
    fn a_lease_counts_until_its_case_ends_and_an_orphan_goes_on_counting() {
        let over = |is_orphaned| What::LeaseOver {
            case: CaseId(1),
            fence: Fence(1),
            end: LeaseEnd::RanOut,
            is_orphaned,
        };
        let chain = |is_orphaned| {
            Chain::default()
                .then(verdict(CaseId(1), &host(1), VerdictKind::AgentDown))
                .then(granted(CaseId(1), Fence(1)))
                .then(intended(CaseId(1), Fence(1), RemedyId(1)))
                .then(over(is_orphaned))
                .then(granted(CaseId(2), Fence(2)))
                .history()
        };
        assert_eq!(chain(true).in_flight_max(0), 2);
        assert_eq!(chain(false).in_flight_max(0), 1);
        assert_eq!(chain(true).begun_since(0), 3);
        assert_eq!(chain(true).begun_since(4), 1);
    }
}
