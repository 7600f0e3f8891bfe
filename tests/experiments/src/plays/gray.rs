//! Hosts that are neither dead nor well, as far as a host can be looked at from outside today.

use std::collections::BTreeSet;

use simulator::tally::Judged;
use simulator::{Fault, Gives, Knocker, Plight, PortGives, Trouble, Ways, Whom};
use vocabulary::Span;

use super::{HALE, Plan, Play, Trial, first, fleet};
use crate::mesh::Mesh;
use crate::samples::Sample;

const NAME: &str = "gray";
const HOSTS: usize = 128;
const WAITS: Span = Span::seconds(60);

pub const PLAY: Play = Play {
    name: NAME,
    about: "One host for 60 s is frozen, stalled, slow, hard to reach in one way or another, or has a strange clock; or the ledger is \
            slow. Where a cell begins with `check`, the policy looks at a service from its peers, and at disk and resolver by the host's own \
            word, each at a port, every 5 s, three failures in a row: what these find is modelled. Whether a verdict on that host comes, and \
            when, `Unfit` from the 10 s on in which three runs can have failed; others judged are verdicts on anybody else.",
    aim: "what makes a host useless is found within 10 s, what does not is no verdict, and nobody else is judged",
    not_reached: "a host that loses 80 % both ways is not found, since its answers get through in the second of a look; it is doubted, graded, \
                  and after half a minute an unsettled case; a service that accepts and says nothing is well to a knock",
    columns: &[
        "verdict_ms",
        "missed",
        "others_judged",
        "remedies",
        "doubts",
        "members_called_down",
        "unsettled",
    ],
    trials,
};

const CELLS: [&str; 14] = [
    "agent frozen",
    "input and output stalled",
    "agent 500 ms slow",
    "agent 2 s slow",
    "sends nothing",
    "hears nothing",
    "loses 80 % both ways",
    "loses 30 % both ways",
    "link of 1 kB/s",
    "2 s late both ways",
    "clock leaps 30 s",
    "clock 5 % fast",
    "machine paused, uncounted",
    "ledger 2 s slow",
];

/// By peers a service; by the host's own word what only it can see, each as its own small server would tell at a port.
const CHECKS: &str = r#"
[[check]]
name = "service"
kind = "tcp"
port = 8080

[[check]]
name = "disk"
kind = "tcp"
port = 9001
from = "self"

[[check]]
name = "resolver"
kind = "tcp"
port = 9002
from = "self"
"#;

/// protocol 3.10: so long a check takes to fail three times, one run every five seconds.
const FAILS_WITHIN: Span = Span::seconds(10);

/// How a flapping service is: never three runs long in one state.
const FLAPS_EVERY: Span = Span::seconds(6);

/// What is looked at by a check, the port that says so, and what it gives to whom.
const CHECKED: [(&str, PortGives); 8] = [
    ("check: service dead", port(8080, Gives::Refuses, Knocker::Anybody)),
    ("check: service behind a filter", port(8080, Gives::Silent, Knocker::Anybody)),
    ("check: serves itself, not its peers", port(8080, Gives::Silent, Knocker::Peers)),
    ("check: service accepts and hangs", port(8080, Gives::Hangs, Knocker::Anybody)),
    ("check: service flaps", port(8080, Gives::Refuses, Knocker::Anybody)),
    ("check: disk slow, own word", port(9001, Gives::Silent, Knocker::Itself)),
    ("check: disk full, own word", port(9001, Gives::Refuses, Knocker::Itself)),
    ("check: resolver dead, own word", port(9002, Gives::Refuses, Knocker::Itself)),
];

const fn port(port: u16, gives: Gives, to: Knocker) -> PortGives {
    PortGives { port, gives, to }
}

fn trials(plan: &Plan) -> Vec<Trial> {
    let mut trials = Vec::new();
    for cell in CELLS {
        for seed in plan.seeds(HOSTS) {
            let play = move || mesh(Sample::new((NAME, cell), HALE, (HOSTS, seed)), cell);
            trials.push(Trial { cell: cell.to_owned(), hosts: HOSTS, play: Box::new(play) });
        }
    }
    for (cell, gives) in CHECKED {
        for seed in plan.seeds(HOSTS) {
            let play = move || checked(Sample::new((NAME, cell), HALE, (HOSTS, seed)), gives);
            trials.push(Trial { cell: cell.to_owned(), hosts: HOSTS, play: Box::new(play) });
        }
    }
    trials
}

fn fault(cell: &str, whom: Vec<Whom>) -> Fault {
    let befall = |plight: Plight| Fault::Befall { whom: whom.clone(), plight };
    let links = |trouble: Trouble, on: Ways| Fault::Links { trouble, on };
    match cell {
        "agent frozen" => Fault::Freeze(whom),
        "input and output stalled" => befall(Plight::Stall { lasts: WAITS, free: None }),
        "agent 500 ms slow" => befall(Plight::Slow(Span::milliseconds(500))),
        "agent 2 s slow" => befall(Plight::Slow(Span::seconds(2))),
        "sends nothing" => links(Trouble::Loss(1_000), Ways::From(whom)),
        "hears nothing" => links(Trouble::Loss(1_000), Ways::To(whom)),
        "loses 80 % both ways" => links(Trouble::Loss(800), Ways::Of(whom)),
        "loses 30 % both ways" => links(Trouble::Loss(300), Ways::Of(whom)),
        "link of 1 kB/s" => links(Trouble::Bandwidth(Some(1_000)), Ways::Of(whom)),
        "2 s late both ways" => links(Trouble::Latency(Span::seconds(2)), Ways::Of(whom)),
        "clock leaps 30 s" => befall(Plight::Jump(Span::seconds(30))),
        "clock 5 % fast" => befall(Plight::Drift(50)),
        "machine paused, uncounted" => befall(Plight::Suspend { lasts: WAITS, is_counted: false }),
        _ => Fault::Service(simulator::ServiceTrouble::Slow(Span::seconds(2))),
    }
}

fn mesh(mut sample: Sample, cell: &str) -> Sample {
    let whom = first(1);
    let mut mesh = Mesh::new(fleet(HOSTS, 2, sample.seed));
    let ill: BTreeSet<String> = mesh.fleet.meant(&whom).into_iter().collect();
    let struck = mesh.at();
    mesh.fleet.strike(fault(cell, whom));
    mesh.fleet.run(WAITS);
    mesh.note_verdicts(&mut sample, (struck, &ill));
    mesh.note_falsehoods(&mut sample, &ill);
    // Slow hosts and poor links are no trouble to the tally; here they are what was done to this host, and to nobody else.
    let verdicts = mesh.fleet.tally().verdicts;
    let is_of_others = |judged: &&Judged| judged.hosts.iter().any(|host| !ill.contains(host));
    sample.note("others_judged", verdicts.iter().filter(is_of_others).count() as u64);
    sample
}

/// One host's port gives something else, for good or by turns.
fn checked(mut sample: Sample, gives: PortGives) -> Sample {
    let whom = first(1);
    let mut mesh = Mesh::checked(fleet(HOSTS, 2, sample.seed), CHECKS);
    let ill: BTreeSet<String> = mesh.fleet.meant(&whom).into_iter().collect();
    let from = mesh.at().plus(FAILS_WITHIN);
    let serves = PortGives { gives: Gives::Serves, ..gives };
    let turns = if sample.cell.ends_with("flaps") {
        WAITS.as_milliseconds() / FLAPS_EVERY.as_milliseconds()
    } else {
        1
    };
    for turn in 0..turns {
        let gives = if turn % 2 == 0 { gives } else { serves };
        mesh.fleet.strike(Fault::Port { whom: whom.clone(), gives });
        mesh.fleet.run(Span::milliseconds(WAITS.as_milliseconds() / turns));
    }
    mesh.note_unfit(&mut sample, (from, &ill));
    mesh.note_falsehoods(&mut sample, &BTreeSet::new());
    sample
}
