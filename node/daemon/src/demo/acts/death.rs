//! Act 1: an agent is killed, its host lives. `AgentDown`, a gentle remedy, a new life.

use vocabulary::VerdictKind;

use super::{Act, CALM_WITHIN, Fault, healed};
use crate::demo::fleet::FleetFault;
use crate::demo::plan::{HOSTS, HOSTS_COUNT, Place};
use crate::demo::proofs::Proof;
use crate::demo::stage::{Calm, Stage};

/// Plays it.
pub async fn play(stage: &mut Stage, act: &mut Act) -> Result<(), Proof> {
    let before = stage.calm(CALM_WITHIN).await?;
    let victim = victim(&before);
    stage.witness = before.leader;
    stage.story.line("Only the agent is dead: connections to it are refused, and who refuses lives. A gentle remedy may do.");
    stage.story.say(format!(
        "SIGKILL: the agent of {} dies; its host lives on and refuses connections",
        HOSTS[victim].name
    ));
    let fault = Fault::now(before, vec![victim]);
    stage.fleet.kill(victim).await.map_err(not_done)?;
    healed(stage, act, &fault, VerdictKind::AgentDown).await
}

/// A host without a part in the ledger; the surge kills a keeper as well.
fn victim(before: &Calm) -> Place {
    let is_plain = |place: &Place| !HOSTS[*place].is_keeper && *place != before.leader;
    (0..HOSTS_COUNT).find(is_plain).unwrap_or_default()
}

/// A fault that could not even be made.
pub(super) fn not_done(fault: FleetFault) -> Proof {
    Proof::overdue("the demo can do to its hosts what it says", fault.to_string())
}
