//! Most voters are lost for good: the store that is left votes alone, by hand (protocol 1.11).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use vocabulary::{StoreId, WallNote};

use super::mesh::Mesh;
use super::toy::{Toy, host, verifier, votes, word};
use crate::disk::{Disk, MemoryDisk};
use crate::recovering::{RecoverFault, Remains};
use crate::settings::Settings;
use crate::store::Store;

async fn remains(disk: &MemoryDisk) -> Result<Remains<Toy>, RecoverFault> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let store = Store::open(disk, StoreId(99)).await.expect("it opens");
    Remains::read(store, verifier(), Toy::default()).await
}

#[tokio::test(start_paused = true)]
async fn law_rc1_the_store_that_is_left_votes_alone_with_all_that_it_had() {
    let few = Settings { snapshot_every: 20, entries_kept: 10, ..Settings::default() };
    for settings in [Settings::default(), few] {
        let mesh = Mesh::founded(3, settings.clone()).await;
        for number in 0..50 {
            mesh.say(&number.to_string()).await;
        }
        let last = mesh.say("the last word").await;
        mesh.applied(1, last).await;
        let (left, away) = (mesh.kill(1).await, mesh.kill(2).await);
        mesh.kill(3).await;

        let found = remains(&left).await.expect("two of three are lost");
        assert_eq!(found.machine.said.len(), 51, "all of it");
        assert_eq!((found.voters.len(), found.host), (3, host(1)));
        found.vote_alone(vec![word("recovered"), votes(&[1])], WallNote(7)).await.expect("written");

        mesh.start(1, left, settings.clone()).await.unwrap();
        let last = mesh.say("goes on").await;
        mesh.applied(1, last).await;
        let said = mesh.said(1);
        assert_eq!(said[50..], ["the last word", "recovered", "goes on"]);
        assert_eq!(mesh.port(1).members().len(), 1);

        // One of the others comes back all the same: alone it is no majority, and nobody asks it.
        mesh.start(2, away, settings).await.unwrap();
        sleep(Duration::from_secs(60)).await;
        assert_eq!(mesh.who_leads(), Some(1));
        assert!(!mesh.port(2).leadership().borrow().am_leader);
        assert!(mesh.port(2).propose(word("aside")).await.is_err());
        mesh.say("undisturbed").await;
        assert_eq!(mesh.port(1).members().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn law_rc2_a_store_without_a_vote_and_one_that_votes_alone_are_left_as_they_are() {
    let empty = MemoryDisk::default();
    assert_eq!(remains(&empty).await.err(), Some(RecoverFault::Empty));
    let alone = Mesh::founded(1, Settings::default()).await;
    alone.say("a word").await;
    let disk = alone.kill(1).await;
    assert_eq!(remains(&disk).await.err(), Some(RecoverFault::Alone));

    let mesh = Mesh::founded(3, Settings::default()).await;
    mesh.start_as(4, StoreId(4)).await;
    mesh.port(mesh.leader().await).add_learner(StoreId(4), host(4)).await.unwrap();
    let last = mesh.say("a word").await;
    mesh.applied(4, last).await;
    let disk = mesh.kill(4).await;
    assert_eq!(remains(&disk).await.err(), Some(RecoverFault::NoVoter));
}
