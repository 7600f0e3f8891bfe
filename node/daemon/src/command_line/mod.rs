//! The tree of verbs, how each ends, and the one place where a fault becomes a line on stderr.
//!
//! Law CL1: a fault is one line on stderr and one exit code of [`Exit`]; nothing else speaks to the shell, but the faults
//! of a document, which are drawn before it, and the hidden `demo-remedy`, which ends with the codes of a remedy.
//! A verb lives in a file of its own: a clap type and `run(...) -> Result<(), CommandFault>`.

pub mod agent;
pub mod asking;
pub mod audit;
pub mod ca;
pub mod cases;
pub mod certs;
pub mod config;
pub mod demo;
pub mod exit;
pub mod explain;
mod faults;
mod fleetlock;
pub mod hosts;
mod keepers;
mod leases;
mod list;
pub mod maintenance;
pub mod orders;
pub mod policy;
mod policy_change;
mod policy_diff;
mod recover;
pub mod simulate;
pub mod status;
mod table;

#[cfg(test)]
mod exits;
#[cfg(test)]
mod screens;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use exit::{CommandFault, Exit};

/// A self-healing mesh for fleets of hosts.
#[derive(Debug, Parser)]
#[command(name = "hale", version, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the agent of this host; `hale agent reload` has the running one read its certificate files.
    Agent(agent::Agent),
    /// The mesh on one screen, as this host's agent knows it.
    Status(status::Verb),
    /// Every host that belongs, where it stands and how it is.
    Hosts(hosts::Verb),
    /// The cases that are not closed, and what each waits for.
    Cases(cases::Verb),
    /// The leases and reboot slots that count against the budgets: who repairs or reboots what, and what ends it.
    Leases(leases::Verb),
    /// When certificates end, the soonest first: every host's as far as it is known, and the authorities'.
    Certs(certs::Verb),
    /// Why a case or a host stands where it stands: who looked and what each saw, what was decided by which rule, what is
    /// awaited and what frees it, what was done.
    Explain(explain::Verb),
    /// The history: what has become true, intent before effect, outcome after.
    Audit(audit::Verb),
    /// Stop all healing, in the whole mesh: nothing new begins, what was begun is inspected and verified.
    Pause(orders::Pause),
    /// Lift pause and surge: healing begins again with one at a time, then 2, 4, ...
    Resume(orders::Resume),
    /// Allow what would be tried next in a case whose rule waits for a person (mode "approve"): once, and for a while.
    Approve(orders::Approve),
    /// Forbid what would be tried next in a case: hale begins nothing more for it, it is a person's.
    Deny(orders::Deny),
    /// Let a quarantined host be tried again, or healing go on in a group that failed remedies have stopped.
    Release(orders::Release),
    /// Say that a host fails, as you or a script sees it: it is looked at, and what its observers see decides.
    Report(orders::Report),
    /// Found the ledger of a new mesh, once for ever; refused where one exists.
    Init(orders::Init),
    /// Which hosts belong: list them, bury one for good.
    #[command(subcommand)]
    Host(hosts::HostVerb),
    /// One case: close it by hand.
    #[command(subcommand)]
    Case(cases::CaseVerb),
    /// One lease: take it back.
    #[command(subcommand)]
    Lease(leases::LeaseVerb),
    /// Windows in which nothing begins on whom they cover: open or plan one, list them, end one.
    #[command(subcommand)]
    Maintenance(maintenance::Verb),
    /// FleetLock clients, which reboot their hosts within the budgets: which host each is, and who may reboot.
    #[command(subcommand)]
    Fleetlock(fleetlock::Verb),
    /// Keepers, which carry the ledger: who votes on it, give votes and take them.
    #[command(subcommand)]
    Keeper(keepers::Verb),
    /// Found the authority of a cluster, issue host certificates, read what one claims.
    #[command(subcommand)]
    Ca(ca::Verb),
    /// The configuration of one host: print a live example, check a file.
    #[command(subcommand)]
    Config(config::Verb),
    /// What the mesh may do: print a live example, check a file, set it, compare and take back, show what is in force and was.
    #[command(subcommand)]
    Policy(policy::Verb),
    /// What the mesh would do if a zone vanished, a switch lost packets, a deploy went wrong: played in virtual time, on a
    /// virtual fleet or on the hosts of this mesh, without touching one.
    Simulate(simulate::Verb),
    /// Watch a mesh of six real agents on this machine heal four faults, with every proof checked.
    Demo(demo::Demo),
    /// The guard of one remedy; started by the agent.
    #[command(hide = true)]
    Guard,
    /// The remedy of the demo's policy.
    #[command(hide = true)]
    DemoRemedy(demo::Remedy),
}

/// Reads the arguments, does what they say, and tells the shell how it ended.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let line = match CommandLine::try_parse_from(arguments) {
        Ok(line) => line,
        Err(usage) => return told(&usage),
    };
    let ended = match line.verb {
        Verb::DemoRemedy(remedy) => return remedy.run(),
        verb => carry(verb),
    };
    match ended {
        Ok(()) => Exit::Done.into(),
        Err(fault) => {
            eprintln!("hale: {fault}");
            fault.exit.into()
        }
    }
}

fn carry(verb: Verb) -> Result<(), CommandFault> {
    match verb {
        Verb::Agent(verb) => agent::run(&verb),
        Verb::Guard => agent::guard(),
        Verb::Status(verb) => status::run(&verb),
        Verb::Hosts(verb) => hosts::run(&verb),
        Verb::Cases(verb) => cases::run(&verb),
        Verb::Leases(verb) => leases::run(&verb),
        Verb::Certs(verb) => certs::run(&verb),
        Verb::Explain(verb) => explain::run(&verb),
        Verb::Audit(verb) => audit::run(&verb),
        Verb::Pause(pause) => pause.run(),
        Verb::Resume(resume) => resume.run(),
        Verb::Approve(approve) => approve.run(),
        Verb::Deny(deny) => deny.run(),
        Verb::Release(release) => release.run(),
        Verb::Report(report) => report.run(),
        Verb::Init(init) => init.run(),
        Verb::Host(verb) => hosts::run_host(&verb),
        Verb::Case(verb) => cases::run_case(&verb),
        Verb::Lease(verb) => leases::run_lease(&verb),
        Verb::Maintenance(verb) => maintenance::run(verb),
        Verb::Fleetlock(verb) => fleetlock::run(verb),
        Verb::Keeper(verb) => keepers::run(verb),
        Verb::Ca(verb) => ca::run(verb),
        Verb::Config(verb) => config::run(verb),
        Verb::Policy(verb) => policy::run(verb),
        Verb::Simulate(verb) => simulate::run(&verb),
        Verb::Demo(demo) => demo.run(),
        Verb::DemoRemedy(_) => unreachable!("the caller gives only verbs that end with our codes"),
    }
}

/// Help and version are answers; all else that clap says is wrong usage.
fn told(usage: &clap::Error) -> ExitCode {
    // A closed pipe behind `hale --help` is no fault of ours.
    let _ = usage.print();
    if usage.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_tree_of_verbs_is_sound() {
        CommandLine::command().debug_assert();
    }
}
