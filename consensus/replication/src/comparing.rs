//! Compares this keeper's state with the other voters' every so many entries: the same entries must have given the same bytes
//! (protocol 1.6). One task beside the warden, on every keeper.
//!
//! Law R8: a keeper whose state differs from the one that most voters have votes no more and says so, in this life and every
//! later one on that store; where no state has most of them nobody ends, and it is told until they are found to agree.
//! Not here: what it is that differs (see `ledger`); a history that differs is seen by its audit (see `follower`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;
use vocabulary::{Digest, HostId, LedgerIndex};
use wire::{Request, Response};

use crate::link::KeeperLink;
use crate::machine::Machine;
use crate::raft::Raft;
use crate::store::Store;
use crate::tasks::tethered;
use crate::warden::{Warden, voters_of};
use crate::watch;

/// Digests that are remembered for others who are behind.
const DIGESTS_KEPT: usize = 4;

/// Others may be behind, or away for a moment: so often are they asked, this long apart.
const TRIES: u32 = 30;
const AGAIN_AFTER: Duration = Duration::from_secs(2);

const ASK_WITHIN: Duration = Duration::from_secs(1);

/// The states that are to be compared, and what came of the last ones.
pub(crate) struct Compared<M> {
    /// After how many entries; 0 until the keeper starts.
    every: AtomicU64,
    due: watch::Sender<Option<(LedgerIndex, Arc<M>)>>,
    digests: Mutex<VecDeque<(LedgerIndex, Digest)>>,
    tie: watch::Sender<Option<Tie>>,
}

/// Voters whose states differ while no state has most of them: nobody knows which is right (protocol 1.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tie {
    /// After this entry.
    pub index: LedgerIndex,
    /// The states of those voters that have said.
    pub states: BTreeMap<HostId, Digest>,
}

pub(crate) struct Comparer<M> {
    raft: Raft,
    own: u64,
    link: Arc<dyn KeeperLink>,
    compared: Arc<Compared<M>>,
    store: Store,
}

impl<M> Comparer<M> {
    pub(crate) fn beside(warden: &Warden, store: &Store, compared: Arc<Compared<M>>) -> Self {
        let (raft, link) = (warden.raft.clone(), Arc::clone(&warden.link));
        Self { raft, own: warden.own, link, compared, store: store.clone() }
    }
}

/// What the voters' digests say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    /// Most voters have this keeper's state.
    Agreed,
    /// So many, more than half of all, have another one, and one and the same.
    Minority(usize),
    /// No state has most of them.
    Open,
}

impl<M> Default for Compared<M> {
    fn default() -> Self {
        Self {
            every: AtomicU64::default(),
            due: watch::Sender::new(None),
            digests: Mutex::default(),
            tie: watch::Sender::new(None),
        }
    }
}

impl<M: Machine> Compared<M> {
    /// From now on states are compared, after every so many entries.
    pub(crate) fn begin(&self, every: u64) {
        self.every.store(every, Ordering::Relaxed);
    }

    /// A state has been reached; every so many entries it is one to be compared.
    pub(crate) fn reached(&self, index: LedgerIndex, machine: &Arc<M>) {
        let every = self.every.load(Ordering::Relaxed);
        if every > 0 && index.0.is_multiple_of(every) {
            self.due.send_replace(Some((index, machine.clone())));
        }
    }

    /// The digest of the state after this entry, while it is remembered.
    pub(crate) fn digest(&self, index: LedgerIndex) -> Option<Digest> {
        let digests = self.digests();
        digests.iter().find(|(at, _)| *at == index).map(|(_, digest)| *digest)
    }

    /// What nobody could decide when states were compared last.
    pub(crate) fn tie(&self) -> Option<Tie> {
        self.tie.borrow().clone()
    }

    /// Works out the digest of what is due: not while the state is being moved, since it may be large.
    async fn work_out(&self, store: &Store) -> Option<(LedgerIndex, Digest)> {
        let (index, machine) = self.due.send_replace(None)?;
        let digest = store.aside(move || Digest::of(&[&machine.to_bytes()])).await;
        let mut digests = self.digests();
        digests.push_back((index, digest));
        if digests.len() > DIGESTS_KEPT {
            digests.pop_front();
        }
        Some((index, digest))
    }

    fn digests(&self) -> MutexGuard<'_, VecDeque<(LedgerIndex, Digest)>> {
        // Whoever holds this only pushes and pops.
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Machine> Comparer<M> {
    /// Until it is stopped, or has stopped this keeper.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut due = self.compared.due.subscribe();
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stopped| *stopped) => return,
                waited = due.wait_for(Option::is_some) => if waited.is_err() { return },
            }
            let Some((index, digest)) = self.compared.work_out(&self.store).await else { continue };
            tokio::select! {
                biased;
                _ = stop.wait_for(|stopped| *stopped) => return,
                is_sound = self.compare(index, digest) => if !is_sound { return },
            }
        }
    }

    /// False once this keeper is stopped.
    async fn compare(&self, index: LedgerIndex, own: Digest) -> bool {
        let mut told = BTreeMap::from([(self.own, own)]);
        let mut voters = Vec::new();
        for _ in 0..TRIES {
            voters = voters_of(&self.raft.metrics().borrow());
            self.ask(index, &voters, &mut told).await;
            match judge((self.own, own), &told, &voters) {
                Judged::Agreed => {
                    self.compared.tie.send_replace(None);
                    return true;
                }
                Judged::Minority(others) => {
                    self.end(index, others).await;
                    return false;
                }
                Judged::Open => sleep(AGAIN_AFTER).await,
            }
        }
        let state = |(voter, host): &(u64, HostId)| Some((*host, *told.get(voter)?));
        let states: BTreeMap<HostId, Digest> = voters.iter().filter_map(state).collect();
        if states.values().any(|other| *other != own) {
            tracing::error!(%index, ?states, "the keepers' states differ and no state has most of them: which is right, a person must find out");
            self.compared.tie.send_replace(Some(Tie { index, states }));
        }
        true
    }

    async fn ask(
        &self,
        index: LedgerIndex,
        voters: &[(u64, HostId)],
        told: &mut BTreeMap<u64, Digest>,
    ) {
        let mut calls = JoinSet::new();
        for (voter, host) in voters.iter().copied().filter(|(voter, _)| !told.contains_key(voter)) {
            let link = self.link.clone();
            calls.spawn(tethered(async move {
                (voter, link.call(host, Request::StateAt { index }, ASK_WITHIN).await)
            }));
        }
        while let Some(call) = calls.join_next().await {
            // No answer, whatever the reason, is asked again or never counted.
            if let Ok((voter, Ok(Response::StateAt { digest: Some(digest) }))) = call {
                told.insert(voter, digest);
            }
        }
    }

    /// Law R8: nothing of this state is voted for any more; the host follows the others, as any host does.
    async fn end(&self, index: LedgerIndex, others: usize) {
        let why = format!(
            "after entry {index} {others} voters have the same state and this keeper has another"
        );
        self.store.diverged(why).await;
        if let Err(fault) = self.raft.shutdown().await {
            tracing::error!(%fault, "Raft did not stop cleanly");
        }
    }
}

fn judge(
    (me, own): (u64, Digest),
    told: &BTreeMap<u64, Digest>,
    voters: &[(u64, HostId)],
) -> Judged {
    let mut counts: BTreeMap<Digest, usize> = BTreeMap::new();
    for digest in voters.iter().filter_map(|(voter, _)| told.get(voter)) {
        *counts.entry(*digest).or_default() += 1;
    }
    let most = counts.into_iter().find(|(_, count)| count * 2 > voters.len());
    match most {
        Some((digest, _)) if digest == own => Judged::Agreed,
        Some((_, count)) => Judged::Minority(count),
        // A learner that is alone with itself has nobody to differ from.
        None if voters.is_empty() && told.contains_key(&me) => Judged::Agreed,
        None => Judged::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(own: u8, told: &[(u64, u8)], voters: u64) -> Judged {
        let digest = |byte: u8| Digest([byte; 32]);
        let told = told.iter().map(|(voter, byte)| (*voter, digest(*byte))).collect();
        let voters: Vec<(u64, HostId)> =
            (1..=voters).map(|voter| (voter, HostId([0; 16]))).collect();
        judge((1, digest(own)), &told, &voters)
    }

    #[test]
    fn more_than_half_of_all_voters_must_have_one_other_state_before_a_keeper_ends() {
        assert_eq!(judged(7, &[(1, 7)], 1), Judged::Agreed);
        assert_eq!(judged(7, &[(1, 7), (2, 7)], 3), Judged::Agreed, "whatever the third has");
        assert_eq!(judged(7, &[(1, 7), (2, 8), (3, 8)], 3), Judged::Minority(2));
        assert_eq!(judged(7, &[(1, 7), (2, 8)], 3), Judged::Open, "one against one");
        assert_eq!(judged(7, &[(1, 7), (2, 8), (3, 9)], 3), Judged::Open, "each another");
        assert_eq!(judged(7, &[(1, 7), (2, 7), (3, 8), (4, 8)], 5), Judged::Open);
        assert_eq!(judged(7, &[(1, 7), (2, 8), (3, 8), (4, 8)], 5), Judged::Minority(3));
    }
}
