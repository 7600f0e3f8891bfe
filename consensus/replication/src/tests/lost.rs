//! A keeper's store is lost: its host comes back with an empty one, as learner, then as voter (protocol 1.4).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use openraft::raft::{AppendEntriesRequest, InstallSnapshotRequest, VoteRequest};
use tokio::time::{sleep, timeout};
use vocabulary::{Boot, StoreId};

use super::mesh::{Mesh, sender};
use super::toy::{entry, host, lives, log_id, word};
use crate::letter::{Body, Letter, Reply};
use crate::machine::Machine as _;
use crate::port::Sender;
use crate::raft::{SnapshotMeta, Vote};
use crate::settings::Settings;

/// Every host says which store it has, as agents do.
pub(super) async fn all_speak(mesh: &Arc<Mesh>, count: u8) {
    for number in 1..=count {
        says(mesh, lives(number, 1, u64::from(number))).await;
    }
}

pub(super) async fn says(mesh: &Arc<Mesh>, command: ledger::command::Proposed) {
    while mesh.port(mesh.leader().await).propose(command.clone()).await.is_err() {
        sleep(Duration::from_millis(20)).await;
    }
}

pub(super) fn voters(mesh: &Mesh, number: u8) -> BTreeSet<u64> {
    let members = mesh.port(number).members();
    members.into_iter().filter(|(_, (_, votes))| *votes).map(|(store, _)| store.0).collect()
}

pub(super) fn stores(mesh: &Mesh, number: u8) -> BTreeSet<u64> {
    mesh.port(number).members().into_keys().map(|store| store.0).collect()
}

/// Waits until these stores, and no others, belong as this keeper knows it, and all of them vote.
pub(super) async fn come_to(mesh: &Mesh, number: u8, wanted: &[u64]) {
    let wanted: BTreeSet<u64> = wanted.iter().copied().collect();
    let look = async {
        while voters(mesh, number) != wanted || stores(mesh, number) != wanted {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let seen =
        || format!("{:?} of {:?}, not {wanted:?}", voters(mesh, number), stores(mesh, number));
    assert!(timeout(Duration::from_secs(60), look).await.is_ok(), "{}", seen());
}

pub(super) fn follower(leader: u8) -> u8 {
    (1..=3).find(|number| *number != leader).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_lost_store_is_followed_by_a_new_one_as_learner_then_as_voter_and_no_word_is_lost() {
    for loses_leader in [false, true] {
        let mesh = Mesh::founded(3, Settings::default()).await;
        all_speak(&mesh, 3).await;
        let before = mesh.say("before").await;
        for number in 1..=3 {
            mesh.applied(number, before).await;
        }
        let leader = mesh.leader().await;
        let lost = if loses_leader { leader } else { follower(leader) };
        mesh.kill(lost).await;
        mesh.say("while it was gone").await;
        mesh.start_as(lost, StoreId(50)).await;
        let others: Vec<u64> = (1..=3).filter(|number| *number != u64::from(lost)).collect();
        sleep(Duration::from_secs(10)).await;
        let one = u8::try_from(others[0]).unwrap();
        assert_eq!(stores(&mesh, one), BTreeSet::from([1, 2, 3]), "its host has not spoken");
        says(&mesh, lives(lost, 2, 50)).await;
        come_to(&mesh, one, &[others[0], others[1], 50]).await;
        // What it votes for now is a majority with one of the two others.
        mesh.kill(u8::try_from(others[1]).unwrap()).await;
        let last = mesh.say("with the new one").await;
        for number in [one, lost] {
            mesh.applied(number, last).await;
            assert_eq!(mesh.said(number), ["before", "while it was gone", "with the new one"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn until_it_is_filled_a_new_store_is_no_voice_and_without_a_majority_nothing_changes() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    all_speak(&mesh, 3).await;
    let leader = mesh.leader().await;
    let lost = follower(leader);
    let third = (1..=3).find(|number| *number != leader && *number != lost).unwrap();
    mesh.kill(lost).await;
    mesh.start_as(lost, StoreId(50)).await;
    // The new store cannot be reached, so it stays empty: a learner, and no more.
    mesh.cut(lost, leader);
    mesh.cut(lost, third);
    says(&mesh, lives(lost, 2, 50)).await;
    sleep(Duration::from_secs(30)).await;
    assert_eq!(voters(&mesh, leader), BTreeSet::from([1, 2, 3]));
    assert!(stores(&mesh, leader).contains(&50));
    mesh.kill(third).await;
    mesh.mend();
    sleep(Duration::from_secs(60)).await;
    assert!(!mesh.port(leader).leadership().borrow().am_leader, "one of three, and a learner");
    assert_eq!(voters(&mesh, leader), BTreeSet::from([1, 2, 3]), "law R5");
    assert!(mesh.port(lost).propose(word("too early")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_lost_again_before_it_is_filled_is_forgotten() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    all_speak(&mesh, 3).await;
    let leader = mesh.leader().await;
    let lost = follower(leader);
    mesh.kill(lost).await;
    says(&mesh, lives(lost, 2, 50)).await;
    sleep(Duration::from_secs(5)).await;
    assert!(stores(&mesh, leader).contains(&50));
    mesh.start_as(lost, StoreId(51)).await;
    says(&mesh, lives(lost, 3, 51)).await;
    let rest: Vec<u64> = (1..=3).filter(|store| *store != u64::from(lost)).collect();
    come_to(&mesh, leader, &[rest[0], rest[1], 51]).await;
}

#[tokio::test(start_paused = true)]
async fn a_change_that_its_leader_did_not_end_is_ended_by_the_next() {
    for after_ms in (0..4_000).step_by(900) {
        let mesh = Mesh::founded(5, Settings::default()).await;
        all_speak(&mesh, 5).await;
        let leader = mesh.leader().await;
        let lost = follower(leader);
        mesh.kill(lost).await;
        mesh.start_as(lost, StoreId(50)).await;
        says(&mesh, lives(lost, 2, 50)).await;
        sleep(Duration::from_millis(after_ms)).await;
        let left = mesh.kill(leader).await;
        mesh.say("led by another").await;
        let rest: Vec<u64> =
            (1..=5).filter(|store| *store != u64::from(lost)).chain([50]).collect();
        let next = mesh.leader().await;
        come_to(&mesh, next, &rest).await;
        mesh.start(leader, left, Settings::default()).await.unwrap();
        let last = mesh.say("all are back").await;
        mesh.applied(leader, last).await;
        mesh.applied(lost, last).await;
    }
}

fn boot(number: u64) -> Boot {
    Boot { number, nonce: 1 }
}

/// What keeper `to` answers to a letter of that store.
async fn answer(mesh: &Mesh, to: u8, from: Sender, (store, body): (u64, Body)) -> Reply {
    let letter = Letter { to: u64::from(to), from: store, body };
    wire::decode(&mesh.port(to).on_raft(&wire::encode(&letter), from).await).unwrap()
}

fn vote_for(store: u64) -> Body {
    Body::Vote(VoteRequest::new(Vote::new(90, store), Some(log_id(90, 9_000))))
}

fn entries_of(store: u64) -> Body {
    let prev_log_id = Some(log_id(90, 9_000));
    Body::Append(AppendEntriesRequest {
        vote: Vote::new_committed(90, store),
        prev_log_id,
        entries: vec![entry(90, 9_001, "not ours")],
        leader_commit: None,
    })
}

fn heartbeat(term: u64, store: u64) -> Body {
    Body::Append(AppendEntriesRequest {
        vote: Vote::new_committed(term, store),
        prev_log_id: None,
        entries: vec![],
        leader_commit: None,
    })
}

#[tokio::test(start_paused = true)]
async fn a_replaced_store_is_refused_and_so_is_any_that_its_hosts_life_does_not_have() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    all_speak(&mesh, 3).await;
    let leader = mesh.leader().await;
    let lost = follower(leader);
    mesh.kill(lost).await;
    mesh.start_as(lost, StoreId(50)).await;
    says(&mesh, lives(lost, 2, 50)).await;
    let rest: Vec<u64> = (1..=3).filter(|store| *store != u64::from(lost)).collect();
    come_to(&mesh, leader, &[rest[0], rest[1], 50]).await;
    let old = u64::from(lost);
    let with = |number, store| Sender {
        host: host(lost),
        boot: boot(number),
        store: Some(StoreId(store)),
        is_voter: None,
        had_a_vote: false,
        is_told: false,
    };
    let term = mesh.port(leader).leadership().borrow().term;
    for (why, from, letter) in [
        ("no member asks for a vote", with(3, old), (old, vote_for(old))),
        ("the life that is known has another store", with(2, old), (old, entries_of(old))),
        ("its hello names another store", with(2, 50), (old, entries_of(old))),
        ("its hello names another store", with(2, 50), (old, vote_for(old))),
        (
            "it is another host's",
            sender(host(lost), leader.into()),
            (u64::from(leader), entries_of(leader.into())),
        ),
    ] {
        let reply = answer(&mesh, leader, from, letter).await;
        assert!(matches!(reply, Reply::Refused(_)), "{why}: {reply:?}");
    }
    mesh.say("unmoved").await;
    assert_eq!(mesh.port(leader).leadership().borrow().term, term);
}

#[tokio::test(start_paused = true)]
async fn a_member_of_an_older_life_or_of_another_machine_is_refused_and_so_is_one_that_names_no_store()
 {
    let mesh = Mesh::founded(3, Settings::default()).await;
    let leader = mesh.leader().await;
    let other = follower(leader);
    says(&mesh, lives(other, 5, other.into())).await;
    let store = Some(StoreId(other.into()));
    let of = |boot, store| Sender {
        host: host(other),
        boot,
        store,
        is_voter: None,
        had_a_vote: false,
        is_told: false,
    };
    let twin = Boot { nonce: 2, ..boot(5) };
    // Far below any vote here: what is looked at is answered by openraft, and moves nothing.
    let old_vote = || Body::Vote(VoteRequest::new(Vote::new(0, other.into()), None));
    for (why, from, is_refused) in [
        ("the life that is committed", of(boot(5), store), false),
        ("one that the ledger does not know yet", of(boot(6), store), false),
        ("one that is over", of(boot(4), store), true),
        ("another machine's", of(twin, store), true),
        ("no store is named", of(boot(5), None), true),
    ] {
        let reply = answer(&mesh, leader, from, (other.into(), old_vote())).await;
        assert_eq!(matches!(reply, Reply::Refused(_)), is_refused, "{why}: {reply:?}");
    }
}

/// A chunk of a snapshot up to this entry.
fn chunk(upto: (u64, u64), (offset, bytes): (u64, usize)) -> Body {
    let last_log_id = Some(log_id(upto.0, upto.1));
    Body::Image(InstallSnapshotRequest {
        vote: Vote::new_committed(90, 2),
        meta: SnapshotMeta { last_log_id, snapshot_id: "s".to_owned(), ..SnapshotMeta::default() },
        offset,
        data: vec![7; bytes],
        done: false,
    })
}

#[tokio::test(start_paused = true)]
async fn a_chunk_that_fits_no_snapshot_and_a_snapshot_that_contradicts_what_is_applied_are_refused()
{
    let mesh = Mesh::founded(3, Settings::default()).await;
    let last = mesh.say("applied").await;
    mesh.applied(1, last).await;
    let term = mesh.port(1).leadership().borrow().term;
    for (why, body) in [
        ("it is larger than a chunk", chunk((90, 9_000), (0, 256 * 1024 + 1))),
        ("it lies far away", chunk((90, 9_000), (1 << 40, 9))),
        ("it lies beyond any number", chunk((90, 9_000), (u64::MAX, 9))),
        ("its end is applied here as another entry", chunk((90, last.0), (0, 9))),
        ("its end is before what is applied here", chunk((90, 1), (0, 9))),
    ] {
        let reply = answer(&mesh, 1, sender(host(2), 2), (2, body)).await;
        assert!(matches!(reply, Reply::Refused(_)), "{why}: {reply:?}");
    }
    mesh.say("unmoved").await;
    assert_eq!(mesh.port(1).leadership().borrow().term, term);
}

#[tokio::test(start_paused = true)]
async fn law_r10_a_letter_of_a_term_that_nobody_can_have_reached_is_refused_whoever_sends_it() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    let term = mesh.port(1).leadership().borrow().term;
    for far in [term + (1 << 24) + 1, u64::MAX - 1, u64::MAX] {
        let vote = Body::Vote(VoteRequest::new(Vote::new(far, 2), None));
        for body in [heartbeat(far, 2), vote] {
            let reply = answer(&mesh, 1, sender(host(2), 2), (2, body)).await;
            assert!(matches!(reply, Reply::Refused(_)), "term {far}: {reply:?}");
        }
    }
    mesh.say("unmoved").await;
    assert_eq!(mesh.port(1).leadership().borrow().term, term);
}

#[tokio::test(start_paused = true)]
async fn a_keeper_that_is_behind_takes_entries_of_a_leader_it_cannot_know_yet() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    all_speak(&mesh, 3).await;
    let leader = mesh.leader().await;
    let late = follower(leader);
    let lost = (1..=3).find(|number| *number != leader && *number != late).unwrap();
    // It knows an earlier life of that host, with another store; not the one of which it is told now.
    let mut state = mesh.port(late).watch();
    state.wait_for(|machine| machine.boot_of(&host(lost)) == Some(boot(1))).await.unwrap();
    for other in [leader, lost] {
        mesh.cut(late, other);
    }
    let stranger = Sender { boot: boot(2), ..sender(host(lost), 50) };
    let reply = answer(&mesh, late, stranger, (50, entries_of(50))).await;
    assert!(matches!(reply, Reply::Append(_)), "{reply:?}");
    let reply = answer(&mesh, late, stranger, (50, vote_for(50))).await;
    assert!(matches!(reply, Reply::Refused(_)), "votes are another matter: {reply:?}");
}

/// A keeper's certificate makes nobody a keeper of this ledger.
#[tokio::test(start_paused = true)]
async fn law_r6_nothing_is_taken_from_a_host_that_does_not_carry_the_ledger() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    let last = mesh.say("acknowledged").await;
    mesh.applied(1, last).await;
    let term = mesh.port(1).leadership().borrow().term;
    let spare = sender(host(9), 90);
    for body in [heartbeat(term + 1, 90), entries_of(90), vote_for(90), chunk((90, 9_000), (0, 9))]
    {
        let reply = answer(&mesh, 1, spare, (90, body)).await;
        assert!(matches!(reply, Reply::Refused(_)), "{reply:?}");
    }
    assert_eq!(mesh.port(1).leadership().borrow().term, term);
    mesh.start_as(4, StoreId(40)).await;
    let knows = |is_voter| Sender { is_voter, ..spare };
    for (from, is_refused) in
        [(knows(Some(false)), true), (knows(Some(true)), false), (knows(None), false)]
    {
        let letter = Letter { to: 40, from: 90, body: entries_of(90) };
        let reply = mesh.port(4).on_raft(&wire::encode(&letter), from).await;
        let reply: Reply = wire::decode(&reply).unwrap();
        assert_eq!(matches!(reply, Reply::Refused(_)), is_refused, "{from:?}: {reply:?}");
    }
}

/// A term that was once reached by whatever means locks no empty store out.
#[tokio::test(start_paused = true)]
async fn law_r10_an_empty_store_finds_to_any_term_in_use_and_no_answer_raises_one_far() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    all_speak(&mesh, 3).await;
    for step in 1..=3 {
        let leader = mesh.leader().await;
        let other = u64::from(follower(leader));
        let body = heartbeat(step << 24, other);
        let reply =
            answer(&mesh, leader, sender(host(follower(leader)), other), (other, body)).await;
        assert!(matches!(reply, Reply::Append(_)), "{reply:?}");
        mesh.say("goes on").await;
    }
    let leader = mesh.leader().await;
    assert!(mesh.port(leader).leadership().borrow().term > 3 << 24);
    let lost = follower(leader);
    mesh.kill(lost).await;
    mesh.start_as(lost, StoreId(50)).await;
    says(&mesh, lives(lost, 2, 50)).await;
    let rest: Vec<u64> = (1..=3).filter(|store| *store != u64::from(lost)).collect();
    come_to(&mesh, leader, &[rest[0], rest[1], 50]).await;
}
