//! Certificates that are renewed while everybody runs.

use shells::{Setup, World, play};
use vocabulary::VerdictKind;

use crate::faults::{is_healed_of, ready};

async fn nobody_doubts_anybody(world: &World, seconds: u64) {
    for _ in 0..seconds {
        world.run(1_000).await;
        assert_eq!(world.doubts().await, [], "{}", world.picture());
    }
}

/// Whether the ledger knows the key of each host's newest certificate.
fn is_every_key_known(world: &World) -> bool {
    let ledger = world.ledger();
    world.names().iter().all(|name| {
        let entry = ledger.roster().get(&world.id(name));
        entry.is_some_and(|entry| entry.keys.iter().any(|(_, key)| *key == world.key(name)))
    })
}

#[test]
fn certificates_are_renewed_on_every_host_while_the_mesh_runs_and_nobody_doubts_anybody() {
    play(Setup::grid(9, 3, 31).with_policy(&scenarios::policy(1)), async |world| {
        ready(world).await;
        for name in world.names() {
            let old = world.key(&name);
            world.renew(&name).await;
            assert_ne!(world.key(&name), old);
            nobody_doubts_anybody(world, 1).await;
        }
        nobody_doubts_anybody(world, 20).await;
        assert!(is_every_key_known(world), "{}", world.picture());
        assert!(world.is_settled() && world.is_whole());
        assert_eq!(world.ledger().closed_cases().count(), 0, "{}", world.picture());
        // The new keys speak: a verdict stands on them, and whoever starts anew is let in.
        world.kill("h7");
        is_healed_of(world, "h7", VerdictKind::AgentDown).await;
        assert!(world.is_running("h7"));
    });
}
