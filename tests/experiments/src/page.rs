//! How samples are told: a table for each experiment, a page of all.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::plays::{HALE, PLAYS, Play};
use crate::samples::{Sample, Samples, percentile};

/// Hosts, cell and system of one row.
type Row = (usize, String, std::cmp::Reverse<String>);

const HEAD: &str = "# How well hale tells the dead from the living\n
For whoever doubts a verdict, or changes something on which one rests. Whole agents of hale, and plain foca 2.0
(`Config::new_lan`), in virtual time on the same modelled network, under the same faults and seeds. This page and every
sample beside it (`detection.jsonl`, one trial a line) are written by\n
```sh
just experiments                              # all of them, ten seeds a cell: hours
just experiments crash loss --seeds 3         # some; what is played again replaces what was there
just experiments interval --quick             # one seed, printed and not kept
```\n
Every host stands in one of three zones, two to a rack unless said otherwise; one in each zone keeps the ledger. A way takes 1 to 3 ms. The policy
is the one of `hale simulate`'s library: it acts on `AgentDown`, `HostDown` and `HostHung`. No remedy has an effect here, so that what
is done to a host lasts. A verdict is false where one of its hosts was in no trouble when it was committed nor within 7 s before.
The network, the troubles and what they mean are those of [hale simulate](../operating/simulate.md).\n
In the tables a count is the mean over the seeds, with the most of any seed in brackets where that is another number; times
are p50 / p99 / most of all subjects and seeds. `-`: the figure means nothing there, or nothing was found.\n";

/// The page.
pub fn page(samples: &Samples) -> String {
    let mut text = HEAD.to_owned();
    for play in PLAYS {
        let own: Vec<Sample> =
            samples.0.iter().filter(|sample| sample.experiment == play.name).cloned().collect();
        let _ = write!(text, "\n## {}\n\n{}\n\n*Aim*: {}.\n\n", play.name, play.about, play.aim);
        if !play.not_reached.is_empty() && !own.is_empty() {
            let _ = write!(text, "*Not reached*: {}.\n\n", play.not_reached);
        }
        text.push_str(if own.is_empty() { "Not run yet.\n" } else { "" });
        if !own.is_empty() {
            text.push_str(&table(play, &own));
            let _ = write!(text, "\nhale as of {}.\n", commits(&own));
        }
    }
    text
}

/// At which commits hale was played, and how often at each: foca is the same whatever we change.
fn commits(samples: &[Sample]) -> String {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for sample in samples.iter().filter(|sample| sample.system == HALE) {
        let commit = sample.commit.as_ref().map(|commit| format!("`{commit}`"));
        *count
            .entry(commit.unwrap_or_else(|| "a commit that was not noted".into()))
            .or_default() += 1;
    }
    let words = count.iter().map(|(commit, count)| format!("{commit} ({count} trials)"));
    words.collect::<Vec<_>>().join(", ")
}

/// One experiment's table; columns that no sample has are left out.
pub fn table(play: Play, samples: &[Sample]) -> String {
    let mut rows: BTreeMap<Row, Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        let system = std::cmp::Reverse(sample.system.clone());
        rows.entry((sample.hosts, sample.cell.clone(), system)).or_default().push(sample);
    }
    let has = |name: &&&str| samples.iter().any(|sample| sample.figures.contains_key(**name));
    let columns: Vec<&&str> = play.columns.iter().filter(has).collect();
    let mut text = String::from("| N | cell | of | seeds |");
    let words = columns.iter().map(|name| format!(" {} |", name.replace('_', " ")));
    text.extend(words);
    text.push_str("\n|---|---|---|---|");
    text.push_str(&"---|".repeat(columns.len()));
    text.push('\n');
    for ((hosts, cell, system), own) in rows {
        let _ = write!(text, "| {hosts} | {cell} | {} | {} |", system.0, own.len());
        for name in &columns {
            let _ = write!(text, " {} |", figure(name, &own));
        }
        text.push('\n');
    }
    text
}

fn figure(name: &str, samples: &[&Sample]) -> String {
    let lists = samples.iter().filter_map(|sample| sample.figures.get(name));
    if name.ends_with("_ms") {
        let all: Vec<u64> = lists.flatten().copied().collect();
        let at = |percent: usize| percentile(&all, percent).map(seconds);
        return match (at(50), at(99), at(100)) {
            (Some(middle), Some(nearly), Some(most)) => format!("{middle} / {nearly} / {most} s"),
            _ => "-".into(),
        };
    }
    let sums: Vec<u64> = lists.map(|list| list.iter().sum()).collect();
    let Some(most) = sums.iter().max() else {
        return "-".into();
    };
    let total: u64 = sums.iter().sum();
    let tenths = total * 10 / sums.len() as u64;
    let mean = if tenths.is_multiple_of(10) || tenths >= 1_000 {
        (tenths / 10).to_string()
    } else {
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    if mean == most.to_string() { mean } else { format!("{mean} ({most})") }
}

/// With two digits behind the point.
fn seconds(milliseconds: u64) -> String {
    format!("{}.{:02}", milliseconds / 1_000, milliseconds % 1_000 / 10)
}
