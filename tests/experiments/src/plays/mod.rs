//! The experiments: each a list of trials, each trial one system in one cell under one seed.

mod bootstrap;
mod crash;
mod gray;
mod interval;
mod loss;
mod partition;
mod rapid;
mod traffic;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use simulator::{Setup, Whom};
use vocabulary::Label;

use crate::samples::Sample;

/// The systems' names in samples.
pub const HALE: &str = "hale";
/// Plain foca.
pub const FOCA: &str = "foca";

/// The largest fleet of a quick look.
const QUICK_HOSTS_MAX: usize = 128;

/// Zones of every fleet.
const ZONES: usize = 3;

/// One experiment.
#[derive(Clone, Copy)]
pub struct Play {
    /// How it is asked for.
    pub name: &'static str,
    /// What is done, in a sentence or two.
    pub about: &'static str,
    /// What hale should reach.
    pub aim: &'static str,
    /// What of it is not, or only nearly, and why; empty where all of it is.
    pub not_reached: &'static str,
    /// Which figures its table shows, in order.
    pub columns: &'static [&'static str],
    trials: fn(&Plan) -> Vec<Trial>,
}

/// How much is played.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Seeds for each cell of a small fleet.
    pub seeds: u64,
    /// The first of them.
    pub first: u64,
    /// Small fleets and one seed only.
    pub is_quick: bool,
    /// No fleet of more hosts.
    pub hosts_max: usize,
    /// Only cells whose name has this in it.
    pub only: Option<String>,
}

/// One trial that is still to be played.
pub struct Trial {
    cell: String,
    hosts: usize,
    play: Box<dyn Fn() -> Sample + Send + Sync>,
}

/// All of them, as the page tells them.
pub const PLAYS: [Play; 8] = [
    interval::PLAY,
    crash::PLAY,
    rapid::PLAY,
    loss::PLAY,
    partition::PLAY,
    bootstrap::PLAY,
    traffic::PLAY,
    gray::PLAY,
];

impl Plan {
    /// The seeds of a cell of so many hosts: large fleets have three.
    pub fn seeds(&self, hosts: usize) -> Vec<u64> {
        let most = if self.is_quick { 1 } else { self.seeds };
        let count = if hosts >= 1_000 { most.min(3) } else { most };
        (self.first..self.first + count).collect()
    }
}

/// Plays what was asked for of it, on all processors; each trial is alone in its thread, and its sample is told as it comes.
pub fn run(
    play: Play,
    (plan, commit): (&Plan, Option<&str>),
    tell: &mut (dyn FnMut(&Sample) + Send),
) -> Vec<Sample> {
    let is_wanted = |trial: &Trial| {
        let is_named = plan.only.as_ref().is_none_or(|word| trial.cell.contains(word.as_str()));
        let most = if plan.is_quick { plan.hosts_max.min(QUICK_HOSTS_MAX) } else { plan.hosts_max };
        is_named && trial.hosts <= most
    };
    let trials: Vec<Trial> = (play.trials)(plan).into_iter().filter(is_wanted).collect();
    let (next, done) = (AtomicUsize::new(0), Mutex::new((Vec::new(), tell)));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(trial) = trials.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let commit = commit.map(str::to_owned);
                    let sample = Sample { commit, ..(trial.play)() };
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.1(&sample);
                    done.0.push(sample);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner).0
}

/// So many hosts dealt over three zones, so many to a rack; the first of each zone keeps the ledger.
pub fn fleet(hosts: usize, per_rack: usize, seed: u64) -> Setup {
    let mut setup = Setup::grid(hosts, ZONES, seed);
    for (number, claims) in setup.hosts.iter_mut().enumerate() {
        let rack = format!("z{}r{}", number % ZONES, number / ZONES / per_rack);
        claims.domain.rack = Label::new(&rack).expect("letters and digits are a name");
    }
    setup
}

/// So many hosts that are no keepers, each in a rack of its own among them.
pub fn in_racks_apart(setup: &Setup, count: usize) -> Vec<Whom> {
    let mut racks = std::collections::BTreeSet::new();
    let hosts = setup.hosts.iter().filter(|claims| !claims.roles.keeper);
    let apart = hosts.filter(|claims| racks.insert(claims.domain.clone()));
    apart.take(count).map(|claims| Whom::Named(claims.host.to_string())).collect()
}

/// Hosts of which a script would say `host:1`, `host:2`, ...
pub fn first(count: usize) -> Vec<Whom> {
    (1..=count).map(Whom::NthHost).collect()
}
