//! What was measured: one line of JSON for each run, and the ranks of many values.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::fault::BenchFault;

/// What one run of one cell came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Which question.
    pub figure: String,
    /// Which of its cells.
    pub cell: String,
    /// `hale`, or `etcd` with its version.
    pub system: String,
    /// Which run of several.
    pub run: u64,
    /// At which commit hale was measured.
    pub commit: Option<String>,
    /// The machine's load average over a minute as it began: above its cores others compete for the processor.
    pub load: Option<f64>,
    /// By name; the unit stands last in it.
    pub values: BTreeMap<String, f64>,
}

impl Sample {
    /// Of a run of which nothing is measured yet.
    pub fn new(place: (&str, &str), system: &str, run: u64) -> Self {
        Self {
            figure: place.0.to_owned(),
            cell: place.1.to_owned(),
            system: system.to_owned(),
            run,
            commit: commit(),
            load: load(),
            values: BTreeMap::new(),
        }
    }

    /// One value under this name.
    pub fn note(&mut self, name: &str, value: f64) {
        // Digits that mean nothing make every line new.
        self.values.insert(name.to_owned(), (value * 1_000.0).round() / 1_000.0);
    }

    /// The ranks of these microseconds, as milliseconds.
    pub fn note_ranks(&mut self, name: &str, micros: &[u64]) {
        for (rank, word) in [(50, "p50"), (99, "p99"), (100, "most")] {
            if let Some(value) = percentile(micros, rank) {
                self.note(&format!("{name}_{word}_ms"), thousandths(value));
            }
        }
    }
}

/// Microseconds as milliseconds, nanoseconds as microseconds; those of a measurement are far below 2^52.
pub fn thousandths(count: u64) -> f64 {
    count as f64 / 1_000.0
}

/// So many of a hundred values are no greater, by the nearest rank; none of no values.
pub fn percentile(values: &[u64], percent: usize) -> Option<u64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// What the file holds; nothing where there is none.
pub fn read(file: &Path) -> Result<Vec<Sample>, BenchFault> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().map(serde_json::from_str::<Sample>);
    lines.collect::<Result<_, _>>().map_err(BenchFault::of("read the samples"))
}

/// What was measured anew takes the place of all that there was of the same figure.
pub fn replace(kept: Vec<Sample>, new: &[Sample]) -> Vec<Sample> {
    let is_anew = |old: &Sample| new.iter().any(|sample| sample.figure == old.figure);
    let mut all: Vec<Sample> = kept.into_iter().filter(|old| !is_anew(old)).collect();
    all.extend(new.iter().cloned());
    let key = |sample: &Sample| {
        let Sample { figure, cell, system, run, .. } = sample.clone();
        (figure, cell, system, run)
    };
    all.sort_by_key(key);
    all
}

/// One line each.
pub fn write(file: &Path, samples: &[Sample]) -> Result<(), BenchFault> {
    let writing = BenchFault::of("write the samples");
    let mut text = Vec::new();
    for sample in samples {
        let line = serde_json::to_string(sample).map_err(BenchFault::of("write a sample"))?;
        writeln!(text, "{line}").map_err(&writing)?;
    }
    fs::write(file, text).map_err(&writing)
}

/// Where the pages of all benchmarks lie.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/benchmarks")
}

/// Of this clone, with a word where files differ from it; none without git.
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

fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_values_are_no_greater_than_the_middle_one() {
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&[9, 3], 50), Some(3));
        assert_eq!(percentile(&[9, 3], 99), Some(9));
        let hundred: Vec<u64> = (1..=100).collect();
        let at = [50, 99, 100].map(|percent| percentile(&hundred, percent));
        assert_eq!(at, [Some(50), Some(99), Some(100)]);
    }

    #[test]
    fn what_is_measured_anew_replaces_its_own_figure_and_no_other() {
        let of = |figure: &str, run| Sample::new((figure, "x"), "hale", run);
        let kept = vec![of("cycles", 1), of("cycles", 2), of("size", 1)];
        let all = replace(kept, &[of("cycles", 3)]);
        let left: Vec<_> = all.iter().map(|one| (one.figure.as_str(), one.run)).collect();
        assert_eq!(left, [("cycles", 3), ("size", 1)]);
    }
}
