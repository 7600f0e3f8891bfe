//! What the demo itself saw of each remedy: begin, end and fence, kept apart from everything that agents say.
//!
//! Law J1: a begin stands before anything is done, an end after it; both before the healer hears of it.
//! Not here: the agents' own audit (see `proofs`), against which this is held.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::moments;

/// The case and the lease in whose name a remedy runs, as its environment told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errand {
    /// `HALE_CASE`.
    pub case: u64,
    /// `HALE_SUBJECT`, a host's name.
    pub subject: String,
    /// `HALE_VERDICT`.
    pub verdict: String,
    /// `HALE_FENCE`.
    pub fence: u64,
    /// `HALE_REMEDY_ID`.
    pub remedy: u64,
}

/// What was seen of a remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seen {
    /// It began.
    Begin,
    /// It was done to its end.
    End,
    /// It began and failed on the way.
    Failed,
    /// It was turned away before anything was done.
    Refused,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Milliseconds of the Unix epoch.
    pub at_ms: u64,
    /// What was seen.
    pub seen: Seen,
    /// Of which remedy.
    #[serde(flatten)]
    pub errand: Errand,
    /// In words.
    pub detail: String,
}

/// The lines so far, in memory and in a file with one JSON object a line.
pub struct Journal {
    kept: Mutex<(File, Vec<Line>)>,
}

impl Journal {
    /// A new journal in this file.
    pub fn begin(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        Ok(Self { kept: Mutex::new((file, Vec::new())) })
    }

    /// law J1: returns when the line is in the file.
    pub fn write(&self, seen: Seen, errand: &Errand, detail: impl Into<String>) -> io::Result<()> {
        let line = Line {
            at_ms: moments::now_exact(),
            seen,
            errand: errand.clone(),
            detail: detail.into(),
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        let mut kept = self.kept();
        kept.0.write_all(&text)?;
        kept.1.push(line);
        Ok(())
    }

    /// All lines so far.
    pub fn lines(&self) -> Vec<Line> {
        self.kept().1.clone()
    }

    /// How many lines there are: where a new act's lines begin.
    pub fn count(&self) -> usize {
        self.kept().1.len()
    }

    fn kept(&self) -> MutexGuard<'_, (File, Vec<Line>)> {
        // A writer that panicked has pushed a whole line or none.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many remedies ran at once, at most.
pub fn in_flight_max(lines: &[Line]) -> usize {
    let mut running: BTreeMap<u64, ()> = BTreeMap::new();
    let mut most = 0;
    for line in lines {
        match line.seen {
            Seen::Begin => running.insert(line.errand.remedy, ()),
            Seen::End | Seen::Failed => running.remove(&line.errand.remedy),
            Seen::Refused => None,
        };
        most = most.max(running.len());
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errand(remedy: u64) -> Errand {
        Errand { case: 1, subject: "a1".into(), verdict: "AgentDown".into(), fence: remedy, remedy }
    }

    #[test]
    fn what_is_in_the_file_is_what_was_seen_and_a_journal_is_never_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        let journal = Journal::begin(&path).expect("begun");
        journal.write(Seen::Begin, &errand(1), "").expect("written");
        journal.write(Seen::End, &errand(1), "pid 7").expect("written");
        let text = std::fs::read_to_string(&path).expect("read");
        let read: Vec<Line> =
            text.lines().map(|line| serde_json::from_str(line).expect("a line")).collect();
        assert_eq!(read, journal.lines());
        assert!(Journal::begin(&path).is_err());
    }

    #[test]
    fn remedies_are_in_flight_from_their_begin_to_their_end_and_refused_ones_never() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = Journal::begin(&folder.path().join("j")).expect("begun");
        for (seen, remedy) in [
            (Seen::Begin, 1),
            (Seen::Refused, 2),
            (Seen::Begin, 3),
            (Seen::End, 1),
            (Seen::Begin, 4),
            (Seen::Failed, 3),
            (Seen::End, 4),
        ] {
            journal.write(seen, &errand(remedy), "").expect("written");
        }
        assert_eq!(in_flight_max(&journal.lines()), 2);
        assert_eq!(in_flight_max(&journal.lines()[5..]), 0);
    }
}
