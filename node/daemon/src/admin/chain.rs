//! Whether the audit that an agent tells holds: every record read and every digest computed again.
//!
//! Law A1: numbers rise by one, each record's digest covers its contents and the digest of the one before.
//! Law V1: nothing an agent says about a record is believed but its sealed bytes; what it shows beside them must agree.
//! Not here: where the pages come from (see `client`), and what a seal on it is worth (see `vouched`).

use std::collections::BTreeMap;
use std::fmt;

use ledger::audit::{Audit, BrokenAt, Checkpoint, Record};
use ledger::verify_chain_after;
use vocabulary::Digest;

use super::answer::{AuditPage, AuditSeal, AuditVerified, Place, UnsealFault};
use super::vouched::{Electorate, Judge, UNSEALED_MAX, VouchFault, Vouched};

/// A chain as far as it was read; pages are taken in order.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    start: Option<Checkpoint>,
    /// The last record and the place before it, so that the next page is joined to it.
    last: Option<(Checkpoint, Record)>,
    /// Every place of it; at most as many as the state keeps records.
    places: BTreeMap<u64, Digest>,
    read: u64,
    voted: Electorate,
    /// The newest seal that was told.
    seal: Option<AuditSeal>,
}

/// Why the audit does not hold, or cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainFault {
    /// A record cannot be read.
    Sealed(UnsealFault),
    /// A record does not follow.
    Broken(BrokenAt),
    /// The agent names another head than the records it tells.
    Head {
        /// What it names.
        told: Place,
        /// What its records end with.
        found: Place,
    },
    /// A place that was once vouched for is not in this chain.
    NotHere {
        /// That place.
        wanted: Place,
        /// What stands there.
        found: Option<Place>,
    },
    /// The seal on it does not hold.
    Vouch(VouchFault),
    /// It begins behind records that cannot have fallen out of a ledger's state.
    CutOff {
        /// Where it begins.
        start: Place,
        /// How many records there are.
        records: u64,
    },
    /// The mesh wrote faster than we read: what had not been read yet fell out of the state.
    Overtaken,
}

impl Chain {
    /// The number after which the next page is asked for.
    pub fn next(&self) -> u64 {
        self.place().number
    }

    /// The last place that was read.
    pub fn end(&self) -> Place {
        Place::of(self.place())
    }

    /// Takes a page; says whether it was the last one.
    pub fn take(&mut self, page: &AuditPage) -> Result<bool, ChainFault> {
        if self.start.is_none() {
            let start = place(&page.checkpoint)?;
            self.places.insert(start.number, start.digest);
            self.start = Some(start);
        }
        let records: Result<Vec<Record>, UnsealFault> =
            page.records.iter().map(|record| record.unseal()).collect();
        let records = records.map_err(ChainFault::Sealed)?;
        if page.checkpoint.number > self.next() {
            return Err(ChainFault::Overtaken);
        }
        records.iter().for_each(|record| self.voted.take(record));
        self.join(records)?;
        self.seal = page.seal.clone().or(self.seal.take());
        let (head, end) = (place(&page.head)?, self.place());
        let is_last = end.number >= head.number || page.records.is_empty();
        if is_last && end != head {
            return Err(ChainFault::Head { told: page.head.clone(), found: Place::of(end) });
        }
        Ok(is_last)
    }

    /// Checks that a place that was vouched for, elsewhere or earlier, lies in this chain.
    pub fn contains(&self, wanted: &Place) -> Result<(), ChainFault> {
        match self.at(wanted.number) {
            Some(found) if found == *wanted => Ok(()),
            found => Err(ChainFault::NotHere { wanted: wanted.clone(), found }),
        }
    }

    /// What was read and holds, and who vouches for it.
    pub fn verified(&self, judge: Judge<'_>) -> Result<AuditVerified, ChainFault> {
        let start = self.start.unwrap_or_default();
        let head = self.end();
        // What falls out leaves the state full.
        if start.number > 0 && self.read < Audit::RECORDS_MAX as u64 {
            return Err(ChainFault::CutOff { start: Place::of(start), records: self.read });
        }
        // Of what was read it must be one: what stands before the first is no record of it.
        let seal = self.seal.as_ref().filter(|seal| seal.place.number > start.number);
        let vouched = match seal {
            Some(seal) => {
                let found = self.at(seal.place.number);
                Some(judge.judge((seal, found), &self.voted).map_err(ChainFault::Vouch)?)
            }
            None if judge.own.is_some() => return Err(ChainFault::Vouch(VouchFault::None)),
            None => None,
        };
        let sealed = vouched.as_ref().map_or(0, |vouched| vouched.seal.place.number);
        let unsealed = head.number.saturating_sub(sealed);
        if let Some(Vouched { seal, .. }) = &vouched
            && judge.own.is_some()
            && unsealed > UNSEALED_MAX
        {
            let sealed = seal.place.clone();
            return Err(ChainFault::Vouch(VouchFault::Behind { sealed, head }));
        }
        let (seal, authorities) =
            vouched.map(|Vouched { seal, authorities }| (seal, authorities)).unzip();
        Ok(AuditVerified {
            records: self.read,
            start: Place::of(start),
            head,
            by_own_authority: seal.is_some() && judge.own.is_some(),
            seal,
            unsealed,
            authorities: authorities.unwrap_or_default(),
        })
    }

    fn at(&self, number: u64) -> Option<Place> {
        let digest = self.places.get(&number).copied()?;
        Some(Place::of(Checkpoint { number, digest }))
    }

    fn join(&mut self, records: Vec<Record>) -> Result<(), ChainFault> {
        let Some(newest) = records.last().cloned() else {
            return Ok(());
        };
        self.read += records.len() as u64;
        let places = records.iter().map(|record| (record.number, record.digest));
        self.places.extend(places);
        let (start, mut joined) = match self.last.take() {
            Some((before, last)) => (before, vec![last]),
            None => (self.start.unwrap_or_default(), Vec::new()),
        };
        joined.extend(records);
        verify_chain_after(start, &joined).map_err(ChainFault::Broken)?;
        let before = match joined.len().checked_sub(2).and_then(|index| joined.get(index)) {
            Some(record) => record.place(),
            None => start,
        };
        self.last = Some((before, newest));
        Ok(())
    }

    fn place(&self) -> Checkpoint {
        match &self.last {
            Some((_, record)) => record.place(),
            None => self.start.unwrap_or_default(),
        }
    }
}

fn place(told: &Place) -> Result<Checkpoint, ChainFault> {
    let digest = told.bytes().ok_or(ChainFault::Sealed(UnsealFault::Hex(told.number)))?;
    Ok(Checkpoint { number: told.number, digest: Digest(digest) })
}

impl fmt::Display for ChainFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sealed(fault) => write!(out, "the audit does not hold: {fault}"),
            Self::Broken(at) => write!(out, "the audit does not hold: {at}"),
            Self::Head { told, found } => write!(
                out,
                "the audit does not hold: the agent names record {} {} as its newest, its records end with {} {}",
                told.number, told.digest, found.number, found.digest
            ),
            Self::NotHere { wanted, found } => {
                write!(out, "record {} {} is not in this audit", wanted.number, wanted.digest)?;
                match found {
                    Some(found) => write!(out, ": there is {} {}", found.number, found.digest),
                    None => Ok(()),
                }
            }
            Self::Vouch(fault) => fault.fmt(out),
            Self::CutOff { start, records } => write!(
                out,
                "the audit does not hold: it begins behind record {} with {records} records, and nothing falls out of a ledger that has fewer than {}: \
                 its beginning was cut off",
                start.number,
                Audit::RECORDS_MAX
            ),
            Self::Overtaken => write!(
                out,
                "records fell out of the agent's state while they were read: verify again"
            ),
        }
    }
}

impl std::error::Error for ChainFault {}
