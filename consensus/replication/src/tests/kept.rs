//! A host starts with what it kept of the ledger (protocol 1.3): it fetches only what it lacks, and what it kept gives way.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use vocabulary::LedgerIndex;

use super::mesh::Mesh;
use super::toy::{Toy, luck, verifier};
use crate::follower::Follower;
use crate::kept::{KeptFault, keep, kept};
use crate::machine::Machine;
use crate::piece::Body;
use crate::port::FeedFault;
use crate::settings::Settings;

fn resumed(bytes: &[u8]) -> Follower<Toy> {
    Follower::resumed(Toy::default(), verifier(), kept(bytes).unwrap())
}

async fn kept_now(mesh: &Mesh) -> Vec<u8> {
    keep(&**mesh.port(mesh.leader().await).watch().borrow())
}

#[tokio::test(start_paused = true)]
async fn a_host_that_kept_its_ledger_fetches_only_what_it_lacks() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    for number in 0..40 {
        mesh.say(&format!("before {number}")).await;
    }
    let bytes = kept_now(&mesh).await;
    let stood = mesh.port(mesh.leader().await).watch().borrow().index();
    let last = mesh.say("after").await;
    let mut follower = resumed(&bytes);
    assert_eq!(follower.watch().borrow().said.len(), 40, "known before anybody has answered");
    assert!(follower.is_unconfirmed());
    for keeper in 1..=3 {
        mesh.applied(keeper, last).await;
        let (from, audit) = follower.wanted();
        assert_eq!(from, stood.next());
        let piece = mesh.port(keeper).follow(from, audit).next().await.unwrap();
        let Body::Entries { entries, .. } = &piece.body else {
            panic!("keeper {keeper} sends the whole state");
        };
        assert_eq!(entries.len(), 1, "the one that it lacks");
    }
    let (from, audit) = follower.wanted();
    let piece = mesh.port(1).follow(from, audit).next().await.unwrap();
    follower.take(&piece.to_bytes()).unwrap();
    assert!(!follower.is_unconfirmed());
    assert_eq!(**follower.watch().borrow(), **mesh.port(1).watch().borrow());
}

#[tokio::test(start_paused = true)]
async fn a_state_of_another_ledger_gives_way_whether_it_is_older_or_further_on() {
    let old = Mesh::founded(1, Settings::default()).await;
    old.say("of a ledger that is no more").await;
    let behind = kept_now(&old).await;
    for number in 0..60 {
        old.say(&format!("{number}")).await;
    }
    let beyond = kept_now(&old).await;
    let mesh = Mesh::founded(3, Settings::default()).await;
    for number in 0..20 {
        mesh.say(&format!("founded anew {number}")).await;
    }
    let leader = mesh.leader().await;
    for bytes in [behind, beyond] {
        let mut follower = resumed(&bytes);
        let (from, audit) = follower.wanted();
        let mut feed = mesh.port(leader).follow(from, audit);
        let last = mesh.port(leader).watch().borrow().index();
        while follower.upto() != last {
            let piece = timeout(Duration::from_secs(5), feed.next()).await;
            follower.take(&piece.expect("a leader knows better").unwrap().to_bytes()).unwrap();
        }
        assert_eq!(**follower.watch().borrow(), **mesh.port(leader).watch().borrow());
    }
}

/// Keepers apply one after the other: a host that stood a little further on than this one waits for it.
#[tokio::test(start_paused = true)]
async fn a_follower_that_is_ahead_of_a_slow_keeper_waits_for_it_a_little_and_then_asks_another() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    mesh.say("one").await;
    let leader = mesh.leader().await;
    let slow = (1..=3).find(|number| *number != leader).unwrap();
    for other in (1..=3).filter(|other| *other != slow) {
        mesh.cut(slow, other);
    }
    mesh.say("two").await;
    let mut follower = resumed(&kept_now(&mesh).await);
    let (from, audit) = follower.wanted();
    let mut feed = mesh.port(slow).follow(from, audit);
    let given_up =
        timeout(Duration::from_secs(9), feed.next()).await.expect("it does not wait for ever");
    assert_eq!(given_up.unwrap_err(), FeedFault::Beyond);
    let mut feed = mesh.port(slow).follow(from, audit);
    assert!(timeout(Duration::from_secs(4), feed.next()).await.is_err(), "nothing to send yet");
    mesh.mend();
    let last = mesh.say("three").await;
    while follower.upto() < last {
        follower.take(&feed.next().await.unwrap().to_bytes()).unwrap();
    }
    assert_eq!(follower.watch().borrow().said, ["one", "two", "three"]);
}

#[tokio::test(start_paused = true)]
async fn a_follower_too_far_behind_to_be_compared_is_sent_the_whole_state() {
    let mesh = Mesh::founded(1, Settings::default()).await;
    mesh.say("long ago").await;
    let bytes = kept_now(&mesh).await;
    for number in 0..60 {
        mesh.say(&format!("{number} {}", "x".repeat(20_000))).await;
    }
    sleep(Duration::from_secs(1)).await;
    let mut follower = resumed(&bytes);
    let (from, audit) = follower.wanted();
    let mut feed = mesh.port(1).follow(from, audit);
    let first = feed.next().await.unwrap();
    assert!(matches!(first.body, Body::Image(_)), "its digest is known no more");
    follower.take(&first.to_bytes()).unwrap();
    while follower.upto() == from.0.checked_sub(1).map_or(LedgerIndex(0), LedgerIndex) {
        follower.take(&feed.next().await.unwrap().to_bytes()).unwrap();
    }
    assert_eq!(**follower.watch().borrow(), **mesh.port(1).watch().borrow());
}

#[test]
fn bytes_that_are_damaged_cut_or_none_of_ours_are_a_named_fault() {
    let toy = Toy::default();
    let sound = keep(&toy);
    assert_eq!(kept::<Toy>(&sound), Ok(toy));
    assert_eq!(kept::<Toy>(b""), Err(KeptFault::Beginning));
    assert_eq!(
        kept::<Toy>(b"something else that is long enough to hold a seal"),
        Err(KeptFault::Beginning)
    );
    for bit in 0..sound.len() * 8 {
        let mut flipped = sound.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(kept::<Toy>(&flipped).is_err(), "bit {bit}");
    }
    let mut draw = luck(1);
    for _ in 0..50 {
        let cut = draw(sound.len() as u64) as usize;
        assert!(kept::<Toy>(&sound[..cut]).is_err(), "{cut} bytes");
    }
    // The bytes themselves: the beginning is part of the layout.
    assert_eq!(&sound[..12], b"hale kept 1\n");
    assert_eq!(sound[44..], Toy::default().to_bytes());
}
