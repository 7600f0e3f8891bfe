//! A keeper whose machine is bent on purpose: the others have one state and it has another (protocol 1.6).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use vocabulary::LedgerIndex;

use super::mesh::Mesh;
use crate::disk::MemoryDisk;
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
async fn reach_the_mark(mesh: &Mesh) {
    while mesh.say("word").await.0 <= EVERY {}
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
    reach_the_mark(&mesh).await;
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
        reach_the_mark(&mesh).await;
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
    reach_the_mark(&mesh).await;
    sleep(LONG).await;
    assert!(!has_ended(&mesh, 1) && !has_ended(&mesh, 2), "one against one is a tie");
    mesh.say("after").await;
}
