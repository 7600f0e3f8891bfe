//! Seals on the audit by whole agents (protocol 8.1).

use std::collections::BTreeSet;

use daemon::identity::certificate::RingVerifier;
use ledger::command::{Command, Order, Outcome};
use shells::{Setup, World, play};
use vocabulary::{HostId, HostName};

/// The first three of six hosts vote, and no other may.
async fn ready(world: &World) {
    let first = ["h0", "h1", "h2"].map(|name| HostName::new(name).expect("sound"));
    world.found_by(first.to_vec()).await;
    world.whole().await;
}

fn six(seed: u64) -> Setup {
    let mut setup = Setup::grid(6, 3, seed);
    for (place, claims) in setup.hosts.iter_mut().enumerate() {
        claims.roles.keeper = place < 3;
    }
    setup
}

/// Who vouches for what, by certificates that the cluster's authority has issued.
fn sealed(world: &World) -> Option<(u64, BTreeSet<HostId>)> {
    let ledger = world.ledger();
    let seal = ledger.seal()?;
    let signers = seal.judge(&seal.authorities, &RingVerifier).expect("laws AS1, AS2");
    Some((seal.place.number, signers.iter().map(|claims| claims.id()).collect()))
}

async fn pause(world: &World, why: &str) {
    let order = Order { who: "a test".into(), why: why.into() };
    let paused = world.propose("h0", Command::Pause(order)).await;
    assert!(matches!(paused, Ok(Outcome::Done)), "{paused:?}");
}

#[test]
fn what_has_become_true_is_sealed_by_all_voters_within_ten_minutes_and_a_quiet_mesh_seals_nothing()
{
    play(six(81), async |world| {
        ready(world).await;
        let voters: BTreeSet<HostId> = world.ledger().voters().iter().copied().collect();
        world.until(700, "the first seal", |world| sealed(world).is_some()).await;
        let all = |world: &World| sealed(world).is_some_and(|(_, signers)| signers == voters);
        world.until(60, "every voter's signature", all).await;
        assert_eq!(world.ledger().unsealed(), 0, "nothing happens in this mesh");
        let head = world.ledger().index();
        world.run(1_200_000).await;
        assert_eq!(world.ledger().index(), head, "no entry: there is nothing to seal");
        pause(world, "a drill").await;
        assert_eq!(world.ledger().unsealed(), 1);
        world.until(700, "the second seal", |world| world.ledger().unsealed() == 0).await;
        world.until(60, "every voter's signature", all).await;
    });
}

#[test]
fn a_voter_that_is_away_holds_no_seal_up_and_signs_the_newest_once_it_is_back() {
    play(six(82), async |world| {
        ready(world).await;
        let leader = world.leader().expect("somebody leads");
        let away = ["h0", "h1", "h2"].into_iter().find(|name| **name != leader);
        let away = away.expect("two follow");
        world.kill(away);
        world.until(800, "the first seal", |world| sealed(world).is_some()).await;
        let (_, signers) = sealed(world).expect("just seen");
        assert!(!signers.contains(&world.id(away)) && signers.len() == 2);
        world.start(away);
        let is_back = |world: &World| {
            sealed(world).is_some_and(|(_, signers)| signers.contains(&world.id(away)))
        };
        world.until(120, "its signature", is_back).await;
    });
}
