//! How fast a large fleet is played in calm, and what each of its hosts takes of memory? Prints; asserts nothing.
//!
//! `cargo run --profile fleet -p hale-test-scenarios --example scale [HOSTS..]`; without hosts: 1000 and 10000. Each fleet has a process
//! of its own, so that its peak of memory is its own; everybody is enrolled and known from the start, so that no join storm
//! hides what calm costs. The first [`WARM_UP`] is told apart: hosts dial, and calibrate their paths.

use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use simulator::{Fleet, Setup};
use vocabulary::Span;

/// The names of the modes in which this program starts itself.
const ALONE: &str = "--alone";

/// By then every host has its connections and has calibrated its paths.
const WARM_UP: Span = Span::seconds(20);

/// So much calm is measured.
const CALM: Span = Span::seconds(60);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, hosts] = words.as_slice()
        && mode == ALONE
    {
        return alone(hosts.parse().expect("a number of hosts"));
    }
    let hosts = if words.is_empty() { vec!["1000".into(), "10000".into()] } else { words };
    let me = std::env::current_exe().expect("this program has a path");
    let run = |hosts: &str| {
        let status = Command::new(&me).args([ALONE, hosts]).status().expect("it starts itself");
        assert!(status.success(), "the fleet of {hosts} came to its end");
    };
    hosts.iter().for_each(|hosts| run(hosts));
}

fn alone(hosts: usize) {
    let empty = peak_bytes();
    let began = processor_time();
    let mut fleet = Fleet::new(Setup::grid(hosts, 5, 1).settled()).expect("sound");
    let founded = processor_time();
    fleet.run(WARM_UP);
    let (warm, before, clock) = (processor_time(), fleet.happened(), Instant::now());
    fleet.run(CALM);
    let (calm, wall) = (processor_time() - warm, clock.elapsed());
    let seconds = CALM.as_milliseconds() / 1_000;
    let per_host = peak_bytes().saturating_sub(empty) / hosts as u64;
    println!(
        "N = {hosts}: {:.1} virtual seconds per second of one core in calm, {per_host} bytes per host, {} events per virtual second",
        seconds as f64 / calm.as_secs_f64(),
        (fleet.happened() - before) / seconds,
    );
    println!(
        "    founded in {:.1?}, the first {WARM_UP} in {:.1?}, {CALM} of calm in {calm:.1?} ({wall:.1?} by the wall); {} enrolled, doubted {}, entries {}, breaches {:?}",
        founded - began,
        warm - founded,
        fleet.ledger().roster().present_count(),
        fleet.is_any_doubted(),
        fleet.ledger().index(),
        fleet.breaches(),
    );
}

/// What this process has had of a processor, so that what else runs on the machine does not count; by the wall where the system
/// does not say.
fn processor_time() -> Duration {
    let nanoseconds = std::fs::read_to_string("/proc/self/schedstat").ok();
    let first = nanoseconds.as_deref().and_then(|text| text.split(' ').next()?.parse().ok());
    first.map_or_else(
        || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        Duration::from_nanos,
    )
}

/// The most memory this process ever held; 0 where the system does not say.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1_024
}
