//! Votes of the ledger that move between hosts: by a person's order, and because a keeper is lost (protocol 1.10).

use std::collections::BTreeSet;

use ledger::command::{Command, Order, Outcome};
use shells::{Setup, World, play};
use vocabulary::{HostId, HostName, Zone};

/// Six hosts whose certificates all say keeper, and no policy: nobody is healed.
fn six_keepers(seed: u64) -> Setup {
    let mut setup = Setup::grid(6, 3, seed);
    for claims in &mut setup.hosts {
        claims.roles.keeper = true;
    }
    setup
}

/// h0, h1 and h2 vote.
async fn ready(world: &World) {
    let first = ["h0", "h1", "h2"].map(|name| HostName::new(name).expect("sound"));
    world.found_by(first.to_vec()).await;
    world.whole().await;
    world.run(12_000).await;
}

fn zone(world: &World, name: &str) -> Option<Zone> {
    world.ledger().roster().get(&world.id(name)).map(|entry| entry.claims.domain.zone())
}

fn order(why: &str) -> Order {
    Order { who: "a test".into(), why: why.into() }
}

async fn moves(world: &World, by: &str, (add, remove): (&[&str], &[&str])) {
    let ids = |names: &[&str]| names.iter().map(|name| world.id(name)).collect();
    let command = Command::MoveVotes { add: ids(add), remove: ids(remove), order: order("moved") };
    assert_eq!(world.propose(by, command).await, Ok(Outcome::Done));
}

async fn is_taken(world: &World, by: &str) -> bool {
    let paused = world.propose(by, Command::Pause(order("whether the ledger moves"))).await;
    matches!(paused, Ok(Outcome::Done | Outcome::Refused(_)))
}

/// Waits until the stores of these hosts vote, and no others.
async fn come_to(world: &World, names: &[&str]) {
    let wanted: BTreeSet<HostId> = names.iter().map(|name| world.id(name)).collect();
    let have_come = |world: &World| {
        let ledger = world.ledger();
        let voters: BTreeSet<HostId> = ledger.voters().iter().copied().collect();
        voters == wanted && ledger.have_votes_followed()
    };
    world.until(60, "the votes to move", have_come).await;
}

#[test]
fn a_person_moves_the_leaders_vote_to_a_spare_keeper_and_the_mesh_goes_on_with_it() {
    play(six_keepers(71), async |world| {
        ready(world).await;
        let leader = world.leader().expect("somebody leads");
        let stay: Vec<&str> =
            ["h0", "h1", "h2"].into_iter().filter(|name| *name != leader).collect();
        moves(world, "h5", (&["h3"], &[&leader])).await;
        come_to(world, &[stay[0], stay[1], "h3"]).await;
        world.until(60, "everybody to follow, the old leader too", World::is_whole).await;
        // The new one's vote is needed.
        world.kill(stay[0]);
        world.run(5_000).await;
        assert!(is_taken(world, "h5").await);
        world.start(stay[0]);
        world.until(60, "everybody to follow", World::is_whole).await;
    });
}

#[test]
fn three_keepers_become_five_of_which_two_may_die() {
    play(six_keepers(72), async |world| {
        ready(world).await;
        moves(world, "h0", (&["h3", "h4"], &[])).await;
        come_to(world, &["h0", "h1", "h2", "h3", "h4"]).await;
        world.kill("h0");
        world.kill("h1");
        world.until(30, "a leader", |world| world.leader_of("h5").is_some()).await;
        world.run(5_000).await;
        assert!(is_taken(world, "h5").await);
    });
}

#[test]
fn the_vote_of_a_dead_keeper_goes_to_a_spare_one_and_it_comes_back_as_a_spare() {
    play(six_keepers(73), async |world| {
        ready(world).await;
        let dead =
            ["h0", "h1", "h2"].into_iter().find(|name| Some(*name) != world.leader().as_deref());
        let dead = dead.expect("two follow");
        let successor =
            ["h3", "h4", "h5"].into_iter().find(|name| zone(world, name) == zone(world, dead));
        let successor = successor.expect("one in each zone");
        world.kill(dead);
        let has_moved = |world: &World| world.ledger().voters().contains(&world.id(successor));
        let took_ms = world.until(700, "its vote to move", has_moved).await;
        assert!(took_ms > 600_000, "not before ten minutes: {took_ms} ms");
        let stay = ["h0", "h1", "h2"].into_iter().filter(|name| *name != dead);
        let mut votes: Vec<&str> = stay.collect();
        votes.push(successor);
        come_to(world, &votes).await;
        world.start(dead);
        world.until(60, "it to follow as any host does", World::is_whole).await;
        world.run(20_000).await;
        // Back again, in the place of its successor, with the store that it had.
        moves(world, dead, (&[dead], &[successor])).await;
        come_to(world, &["h0", "h1", "h2"]).await;
        world.until(60, "everybody to follow", World::is_whole).await;
    });
}

/// Whoever followed the ledger through them finds another way: three hosts have no other stream.
#[test]
fn all_three_keepers_lose_their_votes_alive_and_nobody_loses_the_ledger() {
    let mut setup = Setup::grid(9, 3, 74);
    for claims in setup.hosts.iter_mut().take(6) {
        claims.roles.keeper = true;
    }
    play(setup, async |world| {
        ready(world).await;
        let leader = world.leader().expect("somebody leads");
        let followers: Vec<&str> =
            ["h0", "h1", "h2"].into_iter().filter(|name| *name != leader).collect();
        moves(world, "h5", (&["h3", "h4"], &followers)).await;
        come_to(world, &[&leader, "h3", "h4"]).await;
        moves(world, "h5", (&["h5"], &[&leader])).await;
        come_to(world, &["h3", "h4", "h5"]).await;
        world.until(30, "everybody to follow", World::is_whole).await;
        let leads = world.leader().expect("somebody leads");
        for _ in 0..30 {
            world.run(1_000).await;
            for name in world.names() {
                assert_eq!(world.leader_of(&name), Some(leads.clone()), "{name} knows who leads");
            }
        }
        assert!(is_taken(world, "h0").await);
        let know = |world: &World| {
            world.names().iter().all(|name| world.view(name).brake().pause.is_some())
        };
        world.until(5, "everybody to know it", know).await;
    });
}
