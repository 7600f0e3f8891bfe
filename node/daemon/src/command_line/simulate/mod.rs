//! `hale simulate`: what a mesh, its policy and its budgets would do, played in virtual time without touching a host.
//!
//! Law CL6: nothing is asked of an agent but, with `--hosts-from-mesh`, who there is and which policy is in force; nothing is ever
//! ordered.
//! Rooms: `source` which script, hosts and policy; `shown` the trace and the table.
//! Not here: the fleet and the language (see `simulator`).

mod shown;
mod source;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use simulator::library::LIBRARY;

use self::source::Source;
use super::asking::{At, json};
use super::exit::CommandFault;
use super::faults;
use super::table::Table;
use crate::admin::answer::{Answer, Body, ScenarioLine, Scenarios, Simulated};
use crate::moments;

/// What is played, on which fleet, under which policy.
#[derive(Clone, Debug, Args)]
pub struct Verb {
    /// A scenario of the library, or a file that holds one.
    #[arg(value_name = "NAME|FILE", required_unless_present = "list", conflicts_with = "list")]
    scenario: Option<String>,
    /// Print the scenarios of the library.
    #[arg(long, conflicts_with_all = ["policy", "hosts", "seed", "hosts_from_mesh"])]
    list: bool,
    /// Under this policy, not the scenario's own or that of the mesh.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// On so many hosts, dealt over as many zones as the scenario has, two to a rack.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=HOSTS_MAX))]
    hosts: Option<u16>,
    /// Under this seed: another one is other luck, the same one the same run.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// On the hosts of the mesh that the agent of this host belongs to, all of them well, and under the policy in force.
    #[arg(long, conflicts_with = "hosts")]
    hosts_from_mesh: bool,
    #[command(flatten)]
    at: At,
}

/// As many as are simulated at most.
const HOSTS_MAX: i64 = simulator::Setup::HOSTS_MAX as i64;

/// Does it.
pub fn run(verb: &Verb) -> Result<(), CommandFault> {
    match &verb.scenario {
        None => list(verb.at.json),
        Some(scenario) => play(verb, scenario),
    }
}

fn list(is_json: bool) -> Result<(), CommandFault> {
    let line = |scenario: &simulator::library::Scenario| ScenarioLine {
        name: scenario.name.to_owned(),
        about: scenario.about().to_owned(),
    };
    let scenarios: Vec<ScenarioLine> = LIBRARY.iter().map(line).collect();
    if is_json {
        return json(&of_now(Scenarios { scenarios }));
    }
    let mut table = Table::new(&["scenario", "what it shows"]);
    for line in scenarios {
        table.row([line.name, line.about]);
    }
    faults::print(&table.text("", true))
}

fn play(verb: &Verb, scenario: &str) -> Result<(), CommandFault> {
    let source = Source::of(verb, scenario)?;
    let played = source
        .script
        .play()
        .map_err(|fault| CommandFault::failed(format!("{scenario}: {fault}")))?;
    let answer = of_now(shown::simulated(&source, &played));
    if verb.at.json {
        json(&answer)?;
    } else {
        faults::print(&shown::text(&answer.data))?;
    }
    lawful(&answer.data)?;
    source.fresh
}

/// A broken law is a fault of hale, and the run that shows it can be had again.
fn lawful(run: &Simulated) -> Result<(), CommandFault> {
    match run.breaches.first() {
        None => Ok(()),
        Some(breach) => Err(CommandFault::failed(format!(
            "{}: {} laws were broken under seed {}, the first is {}: a fault of hale, please report it with this command",
            run.scenario,
            run.breaches.len(),
            run.seed,
            breach.law
        ))),
    }
}

fn of_now<B: Body + Serialize>(data: B) -> Answer<B> {
    Answer {
        schema: B::SCHEMA.to_owned(),
        as_of: moments::utc_exact(moments::now_exact()),
        age_ms: 0,
        fresh: true,
        data,
    }
}

#[cfg(test)]
mod tests;
