//! What each host sends, in calm and while ten machines die at once.

use simulator::{Fault, Sent};
use vocabulary::Span;

use super::{FOCA, HALE, Plan, Play, Trial, fleet, in_racks_apart};
use crate::mesh::Mesh;
use crate::rival::Rival;
use crate::samples::{Sample, percentile};

const NAME: &str = "traffic";
const CALM: Span = Span::seconds(60);
const STORM: Span = Span::seconds(10);

pub const PLAY: Play = Play {
    name: NAME,
    about: "Bytes a second that a host sends: 60 s of calm, then the 10 s in which ten machines die. IP, UDP and QUIC heads are \
            modelled (62 bytes a packet), handshakes too; acknowledgements that travel alone, and Raft between keepers, are not. \
            foca's packets bear the same heads.",
    aim: "mean at most 1 kB/s in calm whatever N is; p99 at most 4 kB/s while ten die",
    not_reached: "while ten die, p99 is three to five times as much. By the rules each of the ten is looked at once a second by ten observers for as long as it \
                  is doubted, each with a fresh dial and two relays; which part of it weighs most has not been measured",
    columns: &["calm_mean", "calm_p99", "calm_max", "storm_mean", "storm_p99", "storm_max"],
    trials,
};

fn trials(plan: &Plan) -> Vec<Trial> {
    let mut trials = Vec::new();
    for hosts in [50, 128, 500, 1_000, 2_000] {
        // Calm differs little from seed to seed.
        for seed in plan.seeds(hosts).into_iter().take(3) {
            for system in [HALE, FOCA] {
                let play = move || {
                    let sample = Sample::new((NAME, "calm, then ten die"), system, (hosts, seed));
                    if system == HALE { mesh(sample) } else { rival(sample) }
                };
                let cell = "calm, then ten die".to_owned();
                trials.push(Trial { cell, hosts, play: Box::new(play) });
            }
        }
    }
    trials
}

fn mesh(sample: Sample) -> Sample {
    let setup = fleet(sample.hosts, 2, sample.seed);
    let die = in_racks_apart(&setup, 10);
    let mut mesh = Mesh::new(setup);
    let begun: Vec<Sent> = mesh.fleet.sent().collect();
    mesh.fleet.run(CALM);
    let calm: Vec<Sent> = mesh.fleet.sent().collect();
    mesh.fleet.strike(Fault::PowerOff(die));
    mesh.fleet.run(STORM);
    let storm: Vec<Sent> = mesh.fleet.sent().collect();
    note(sample, [&begun, &calm, &storm])
}

fn rival(sample: Sample) -> Sample {
    let setup = fleet(sample.hosts, 2, sample.seed);
    let die = in_racks_apart(&setup, 10);
    let mut rival = Rival::new(&setup);
    let begun = rival.sent();
    rival.run(CALM);
    let calm = rival.sent();
    rival.strike(&Fault::PowerOff(die));
    rival.run(STORM);
    let storm = rival.sent();
    note(sample, [&begun, &calm, &storm])
}

fn note(mut sample: Sample, [begun, calm, storm]: [&Vec<Sent>; 3]) -> Sample {
    for (name, from, to, span) in [("calm", begun, calm, CALM), ("storm", calm, storm, STORM)] {
        let rate = |(from, to): (&Sent, &Sent)| {
            (to.bytes - from.bytes).saturating_mul(1_000) / span.as_milliseconds()
        };
        let rates: Vec<u64> = from.iter().zip(to).map(rate).collect();
        let mean = rates.iter().sum::<u64>() / rates.len().max(1) as u64;
        sample.note(&format!("{name}_mean"), mean);
        sample.note(&format!("{name}_p99"), percentile(&rates, 99).unwrap_or(0));
        sample.note(&format!("{name}_max"), percentile(&rates, 100).unwrap_or(0));
    }
    sample
}
