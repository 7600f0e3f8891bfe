//! Which snapshots a keeper takes: never one that contradicts what is committed here (openraft 0.9 would take it).

use std::io::Cursor;
use std::sync::Arc;
use std::thread;

use openraft::storage::{RaftLogStorage, RaftStateMachine};
use vocabulary::StoreId;

use super::toy::{Toy, entry, log_id, verifier};
use crate::disk::{FileDisk, MemoryDisk};
use crate::log::KeeperLog;
use crate::machine::Machine;
use crate::raft::{LogId, SnapshotMeta};
use crate::state::KeeperState;
use crate::store::Store;

const OWN: StoreId = StoreId(7);

/// Ten entries of term 1 in the log, committed up to 7, applied up to 5.
async fn keeper() -> KeeperState<Toy> {
    let store = Store::open(Arc::new(MemoryDisk::default()), OWN).await.unwrap();
    let entries: Vec<_> = (0..10).map(|index| entry(1, index, "ours")).collect();
    let logged = entries.clone();
    store.ask(move |shelf| shelf.append(&logged)).await.unwrap();
    let mut log = KeeperLog::on(store.clone());
    log.save_committed(Some(log_id(1, 7))).await.unwrap();
    let mut state = KeeperState::load(store, verifier(), Toy::default()).await.unwrap();
    state.apply(entries.into_iter().skip(1).take(5)).await.unwrap();
    state
}

async fn install(state: &mut KeeperState<Toy>, upto: LogId) -> bool {
    let meta = SnapshotMeta { last_log_id: Some(upto), ..SnapshotMeta::default() };
    let bytes = Box::new(Cursor::new(Toy::default().to_bytes()));
    state.install_snapshot(&meta, bytes).await.is_ok()
}

#[tokio::test]
async fn a_snapshot_of_another_history_than_the_committed_one_is_refused() {
    for (upto, is_taken) in [
        (log_id(2, 3), false),
        (log_id(2, 5), false),
        (log_id(2, 6), false),
        (log_id(2, 7), false),
        (log_id(1, 7), true),
        (log_id(2, 8), true),
        (log_id(1, 40), true),
    ] {
        let mut state = keeper().await;
        let before = state.applied_state().await.unwrap();
        assert_eq!(install(&mut state, upto).await, is_taken, "{upto}");
        let after = state.applied_state().await.unwrap();
        assert_eq!(before == after, !is_taken, "{upto}: a refused one moves nothing");
    }
}

/// A large state's bytes take longer than an election waits.
#[tokio::test]
async fn what_takes_long_is_worked_out_beside_the_thread_that_asks_but_in_a_paused_world() {
    let folder = tempfile::tempdir().unwrap();
    let file = FileDisk::open(&folder.path().join("store")).unwrap();
    let (file, memory) =
        (Store::open(Arc::new(file), OWN), Store::open(Arc::new(MemoryDisk::default()), OWN));
    let (file, memory) = (file.await.unwrap(), memory.await.unwrap());
    let own = thread::current().id();
    assert_ne!(file.aside(|| thread::current().id()).await, own);
    assert_eq!(memory.aside(|| thread::current().id()).await, own);
    let fails = async move { file.aside::<()>(|| panic!("no such state")).await };
    let fault = tokio::spawn(fails).await.expect_err("whoever asks fails, too");
    let panic = fault.into_panic();
    let words = panic.downcast_ref::<String>().map(String::as_str);
    assert_eq!(words, Some("beside the thread that asks: no such state"), "and says it itself");
}
