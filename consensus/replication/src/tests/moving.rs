//! Votes move between hosts (protocol 1.10): the stores that vote follow the ledger, and nothing that was said is lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use vocabulary::StoreId;

use super::lost::{all_speak, come_to, follower, says, stores, voters};
use super::mesh::Mesh;
use super::toy::{lives, votes};
use crate::settings::Settings;

/// Three keepers vote, and those up to `count` have an empty store each, of which they have told.
async fn with_spares(count: u8) -> Arc<Mesh> {
    let mesh = Mesh::founded(3, Settings::default()).await;
    for spare in 4..=count {
        mesh.start_as(spare, StoreId(spare.into())).await;
    }
    all_speak(&mesh, count).await;
    mesh
}

/// Waits until one of these keepers leads.
async fn leads_among(mesh: &Mesh, keepers: &[u8]) {
    let look = async {
        while !keepers.contains(&mesh.leader().await) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(30), look).await.expect("one of them leads within 30 s");
}

#[tokio::test(start_paused = true)]
async fn a_vote_moves_to_another_host_whoever_leads_and_nothing_is_lost() {
    for moves_leader in [false, true] {
        let mesh = with_spares(4).await;
        mesh.say("before").await;
        let leader = mesh.leader().await;
        let gone = if moves_leader { leader } else { follower(leader) };
        let stay: Vec<u8> = (1..=4).filter(|number| *number != gone).collect();
        says(&mesh, votes(&stay)).await;
        let rest: Vec<u64> = stay.iter().copied().map(u64::from).collect();
        come_to(&mesh, stay[0], &rest).await;
        let while_gone = mesh.say("moved").await;
        leads_among(&mesh, &stay).await;
        // What votes now is a majority without the one that is killed, and the new one is among it.
        mesh.kill(stay[0]).await;
        let last = mesh.say("after").await;
        for number in &stay[1..] {
            mesh.applied(*number, last).await;
            assert_eq!(mesh.said(*number), ["before", "moved", "after"]);
        }
        assert!(last > while_gone);
    }
}

#[tokio::test(start_paused = true)]
async fn three_keepers_become_five_and_three_others_are_left() {
    let mesh = with_spares(5).await;
    says(&mesh, votes(&[1, 2, 3, 4, 5])).await;
    come_to(&mesh, 1, &[1, 2, 3, 4, 5]).await;
    for gone in [1, 2] {
        mesh.kill(gone).await;
    }
    mesh.say("two of five are dead").await;
    says(&mesh, votes(&[3, 4, 5])).await;
    come_to(&mesh, 3, &[3, 4, 5]).await;
    mesh.kill(3).await;
    let last = mesh.say("one of three is dead, too").await;
    for number in [4, 5] {
        mesh.applied(number, last).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_keeper_whose_vote_has_moved_comes_back_disturbs_nobody_and_gets_a_vote_again() {
    let mesh = with_spares(4).await;
    let gone = follower(mesh.leader().await);
    let left = mesh.kill(gone).await;
    let stay: Vec<u8> = (1..=4).filter(|number| *number != gone).collect();
    says(&mesh, votes(&stay)).await;
    let rest: Vec<u64> = stay.iter().copied().map(u64::from).collect();
    come_to(&mesh, stay[0], &rest).await;
    let term = mesh.port(stay[0]).leadership().borrow().term;

    mesh.start(gone, left, Settings::default()).await.unwrap();
    assert!(!mesh.port(gone).is_left_behind(), "somebody may still speak to it");
    sleep(Duration::from_secs(20)).await;
    assert!(mesh.port(gone).is_left_behind());
    let own = mesh.port(gone).leadership().borrow().term;
    assert!(own > term, "it campaigns in vain while nobody tells it");
    mesh.port(gone).rest(true);
    sleep(Duration::from_secs(1)).await;
    let own = mesh.port(gone).leadership().borrow().term;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(mesh.port(gone).leadership().borrow().term, own, "law R12");
    assert_eq!(
        mesh.port(mesh.leader().await).leadership().borrow().term,
        term,
        "nobody was disturbed"
    );

    // Back in the place of the keeper that got its vote.
    says(&mesh, votes(&[1, 2, 3])).await;
    come_to(&mesh, stay[0], &[1, 2, 3]).await;
    mesh.port(gone).rest(false);
    let last = mesh.say("as before").await;
    mesh.applied(gone, last).await;
    assert!(!mesh.port(gone).is_left_behind());
}

#[tokio::test(start_paused = true)]
async fn a_keeper_whose_vote_was_taken_while_it_was_there_does_not_serve_and_leads_nothing() {
    let mesh = with_spares(4).await;
    let leader = mesh.leader().await;
    let stay: Vec<u8> = (1..=4).filter(|number| *number != leader).collect();
    says(&mesh, votes(&stay)).await;
    let rest: Vec<u64> = stay.iter().copied().map(u64::from).collect();
    come_to(&mesh, stay[0], &rest).await;
    sleep(Duration::from_secs(20)).await;
    let port = mesh.port(leader);
    assert!(!port.leadership().borrow().am_leader);
    assert!(!port.serves() || port.is_left_behind(), "its host follows others");
    assert!(port.propose(super::toy::word("too late")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn votes_wait_for_a_store_that_cannot_be_filled_and_move_back_without_it() {
    let mesh = with_spares(4).await;
    let leader = mesh.leader().await;
    for number in 1..=3 {
        mesh.cut(4, number);
    }
    says(&mesh, votes(&[leader, follower(leader), 4])).await;
    sleep(Duration::from_secs(30)).await;
    assert_eq!(voters(&mesh, leader), BTreeSet::from([1, 2, 3]), "law R4: it is not filled");
    assert!(stores(&mesh, leader).contains(&4));
    says(&mesh, votes(&[1, 2, 3])).await;
    come_to(&mesh, leader, &[1, 2, 3]).await;
    says(&mesh, votes(&[leader, follower(leader), 4])).await;
    mesh.mend();
    come_to(&mesh, leader, &[leader.into(), follower(leader).into(), 4]).await;
}

/// Nobody who leads is among the newest voters, nor was before the last change.
#[tokio::test(start_paused = true)]
async fn two_changes_at_once_are_both_followed_though_the_leaders_vote_goes_with_the_first() {
    let mesh = with_spares(5).await;
    let leader = mesh.leader().await;
    let [one, other] =
        [1, 2, 3].into_iter().filter(|number| *number != leader).collect::<Vec<u8>>()[..]
    else {
        panic!("two follow")
    };
    says(&mesh, votes(&[4, one, other])).await;
    says(&mesh, votes(&[4, 5, other])).await;
    come_to(&mesh, other, &[4, 5, other.into()]).await;
    let last = mesh.say("by the new ones").await;
    for number in [4, 5, other] {
        mesh.applied(number, last).await;
    }
    let mut state = mesh.port(4).watch();
    let told = state.wait_for(|toy| toy.had_votes.is_empty());
    timeout(Duration::from_secs(30), told).await.expect("the ledger is told").unwrap();
}

/// Law R6: the change, and the life of the new keeper, are known to the dead leader and to the new keeper; the third one has heard nothing
/// of them from Raft.
#[tokio::test(start_paused = true)]
async fn a_keeper_that_missed_the_change_elects_the_new_one_with_it() {
    let mesh = with_spares(4).await;
    let leader = mesh.leader().await;
    let behind = follower(leader);
    let gone = (1..=3).find(|number| *number != leader && *number != behind).unwrap();
    for number in [leader, gone, 4] {
        mesh.cut(behind, number);
    }
    says(&mesh, lives(4, 2, 4)).await;
    says(&mesh, votes(&[leader, behind, 4])).await;
    come_to(&mesh, leader, &[leader.into(), behind.into(), 4]).await;
    mesh.kill(leader).await;
    mesh.kill(gone).await;
    mesh.mend();
    let last = mesh.say("the two that are left").await;
    for number in [behind, 4] {
        mesh.applied(number, last).await;
    }
}
