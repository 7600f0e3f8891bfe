//! Act 2: a host freezes and its network with it. `HostDown`, a disruptive remedy, a new life.
//!
//! SIGSTOP alone would be `HostHung`: its kernel would go on accepting connections.

use std::path::Path;

use vocabulary::VerdictKind;

use super::death::not_done;
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
    let name = HOSTS[victim].name;
    let frozen = stage.fleet.process_of(victim).await;
    stage.story.line("Nothing proves that the host lives, and a neighbour in its zone does: the host itself is down.");
    stage.story.say(format!(
        "SIGSTOP, and silence on every link of {name}: nothing answers, and nothing refuses"
    ));
    let fault = Fault::now(before, vec![victim]);
    let links = stage.fleet.links();
    let silenced = links.host_goes(victim).await;
    silenced.map_err(FleetFault::of("silence a host")).map_err(not_done)?;
    stage.fleet.stop(victim).await.map_err(not_done)?;
    healed(stage, act, &fault, VerdictKind::HostDown).await?;
    let now = stage.fleet.process_of(victim).await;
    act.proofs.push(is_another_process(name, frozen, now));
    Ok(())
}

/// The last host without a part in the ledger, so that no host is broken twice.
fn victim(before: &Calm) -> Place {
    let is_plain = |place: &Place| !HOSTS[*place].is_keeper && *place != before.leader;
    (0..HOSTS_COUNT).rfind(is_plain).unwrap_or_default()
}

fn is_another_process(host: &str, frozen: Option<u32>, now: Option<u32>) -> Proof {
    let is_gone = |id: u32| !Path::new(&format!("/proc/{id}")).exists();
    let held = frozen.is_some_and(is_gone) && now.is_some_and(|id| !is_gone(id));
    let told = |id: Option<u32>| id.map_or_else(|| "none".to_owned(), |id| id.to_string());
    Proof::new(
        format!("the frozen process of {host} is gone and another runs in its place"),
        held,
        format!("process {} before, {} now", told(frozen), told(now)),
    )
}
