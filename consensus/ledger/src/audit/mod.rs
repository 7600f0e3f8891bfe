//! The hash-chained history: intent before effect, outcome after.
//!
//! Law A1: numbers rise by one, each record carries the digest of the one before, nothing is ever rewritten.
//! Law A3: the newest [`Audit::RECORDS_MAX`] records are kept in the state; older ones fall out in whole chunks, once they may (law AS3 of
//! `sealing`), and the digest of the last one that fell is kept as the checkpoint, so that what is left still chains to what was exported.
//! Not here: renewals and ticks (they are in the log, protocol 5), and the signatures of grounds (their digest is here).

mod ends;
mod layout;
mod record;
mod seal;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{Digest, LedgerIndex, LedgerTime, WallNote};

pub use ends::{LeaseEnd, SlotEnd};
pub use record::{Record, What};
pub use seal::{Seal, SealFault, Signed};

/// The history as the state keeps it; cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// The last record that fell out.
    checkpoint: Checkpoint,
    /// Full chunks, oldest first.
    full: Arc<VecDeque<Arc<Vec<Record>>>>,
    /// The newest records, less than a chunk.
    tail: Arc<Vec<Record>>,
}

/// A place in the chain: everything up to this record is vouched for by this digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Number of the record; 0 before the first.
    pub number: u64,
    /// Its digest; all zeros before the first.
    pub digest: Digest,
}

/// When and where a record is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub at: LedgerTime,
    pub wall: WallNote,
    pub index: LedgerIndex,
}

/// Where a chain is broken: the first record that does not follow from the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrokenAt {
    /// A number is missing or twice.
    Number {
        /// What was found.
        found: u64,
        /// What had to follow.
        expected: u64,
    },
    /// It names another record before it.
    Previous {
        /// The record.
        number: u64,
    },
    /// Its digest is not that of its contents.
    Contents {
        /// The record.
        number: u64,
    },
    /// It is older than the record before it.
    Time {
        /// The record.
        number: u64,
    },
}

impl Audit {
    /// About a month of a busy mesh in about 2 MB; exported records live on outside.
    pub const RECORDS_MAX: usize = 128 * Self::CHUNK;
    /// With more than so many the oldest fall out whether they are sealed or not: the state must not grow where nobody signs.
    pub const UNSEALED_MAX: usize = 2 * Self::RECORDS_MAX;
    /// Few enough that copying the tail on write costs nothing, many enough that the chunks stay few.
    const CHUNK: usize = 64;

    /// The newest record's place in the chain.
    pub fn head(&self) -> Checkpoint {
        self.newest().map_or(self.checkpoint, Record::place)
    }

    /// The last record that fell out of the state.
    pub fn checkpoint(&self) -> Checkpoint {
        self.checkpoint
    }

    /// All kept records with a number above this one, oldest first.
    pub fn since(&self, number: u64) -> impl Iterator<Item = &Record> {
        let chunks = self.full.iter().map(Arc::as_ref);
        chunks
            .chain(std::iter::once(self.tail.as_ref()))
            .skip_while(move |chunk| chunk.last().is_none_or(|last| last.number <= number))
            .flatten()
            .skip_while(move |record| record.number <= number)
    }

    /// Whether this place lies in what is kept, or is the checkpoint.
    pub fn holds(&self, place: Checkpoint) -> bool {
        if place.number <= self.checkpoint.number {
            return place == self.checkpoint;
        }
        self.since(place.number - 1).next().is_some_and(|record| record.place() == place)
    }

    /// Adds what has just become true; what is above the bound falls out up to this number.
    pub(crate) fn add(&mut self, stamp: Stamp, what: What, may_fall: u64) {
        let before = self.head();
        let record = Record::following(before, stamp, what);
        assert!(record.number == before.number + 1, "law A1: the numbers of the audit rise by one");
        Arc::make_mut(&mut self.tail).push(record);
        if self.tail.len() == Self::CHUNK {
            Arc::make_mut(&mut self.full).push_back(std::mem::take(&mut self.tail));
            self.fall(may_fall);
        }
    }

    /// Law A3: what is above the bound falls out up to this number.
    pub(crate) fn fall(&mut self, may_fall: u64) {
        while let Some(last) = self.full.front().and_then(|chunk| chunk.last()) {
            let kept = self.full.len() * Self::CHUNK;
            let may_fall = last.number <= may_fall || kept > Self::UNSEALED_MAX;
            if kept <= Self::RECORDS_MAX || !may_fall {
                return;
            }
            self.checkpoint = last.place();
            Arc::make_mut(&mut self.full).pop_front();
        }
    }

    fn newest(&self) -> Option<&Record> {
        let last_full = || self.full.back().and_then(|chunk| chunk.last());
        self.tail.last().or_else(last_full)
    }
}

/// Checks that these records chain to one another; the first of all must stand on nothing.
pub fn verify_chain(records: &[Record]) -> Result<(), BrokenAt> {
    let Some(first) = records.first() else {
        return Ok(());
    };
    let start = Checkpoint {
        number: first.number.saturating_sub(1),
        digest: if first.number <= 1 { Digest::default() } else { first.previous },
    };
    verify_chain_after(start, records)
}

/// Checks that these records chain to one another and to this place.
pub fn verify_chain_after(start: Checkpoint, records: &[Record]) -> Result<(), BrokenAt> {
    let mut before = start;
    let mut at = LedgerTime::default();
    for record in records {
        let number = record.number;
        if number != before.number.saturating_add(1) {
            let expected = before.number.saturating_add(1);
            return Err(BrokenAt::Number { found: number, expected });
        }
        if record.previous != before.digest {
            return Err(BrokenAt::Previous { number });
        }
        if record.digest != record.computed_digest() {
            return Err(BrokenAt::Contents { number });
        }
        if record.at < at {
            return Err(BrokenAt::Time { number });
        }
        (before, at) = (record.place(), record.at);
    }
    Ok(())
}

impl fmt::Display for BrokenAt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { found, expected } => {
                write!(out, "record {found} stands where {expected} had to follow")
            }
            Self::Previous { number } => {
                write!(out, "record {number} does not follow from the one before")
            }
            Self::Contents { number } => {
                write!(out, "record {number} has been altered: its digest differs")
            }
            Self::Time { number } => {
                write!(out, "record {number} is older than the one before")
            }
        }
    }
}

impl std::error::Error for BrokenAt {}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(count: u64) -> Audit {
        sealed_to(count, u64::MAX)
    }

    fn sealed_to(count: u64, may_fall: u64) -> Audit {
        let mut audit = Audit::default();
        for number in 1..=count {
            let stamp = Stamp {
                at: LedgerTime::from_milliseconds(number),
                wall: WallNote(number),
                index: LedgerIndex(number),
            };
            let what = What::Paused { who: "ops".into(), why: format!("reason {number}") };
            audit.add(stamp, what, may_fall);
        }
        audit
    }

    #[test]
    fn an_untouched_history_holds_and_every_kind_of_damage_is_named() {
        let audit = filled(200);
        let records: Vec<Record> = audit.since(0).cloned().collect();
        assert_eq!(records.len(), 200);
        assert_eq!(verify_chain(&records), Ok(()));

        let mut altered = records.clone();
        altered[99].what = What::Paused { who: "ops".into(), why: "another reason".into() };
        assert_eq!(verify_chain(&altered), Err(BrokenAt::Contents { number: 100 }));

        let mut resealed = altered;
        resealed[99].digest = resealed[99].computed_digest();
        assert_eq!(verify_chain(&resealed), Err(BrokenAt::Previous { number: 101 }));

        let mut cut = records.clone();
        cut.remove(50);
        let missing = BrokenAt::Number { found: 52, expected: 51 };
        assert_eq!(verify_chain(&cut), Err(missing));
        assert_eq!(verify_chain(&records[1..]), Ok(()), "a part of a chain");
        assert_eq!(verify_chain(&[]), Ok(()));
    }

    #[test]
    fn a_first_record_that_stands_on_something_is_a_cut_history() {
        let mut records: Vec<Record> = filled(3).since(0).cloned().collect();
        records[0].previous = Digest([7; 32]);
        records[0].digest = records[0].computed_digest();
        let broken = BrokenAt::Previous { number: 1 };
        assert_eq!(verify_chain(&records), Err(broken));
    }

    #[test]
    fn at_the_bound_the_oldest_fall_out_and_the_rest_chains_to_the_checkpoint() {
        let over = Audit::RECORDS_MAX as u64 + 3 * Audit::CHUNK as u64;
        let audit = filled(over);
        let kept: Vec<Record> = audit.since(0).cloned().collect();
        assert!(kept.len() <= Audit::RECORDS_MAX + Audit::CHUNK);
        assert_eq!(audit.checkpoint().number, 3 * Audit::CHUNK as u64);
        assert_eq!(verify_chain_after(audit.checkpoint(), &kept), Ok(()));
        assert_eq!(audit.head().number, over);
    }

    /// Law A3.
    #[test]
    fn what_is_not_sealed_stays_until_there_is_twice_as_much() {
        let (most, chunk) = (Audit::RECORDS_MAX as u64, Audit::CHUNK as u64);
        let mut audit = sealed_to(most + 5 * chunk, 2 * chunk + 7);
        assert_eq!(audit.checkpoint().number, 2 * chunk, "the third is sealed in part");
        audit.fall(4 * chunk);
        assert_eq!(audit.checkpoint().number, 4 * chunk);
        audit.fall(u64::MAX);
        assert_eq!(audit.checkpoint().number, 5 * chunk, "the bound keeps the rest");
        let audit = sealed_to(2 * most + 3 * chunk, 0);
        assert_eq!(audit.checkpoint().number, 3 * chunk);
    }

    #[test]
    fn a_place_is_held_by_its_number_and_digest() {
        let audit = filled(Audit::RECORDS_MAX as u64 + 2 * Audit::CHUNK as u64);
        let head = audit.head();
        assert!(audit.holds(head) && audit.holds(audit.checkpoint()));
        assert!(!audit.holds(Checkpoint { number: head.number - 1, ..head }));
        assert!(!audit.holds(Checkpoint { number: head.number + 1, ..head }));
        assert!(!audit.holds(Checkpoint { number: 3, ..head }), "it fell out");
        assert!(Audit::default().holds(Checkpoint::default()));
    }

    #[test]
    fn what_is_asked_since_a_number_begins_behind_it() {
        let audit = filled(150);
        let numbers: Vec<u64> = audit.since(127).map(|record| record.number).collect();
        assert_eq!(numbers, (128..=150).collect::<Vec<u64>>());
        assert_eq!(audit.since(150).count(), 0);
    }
}
