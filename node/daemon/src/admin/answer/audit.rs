//! `GET /v1/audit?since=N`: the hash-chained history, a page at a time.
//!
//! Law J3: a record travels whole, as [`AuditRecord::sealed`], so that whoever reads it can recompute its digest; the
//! other fields are for reading.

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

impl AuditPage {
    /// About half a megabyte of JSON.
    pub const RECORDS_MAX: usize = 500;
}

impl Body for AuditPage {
    const SCHEMA: &'static str = "hale.audit/1";
}
