//! `hale audit`, `hale audit verify`, `hale audit export`: the history, whether it holds, and a copy of it that can be judged later.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use clap::{Args, Subcommand};
use vocabulary::HostName;

use super::asking::{At, Screen, fresh, json};
use super::exit::CommandFault;
use super::faults;
use super::table::{Table, clean};
use crate::admin::answer::{
    Answer, AuditPage, AuditRecord, AuditSeal, AuditVerified, Body, Status,
};
use crate::admin::chain::Chain;
use crate::admin::exported;
use crate::admin::vouched::Judge;
use crate::identity::certificate::RingVerifier;
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
        /// Judge this export in place of the agent's audit; no agent is asked.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// With --file: the agent is asked as well, and its audit must hold the file's last record.
        #[arg(long, requires = "file")]
        compare: bool,
        /// The certificate of the cluster's authority (`authority.pem`): a seal of most voters must stand on what is read, each signed under it.
        #[arg(long, value_name = "PEM")]
        authority: Option<PathBuf>,
        /// With --authority: the hosts that voted as of the newest seal (`hale keeper list` shows those of today); without it whoever has one
        /// keeper's key can make up a history with voters of its own.
        #[arg(long, value_name = "HOST,HOST,..", value_delimiter = ',', requires = "authority", value_parser = HostName::new)]
        voters: Vec<HostName>,
        /// Where.
        #[command(flatten)]
        at: At,
    },
    /// Print every record that the agent keeps, verified as it is read: what falls out of the ledger's state in time is kept in such
    /// files, and `hale audit verify --file` judges them.
    Export {
        /// One JSON object a line, hale.audit.record/1, and a last one, hale.audit.verified/1: the only form, named so that a script
        /// says what it expects.
        #[arg(long)]
        jsonl: bool,
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
        Some(AuditVerb::Verify { file, compare, authority, voters, at }) => {
            let own = Own::read(authority.as_deref(), voters)?;
            match file {
                None => verify(at, &own),
                Some(file) => verify_file(file, *compare, (at, &own)),
            }
        }
        Some(AuditVerb::Export { at, .. }) => export(at),
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

/// What whoever asks knows beforehand.
#[derive(Default)]
struct Own {
    /// The authorities to trust, as PEM.
    authority: Option<String>,
    voters: Vec<HostName>,
}

impl Own {
    fn read(file: Option<&Path>, voters: &[HostName]) -> Result<Self, CommandFault> {
        let read = |file: &Path| {
            let told = |why| CommandFault::failed(format!("{}: {why}", file.display()));
            fs::read_to_string(file).map_err(told)
        };
        Ok(Self { authority: file.map(read).transpose()?, voters: voters.to_vec() })
    }

    fn judge(&self) -> Judge<'_> {
        Judge { verifier: &RingVerifier, own: self.authority.as_deref(), voters: &self.voters }
    }
}

fn verify(at: &At, own: &Own) -> Result<(), CommandFault> {
    let (verified, seen_by) = read_all(at, own, |_| Ok(()))?;
    if at.json {
        json(&verified)?;
    } else {
        let read = format!("the audit as {seen_by} keeps it");
        faults::print(&verified_text(&verified.data, (&read, AGREED), own))?;
    }
    fresh(&verified)
}

fn export(at: &At) -> Result<(), CommandFault> {
    let print = |page: &Answer<AuditPage>| {
        page.data.records.iter().try_for_each(|record| json(&alone(page, record)))
    };
    let (verified, _) = read_all(at, &Own::default(), print)?;
    json(&verified)?;
    fresh(&verified)
}

/// Reads and judges every page; each is handed on once it holds. The agent's name comes with what was read.
fn read_all(
    at: &At,
    own: &Own,
    mut take: impl FnMut(&Answer<AuditPage>) -> Result<(), CommandFault>,
) -> Result<(Answer<AuditVerified>, String), CommandFault> {
    // Asked first: what it names as its newest must lie in what is read afterwards.
    let status: Answer<Status> = at.client().ask_and_wait("/v1/status")?;
    let mut chain = Chain::default();
    let mut last = ask(at, 0)?;
    loop {
        let is_last = chain.take(&last.data).map_err(CommandFault::failed)?;
        take(&last)?;
        if is_last {
            break;
        }
        last = ask(at, chain.next())?;
    }
    chain.contains(&status.data.ledger.head).map_err(CommandFault::failed)?;
    let verified = Answer {
        schema: AuditVerified::SCHEMA.to_owned(),
        as_of: last.as_of.clone(),
        age_ms: last.age_ms,
        fresh: last.fresh,
        data: chain.verified(own.judge()).map_err(CommandFault::failed)?,
    };
    Ok((verified, status.data.seen_by))
}

/// Judges an export; asks an agent only to compare.
fn verify_file(file: &Path, is_compared: bool, (at, own): (&At, &Own)) -> Result<(), CommandFault> {
    let told =
        |why: &dyn std::fmt::Display| CommandFault::failed(format!("{}: {why}", file.display()));
    let length = fs::metadata(file).map_err(|why| told(&why))?.len();
    if length > exported::BYTES_MAX {
        let most = exported::BYTES_MAX;
        return Err(told(&format!("{length} bytes are more than any export has, {most} at most")));
    }
    let text = fs::read_to_string(file).map_err(|why| told(&why))?;
    let verified = exported::judge(&text, own.judge()).map_err(|why| told(&why))?;
    let compared = if is_compared { Some(hold(&verified, (at, own))?) } else { None };
    if at.json {
        let now = moments::utc_exact(moments::now_exact());
        let (schema, data) = (AuditVerified::SCHEMA.to_owned(), verified);
        json(&Answer { schema, as_of: now, age_ms: 0, fresh: true, data })?;
    } else {
        let rest = compared.as_ref().map_or_else(|| ALONE.to_owned(), |(_, by)| held_by(by));
        let read = format!("the export {}", file.display());
        faults::print(&verified_text(&verified, (&read, &rest), own))?;
    }
    compared.map_or(Ok(()), |(kept, _)| fresh(&kept))
}

/// What an export alone leaves open.
const ALONE: &str =
    "whether later records were left out, only another copy tells: `--compare` asks an agent";

fn held_by(agent: &str) -> String {
    format!("the audit that {agent} keeps holds that record; so must every other agent's")
}

/// The agent's own audit, which must hold the last record of the export; of two that have no record in common nothing can be said.
fn hold(
    verified: &AuditVerified,
    (at, own): (&At, &Own),
) -> Result<(Answer<AuditVerified>, String), CommandFault> {
    let (wanted, mut found) = (&verified.head, None);
    let note = |page: &Answer<AuditPage>| {
        let start =
            Some(page.data.checkpoint.clone()).filter(|start| start.number == wanted.number);
        let of_page = page.data.records.iter().find(|record| record.number == wanted.number);
        let digest = of_page.map(|record| record.digest.clone());
        found = found.take().or(digest).or(start.map(|start| start.digest));
        Ok(())
    };
    let (kept, seen_by) = read_all(at, own, note)?;
    let (number, start, head) = (wanted.number, kept.data.start.number, kept.data.head.number);
    match found {
        Some(digest) if digest == wanted.digest => Ok((kept, seen_by)),
        Some(digest) => Err(CommandFault::failed(format!(
            "the export ends with record {number} {}, and the audit that {seen_by} keeps has {digest} there: one of them is false",
            wanted.digest
        ))),
        None => Err(CommandFault::failed(format!(
            "the export ends with record {number}, and {seen_by} keeps those from {start} to {head}: they cannot be compared"
        ))),
    }
}

/// What an agent's own audit still leaves open.
const AGREED: &str =
    "the agent names the same one; so must every other agent: run this there, and compare";

/// What was checked, and what it does not show.
fn verified_text(verified: &AuditVerified, (read, rest): (&str, &str), own: &Own) -> String {
    let AuditVerified { records, start, head, .. } = verified;
    let from = match start.number {
        0 => "nothing, as the first of a ledger must".to_owned(),
        number => format!(
            "record {number} {}, behind which all that is older fell out of the state, it says: compare it with an export",
            start.digest
        ),
    };
    clean(&format!("{read} holds: {records} records read, every digest computed again"))
        + &format!(
            "\n  the first chains to {from}\n  the last is record {}, digest {}\n  {}\n  {}\n",
            head.number,
            head.digest,
            sealed_text(verified, own),
            clean(rest)
        )
}

/// Who vouches for it, and how far that goes, a line each.
fn sealed_text(verified: &AuditVerified, own: &Own) -> String {
    let AuditVerified { seal, start, unsealed, authorities, .. } = verified;
    let Some(AuditSeal { place, voters, signed_by, .. }) = seal else {
        return "no seal stands on what was read: voters seal what is ten minutes old, under rules 2".to_owned();
    };
    let (count, names) = (signed_by.len(), signed_by.join(" "));
    let whose = match own.authority {
        Some(_) => "under the authority that you named".to_owned(),
        None => format!(
            "under an authority that the seal names itself, SHA-256 {}; `--authority authority.pem` judges by your own",
            authorities.join(" ")
        ),
    };
    let voted = match (own.voters.is_empty(), start.number) {
        (false, _) => "these are the voters that you named",
        (true, 0) => "by this audit's own founding and changes these are all that voted",
        (true, _) => {
            "that these are all that voted the seal says itself; `--voters` names those that you know"
        }
    };
    let rest = match unsealed {
        0 => "no record stands behind it".to_owned(),
        1 => "for the last record nobody vouches yet".to_owned(),
        rest => format!("for the last {rest} records nobody vouches yet"),
    };
    let sealed =
        format!("it is sealed up to record {} by {count} of {voters}: {names}", place.number);
    [sealed, whose, voted.to_owned(), rest].map(|line| clean(&line)).join("\n    ")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::admin::answer::Place;

    #[test]
    fn what_was_verified_says_who_vouches_for_it() {
        let place = |number: u64| Place { number, digest: format!("{number:02}c0ffee") };
        let seal = AuditSeal {
            place: place(38),
            voters: 3,
            signed_by: ["k1", "k2"].map(String::from).to_vec(),
            sealed: String::new(),
        };
        let whole = AuditVerified {
            records: 41,
            start: place(0),
            head: place(41),
            seal: Some(seal),
            unsealed: 3,
            by_own_authority: false,
            authorities: vec!["ab12".to_owned()],
        };
        let text = |verified: &AuditVerified, own: Option<&str>| {
            let own = Own { authority: own.map(String::from), ..Own::default() };
            verified_text(verified, ("the audit as k1 keeps it", AGREED), &own)
        };
        expect![[r#"
            the audit as k1 keeps it holds: 41 records read, every digest computed again
              the first chains to nothing, as the first of a ledger must
              the last is record 41, digest 41c0ffee
              it is sealed up to record 38 by 2 of 3: k1 k2
                under an authority that the seal names itself, SHA-256 ab12; `--authority authority.pem` judges by your own
                by this audit's own founding and changes these are all that voted
                for the last 3 records nobody vouches yet
              the agent names the same one; so must every other agent: run this there, and compare
        "#]].assert_eq(&text(&whole, None));
        expect![[r#"
            the audit as k1 keeps it holds: 41 records read, every digest computed again
              the first chains to nothing, as the first of a ledger must
              the last is record 41, digest 41c0ffee
              it is sealed up to record 38 by 2 of 3: k1 k2
                under the authority that you named
                by this audit's own founding and changes these are all that voted
                for the last 3 records nobody vouches yet
              the agent names the same one; so must every other agent: run this there, and compare
        "#]]
        .assert_eq(&text(&whole, Some("pem")));
        expect![[r#"
            the audit as k1 keeps it holds: 41 records read, every digest computed again
              the first chains to nothing, as the first of a ledger must
              the last is record 41, digest 41c0ffee
              no seal stands on what was read: voters seal what is ten minutes old, under rules 2
              the agent names the same one; so must every other agent: run this there, and compare
        "#]]
        .assert_eq(&text(&AuditVerified { seal: None, ..whole }, None));
    }

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
