//! Several keepers: what is acknowledged stays, who returns unseats nobody, who restarts begins a new term.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use openraft::raft::VoteRequest;
use tokio::time::{Instant, sleep};
use vocabulary::{LedgerIndex, LedgerTime, StoreId};

use super::mesh::{Mesh, sender};
use super::toy::{host, word};
use crate::disk::{DiskFault, FaultyDisk, MemoryDisk};
use crate::letter::{Body, Letter, Reply};
use crate::machine::Machine;
use crate::port::{InitialiseFault, ProposeFault, ReadFault};
use crate::raft::{SNAPSHOT_CHUNK_BYTES, Vote};
use crate::settings::Settings;
use crate::store::StoreFault;

async fn seconds(count: u64) {
    sleep(Duration::from_secs(count)).await;
}

#[tokio::test(start_paused = true)]
async fn a_single_keeper_founds_proposes_and_reads() {
    let mesh = Mesh::founded(1, Settings::default()).await;
    let (index, _) = mesh.port(1).propose(word("alone")).await.unwrap();
    assert_eq!(mesh.port(1).read_index().await, Ok(index));
    assert_eq!(mesh.said(1), ["alone"]);
    let again = BTreeMap::from([(StoreId(1), host(1))]);
    let founded = mesh.port(1).initialise(again).await;
    assert_eq!(founded, Err(InitialiseFault::AlreadyFounded));
}

#[tokio::test(start_paused = true)]
async fn an_unfounded_keeper_never_leads_however_long_it_waits() {
    let mesh = Arc::new(Mesh::default());
    let disk = MemoryDisk::default();
    mesh.start(1, disk, Settings::default()).await.unwrap();
    seconds(120).await;
    let led = *mesh.port(1).leadership().borrow();
    assert_eq!((led.leader, led.term, led.am_leader), (None, 0, false));
    assert!(!mesh.port(1).is_initialised());
    assert_eq!(
        mesh.port(1).propose(word("too early")).await,
        Err(ProposeFault::NotLeader { hint: None })
    );
}

#[tokio::test(start_paused = true)]
async fn a_killed_leader_is_replaced_and_no_acknowledged_word_is_lost() {
    for kills in 1..=4 {
        let mesh = Mesh::founded(3, Settings::default()).await;
        let mut acknowledged = Vec::new();
        for round in 0..kills {
            for count in 0..5 {
                let said = format!("{round}.{count}");
                mesh.say(&said).await;
                acknowledged.push(said);
            }
            let leader = mesh.leader().await;
            let disk = mesh.kill(leader).await;
            let began = Instant::now();
            let next = mesh.leader().await;
            assert_ne!(next, leader);
            assert!(began.elapsed() < Duration::from_millis(2_500), "{:?}", began.elapsed());
            mesh.start(leader, disk, Settings::default()).await.unwrap();
        }
        let last = mesh.say("last").await;
        acknowledged.push("last".to_owned());
        for number in 1..=3 {
            mesh.applied(number, last).await;
            assert_eq!(mesh.said(number), acknowledged, "keeper {number}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_restarted_leader_does_not_lead_on_in_its_old_term() {
    for count in [1, 3] {
        let mesh = Mesh::founded(count, Settings::default()).await;
        mesh.say("before").await;
        let leader = mesh.leader().await;
        let before = mesh.port(leader).leadership().borrow().term;
        let disk = mesh.kill(leader).await;
        mesh.start(leader, disk, Settings::default()).await.unwrap();
        let port = mesh.port(leader);
        let mut led = port.leadership();
        for _ in 0..2_000 {
            let now = *led.borrow_and_update();
            assert!(!(now.am_leader && now.term <= before), "{now:?}");
            sleep(Duration::from_millis(2)).await;
        }
        let next = mesh.leader().await;
        assert!(mesh.port(next).leadership().borrow().term > before);
        mesh.say("after").await;
        assert_eq!(mesh.said(next), ["before", "after"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_was_cut_off_unseats_nobody_when_it_returns() {
    for isolated_for in [1, 3, 10, 60] {
        let mesh = Mesh::founded(3, Settings::default()).await;
        let leader = mesh.leader().await;
        let term = mesh.port(leader).leadership().borrow().term;
        let lone = (1..=3).find(|number| *number != leader).unwrap();
        for other in (1..=3).filter(|number| *number != lone) {
            mesh.cut(lone, other);
        }
        seconds(isolated_for).await;
        assert_eq!(mesh.port(lone).leadership().borrow().leader, None);
        mesh.mend();
        let began = Instant::now();
        let index = mesh.say("on its return").await;
        assert!(began.elapsed() < Duration::from_millis(100), "no gap in writes");
        mesh.applied(lone, index).await;
        seconds(5).await;
        let led = *mesh.port(lone).leadership().borrow();
        assert_eq!((led.leader, led.term), (Some(host(leader)), term));
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_without_a_majority_knows_it_and_commits_nothing() {
    let settings = Settings { propose_within: Duration::from_secs(2), ..Settings::default() };
    let mesh = Mesh::founded(3, settings).await;
    let leader = mesh.leader().await;
    for other in (1..=3).filter(|number| *number != leader) {
        mesh.cut(leader, other);
    }
    let lost = mesh.port(leader).propose(word("into the void")).await;
    assert_eq!(lost, Err(ProposeFault::TimedOut));
    assert_eq!(mesh.port(leader).read_index().await, Err(ReadFault::NoMajority));
    let led = *mesh.port(leader).leadership().borrow();
    assert!(!led.am_leader && led.leader.is_none(), "{led:?}");
    let index = mesh.say("by the others").await;
    mesh.mend();
    mesh.applied(leader, index).await;
    seconds(2).await;
    assert_eq!(mesh.said(leader), ["by the others"]);
}

#[tokio::test(start_paused = true)]
async fn a_keeper_whose_disk_is_lost_does_not_vote_under_its_old_name() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    let leader = mesh.leader().await;
    let others: Vec<u8> = (1..=3).filter(|number| *number != leader).collect();
    mesh.say("kept by two at least").await;
    mesh.kill(leader).await;
    mesh.kill(others[0]).await;
    // It comes back with an empty disk, so under a new id: with the one that is left it is no majority.
    mesh.start_as(others[0], StoreId(50)).await;
    seconds(60).await;
    let led = *mesh.port(others[1]).leadership().borrow();
    assert!(!led.am_leader, "{led:?}");
    assert!(!mesh.port(others[0]).leadership().borrow().am_leader);
}

#[tokio::test(start_paused = true)]
async fn a_failing_sync_ends_a_keepers_voting_and_the_others_go_on() {
    let mesh = Arc::new(Mesh::default());
    let disk = MemoryDisk::default();
    let faulty = FaultyDisk::over(Arc::new(disk.clone()));
    let under = Arc::new(faulty.clone());
    let settings = Settings::default();
    mesh.start_over(1, disk, under, settings.clone()).await.unwrap();
    for number in [2, 3] {
        let disk = MemoryDisk::default();
        mesh.start(number, disk, settings.clone()).await.unwrap();
    }
    let voters = (1..=3).map(|number| (StoreId(u64::from(number)), host(number)));
    mesh.port(1).initialise(voters.collect()).await.unwrap();
    mesh.say("all well").await;
    faulty.fail(DiskFault::Syncs, 0);
    let mut acknowledged = 0;
    while acknowledged < 3 {
        match mesh.port(mesh.leader().await).propose(word("go on")).await {
            Ok(_) => acknowledged += 1,
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
    assert!(mesh.port(1).fault().borrow().is_some(), "it says so");
    assert!(!mesh.port(1).serves() && mesh.port(2).serves());
    faulty.fail(DiskFault::Syncs, u64::MAX);
    assert_eq!(mesh.port(1).propose(word("forgiven?")).await, Err(ProposeFault::Stopped));
    assert_eq!(mesh.port(1).leadership().borrow().leader, None);
    let vote = Body::Vote(VoteRequest::new(Vote::new(9, 2), None));
    let letter = wire::encode(&Letter { to: 1, from: 2, body: vote });
    let reply = mesh.port(1).on_raft(&letter, sender(host(2), 2)).await;
    let Ok(Reply::Refused(why)) = wire::decode(&reply) else { panic!("{reply:?}") };
    assert_eq!(why, "Raft has ended at this keeper", "nothing reaches what has ended");
    // One of the two others dies: two voices are needed, and the broken keeper's is none.
    mesh.kill(3).await;
    seconds(30).await;
    assert!(!mesh.port(2).leadership().borrow().am_leader);
}

#[tokio::test(start_paused = true)]
async fn ledger_time_never_runs_ahead_and_a_new_leader_starts_at_nothing() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    let began = Instant::now();
    let mut last = LedgerTime::default();
    for round in 0..4 {
        for _ in 0..3 {
            mesh.say("time passes").await;
            sleep(Duration::from_millis(700)).await;
        }
        let leader = mesh.leader().await;
        let time = mesh.port(leader).watch().borrow().time;
        let passed = u64::try_from(began.elapsed().as_millis()).unwrap();
        assert!(time >= last && time.as_milliseconds() <= passed, "round {round}");
        last = time;
        let disk = mesh.kill(leader).await;
        seconds(3).await;
        mesh.start(leader, disk, Settings::default()).await.unwrap();
    }
    assert!(last.as_milliseconds() >= 4 * 1_400, "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn the_leader_ticks_while_the_machine_wants_it_and_a_pause_counts_five_seconds_at_most() {
    let mesh = Mesh::founded(1, Settings::default()).await;
    mesh.say("quiet").await;
    seconds(60).await;
    mesh.say("tick").await;
    let time = mesh.port(1).watch().borrow().time;
    assert_eq!(time, LedgerTime::from_milliseconds(5_000), "a minute's calm counts 5 s");
    seconds(30).await;
    mesh.say("quiet").await;
    let (time, ticks) = {
        let watch = mesh.port(1).watch();
        let toy = watch.borrow();
        (toy.time.as_milliseconds(), toy.ticks)
    };
    assert!((34_000..=35_100).contains(&time), "{time}");
    assert!((29..=31).contains(&ticks), "{ticks}");
    seconds(30).await;
    assert_eq!(mesh.port(1).watch().borrow().ticks, ticks, "nothing runs, nothing ticks");
}

#[tokio::test(start_paused = true)]
async fn many_commands_share_entries_and_each_asker_gets_its_own_outcome() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    let port = mesh.port(mesh.leader().await);
    let mut asks = tokio::task::JoinSet::new();
    for number in 0..200 {
        let port = port.clone();
        asks.spawn(async move {
            let said = format!("word {number}");
            let (index, outcome) = port.propose(word(&said)).await.unwrap();
            (said, index, outcome)
        });
    }
    let done = asks.join_all().await;
    let state = port.watch().borrow().clone();
    let indices: BTreeSet<LedgerIndex> = done.iter().map(|(_, index, _)| *index).collect();
    assert!(indices.len() < 20, "{} entries for 200 commands", indices.len());
    for (said, _, outcome) in done {
        let place = state.said.iter().position(|word| *word == said).unwrap() as u64;
        let version = place + 1;
        assert_eq!(outcome, ledger::command::Outcome::Policy { version });
    }
    let huge = word(&"x".repeat(200 * 1024));
    assert!(matches!(port.propose(huge).await, Err(ProposeFault::TooLarge { .. })));
}

#[tokio::test(start_paused = true)]
async fn the_log_stays_bounded_and_a_late_keeper_is_helped_by_a_snapshot() {
    let settings = Settings { snapshot_every: 50, entries_kept: 10, ..Settings::default() };
    let mesh = Mesh::founded(3, settings.clone()).await;
    let leader = mesh.leader().await;
    let late = (1..=3).find(|number| *number != leader).unwrap();
    let disk = mesh.kill(late).await;
    let mut last = LedgerIndex(0);
    for number in 0..300 {
        last = mesh.say(&format!("word {number}")).await;
    }
    seconds(1).await;
    let kept = mesh.port(leader).entries_kept().await;
    assert!(kept < 200, "{kept} entries in the log");
    mesh.start(late, disk, settings.clone()).await.unwrap();
    mesh.applied(late, last).await;
    assert_eq!(mesh.said(late), mesh.said(leader));
    // And from its own snapshot after a restart.
    let disk = mesh.kill(late).await;
    mesh.start(late, disk, settings).await.unwrap();
    mesh.applied(late, last).await;
    assert_eq!(mesh.said(late), mesh.said(leader));
}

/// A snapshot goes in pieces, and a piece that is lost goes again: not those before it.
#[tokio::test(start_paused = true)]
async fn a_snapshot_goes_on_where_its_way_was_cut_while_writes_go_on() {
    let settings = Settings { snapshot_every: 50, entries_kept: 60, ..Settings::default() };
    let mesh = Mesh::founded(3, settings.clone()).await;
    let leader = mesh.leader().await;
    let late = (1..=3).find(|number| *number != leader).unwrap();
    let disk = mesh.kill(late).await;
    let word = "x".repeat(30 * 1024);
    for number in 0..200 {
        mesh.say(&format!("{number} {word}")).await;
    }
    seconds(1).await;
    let state = mesh.port(leader).watch().borrow().to_bytes().len();
    assert!(state > 20 * SNAPSHOT_CHUNK_BYTES, "{state} bytes are few pieces");
    mesh.slow(late, Duration::from_millis(1));
    let before = mesh.sent(late);
    mesh.start(late, disk, settings).await.unwrap();
    while mesh.sent(late) - before < state / 2 {
        mesh.say("meanwhile").await;
        sleep(Duration::from_millis(200)).await;
    }
    mesh.cut(leader, late);
    seconds(2).await;
    mesh.mend();
    let last = mesh.say("after").await;
    mesh.applied(late, last).await;
    assert_eq!(mesh.said(late), mesh.said(leader));
    let sent = mesh.sent(late) - before;
    assert!(sent < state + state / 4, "{sent} bytes were sent of a state of {state}");
}

#[tokio::test(start_paused = true)]
async fn a_new_keeper_joins_as_learner_and_becomes_a_voter() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    let before = mesh.say("before").await;
    let disk = MemoryDisk::default();
    mesh.start(4, disk, Settings::default()).await.unwrap();
    let port = mesh.port(mesh.leader().await);
    port.add_learner(StoreId(4), host(4)).await.unwrap();
    mesh.applied(4, before).await;
    let voters = (1..=4).map(StoreId).collect();
    port.change_voters(voters).await.unwrap();
    seconds(1).await;
    let voting = |(_, is_voter): &(_, bool)| *is_voter;
    assert_eq!(mesh.port(4).members().values().filter(|m| voting(m)).count(), 4);
}

#[tokio::test(start_paused = true)]
async fn rubbish_and_misdirected_letters_are_refused() {
    let mesh = Mesh::founded(1, Settings::default()).await;
    let term = mesh.port(1).leadership().borrow().term;
    for bytes in [vec![], vec![0xFF; 64], wire::encode(&(1_u64, 2_u64))] {
        mesh.port(1).on_raft(&bytes, sender(host(2), 2)).await;
    }
    assert_eq!(mesh.port(1).leadership().borrow().term, term);
    mesh.say("unmoved").await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_breaks_a_law_stops_every_keeper_and_moves_nothing() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    mesh.say("sound").await;
    let leader = mesh.port(mesh.leader().await);
    assert!(leader.propose(word("poison")).await.is_err());
    seconds(5).await;
    for number in 1..=3 {
        let port = mesh.port(number);
        assert!(!port.leadership().borrow().am_leader);
        assert_eq!(mesh.said(number), ["sound"]);
    }
    let fault = leader.fault().borrow().clone();
    assert!(matches!(fault, Some(StoreFault::Poison(_))), "{fault:?}");
}
