//! Hosts that are neither dead nor well, as far as a host can be looked at from outside today.

use std::collections::BTreeSet;

use simulator::tally::Judged;
use simulator::{Fault, Plight, Trouble, Ways, Whom};
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
            slow. What needs a check of a service (stuck service, slow or full disk, dead DNS) is not played: those checks are not \
            built. Whether a verdict on that host comes, and when; others judged are verdicts on anybody else.",
    aim: "what makes a host useless is found within 10 s, what does not is no verdict, and nobody else is judged",
    not_reached: "a host that loses 80 % both ways is not found, since its answers get through in the second of a look; it is doubted, graded, \
                  and after half a minute an unsettled case",
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

fn trials(plan: &Plan) -> Vec<Trial> {
    let mut trials = Vec::new();
    for cell in CELLS {
        for seed in plan.seeds(HOSTS) {
            let play = move || mesh(Sample::new((NAME, cell), HALE, (HOSTS, seed)), cell);
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
