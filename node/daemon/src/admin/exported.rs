//! An audit that was written to a file, `hale audit export`: one record a line, and a last line that says what was read.
//!
//! Law A1: it is judged by the sealed bytes alone, as an agent's is (see `chain`). The last line holds the place to which the first record
//! chains and the place of the last one, so that a file that was cut off does not pass for a shorter audit.
//! Not here: the sentences beside the sealed bytes. They are for reading, and whoever edits one changes nothing that is judged.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::answer::{AuditPage, AuditRecord, AuditVerified, Body, Place};
use super::chain::{Chain, ChainFault};
use super::vouched::Judge;

/// Largest file that is read: 16 kB for each of the 16,384 records that a ledger keeps at most.
pub const BYTES_MAX: u64 = 256 << 20;

/// What a line of the file is.
#[derive(Debug)]
enum Line {
    Record(Box<AuditRecord>),
    End(AuditVerified),
}

/// Why a file is no whole export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportFault {
    /// This line, counted from 1, is neither a record nor the last line.
    Line {
        /// Which one.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The last line is missing: the file was cut off behind this record, or the export did not come to its end.
    CutOff {
        /// The last record that is there; 0 for none.
        after: u64,
    },
    /// Something stands behind the last line.
    GoesOn {
        /// Where, counted from 1.
        number: usize,
    },
    /// The last line counts other records than there are.
    Count {
        /// What it says.
        told: u64,
        /// How many there are.
        found: u64,
    },
    /// The last line names another last record than there is.
    Head {
        /// What it names.
        told: Place,
        /// What the records end with.
        found: Place,
    },
    /// The records do not chain.
    Chain(ChainFault),
}

/// Judges such a file: every digest computed again, from the place that its last line begins with to the one that it ends with.
pub fn judge(text: &str, by: Judge<'_>) -> Result<AuditVerified, ExportFault> {
    let mut records: Vec<AuditRecord> = Vec::new();
    let mut end = None;
    for (at, text) in text.lines().enumerate() {
        let number = at + 1;
        if end.is_some() {
            return Err(ExportFault::GoesOn { number });
        }
        match line(text).map_err(|why| ExportFault::Line { number, why })? {
            Line::Record(record) => records.push(*record),
            Line::End(told) => end = Some(told),
        }
    }
    let after = records.last().map_or(0, |record| record.number);
    let told = end.ok_or(ExportFault::CutOff { after })?;
    let found = records.len() as u64;
    let (head, checkpoint, seal) = (told.head.clone(), told.start.clone(), told.seal.clone());
    let page = AuditPage { head, checkpoint, records, seal };
    let mut chain = Chain::default();
    let is_whole = chain.take(&page).map_err(|why| match why {
        ChainFault::Head { told, found } => ExportFault::Head { told, found },
        why => ExportFault::Chain(why),
    })?;
    if !is_whole {
        return Err(ExportFault::Head { told: told.head, found: chain.end() });
    }
    if told.records != found {
        return Err(ExportFault::Count { told: told.records, found });
    }
    chain.verified(by).map_err(ExportFault::Chain)
}

fn line(text: &str) -> Result<Line, String> {
    #[derive(Deserialize)]
    struct Envelope {
        schema: String,
        data: Value,
    }
    let Envelope { schema, data } =
        serde_json::from_str(text).map_err(|why| format!("it is no line of an export: {why}"))?;
    let read = |why: serde_json::Error| format!("it is no {schema}: {why}");
    match schema.as_str() {
        AuditRecord::SCHEMA => serde_json::from_value(data).map(Line::Record).map_err(read),
        AuditVerified::SCHEMA => serde_json::from_value(data).map(Line::End).map_err(read),
        _ => Err(format!(
            "its schema is {schema:?}, expected {} or, at the end, {}",
            AuditRecord::SCHEMA,
            AuditVerified::SCHEMA
        )),
    }
}

impl fmt::Display for ExportFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { number, why } => write!(out, "line {number}: {why}"),
            Self::CutOff { after: 0 } => {
                write!(
                    out,
                    "it holds no record and has no last line: it is no export, or was cut off"
                )
            }
            Self::CutOff { after } => write!(
                out,
                "it has no last line: it was cut off behind record {after}, or its export did not come to an end"
            ),
            Self::GoesOn { number } => {
                write!(out, "line {number}: something stands behind the last line")
            }
            Self::Count { told, found } => {
                write!(out, "its last line counts {told} records, and there are {found}")
            }
            Self::Head { told, found } => write!(
                out,
                "its last line names record {} {} as the newest, and its records end with {} {}",
                told.number, told.digest, found.number, found.digest
            ),
            Self::Chain(fault) => fault.fmt(out),
        }
    }
}

impl std::error::Error for ExportFault {}
