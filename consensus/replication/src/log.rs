//! The log and the vote, as openraft asks for them.
//!
//! Law R1: our own vote is handed back uncommitted at start, in memory only, so that a restarted leader does not lead on
//! in its old term (openraft 0.9 would restore it): with a lost log tail two entries could bear one term and index.

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, Range, RangeBounds};

use openraft::storage::{LogFlushed, LogState, RaftLogStorage};
use openraft::{AnyError, ErrorSubject, ErrorVerb, RaftLogReader, StorageIOError};

use crate::raft::{LogEntry, LogId, Mesh, StorageError, Vote};
use crate::store::{Store, StoreFault};

/// The log in a store; clones read the same one.
#[derive(Clone)]
pub(crate) struct KeeperLog {
    store: Store,
}

impl KeeperLog {
    pub(crate) fn on(store: Store) -> Self {
        Self { store }
    }
}

impl RaftLogStorage<Mesh> for KeeperLog {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Mesh>, StorageError> {
        let ask = self.store.ask(|shelf| Ok((shelf.purged(), shelf.last()))).await;
        let (last_purged_log_id, last_log_id) = ask.map_err(reading)?;
        Ok(LogState { last_purged_log_id, last_log_id })
    }

    async fn get_log_reader(&mut self) -> Self::LogReader {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        let vote = *vote;
        let ask = self.store.ask(move |shelf| shelf.save_vote(vote)).await;
        ask.map_err(writing)
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        let vote = self.store.ask(|shelf| Ok(shelf.vote())).await;
        let own = self.store.id().0;
        Ok(vote.map_err(reading)?.map(|vote| Vote {
            // Law R1.
            committed: vote.committed && vote.leader_id.node_id != own,
            ..vote
        }))
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError> {
        let note = move |shelf: &mut crate::shelf::Shelf| {
            shelf.note_committed(committed);
            Ok(())
        };
        self.store.ask(note).await.map_err(writing)
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, StorageError> {
        let ask = self.store.ask(|shelf| Ok(shelf.committed())).await;
        ask.map_err(reading)
    }

    async fn append<I>(
        &mut self,
        entries: I,
        callback: LogFlushed<Mesh>,
    ) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = LogEntry> + Send,
        I::IntoIter: Send,
    {
        let entries: Vec<LogEntry> = entries.into_iter().collect();
        let done = self.store.ask(move |shelf| shelf.append(&entries)).await;
        callback.log_io_completed(done.clone().map_err(io::Error::other));
        done.map_err(writing)
    }

    async fn truncate(&mut self, log_id: LogId) -> Result<(), StorageError> {
        let cut = move |shelf: &mut crate::shelf::Shelf| shelf.truncate(log_id.index);
        self.store.ask(cut).await.map_err(writing)
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), StorageError> {
        let drop = move |shelf: &mut crate::shelf::Shelf| shelf.purge(log_id);
        self.store.ask(drop).await.map_err(writing)
    }
}

impl RaftLogReader<Mesh> for KeeperLog {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + Send>(
        &mut self,
        range: R,
    ) -> Result<Vec<LogEntry>, StorageError> {
        let range = half_open(&range);
        let read = move |shelf: &mut crate::shelf::Shelf| shelf.read(range, usize::MAX);
        self.store.ask(read).await.map_err(reading)
    }

    /// For replication: from `start` on without a hole, or nothing. openraft 0.9 does not check what it reads, sends on
    /// whatever comes first, and a stream of a leader that was deposed may ask once more for what has been purged or cut
    /// off since; nothing makes that stream send a heartbeat and then find that it is closed.
    async fn limited_get_log_entries(
        &mut self,
        start: u64,
        end: u64,
    ) -> Result<Vec<LogEntry>, StorageError> {
        let read = move |shelf: &mut crate::shelf::Shelf| {
            let entries = shelf.read(start..end, REPLICATED_BYTES_MAX)?;
            let first = entries.first().map(|entry| entry.log_id.index);
            Ok(match first == Some(start) {
                true => entries,
                false => Vec::new(),
            })
        };
        self.store.ask(read).await.map_err(reading)
    }
}

pub(crate) fn reading(fault: StoreFault) -> StorageError {
    failed(ErrorVerb::Read, &fault)
}

pub(crate) fn writing(fault: StoreFault) -> StorageError {
    failed(ErrorVerb::Write, &fault)
}

fn failed(verb: ErrorVerb, fault: &StoreFault) -> StorageError {
    StorageIOError::new(ErrorSubject::Store, verb, AnyError::new(fault)).into()
}

fn half_open(range: &impl RangeBounds<u64>) -> Range<u64> {
    let start = match range.start_bound() {
        Bound::Included(first) => *first,
        Bound::Excluded(before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(last) => last.saturating_add(1),
        Bound::Excluded(end) => *end,
        Bound::Unbounded => u64::MAX,
    };
    start..end
}

/// Most bytes of entries in one Raft message: a quarter of what the wire takes, eight of the largest entries.
pub(crate) const REPLICATED_BYTES_MAX: usize = wire::codec::DECODED_BYTES_MAX / 4;
