//! Does any of 300 seeds break a law: random fleets, random faults, and in a quarter of them hosts that lie?
//!
//! `SWARM_FIRST=301 SWARM_SEEDS=1000` plays others. The large run, shrinking and replays: `cargo run -p hale-test-swarm`, see its head.

use std::ops::ControlFlow;

use swarm::fleets::drawing::{Mode, drawn};
use swarm::fleets::many::play_many;
use swarm::fleets::trial::play;

/// As many seeds as `.ci/run` plays, three of four without liars.
const SEEDS: u64 = 300;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn is_sound(mode: Mode, seeds: u64) {
    let first = number("SWARM_FIRST", 1);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let many = play_many(first..first + seeds, mode, threads, &|_, _| ControlFlow::Continue(()));
    println!("{mode:?}: {many:?}");
    let Some((seed, law)) = many.red.first() else {
        let shown = [many.ran.remedies, many.ran.moves, many.ran.sealed];
        assert!(
            seeds < SEEDS / 4 || !shown.contains(&0),
            "laws were looked at of nothing: {shown:?}"
        );
        return;
    };
    let flag = if mode == Mode::Insiders { " --insiders" } else { "" };
    panic!(
        "{} of {seeds} seeds are red, the first: seed {seed} breaks {law}\n\
         again: cargo run -p hale-test-swarm -- replay {seed}{flag}\n\
         smaller: cargo run -p hale-test-swarm -- --first {seed} --seeds 1{flag}\n{}",
        many.red.len(),
        drawn(*seed, mode).text()
    );
}

#[test]
fn no_faults_break_a_law_and_all_is_well_or_told_once_they_stop() {
    is_sound(Mode::Faults, number("SWARM_SEEDS", SEEDS) * 3 / 4);
}

#[test]
fn as_many_liars_as_a_subject_bears_break_no_law_beside_other_faults() {
    is_sound(Mode::Insiders, number("SWARM_SEEDS", SEEDS) / 4);
}

#[test]
fn law_t0_a_seed_gives_the_same_run_whenever_it_is_played() {
    for mode in [Mode::Faults, Mode::Insiders] {
        let plan = drawn(7, mode);
        assert_eq!(plan.text(), drawn(7, mode).text());
        let script = plan.script().expect("what is drawn is a script");
        assert_eq!(play(&script), play(&script));
    }
}
