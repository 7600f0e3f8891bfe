//! Machines that are off at once: how soon is each found, by whom, and in how many entries?

use std::collections::BTreeSet;

use simulator::{Fault, Setup, Whom};
use vocabulary::Span;

use super::{FOCA, HALE, Plan, Play, Trial, fleet, in_racks_apart};
use crate::mesh::Mesh;
use crate::rival::Rival;
use crate::samples::Sample;

const NAME: &str = "crash";
/// hale is given so long; foca's slowest tails need more.
const MESH_WAITS: Span = Span::seconds(30);
const RIVAL_WAITS: Span = Span::seconds(60);

pub const PLAY: Play = Play {
    name: NAME,
    about: "Machines are switched off: one; ten in ten racks; a rack of two; a zone of three. For hale: from then to the committed \
            verdict on each, in how many entries, and what was judged. For foca: until the first member calls each down, and until \
            every living member has.",
    aim: "p50 at most 3 s, p99 at most 6 s, the same at every N of 12 and more; ten together are one entry; a rack or zone is one \
          case of the domain and no host's verdict",
    not_reached: "ten together are two or three entries: a subject that is due waits for others of its own zone alone (protocol 3.7). A zone of 333 \
                  is found as its racks are, as many in a second as it has rounds: p50 6.6 s, the last after 9.8 s; in one of three seeds its 166 \
                  racks were not one case at the end, since one host was missed. A zone of 667 is not played yet",
    columns: &[
        "verdict_ms",
        "first_ms",
        "all_ms",
        "missed",
        "not_told_all",
        "entries",
        "host_verdicts",
        "domain_cases",
        "false_verdicts",
        "members_called_down",
    ],
    trials,
};

fn trials(plan: &Plan) -> Vec<Trial> {
    let mut trials = Vec::new();
    for hosts in [12, 128, 1_000, 2_000] {
        for cell in ["one", "ten apart", "a rack", "a zone"] {
            // Ten of twelve are no part of a fleet.
            if hosts < 100 && cell == "ten apart" {
                continue;
            }
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

fn whom(setup: &Setup, cell: &str) -> Vec<Whom> {
    match cell {
        "one" => in_racks_apart(setup, 1),
        "ten apart" => in_racks_apart(setup, 10),
        "a rack" => vec![Whom::NthRack(1)],
        _ => vec![Whom::NthZone(3)],
    }
}

fn mesh(mut sample: Sample, cell: &str) -> Sample {
    let setup = fleet(sample.hosts, 2, sample.seed);
    let whom = whom(&setup, cell);
    let mut mesh = Mesh::new(setup);
    let ill: BTreeSet<String> = mesh.fleet.meant(&whom).into_iter().collect();
    let struck = mesh.at();
    mesh.fleet.strike(Fault::PowerOff(whom));
    mesh.fleet.run(MESH_WAITS);
    mesh.note_verdicts(&mut sample, (struck, &ill));
    mesh.note_falsehoods(&mut sample, &ill);
    sample
}

fn rival(mut sample: Sample, cell: &str) -> Sample {
    let setup = fleet(sample.hosts, 2, sample.seed);
    let whom = whom(&setup, cell);
    let mut rival = Rival::new(&setup);
    let ill = rival.who(&whom);
    let struck = rival.now();
    rival.strike(&Fault::PowerOff(whom));
    rival.run(RIVAL_WAITS);
    rival.note_found(&mut sample, (struck, &ill));
    rival.note_falsehoods(&mut sample, &ill);
    sample
}
