//! An audit as `hale audit export --jsonl` prints it, read by its kinds and sentences.
//!
//! Law R1: a record of a kind that is judged and a sentence that is not understood is a fault, never passed over.
//! Not here: whether the digests are right, which the export itself computes anew before it prints anything.

use std::fmt;

use serde::Deserialize;

/// One record, as far as it is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// From 1, without gaps.
    pub number: u64,
    /// The leader's wall clock, in milliseconds of the Unix epoch.
    pub wall_ms: u64,
    /// Which kind.
    pub kind: String,
    /// The case that it is about.
    pub case: Option<u64>,
    /// In words.
    pub sentence: String,
    /// Digest of the record before.
    pub previous: String,
    /// Its own.
    pub digest: String,
}

/// Why an export cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFault(String);

impl fmt::Display for AuditFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[derive(Deserialize)]
struct Line {
    schema: String,
    data: serde_json::Value,
}

#[derive(Deserialize)]
struct Told {
    number: u64,
    at: String,
    kind: String,
    case: Option<u64>,
    sentence: String,
    previous: String,
    digest: String,
}

/// The records of an export, whose last line must be there.
pub fn read_export(text: &str) -> Result<Vec<Record>, AuditFault> {
    let fault = |at: usize, why: String| AuditFault(format!("line {}: {why}", at + 1));
    let (mut records, mut is_whole) = (Vec::new(), false);
    for (at, line) in text.lines().enumerate() {
        let line: Line = serde_json::from_str(line).map_err(|why| fault(at, why.to_string()))?;
        if line.schema == "hale.audit.verified/1" {
            is_whole = true;
            continue;
        }
        let told: Told =
            serde_json::from_value(line.data).map_err(|why| fault(at, why.to_string()))?;
        let wall_ms = milliseconds(&told.at)
            .ok_or_else(|| fault(at, format!("`{}` is no moment in UTC", told.at)))?;
        let Told { number, kind, case, sentence, previous, digest, .. } = told;
        records.push(Record { number, wall_ms, kind, case, sentence, previous, digest });
    }
    if is_whole { Ok(records) } else { Err(AuditFault("its last line is missing".into())) }
}

/// `2027-11-18T22:05:00.042Z`.
fn milliseconds(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (time, rest) = time.split_once('.')?;
    let mut time = time.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let day = days(year, month)?.checked_add(day)?.checked_sub(1)?;
    let seconds = ((day * 24 + hour) * 60 + minute) * 60 + second;
    Some(seconds * 1_000 + rest.parse::<u64>().ok()?)
}

/// Days from 1970 to the first of this month.
fn days(year: u64, month: u64) -> Option<u64> {
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let before = BEFORE.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    let is_leap = leaps(year) > leaps(year - 1);
    let years = year.checked_sub(1970)? * 365 + leaps(year - 1) - leaps(1969);
    Some(years + before + u64::from(is_leap && month > 2))
}

/// How a remedy ended, as a receipt or an inspection has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Done,
    NotBegun,
    Unknown,
}

/// What a record says of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Verdict { kind: String, subject: String },
    Granted { fence: u64, healer: String, is_takeover: bool },
    LeaseOver { is_orphaned: bool },
    Intended { remedy: u64, fence: u64, healer: String },
    Ended { remedy: u64, end: End },
    Proven { remedy: u64 },
    Escalated { is_counted: bool },
    Quarantined,
    Closed { is_healed: bool },
    Other,
}

impl Record {
    /// law R1.
    pub(super) fn what(&self) -> Result<What, AuditFault> {
        self.understood().ok_or_else(|| {
            let (number, kind) = (self.number, &self.kind);
            AuditFault(format!("record {number}, {kind}, is not understood: {}", self.sentence))
        })
    }

    fn understood(&self) -> Option<What> {
        let said = &self.sentence;
        Some(match &*self.kind {
            "Verdict" => What::Verdict {
                kind: word_behind(said, "verdict ")?,
                subject: word_behind(said, " on ")?,
            },
            "Granted" => What::Granted {
                fence: number_behind(said, "under fence ")?,
                healer: word_behind(said, " offered to ")?,
                is_takeover: said.contains(", to take an orphaned one over"),
            },
            "LeaseOver" => What::LeaseOver { is_orphaned: said.contains("; it goes on counting") },
            "Intended" => What::Intended {
                remedy: number_behind(said, " intends remedy ")?,
                fence: number_behind(said, " under fence ")?,
                healer: said.split(' ').next()?.to_owned(),
            },
            "Received" | "Inspected" => {
                What::Ended { remedy: number_behind(said, "remedy ")?, end: end(said)? }
            }
            "Verified" | "Unproven" => What::Proven { remedy: number_behind(said, "remedy ")? },
            "Escalated" => {
                What::Escalated { is_counted: said.ends_with("; its lease goes on counting") }
            }
            "Quarantined" => What::Quarantined,
            "Closed" => What::Closed { is_healed: said.starts_with("closed: healed") },
            _ => What::Other,
        })
    }
}

fn end(said: &str) -> Option<End> {
    let ends = [
        (" is done", End::Done),
        (" was not begun", End::NotBegun),
        (" has an unknown end", End::Unknown),
    ];
    // What the program has printed stands behind a colon and may say anything; an inspection begins with one.
    let said = said.strip_prefix("inspection: ").unwrap_or(said);
    let said = said.split(": ").next()?;
    ends.iter().find(|(words, _)| said.ends_with(words)).map(|(_, end)| *end)
}

fn word_behind(said: &str, words: &str) -> Option<String> {
    let behind = said.split_once(words)?.1;
    let word = behind.split([' ', ',']).next()?;
    (!word.is_empty()).then(|| word.to_owned())
}

fn number_behind(said: &str, words: &str) -> Option<u64> {
    let behind = said.split_once(words)?.1;
    let digits = behind.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(behind.len());
    behind[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_to_the_millisecond_across_leap_years() {
        for (text, ms) in [
            ("1970-01-01T00:00:00.001Z", 1),
            ("2000-03-01T00:00:00.000Z", 951_868_800_000),
            ("2026-11-30T17:19:39.042Z", 1_796_059_179_042),
            ("2100-03-01T00:00:00.000Z", 4_107_542_400_000),
        ] {
            assert_eq!(milliseconds(text), Some(ms), "{text}");
        }
        assert_eq!(milliseconds("2026-11-30T17:19:39.042+01:00"), None);
    }

    #[test]
    fn what_a_program_has_printed_is_not_taken_for_how_it_ended() {
        let said = "remedy 7 under fence 9 has an unknown end: exit 1: it is done";
        assert_eq!(end(said), Some(End::Unknown));
        assert_eq!(end("inspection: remedy 7 was not begun: exit 1"), Some(End::NotBegun));
    }

    #[test]
    fn a_sentence_that_is_judged_and_not_understood_is_a_fault() {
        let record = Record {
            number: 4,
            wall_ms: 0,
            kind: "Granted".into(),
            case: Some(1),
            sentence: "a lease is offered".into(),
            previous: String::new(),
            digest: String::new(),
        };
        assert!(record.what().is_err());
        assert_eq!(Record { kind: "Booted".into(), ..record }.what(), Ok(What::Other));
    }
}
