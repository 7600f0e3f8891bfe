//! Networks that fall apart and come together again: nobody has died.

use std::collections::BTreeSet;

use simulator::{Fault, Whom};
use vocabulary::Span;

use super::{FOCA, HALE, Plan, Play, Trial, fleet};
use crate::mesh::Mesh;
use crate::rival::Rival;
use crate::samples::Sample;

const NAME: &str = "partition";
const HOSTS: usize = 128;
const LASTS: Span = Span::seconds(60);
/// Each rack of a rolling cut.
const TURN: Span = Span::seconds(10);
const TURNS: usize = 6;
const WAITS: Span = Span::seconds(60);

pub const PLAY: Play = Play {
    name: NAME,
    about: "All hosts live. For 60 s half of the hosts is cut off (no keeper among them, across all racks); or a zone of three; or one \
            rack; or two halves are cut from each other but for one host that reaches both; or six racks are cut off one after the \
            other, 10 s each. Racks of two and of five. Then every link carries again. The mesh is whole when nobody is doubted, every \
            host knows every other, and no case is open but a surge's, which waits for a person.",
    aim: "the minority begins nothing, no live host gets a host's verdict, each cut domain is one case, and the mesh is whole 10 s \
          after the heal",
    not_reached: "half a fleet cut off is a case of each rack that is dark as a whole, and of the others none; the person is called once, for the surge. A cut \
                  zone is two calls: its own, and that of the keeper which is cut off with it and cannot know of the other. Beside a bridge, with \
                  racks of two, two of ten seeds are whole after 12.8 s, for a reason that was not looked for yet",
    columns: &[
        "host_verdicts",
        "domain_cases",
        "remedies",
        "surges",
        "unsettled",
        "calls",
        "breaches",
        "whole_ms",
        "not_whole",
        "members_called_down",
        "forced_renewals",
    ],
    trials,
};

fn trials(plan: &Plan) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (racks, per_rack) in [("racks of two", 2), ("racks of five", 5)] {
        for cut in ["half", "zone", "rack", "bridge", "rolling"] {
            let name = format!("{cut}, {racks}");
            for seed in plan.seeds(HOSTS) {
                for system in [HALE, FOCA] {
                    let cell = name.clone();
                    let play = move || {
                        let sample = Sample::new((NAME, &cell), system, (HOSTS, seed));
                        let how = (cut, per_rack);
                        if system == HALE { mesh(sample, how) } else { rival(sample, how) }
                    };
                    let cell = name.clone();
                    trials.push(Trial { cell, hosts: HOSTS, play: Box::new(play) });
                }
            }
        }
    }
    trials
}

/// What is cut, one after the other, and for how long each.
fn cuts(cut: &str) -> (Vec<Fault>, Span) {
    let off = |whom: Whom| Fault::Cut { from: vec![whom], to: Vec::new(), both: true };
    match cut {
        "half" => (vec![off(Whom::Share(500))], LASTS),
        "zone" => (vec![off(Whom::NthZone(3))], LASTS),
        "rack" => (vec![off(Whom::NthRack(1))], LASTS),
        "bridge" => {
            let halves = |half: usize| (1..HOSTS).filter(move |number| number % 2 == half);
            let whom = |half: usize| halves(half).map(Whom::NthHost).collect();
            (vec![Fault::Cut { from: whom(0), to: whom(1), both: true }], LASTS)
        }
        _ => ((1..=TURNS).map(|rack| off(Whom::NthRack(rack))).collect(), TURN),
    }
}

fn mesh(mut sample: Sample, (cut, per_rack): (&str, usize)) -> Sample {
    let mut mesh = Mesh::new(fleet(HOSTS, per_rack, sample.seed));
    let struck = mesh.at();
    let (faults, lasts) = cuts(cut);
    for fault in faults {
        mesh.fleet.strike(fault);
        mesh.fleet.run(lasts);
        mesh.fleet.strike(Fault::Join);
    }
    match mesh.whole_after() {
        Some(span) => sample.note("whole_ms", span.as_milliseconds()),
        None => sample.note("not_whole", 1),
    }
    mesh.fleet.run(Span::seconds(10));
    mesh.note_verdicts(&mut sample, (struck, &BTreeSet::new()));
    mesh.note_falsehoods(&mut sample, &BTreeSet::new());
    sample
}

fn rival(mut sample: Sample, (cut, per_rack): (&str, usize)) -> Sample {
    let mut rival = Rival::new(&fleet(HOSTS, per_rack, sample.seed));
    let (faults, lasts) = cuts(cut);
    for fault in faults {
        rival.strike(&fault);
        rival.run(lasts);
        rival.strike(&Fault::Join);
    }
    let healed = rival.now();
    let step = Span::milliseconds(250);
    while !rival.is_full() && rival.now().since(healed) < WAITS.times(5) {
        rival.run(step);
    }
    if rival.is_full() {
        sample.note("whole_ms", rival.now().since(healed).as_milliseconds());
    } else {
        sample.note("not_whole", 1);
    }
    rival.note_falsehoods(&mut sample, &BTreeSet::new());
    sample
}
