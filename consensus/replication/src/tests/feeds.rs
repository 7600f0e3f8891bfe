//! Hosts that are no keepers see the same ledger.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use vocabulary::{Digest, LedgerIndex};

use super::mesh::Mesh;
use super::toy::{Toy, verifier};
use crate::follower::{Follower, TakeFault};
use crate::machine::Machine;
use crate::settings::Settings;

/// Feeds the follower from this keeper until it stands at `index`.
async fn feed(mesh: &Mesh, keeper: u8, follower: &mut Follower<Toy>, index: LedgerIndex) -> usize {
    let (from, audit) = follower.wanted();
    let mut feed = mesh.port(keeper).follow(from, audit);
    let mut pieces = 0;
    while follower.upto() < index {
        let piece = feed.next().await.unwrap();
        follower.take(&piece.to_bytes()).unwrap();
        pieces += 1;
    }
    pieces
}

#[tokio::test(start_paused = true)]
async fn a_follower_sees_what_the_keepers_see_and_goes_on_at_another_keeper() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    let mut follower = Follower::new(Toy::default(), verifier());
    for round in 0..3 {
        let index = mesh.say(&format!("round {round}")).await;
        let keeper = round % 3 + 1;
        feed(&mesh, keeper, &mut follower, index).await;
        mesh.applied(keeper, index).await;
        let watch = follower.watch();
        assert_eq!(**watch.borrow(), **mesh.port(keeper).watch().borrow());
    }
}

#[tokio::test(start_paused = true)]
async fn a_feed_waits_for_the_next_entry_and_gives_it_at_once() {
    let mesh = Mesh::founded(1, Settings::default()).await;
    let index = mesh.say("first").await;
    let mut feed = mesh.port(1).follow(index.next(), None);
    let early = timeout(Duration::from_secs(60), feed.next()).await;
    assert!(early.is_err(), "nothing new, nothing sent");
    let (piece, next) = tokio::join!(feed.next(), mesh.say("second"));
    assert_eq!(piece.unwrap().upto(), next);
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_is_far_behind_gets_the_state_in_parts() {
    let settings = Settings {
        snapshot_every: 20,
        entries_kept: 5,
        ..Settings::default()
    };
    let mesh = Mesh::founded(1, settings).await;
    let mut last = LedgerIndex(0);
    for number in 0..80 {
        let said = format!("{number} {}", "x".repeat(10_000));
        last = mesh.say(&said).await;
    }
    sleep(Duration::from_secs(1)).await;
    let mut follower = Follower::new(Toy::default(), verifier());
    let pieces = feed(&mesh, 1, &mut follower, last).await;
    assert!(pieces >= 3, "800 kB came in {pieces} pieces");
    assert_eq!(**follower.watch().borrow(), **mesh.port(1).watch().borrow());
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_has_diverged_is_sent_the_whole_state() {
    let mesh = Mesh::founded(1, Settings::default()).await;
    let index = mesh.say("truth").await;
    let mut feed = mesh.port(1).follow(index.next(), Some(Digest([1; 32])));
    mesh.say("more").await;
    let piece = feed.next().await.unwrap();
    let mut fresh = Follower::new(Toy::default(), verifier());
    fresh.take(&piece.to_bytes()).unwrap();
    assert_eq!(fresh.watch().borrow().said, ["truth", "more"]);

    let own = mesh.port(1).watch().borrow().audit();
    let last = mesh.port(1).watch().borrow().index();
    let mut feed = mesh.port(1).follow(last.next(), Some(own));
    mesh.say("most").await;
    let piece = feed.next().await.unwrap();
    fresh.take(&piece.to_bytes()).unwrap();
    assert_eq!(fresh.watch().borrow().said, ["truth", "more", "most"]);
}

#[tokio::test(start_paused = true)]
async fn a_piece_that_is_damaged_repeated_or_out_of_turn_moves_nothing() {
    let mesh = Mesh::founded(1, Settings::default()).await;
    let first = mesh.say("one").await;
    let mut follower = Follower::new(Toy::default(), verifier());
    let mut feed = mesh.port(1).follow(LedgerIndex(0), None);
    let one = feed.next().await.unwrap().to_bytes();
    mesh.say("two").await;
    let two = feed.next().await.unwrap().to_bytes();

    assert!(matches!(follower.take(&two), Err(TakeFault::Gap { .. })));
    for byte in 0..one.len() {
        let mut damaged = one.clone();
        damaged[byte] ^= 0x10;
        assert!(follower.take(&damaged).is_err(), "byte {byte}");
    }
    assert_eq!(follower.upto(), LedgerIndex(0));
    assert_eq!(follower.take(&one), Ok(first));
    assert!(matches!(follower.take(&one), Err(TakeFault::Gap { .. })));
    follower.take(&two).unwrap();
    assert_eq!(follower.watch().borrow().said, ["one", "two"]);
}
