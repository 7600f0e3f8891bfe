//! How the samples are told: a table for each figure, and a page of all.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::figures::Sample;
use crate::{cycles, lease, size};

const HEAD: &str = "# What the ledger costs\n
For whoever changes what a lease stands on, or sizes keepers. This page and every sample beside it (`ledger.jsonl`, one run a line) are
written by\n
```sh
just bench-ledger cycles --keep      # leases taken and given back by 1, 4 and 16 clients; beside it etcd, where it is installed
just bench-ledger size --keep        # 10,000 hosts and 1,000 open cases: to apply, to hold, to write down, to come back to
just bench-ledger lease --keep       # as root: from a verdict to the lease, among 12 real agents
```\n
Without `--keep` nothing is written. All are release builds, as they are shipped. The load is that of the minute before a run: runs of
`cycles` in a row leave some 3.5 behind on two cores by themselves; where it is higher somebody else wanted processor and disk, and the row
says nothing about the aim. What stands here was measured on two cores and an ext4 disk, nothing beside it.\n";

/// One question, and how its table is laid.
struct Told {
    figure: &'static str,
    about: &'static str,
    aim: &'static str,
    /// What of the aim the figures below do not reach, and why; empty where they do.
    not_reached: &'static str,
    columns: &'static [&'static str],
}

const TOLD: [Told; 3] = [
    Told {
        figure: cycles::FIGURE,
        about: "Three keepers in one process, each on a thread with the runtime of an agent, with the daemon's own QUIC under mutual TLS between \
                them on loopback, redb in two phases and fsync on a disk; clients are tasks on the leader's thread, as its agent is, each on a case \
                of its own. A cycle is `Offer`, `Accept` (the lease is acquired) and `Release`; every outcome is checked. A healer of another host \
                sends two of the three over one stream more, which is not in these figures. etcd: three members on loopback and the same disk, a \
                client for each connection to the leader, JSON over HTTP through etcd's own gateway: a lease granted, a key put under it where there is none (acquired), \
                the lease revoked. Entries, syncs and bytes are of all three keepers together; a sync's time is their mean.",
        aim: "at least twice etcd's cycles per second with 1 client, three times with 4 and with 16",
        not_reached: "with any. An entry takes 1.9 to 2.2 ms, whatever it holds, and a cycle three of them. Four syncs of them follow one another: \
                      redb syncs twice for each commit, and openraft 0.9 sends an entry to the others only once it is on the leader's own \
                      disk; etcd syncs once, on all members at the same time. The rest are hand-overs between threads and the way over \
                      QUIC. What waits together goes into one entry, so that sixteen clients take little longer than one",
        columns: &[
            "per_second",
            "cycle_p50_ms",
            "cycle_p99_ms",
            "acquire_p50_ms",
            "acquire_p99_ms",
            "entries_per_cycle",
            "syncs_per_entry",
            "sync_mean_ms",
            "kilobytes_per_entry",
        ],
    },
    Told {
        figure: size::FIGURE,
        about: "Hosts enrol with real certificates and boot, and each case stands on grounds that the ledger has judged, in entries of Raft on three \
                keepers. Applied is one command in an entry of its own, on one processor, as a keeper does: the state is copied, the entry applied, \
                the state before let go. `enrol` is the entry in which a host enters the roster and all seats are dealt again; `verdict` is one \
                host's, whose attestations are verified, and those on its observers that are down. Restart is one \
                keeper's in a process of its own, at a log nearly as long as it becomes before the next snapshot: the file is opened and all of \
                the log checked, the state read from the snapshot, the entries behind it applied again; the file is in the page cache. Memory is \
                what that process has grown by, pages of the file's own cache among it.",
        aim: "told, none set",
        not_reached: "",
        columns: &[
            "count",
            "apply_p50_us",
            "apply_p99_us",
            "apply_most_us",
            "ask_p50_us",
            "ask_most_us",
            "megabytes",
            "write_p50_ms",
            "read_p50_ms",
            "open_ms",
            "state_ms",
            "replay_ms",
            "total_ms",
            "memory_megabytes",
            "file_megabytes",
        ],
    },
    Told {
        figure: lease::FIGURE,
        about: "Real agents, each in a network namespace of its own, under a policy whose rule for `AgentDown` waits for nothing; one agent is killed \
                at a time. From the entry of the verdict to that of the healer's acceptance, by the leader's wall clock in the audit, to a \
                millisecond: two proposals, one of them over the network.",
        aim: "p50 at most 20 ms",
        not_reached: "",
        columns: &["count", "lease_p50_ms", "lease_p99_ms", "lease_most_ms"],
    },
];

/// The page.
pub fn page(samples: &[Sample]) -> String {
    let mut text = HEAD.to_owned();
    for told in &TOLD {
        let own: Vec<&Sample> =
            samples.iter().filter(|sample| sample.figure == told.figure).collect();
        let _ = write!(text, "\n## {}\n\n{}\n\n*Aim*: {}.\n\n", told.figure, told.about, told.aim);
        if own.is_empty() {
            text.push_str("Not measured yet.\n");
            continue;
        }
        if !told.not_reached.is_empty() {
            let _ = write!(text, "*Not reached*: {}.\n\n", told.not_reached);
        }
        text.push_str(&told.table(&own));
        if told.figure == cycles::FIGURE {
            text.push_str(&beside_etcd(&own));
        }
        let _ = write!(text, "\nhale as of {}.\n", commits(&own));
    }
    text
}

/// The table of one figure.
pub fn table(figure: &str, samples: &[Sample]) -> String {
    let own: Vec<&Sample> = samples.iter().filter(|sample| sample.figure == figure).collect();
    let told = TOLD.iter().find(|told| told.figure == figure);
    let table = told.map_or_else(String::new, |told| told.table(&own));
    if figure == cycles::FIGURE { table + &beside_etcd(&own) } else { table }
}

impl Told {
    /// A row for each cell and system: the median of its runs in each column, with the smallest and the largest behind it.
    fn table(&self, samples: &[&Sample]) -> String {
        let mut rows: BTreeMap<(&str, std::cmp::Reverse<&str>), Vec<&Sample>> = BTreeMap::new();
        for sample in samples {
            let row = (sample.cell.as_str(), std::cmp::Reverse(sample.system.as_str()));
            rows.entry(row).or_default().push(sample);
        }
        let has = |name: &&&str| samples.iter().any(|sample| sample.values.contains_key(**name));
        let columns: Vec<&&str> = self.columns.iter().filter(has).collect();
        let mut text = String::from("| cell | of | runs |");
        text.extend(columns.iter().map(|name| format!(" {} |", name.replace('_', " "))));
        text.push_str(" load |\n|---|---|---|");
        text.push_str(&"---|".repeat(columns.len() + 1));
        text.push('\n');
        for ((cell, system), own) in rows {
            let _ = write!(text, "| {cell} | {} | {} |", system.0, own.len());
            let cells = columns.iter().map(|name| format!(" {} |", spread(values(&own, name))));
            text.extend(cells);
            let load = own.iter().filter_map(|sample| sample.load).collect();
            let _ = writeln!(text, " {} |", spread(load));
        }
        text
    }
}

fn values(samples: &[&Sample], name: &str) -> Vec<f64> {
    samples.iter().filter_map(|sample| sample.values.get(name)).copied().collect()
}

/// How many times etcd's rate hale's is, where both were measured in the same runs.
fn beside_etcd(samples: &[&Sample]) -> String {
    let mut rates: BTreeMap<&str, [Vec<f64>; 2]> = BTreeMap::new();
    for sample in samples {
        let which = usize::from(sample.system != "hale");
        let rate = sample.values.get("per_second").copied();
        rates.entry(&sample.cell).or_default()[which].extend(rate);
    }
    let times = |(cell, [hale, etcd]): (&&str, &[Vec<f64>; 2])| {
        let (hale, etcd) = (median(hale.clone())?, median(etcd.clone())?);
        Some(format!("{:.2} times with {cell}", hale / etcd))
    };
    let told: Vec<String> = rates.iter().filter_map(times).collect();
    if told.is_empty() {
        return "\netcd is not installed: not measured.\n".to_owned();
    }
    format!("\nBeside etcd, by the medians of cycles per second: {}.\n", told.join(", "))
}

fn commits(samples: &[&Sample]) -> String {
    let mut known: Vec<String> = samples
        .iter()
        .filter(|sample| sample.system == "hale")
        .map(|sample| {
            let commit = sample.commit.as_ref().map(|commit| format!("`{commit}`"));
            commit.unwrap_or_else(|| "a commit that was not noted".into())
        })
        .collect();
    known.sort();
    known.dedup();
    known.join(", ")
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

/// The middle one, and in brackets the least and the most where they differ from it.
fn spread(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (values.first().copied(), values.last().copied()) else {
        return "-".to_owned();
    };
    let middle = number(median(values).unwrap_or(least));
    let (least, most) = (number(least), number(most));
    if least == most { middle } else { format!("{middle} ({least} to {most})") }
}

/// Three digits that say something.
fn number(value: f64) -> String {
    if value >= 100.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(system: &str, run: u64, rate: f64) -> Sample {
        let mut sample = Sample::new((cycles::FIGURE, "01 clients"), system, run);
        (sample.load, sample.commit) = (Some(0.5), Some("abc".to_owned()));
        sample.note("per_second", rate);
        sample
    }

    #[test]
    fn a_row_is_the_median_of_its_runs_and_etcd_is_compared_only_where_it_was_measured() {
        let alone = [of("hale", 1, 90.0), of("hale", 2, 110.0), of("hale", 3, 100.0)];
        let told = table(cycles::FIGURE, &alone);
        assert!(told.contains("| 01 clients | hale | 3 | 100 (90 to 110) | 0.50 |"), "{told}");
        assert!(told.contains("etcd is not installed: not measured"), "{told}");
        let both = [of("hale", 1, 100.0), of("etcd", 1, 50.0)];
        let told = table(cycles::FIGURE, &both);
        assert!(told.contains("2.00 times with 01 clients"), "{told}");
        assert!(!told.contains("not installed"), "{told}");
    }

    #[test]
    fn the_page_says_of_what_nothing_was_measured() {
        let page = page(&[of("hale", 1, 100.0)]);
        assert_eq!(page.matches("Not measured yet.").count(), 2, "{page}");
        assert!(page.contains("hale as of `abc`."), "{page}");
    }
}
