//! What is left for the judge when all is calm: journals, audits, the hosts as they are.
//!
//! Law T1 (see `cluster::mesh`): audits are exported by the binary itself, `hale audit export --jsonl`, at every keeper, and kept as they came.
//! Not here: what it all means (see `judge`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use daemon::admin::answer::{Answer, Body, Status};
use daemon::admin::client::Client;
use lab::LabFault;
use lab::plan::{Place, Planned};
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::journal;
use crate::judge::{Clock, Host, Order, Picture, Record, read_export};
use crate::operator::LIMITS;
use crate::world::World;

/// An agent that is busy answers within this.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// An export of some thousand records, on a busy machine.
const EXPORTS_WITHIN: Duration = Duration::from_secs(60);

/// So often it is asked again of a keeper that does not answer.
const TRIES: usize = 5;

/// Asks a host's agent.
pub async fn ask<B: Body>(world: &World, place: Place, path: &str) -> Option<Answer<B>> {
    let socket = world.fleet.borrow().files(place).socket();
    Client::new(socket).within(ANSWERS_WITHIN).ask(path).await.ok()
}

/// How many records the longest audit holds now.
pub async fn records_longest(world: &World) -> u64 {
    let mut longest = 0;
    for keeper in 0..world.size.keepers {
        let status = ask::<Status>(world, keeper, "/v1/status").await;
        longest = longest.max(status.map_or(0, |status| status.data.ledger.head.number));
    }
    longest
}

/// The picture of the run.
pub async fn gather(
    world: &World,
    program: &Path,
    (clock, unrest, orders): (Clock, Option<String>, Vec<Order>),
) -> Result<Picture, LabFault> {
    // Told before any audit is read: whoever has caught up holds as much by then.
    let records_awaited = records_longest(world).await;
    let reads = LabFault::of("read a journal");
    let (mut hosts, mut journals) = (BTreeMap::new(), BTreeMap::new());
    for place in 0..world.size.hosts {
        let name = Planned(place).name();
        journals.insert(name.clone(), journal::read(&world.journals(), &name).map_err(&reads)?);
        hosts.insert(name, host(world, place).await?);
    }
    let (mut audits, mut unread) = (BTreeMap::new(), Vec::new());
    for keeper in (0..world.size.keepers).map(Planned) {
        // One that was given up tells nothing; that it was is judged.
        if hosts.get(&keeper.name()).is_none_or(|host: &Host| !host.is_well) {
            continue;
        }
        match exported(world, program, keeper.0).await? {
            Ok(records) => drop(audits.insert(keeper.name(), records)),
            Err(fault) => unread.push(format!("{}: {fault}", keeper.name())),
        }
    }
    let mut misdeeds = world.misdeeds.borrow().clone();
    for place in 0..world.size.hosts {
        misdeeds.extend(panics(world, place));
    }
    let limits = LIMITS;
    Ok(Picture {
        limits,
        hosts,
        journals,
        audits,
        records_awaited,
        unrest,
        orders,
        clock,
        misdeeds,
        unread,
    })
}

async fn host(world: &World, place: Place) -> Result<Host, LabFault> {
    let claims = Planned(place).claims().map_err(LabFault::of("name a host"))?;
    let is_well = world.runs(place) && ask::<Status>(world, place, "/v1/status").await.is_some();
    let (zone, rack) = (claims.domain.zone().to_string(), claims.domain.to_string());
    Ok(Host { zone, rack, group: claims.group.to_string(), is_well })
}

/// The records, or what the last try has said.
async fn exported(
    world: &World,
    program: &Path,
    keeper: Place,
) -> Result<Result<Vec<Record>, String>, LabFault> {
    let name = Planned(keeper).name();
    let mut last = String::new();
    for _ in 0..TRIES {
        let mut hale = Command::new(program);
        hale.args(["audit", "export", "--jsonl"]).kill_on_drop(true);
        hale.env("HALE_SOCKET", world.fleet.borrow().files(keeper).socket());
        let output = timeout(EXPORTS_WITHIN, hale.output()).await;
        let output = output.map_err(LabFault::of("export an audit"))?;
        let output = output.map_err(LabFault::of("run hale"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        fs::write(world.folder.join(format!("audit-{name}.jsonl")), &*text)
            .map_err(LabFault::of("keep an audit"))?;
        match read_export(&text) {
            Ok(records) => return Ok(Ok(records)),
            Err(fault) => {
                last = format!("{fault}; {}", String::from_utf8_lossy(&output.stderr).trim());
            }
        }
        sleep(ANSWERS_WITHIN).await;
    }
    Ok(Err(last))
}

/// A panic is written before anything else of it is seen.
fn panics(world: &World, place: Place) -> Vec<String> {
    let log = fs::read_to_string(world.fleet.borrow().files(place).log()).unwrap_or_default();
    let panics = log.lines().filter(|line| line.contains("panicked at"));
    panics.map(|line| format!("{}: {line}", Planned(place).name())).collect()
}
