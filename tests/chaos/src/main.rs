//! `hale-test-chaos`: everything breaks for some minutes; did hale keep its word?
//!
//! `just chaos MINUTES` runs it as root beside the debug build of `hale`, whose debug assertions, openraft's among them, are on. Its exit status is 1
//! where a promise is broken; the breaches, what shows them, the seed and the folders of all logs are printed then.
//! The verbs `remedy` and `inspect` are what the policy names: the recording target.
//! Not here: anything else (see the library).

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use chaos::run::{Wish, play};
use chaos::target;
use clap::{Parser, Subcommand};
use lab::LabFault;
use lab::fleet::Size;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

/// Longer runs would outgrow what tells shifted clocks apart.
const MINUTES_MAX: u64 = 90;

/// Breaks everything for some minutes, and judges what hale did.
#[derive(Debug, Parser)]
#[command(name = "hale-test-chaos")]
struct Asked {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// How long the weather lasts; calm follows.
    #[arg(long, value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u64).range(1..=MINUTES_MAX))]
    minutes: u64,
    /// What draws the weather; the clock's seconds where nothing is said.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many hosts.
    #[arg(long, value_name = "N", default_value_t = 20,
          value_parser = clap::value_parser!(u16).range(12..=100))]
    hosts: u16,
    /// How many of them are keepers; an odd number.
    #[arg(long, value_name = "N", default_value_t = 5,
          value_parser = clap::value_parser!(u16).range(3..=7))]
    keepers: u16,
    /// The agent that is tried: the `hale` beside this program, where nothing is said.
    #[arg(long, value_name = "FILE")]
    hale: Option<PathBuf>,
    /// In calm, too, somebody starts by hand whatever waits for a person or for voices that nobody can give any more: minutes less.
    #[arg(long)]
    tended: bool,
    /// Keep all files, whatever comes of it.
    #[arg(long)]
    keep: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// What a healer runs; the environment tells the case.
    #[command(hide = true)]
    Remedy {
        /// The desk's socket.
        #[arg(long)]
        desk: PathBuf,
        /// The folder of all journals.
        #[arg(long)]
        journals: PathBuf,
    },
    /// What says whether that was done.
    #[command(hide = true)]
    Inspect {
        /// The folder of all journals.
        #[arg(long)]
        journals: PathBuf,
    },
}

fn main() -> ExitCode {
    let asked = Asked::parse();
    match &asked.verb {
        Some(Verb::Remedy { desk, journals }) => return target::remedy(desk, journals),
        Some(Verb::Inspect { journals }) => return target::inspect(journals),
        None => {}
    }
    match played(asked) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("hale-test-chaos: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn played(asked: Asked) -> Result<bool, LabFault> {
    let beside = || std::env::current_exe().map(|own| own.with_file_name("hale"));
    let hale = asked.hale.map_or_else(beside, Ok).and_then(|file| file.canonicalize());
    let hale = hale.map_err(LabFault::of(
        "find the agent to try (build it with `cargo build -p hale-daemon`, or name it with --hale)",
    ))?;
    let wish = Wish {
        length: Duration::from_secs(asked.minutes * 60),
        seed: asked.seed.unwrap_or_else(|| chaos::journal::wall_ms() / 1_000),
        size: Size { hosts: usize::from(asked.hosts), keepers: usize::from(asked.keepers) },
        hale,
        is_tended: asked.tended,
        is_kept: asked.keep,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(LabFault::of("begin"))?;
    LocalSet::new().block_on(&runtime, unless_ended(play(&wish)))
}

/// Dropping the run ends what it has started, and its namespaces go.
async fn unless_ended(run: impl Future<Output = Result<bool, LabFault>>) -> Result<bool, LabFault> {
    let listening = LabFault::of("listen for signals");
    let mut interrupt = signal(SignalKind::interrupt()).map_err(&listening)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(&listening)?;
    tokio::select! {
        played = run => played,
        _ = interrupt.recv() => Err(LabFault::new("interrupted")),
        _ = terminate.recv() => Err(LabFault::new("terminated")),
    }
}
