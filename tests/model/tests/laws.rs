//! The whole model holds the laws as far as each search goes, and without any one of four safeguards it does not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::check::{Found, Search};
use model::judge::Law;
use model::likeness::Likeness;
use model::steps::Step;
use model::world::{Bounds, Seen, Variant, World};

/// Time alone: enough for a lease to run out, a takeover, and the remedy after it.
const TIME: Bounds = Bounds { units: 5, ..Bounds::SMALL };

fn search(bounds: Bounds, variant: Variant) -> Found {
    let found = Search::new(bounds, variant).run();
    println!("{variant:?} {bounds:?}: {found}");
    found
}

/// The shortest way to a breach, and which law it breaks.
fn breaks(bounds: Bounds, variant: Variant) -> Law {
    let found = search(bounds, variant);
    let way = found.broken.first().unwrap_or_else(|| panic!("{variant:?} was not found out"));
    way.breach.law
}

#[test]
fn whatever_comes_in_whatever_order_the_laws_hold() {
    let mut reached = BTreeSet::new();
    let mut worlds = 0;
    for bounds in Bounds::CORNERS {
        let found = search(bounds, Variant::Whole);
        assert!(found.broken.is_empty(), "{}", found.broken[0]);
        reached.extend(found.reached);
        worlds += found.worlds;
    }
    println!("{worlds} worlds in all");
    let missing: Vec<_> = Seen::NAMED.iter().filter(|(name, _)| !reached.contains(name)).collect();
    assert!(missing.is_empty(), "never reached: {missing:?}");
}

#[test]
fn subjects_that_do_not_compare_fences_feel_a_lower_one_after_a_higher() {
    assert_eq!(breaks(TIME, Variant::NoFenceCheck), Law::L2);
}

#[test]
fn orphans_that_do_not_count_let_two_be_repaired_at_once() {
    assert_eq!(breaks(TIME, Variant::OrphansNotCounted), Law::B1);
}

#[test]
fn without_a_margin_a_call_outlives_its_lease() {
    assert_eq!(breaks(TIME, Variant::NoMargin), Law::L3);
}

#[test]
fn without_a_last_look_a_subject_that_is_well_is_taken_for_broken() {
    let bounds = Bounds { units: 1, recoveries: 1, ..Bounds::SMALL };
    assert_eq!(breaks(bounds, Variant::NoLastLook), Law::V3);
}

/// Worlds that the search takes for one must have the same future: each step from either leads to worlds that are alike.
#[test]
fn worlds_that_are_alike_have_the_same_future() {
    let bounds = Bounds {
        units: 4,
        leaders: 1,
        renewals: 1,
        pauses: 1,
        recoveries: 1,
        restarts: 1,
        rungs: 2,
    };
    let mut known: BTreeMap<Likeness, BTreeSet<Likeness>> = BTreeMap::new();
    let mut compared = 0;
    // Deep first on some ways, so that far rooms are among what is compared.
    let mut next = VecDeque::from([World::new(bounds)]);
    let mut turn = 0_usize;
    while let Some(world) = if turn.is_multiple_of(8) { next.pop_front() } else { next.pop_back() }
    {
        turn += 1;
        let futures = futures(&world);
        let alike: BTreeSet<Likeness> = futures.iter().map(World::likeness).collect();
        match known.get(&world.likeness()) {
            Some(other) => {
                assert!(
                    *other == alike,
                    "alike, and their futures are not: {:?}",
                    world.likeness()
                );
                compared += 1;
            }
            None => {
                known.insert(world.likeness(), alike);
                next.extend(futures);
            }
        }
        if compared == 1_000 {
            return;
        }
    }
    panic!("only {compared} pairs were alike");
}

fn futures(world: &World) -> Vec<World> {
    let mut steps: Vec<Step> = Vec::new();
    world.steps(&mut steps);
    let taken = steps.into_iter().filter_map(|step| {
        let mut next = world.clone();
        next.take(step, Variant::Whole).then(|| {
            next.judge();
            next
        })
    });
    taken.collect()
}
