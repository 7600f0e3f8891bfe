//! What was done about a case, told by its audit in words that are the same in every run.
//!
//! Fences and remedies are counted from 1 in the order in which the case saw them; that fences rise is asserted while they are counted.
//! Not here: verdicts and refused intents, of which there may be more or fewer; whether a deed was right (see the stories).

use daemon::demo::history::History;
use daemon::demo::plan::Place;
use ledger::audit::{LeaseEnd, Record, What};
use ledger::case::Closure;
use vocabulary::CaseId;

use crate::mesh::place_of;

/// The case's deeds above this record, one line each.
pub fn deeds(history: &History, of: CaseId, above: u64) -> Vec<String> {
    let mut counts = Counts::default();
    let records = records(history, of, above);
    records.filter_map(|record| counts.word(&record.what)).collect()
}

/// Who was granted a lease on this case, in order.
pub fn healers(history: &History, of: CaseId, above: u64) -> Vec<Place> {
    let granted = records(history, of, above).filter_map(|record| match &record.what {
        What::Granted { healer, .. } => Some(place_of(*healer)),
        _ => None,
    });
    granted.collect()
}

/// The first record of this case of which this is true.
pub fn first(
    history: &History,
    of: CaseId,
    above: u64,
    is_it: impl Fn(&What) -> bool,
) -> Option<&Record> {
    records(history, of, above).find(|record| is_it(&record.what))
}

fn records(history: &History, of: CaseId, above: u64) -> impl Iterator<Item = &Record> {
    history.since(above).filter(move |record| case_of(&record.what) == Some(of))
}

fn case_of(what: &What) -> Option<CaseId> {
    match what {
        What::Granted { case, .. }
        | What::LeaseOver { case, .. }
        | What::Intended { case, .. }
        | What::Received { case, .. }
        | What::Inspected { case, .. }
        | What::Verified { case, .. }
        | What::Unproven { case, .. }
        | What::Escalated { case, .. }
        | What::Quarantined { case, .. }
        | What::Closed { case, .. } => Some(*case),
        _ => None,
    }
}

/// The fences and remedies seen so far, each at its place.
#[derive(Default)]
struct Counts {
    fences: Vec<u64>,
    remedies: Vec<u64>,
}

impl Counts {
    fn word(&mut self, what: &What) -> Option<String> {
        Some(match what {
            What::Granted { fence, is_takeover, .. } => {
                let how = if *is_takeover { "takes over" } else { "is granted" };
                format!("lease {} {how}", rank(&mut self.fences, fence.0))
            }
            What::LeaseOver { fence, end, is_orphaned, .. } => {
                let how = match end {
                    LeaseEnd::NotAccepted => "was not taken".to_owned(),
                    LeaseEnd::RanOut => "ran out".to_owned(),
                    LeaseEnd::Released(why) => format!("was given back ({why})"),
                    LeaseEnd::Revoked { who, why } => format!("was revoked by {who} ({why})"),
                };
                let counts = if *is_orphaned { " and still counts" } else { "" };
                format!("lease {} {how}{counts}", rank(&mut self.fences, fence.0))
            }
            What::Intended { fence, remedy, .. } => {
                let fence = rank(&mut self.fences, fence.0);
                format!("remedy {} is intended under lease {fence}", self.remedy(remedy.0))
            }
            What::Received { remedy, kind, .. } => {
                format!("remedy {}: receipt {kind:?}", self.remedy(remedy.0))
            }
            What::Inspected { remedy, kind, .. } => {
                format!("remedy {}: inspection {kind:?}", self.remedy(remedy.0))
            }
            What::Verified { remedy, .. } => format!("remedy {}: proven", self.remedy(remedy.0)),
            What::Unproven { remedy, why, .. } => {
                format!("remedy {}: not proven ({why})", self.remedy(remedy.0))
            }
            What::Escalated { why, .. } => format!("escalated ({why})"),
            What::Quarantined { .. } => "its host is quarantined".to_owned(),
            What::Closed { how: Closure::Healed, .. } => "closed, healed".to_owned(),
            What::Closed { how: Closure::Recovered, .. } => "closed, recovered".to_owned(),
            What::Closed { how, .. } => format!("closed: {how:?}"),
            _ => return None,
        })
    }

    fn remedy(&mut self, id: u64) -> usize {
        rank(&mut self.remedies, id)
    }
}

/// The place of a number among those seen, from 1; a new one is above all before it (law L2).
fn rank(seen: &mut Vec<u64>, number: u64) -> usize {
    if let Some(place) = seen.iter().position(|known| *known == number) {
        return place + 1;
    }
    assert!(seen.iter().all(|known| *known < number), "{number} came after {seen:?}");
    seen.push(number);
    seen.len()
}
