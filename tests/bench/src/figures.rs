//! Samples, their median and maximum, and how they are printed.
//!
//! Law N6: every sample is printed with `--json`; a verdict that did not come is a sample too, and the longest of all.
//! Not here: taking samples (see `rest`, `fall`).

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Rises when a field changes its meaning.
    pub schema: &'static str,
    /// As it was called.
    pub command: Vec<String>,
    /// Which agent was measured.
    pub program: PathBuf,
    /// Whether this bench itself was built with optimisation; a bench that was not says nothing of a release.
    pub is_release: bool,
    /// Processors that the machine has.
    pub cores: Option<usize>,
    /// Seconds of the Unix epoch at the end.
    pub ended_at: Option<u64>,
    /// In the order in which they were measured.
    pub figures: Vec<Figure>,
}

/// One question and its samples.
#[derive(Debug, Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: &'static str,
    /// Of whom: `agent`, `keeper`, `host`.
    pub of: &'static str,
    /// The size of the mesh.
    pub hosts: usize,
    /// How often, or of how many agents.
    pub repetitions: usize,
    /// In what.
    pub unit: Unit,
    /// What it should be at most.
    pub aim: Aim,
    /// `null` where half of the samples are missed verdicts.
    pub median: Option<f64>,
    /// `null` where any verdict was missed.
    pub maximum: Option<f64>,
    /// Samples without a verdict.
    pub missed: usize,
    /// The machine's load average over a minute when it began: above `cores` others compete for the processor.
    pub load_before: Option<f64>,
    /// And when it ended.
    pub load_after: Option<f64>,
    /// `null`: the verdict did not come.
    pub samples: Vec<Option<f64>>,
}

/// What a sample counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Of 1,000,000 bytes.
    Megabytes,
    /// 100 is one core, wholly used.
    PercentOfCore,
    /// IP headers counted.
    BytesPerSecond,
    /// By a clock that only rises.
    Seconds,
}

/// What we want; for the eye alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// Nothing was promised.
    None,
    /// No sample above this.
    Each(f64),
    /// The median not above this.
    Median(f64),
}

impl Report {
    /// Of the figures of one run.
    pub fn of(program: PathBuf, figures: Vec<Figure>) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok();
        Self {
            schema: "hale.bench/1",
            command: std::env::args().collect(),
            program,
            is_release: !cfg!(debug_assertions),
            cores: thread::available_parallelism().map(usize::from).ok(),
            ended_at: now.map(|now| now.as_secs()),
            figures,
        }
    }
}

impl Figure {
    /// Without samples yet.
    pub fn begun(name: &'static str, of: &'static str, hosts: usize, unit: Unit) -> Self {
        Self {
            name,
            of,
            hosts,
            repetitions: 0,
            unit,
            aim: Aim::None,
            median: None,
            maximum: None,
            missed: 0,
            load_before: load(),
            load_after: None,
            samples: Vec::new(),
        }
    }

    /// With what we want of it.
    #[must_use]
    pub fn aimed(self, aim: Aim) -> Self {
        Self { aim, ..self }
    }

    /// Counted, after the last sample.
    #[must_use]
    pub fn ended(self) -> Self {
        let mut sorted = self.samples.clone();
        let rank = |sample: &Option<f64>| sample.unwrap_or(f64::INFINITY);
        sorted.sort_by(|one, other| rank(one).total_cmp(&rank(other)));
        Self {
            repetitions: sorted.len(),
            median: median(&sorted),
            maximum: sorted.last().copied().flatten(),
            missed: sorted.iter().filter(|sample| sample.is_none()).count(),
            load_after: load(),
            ..self
        }
    }
}

/// The middle one, or the mean of the two in the middle.
fn median(sorted: &[Option<f64>]) -> Option<f64> {
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return upper;
    }
    let lower = sorted[sorted.len() / 2 - 1];
    Some(f64::midpoint(lower?, upper?))
}

fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cores = self.cores.map_or("?".to_owned(), |cores| cores.to_string());
        writeln!(out, "{} on {cores} cores", self.program.display())?;
        if !self.is_release {
            writeln!(out, "this bench was built without --release: are you sure of the agent?")?;
        }
        let head = ["figure", "of", "N", "samples", "median", "maximum", "unit", "aim", "load"];
        row(out, head.map(str::to_owned))?;
        self.figures.iter().try_for_each(|figure| figure.row(out))
    }
}

impl Figure {
    fn row(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<f64>| number.map_or("-".to_owned(), |at| format!("{at:.2}"));
        let missed = match self.missed {
            0 => String::new(),
            missed => format!(" ({missed} missed)"),
        };
        let aim = match self.aim {
            Aim::None => "-".to_owned(),
            Aim::Each(aim) => format!("each {aim}"),
            Aim::Median(aim) => format!("median {aim}"),
        };
        let load = format!("{}-{}", number(self.load_before), number(self.load_after));
        row(
            out,
            [
                self.name.to_owned(),
                self.of.to_owned(),
                self.hosts.to_string(),
                format!("{}{missed}", self.repetitions),
                number(self.median),
                number(self.maximum),
                self.unit.sign().to_owned(),
                aim,
                load,
            ],
        )
    }
}

impl Unit {
    fn sign(self) -> &'static str {
        match self {
            Self::Megabytes => "MB",
            Self::PercentOfCore => "% of a core",
            Self::BytesPerSecond => "B/s",
            Self::Seconds => "s",
        }
    }
}

fn row(out: &mut fmt::Formatter<'_>, cells: [String; 9]) -> fmt::Result {
    let [name, of, hosts, samples, median, maximum, unit, aim, load] = cells;
    writeln!(
        out,
        "{name:<22} {of:<7} {hosts:>3} {samples:<14} {median:>9} {maximum:>9} {unit:<11} {aim:<11} {load}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(samples: &[Option<f64>]) -> Figure {
        let mut figure = Figure::begun("x", "host", 6, Unit::Seconds);
        figure.samples = samples.to_vec();
        figure.ended()
    }

    #[test]
    fn a_verdict_that_never_came_is_the_longest_of_all() {
        let figure = of(&[None, Some(2.0), Some(1.0)]);
        assert_eq!((figure.median, figure.maximum, figure.missed), (Some(2.0), None, 1));
        assert_eq!(of(&[None, Some(1.0)]).median, None);
        assert_eq!(of(&[Some(3.0), Some(1.0)]).median, Some(2.0));
        assert_eq!(of(&[]).median, None);
    }
}
