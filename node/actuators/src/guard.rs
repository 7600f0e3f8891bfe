//! The guard: a process of its own between the agent and a remedy's program, so that the remedy cannot outlive its leave
//! even when the agent is killed or frozen (protocol 7.5).
//!
//! The agent starts `hale guard`, writes one [`Charge`] as a line of JSON to its standard input and holds that pipe open. The guard
//! starts the program in a process group apart and adopts all it leaves behind (`PR_SET_CHILD_SUBREAPER`). It ends the whole group when the time is
//! over or when the pipe closes, which is what the agent's death looks like; then it writes one [`Report`] and exits. What it says are [`Word`]s, each
//! a line: which group it is comes before anything runs in it, so that the agent can end it if the guard itself dies (see `guarded`).
//! For that the group has an anchor: another guard, which waits for a charge that never comes and ends with this one.
//!
//! Law T1 (see the crate): nothing of the remedy runs when the guard has exited, and nothing of it begins once its time is over.
//! Not here: time by any clock that stops while the machine sleeps: the guard counts on CLOCK_BOOTTIME.

use std::io::{self, BufRead, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// The most that is kept of what a program prints: the end of it, which says why it failed.
pub const OUTPUT_BYTES_MAX: usize = 16 * 1024;

/// Between SIGTERM and SIGKILL: short, since the lease's margin has begun.
const TERM_GRACE: Duration = Duration::from_millis(500);

/// How often the guard looks at the clock while it waits: BOOTTIME may jump over a sleep that a timer does not see.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// When every holder of the program's streams is dead their ends come at once; one that could not be killed, or that has
/// hidden from its guard, must not hold the report back.
const OUTPUT_WITHIN: Duration = Duration::from_secs(1);

/// A group of processes that does not die within so many rounds of SIGKILL is stuck in the kernel; nothing more can be done.
const KILL_ROUNDS_MAX: u32 = 100;

/// What the guard is to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Added to an otherwise almost empty environment.
    pub environment: Vec<(String, String)>,
    /// It is ended at this moment of CLOCK_BOOTTIME, and not begun after it: an agent or a guard that was frozen on the way
    /// here finds less time left, never the same again.
    pub ends_at_ms: u64,
}

/// What the guard says, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word {
    /// Whatever runs from now on is in this process group.
    Begun {
        /// The group's number.
        group: i32,
    },
    /// Nothing of it runs any more.
    Ended(Report),
}

/// What the guard saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// How it ended.
    pub end: End,
    /// The end of what it printed, both streams, at most [`OUTPUT_BYTES_MAX`], as text.
    pub output: String,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// It could not be started; nothing has run.
    NotStarted(String),
    /// By itself, with this code.
    Exited(i32),
    /// By a signal that was not ours.
    Signalled(i32),
    /// The guard ended it: its time was over.
    TimeOver,
    /// The guard ended it: the agent was gone.
    AgentGone,
}

enum Seen {
    Exited(io::Result<ExitStatus>),
    PipeClosed,
}

/// The body of `hale guard`: reads a charge from standard input, reports on standard output. Returns only when nothing of
/// the remedy runs any more.
pub fn run() -> io::Result<()> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let charge: Charge = serde_json::from_str(&line)?;
    let report = see_through(&charge)?;
    say(&Word::Ended(report));
    Ok(())
}

/// The agent may be gone; then nobody reads, and that is no failure.
fn say(word: &Word) {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, word).ok();
    out.write_all(b"\n").and_then(|()| out.flush()).ok();
}

fn see_through(charge: &Charge) -> io::Result<Report> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let deadline = Duration::from_millis(charge.ends_at_ms);
    let not_started = |why| Ok(Report { end: End::NotStarted(why), output: String::new() });
    // protocol 7.1, law T1: asked as late as can be.
    if boottime() >= deadline {
        return not_started(String::from("its time was over before it began"));
    }
    // Its pipe is held to the end of this process, whatever ends it.
    let anchor = match anchor() {
        Ok(anchor) => anchor,
        Err(error) => return not_started(format!("no group for it: {error}")),
    };
    let group = Pid::from_child(&anchor);
    say(&Word::Begun { group: group.as_raw_nonzero().get() });
    let mut child = match start(charge, group) {
        Ok(child) => child,
        Err(error) => {
            end_group(group);
            return not_started(error.to_string());
        }
    };
    let output = collect_output(&mut child);
    let (sender, seen) = mpsc::channel();
    watch_pipe(sender.clone());
    watch_child(child, sender);
    let end = wait(&seen, deadline);
    end_group(group);
    let output = output.recv_timeout(OUTPUT_WITHIN).unwrap_or_default();
    Ok(Report { end, output: String::from_utf8_lossy(&output).into_owned() })
}

/// A process group that is there before the program is, and whose number stays its own until the guard has emptied it.
fn anchor() -> io::Result<Child> {
    Command::new("/proc/self/exe")
        .arg("guard")
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

fn start(charge: &Charge, group: Pid) -> io::Result<Child> {
    let (program, arguments) = charge
        .argv
        .split_first()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no program is named"))?;
    Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LANG", "C.UTF-8")
        .envs(charge.environment.iter().map(|(key, value)| (key, value)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(group.as_raw_nonzero().get())
        .spawn()
}

/// Reads both streams to their ends and keeps the last [`OUTPUT_BYTES_MAX`] bytes.
fn collect_output(child: &mut Child) -> Receiver<Vec<u8>> {
    let (sender, kept) = mpsc::channel();
    let (chunks, pieces) = mpsc::sync_channel::<Vec<u8>>(16);
    let streams: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|stream| Box::new(stream) as _),
        child.stderr.take().map(|stream| Box::new(stream) as _),
    ];
    for mut stream in streams.into_iter().flatten() {
        let chunks = chunks.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                if chunks.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
    }
    drop(chunks);
    thread::spawn(move || {
        let mut tail = Vec::new();
        while let Ok(piece) = pieces.recv() {
            tail.extend_from_slice(&piece);
            let excess = tail.len().saturating_sub(OUTPUT_BYTES_MAX);
            tail.drain(..excess);
        }
        // The receiver waits for this; if it is gone, so is the guard.
        sender.send(tail).ok();
    });
    kept
}

/// The agent holds the other end and never writes again: whatever comes, the end of the pipe is the agent's end.
fn watch_pipe(sender: Sender<Seen>) {
    thread::spawn(move || {
        let mut buffer = [0; 64];
        while let Ok(1..) = io::stdin().lock().read(&mut buffer) {}
        sender.send(Seen::PipeClosed).ok();
    });
}

fn watch_child(mut child: Child, sender: Sender<Seen>) {
    thread::spawn(move || sender.send(Seen::Exited(child.wait())).ok());
}

fn wait(seen: &Receiver<Seen>, deadline: Duration) -> End {
    loop {
        match seen.recv_timeout(LOOK_EVERY) {
            Ok(Seen::PipeClosed) => return End::AgentGone,
            Ok(Seen::Exited(Ok(status))) => {
                return match (status.code(), status.signal()) {
                    (Some(code), _) => End::Exited(code),
                    (None, signal) => End::Signalled(signal.unwrap_or_default()),
                };
            }
            Ok(Seen::Exited(Err(_))) | Err(RecvTimeoutError::Disconnected) => {
                return End::Signalled(0);
            }
            Err(RecvTimeoutError::Timeout) if boottime() >= deadline => return End::TimeOver,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// SIGTERM, a grace, SIGKILL to the group; then SIGKILL to everything that has been left to us, until nothing is.
fn end_group(group: Pid) {
    if rustix::process::kill_process_group(group, Signal::TERM).is_ok() {
        let until = boottime().saturating_add(TERM_GRACE);
        while boottime() < until && rustix::process::test_kill_process_group(group).is_ok() {
            reap();
            thread::sleep(Duration::from_millis(10));
        }
    }
    for _ in 0..KILL_ROUNDS_MAX {
        // Fails when the group is empty, which is what we want.
        rustix::process::kill_process_group(group, Signal::KILL).ok();
        let left = adopted();
        for pid in &left {
            rustix::process::kill_process(*pid, Signal::KILL).ok();
        }
        reap();
        if left.is_empty() && rustix::process::test_kill_process_group(group).is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn reap() {
    while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
}

/// All children of the guard: as subreaper it is given every orphan of the remedy.
fn adopted() -> Vec<Pid> {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|pid| pid.parse().ok().and_then(Pid::from_raw))
        .collect()
}

/// CLOCK_BOOTTIME, which goes on while the machine sleeps.
pub(crate) fn boottime() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(now.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanoseconds)
}
