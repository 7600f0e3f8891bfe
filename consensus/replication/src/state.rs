//! The machine on a keeper: applies what is committed, shows it to everybody, keeps it in snapshots.
//!
//! Law A1 of this room: state and the index up to which it stands are seen together or not at all.

use std::collections::VecDeque;
use std::io::Cursor;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger::command::Entry;
use openraft::storage::RaftStateMachine;
use openraft::{EntryPayload, RaftSnapshotBuilder};
use tokio::time::{Duration, Instant};
use vocabulary::{Digest, LedgerIndex, Span, Verifier};

use crate::comparing::Compared;
use crate::log::{reading, writing};
use crate::machine::{Machine, applied, read_back};
use crate::port::Images;
use crate::raft::{
    LogEntry, LogId, Mesh, Outcomes, SNAPSHOT_CHUNK_BYTES, Snapshot, SnapshotMeta, Stamped,
    StorageError, StoredMembership,
};
use crate::shelf::ImageNote;
use crate::store::{Store, StoreFault};
use crate::watch;

/// Between two lines that say that a follower's ledger differs.
const DIFFERED_AGAIN_AFTER: Duration = Duration::from_secs(600);

/// What a keeper shows of its applied state.
pub(crate) struct Shown<M> {
    state: watch::Sender<Arc<M>>,
    applied: watch::Sender<LedgerIndex>,
    compared: Arc<Compared<M>>,
    images: Images,
    /// Held while state and index change, and while both are read.
    recent: Mutex<Recent>,
    /// When it was last said that a follower's ledger differs.
    differed: Mutex<Option<Instant>>,
}

/// The latest steps, without a gap: followers are fed from here, so that a thousand of them do not wait for the disk
/// between a leader's commits, and one that has diverged is told.
#[derive(Default)]
struct Recent {
    /// The step before the first one here, with the digest after it if that is known.
    base: LedgerIndex,
    base_audit: Option<Digest>,
    steps: VecDeque<Step>,
    bytes: usize,
}

struct Step {
    index: LedgerIndex,
    /// Raft's own entries are none of the ledger's.
    entry: Option<Entry>,
    bytes: usize,
    audit: Digest,
}

impl<M: Machine> Shown<M> {
    pub(crate) fn new(machine: M) -> Self {
        Self {
            state: watch::Sender::new(Arc::new(machine)),
            applied: watch::Sender::new(LedgerIndex(0)),
            compared: Arc::default(),
            images: Images::default(),
            recent: Mutex::default(),
            differed: Mutex::default(),
        }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Arc<M>> {
        self.state.subscribe()
    }

    pub(crate) fn applied(&self) -> watch::Receiver<LedgerIndex> {
        self.applied.subscribe()
    }

    /// The states that are compared with other keepers'.
    pub(crate) fn compared(&self) -> &Arc<Compared<M>> {
        &self.compared
    }

    /// The states that are on their way to followers.
    pub(crate) fn images(&self) -> &Images {
        &self.images
    }

    /// The state and up to where it stands.
    pub(crate) fn both(&self) -> (LedgerIndex, Arc<M>) {
        let _held = self.recent();
        (*self.applied.borrow(), self.state.borrow().clone())
    }

    /// Whether this was the digest after that entry; `None` when it is too long ago to tell.
    pub(crate) fn agrees(&self, index: LedgerIndex, audit: Digest) -> Option<bool> {
        let recent = self.recent();
        if index == recent.base {
            return recent.base_audit.map(|own| own == audit);
        }
        let step = recent.steps.iter().rev().find(|step| step.index == index);
        step.map(|step| step.audit == audit)
    }

    /// Whether it is time to say that a follower's ledger differs: whoever asks so again and again fills no log.
    pub(crate) fn may_say_that_one_differs(&self) -> bool {
        let now = Instant::now();
        let mut differed = self.differed.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = differed.is_none_or(|said| now >= said + DIFFERED_AGAIN_AFTER);
        if is_due {
            *differed = Some(now);
        }
        is_due
    }

    /// What was applied after that entry and up to which; `None` when it is too long ago.
    pub(crate) fn since(
        &self,
        after: LedgerIndex,
    ) -> Option<(LedgerIndex, Vec<(LedgerIndex, Entry)>)> {
        let recent = self.recent();
        let last = recent.steps.back()?.index;
        if after < recent.base || after >= last {
            return None;
        }
        let steps = recent.steps.iter().rev();
        let mut entries: Vec<(LedgerIndex, Entry)> = steps
            .take_while(|step| step.index > after)
            .filter_map(|step| Some((step.index, step.entry.clone()?)))
            .collect();
        entries.reverse();
        Some((last, entries))
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        // Whoever holds this only pushes and pops; a panic leaves the steps without a gap.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    fn add(&mut self, step: Step) {
        self.bytes += step.bytes;
        self.steps.push_back(step);
        while self.steps.len() > STEPS_KEPT || self.bytes > STEP_BYTES_KEPT {
            let Some(oldest) = self.steps.pop_front() else {
                return;
            };
            self.bytes -= oldest.bytes;
            self.base = oldest.index;
            self.base_audit = Some(oldest.audit);
        }
    }

    fn begin_at(&mut self, base: LedgerIndex, audit: Digest) {
        *self = Self { base, base_audit: Some(audit), ..Self::default() };
    }
}

/// The state machine that openraft drives.
pub(crate) struct KeeperState<M> {
    store: Store,
    shown: Arc<Shown<M>>,
    verifier: Arc<dyn Verifier>,
    applied: Option<LogId>,
    membership: StoredMembership,
}

impl<M: Machine> KeeperState<M> {
    /// The state as the store's snapshot has it, or `machine` if there is none.
    pub(crate) async fn load(
        store: Store,
        verifier: Arc<dyn Verifier>,
        machine: M,
    ) -> Result<Self, StoreFault> {
        let image = store.ask(|shelf| shelf.read_image()).await?;
        let mut state = Self {
            store,
            shown: Arc::new(Shown::new(machine)),
            verifier,
            applied: None,
            membership: StoredMembership::default(),
        };
        if let Some((meta, bytes)) = image {
            // Its seals have held: it is what was written.
            let machine = read_back(&bytes).map_err(StoreFault::Foreign)?;
            state.replace(&meta, machine);
        }
        Ok(state)
    }

    pub(crate) fn shown(&self) -> Arc<Shown<M>> {
        self.shown.clone()
    }

    /// Its last entry.
    pub(crate) fn applied(&self) -> Option<LogId> {
        self.applied
    }

    /// Who carries the ledger, as its last entries say.
    pub(crate) fn membership(&self) -> &openraft::Membership<u64, crate::raft::Member> {
        self.membership.membership()
    }

    pub(crate) fn take(&mut self, entry: LogEntry) -> Result<Outcomes, StoreFault> {
        let index = LedgerIndex(entry.log_id.index);
        let mut recent = self.shown.recent();
        let (mut outcomes, mut taken) = (Vec::new(), None);
        match entry.payload {
            EntryPayload::Blank => {}
            EntryPayload::Membership(membership) => {
                self.membership = StoredMembership::new(Some(entry.log_id), membership);
            }
            EntryPayload::Normal(stamped) => {
                let entry = settled(stamped, entry.log_id.leader_id.term);
                let before = self.shown.state.borrow().clone();
                let (after, answers) =
                    applied(&*before, index, &entry, &*self.verifier).map_err(StoreFault::from)?;
                self.shown.state.send_replace(Arc::new(after));
                (outcomes, taken) = (answers, Some(entry));
            }
        }
        recent.add(Step {
            index,
            bytes: taken.as_ref().map_or(0, |entry| wire::encode(entry).len()),
            entry: taken,
            audit: self.shown.state.borrow().audit(),
        });
        self.shown.applied.send_replace(index);
        self.shown.compared.reached(index, &self.shown.state.borrow());
        drop(recent);
        self.applied = Some(entry.log_id);
        Ok(Outcomes(outcomes))
    }

    fn replace(&mut self, meta: &SnapshotMeta, machine: M) {
        let index = LedgerIndex(meta.last_log_id.map_or(0, |last| last.index));
        let mut recent = self.shown.recent();
        recent.begin_at(index, machine.audit());
        self.shown.state.send_replace(Arc::new(machine));
        self.shown.applied.send_replace(index);
        drop(recent);
        self.applied = meta.last_log_id;
        self.membership = meta.last_membership.clone();
    }
}

/// The entry as every host applies it: time that was measured in another term counts nothing (protocol 5).
pub(crate) fn settled(stamped: Stamped, term: u64) -> Entry {
    let Stamped { term: measured, mut entry } = stamped;
    entry.elapsed =
        if measured == term { entry.elapsed.min(Entry::ELAPSED_MAX) } else { Span::ZERO };
    entry
}

impl<M: Machine> RaftStateMachine<Mesh> for KeeperState<M> {
    type SnapshotBuilder = Builder<M>;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), StorageError> {
        Ok((self.applied, self.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Outcomes>, StorageError>
    where
        I: IntoIterator<Item = LogEntry> + Send,
        I::IntoIter: Send,
    {
        let taken: Result<Vec<Outcomes>, StoreFault> =
            entries.into_iter().map(|entry| self.take(entry)).collect();
        match taken {
            Ok(outcomes) => Ok(outcomes),
            Err(why) => {
                self.store.condemn(why.clone()).await;
                Err(writing(why))
            }
        }
    }

    async fn get_snapshot_builder(&mut self) -> Self::SnapshotBuilder {
        Builder {
            store: self.store.clone(),
            machine: self.shown.both().1,
            applied: self.applied,
            membership: self.membership.clone(),
        }
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<Cursor<Vec<u8>>>, StorageError> {
        Ok(Box::new(Cursor::new(Vec::new())))
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: Box<Cursor<Vec<u8>>>,
    ) -> Result<(), StorageError> {
        // A snapshot that ends inside what is applied or committed, and is not the same history, must never be taken.
        let (given, own) = (meta.last_log_id, self.applied);
        let is_other = given.map(|id| id.index) <= own.map(|id| id.index) && given != own;
        let contradicts = move |shelf: &mut crate::shelf::Shelf| match given {
            Some(given) => shelf.contradicts(given),
            None => Ok(false),
        };
        if is_other || self.store.ask(contradicts).await.map_err(reading)? {
            return Err(writing(StoreFault::Unlawful(format!(
                "a snapshot up to {given:?} cannot replace what is committed, applied up to {own:?}"
            ))));
        }
        let bytes = snapshot.into_inner();
        let read = move || read_back::<M>(&bytes).map(|machine| (machine, bytes));
        let read = self.store.aside(read).await;
        let (machine, bytes) = read.map_err(|why| reading(StoreFault::Damaged(why)))?;
        keep(&self.store, meta.clone(), bytes).await.map_err(writing)?;
        self.replace(meta, machine);
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        let image = self.store.ask(|shelf| shelf.read_image()).await;
        Ok(image
            .map_err(reading)?
            .map(|(meta, bytes)| Snapshot { meta, snapshot: Box::new(Cursor::new(bytes)) }))
    }
}

/// Makes a snapshot of the state as it was when it was asked for.
pub(crate) struct Builder<M> {
    store: Store,
    machine: Arc<M>,
    applied: Option<LogId>,
    membership: StoredMembership,
}

impl<M: Machine> RaftSnapshotBuilder<Mesh> for Builder<M> {
    async fn build_snapshot(&mut self) -> Result<Snapshot, StorageError> {
        let machine = Arc::clone(&self.machine);
        let bytes = self.store.aside(move || machine.to_bytes()).await;
        let snapshot_id = match self.applied {
            Some(last) => format!("{}-{}", last.leader_id, last.index),
            None => "empty".to_owned(),
        };
        let meta = SnapshotMeta {
            last_log_id: self.applied,
            last_membership: self.membership.clone(),
            snapshot_id,
        };
        let kept = keep(&self.store, meta.clone(), bytes.clone()).await;
        kept.map_err(writing)?;
        Ok(Snapshot { meta, snapshot: Box::new(Cursor::new(bytes)) })
    }
}

/// Writes a snapshot chunk by chunk, so that votes and entries get their turn in between.
async fn keep(store: &Store, meta: SnapshotMeta, bytes: Vec<u8>) -> Result<(), StoreFault> {
    let generation = store.ask(|shelf| shelf.begin_image()).await?;
    let (mut parts, mut head) = (0, Digest::default());
    for chunk in bytes.chunks(SNAPSHOT_CHUNK_BYTES) {
        let (chunk, before, part) = (chunk.to_vec(), head, parts);
        let put = move |shelf: &mut crate::shelf::Shelf| {
            shelf.put_image_part(generation, part, before, &chunk)
        };
        head = store.ask(put).await?;
        parts += 1;
    }
    let note = ImageNote { meta, generation, parts, head };
    store.ask(move |shelf| shelf.finish_image(note)).await
}

/// So many steps back a follower is fed from memory and its digest compared: a quarter of an hour of ticks.
const STEPS_KEPT: usize = 1_024;

/// And not more than this, since a keeper aims at 25 MB in all.
const STEP_BYTES_KEPT: usize = 512 * 1024;
