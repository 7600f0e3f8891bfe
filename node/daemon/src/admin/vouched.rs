//! Who vouches for an audit: the newest seal on it, judged (protocol 8.1).
//!
//! Law V2: a seal counts for its signatures alone: of most of its voters, with keepers' certificates under an authority, over a record that was
//! read. Who those voters are whoever asks says; else the chain, where it is whole; else nobody but the seal.
//! Law V3: by an authority that is named nothing holds but what is sealed, and [`UNSEALED_MAX`] records behind that.
//! Not here: whether the records chain (see `chain`).

use std::collections::BTreeSet;
use std::fmt;

use ledger::audit::{Record, Seal, SealFault, What};
use ledger::sealing::SEAL_EVERY;
use vocabulary::{ClusterName, Digest, HostId, HostName, Verifier};

use super::answer::{AuditSeal, Place, UnsealFault};
use crate::authority;

/// By what a seal is judged.
#[derive(Clone, Copy)]
pub struct Judge<'a> {
    /// Reads certificates and checks signatures.
    pub verifier: &'a dyn Verifier,
    /// The authorities that whoever asks trusts, as PEM; `None`: those that the seal names itself.
    pub own: Option<&'a str>,
    /// The hosts of which whoever asks knows that they voted; empty: of none.
    pub voters: &'a [HostName],
}

/// More records without a seal are no tail that waits for one: several are overdue, as `hale status` has it.
pub const UNSEALED_MAX: u64 = 4 * SEAL_EVERY;

/// Most voters that a ledger has.
const VOTERS_MAX: usize = 7;

/// A seal that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// As it was told, with the names from its signers' certificates.
    pub seal: AuditSeal,
    /// SHA-256 of each authority's certificate that vouches for any of them, in hex.
    pub authorities: Vec<String>,
}

/// Why nobody vouches for an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VouchFault {
    /// Its bytes are no seal, or say something else than what stands beside them.
    Unsealed(UnsealFault),
    /// Its signatures are worth nothing.
    Signatures(SealFault),
    /// The record that is sealed is not the one that was read.
    Elsewhere {
        /// Which one is.
        sealed: Place,
        /// What stands there.
        found: Option<Place>,
    },
    /// The authorities that were given cannot be used.
    Authorities(String),
    /// There is none on what was read, and an authority was given to judge it by.
    None,
    /// More stands behind it than may.
    Behind {
        /// It.
        sealed: Place,
        /// The last record.
        head: Place,
    },
    /// The chain begins with its first record, and that does not found it.
    Unfounded,
    /// It is another cluster's.
    Cluster {
        /// Whose.
        sealed: ClusterName,
        /// Whose audit this is.
        own: ClusterName,
    },
    /// Others voted as of its place than it names: by the chain, or by whoever asks.
    Voters(Place),
}

impl<'a> Judge<'a> {
    /// By what the seal says itself.
    pub fn itself(verifier: &'a dyn Verifier) -> Self {
        Self { verifier, own: None, voters: &[] }
    }
}

/// Who voted when, as a chain tells it that begins with the first record.
#[derive(Clone, Debug, Default)]
pub struct Electorate {
    cluster: Option<ClusterName>,
    is_unfounded: bool,
    /// From which record on who voted, oldest first; at most one for each record.
    voters: Vec<(u64, BTreeSet<HostId>)>,
}

impl Electorate {
    /// The next record.
    pub fn take(&mut self, record: &Record) {
        let last = self.voters.last().map(|(_, voters)| voters);
        let mut voters: BTreeSet<HostId> = match (&record.what, last) {
            (What::Founded { cluster, voters }, _) if record.number == 1 => {
                self.cluster = Some(cluster.clone());
                voters.iter().copied().collect()
            }
            (What::VotesMoved { added, removed, .. }, Some(voters)) => {
                let stay = voters.iter().filter(|voter| !removed.contains(voter));
                stay.chain(added).copied().collect()
            }
            (What::VoteMoved { from, to }, Some(voters)) => {
                let stay = voters.iter().filter(|voter| *voter != from);
                stay.chain([to]).copied().collect()
            }
            _ => {
                self.is_unfounded |= record.number == 1;
                return;
            }
        };
        if voters.len() > VOTERS_MAX {
            // No ledger has so many: whatever is sealed from here on is by others.
            voters.clear();
        }
        self.voters.push((record.number, voters));
    }

    /// Law V2: whether this seal is about this chain, as far as that can be told.
    fn agrees(&self, seal: &Seal, known: &[HostName]) -> Result<(), VouchFault> {
        if self.is_unfounded {
            return Err(VouchFault::Unfounded);
        }
        if let Some(own) = self.cluster.as_ref().filter(|own| **own != seal.cluster) {
            return Err(VouchFault::Cluster { sealed: seal.cluster.clone(), own: own.clone() });
        }
        let until = self.voters.partition_point(|(from, _)| *from <= seal.place.number);
        let voted = until.checked_sub(1).and_then(|last| self.voters.get(last));
        let named: BTreeSet<HostId> = seal.voters.iter().copied().collect();
        let known: BTreeSet<HostId> =
            known.iter().map(|name| HostId::derive(&seal.cluster, name)).collect();
        let is_twice = named.len() != seal.voters.len();
        let is_other = voted.is_some_and(|(_, voters)| *voters != named);
        if is_twice || is_other || !known.is_empty() && known != named {
            return Err(VouchFault::Voters(Place::of(seal.place)));
        }
        Ok(())
    }
}

impl Judge<'_> {
    /// Law V2: a seal, and what the chain has at its place.
    pub fn judge(
        &self,
        (told, found): (&AuditSeal, Option<Place>),
        voted: &Electorate,
    ) -> Result<Vouched, VouchFault> {
        let seal = told.unseal().map_err(VouchFault::Unsealed)?;
        if found.as_ref() != Some(&told.place) {
            return Err(VouchFault::Elsewhere { sealed: told.place.clone(), found });
        }
        voted.agrees(&seal, self.voters)?;
        let authorities = match self.own {
            Some(pem) => authority::read(pem, &seal.cluster).map_err(VouchFault::Authorities)?,
            None => seal.authorities.clone(),
        };
        let signers = seal.judge(&authorities, self.verifier).map_err(VouchFault::Signatures)?;
        let vouches = |authority: &&Vec<u8>| {
            let alone = std::slice::from_ref(*authority);
            let holds = |chain| self.verifier.claims(alone, chain).is_ok();
            seal.signatures.iter().any(|signed| holds(&signed.certificate))
        };
        let of = |authority: &Vec<u8>| Digest::of(&[authority]).to_string();
        Ok(Vouched {
            authorities: authorities.iter().filter(vouches).map(of).collect(),
            seal: AuditSeal {
                signed_by: signers.iter().map(|claims| claims.host.to_string()).collect(),
                ..told.clone()
            },
        })
    }
}

impl fmt::Display for VouchFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsealed(fault) => write!(out, "the seal on the audit does not hold: {fault}"),
            Self::Signatures(fault) => write!(out, "the seal on the audit does not hold: {fault}"),
            Self::Elsewhere { sealed, found } => {
                let (number, digest) = (sealed.number, &sealed.digest);
                write!(out, "record {number} {digest} is sealed, and the audit ")?;
                match found {
                    Some(found) => {
                        write!(out, "has {} there: it was altered, or one before it", found.digest)
                    }
                    None => write!(out, "has no such record: it was cut off"),
                }
            }
            Self::Authorities(why) => {
                write!(out, "the authorities of --authority cannot be used: {why}")
            }
            Self::None => write!(
                out,
                "no seal stands on what was read, so that no authority vouches for it: voters seal what is ten minutes old, under rules 2 (`hale status` \
                 says where they do not)"
            ),
            Self::Behind { sealed, head } => write!(
                out,
                "record {} is sealed and nothing behind it, up to {}: those {} records are more than wait for a seal, {UNSEALED_MAX} at most",
                sealed.number,
                head.number,
                head.number.saturating_sub(sealed.number)
            ),
            Self::Unfounded => {
                write!(out, "record 1 does not found a ledger: this is no audit from its beginning")
            }
            Self::Cluster { sealed, own } => {
                write!(
                    out,
                    "the seal is on the audit of cluster {sealed}, and this is the audit of {own}"
                )
            }
            Self::Voters(place) => write!(
                out,
                "the seal on record {} names other voters than there were",
                place.number
            ),
        }
    }
}

impl std::error::Error for VouchFault {}
