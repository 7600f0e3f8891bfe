//! How many leases are taken and given back in a second, and how long one takes?
//!
//! A cycle is what hale asks of the ledger: `Offer`, `Accept` under the fence that the offer gave, `Release`: three commands, each
//! answered when it stands on the disks of two of three keepers and is applied. Clients are tasks on the leader's own thread, as its
//! agent is, each on a case of its own.
//! Law BL5: every outcome is looked at; one refusal, or another fence, ends the run as failed.
//! Not here: the same on etcd (see `etcd`).

use std::time::{Duration, Instant};

use ledger::Ledger;
use ledger::command::{Command, Outcome, Proposed};
use replication::LedgerPort;
use vocabulary::{Fence, HostId};

use crate::fault::BenchFault;
use crate::figures::Sample;
use crate::founding::{Matter, by, propose};
use crate::keepers::{Keeper, Keepers};

/// What is measured: how many clients at once.
pub const FIGURE: &str = "cycles";

/// Before the clock starts: connections, caches and the file's first growth.
pub const WARM_UP: Duration = Duration::from_secs(1);

/// One cycle, in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Cycle {
    /// Until the lease was held.
    pub acquired_us: u64,
    /// Until it was given back.
    pub released_us: u64,
}

/// So many clients for so long.
pub async fn measure(
    keepers: &Keepers,
    matters: &[Matter],
    (span, run): (Duration, u64),
) -> Result<Sample, BenchFault> {
    let leader = keepers.leader().await?;
    let width = matters.len();
    let mut sample = Sample::new((FIGURE, &cell(width)), "hale", run);
    let began = Instant::now() + WARM_UP;
    let begin = |matter: &Matter| {
        let (port, me, matter) = (leader.port.clone(), leader.host, *matter);
        leader.handle.spawn(client(port, (me, matter), (began, span)))
    };
    let clients: Vec<_> = matters.iter().map(begin).collect();
    tokio::time::sleep_until(began.into()).await;
    let (disk, index) = (keepers.counts.read(), leader.port.watch().borrow().index());
    tokio::time::sleep_until((began + span).into()).await;
    let disk = keepers.counts.read().since(disk);
    let entries = leader.port.watch().borrow().index().0 - index.0;
    let mut cycles = Vec::new();
    for client in clients {
        cycles.extend(client.await.map_err(BenchFault::of("run a client"))??);
    }
    note(&mut sample, &cycles, span);
    let count = cycles.len().max(1) as f64;
    sample.note("entries_per_cycle", entries as f64 / count);
    sample.note("syncs_per_entry", disk.syncs as f64 / entries.max(1) as f64);
    sample.note("sync_mean_ms", disk.sync_us as f64 / disk.syncs.max(1) as f64 / 1_000.0);
    sample.note("kilobytes_per_entry", disk.bytes as f64 / entries.max(1) as f64 / 1_000.0);
    Ok(sample)
}

/// What both systems are told by.
pub fn note(sample: &mut Sample, cycles: &[Cycle], span: Duration) {
    let acquired: Vec<u64> = cycles.iter().map(|cycle| cycle.acquired_us).collect();
    let released: Vec<u64> = cycles.iter().map(|cycle| cycle.released_us).collect();
    sample.note("per_second", cycles.len() as f64 / span.as_secs_f64());
    sample.note_ranks("cycle", &released);
    sample.note_ranks("acquire", &acquired);
}

/// The cell of so many clients.
pub fn cell(width: usize) -> String {
    format!("{width:02} clients")
}

async fn client(
    port: LedgerPort<Ledger>,
    (leader, matter): (HostId, Matter),
    (began, span): (Instant, Duration),
) -> Result<Vec<Cycle>, BenchFault> {
    let mut cycles = Vec::new();
    loop {
        let at = Instant::now();
        if at >= began + span {
            return Ok(cycles);
        }
        let cycle = cycle(&port, leader, matter).await?;
        // A cycle counts if it lies within the measured span.
        if at >= began && Instant::now() <= began + span {
            cycles.push(cycle);
        }
    }
}

async fn cycle(
    port: &LedgerPort<Ledger>,
    leader: HostId,
    Matter { case, healer }: Matter,
) -> Result<Cycle, BenchFault> {
    let at = Instant::now();
    let offered = ask(port, by(leader, Command::Offer { case, healer })).await?;
    let fence = leased(&offered)?;
    let taken = ask(port, by(healer, Command::Accept { case, fence })).await?;
    if leased(&taken)? != fence {
        return Err(BenchFault::new(format!("under fence {fence} was taken {taken:?}")));
    }
    let acquired_us = micros(at);
    let release = Command::Release { case, fence, why: "measured".into() };
    match ask(port, by(healer, release)).await? {
        Outcome::Done => Ok(Cycle { acquired_us, released_us: micros(at) }),
        other => Err(BenchFault::new(format!("a lease was not given back: {other:?}"))),
    }
}

/// The same for all of these at once, in three entries.
pub async fn together(leader: &Keeper, matters: &[Matter]) -> Result<(), BenchFault> {
    let offer = |Matter { case, healer }: &Matter| {
        by(leader.host, Command::Offer { case: *case, healer: *healer })
    };
    let offered = propose(leader, matters.iter().map(offer).collect()).await?;
    let fences = offered.iter().map(leased).collect::<Result<Vec<Fence>, _>>()?;
    let held = || matters.iter().zip(&fences);
    let accept = |(Matter { case, healer }, fence): (&Matter, &Fence)| {
        by(*healer, Command::Accept { case: *case, fence: *fence })
    };
    propose(leader, held().map(accept).collect())
        .await?
        .iter()
        .try_for_each(|taken| leased(taken).map(drop))?;
    let release = |(Matter { case, healer }, fence): (&Matter, &Fence)| {
        let why = "measured".into();
        by(*healer, Command::Release { case: *case, fence: *fence, why })
    };
    let released = propose(leader, held().map(release).collect()).await?;
    match released.into_iter().find(|outcome| *outcome != Outcome::Done) {
        None => Ok(()),
        Some(other) => Err(BenchFault::new(format!("a lease was not given back: {other:?}"))),
    }
}

async fn ask(port: &LedgerPort<Ledger>, proposed: Proposed) -> Result<Outcome, BenchFault> {
    let answered = port.propose(proposed).await;
    answered.map(|(_, outcome)| outcome).map_err(BenchFault::of("propose a command"))
}

fn leased(outcome: &Outcome) -> Result<Fence, BenchFault> {
    match outcome {
        Outcome::Leased { fence } => Ok(*fence),
        Outcome::Refused(why) => Err(BenchFault::new(format!("a lease was refused: {why}"))),
        other => Err(BenchFault::new(format!("instead of a lease came {other:?}"))),
    }
}

/// Since then.
pub fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
