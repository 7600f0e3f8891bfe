//! A keeper and a follower that are older than what is committed (protocol 1.6): they stop there, and a newer version goes on.

use std::time::Duration;

use ledger::Ledger;
use ledger::command::{Command, Entry, Proposed};
use ledger::rules;
use tokio::time::{sleep, timeout};
use vocabulary::{LedgerIndex, Span, WallNote};

use super::mesh::Mesh;
use super::toy::{Toy, host, verifier};
use crate::follower::{Follower, TakeFault};
use crate::machine::Machine;
use crate::piece::{Body, Piece};
use crate::settings::Settings;
use crate::store::StoreFault;

/// Keepers 1 to 3, founded, of which the third is of an older version.
async fn with_an_old_third() -> std::sync::Arc<Mesh> {
    let mesh = Mesh::founded(3, Settings::default()).await;
    let disk = mesh.kill(3).await;
    mesh.age(3, true);
    mesh.start(3, disk, Settings::default()).await.unwrap();
    mesh
}

#[tokio::test(start_paused = true)]
async fn a_keeper_stops_before_what_only_a_newer_version_applies_and_goes_on_as_one() {
    let mesh = with_an_old_third().await;
    let before = mesh.say("before").await;
    mesh.applied(3, before).await;
    mesh.kill(2).await;
    // What is committed with the old one's own voice is what it then meets.
    while mesh.leader().await != 1 {
        sleep(Duration::from_millis(100)).await;
    }
    let newer = mesh.say("newer").await;
    let mut fault = mesh.port(3).fault();
    let told = timeout(Duration::from_secs(10), fault.wait_for(Option::is_some)).await;
    let told = told.expect("it stops").expect("its store is there").clone().unwrap();
    assert!(matches!(&told, StoreFault::Foreign(_)), "{told}");
    assert!(told.to_string().contains("raises the ledger to rules of the toy"), "{told}");
    sleep(Duration::from_secs(2)).await;
    assert!(!mesh.port(3).serves());
    assert_eq!(mesh.said(3), ["before"], "it has moved by nothing");

    let disk = mesh.kill(3).await;
    mesh.age(3, false);
    mesh.start(3, disk, Settings::default()).await.unwrap();
    let after = mesh.say("after").await;
    mesh.applied(3, after).await;
    assert!(newer < after);
    assert_eq!(mesh.said(3), ["before", "newer", "after"]);
}

#[test]
fn a_follower_stops_before_what_only_a_newer_version_applies_and_says_so() {
    let mut toy = Toy::default();
    toy.is_old = true;
    let mut follower = Follower::new(toy, verifier());
    let piece = |after: u64, words: &[&str]| {
        let indices = after + 1..;
        let entries = indices.zip(words).map(|(index, said)| {
            let commands = vec![super::toy::word(said)];
            (LedgerIndex(index), Entry { elapsed: Span::ZERO, wall: WallNote(0), commands })
        });
        let (after, upto) = (LedgerIndex(after), LedgerIndex(after + words.len() as u64));
        Piece::of(Body::Entries { after, upto, entries: entries.collect() }).to_bytes()
    };
    follower.take(&piece(0, &["before"])).unwrap();
    let fault = follower.take(&piece(1, &["mid", "newer", "after"])).unwrap_err();
    assert!(matches!(&fault, TakeFault::Foreign(_)), "{fault}");
    assert!(fault.to_string().contains("start that version"), "{fault}");
    assert_eq!((follower.upto(), follower.watch().borrow().said.len()), (LedgerIndex(1), 1));
}

#[test]
fn of_the_ledger_nothing_of_a_host_that_is_no_voter_is_taken_for_a_newer_version() {
    let commands =
        vec![Proposed { by: host(1), command: Command::Rules { rules: rules::NEWEST + 1 } }];
    let entry = Entry { elapsed: Span::ZERO, wall: WallNote(0), commands };
    assert_eq!(Machine::objection(&Ledger::new(), &entry), None);
}
