//! How well does hale tell the dead from the living, and how does plain foca do on the same network, under the same faults and seeds?
//!
//! `cargo run --release -p hale-test-experiments -- [NAMES..] [--seeds N] [--first N] [--hosts N] [--quick]` plays experiments by name (without names:
//! all), prints each table as it comes, and writes every sample to `docs/benchmarks/detection.jsonl` and the page
//! `docs/benchmarks/detection.md` anew from all samples there; what is played again replaces what was there of it. `--quick` plays one
//! seed of the small cells and writes nothing; `--hosts` leaves larger fleets out;
//! `--page` plays nothing and writes the page.
//! Rooms: `plays` the experiments; `mesh` hale's side of one trial; `rival` foca's; `samples` what was measured; `page` how it is told.
//! Not here: what is modelled (see `simulator`); figures of real processes (see `tests/bench`).

mod mesh;
mod page;
mod plays;
mod rival;
mod samples;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::plays::{PLAYS, Plan};
use crate::samples::{Sample, Samples};

/// As many seeds as the smaller cells have unless another number is asked for.
const SEEDS: u64 = 10;

/// What was asked for.
struct Wanted {
    names: Vec<String>,
    plan: Plan,
    is_page_only: bool,
}

fn main() -> ExitCode {
    let wanted = match read(std::env::args().skip(1)) {
        Ok(wanted) => wanted,
        Err(why) => {
            eprintln!("experiments: {why}");
            return ExitCode::from(2);
        }
    };
    match play(&wanted) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("experiments: {why}");
            ExitCode::FAILURE
        }
    }
}

fn read(mut words: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let mut wanted = Wanted {
        names: Vec::new(),
        plan: Plan { seeds: SEEDS, first: 1, is_quick: false, hosts_max: usize::MAX, only: None },
        is_page_only: false,
    };
    while let Some(word) = words.next() {
        let mut number = || -> Result<u64, String> {
            let text = words.next().ok_or(format!("{word} wants a number"))?;
            text.parse().map_err(|_| format!("{text:?} is no number"))
        };
        match word.as_str() {
            "--seeds" => wanted.plan.seeds = number()?,
            "--first" => wanted.plan.first = number()?,
            "--hosts" => wanted.plan.hosts_max = usize::try_from(number()?).unwrap_or(usize::MAX),
            "--page" => wanted.is_page_only = true,
            "--quick" => wanted.plan.is_quick = true,
            "--cell" => wanted.plan.only = Some(words.next().ok_or("--cell wants a word")?),
            name if PLAYS.iter().any(|play| play.name == name) => wanted.names.push(word),
            other => {
                let names: Vec<&str> = PLAYS.iter().map(|play| play.name).collect();
                return Err(format!("{other:?} is none of {}", names.join(", ")));
            }
        }
    }
    Ok(wanted)
}

fn play(wanted: &Wanted) -> Result<(), String> {
    let (file, commit) = (folder().join("detection.jsonl"), commit());
    for play in PLAYS {
        if wanted.is_page_only {
            break;
        }
        if !wanted.names.is_empty() && !wanted.names.iter().any(|name| name == play.name) {
            continue;
        }
        // What was played is kept as it comes: a run of hours may be ended at any time.
        let mut tell = |sample: &Sample| {
            eprintln!("{} {} {} {}", play.name, sample.system, sample.cell, sample.seed);
            if !wanted.plan.is_quick
                && let Err(why) = samples::append(&file, sample)
            {
                eprintln!("experiments: {why}");
            }
        };
        let new = plays::run(play, (&wanted.plan, commit.as_deref()), &mut tell);
        println!("{}", page::table(play, &new));
    }
    if wanted.plan.is_quick {
        return Ok(());
    }
    let mut kept = Samples::default();
    kept.replace(Samples::read(&file)?.0);
    kept.write(&file)?;
    std::fs::write(folder().join("detection.md"), page::page(&kept)).map_err(|why| why.to_string())
}

/// Of this clone as it begins to play, with a word where files differ from it; none without git.
fn commit() -> Option<String> {
    let git = |words: &[&str]| {
        let told =
            Command::new("git").arg("-C").arg(env!("CARGO_MANIFEST_DIR")).args(words).output();
        let told = told.ok().filter(|told| told.status.success())?;
        Some(String::from_utf8_lossy(&told.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=10", "HEAD"])?;
    let changed =
        git(&["status", "--porcelain", "--untracked-files=no", "--", "../..", ":!/docs"])?;
    Some(if changed.is_empty() { commit } else { format!("{commit} and changes") })
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/benchmarks")
}
