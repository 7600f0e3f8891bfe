//! openraft's own claims about a store, on memory and on a file.

use std::sync::Arc;

use openraft::testing::{StoreBuilder, Suite};
use vocabulary::StoreId;

use super::toy::{Toy, verifier};
use crate::disk::{Disk, FileDisk, MemoryDisk};
use crate::log::{KeeperLog, reading};
use crate::raft::{Mesh, StorageError};
use crate::state::KeeperState;
use crate::store::Store;

struct OnMemory;
struct OnFile;

async fn build(disk: Arc<dyn Disk>) -> Result<(KeeperLog, KeeperState<Toy>), StorageError> {
    let store = Store::open(disk, StoreId(77)).await.map_err(reading)?;
    let state = KeeperState::load(store.clone(), verifier(), Toy::default()).await;
    Ok((KeeperLog::on(store), state.map_err(reading)?))
}

impl StoreBuilder<Mesh, KeeperLog, KeeperState<Toy>> for OnMemory {
    async fn build(&self) -> Result<((), KeeperLog, KeeperState<Toy>), StorageError> {
        let (log, state) = build(Arc::new(MemoryDisk::default())).await?;
        Ok(((), log, state))
    }
}

impl StoreBuilder<Mesh, KeeperLog, KeeperState<Toy>, tempfile::TempDir> for OnFile {
    async fn build(
        &self,
    ) -> Result<(tempfile::TempDir, KeeperLog, KeeperState<Toy>), StorageError> {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let disk = FileDisk::open(&folder.path().join("store")).expect("a new file");
        let (log, state) = build(Arc::new(disk)).await?;
        Ok((folder, log, state))
    }
}

#[test]
fn openrafts_own_suite_holds_on_memory() {
    Suite::test_all(OnMemory).unwrap();
}

#[test]
fn openrafts_own_suite_holds_on_a_file() {
    Suite::test_all(OnFile).unwrap();
}
