//! The guard as a process: law T1 of `actuators`, against the very binary that the agent starts.

use std::path::Path;

use actuators::command::run_guarded;
use actuators::guard::{Charge, End};
use rustix::time::{ClockId, clock_gettime};

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
