//! How soon after a death is its verdict committed?
//!
//! The clock starts before the order to the kernel and stops when another agent, the leader where it answers, shows the
//! verdict at its admin socket, asked every 20 ms: a figure is too long by one such step and one answer, never too short.
//! The policy of the mesh is the one of a new mesh: it only observes.
//! Not here: healing; how an agent at rest behaves (see `rest`).

use std::collections::BTreeSet;
use std::time::Duration;

use ledger::audit::What;
use tokio::time::{self, Instant};
use vocabulary::{Scope, VerdictKind};

use super::figures::{Aim, Figure, Unit};
use lab::network::Port;
use lab::plan::{KEEPERS_COUNT, Place, Planned};
use lab::{Fleet, LabFault};

/// The resolution of the figure.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A verdict that has not come by then is counted as missed, not as slow.
const VERDICT_WITHIN: Duration = Duration::from_secs(30);

/// Between calm and the next fault: longer than every seat's turn to look (protocol 2.2).
const PAUSE: Duration = Duration::from_secs(5);

/// Added to the pause, times the repetition, so that faults do not fall on one phase of the turns.
const PHASE_STEP_MS: u64 = 373;
const PHASE_MS: u64 = 3_000;

/// What is done to a host from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL to its agent; the host lives.
    Killed,
    /// Every packet from and to it is dropped; its agent lives.
    Silenced,
}

/// Does it so often, to one host after the other, none of them a keeper.
pub async fn measure(
    fleet: &mut Fleet,
    fault: Fault,
    repetitions: u32,
) -> Result<Figure, LabFault> {
    let mut figure = Figure::begun(fault.name(), "host", fleet.count(), Unit::Seconds)
        .aimed(Aim::Median(fault.aim_seconds()));
    for repetition in 0..u64::from(repetitions) {
        fleet.calm().await?;
        let phase = Duration::from_millis(repetition * PHASE_STEP_MS % PHASE_MS);
        time::sleep(PAUSE + phase).await;
        let leader = fleet.calm().await?;
        let subject = fault.subject(fleet, repetition);
        let sample = once(fleet, fault, subject, leader).await;
        // Mended before anything else is said, so that the next one begins on a whole mesh.
        fault.undo(fleet, subject).await?;
        let seconds = sample?.map(|took| took.as_secs_f64());
        match seconds {
            Some(seconds) => eprintln!("bench: {} h{subject}: {seconds:.2} s", fault.name()),
            None => eprintln!("bench: {} h{subject}: no verdict", fault.name()),
        }
        figure.samples.push(seconds);
    }
    Ok(figure.ended())
}

async fn once(
    fleet: &Fleet,
    fault: Fault,
    subject: Place,
    leader: Place,
) -> Result<Option<Duration>, LabFault> {
    let id = Planned(subject).id().map_err(LabFault::of("name a host"))?;
    let awaited = Scope::Host(id);
    let mut above = fleet.audit(leader, u64::MAX).await?.head.number;
    let mut others = BTreeSet::new();
    let began = Instant::now();
    fault.inject(fleet, subject)?;
    while began.elapsed() < VERDICT_WITHIN {
        // Where the leader goes, the next keeper knows.
        let asked = (0..KEEPERS_COUNT).map(|step| (leader + step) % KEEPERS_COUNT);
        let mut page = None;
        for keeper in asked {
            page = fleet.audit(keeper, above).await.ok();
            if page.is_some() {
                break;
            }
        }
        let seen_after = began.elapsed();
        for record in page.iter().flat_map(|page| &page.records) {
            above = above.max(record.number);
            let sealed = record.unseal();
            let sealed =
                sealed.map_err(|why| LabFault::new(&format!("unreadable audit: {why:?}")))?;
            if let What::Verdict { subject, kind, .. } = sealed.what {
                if subject == awaited && kind == fault.verdict() {
                    return Ok(Some(seen_after));
                }
                others.insert(format!("{kind:?} of {subject:?}"));
            }
        }
        time::sleep(LOOK_EVERY).await;
    }
    eprintln!("bench: h{subject}: instead of the verdict: {others:?}");
    Ok(None)
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Self::Killed => "sigkill_to_agent_down",
            Self::Silenced => "silence_to_host_down",
        }
    }

    fn verdict(self) -> VerdictKind {
        match self {
            Self::Killed => VerdictKind::AgentDown,
            Self::Silenced => VerdictKind::HostDown,
        }
    }

    fn aim_seconds(self) -> f64 {
        match self {
            Self::Killed => 2.5,
            Self::Silenced => 4.0,
        }
    }

    /// The two faults walk through the hosts from opposite ends: a host that just fell is held off for a while.
    fn subject(self, fleet: &Fleet, repetition: u64) -> Place {
        let others = fleet.count() - KEEPERS_COUNT;
        let nth = usize::try_from(repetition).unwrap_or(0) % others;
        match self {
            Self::Killed => KEEPERS_COUNT + nth,
            Self::Silenced => fleet.count() - 1 - nth,
        }
    }

    fn inject(self, fleet: &Fleet, subject: Place) -> Result<(), LabFault> {
        match self {
            Self::Killed => fleet.kill(subject),
            Self::Silenced => fleet.set(subject, Port::Silent),
        }
    }

    async fn undo(self, fleet: &mut Fleet, subject: Place) -> Result<(), LabFault> {
        match self {
            Self::Killed => fleet.start_again(subject).await,
            Self::Silenced => fleet.set(subject, Port::Open),
        }
    }
}
