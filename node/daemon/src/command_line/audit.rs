//! `hale audit`, `hale audit verify`: the history, and whether it holds.

use std::str::FromStr;
use std::thread;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::asking::{At, Screen, fresh, json};
use super::exit::CommandFault;
use super::faults;
use super::table::{Table, clean};
use crate::admin::answer::{Answer, AuditPage, AuditRecord, AuditVerified, Body, Status};
use crate::admin::chain::Chain;
use crate::moments;

/// The history: what has become true, intent before effect, outcome after.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Verb {
    #[command(subcommand)]
    verb: Option<AuditVerb>,
    #[command(flatten)]
    page: Page,
}

/// What else can be asked of `hale audit`.
#[derive(Debug, Subcommand)]
pub enum AuditVerb {
    /// Read every record that the agent keeps, compute every digest again, and compare the newest with what it names.
    Verify {
        /// Where.
        #[command(flatten)]
        at: At,
    },
}

/// Which records, and how they are printed.
#[derive(Clone, Debug, Args)]
pub struct Page {
    /// Only records after this number, or since then: `-2h`, `2026-11-18T22:05:00Z`; without it the newest hundred.
    #[arg(long, value_name = "NUMBER|TIME", allow_hyphen_values = true)]
    since: Option<Since>,
    /// Go on with what is added, until interrupted; with --json one object a line.
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    screen: Screen,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    /// After this record.
    Record(u64),
    /// In milliseconds of the Unix epoch.
    Moment(u64),
}

/// Shown where nobody says since when.
const NEWEST: u64 = 100;

/// How often a follower asks for more; an answer without news is small.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// Does it.
pub fn run(verb: &Verb) -> Result<(), CommandFault> {
    match &verb.verb {
        Some(AuditVerb::Verify { at }) => verify(at),
        None => verb.page.run(),
    }
}

impl Page {
    fn run(&self) -> Result<(), CommandFault> {
        let mut since = match self.since {
            Some(Since::Record(since)) => since,
            // What is kept is bounded, so reading all of it is too.
            Some(Since::Moment(_)) => 0,
            None => ask(&self.screen.at, u64::MAX)?.data.head.number.saturating_sub(NEWEST),
        };
        let mut has_header = self.screen.has_header();
        loop {
            let mut answer = ask(&self.screen.at, since)?;
            let newest = answer.data.records.last().map(|record| record.number);
            answer.data.records.retain(|record| self.is_wanted(record));
            self.print(&answer, has_header)?;
            has_header &= answer.data.records.is_empty();
            since = newest.unwrap_or(since);
            let is_more = since < answer.data.head.number && newest.is_some();
            if !is_more && !self.follow {
                return fresh(&answer);
            }
            if !is_more {
                thread::sleep(FOLLOW_EVERY);
            }
        }
    }

    fn is_wanted(&self, record: &AuditRecord) -> bool {
        match self.since {
            Some(Since::Moment(since)) => {
                moments::from_utc(&record.at).is_none_or(|at| at >= since)
            }
            Some(Since::Record(_)) | None => true,
        }
    }

    fn print(&self, answer: &Answer<AuditPage>, has_header: bool) -> Result<(), CommandFault> {
        if !self.screen.at.json {
            return faults::print(&self.text(answer, has_header));
        }
        if !self.follow {
            return json(answer);
        }
        let records = answer.data.records.iter();
        records.map(|record| alone(answer, record)).try_for_each(|line| json(&line))
    }

    /// The screen, from the answer alone.
    fn text(&self, answer: &Answer<AuditPage>, has_header: bool) -> String {
        let AuditPage { records, head, .. } = &answer.data;
        if records.is_empty() && self.follow {
            return String::new();
        }
        if records.is_empty() {
            let head = head.number;
            return match head {
                0 => "nothing has happened yet: the ledger is not founded (`hale init --keepers a,b,c`)\n".to_owned(),
                _ => format!("nothing since then: the newest record is {head}\n"),
            };
        }
        let clock = self.screen.clock(answer);
        let mut table = Table::new(&["record", "when", "case", "what has become true"]);
        for record in records {
            table.row([
                record.number.to_string(),
                clock.moment(&record.at),
                record.case.map_or_else(|| "-".to_owned(), |case| case.to_string()),
                record.sentence.clone(),
            ]);
        }
        table.text("", has_header)
    }
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.parse().ok().map(Self::Record);
        let moment =
            || moments::from_utc(text).or_else(|| moments::before_now(text)).map(Self::Moment);
        number.or_else(moment).ok_or_else(|| {
            "expected the number of a record, a time ago as `-2h`, or a moment as `2026-11-18T22:05:00Z`".to_owned()
        })
    }
}

/// One record in an envelope of its own.
fn alone(answer: &Answer<AuditPage>, record: &AuditRecord) -> Answer<AuditRecord> {
    Answer {
        schema: AuditRecord::SCHEMA.to_owned(),
        as_of: answer.as_of.clone(),
        age_ms: answer.age_ms,
        fresh: answer.fresh,
        data: record.clone(),
    }
}

fn ask(at: &At, since: u64) -> Result<Answer<AuditPage>, CommandFault> {
    Ok(at.client().ask_and_wait(&format!("/v1/audit?since={since}"))?)
}

fn verify(at: &At) -> Result<(), CommandFault> {
    let client = at.client();
    // Asked first: what it names as its newest must lie in what is read afterwards.
    let status: Answer<Status> = client.ask_and_wait("/v1/status")?;
    let mut chain = Chain::default();
    let mut last = ask(at, 0)?;
    while !chain.take(&last.data).map_err(CommandFault::failed)? {
        last = ask(at, chain.next())?;
    }
    chain.contains(&status.data.ledger.head).map_err(CommandFault::failed)?;
    let verified = Answer {
        schema: AuditVerified::SCHEMA.to_owned(),
        as_of: last.as_of.clone(),
        age_ms: last.age_ms,
        fresh: last.fresh,
        data: chain.verified(),
    };
    if at.json {
        json(&verified)?;
    } else {
        faults::print(&verified_text(&verified.data, &status.data.seen_by))?;
    }
    fresh(&verified)
}

/// What was checked, and what it does not show.
fn verified_text(verified: &AuditVerified, seen_by: &str) -> String {
    let AuditVerified { records, start, head } = verified;
    let from = match start.number {
        0 => "nothing, as the first of a ledger must".to_owned(),
        number => format!(
            "record {number} {}, which fell out of the state: compare it with an export",
            start.digest
        ),
    };
    clean(&format!(
        "the audit as {seen_by} keeps it holds: {records} records read, every digest computed again"
    )) + &format!(
        "\n  the first chains to {from}\n  the last is record {}, digest {}\n",
        head.number, head.digest
    ) + "  the agent names the same one; so must every other agent: run this there, and compare\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_a_record_a_moment_or_a_time_ago() {
        assert_eq!("17".parse(), Ok(Since::Record(17)));
        assert_eq!("1970-01-01T00:00:02Z".parse(), Ok(Since::Moment(2_000)));
        let two_hours = 2 * 60 * 60 * 1_000;
        let Ok(Since::Moment(at)) = "-2h".parse() else {
            panic!("a time ago");
        };
        let now = moments::now_exact();
        assert!((now - two_hours - 60_000..=now - two_hours).contains(&at), "{at} at {now}");
        for wrong in ["yesterday", "-", "--2h", "-2 parsecs", "- 5"] {
            let fault = wrong.parse::<Since>().expect_err(wrong);
            assert!(fault.contains("`-2h`"), "{fault}");
        }
    }
}
