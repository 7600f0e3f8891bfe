//! What was measured: one line of JSON for each trial, and what becomes of many of them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// One trial of one system in one cell of one experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Which experiment.
    pub experiment: String,
    /// Which of its cells.
    pub cell: String,
    /// `hale` or `foca`.
    pub system: String,
    /// How many hosts.
    pub hosts: usize,
    /// Under which seed.
    pub seed: u64,
    /// At which commit it was played; none where that was not noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// By name; a count is a list of one.
    pub figures: BTreeMap<String, Vec<u64>>,
}

/// All that is kept.
#[derive(Debug, Default)]
pub struct Samples(pub Vec<Sample>);

impl Samples {
    /// What the file holds; nothing where there is none.
    pub fn read(file: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let lines = text.lines().map(serde_json::from_str::<Sample>);
        lines
            .collect::<Result<Vec<Sample>, _>>()
            .map(Self)
            .map_err(|why| format!("{}: {why}", file.display()))
    }

    /// What comes later of the same trial takes the place of what there was.
    pub fn replace(&mut self, new: Vec<Sample>) {
        let key = |sample: &Sample| {
            let Sample { experiment, cell, system, hosts, seed, .. } = sample.clone();
            (experiment, hosts, cell, system, seed)
        };
        let mut all: BTreeMap<_, Sample> =
            std::mem::take(&mut self.0).into_iter().map(|sample| (key(&sample), sample)).collect();
        all.extend(new.into_iter().map(|sample| (key(&sample), sample)));
        self.0 = all.into_values().collect();
    }

    /// One line each.
    pub fn write(&self, file: &Path) -> Result<(), String> {
        let line = |sample: &Sample| serde_json::to_string(sample).map(|text| text + "\n");
        let text: String =
            self.0.iter().map(line).collect::<Result<_, _>>().map_err(|why| why.to_string())?;
        std::fs::write(file, text).map_err(|why| format!("{}: {why}", file.display()))
    }
}

/// One line more; what it stands for is sorted out when all are read.
pub fn append(file: &Path, sample: &Sample) -> Result<(), String> {
    use std::io::Write as _;
    let line = serde_json::to_string(sample).map_err(|why| why.to_string())? + "\n";
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .map_err(|why| why.to_string())?;
    file.write_all(line.as_bytes()).map_err(|why| why.to_string())
}

impl Sample {
    /// Of a trial of which nothing is measured yet.
    pub fn new(place: (&str, &str), system: &str, (hosts, seed): (usize, u64)) -> Self {
        Self {
            experiment: place.0.to_owned(),
            cell: place.1.to_owned(),
            system: system.to_owned(),
            hosts,
            seed,
            commit: None,
            figures: BTreeMap::new(),
        }
    }

    /// One number under this name.
    pub fn note(&mut self, name: &str, value: u64) {
        self.figures.entry(name.to_owned()).or_default().push(value);
    }
}

/// So many of a hundred values are no greater, by the nearest rank; none of no values.
pub fn percentile(values: &[u64], percent: usize) -> Option<u64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_values_are_no_greater_than_the_middle_one() {
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&[7], 50), Some(7));
        assert_eq!(percentile(&[9, 3], 50), Some(3));
        assert_eq!(percentile(&[9, 3], 99), Some(9));
        let hundred: Vec<u64> = (1..=100).collect();
        let at = [50, 99, 100].map(|percent| percentile(&hundred, percent));
        assert_eq!(at, [Some(50), Some(99), Some(100)]);
    }
}
