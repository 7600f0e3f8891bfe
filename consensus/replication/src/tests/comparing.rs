//! A keeper whose machine is bent on purpose: the others have one state and it has another (protocol 1.6).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use vocabulary::{Digest, LedgerIndex};

use super::mesh::Mesh;
use crate::disk::MemoryDisk;
use crate::port::PortFault;
use crate::settings::Settings;
use crate::store::StoreFault;

/// Sooner than keepers do, so that the tests are short.
const EVERY: u64 = 60;

fn settings() -> Settings {
    Settings { compared_every: EVERY, ..Settings::default() }
}

/// Longer than the others are asked for their state.
const LONG: Duration = Duration::from_secs(90);

/// Keepers 1 to 3, founded, of which these take every word otherwise than they should.
async fn with_bent(bent: &[u8]) -> Arc<Mesh> {
    let mesh = Mesh::founded(3, settings()).await;
    for number in bent {
        let disk: MemoryDisk = mesh.kill(*number).await;
        mesh.bend(*number);
        mesh.start(*number, disk, settings()).await.unwrap();
    }
    mesh.leader().await;
    mesh
}

/// So many words that a state is to be compared, and a moment for that.
async fn reach(mesh: &Mesh, mark: u64) {
    while mesh.say("word").await.0 <= mark {}
}

fn has_ended(mesh: &Mesh, number: u8) -> bool {
    let port = mesh.port(number);
    let fault = port.fault().borrow().clone();
    assert!(fault.is_none() || matches!(fault, Some(StoreFault::Diverged(_))), "{fault:?}");
    assert_eq!(fault.is_none(), port.serves(), "keeper {number}");
    !port.serves()
}

#[tokio::test(start_paused = true)]
async fn keepers_of_one_state_agree_on_its_digest_and_go_on() {
    let mesh = with_bent(&[]).await;
    reach(&mesh, EVERY).await;
    sleep(Duration::from_secs(5)).await;
    let mark = LedgerIndex(EVERY);
    let digests = [1, 2, 3].map(|number| mesh.port(number).state_at(mark));
    assert!(digests[0].is_some() && digests.iter().all(|digest| *digest == digests[0]));
    assert!([1, 2, 3].iter().all(|number| !has_ended(&mesh, *number)));
}

#[tokio::test(start_paused = true)]
async fn a_keeper_with_another_state_than_most_votes_no_more_and_the_others_go_on() {
    for bent in 1..=3 {
        let mesh = with_bent(&[bent]).await;
        reach(&mesh, EVERY).await;
        let mut fault = mesh.port(bent).fault();
        let told = timeout(LONG, fault.wait_for(Option::is_some)).await;
        told.expect("it is found out").expect("its store is there");
        sleep(Duration::from_secs(5)).await;
        for number in 1..=3 {
            assert_eq!(has_ended(&mesh, number), number == bent, "{bent} is bent: {number}");
        }
        let last = mesh.say("after").await;
        let sound = (1..=3).find(|number| *number != bent).unwrap();
        mesh.applied(sound, last).await;
        assert_ne!(mesh.leader().await, bent);
    }
}

#[tokio::test(start_paused = true)]
async fn where_no_state_has_most_voters_nobody_ends() {
    let mesh = with_bent(&[2]).await;
    mesh.kill(3).await;
    reach(&mesh, EVERY).await;
    sleep(LONG).await;
    assert!(!has_ended(&mesh, 1) && !has_ended(&mesh, 2), "one against one is a tie");
    mesh.say("after").await;
    let tie = mesh.port(1).tie().expect("it is known until they agree");
    assert_eq!(Some(tie.clone()), mesh.port(2).tie());
    assert_eq!(tie.index, LedgerIndex(EVERY));
    let states: Vec<(u8, Digest)> =
        tie.states.iter().map(|(host, state)| (host.0[0], *state)).collect();
    assert!(matches!(states[..], [(1, one), (2, other)] if one != other), "{states:?}");
}

#[tokio::test(start_paused = true)]
async fn a_tie_is_over_once_most_voters_are_found_to_agree() {
    let mesh = with_bent(&[2]).await;
    let away = mesh.kill(3).await;
    reach(&mesh, EVERY).await;
    sleep(LONG).await;
    assert!(mesh.port(1).tie().is_some());
    mesh.start(3, away, settings()).await.unwrap();
    reach(&mesh, 2 * EVERY).await;
    sleep(LONG).await;
    assert!(mesh.port(1).tie().is_none() && mesh.port(3).tie().is_none());
    assert!(has_ended(&mesh, 2));
}

/// protocol 1.6: what was found out once is not forgotten with the process.
#[tokio::test(start_paused = true)]
async fn a_store_whose_state_was_another_is_never_opened_again() {
    let mesh = with_bent(&[2]).await;
    reach(&mesh, EVERY).await;
    let mut fault = mesh.port(2).fault();
    timeout(LONG, fault.wait_for(Option::is_some)).await.expect("found out").unwrap();
    let disk = mesh.kill(2).await;
    for _ in 0..2 {
        let again = mesh.start(2, disk.clone(), settings()).await.unwrap_err();
        let PortFault::Store(why) = again else { panic!("{again}") };
        assert!(matches!(why, StoreFault::Diverged(_)) && why.is_damage(), "{why}");
    }
}
