//! The agent's side of the guard: starts it, tells it what to run, hears its report.
//!
//! Law T1 (see the crate), when it is the guard that dies or is frozen: the guard names the program's group before it starts the
//! program in it, and without a report that group is killed from here. What has left the group is left to its lease.
//! Law T2: no report is an error, which callers read as `Unknown`.
//! Not here: what runs inside the guard (see `guard`).

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::guard::{Charge, OUTPUT_BYTES_MAX, Report, Word, boottime};

/// A report's bound: the output, escaped as JSON at worst six bytes for one, and its frame and the word before it.
const WORDS_BYTES_MAX: u64 = 6 * OUTPUT_BYTES_MAX as u64 + 2_048;

/// A guard ends its group in 1.5 s and waits 1 s for its last output; one that has not reported so long after the end is
/// frozen. Shorter than the shortest margin of a lease (protocol 7.1: 5 s and a tenth of the term).
const REPORT_WITHIN: Duration = Duration::from_secs(4);

/// A guard that has reported, or was killed, is gone at once; longer than this only a kernel holds it.
const GONE_WITHIN: Duration = Duration::from_secs(1);

/// How often the end of a killed group is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Runs a program under the guard (`program guard`) and returns when nothing of it runs any more.
pub async fn run_guarded(program: &Path, charge: &Charge) -> io::Result<Report> {
    let mut guard = Command::new(program)
        .arg("guard")
        // What systemd is told is the agent's to say.
        .env_remove("NOTIFY_SOCKET")
        .env_remove("WATCHDOG_USEC")
        .env_remove("WATCHDOG_PID")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    let left = Duration::from_millis(charge.ends_at_ms).saturating_sub(boottime());
    let mut group = None;
    let heard = timeout(left.saturating_add(REPORT_WITHIN), hear(&mut guard, charge, &mut group));
    let report = match heard.await {
        Ok(report) => report,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "it did not report in time")),
    };
    if report.is_err() {
        // It may be frozen, and must not wake to a group number that is somebody else's by then.
        guard.start_kill().ok();
    }
    // Whoever does not come to wait is reaped by the runtime.
    timeout(GONE_WITHIN, guard.wait()).await.ok();
    if let (Err(_), Some(group)) = (&report, group) {
        timeout(GONE_WITHIN, end_group(group)).await.ok();
    }
    report
}

/// Tells the guard its charge and hears it to its report.
async fn hear(guard: &mut Child, charge: &Charge, group: &mut Option<Pid>) -> io::Result<Report> {
    let broken = || io::Error::new(io::ErrorKind::BrokenPipe, "the guard has no pipe");
    // Held until the report: its closing is what tells the guard that the agent is gone.
    let mut pipe = guard.stdin.take().ok_or_else(broken)?;
    let words = guard.stdout.take().ok_or_else(broken)?;
    let mut line = serde_json::to_vec(charge)?;
    line.push(b'\n');
    pipe.write_all(&line).await?;
    let mut words = BufReader::new(words.take(WORDS_BYTES_MAX)).lines();
    while let Some(word) = words.next_line().await? {
        match serde_json::from_str(&word)? {
            Word::Begun { group: number } => *group = Pid::from_raw(number),
            Word::Ended(report) => return Ok(report),
        }
    }
    Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ended without a report"))
}

/// Kills a group whose guard is dead: one signal reaches all of it, forks that are under way too.
async fn end_group(group: Pid) {
    rustix::process::kill_process_group(group, Signal::KILL).ok();
    while rustix::process::test_kill_process_group(group).is_ok() {
        sleep(LOOK_EVERY).await;
    }
}
