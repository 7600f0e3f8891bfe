//! The guard as a process: law T1 of `actuators`, against the very binary that the agent starts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use actuators::guard::{Charge, End};
use actuators::guarded::run_guarded;
use actuators::{Actuator, CommandActuator};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};
use rustix::time::{ClockId, clock_gettime};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::time::timeout;
use vocabulary::actuation::{CommandRemedy, RemedyOrder};
use vocabulary::{
    CaseId, Fence, HostId, HostName, Moment, Receipt, ReceiptKind, RemedyClass, RemedyId, Span,
    VerdictKind,
};

const HALE: &str = env!("CARGO_BIN_EXE_hale");

/// Longer than any test runs.
const LONG_MS: u64 = 600_000;

/// A shell's errand, and the moment of CLOCK_BOOTTIME at which it must be over.
fn charge(script: &str, ends_at_ms: u64) -> Charge {
    Charge {
        argv: ["/bin/sh", "-c", script].map(String::from).to_vec(),
        environment: Vec::new(),
        ends_at_ms,
    }
}

fn now_ms() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    u64::try_from(now.tv_sec * 1_000 + now.tv_nsec / 1_000_000).expect("a clock that has begun")
}

#[tokio::test]
async fn law_t1_a_charge_whose_end_has_passed_begins_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("begun");
    let script = format!("echo > {}", trace.display());
    // The agent was frozen between the order and the guard's reading of it.
    let report = run_guarded(Path::new(HALE), &charge(&script, now_ms())).await.expect("a report");
    let End::NotStarted(why) = report.end else {
        panic!("it was begun: {report:?}");
    };
    assert_eq!(why, "its time was over before it began");
    assert!(!trace.exists());

    let report = run_guarded(Path::new(HALE), &charge(&script, now_ms() + LONG_MS)).await;
    assert_eq!(report.expect("a report").end, End::Exited(0), "in time it is begun");
    assert!(trace.exists());
}

/// A remedy that runs for ever, and the pipe that it and all its children hold open.
struct Endless {
    _folder: tempfile::TempDir,
    pipe: pipe::Receiver,
    order: RemedyOrder,
}

impl Endless {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("held");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a named pipe");
        let pipe = pipe::OpenOptions::new().open_receiver(&path).expect("it opens");
        let script = format!("exec 3>{}; echo $PPID >&3; sleep 600", path.display());
        let limit = Span::milliseconds(LONG_MS);
        let order = RemedyOrder {
            case: CaseId(1),
            subject: HostId([1; 16]),
            subject_name: HostName::new("b2").expect("a name"),
            verdict: VerdictKind::AgentDown,
            fence: Fence(1),
            remedy: RemedyId(1),
            command: CommandRemedy {
                argv: ["/bin/sh", "-c", &script].map(String::from).to_vec(),
                inspect: None,
                class: RemedyClass::Gentle,
                time_limit: limit,
            },
            at_most: limit,
        };
        Self { _folder: folder, pipe, order }
    }

    /// The guard that has begun it.
    async fn guard(&mut self) -> Pid {
        let mut line = String::new();
        while !line.ends_with('\n') {
            self.pipe.readable().await.expect("the pipe is whole");
            let mut byte = [0];
            // Nobody has opened it yet, or the line is not there yet.
            if let Ok(1) = self.pipe.try_read(&mut byte) {
                line.push(char::from(byte[0]));
            }
            tokio::task::yield_now().await;
        }
        Pid::from_raw(line.trim().parse().expect("a number")).expect("not zero")
    }

    /// The pipe ends when the last process of the remedy does.
    async fn ends(mut self) -> bool {
        let mut rest = Vec::new();
        timeout(Duration::from_secs(10), self.pipe.read_to_end(&mut rest)).await.is_ok()
    }
}

/// Applies an endless remedy and does this to its guard.
async fn apply(endless: &mut Endless, then: impl FnOnce(Pid)) -> Receipt {
    let order = endless.order.clone();
    let applied = tokio::spawn(async move {
        let actuator = CommandActuator::new(PathBuf::from(HALE));
        actuator.apply(&order, Moment::from_milliseconds(now_ms())).await
    });
    then(endless.guard().await);
    applied.await.expect("it ends")
}

#[tokio::test]
async fn law_t1_a_guard_that_is_killed_takes_its_remedy_along_and_nobody_knows_its_end() {
    let mut endless = Endless::new();
    let receipt = apply(&mut endless, |guard| {
        kill_process(guard, Signal::KILL).expect("killed");
    })
    .await;
    assert_eq!(receipt.kind, ReceiptKind::Unknown, "law T2: {}", receipt.detail);
    assert!(endless.ends().await, "it runs on without a guard");
}

#[tokio::test]
async fn law_t1_a_guard_that_is_frozen_past_the_end_does_not_keep_its_remedy_alive() {
    let mut endless = Endless::new();
    let receipt = apply(&mut endless, |guard| {
        kill_process(guard, Signal::STOP).expect("frozen");
        // Nothing happens any more, so this clock leaps to the end of whatever is waited for.
        tokio::time::pause();
    })
    .await;
    tokio::time::resume();
    assert_eq!(receipt.kind, ReceiptKind::Unknown, "law T2: {}", receipt.detail);
    assert!(endless.ends().await, "it runs on past its end");
}
