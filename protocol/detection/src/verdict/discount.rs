//! Whose attestations are discounted because their author's own eyes are poor (protocol 2.7).
//!
//! Law D1: only an attestation is discounted, never an absence; a discounted voice against does not count, its `Ok` does.
//! Law D2: nobody is discounted on the word of f others: ingress needs half of those who attest, contradiction more than f.
//! Not here: how an agent judges itself before it signs (see `look`); what is left then (see `tally`).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use vocabulary::{HostId, Voice};

use super::grounds::{Heard, VerifiedGrounds};
use super::seat_set::SeatSet;
use crate::seats::Seating;

/// An author whose loop or sockets were later than this within 10 s has missed answers that came in time: the second that a look may
/// take (protocol 3.1). Lower, and a busy fleet has no voices; an author late during the look itself says so (`look`).
pub const LATE_MAX_MS: u32 = 1_000;

/// An author that is contradicted about so many subjects sees its own trouble, not theirs (protocol 2.7).
pub const CONTRADICTED_MAX: usize = 3;

/// Why an author's voices against others do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Discount {
    /// Fewer than half of its own observers that attest have reached it lately.
    Deaf {
        /// How many reached it.
        reached: usize,
        /// How many of its observers attest.
        attest: usize,
    },
    /// Its event loop or its sockets were this late, in milliseconds.
    Late(u32),
    /// So many subjects that it finds failed are seen well by more than f others.
    Contradicted(usize),
    /// It graded `Unknown`: it says itself that it cannot tell.
    SelfDoubting,
}

/// The discounted authors with their reasons.
pub(super) fn discounts(
    grounds: &VerifiedGrounds,
    seating: &Seating,
    tolerated: usize,
) -> BTreeMap<HostId, Discount> {
    let mut first: BTreeMap<HostId, &Heard> = BTreeMap::new();
    for heard in &grounds.heard {
        let newest = first.entry(heard.observer).or_insert(heard);
        if heard.is_later_than(newest) {
            *newest = heard;
        }
    }
    let contradicted = contradictions(grounds, tolerated);
    let judge = |(author, heard): (&HostId, &&Heard)| {
        let attesting: SeatSet = (seating.observers(author).iter().enumerate())
            .filter(|(_, observer)| first.contains_key(observer))
            .map(|(seat, _)| seat)
            .collect();
        let (reached, attest) = (heard.ingress.and(attesting).count(), attesting.count());
        let count = contradicted.get(author).copied().unwrap_or(0);
        let why = if reached * 2 < attest {
            Discount::Deaf { reached, attest }
        } else if heard.late_ms > LATE_MAX_MS {
            Discount::Late(heard.late_ms)
        } else if count >= CONTRADICTED_MAX {
            Discount::Contradicted(count)
        } else {
            return None;
        };
        Some((*author, why))
    };
    first.iter().filter_map(judge).collect()
}

/// For each author, about how many subjects more than f others contradict it.
fn contradictions(grounds: &VerifiedGrounds, tolerated: usize) -> BTreeMap<HostId, usize> {
    let mut counts = BTreeMap::new();
    for row in grounds.heard.chunk_by(|one, other| one.subject == other.subject) {
        let well = row.iter().filter(|heard| heard.sight.voice == Voice::Ok).count();
        if well <= tolerated {
            continue;
        }
        let against = |heard: &&Heard| matches!(heard.sight.voice, Voice::Against(_));
        for heard in row.iter().filter(against) {
            *counts.entry(heard.observer).or_insert(0) += 1;
        }
    }
    counts
}

impl fmt::Display for Discount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deaf { reached, attest } => {
                write!(out, "only {reached} of its {attest} observers that attest reached it")
            }
            Self::Late(late_ms) => write!(out, "its loop or its sockets were {late_ms} ms late"),
            Self::Contradicted(count) => {
                write!(out, "others see well {count} subjects that it finds failed")
            }
            Self::SelfDoubting => write!(out, "it says itself that it cannot tell"),
        }
    }
}
