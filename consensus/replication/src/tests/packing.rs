//! What is asked together is written together.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::sleep;
use vocabulary::LedgerIndex;

use super::mesh::Mesh;
use super::toy::word;
use crate::settings::Settings;

#[tokio::test(start_paused = true)]
async fn whoever_asks_again_as_soon_as_it_is_answered_shares_the_entry_of_those_who_waited() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    let leader = mesh.leader().await;
    // An entry takes two milliseconds: the latter two ask while that of the first two is under way.
    let askers = [("a", 0), ("b", 0), ("c", 1), ("d", 1)].map(|(name, late)| {
        let port = mesh.port(leader);
        tokio::spawn(async move {
            sleep(Duration::from_millis(late)).await;
            let mut indices = Vec::new();
            for count in 0..10 {
                let said = port.propose(word(&format!("{name}.{count}"))).await;
                indices.push(said.unwrap().0);
            }
            indices
        })
    });
    let mut entries: BTreeSet<LedgerIndex> = BTreeSet::new();
    for asker in askers {
        entries.extend(asker.await.unwrap());
    }
    assert_eq!(entries.len(), 11, "one for the first two, then ten for all four");
}
