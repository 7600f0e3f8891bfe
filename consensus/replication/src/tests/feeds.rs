//! Hosts that are no keepers see the same ledger.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use vocabulary::{Digest, LedgerIndex};

use super::mesh::Mesh;
use super::toy::{Toy, verifier};
use crate::follower::{Follower, TakeFault};
use crate::machine::Machine;
use crate::piece::Body;
use crate::port::{FeedFault, IMAGES_MAX};
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
    let settings = Settings { snapshot_every: 20, entries_kept: 5, ..Settings::default() };
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

/// A keeper whose state of 800 kB is all that it can send to whoever begins.
async fn purged() -> (Arc<Mesh>, LedgerIndex) {
    let settings = Settings { snapshot_every: 20, entries_kept: 5, ..Settings::default() };
    let mesh = Mesh::founded(1, settings).await;
    let mut last = LedgerIndex(0);
    for number in 0..80 {
        last = mesh.say(&format!("{number} {}", "x".repeat(10_000))).await;
    }
    sleep(Duration::from_secs(1)).await;
    (mesh, last)
}

#[tokio::test(start_paused = true)]
async fn however_many_fetch_the_whole_state_it_is_held_once_and_three_times_at_most() {
    let (mesh, last) = purged().await;
    let port = mesh.port(1);
    let mut first = Vec::new();
    for _ in 0..200 {
        let mut feed = port.follow(LedgerIndex(1), None);
        assert_eq!(feed.next().await.unwrap().upto(), last);
        first.push(feed);
    }
    assert_eq!(port.images_held(), 1);
    // Whoever stands beyond it cannot go on from it; each of these holds another one.
    let mut later = Vec::new();
    for round in 1..IMAGES_MAX {
        let beyond = mesh.say(&format!("round {round}")).await;
        let mut feed = port.follow(beyond.next(), Some(Digest([1; 32])));
        mesh.say("and one more").await;
        feed.next().await.unwrap();
        later.push(feed);
    }
    assert_eq!(port.images_held(), IMAGES_MAX);
    let beyond = mesh.say("the last").await;
    let mut waits = port.follow(beyond.next(), Some(Digest([1; 32])));
    mesh.say("and one more").await;
    assert_eq!(waits.next().await.unwrap_err(), FeedFault::Crowded);
    drop(later);
    let mut again = port.follow(LedgerIndex(beyond.0 + 1), Some(Digest([1; 32])));
    assert!(again.next().await.is_ok(), "there is room again");
}

#[tokio::test(start_paused = true)]
async fn who_takes_the_whole_state_in_too_slowly_gives_its_place_back() {
    let (mesh, _) = purged().await;
    let mut feed = mesh.port(1).follow(LedgerIndex(1), None);
    feed.next().await.unwrap();
    sleep(Duration::from_secs(149)).await;
    feed.next().await.unwrap();
    sleep(Duration::from_secs(2)).await;
    assert_eq!(feed.next().await.unwrap_err(), FeedFault::Slow);
    assert_eq!(mesh.port(1).images_held(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_follower_is_fed_from_memory_from_the_log_and_from_the_state_alike() {
    let mesh = Mesh::founded(1, Settings::default()).await;
    let mut indices = Vec::new();
    for number in 0..150 {
        let said = format!("{number} {}", "x".repeat(10_000));
        indices.push(mesh.say(&said).await);
    }
    let last = indices[149];
    // The oldest are no longer in memory, the newest are.
    let mut pieces = Vec::new();
    for start in [0, 60, 149] {
        let mut follower = Follower::new(Toy::default(), verifier());
        let mut early = mesh.port(1).follow(LedgerIndex(1), None);
        while start > 0 && follower.upto() < indices[start - 1] {
            follower.take(&early.next().await.unwrap().to_bytes()).unwrap();
        }
        pieces.push(feed(&mesh, 1, &mut follower, last).await);
        assert_eq!(**follower.watch().borrow(), **mesh.port(1).watch().borrow());
    }
    assert!(pieces[0] >= 2, "more than a message holds: {pieces:?}");
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_from_a_snapshot_no_entry_is_left_out_of_a_feed() {
    let settings = Settings { snapshot_every: 10, entries_kept: 5, ..Settings::default() };
    let mesh = Mesh::founded(1, settings.clone()).await;
    let mut follower = Follower::new(Toy::default(), verifier());
    let mut indices = Vec::new();
    for number in 0..34 {
        indices.push(mesh.say(&format!("{number}")).await);
        if number == 20 {
            feed(&mesh, 1, &mut follower, indices[20]).await;
        }
    }
    sleep(Duration::from_secs(1)).await;
    let disk = mesh.kill(1).await;
    mesh.start(1, disk, settings).await.unwrap();
    let last = mesh.say("after").await;
    // Whoever stands anywhere near the snapshot's end misses nothing.
    for from in 20..34 {
        let mut feed = mesh.port(1).follow(indices[from].next(), None);
        let piece = feed.next().await.unwrap();
        assert!(piece.upto() >= indices[from].next());
        if let Body::Entries { after, entries, .. } = &piece.body {
            assert_eq!(*after, indices[from]);
            let first = indices.get(from + 1).copied().unwrap_or(last);
            assert_eq!(entries[0].0, first, "from {from}");
        }
    }
    feed(&mesh, 1, &mut follower, last).await;
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
    assert_eq!(follower.take(&one), Ok(first), "what is known is passed over");
    follower.take(&two).unwrap();
    assert_eq!(follower.watch().borrow().said, ["one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn pieces_of_two_keepers_may_overlap() {
    let mesh = Mesh::founded(1, Settings::default()).await;
    let mut follower = Follower::new(Toy::default(), verifier());
    let mut brisk = mesh.port(1).follow(LedgerIndex(1), None);
    let mut lazy = mesh.port(1).follow(LedgerIndex(1), None);
    mesh.say("one").await;
    follower.take(&brisk.next().await.unwrap().to_bytes()).unwrap();
    let last = mesh.say("two").await;
    let both = lazy.next().await.unwrap();
    assert_eq!(follower.take(&both.to_bytes()), Ok(last));
    follower.take(&brisk.next().await.unwrap().to_bytes()).unwrap();
    assert_eq!(follower.watch().borrow().said, ["one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn states_of_two_keepers_may_arrive_in_turns() {
    let settings = Settings { snapshot_every: 20, entries_kept: 5, ..Settings::default() };
    let mesh = Mesh::founded(1, settings).await;
    for number in 0..80 {
        mesh.say(&format!("{number} {}", "x".repeat(10_000))).await;
    }
    sleep(Duration::from_secs(1)).await;
    let mut follower = Follower::new(Toy::default(), verifier());
    let mut one = mesh.port(1).follow(LedgerIndex(1), None);
    let begun = one.next().await.unwrap();
    follower.take(&begun.to_bytes()).unwrap();
    let last = mesh.say("one more").await;
    let mut other = mesh.port(1).follow(LedgerIndex(1), None);
    while follower.upto() < last {
        follower.take(&other.next().await.unwrap().to_bytes()).unwrap();
        follower.take(&one.next().await.unwrap().to_bytes()).unwrap();
    }
    assert_eq!(**follower.watch().borrow(), **mesh.port(1).watch().borrow());
}

/// protocol 1.11: what it has seen is another ledger's, and nothing of this one may stand behind it.
#[tokio::test(start_paused = true)]
async fn a_follower_that_claims_more_than_a_leader_has_is_told_nothing_beyond_its_claim() {
    let mesh = Mesh::founded(1, Settings::default()).await;
    let last = mesh.say("a word").await;
    mesh.applied(1, last).await;
    let claimed = LedgerIndex(last.0 + 5);
    let mut feed = mesh.port(1).follow(claimed.next(), None);
    let first = feed.next().await.expect("from its beginning");
    assert_eq!(first.upto(), last);
    let mut told = Vec::new();
    for number in 0..10 {
        mesh.say(&number.to_string()).await;
        match feed.next().await {
            Ok(piece) => told.push(piece.upto()),
            Err(fault) => {
                assert_eq!(fault, FeedFault::Beyond);
                assert!(told.iter().all(|upto| *upto < claimed), "{told:?}");
                return;
            }
        }
    }
    panic!("it is told {told:?}, beyond {claimed:?}");
}
