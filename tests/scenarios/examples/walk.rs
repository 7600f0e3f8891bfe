//! How long from a death to its doubt and to its verdict, in virtual time? Prints; asserts nothing.
//!
//! `cargo run --release -p hale-test-scenarios --example walk`: N = 6 (the demo's fleet) and N = 30 (three zones, two to a rack),
//! 20 seeds each, one host that does not lead. The seeds move the moment of death within the observers' slots as well.

use simulator::{Fault, Fleet, Setup, Whom};
use vocabulary::Span;

const SEEDS: u64 = 20;

/// What is measured of one death.
struct Sample {
    doubt_ms: u64,
    verdict_ms: u64,
}

fn main() {
    type Strike = fn(Vec<Whom>) -> Fault;
    let deaths: [(&str, Strike); 3] = [
        ("SIGKILL, AgentDown (aim 2,500)", Fault::Kill),
        ("power off, HostDown (aim 4,000)", Fault::PowerOff),
        ("SIGSTOP, HostHung", Fault::Freeze),
    ];
    for hosts in [6, 30] {
        for (name, strike) in deaths {
            let samples: Vec<Sample> =
                (1..=SEEDS).filter_map(|seed| measure(hosts, seed, strike)).collect();
            let doubts = samples.iter().map(|sample| sample.doubt_ms).collect();
            let verdicts = samples.iter().map(|sample| sample.verdict_ms).collect();
            println!(
                "N = {hosts:>2}, {name}: {} of {SEEDS}; doubt {}; verdict committed {}",
                samples.len(),
                in_words(doubts),
                in_words(verdicts)
            );
        }
    }
}

fn measure(hosts: usize, seed: u64, strike: fn(Vec<Whom>) -> Fault) -> Option<Sample> {
    let setup = match hosts {
        6 => Setup::demo(seed),
        hosts => Setup::grid(hosts, 3, seed),
    };
    let mut fleet = Fleet::new(setup).ok()?;
    fleet.run(Span::seconds(40).plus(Span::milliseconds(seed * 137)));
    let leader = fleet.leader()?.to_owned();
    let names: Vec<String> = fleet.names().map(str::to_owned).collect();
    let others: Vec<&String> = names.iter().filter(|name| **name != leader).collect();
    let place = usize::try_from(seed).ok()? * 7 % others.len();
    fleet.strike(strike(vec![Whom::Named(others[place].clone())]));
    let began = fleet.now();
    let within = Span::seconds(30);
    let is_doubted = fleet.run_until(within, Fleet::is_any_doubted);
    let doubt_ms = fleet.now().since(began).as_milliseconds();
    let is_judged = fleet.run_until(within, |fleet| fleet.ledger().cases().next().is_some());
    let verdict_ms = fleet.now().since(began).as_milliseconds();
    (is_doubted && is_judged).then_some(Sample { doubt_ms, verdict_ms })
}

fn in_words(mut all: Vec<u64>) -> String {
    all.sort_unstable();
    let median = all.get(all.len() / 2).copied().unwrap_or_default();
    let most = all.last().copied().unwrap_or_default();
    format!("median {median} ms, at most {most} ms")
}
