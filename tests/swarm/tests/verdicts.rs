//! Is every verdict safe, and does every dead host get one or the name of the rule that says no?
//!
//! Every fleet of one to nine hosts up to symmetry, as far as each family's bound goes; beyond it, and for 12, 30 and 120
//! hosts, drawn from seeds. `HALE_SWARM=full` raises the bounds: 41 million scenarios, half an hour of one core.

use std::collections::BTreeSet;

use detection::verdict::{VerifiedGrounds, conclude};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use swarm::verdicts::claims::Figures;
use swarm::verdicts::families::{
    Family, OF_CUTS, SINGLE, WITH_DEATHS, WITH_LIAR, WITH_TWINS, drawn, each_scenario,
};
use swarm::verdicts::layouts::{Layout, layouts};
use swarm::verdicts::scenario::Faults;
use swarm::verdicts::world::World;
use vocabulary::Grounds;

/// Every layout and scenario of a family in fleets of so many hosts.
fn all_of(family: &Family, hosts: usize) -> Figures {
    let mut figures = Figures::default();
    for layout in layouts(hosts) {
        let mut world = World::new(&layout);
        each_scenario(&layout, family.faults, &mut |scenario| {
            judge(&mut figures, &mut world, scenario);
        });
    }
    figures
}

/// So many scenarios of a family, drawn from a seed, in each of so many layouts.
fn some_of(family: &Family, layouts: &[Layout], draws: usize) -> Figures {
    let mut figures = Figures::default();
    for (seed, layout) in layouts.iter().enumerate() {
        let mut luck = ChaCha8Rng::seed_from_u64(u64::try_from(seed).expect("few layouts"));
        let mut world = World::new(layout);
        for _ in 0..draws {
            if let Some(scenario) = drawn(layout, family.faults, &mut luck) {
                judge(&mut figures, &mut world, &scenario);
            }
        }
    }
    figures
}

fn judge(figures: &mut Figures, world: &mut World, scenario: &Faults) {
    let ending = scenario.play(world);
    figures.judge(world, scenario, &ending);
    if scenario.is_duplicate {
        figures.judge_twins(world, scenario, &ending);
    }
}

fn is_full() -> bool {
    std::env::var("HALE_SWARM").is_ok_and(|text| text == "full")
}

fn visit(families: &[Family]) {
    let mut sum = Figures::default();
    for family in families {
        let whole = if is_full() { family.full_up_to } else { family.always_up_to };
        let draws = if is_full() { 200 } else { 5 };
        for hosts in 1..=9 {
            let (how, figures) = if hosts <= whole {
                ("all", all_of(family, hosts))
            } else {
                ("drawn", some_of(family, &layouts(hosts), draws))
            };
            println!("{}, {hosts} hosts, {how}: {figures}", family.name);
            sum.add(figures);
        }
    }
    println!("in all: {sum}");
    assert_eq!(sum.broken, 0, "{sum}");
}

#[test]
fn a_single_fault_in_a_small_fleet_is_judged_rightly() {
    visit(SINGLE);
}

#[test]
fn deaths_behind_a_cut_are_judged_rightly() {
    visit(WITH_DEATHS);
}

#[test]
fn one_liar_beside_another_fault_condemns_nobody_and_saves_nobody() {
    visit(WITH_LIAR);
}

#[test]
fn nothing_that_either_of_two_machines_under_one_name_says_condemns_or_saves() {
    visit(WITH_TWINS);
}

#[test]
fn two_cuts_condemn_nobody_within_reach() {
    visit(OF_CUTS);
}

/// Layouts of so many hosts: zones and racks of random sizes.
fn large(hosts: usize, count: u64) -> Vec<Layout> {
    let layout = |seed| {
        let mut luck = ChaCha8Rng::seed_from_u64(seed);
        let zones = luck.random_range(1..6);
        let rack_max = luck.random_range(1..hosts / 2);
        let mut layout: Layout = vec![Vec::new(); zones];
        let mut left = hosts;
        while left > 0 {
            let rack = luck.random_range(1..=rack_max.min(left));
            layout[luck.random_range(0..zones)].push(rack);
            left -= rack;
        }
        layout.retain(|zone| !zone.is_empty());
        layout
    };
    (0..count).map(layout).collect()
}

#[test]
fn larger_fleets_are_judged_rightly_where_they_were_drawn() {
    let mut sum = Figures::default();
    let factor = if is_full() { 20 } else { 1 };
    for (hosts, count, draws) in [(12, 30, 20), (30, 12, 10), (120, 4, 4)] {
        let layouts = large(hosts, count);
        let mut here = Figures::default();
        for family in [SINGLE, WITH_DEATHS, WITH_LIAR, WITH_TWINS, OF_CUTS].into_iter().flatten() {
            here.add(some_of(family, &layouts, draws * factor));
        }
        println!("all families, {hosts} hosts, drawn: {here}");
        sum.add(here);
    }
    assert_eq!(sum.broken, 0, "{sum}");
}

#[test]
fn grounds_that_are_verified_at_once_end_as_those_heard_one_by_one() {
    for (seed, layout) in layouts(7).iter().enumerate() {
        let mut luck = ChaCha8Rng::seed_from_u64(u64::try_from(seed).expect("few layouts"));
        let mut world = World::new(layout);
        let family = &WITH_LIAR[seed % WITH_LIAR.len()];
        let Some(faults) = drawn(layout, family.faults, &mut luck) else {
            continue;
        };
        let ending = faults.play(&mut world);
        let said = faults.said(&world, ending.side, ending.looked);
        let grounds = Grounds {
            anchor: World::anchor(),
            epoch: world.epoch(),
            attestations: said.words.iter().map(|word| world.attestation(*word)).collect(),
            answers: said.answers.iter().map(|&host| world.self_answer(host)).collect(),
        };
        let verified = VerifiedGrounds::verify(&grounds, &world.court());
        assert_eq!(conclude(world.fleet(), &verified, &BTreeSet::new()), ending.conclusions);
    }
}
