//! `GET /v1/audit?since=N`: the hash-chained history, a page at a time.
//!
//! Law J3: a record travels whole, as [`AuditRecord::sealed`], so that whoever reads it can recompute its digest; the
//! other fields are for reading.

use std::fmt::{self, Write as _};

use ledger::audit::{Checkpoint, Record, Seal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Body;

/// Records in order, with the place of the chain that they belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditPage {
    /// The newest record that there is.
    pub head: Place,
    /// The last record that fell out of the state; what is left chains to it.
    pub checkpoint: Place,
    /// Records after the asked number, oldest first; at most [`AuditPage::RECORDS_MAX`].
    pub records: Vec<AuditRecord>,
    /// The newest seal on it, if there is one.
    #[serde(default)]
    pub seal: Option<AuditSeal>,
}

/// What was recomputed, and holds: `hale audit verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditVerified {
    /// How many records were read and recomputed.
    pub records: u64,
    /// What the first of them chains to: nothing, or the last record that fell out of the state.
    pub start: Place,
    /// The last of them.
    pub head: Place,
    /// The newest seal on them, judged; none where none stands at any of them.
    #[serde(default)]
    pub seal: Option<AuditSeal>,
    /// How many records stand behind the seal, and are vouched for by nobody yet.
    #[serde(default)]
    pub unsealed: u64,
    /// Whether the authority that whoever asked has named vouches for its signers, not only one that the seal names itself.
    #[serde(default)]
    pub by_own_authority: bool,
    /// SHA-256 of each certificate of an authority that vouches for any of the seal's signers, in hex.
    #[serde(default)]
    pub authorities: Vec<String>,
}

/// A place that most voters of the ledger have signed: everything up to it is vouched for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditSeal {
    /// Which one.
    pub place: Place,
    /// How many voters there were.
    pub voters: u64,
    /// Those that have signed it, by name.
    pub signed_by: Vec<String>,
    /// The whole seal with its signers' certificates as hale's own bytes, in hex: what `hale audit verify` judges.
    pub sealed: String,
}

/// A place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// Number of the record; 0 before the first.
    pub number: u64,
    /// Its digest, in hex; all zeros before the first.
    pub digest: String,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditRecord {
    /// From 1, without gaps.
    pub number: u64,
    /// When, by the leader's wall clock: a note for people.
    pub at: String,
    /// When, in ledger time.
    pub ledger_ms: u64,
    /// The entry that made it so.
    pub index: u64,
    /// `Verdict`, `Granted`, `Intended`, `Received`, `Closed`, ...
    pub kind: String,
    /// The case it is about.
    pub case: Option<u64>,
    /// What has become true.
    pub sentence: String,
    /// Digest of the record before, in hex.
    pub previous: String,
    /// Its own digest, in hex.
    pub digest: String,
    /// The whole record as hale's own bytes, in hex: what `hale audit verify` chains again.
    pub sealed: String,
}

/// Why a record that travelled cannot be read; nothing can be concluded from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnsealFault {
    /// Its sealed bytes are no hex.
    Hex(u64),
    /// They are no record.
    Bytes {
        /// Which one.
        number: u64,
        /// Why.
        why: wire::Fault,
    },
    /// What stands beside them says something else.
    Label(u64),
    /// The same of the bytes of a seal at this record, or they are none.
    Seal(u64),
}

impl AuditRecord {
    /// The record as the ledger keeps it.
    pub fn unseal(&self) -> Result<Record, UnsealFault> {
        let bytes = bytes(&self.sealed).ok_or(UnsealFault::Hex(self.number))?;
        let record: Record =
            wire::decode(&bytes).map_err(|why| UnsealFault::Bytes { number: self.number, why })?;
        // What people read beside the sealed bytes must be what those say.
        let is_same = record.number == self.number
            && record.digest.to_string() == self.digest
            && record.previous.to_string() == self.previous
            && record.index.0 == self.index
            && record.at.as_milliseconds() == self.ledger_ms;
        if is_same { Ok(record) } else { Err(UnsealFault::Label(self.number)) }
    }

    /// The bytes of a record, in hex.
    pub fn seal(record: &Record) -> String {
        hex(&wire::encode(record))
    }
}

impl AuditSeal {
    /// A seal, with the names of its signers.
    pub fn of(seal: &Seal, signed_by: Vec<String>) -> Self {
        Self {
            place: Place::of(seal.place),
            voters: seal.voters.len() as u64,
            signed_by,
            sealed: hex(&wire::encode(seal)),
        }
    }

    /// The seal as the ledger keeps it.
    pub fn unseal(&self) -> Result<Seal, UnsealFault> {
        let fault = UnsealFault::Seal(self.place.number);
        let bytes = bytes(&self.sealed).ok_or_else(|| fault.clone())?;
        let seal: Seal = wire::decode(&bytes).map_err(|_| fault.clone())?;
        let is_same =
            Place::of(seal.place) == self.place && seal.voters.len() as u64 == self.voters;
        if is_same { Ok(seal) } else { Err(fault) }
    }
}

impl Place {
    /// The bytes of its digest.
    pub fn bytes(&self) -> Option<[u8; 32]> {
        bytes(&self.digest)?.try_into().ok()
    }

    /// A place of the chain, in words.
    pub fn of(place: Checkpoint) -> Self {
        Self { number: place.number, digest: place.digest.to_string() }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a text cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |letter: u8| char::from(letter).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    };
    hex.as_bytes().chunks(2).map(byte).collect()
}

impl fmt::Display for UnsealFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hex(number) => write!(out, "record {number}: its sealed bytes are no hex"),
            Self::Bytes { number, why } => {
                write!(out, "record {number}: its sealed bytes are no record: {why}")
            }
            Self::Label(number) => write!(
                out,
                "record {number}: number, time, entry or digest beside it are not those of its sealed bytes"
            ),
            Self::Seal(number) => write!(
                out,
                "at record {number}: its bytes are no seal, or say something else than what stands beside them"
            ),
        }
    }
}

impl std::error::Error for UnsealFault {}

impl AuditPage {
    /// About half a megabyte of JSON.
    pub const RECORDS_MAX: usize = 500;
}

impl Body for AuditPage {
    const SCHEMA: &'static str = "hale.audit/1";
}

/// A record by itself, as `--follow` prints it.
impl Body for AuditRecord {
    const SCHEMA: &'static str = "hale.audit.record/1";
}

impl Body for AuditVerified {
    const SCHEMA: &'static str = "hale.audit.verified/1";
}
