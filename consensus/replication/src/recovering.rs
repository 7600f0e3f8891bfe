//! What is left where most voters are lost for good: one store, which becomes the only voter (protocol 1.11).
//!
//! Law RC1: of what the store holds nothing is dropped or changed: its last entry is followed by the change of voters and by what a person
//! orders with it.
//! Law RC2: that is done by hand alone, to the store of a voter that nobody else has open (law D2 of `disk`), and not where it votes alone
//! already.
//! Not here: asking a person whether it is meant, and what is ordered with it (see `daemon`).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ledger::command::{Entry, Proposed};
use openraft::{CommittedLeaderId, EntryPayload, Membership};
use vocabulary::{HostId, Span, StoreId, Verifier, WallNote};

use crate::machine::Machine;
use crate::raft::{LogEntry, LogId, Stamped, Vote};
use crate::state::KeeperState;
use crate::store::{Store, StoreFault};

/// What a store holds, all of it taken: what was acknowledged, and what was not.
pub struct Remains<M> {
    /// The state after its last entry.
    pub machine: Arc<M>,
    /// The voters as its last entries name them.
    pub voters: BTreeMap<StoreId, HostId>,
    /// Whose the store is.
    pub host: HostId,
    store: Store,
    last: LogId,
}

/// Why a store does not become the only voter; no entry was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecoverFault {
    /// It does not serve.
    Store(StoreFault),
    /// It belongs to no founded ledger, or has not been filled yet.
    Empty,
    /// It has no vote.
    NoVoter,
    /// No other store votes.
    Alone,
}

impl<M: Machine> Remains<M> {
    /// Reads the store to its end.
    pub async fn read(
        store: Store,
        verifier: Arc<dyn Verifier>,
        machine: M,
    ) -> Result<Self, RecoverFault> {
        let mut state = KeeperState::load(store.clone(), verifier, machine)
            .await
            .map_err(RecoverFault::Store)?;
        let from = state.applied().map_or(0, |last| last.index.saturating_add(1));
        let entries = store.ask(move |shelf| shelf.read(from..u64::MAX, usize::MAX)).await;
        for entry in entries.map_err(RecoverFault::Store)? {
            state.take(entry).map_err(RecoverFault::Store)?;
        }
        let last = state.applied().ok_or(RecoverFault::Empty)?;
        let membership = state.membership();
        let host_of = |store: u64| Some((StoreId(store), membership.get_node(&store)?.host));
        let voters: BTreeMap<StoreId, HostId> =
            membership.voter_ids().filter_map(host_of).collect();
        let host = *voters.get(&store.id()).ok_or(RecoverFault::NoVoter)?;
        if voters.len() == 1 {
            return Err(RecoverFault::Alone);
        }
        Ok(Self { machine: state.shown().both().1, voters, host, store, last })
    }

    /// From its next start on this store votes alone, and this is the first that its ledger takes.
    pub async fn vote_alone(
        self,
        commands: Vec<Proposed>,
        wall: WallNote,
    ) -> Result<(), RecoverFault> {
        let (own, last) = (self.store.id().0, self.last);
        let node = crate::raft::Member { host: self.host };
        let write = move |shelf: &mut crate::shelf::Shelf| {
            let voted = shelf.vote().map_or(0, |vote| vote.leader_id.term);
            // Far above whatever the others reach without this store: no two entries have one term and place.
            let term = voted.max(last.leader_id.term).saturating_add(TERMS_AHEAD);
            let place = |after: u64| {
                LogId::new(CommittedLeaderId::new(term, own), last.index.saturating_add(after))
            };
            let voters = Membership::new(vec![[own].into()], BTreeMap::from([(own, node)]));
            let entry = Entry { elapsed: Span::ZERO, wall, commands };
            // A snapshot that came last may stand beyond the log: openraft purges that at each start.
            if shelf.last() < Some(last) {
                shelf.purge(last)?;
            }
            shelf.save_vote(Vote::new(term, own))?;
            shelf.append(&[
                LogEntry { log_id: place(1), payload: EntryPayload::Membership(voters) },
                LogEntry {
                    log_id: place(2),
                    payload: EntryPayload::Normal(Stamped { term, entry }),
                },
            ])
        };
        self.store.ask(write).await.map_err(RecoverFault::Store)?;
        self.store.close().await.map_err(RecoverFault::Store)
    }
}

/// As many elections as two weeks have seconds; less than a letter may raise the term by (law R10).
const TERMS_AHEAD: u64 = 1 << 20;

impl fmt::Display for RecoverFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(why) => write!(out, "{why}"),
            Self::Empty => write!(out, "this store holds no ledger"),
            Self::NoVoter => {
                write!(out, "this store has no vote: recover on the host of one that has")
            }
            Self::Alone => {
                write!(out, "this store is the only voter already: start the agent")
            }
        }
    }
}

impl std::error::Error for RecoverFault {}
