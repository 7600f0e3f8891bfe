//! Rapid's tables: links that are bad in one direction or by turns, and one pair that cannot speak.

use std::collections::{BTreeMap, BTreeSet};

use simulator::tally::Judged;
use simulator::{Fault, Trouble, Ways, Whom};
use vocabulary::{Span, VerdictKind};

use super::{FOCA, HALE, Plan, Play, Trial, first, fleet};
use crate::mesh::Mesh;
use crate::rival::Rival;
use crate::samples::Sample;

const NAME: &str = "rapid";
/// Of so many hosts one is faulty.
const ONE_IN: usize = 100;
const TURN: Span = Span::seconds(20);
const LASTS: Span = Span::seconds(900);
const TURNS: u64 = 22;

pub const PLAY: Play = Play {
    name: NAME,
    about: "For 900 s 1 % of the hosts lose all that comes in, 20 s on and 20 s off; or 80 % of what comes in and goes out; or one pair \
            of sound hosts hears nothing of each other. Called down, doubts and false verdicts are of the sound hosts.",
    aim: "exactly the faulty hosts are judged, no remedy on others; a blackholed pair gives no verdict",
    not_reached: "a host that loses 80 % both ways is not judged: within the second of a look one of many questions gets through, and its own signed answer \
                  forbids a verdict. It is one unsettled case and one call (protocol 3.6). The host that is deaf by turns is one case, opened again \
                  each time (protocol 3.8)",
    columns: &[
        "faulty_hosts",
        "faulty_judged",
        "most_verdicts_of_one",
        "false_verdicts",
        "remedies_on_well",
        "doubts",
        "members_called_down",
        "forced_renewals",
        "surges",
        "unsettled",
        "calls",
    ],
    trials,
};

fn trials(plan: &Plan) -> Vec<Trial> {
    let mut trials = Vec::new();
    for hosts in [128, 1_000] {
        for cell in ["ingress by turns", "80 % both ways", "one pair"] {
            for seed in plan.seeds(hosts) {
                for system in [HALE, FOCA] {
                    let play = move || {
                        let sample = Sample::new((NAME, cell), system, (hosts, seed));
                        if system == HALE { mesh(sample, cell) } else { rival(sample, cell) }
                    };
                    let cell = cell.to_owned();
                    trials.push(Trial { cell, hosts, play: Box::new(play) });
                }
            }
        }
    }
    trials
}

fn faulty(cell: &str, hosts: usize) -> Vec<Whom> {
    if cell == "one pair" { Vec::new() } else { first(hosts / ONE_IN) }
}

/// What is done, and how long until the next.
fn plan(cell: &str, hosts: usize) -> Vec<(Fault, Span)> {
    let whom = || faulty(cell, hosts);
    let loss = |permille: u32, on: Ways| Fault::Links { trouble: Trouble::Loss(permille), on };
    match cell {
        "ingress by turns" => (0..TURNS)
            .flat_map(|_| [1_000, 0].map(|permille| (loss(permille, Ways::To(whom())), TURN)))
            .collect(),
        "80 % both ways" => vec![(loss(800, Ways::Of(whom())), LASTS)],
        _ => {
            let one = |number: usize| vec![Whom::NthHost(number)];
            vec![(loss(1_000, Ways::Between(one(1), one(2))), LASTS)]
        }
    }
}

fn mesh(mut sample: Sample, cell: &str) -> Sample {
    let mut mesh = Mesh::new(fleet(sample.hosts, 2, sample.seed));
    let whom = faulty(cell, sample.hosts);
    let ill: BTreeSet<String> = mesh.fleet.meant(&whom).into_iter().collect();
    for (fault, lasts) in plan(cell, sample.hosts) {
        mesh.fleet.strike(fault);
        mesh.fleet.run(lasts);
    }
    let tally = mesh.fleet.tally();
    let is_of_host = |judged: &&Judged| judged.kind != VerdictKind::DomainDown;
    let mut verdicts: BTreeMap<&String, u64> = BTreeMap::new();
    for judged in tally.verdicts.iter().filter(is_of_host) {
        judged.hosts.iter().for_each(|host| *verdicts.entry(host).or_default() += 1);
    }
    let judged = ill.iter().filter(|host| verdicts.contains_key(host)).count();
    sample.note("faulty_hosts", ill.len() as u64);
    sample.note("faulty_judged", judged as u64);
    sample.note("most_verdicts_of_one", verdicts.values().copied().max().unwrap_or(0));
    mesh.note_falsehoods(&mut sample, &ill);
    sample
}

fn rival(mut sample: Sample, cell: &str) -> Sample {
    let mut rival = Rival::new(&fleet(sample.hosts, 2, sample.seed));
    let ill = rival.who(&faulty(cell, sample.hosts));
    for (fault, lasts) in plan(cell, sample.hosts) {
        rival.strike(&fault);
        rival.run(lasts);
    }
    let called: BTreeSet<usize> = rival.called.iter().map(|called| called.of).collect();
    sample.note("faulty_hosts", ill.len() as u64);
    sample.note("faulty_judged", ill.iter().filter(|place| called.contains(place)).count() as u64);
    rival.note_falsehoods(&mut sample, &ill);
    sample
}
