//! The recording target: what a remedy's command and its inspection are.
//!
//! `hale-test-chaos remedy` runs under the healer's guard. It writes its begin into the journal of the host (law J1 of `journal`), asks the desk to
//! power the machine off and on, waits, writes its end, and says so to the desk. It compares no fence and no remedy: whatever comes is written
//! down. `hale-test-chaos inspect` reads that journal: done (0) with an end, not done (1) where the begin is broken off or missing, else not known (2).
//! Not here: what powers machines (see `desk`).

use std::env;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::journal::{self, Entry, Seen};

/// What the desk is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The begin, as it stands in the journal.
    pub begin: Entry,
    /// The process that asks: its guard is its parent, and the healer's agent the guard's.
    pub process: u32,
}

/// What the desk says when the machine is on again.
pub const DONE: &str = "done";

/// What the target says when its end is written down.
pub const NOTED: &str = "noted";

/// The body of `remedy`.
pub fn remedy(desk: &Path, journals: &Path) -> ExitCode {
    match carried_out(desk, journals) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            println!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn carried_out(desk: &Path, journals: &Path) -> io::Result<()> {
    let begin = begin()?;
    journal::append(journals, &begin)?;
    let mut stream = UnixStream::connect(desk)?;
    let ask = Ask { begin: begin.clone(), process: std::process::id() };
    let mut line = serde_json::to_vec(&ask)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut said = String::new();
    BufReader::new(stream.try_clone()?).read_line(&mut said)?;
    if said.trim() != DONE {
        return Err(io::Error::other(format!("the desk says {said:?}")));
    }
    journal::append(journals, &begin.now(Seen::End))?;
    writeln!(stream, "{NOTED}")
}

/// The body of `inspect`.
pub fn inspect(journals: &Path) -> ExitCode {
    let found = begin().and_then(|asked| {
        let entries = journal::read(journals, &asked.host)?;
        let seen = |seen: Seen| {
            entries.iter().any(|entry| entry.remedy == asked.remedy && entry.seen == seen)
        };
        Ok((seen(Seen::Begin), seen(Seen::End), seen(Seen::Broken)))
    });
    match found {
        Ok((_, true, _)) => ExitCode::SUCCESS,
        Ok((false, _, _) | (_, _, true)) => ExitCode::from(1),
        Ok((true, false, false)) | Err(_) => ExitCode::from(2),
    }
}

/// What the environment tells a remedy.
fn begin() -> io::Result<Entry> {
    let named =
        |name: &str| env::var(name).map_err(|why| io::Error::other(format!("{name}: {why}")));
    let number =
        |name: &str| named(name)?.parse().map_err(|why| io::Error::other(format!("{name}: {why}")));
    Ok(Entry {
        seen: Seen::Begin,
        host: named("HALE_SUBJECT")?,
        case: number("HALE_CASE")?,
        remedy: number("HALE_REMEDY_ID")?,
        fence: number("HALE_FENCE")?,
        mono_ms: journal::mono_ms(),
    })
}
