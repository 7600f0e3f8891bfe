//! Lifeguard's Interval experiment: hosts whose input and output stall, again and again, while their timers run.

use std::collections::BTreeSet;

use simulator::{Fault, Plight};
use vocabulary::Span;

use super::{FOCA, HALE, Plan, Play, Trial, first, fleet};
use crate::mesh::Mesh;
use crate::rival::Rival;
use crate::samples::Sample;

const NAME: &str = "interval";
const HOSTS: usize = 128;
const LASTS: Span = Span::seconds(120);
/// What is still to be concluded when the last stall is over.
const AFTER: Span = Span::seconds(20);

pub const PLAY: Play = Play {
    name: NAME,
    about: "C hosts stall together for D, are free for I, and so on for 120 s (Lifeguard's Interval experiment). Counted is what is \
            thought and done of the other 128 - C hosts; `by well` are opinions of those others alone. hale's \
            membership is a hint on which nothing rests, and takes its time (the dead \
            are called down after 40 to 80 s); foca's is its verdict, after some 10 s.",
    aim: "no verdict about a live host in reach and no remedy on one in any cell; over the whole matrix fewer false calls by \
          membership than 1 % of plain foca's",
    not_reached: "31 of 264 remedies, all where a stall lasts 32 s, began when their host's stall had just ended: they were decided by a \
                  last look while it lasted, and the call came after. Reached: no false verdict in 450 trials; false calls by membership are \
                  3,420 against foca's 963,509, 0.35 %",
    columns: &[
        "members_called_down",
        "members_called_down_by_well",
        "doubts",
        "doubts_by_well",
        "false_verdicts",
        "remedies_on_well",
        "true_verdicts",
        "remedies",
        "surges",
        "forced_renewals",
    ],
    trials,
};

fn trials(plan: &Plan) -> Vec<Trial> {
    let mut trials = Vec::new();
    for count in [1, 4, 8, 16, 32] {
        for stall in [2_000, 8_000, 32_000] {
            for free in [60, 1_000, 16_000] {
                let cell = format!("C={count:02} D={:02}s I={free:05}ms", stall / 1_000);
                let fault = Plight::Stall {
                    lasts: Span::milliseconds(stall),
                    free: Some(Span::milliseconds(free)),
                };
                for seed in plan.seeds(HOSTS) {
                    trials.push(trial(&cell, (count, fault), (HALE, seed)));
                    trials.push(trial(&cell, (count, fault), (FOCA, seed)));
                }
            }
        }
    }
    trials
}

fn trial(
    cell: &str,
    (count, plight): (usize, Plight),
    (system, seed): (&'static str, u64),
) -> Trial {
    let name = cell.to_owned();
    let play = move || {
        let sample = Sample::new((NAME, &name), system, (HOSTS, seed));
        if system == HALE { mesh(sample, count, plight) } else { rival(sample, count, plight) }
    };
    Trial { cell: cell.to_owned(), hosts: HOSTS, play: Box::new(play) }
}

fn mesh(mut sample: Sample, count: usize, plight: Plight) -> Sample {
    let whom = first(count);
    let mut mesh = Mesh::new(fleet(HOSTS, 2, sample.seed));
    let ill: BTreeSet<String> = mesh.fleet.meant(&whom).into_iter().collect();
    mesh.fleet.strike(Fault::Befall { whom: whom.clone(), plight });
    mesh.fleet.run(LASTS);
    mesh.fleet.strike(Fault::Befall { whom, plight: Plight::Unstall });
    mesh.fleet.run(AFTER);
    mesh.note_falsehoods(&mut sample, &ill);
    sample
}

fn rival(mut sample: Sample, count: usize, plight: Plight) -> Sample {
    let whom = first(count);
    let mut rival = Rival::new(&fleet(HOSTS, 2, sample.seed));
    let ill = rival.who(&whom);
    rival.strike(&Fault::Befall { whom: whom.clone(), plight });
    rival.run(LASTS);
    rival.strike(&Fault::Befall { whom, plight: Plight::Unstall });
    rival.run(AFTER);
    rival.note_falsehoods(&mut sample, &ill);
    sample
}
