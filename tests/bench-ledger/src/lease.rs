//! How long from a verdict to the lease, among real agents in calm, with a rule that waits for nothing?
//!
//! Agents are killed one after the other. The clock is the leader's own: the audit notes, in milliseconds, when it began to write the entry
//! of the verdict and that of the healer's acceptance; both entries take their way to the disks after that, so that the one cancels the
//! other. Each host is started again at once, before anything is done about it.
//! Not here: how soon the verdict comes (see `tests/bench`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use lab::plan::KEEPERS_COUNT;
use lab::{Fleet, LabFault};
use ledger::audit::{Record, What};
use tokio::process::Command;
use tokio::time::{self, Instant};
use vocabulary::{CaseId, Scope};

use crate::fault::BenchFault;
use crate::figures::Sample;
use crate::founding::POLICY;

/// What is measured: from a committed verdict to an accepted lease.
pub const FIGURE: &str = "verdict to lease";

/// Verdict and lease, on a busy machine.
const LEASED_WITHIN: Duration = Duration::from_secs(60);

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Between calm and the next death: every seat has had its turn.
const PAUSE: Duration = Duration::from_secs(5);

/// Kills so many agents of so many hosts, one after the other.
pub async fn measure(
    program: &Path,
    (hosts, repetitions): (usize, usize),
) -> Result<Sample, BenchFault> {
    let mut sample = Sample::new((FIGURE, &format!("{hosts} hosts")), "hale", 1);
    let raised = Fleet::raise("lease", hosts, program).await;
    let mut fleet = raised.map_err(BenchFault::of("raise a mesh"))?;
    match all(&mut fleet, program, repetitions).await {
        Ok(took) => {
            let micros: Vec<u64> = took.iter().map(|ms| ms * 1_000).collect();
            sample.note("count", took.len() as f64);
            sample.note_ranks("lease", &micros);
            fleet.end().await.map_err(BenchFault::of("end a mesh"))?;
            Ok(sample)
        }
        Err(fault) => Err(BenchFault::new(fleet.kept(fault).to_string())),
    }
}

async fn all(fleet: &mut Fleet, program: &Path, repetitions: usize) -> Result<Vec<u64>, LabFault> {
    set_policy(fleet, program).await?;
    let mut took = Vec::new();
    for nth in 0..repetitions {
        fleet.calm().await?;
        time::sleep(PAUSE).await;
        let leader = fleet.calm().await?;
        // One after the other: whoever falls again within ten minutes is held off (protocol 3.8).
        let subject = KEEPERS_COUNT + nth % (fleet.count() - KEEPERS_COUNT);
        let id = lab::plan::Planned(subject).id().map_err(LabFault::of("name a host"))?;
        let above = fleet.audit(leader, u64::MAX).await?.head.number;
        fleet.kill(subject)?;
        let milliseconds = leased(fleet, (leader, above), &Scope::Host(id)).await;
        fleet.start_again(subject).await?;
        let milliseconds = milliseconds?;
        eprintln!("bench-ledger: h{subject}: {milliseconds} ms from verdict to lease");
        took.push(milliseconds);
    }
    Ok(took)
}

async fn set_policy(fleet: &Fleet, program: &Path) -> Result<(), LabFault> {
    let file: PathBuf = fleet.folder().join("policy.toml");
    std::fs::write(&file, POLICY).map_err(LabFault::of("write a policy"))?;
    let mut hale = Command::new(program);
    hale.args(["policy", "apply", "--why", "a measurement"]).arg(&file);
    hale.arg("--socket").arg(fleet.files(0).socket());
    let done = hale.output().await.map_err(LabFault::of("set a policy"))?;
    if done.status.success() {
        return Ok(());
    }
    Err(LabFault::new(&format!(
        "the policy was not set: {}",
        String::from_utf8_lossy(&done.stderr).trim()
    )))
}

/// Between the two entries, by the leader's wall clock.
async fn leased(
    fleet: &Fleet,
    (leader, mut above): (usize, u64),
    awaited: &Scope,
) -> Result<u64, LabFault> {
    let until = Instant::now() + LEASED_WITHIN;
    let mut verdict: Option<(CaseId, u64)> = None;
    while Instant::now() < until {
        let page = fleet.audit(leader, above).await?;
        for record in &page.records {
            above = above.max(record.number);
            let sealed: Result<Record, _> = record.unseal();
            let record =
                sealed.map_err(|why| LabFault::new(&format!("unreadable audit: {why:?}")))?;
            match (record.what, verdict) {
                (What::Verdict { case, subject, .. }, None) if subject == *awaited => {
                    verdict = Some((case, record.wall.0));
                }
                (What::Accepted { case, .. }, Some((opened, at))) if case == opened => {
                    return Ok(record.wall.0.saturating_sub(at));
                }
                _ => {}
            }
        }
        time::sleep(LOOK_EVERY).await;
    }
    let within = LEASED_WITHIN.as_secs();
    Err(LabFault::new(&format!("no lease within {within} s; the verdict: {verdict:?}")))
}
