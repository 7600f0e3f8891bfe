//! A network that loses three of ten: is anybody condemned, and is a true death still found?

use std::collections::BTreeSet;

use simulator::{Fault, Trouble, Ways, Whom};
use vocabulary::Span;

use super::{FOCA, HALE, Plan, Play, Trial, fleet, in_racks_apart};
use crate::mesh::Mesh;
use crate::rival::Rival;
use crate::samples::Sample;

const NAME: &str = "loss";
const LOSS: Trouble = Trouble::Loss(300);
const LASTS: Span = Span::seconds(60);
const WAITS: Span = Span::seconds(60);

pub const PLAY: Play = Play {
    name: NAME,
    about: "Every way between hosts loses 30 % of its datagrams for 60 s, or each host's link does at both ends (so that 51 % are \
            lost); then, under the same loss, one machine is switched off.",
    aim: "no verdict about a live host; the dead one is found within 10 s",
    not_reached: "",
    columns: &[
        "members_called_down",
        "doubts",
        "false_verdicts",
        "remedies_on_well",
        "surges",
        "verdict_ms",
        "first_ms",
        "all_ms",
        "missed",
        "not_told_all",
        "forced_renewals",
    ],
    trials,
};

fn trials(plan: &Plan) -> Vec<Trial> {
    let mut trials = Vec::new();
    for hosts in [50, 128] {
        for cell in ["every way", "both ends"] {
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

fn fault(cell: &str) -> Fault {
    let all = vec![Whom::Share(1_000)];
    let on = if cell == "every way" { Ways::From(all) } else { Ways::Of(all) };
    Fault::Links { trouble: LOSS, on }
}

fn mesh(mut sample: Sample, cell: &str) -> Sample {
    let setup = fleet(sample.hosts, 2, sample.seed);
    let dies = in_racks_apart(&setup, 1);
    let mut mesh = Mesh::new(setup);
    mesh.fleet.strike(fault(cell));
    mesh.fleet.run(LASTS);
    let ill: BTreeSet<String> = mesh.fleet.meant(&dies).into_iter().collect();
    let struck = mesh.at();
    mesh.fleet.strike(Fault::PowerOff(dies));
    mesh.fleet.run(WAITS);
    mesh.note_verdicts(&mut sample, (struck, &ill));
    mesh.note_falsehoods(&mut sample, &ill);
    sample
}

fn rival(mut sample: Sample, cell: &str) -> Sample {
    let setup = fleet(sample.hosts, 2, sample.seed);
    let dies = in_racks_apart(&setup, 1);
    let mut rival = Rival::new(&setup);
    rival.strike(&fault(cell));
    rival.run(LASTS);
    let ill = rival.who(&dies);
    let struck = rival.now();
    rival.strike(&Fault::PowerOff(dies));
    rival.run(WAITS);
    rival.note_found(&mut sample, (struck, &ill));
    rival.note_falsehoods(&mut sample, &ill);
    sample
}
