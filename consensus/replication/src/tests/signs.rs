//! What a keeper shows of itself while its disk stands still, and what becomes of input that makes a reader panic.

use std::sync::Arc;
use std::sync::mpsc;

use vocabulary::{Digest, LedgerIndex, StoreId};

use super::mesh::Mesh;
use super::toy::{Toy, verifier};
use crate::disk::FileDisk;
use crate::follower::{Follower, TakeFault};
use crate::machine::Machine;
use crate::piece::{Body, Part, Piece};
use crate::settings::Settings;
use crate::store::Store;

#[tokio::test]
async fn a_disk_that_stands_still_shows_a_job_begun_and_not_ended_and_what_waits_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FileDisk::open(&folder.path().join("store")).unwrap();
    let store = Store::open(Arc::new(disk), StoreId(7)).await.unwrap();
    let (pulse, queue) = (store.pulse(), store.queue().expect("a disk that waits has a thread"));
    assert!(!pulse.read().is_busy, "a store that was only opened rests");
    let (go_on, told) = mpsc::channel::<()>();
    let (began, has_begun) = tokio::sync::oneshot::channel();
    let (held, asked) = (store.clone(), store.clone());
    let standing = tokio::spawn(async move {
        let job = move |_: &mut _| {
            began.send(()).unwrap();
            told.recv().unwrap();
            Ok(())
        };
        held.ask(job).await
    });
    has_begun.await.unwrap();
    let (before, waiting) =
        (pulse.read(), tokio::spawn(async move { asked.ask(|_| Ok(())).await }));
    while (queue.used)() == 0 {
        tokio::task::yield_now().await;
    }
    let standing_still = pulse.read();
    assert!(before.is_busy && standing_still.is_busy);
    assert_eq!(standing_still.count, before.count + 1, "one more was asked, none was done");
    go_on.send(()).unwrap();
    standing.await.unwrap().unwrap();
    waiting.await.unwrap().unwrap();
    assert!(!pulse.read().is_busy);
    store.close().await.unwrap();
    drop(store);
    while !pulse.read().is_gone {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_tasks_of_a_keeper_turn_and_say_when_they_have_ended() {
    let mesh = Mesh::founded(1, Settings::default()).await;
    let port = mesh.port(1).clone();
    let signs = port.signs();
    let read = || [signs.proposer.read(), signs.warden.read()];
    let before = read();
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    for (before, after) in before.iter().zip(read()) {
        assert!(after.count > before.count && !after.is_gone);
    }
    assert!(!(signs.raft)().is_gone);
    port.shutdown().await.unwrap();
    assert!((signs.raft)().is_gone);
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert!(read().iter().all(|beat| beat.is_gone));
}

/// protocol 1.9: every host that follows would end, one after the other, and again at each start.
#[test]
fn a_state_that_makes_its_reader_panic_is_no_state_and_the_follower_stands_where_it_stood() {
    let mut bitter = Toy::default();
    bitter.said.push("bitter".to_owned());
    let part = Part {
        upto: LedgerIndex(9),
        part: 0,
        parts: 1,
        before: Digest::default(),
        bytes: bitter.to_bytes(),
    };
    let mut follower = Follower::new(Toy::default(), verifier());
    let taken = follower.take(&Piece::of(Body::Image(part)).to_bytes());
    let Err(TakeFault::State(why)) = taken else { panic!("{taken:?}") };
    assert_eq!(why, "reading it panicked: law of the toy: nothing bitter is read");
    assert_eq!(follower.upto(), LedgerIndex(0));
}
