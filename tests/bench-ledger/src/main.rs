//! `bench-ledger`: what does the ledger cost: a lease, a large state, the way from a verdict to a lease?
//!
//! `just bench-ledger cycles|size|lease [--keep]` measures one figure and prints it; with `--keep` its samples take the place of those in
//! `docs/benchmarks/ledger.jsonl`, and `docs/benchmarks/ledger.md` is written anew.
//! Rooms: `hosts`, `keepers` and `founding` the mesh that is measured; [`mod@cycles`] and `etcd`, `size` and `returning`, `lease` the figures;
//! `disk` what is asked of a file; `figures` what was measured; `page` how it is told; `fault` why nothing was.
//! Not here: memory, processor and bytes of agents at rest, and how soon a death is known (see `tests/bench`).

mod cycles;
mod disk;
mod etcd;
mod fault;
mod figures;
mod founding;
mod hosts;
mod keepers;
mod lease;
mod page;
mod returning;
mod size;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::etcd::Etcd;
use crate::fault::BenchFault;
use crate::figures::Sample;
use crate::hosts::{Hosts, RACK_HOSTS};
use crate::keepers::Keepers;
use crate::size::Size;

/// Measures the ledger on three keepers, and what becomes of a verdict among real agents.
#[derive(Debug, Parser)]
#[command(name = "bench-ledger")]
struct Wish {
    #[command(subcommand)]
    figure: Figure,
}

#[derive(Debug, Subcommand)]
enum Figure {
    /// Leases taken and given back; beside it the same on etcd, where it is installed.
    Cycles {
        /// Clients at once.
        #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "1,4,16",
              value_parser = clap::value_parser!(u16).range(1..=64))]
        clients: Vec<u16>,
        /// How long each run is.
        #[arg(long, value_name = "SECONDS", default_value_t = 10,
              value_parser = clap::value_parser!(u64).range(1..=600))]
        seconds: u64,
        /// How often each is run, hale and etcd in turn.
        #[arg(long, value_name = "TIMES", default_value_t = 3,
              value_parser = clap::value_parser!(u64).range(1..=100))]
        repetitions: u64,
        #[command(flatten)]
        place: Place,
    },
    /// A large ledger: to apply, to hold, to write down, to come back to.
    Size {
        /// How many hosts belong.
        #[arg(long, value_name = "N", default_value_t = 10_000)]
        hosts: usize,
        /// How many cases are open.
        #[arg(long, value_name = "N", default_value_t = 1_000)]
        cases: usize,
        #[command(flatten)]
        place: Place,
    },
    /// From a verdict to the lease, among real agents in namespaces; as root.
    Lease {
        /// How many agents.
        #[arg(long, value_name = "N", default_value_t = 12)]
        hosts: usize,
        /// How many are killed, one after the other.
        #[arg(long, value_name = "TIMES", default_value_t = 9)]
        repetitions: usize,
        /// The agent that is measured: the release binary beside this one, where nothing is said.
        #[arg(long, value_name = "FILE")]
        hale: Option<PathBuf>,
        /// Writes samples and page.
        #[arg(long)]
        keep: bool,
    },
    /// Writes the page anew from the samples that there are.
    Page,
    /// One keeper's restart, for `size`.
    #[command(hide = true)]
    Return {
        /// The store's file.
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
struct Place {
    /// Where the keepers' files are made, in a folder that is gone afterwards; on a disk, not in memory.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    folder: PathBuf,
    /// Writes samples and page.
    #[arg(long)]
    keep: bool,
}

fn main() -> ExitCode {
    match measure(Wish::parse().figure) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("bench-ledger: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn measure(figure: Figure) -> Result<(), BenchFault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(BenchFault::of("begin"))?;
    let (name, samples, keep) = match figure {
        Figure::Cycles { clients, seconds, repetitions, place } => {
            let widths: Vec<usize> = clients.into_iter().map(usize::from).collect();
            let span = Duration::from_secs(seconds);
            let folder = place.folder()?;
            let measured = runtime.block_on(unless_ended(all_cycles(
                &widths,
                (span, repetitions),
                folder.path(),
            )));
            (cycles::FIGURE, measured?, place.keep)
        }
        Figure::Size { hosts, cases, place } => {
            let folder = place.folder()?;
            let measured =
                runtime.block_on(unless_ended(size::measure(Size { hosts, cases }, folder.path())));
            (size::FIGURE, measured?, place.keep)
        }
        Figure::Lease { hosts, repetitions, hale, keep } => {
            let program = program(hale)?;
            let measured =
                runtime.block_on(unless_ended(lease::measure(&program, (hosts, repetitions))));
            (lease::FIGURE, vec![measured?], keep)
        }
        Figure::Page => return write(&[]),
        Figure::Return { file } => return runtime.block_on(returning::come_back(&file)),
    };
    println!("{}", page::table(name, &samples));
    if cfg!(debug_assertions) {
        println!("built without --release: these figures say nothing of a release");
    }
    if keep { write(&samples) } else { Ok(()) }
}

/// Dropping the work ends what it has started, and its folder goes.
async fn unless_ended<T>(
    work: impl Future<Output = Result<T, BenchFault>>,
) -> Result<T, BenchFault> {
    let listening = BenchFault::of("listen for signals");
    let mut interrupt = signal(SignalKind::interrupt()).map_err(&listening)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(&listening)?;
    tokio::select! {
        measured = work => measured,
        _ = interrupt.recv() => Err(BenchFault::new("interrupted")),
        _ = terminate.recv() => Err(BenchFault::new("terminated")),
    }
}

/// Hale and etcd in turn, so that what else the machine does meets both.
async fn all_cycles(
    widths: &[usize],
    (span, repetitions): (Duration, u64),
    folder: &Path,
) -> Result<Vec<Sample>, BenchFault> {
    let most = widths.iter().copied().max().unwrap_or(1);
    // One of eight falls, which is no surge (protocol 3.6).
    let hosts = Hosts::certified(most.max(32) * RACK_HOSTS)?;
    let keepers = Keepers::raise(&hosts, folder)?;
    founding::found(&keepers, hosts.all(), &hosts).await?;
    let matters = founding::trouble(&keepers, &hosts, most).await?;
    let etcd = match etcd::installed() {
        Some(version) => {
            eprintln!("bench-ledger: beside {version}");
            Some(Etcd::raise(version, folder).await?)
        }
        None => {
            eprintln!("bench-ledger: etcd is not installed: not measured");
            None
        }
    };
    let mut samples = Vec::new();
    for run in 1..=repetitions {
        for width in widths {
            samples.push(cycles::measure(&keepers, &matters[..*width], (span, run)).await?);
            if let Some(etcd) = &etcd {
                samples.push(etcd.measure(*width, (span, run)).await?);
            }
        }
    }
    keepers.end()?;
    Ok(samples)
}

impl Place {
    fn folder(&self) -> Result<tempfile::TempDir, BenchFault> {
        disk::check_is_durable(&self.folder)?;
        tempfile::tempdir_in(&self.folder).map_err(BenchFault::of("make a folder"))
    }
}

/// The file is looked at now: a missing one would show as agents that do not start.
fn program(named: Option<PathBuf>) -> Result<PathBuf, BenchFault> {
    let beside = || std::env::current_exe().map(|own| own.with_file_name("hale"));
    let program = named.map_or_else(beside, Ok).and_then(|file| file.canonicalize());
    program.map_err(BenchFault::of(
        "find the agent to measure (build it with `cargo build --release -p hale-daemon`, or name it with --hale)",
    ))
}

fn write(new: &[Sample]) -> Result<(), BenchFault> {
    let file = figures::folder().join("ledger.jsonl");
    let all = figures::replace(figures::read(&file)?, new);
    figures::write(&file, &all)?;
    let page = figures::folder().join("ledger.md");
    std::fs::write(page, page::page(&all)).map_err(BenchFault::of("write the page"))
}
