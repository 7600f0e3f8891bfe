//! `bench`: what does a mesh of real agents cost at rest, and how soon does it commit a verdict?
//!
//! Law N1: every figure is read from the kernel or from the admin socket of another agent; none is computed from a plan.
//! Law N2: whatever ends the bench but SIGKILL, its agents end and its namespaces and files go.
//! Not here: what the figures should be, except as the aim that is printed beside them.
//!
//! Needs root (network namespaces) and iproute2. Nothing leaves the namespaces.

mod fall;
mod figures;
mod rest;
mod storm;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use fall::Fault;
use figures::{Figure, Report};
use lab::{Fleet, LabFault};

/// Measures a mesh of real agents, each in a network namespace of its own; as root.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Wish {
    /// Sizes of the meshes; all are measured at rest, the last one broken as well, and from 40 on with ten that die together.
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "6,30",
          value_parser = clap::value_parser!(u16).range(6..=200))]
    hosts: Vec<u16>,
    /// How often an agent is killed, and how often a host is silenced; 0 for neither.
    #[arg(long, value_name = "TIMES", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(0..=1_000))]
    repetitions: u32,
    /// How long a mesh at rest is watched.
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..=3_600))]
    rest_seconds: u64,
    /// One JSON object with command, sizes, repetitions and every sample.
    #[arg(long)]
    json: bool,
    /// The agent that is measured: the release binary beside this one, where nothing is said.
    #[arg(long, value_name = "FILE")]
    hale: Option<PathBuf>,
}

fn main() -> ExitCode {
    match measure(&Wish::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("bench: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn measure(wish: &Wish) -> Result<(), LabFault> {
    let program = program(wish)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(LabFault::of("begin"))?;
    let figures = runtime.block_on(async {
        let listen = |kind| signal(kind).map_err(LabFault::of("listen for signals"));
        let mut interrupt = listen(SignalKind::interrupt())?;
        let mut terminate = listen(SignalKind::terminate())?;
        // Dropping the work ends agents and namespaces (law N2).
        tokio::select! {
            measured = all(wish, &program) => measured,
            _ = interrupt.recv() => Err(LabFault::new("interrupted")),
            _ = terminate.recv() => Err(LabFault::new("terminated")),
        }
    })?;
    let report = Report::of(program, figures);
    if wish.json {
        let text = serde_json::to_string_pretty(&report).map_err(LabFault::of("print"))?;
        println!("{text}");
    } else {
        println!("{report}");
    }
    Ok(())
}

/// The file is looked at now: a missing one would show as thirty agents that do not start.
fn program(wish: &Wish) -> Result<PathBuf, LabFault> {
    let beside = || {
        let own = std::env::current_exe()?;
        Ok::<_, io::Error>(own.with_file_name("hale"))
    };
    let program = wish.hale.clone().map_or_else(beside, Ok);
    let program = program.and_then(|file| file.canonicalize());
    program.map_err(LabFault::of(
        "find the agent to measure (build it with `cargo build --release -p hale-daemon`, or name it with --hale)",
    ))
}

async fn all(wish: &Wish, program: &std::path::Path) -> Result<Vec<Figure>, LabFault> {
    let mut figures = Vec::new();
    for (nth, count) in wish.hosts.iter().enumerate() {
        let mut fleet = Fleet::raise("bench", usize::from(*count), program).await?;
        let watched = Duration::from_secs(wish.rest_seconds);
        let measured = one(wish, &mut fleet, watched, nth + 1 == wish.hosts.len()).await;
        match measured {
            Ok(of_this) => figures.extend(of_this),
            Err(fault) => return Err(fleet.kept(fault)),
        }
        fleet.end().await?;
    }
    Ok(figures)
}

async fn one(
    wish: &Wish,
    fleet: &mut Fleet,
    watched: Duration,
    is_broken: bool,
) -> Result<Vec<Figure>, LabFault> {
    let mut figures = rest::measure(fleet, watched).await?;
    if is_broken && wish.repetitions > 0 {
        for fault in [Fault::Killed, Fault::Silenced] {
            figures.push(fall::measure(fleet, fault, wish.repetitions).await?);
        }
    }
    if is_broken && fleet.count() >= storm::HOSTS_MIN {
        figures.extend(storm::measure(fleet).await?);
    }
    Ok(figures)
}
