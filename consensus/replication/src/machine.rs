//! What is replicated, as this room needs to know it: the ledger, or a smaller thing in tests.

use ledger::command::{Command, Entry, Outcome};
use ledger::{Ledger, rules};
use vocabulary::{Boot, Digest, HostId, LedgerIndex, Span, StoreId, Verifier};

use crate::contained::contained;

/// A pure state machine: the same entries in the same order give the same state on every host.
pub trait Machine: Clone + Send + Sync + 'static {
    /// Takes one committed entry and answers each of its commands, in their order.
    fn apply(&mut self, index: LedgerIndex, entry: &Entry, verifier: &dyn Verifier)
    -> Vec<Outcome>;

    /// Why this code must not apply the entry: it knows that it would do otherwise than a newer version does (protocol 1.6).
    fn objection(&self, entry: &Entry) -> Option<String>;

    /// The last applied entry; 0 before the first.
    fn index(&self) -> LedgerIndex;

    /// A digest that differs when two hosts have diverged.
    fn audit(&self) -> Digest;

    /// The store that this host has committed for its present life (protocol 1.4).
    fn store_of(&self, host: &HostId) -> Option<StoreId>;

    /// The hosts that are to carry a vote; none where the ledger does not say (protocol 1.10).
    fn voters(&self) -> Vec<HostId>;

    /// What the ledger wants to be told once the stores of these hosts vote, and no others; none where that is no news.
    fn votes_followed(&self, voting: &[HostId]) -> Option<Command>;

    /// The life that this host has committed last (protocol 1.2).
    fn boot_of(&self, host: &HostId) -> Option<Boot>;

    /// How often the leader must commit ticks, while any term is running (protocol 5).
    fn tick_every(&self) -> Option<Span>;

    /// The whole state for a snapshot.
    fn to_bytes(&self) -> Vec<u8>;

    /// The state back from a snapshot; one line for people when the bytes are none.
    fn from_bytes(bytes: &[u8]) -> Result<Self, String>;
}

impl Machine for Ledger {
    fn apply(
        &mut self,
        index: LedgerIndex,
        entry: &Entry,
        verifier: &dyn Verifier,
    ) -> Vec<Outcome> {
        Self::apply(self, index, entry, verifier)
    }

    fn objection(&self, entry: &Entry) -> Option<String> {
        let rules = self.unknown_rules(entry)?;
        Some(format!("rules {rules}, of which {} are the newest known here", rules::NEWEST))
    }

    fn index(&self) -> LedgerIndex {
        Self::index(self)
    }

    fn audit(&self) -> Digest {
        self.anchor().audit
    }

    fn store_of(&self, host: &HostId) -> Option<StoreId> {
        self.roster().get(host)?.store
    }

    fn voters(&self) -> Vec<HostId> {
        Self::voters(self).to_vec()
    }

    fn votes_followed(&self, voting: &[HostId]) -> Option<Command> {
        let is_news = self.are_to_be_told(voting);
        is_news.then(|| Command::VotesFollowed { voting: voting.to_vec() })
    }

    fn boot_of(&self, host: &HostId) -> Option<Boot> {
        self.roster().get(host)?.boot
    }

    fn tick_every(&self) -> Option<Span> {
        Self::tick_every(self)
    }

    fn to_bytes(&self) -> Vec<u8> {
        Self::to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        Self::from_bytes(bytes).map_err(|why| why.to_string())
    }
}

/// Why an entry cannot be applied, in one line for people; the state has not moved.
#[derive(Debug)]
pub(crate) enum StepFault {
    /// The machine's own laws break in it; a fault of ours.
    Poison(String),
    /// It is of a newer version, which applies it otherwise.
    Foreign(String),
}

/// The state after this entry. The state before is untouched, so that what is shown has never moved by half (protocol 1.9).
pub(crate) fn applied<M: Machine>(
    before: &M,
    index: LedgerIndex,
    entry: &Entry,
    verifier: &dyn Verifier,
) -> Result<(M, Vec<Outcome>), StepFault> {
    if let Some(why) = before.objection(entry) {
        return Err(StepFault::Foreign(format!("entry {index} raises the ledger to {why}")));
    }
    let step = || {
        let mut after = before.clone();
        let outcomes = after.apply(index, entry, verifier);
        (after, outcomes)
    };
    contained(step).map_err(|said| StepFault::Poison(format!("entry {index} breaks a law: {said}")))
}

/// The state that these bytes hold; bytes that make the reader panic hold none (protocol 1.9).
pub(crate) fn read_back<M: Machine>(bytes: &[u8]) -> Result<M, String> {
    contained(|| M::from_bytes(bytes))
        .unwrap_or_else(|said| Err(format!("reading it panicked: {said}")))
}
