//! A ledger with hosts and cases, made by the commands that make them in earnest, through Raft and onto disks.
//!
//! Law BL4: nothing is put into the state beside its door: hosts enrol with their certificates and boot, and each case stands on grounds
//! that the ledger has judged.
//! Not here: what is measured on it (see `cycles`, `size`).

use std::collections::BTreeSet;
use std::time::Duration;

use ledger::command::{Command, Finding, Order, Outcome, Proposed};
use ledger::rules;
use vocabulary::{CaseId, HostId, Scope, VerdictKind};

use crate::fault::BenchFault;
use crate::hosts::{BOOT, Host, Hosts, RACK_HOSTS};
use crate::keepers::{Keeper, Keepers};

/// Budgets that refuse nothing: what is measured is the ledger, not its rules' refusals.
pub const POLICY: &str = r#"
[budget]
fleet = { in_flight = "100%", halt_above = "none", per_hour = "none" }
zone = { in_flight = "100%", halt_above = "none" }
rack = { in_flight = "100%" }
any_group = { in_flight = "100%" }

[[rule]]
name = "agent down"
when = { verdict = "AgentDown" }
mode = "act"
for = "0s"
ladder = [
  { do = "command", class = "gentle", argv = ["/bin/true"], time_limit = "10s", verify_within = "30s", soak = "3s" },
]
"#;

/// As many certificates as fit one entry with room to spare.
const ENROLMENTS_AT_ONCE: usize = 150;

/// The same of boots.
const BOOTS_AT_ONCE: usize = 500;

/// Verdicts of one entry: a quarter of the ledger's bound, so that their grounds fit in, with those on observers that are down.
const VERDICTS_AT_ONCE: usize = 8;

/// The most that one entry adds to ledger time.
const STEP: Duration = Duration::from_secs(5);

/// Longer than trouble counts as new (protocol 3.6 `Surge`): what fell before is no surge with what falls now.
const SURGE_STEPS: usize = 7;

/// A case, and who may heal it.
#[derive(Clone, Copy, Debug)]
pub struct Matter {
    /// The case.
    pub case: CaseId,
    /// A host of the same rack.
    pub healer: HostId,
}

/// Founds the ledger with these of the hosts, booted, under [`POLICY`].
pub async fn found(keepers: &Keepers, some: &[Host], hosts: &Hosts) -> Result<(), BenchFault> {
    keepers.found().await?;
    let leader = keepers.leader().await?;
    let chains = keepers.all.iter().map(|keeper| hosts.all()[keeper.number].chain.clone());
    let found = Command::Found {
        cluster: hosts.cluster().clone(),
        authorities: vec![hosts.authority().to_vec()],
        keepers: chains.collect(),
    };
    done(leader, vec![by(leader.host, found)]).await?;
    done(leader, vec![by(leader.host, Command::Rules { rules: rules::NEWEST })]).await?;
    let enrol = |host: &Host| by(host.claims.id(), Command::Enrol(host.chain.clone()));
    for chunk in some.chunks(ENROLMENTS_AT_ONCE) {
        done(leader, chunk.iter().map(enrol).collect()).await?;
    }
    pass(keepers, leader, 2).await?;
    let stores: Vec<_> =
        keepers.all.iter().map(|keeper| (keeper.host, keeper.port.store())).collect();
    let boot = |host: &Host| {
        let id = host.claims.id();
        let store = stores.iter().find(|(keeper, _)| *keeper == id).map(|(_, store)| *store);
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], 4433));
        by(id, Command::Boot { boot: BOOT, address, store })
    };
    for chunk in some.chunks(BOOTS_AT_ONCE) {
        done(leader, chunk.iter().map(boot).collect()).await?;
    }
    let order = Order { who: "bench".into(), why: "nothing is to be refused".into() };
    let policy = Command::Policy { text: POLICY.into(), if_version: None, order };
    match propose(leader, vec![by(leader.host, policy)]).await?.remove(0) {
        Outcome::Policy { .. } => Ok(()),
        other => Err(BenchFault::new(format!("the policy was not taken: {other:?}"))),
    }
}

/// The agent of the first host of each of the first racks falls: so many cases, all open.
pub async fn trouble(
    keepers: &Keepers,
    hosts: &Hosts,
    count: usize,
) -> Result<Vec<Matter>, BenchFault> {
    let leader = keepers.leader().await?;
    let numbers: Vec<usize> = (0..count).map(|rack| rack * RACK_HOSTS).collect();
    let (mut down, mut sequence, mut matters) = (BTreeSet::new(), 0, Vec::new());
    for some in numbers.chunks(VERDICTS_AT_ONCE) {
        pass(keepers, leader, SURGE_STEPS).await?;
        let fallen: Vec<HostId> = some.iter().map(|number| hosts.id(*number)).collect();
        let state = leader.port.watch().borrow().clone();
        let verdicts = Command::Verdicts {
            grounds: hosts.round(&state, &fallen, &down, &mut sequence),
            findings: fallen
                .iter()
                .map(|host| Finding { scope: Scope::Host(*host), kind: VerdictKind::AgentDown })
                .collect(),
            doubted: Vec::new(),
        };
        let outcome = propose(leader, vec![by(leader.host, verdicts)]).await?.remove(0);
        let Outcome::Findings(cases) = outcome else {
            return Err(BenchFault::new(format!("verdicts came to {outcome:?}")));
        };
        for (case, number) in cases.into_iter().zip(some) {
            let case = case.map_err(BenchFault::of("open a case"))?;
            matters.push(Matter { case, healer: hosts.id(number + 2) });
        }
        down.extend(fallen);
    }
    Ok(matters)
}

/// Lets ledger time pass in steps, each an entry.
pub async fn pass(keepers: &Keepers, leader: &Keeper, steps: usize) -> Result<(), BenchFault> {
    for _ in 0..steps {
        keepers.clock.pass(STEP);
        done(leader, vec![by(leader.host, Command::Tick)]).await?;
    }
    Ok(())
}

/// A command in this host's name.
pub fn by(by: HostId, command: Command) -> Proposed {
    Proposed { by, command }
}

/// One entry; its outcomes.
pub async fn propose(leader: &Keeper, commands: Vec<Proposed>) -> Result<Vec<Outcome>, BenchFault> {
    let answer = leader.port.propose_all(commands).await;
    answer.map(|(_, outcomes)| outcomes).map_err(BenchFault::of("propose an entry"))
}

async fn done(leader: &Keeper, commands: Vec<Proposed>) -> Result<(), BenchFault> {
    let outcomes = propose(leader, commands).await?;
    match outcomes.into_iter().find(|outcome| *outcome != Outcome::Done) {
        None => Ok(()),
        Some(other) => Err(BenchFault::new(format!("a command came to {other:?}"))),
    }
}
