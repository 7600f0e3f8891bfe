//! What does a large ledger cost: to apply a command, to hold, to write down, to come back to?
//!
//! Commands are applied as a keeper applies them: a copy of the state, the entry, and the state before is let go; nothing but the processor
//! is asked. Memory is what a process of its own grows by when it comes back to the ledger from a keeper's file, as after a restart.
//! Law BL7: a command that is measured must have come to what it was asked for; one refusal ends the run as failed.
//! Not here: how the ledger came about (see `founding`).

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::path::Path;
use std::process::Command as Program;
use std::sync::Arc;
use std::time::Instant;

use daemon::identity::RingVerifier;
use ledger::Ledger;
use ledger::case::Case;
use ledger::command::{Command, Entry, Finding, Outcome, Proposed};
use vocabulary::{Boot, CaseId, Fence, HostId, LedgerIndex, Scope, Span, VerdictKind, WallNote};

use crate::cycles::{self, micros};
use crate::fault::BenchFault;
use crate::figures::{Sample, percentile, thousandths};
use crate::founding::{self, Matter, by};
use crate::hosts::{BOOT, Hosts, RACK_HOSTS};
use crate::keepers::Keepers;

/// What is measured: a ledger of so many hosts and cases.
pub const FIGURE: &str = "size";

/// Hosts that enrol while it is measured, each in an epoch of its own.
const LATE_HOSTS: usize = 20;

/// Verdicts that come while it is measured, each from a round of its own.
const LATE_VERDICTS: usize = 100;

/// Leases that go through every step.
const LEASES: usize = 1_000;

/// So long an epoch stands: whoever enrols after it enters the roster in the same entry, and all seats are dealt again.
const EPOCH: Span = Span::seconds(5);

/// The number of a host that keeps the ledger.
const KEEPER: usize = 1;

/// How often the state is written down and read, and asked.
const IMAGES: usize = 10;

/// The questions: which cases only a person frees, and what holds each.
const STUCK: &str = "stuck";
const HOLDS: &str = "holds";

/// As many as a keeper appends before it makes a snapshot: the most that a restart applies again.
const ENTRIES_BETWEEN_SNAPSHOTS: u64 = 5_000;

/// How large a mesh.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Hosts.
    pub hosts: usize,
    /// Open cases.
    pub cases: usize,
}

/// Makes such a ledger on three keepers, and measures it and one keeper's return.
pub async fn measure(size: Size, folder: &Path) -> Result<Vec<Sample>, BenchFault> {
    if size.cases * RACK_HOSTS > size.hosts || size.cases < 16 {
        return Err(BenchFault::new(format!(
            "{} hosts stand in {} racks, and of each rack one falls: 16 cases at least, and at most as many as racks, not {}",
            size.hosts,
            size.hosts / RACK_HOSTS,
            size.cases
        )));
    }
    let cell = format!("{} hosts, {} cases", size.hosts, size.cases);
    let hosts = Hosts::certified(size.hosts + LATE_HOSTS)?;
    let keepers = Keepers::raise(&hosts, folder)?;
    let began = Instant::now();
    founding::found(&keepers, &hosts.all()[..size.hosts], &hosts).await?;
    let matters = founding::trouble(&keepers, &hosts, size.cases).await?;
    eprintln!("bench-ledger: {cell} stand after {:.0} s", began.elapsed().as_secs_f64());
    let state = keepers.leader().await?.port.watch().borrow().clone();
    let mut samples = Play::of(&state, &hosts, &cell).all(&matters, size)?;
    samples.push(image(&state, &cell));
    drop(state);
    lengthen(&keepers, &matters[..16]).await?;
    let leader = keepers.leader().await?;
    let (file, index) = (leader.file.clone(), leader.port.watch().borrow().index());
    keepers.end()?;
    samples.push(returned(&file, index, &cell)?);
    Ok(samples)
}

/// Until the log is as long as it becomes before its second snapshot, by leases that are taken and given back.
async fn lengthen(keepers: &Keepers, matters: &[Matter]) -> Result<(), BenchFault> {
    let leader = keepers.leader().await?;
    let until = 2 * ENTRIES_BETWEEN_SNAPSHOTS - ENTRIES_BETWEEN_SNAPSHOTS / 50;
    while leader.port.watch().borrow().index().0 < until {
        cycles::together(leader, matters).await?;
    }
    Ok(())
}

/// Applies entries one by one, and keeps how long each took.
struct Play<'a> {
    ledger: Ledger,
    index: u64,
    hosts: &'a Hosts,
    cell: &'a str,
    took: BTreeMap<&'static str, Vec<u64>>,
}

impl<'a> Play<'a> {
    fn of(state: &Arc<Ledger>, hosts: &'a Hosts, cell: &'a str) -> Self {
        let (ledger, index) = (Ledger::clone(state), state.index().0);
        Self { ledger, index, hosts, cell, took: BTreeMap::new() }
    }

    fn all(mut self, matters: &[Matter], size: Size) -> Result<Vec<Sample>, BenchFault> {
        for matter in matters.iter().cycle().take(LEASES) {
            self.lease(matter)?;
        }
        for number in 0..LEASES.min(size.hosts / 8) {
            let boot = Boot { number: BOOT.number + 1, ..BOOT };
            let address = std::net::SocketAddr::from(([127, 0, 0, 1], 4433));
            let host = self.hosts.id(size.hosts - 1 - number);
            let command = Command::Boot { boot, address, store: None };
            self.step("boot", Span::milliseconds(1), by(host, command))?;
            self.step("tick", Span::seconds(1), by(host, Command::Tick))?;
        }
        self.verdicts(size)?;
        for host in &self.hosts.all()[size.hosts..] {
            let (id, chain) = (host.claims.id(), host.chain.clone());
            self.step("enrol", EPOCH, by(id, Command::Enrol(chain)))?;
            if self.ledger.roster().get(&id).is_none() {
                return Err(BenchFault::new("a host enrolled and is not in the roster"));
            }
        }
        self.questions();
        let cell = self.cell.to_owned();
        Ok(self.took.into_iter().map(|(name, took)| sample(&cell, name, &took)).collect())
    }

    /// What the leader asks of all cases once a second.
    fn questions(&mut self) {
        for _ in 0..IMAGES {
            let began = Instant::now();
            black_box(self.ledger.stuck().len());
            self.took.entry(STUCK).or_default().push(nanos(began));
            let began = Instant::now();
            let held = |case: &&Arc<Case>| !self.ledger.holds(case.id).is_empty();
            black_box(self.ledger.cases().filter(held).count());
            self.took.entry(HOLDS).or_default().push(nanos(began));
        }
    }

    /// From the offer until it is given back.
    fn lease(&mut self, Matter { case, healer }: &Matter) -> Result<(), BenchFault> {
        let (case, healer, short) = (*case, *healer, Span::milliseconds(1));
        let offer = Command::Offer { case, healer };
        let keeper = self.hosts.id(KEEPER);
        let fence: Fence = match self.step("offer", short, by(keeper, offer))? {
            Outcome::Leased { fence } => fence,
            other => return Err(BenchFault::new(format!("an offer came to {other:?}"))),
        };
        self.step("accept", short, by(healer, Command::Accept { case, fence }))?;
        self.step("renew", short, by(healer, Command::Renew { case, fence }))?;
        let release = Command::Release { case, fence, why: "measured".into() };
        self.step("release", short, by(healer, release)).map(drop)
    }

    /// One more host of a rack falls, each second one.
    fn verdicts(&mut self, size: Size) -> Result<(), BenchFault> {
        let (racks, mut sequence) = (size.hosts / RACK_HOSTS, 1 << 32);
        let mut down: BTreeSet<HostId> =
            (0..size.cases).map(|rack| self.hosts.id(rack * RACK_HOSTS)).collect();
        for nth in 0..LATE_VERDICTS.min(racks / 8) {
            let fallen = self.hosts.id((racks - 1 - nth) * RACK_HOSTS + 4);
            for _ in 0..7 {
                self.step("tick", Span::seconds(5), by(fallen, Command::Tick))?;
            }
            let grounds = self.hosts.round(&self.ledger, &[fallen], &down, &mut sequence);
            let finding = Finding { scope: Scope::Host(fallen), kind: VerdictKind::AgentDown };
            let command =
                Command::Verdicts { grounds, findings: vec![finding], doubted: Vec::new() };
            let proposed = by(self.hosts.id(KEEPER), command);
            let outcome = self.step("verdict", Span::milliseconds(1), proposed)?;
            opened(&outcome)?;
            down.insert(fallen);
        }
        Ok(())
    }

    fn step(
        &mut self,
        name: &'static str,
        elapsed: Span,
        proposed: Proposed,
    ) -> Result<Outcome, BenchFault> {
        self.index += 1;
        let entry = Entry { elapsed, wall: WallNote(self.index), commands: vec![proposed] };
        let began = Instant::now();
        let mut after = self.ledger.clone();
        let outcomes = after.apply(LedgerIndex(self.index), &entry, &RingVerifier);
        self.ledger = after;
        self.took.entry(name).or_default().push(nanos(began));
        match outcomes.into_iter().next() {
            Some(Outcome::Refused(why)) => {
                Err(BenchFault::new(format!("{name} was refused: {why}")))
            }
            Some(outcome) => Ok(outcome),
            None => Err(BenchFault::new(format!("{name} came to nothing"))),
        }
    }
}

fn opened(outcome: &Outcome) -> Result<CaseId, BenchFault> {
    match outcome {
        Outcome::Findings(cases) => match cases.first() {
            Some(Ok(case)) => Ok(*case),
            other => Err(BenchFault::new(format!("a verdict came to {other:?}"))),
        },
        other => Err(BenchFault::new(format!("a verdict came to {other:?}"))),
    }
}

fn sample(cell: &str, name: &str, took: &[u64]) -> Sample {
    let what = if [STUCK, HOLDS].contains(&name) { "ask" } else { "apply" };
    let mut sample = Sample::new((FIGURE, &format!("{cell}: {what} {name}")), "hale", 1);
    sample.note("count", took.len() as f64);
    for (rank, word) in [(50, "p50"), (99, "p99"), (100, "most")] {
        if let Some(nanos) = percentile(took, rank) {
            sample.note(&format!("{what}_{word}_us"), thousandths(nanos));
        }
    }
    sample
}

/// Since then; most commands take some microseconds.
fn nanos(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

fn image(state: &Ledger, cell: &str) -> Sample {
    let mut sample = Sample::new((FIGURE, &format!("{cell}: snapshot")), "hale", 1);
    let (mut written, mut read, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..IMAGES {
        let began = Instant::now();
        bytes = state.to_bytes();
        written.push(micros(began));
        let began = Instant::now();
        black_box(Ledger::from_bytes(&bytes).is_ok());
        read.push(micros(began));
    }
    sample.note("megabytes", bytes.len() as f64 / 1e6);
    sample.note_ranks("write", &written);
    sample.note_ranks("read", &read);
    sample
}

/// Has another process come back to this file.
fn returned(file: &Path, index: LedgerIndex, cell: &str) -> Result<Sample, BenchFault> {
    let program = std::env::current_exe().map_err(BenchFault::of("find this program"))?;
    let told = Program::new(program).arg("return").arg(file).output();
    let told = told.map_err(BenchFault::of("begin a process"))?;
    if !told.status.success() {
        let why = String::from_utf8_lossy(&told.stderr).into_owned();
        return Err(BenchFault::new(format!("a keeper did not come back: {why}")));
    }
    let values: BTreeMap<String, f64> =
        serde_json::from_slice(&told.stdout).map_err(BenchFault::of("read what it measured"))?;
    if values.get("index").is_none_or(|reached| *reached < index.0 as f64) {
        return Err(BenchFault::new(format!("a keeper came back to {values:?}, not {index}")));
    }
    let mut sample = Sample::new((FIGURE, &format!("{cell}: restart")), "hale", 1);
    values.iter().for_each(|(name, value)| sample.note(name, *value));
    Ok(sample)
}
