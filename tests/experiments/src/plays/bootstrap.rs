//! A mesh that nobody knew before: how soon does everybody know everybody?

use simulator::{Fleet, Setup};
use vocabulary::Span;

use super::{FOCA, HALE, Plan, Play, Trial, fleet};
use crate::rival::Rival;
use crate::samples::Sample;

const NAME: &str = "bootstrap";
const LOSS_PERMILLE: u32 = 10;
const STEP: Span = Span::milliseconds(500);
const STEPS: u32 = 240;

pub const PLAY: Play = Play {
    name: NAME,
    about: "All hosts start within 0.3 s (foca: within 1 s) and know the three keepers alone, at 1 % loss; from then until every host \
            has every other in its view, looked at every 0.5 s for 120 s at most. hale's hosts are enrolled meanwhile.",
    aim: "every view is full within 15 s at N = 1,000 and 20 s at N = 2,000",
    not_reached: "two seeds at N = 1,000 and one at N = 2,000 are played instead of three; these reach it. It was 34 s at N = 1,000 before a digest's \
                  room was kept for strangers that are not known yet, and before whoever finds its roster grown asks again within 5 s (protocol 4)",
    columns: &["full_ms", "not_full"],
    trials,
};

fn trials(plan: &Plan) -> Vec<Trial> {
    let mut trials = Vec::new();
    for hosts in [128, 1_000, 2_000] {
        for seed in plan.seeds(hosts) {
            for system in [HALE, FOCA] {
                let play = move || {
                    let sample = Sample::new((NAME, "all at once"), system, (hosts, seed));
                    if system == HALE { mesh(sample) } else { rival(sample) }
                };
                let cell = "all at once".to_owned();
                trials.push(Trial { cell, hosts, play: Box::new(play) });
            }
        }
    }
    trials
}

fn setup(sample: &Sample) -> Setup {
    let mut setup = fleet(sample.hosts, 2, sample.seed);
    setup.weather.loss_permille = LOSS_PERMILLE;
    setup
}

fn mesh(sample: Sample) -> Sample {
    let mut fleet = Fleet::new(setup(&sample)).expect("the fleet of an experiment is sound");
    let others = sample.hosts - 1;
    let is_full = move |fleet: &Fleet| {
        let knows_all = |name: &str| {
            let now = fleet.clock_of(name);
            fleet.agent(name).is_some_and(|agent| {
                agent.view(now).up.keys().filter(|host| fleet.name_of(host) != name).count()
                    == others
            })
        };
        fleet.names().all(knows_all)
    };
    note(sample, || {
        fleet.run(STEP);
        is_full(&fleet)
    })
}

fn rival(sample: Sample) -> Sample {
    let keepers = setup(&sample).hosts.iter().filter(|claims| claims.roles.keeper).count();
    let mut rival = Rival::strangers(&setup(&sample), (0..keepers).collect());
    note(sample, || {
        rival.run(STEP);
        rival.is_full()
    })
}

fn note(mut sample: Sample, mut step: impl FnMut() -> bool) -> Sample {
    let taken = (1..=STEPS).find(|_| step());
    match taken {
        Some(count) => sample.note("full_ms", STEP.times(u64::from(count)).as_milliseconds()),
        None => sample.note("not_full", 1),
    }
    sample
}
