//! Keepers that die, come back, lose their disks, or whose disks fail; and the end of everybody at once.

use daemon::admin::mind::{Mind as _, NotCommitted};
use ledger::command::{Command, Order, Outcome};
use shells::{DiskFault, Setup, World, play};
use vocabulary::HostName;

use crate::faults::ready;

/// Six hosts of which h0, h1 and h2 are keepers, and no policy: nobody is healed.
fn six(seed: u64) -> Setup {
    Setup::grid(6, 3, seed)
}

async fn is_taken(world: &World, by: &str) -> bool {
    let order = Order { who: "a test".into(), why: "whether the ledger moves".into() };
    let paused = world.propose(by, Command::Pause(order)).await;
    matches!(paused, Ok(Outcome::Done | Outcome::Refused(_)))
}

/// The keepers that do not lead.
fn followers(world: &World) -> Vec<String> {
    let leader = world.leader();
    let keepers = ["h0", "h1", "h2"].map(str::to_owned);
    keepers.into_iter().filter(|name| Some(name) != leader.as_ref()).collect()
}

#[test]
fn a_keeper_comes_back_from_its_disk_in_a_new_life_of_the_same_store() {
    play(six(21), async |world| {
        ready(world).await;
        let keeper = followers(world).remove(0);
        let id = world.id(&keeper);
        let entry = |world: &World| world.ledger().roster().get(&id).cloned().expect("enrolled");
        let before = entry(world);
        world.kill(&keeper);
        world.run(6_000).await;
        world.start(&keeper);
        let is_back = |world: &World| entry(world).boot > before.boot && world.is_whole();
        world.until(30, "the keeper to be back", is_back).await;
        assert_eq!(entry(world).store, before.store);
        assert!(is_taken(world, &keeper).await);
    });
}

#[test]
fn a_keeper_whose_disk_fails_votes_no_more_and_follows_the_others() {
    play(six(22), async |world| {
        ready(world).await;
        let both = followers(world);
        let (broken, other) = (both[0].as_str(), both[1].as_str());
        world.fail_disk(broken, DiskFault::Syncs);
        assert!(is_taken(world, other).await, "two of three are a majority");
        world.until(20, "it to follow as any host does", World::is_whole).await;
        assert!(world.is_running(broken));
        world.kill(other);
        world.run(3_000).await;
        assert!(!is_taken(world, "h5").await, "one of three is none");
        world.start(other);
        world.until(30, "a leader", |world| world.leader_of("h5").is_some()).await;
        assert!(is_taken(world, "h5").await);
    });
}

#[test]
fn a_host_that_lost_its_disk_begins_a_life_above_the_one_the_mesh_knows() {
    play(six(23), async |world| {
        ready(world).await;
        let boot = |world: &World| {
            let ledger = world.ledger();
            ledger.roster().get(&world.id("h5")).and_then(|entry| entry.boot).expect("it booted")
        };
        for life in 2..=3 {
            world.kill("h5");
            world.run(1_000).await;
            world.start("h5");
            let is_committed = |world: &World| boot(world).number == life && world.is_whole();
            world.until(30, "its life is committed", is_committed).await;
        }
        let before = boot(world);
        world.kill("h5");
        world.lose_disk("h5");
        world.start("h5");
        world.until(30, "a higher boot", |world| boot(world) > before && world.is_whole()).await;
        assert_eq!(boot(world).number, before.number + 1);
    });
}

/// Law R5: with one keeper dead and another one's disk gone, the third does not know that anybody follows it.
#[test]
fn without_a_majority_no_empty_store_takes_a_lost_ones_place_and_with_one_it_does() {
    play(six(26), async |world| {
        ready(world).await;
        assert!(is_taken(world, "h5").await);
        let head = world.ledger().audit().head();
        let [lost, dead] = &followers(world)[..] else { panic!("three keepers") };
        let store = |world: &World| {
            let ledger = world.ledger();
            ledger.roster().get(&world.id(lost)).and_then(|entry| entry.store).expect("it has one")
        };
        // In its first life an empty disk could as well be a clone's, which is a person's matter (protocol 1.2).
        world.kill(lost);
        world.run(1_000).await;
        world.start(lost);
        world.until(60, "its second life", World::is_whole).await;
        world.run(2_000).await;
        let before = store(world);
        world.kill(lost);
        world.kill(dead);
        world.lose_disk(lost);
        world.start(lost);
        for _ in 0..40 {
            world.run(1_000).await;
            assert_eq!(store(world), before, "nothing changes without a majority");
            assert!(!world.is_whole(), "{}", world.picture());
        }
        world.start(dead);
        let is_replaced = |world: &World| store(world) != before && world.is_whole();
        world.until(120, "the new store to vote in the lost one's place", is_replaced).await;
        assert!(is_taken(world, "h5").await);
        let ledger = world.ledger();
        let same = ledger.audit_since(head.number - 1).next().map(|record| record.digest);
        assert_eq!(same, Some(head.digest), "what was acknowledged stands");
    });
}

#[test]
fn a_mesh_whose_every_agent_was_killed_goes_on_where_it_was() {
    play(six(24), async |world| {
        ready(world).await;
        assert!(is_taken(world, "h4").await);
        let head = world.ledger().audit().head();
        for name in world.names() {
            world.power_off(&name);
        }
        world.run(2_000).await;
        for name in world.names() {
            world.start(&name);
        }
        let grew = |world: &World| world.ledger().audit().head().number > head.number;
        let whole_ms =
            world.until(60, "the mesh to be whole", |world| grew(world) && world.is_whole()).await;
        println!("whole again after {whole_ms} ms");
        let ledger = world.ledger();
        let same = ledger.audit_since(head.number - 1).next().map(|record| record.digest);
        assert_eq!(same, Some(head.digest), "one history, not two");
    });
}

#[test]
fn a_keeper_that_only_knows_of_a_ledger_founds_no_second_one_and_says_what_it_knows_it_from() {
    play(Setup::grid(3, 3, 25), async |world| {
        let found = async |by: &'static str| {
            let names = vec![HostName::new(by).expect("sound")];
            world.ask(by, |mind| async move { mind.found(names).await }).await
        };
        while found("h0").await != Some(Ok(Outcome::Done)) {
            assert!(world.now_ms() < 60_000, "{}", world.picture());
            world.run(200).await;
        }
        world.until(30, "h1 to follow", |world| world.view("h1").is_founded()).await;
        let why = |told| match told {
            Some(Err(NotCommitted::Refused { why, .. })) => why,
            other => panic!("{other:?}"),
        };
        let known = why(found("h1").await);
        assert!(known.contains("knows of a ledger") && known.contains("ledger.kept"), "{known}");
        let exists = why(found("h0").await);
        assert!(exists.contains("a ledger exists already"), "{exists}");
    });
}

/// protocol 1.5: it still hears the other keepers, so that Raft alone would keep it.
#[test]
fn a_half_deaf_leader_gives_way_and_nothing_that_it_has_acknowledged_is_lost() {
    play(Setup::grid(9, 3, 25), async |world| {
        ready(world).await;
        let deaf = world.leader().expect("somebody leads");
        assert!(is_taken(world, &deaf).await);
        let head = world.ledger().audit().head();
        world.cut_one_way(&["h3", "h4", "h5", "h6", "h7", "h8"], &[&deaf]);
        let leads = |world: &World| world.leader_of("h8").filter(|leader| *leader != deaf);
        let gave_way_ms = world.until(40, "another leader", |world| leads(world).is_some()).await;
        println!("gave way after {gave_way_ms} ms");
        assert!(is_taken(world, "h8").await);
        for _ in 0..20 {
            world.run(1_000).await;
            assert!(leads(world).is_some(), "the lead came back to deaf ears\n{}", world.picture());
        }
        world.mend();
        let is_over = |world: &World| world.is_settled() && world.is_whole();
        world.until(60, "the mesh to be whole", is_over).await;
        let ledger = world.ledger();
        let same = ledger.audit_since(head.number - 1).next().map(|record| record.digest);
        assert_eq!(same, Some(head.digest), "what was acknowledged stands");
    });
}
