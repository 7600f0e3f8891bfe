//! A machine that remembers what it was told, a verifier that nobody asks, and an entry with a word in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::command::{Command, Entry, Order, Outcome, Proposed};
use openraft::{CommittedLeaderId, EntryPayload};
use serde::{Deserialize, Serialize};
use vocabulary::{
    Address, Boot, CertificateChain, CertificateFault, Claims, Digest, HostId, LedgerIndex,
    LedgerTime, PublicKey, Signature, Span, StoreId, Verifier, WallNote,
};

use crate::machine::Machine;
use crate::raft::{LogEntry, LogId, Stamped};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Toy {
    index: LedgerIndex,
    pub(super) time: LedgerTime,
    pub(super) said: Vec<String>,
    pub(super) ticks: u64,
    chain: Digest,
    /// Takes words otherwise than it should, with the same history.
    #[serde(skip)]
    pub(super) is_bent: bool,
    /// Is of a version that does not know how the word "newer" is applied.
    #[serde(skip)]
    pub(super) is_old: bool,
    lives: BTreeMap<HostId, (Boot, Option<StoreId>)>,
    voters: Vec<HostId>,
    pub(super) had_votes: Vec<HostId>,
}

impl Machine for Toy {
    fn apply(&mut self, index: LedgerIndex, entry: &Entry, _: &dyn Verifier) -> Vec<Outcome> {
        assert!(index > self.index, "no entry is applied twice");
        self.index = index;
        self.time = self.time.after(entry.elapsed);
        self.chain = Digest::of(&[&self.chain.0, &wire::encode(entry)]);
        let take = |proposed: &Proposed| match &proposed.command {
            Command::Pause(order) => {
                assert!(order.why != "poison", "law of the toy: no poison");
                let bend = if self.is_bent { " bent" } else { "" };
                self.said.push(format!("{}{bend}", order.why));
                let version = self.said.len() as u64;
                Outcome::Policy { version }
            }
            Command::Boot { boot, store, .. } => {
                self.lives.insert(proposed.by, (*boot, *store));
                Outcome::Done
            }
            Command::MoveVotes { add, .. } => {
                let founders: Vec<HostId> = (1..=3).map(host).collect();
                let before = if self.voters.is_empty() { founders } else { self.voters.clone() };
                self.had_votes.extend(before);
                self.voters.clone_from(add);
                Outcome::Done
            }
            Command::VotesFollowed { .. } => {
                self.had_votes.clear();
                Outcome::Done
            }
            _ => {
                self.ticks += 1;
                Outcome::Done
            }
        };
        entry.commands.iter().map(take).collect()
    }

    fn objection(&self, entry: &Entry) -> Option<String> {
        let is_newer = |proposed: &Proposed| match &proposed.command {
            Command::Pause(order) => order.why == "newer",
            _ => false,
        };
        let why = || "rules of the toy that are not known here".to_owned();
        (self.is_old && entry.commands.iter().any(is_newer)).then(why)
    }

    fn index(&self) -> LedgerIndex {
        self.index
    }

    fn audit(&self) -> Digest {
        self.chain
    }

    fn store_of(&self, host: &HostId) -> Option<StoreId> {
        self.lives.get(host)?.1
    }

    fn voters(&self) -> Vec<HostId> {
        self.voters.clone()
    }

    fn votes_followed(&self, voting: &[HostId]) -> Option<Command> {
        let are_they = self.voters.iter().all(|voter| voting.contains(voter));
        let is_news = !self.had_votes.is_empty() && are_they && voting.len() == self.voters.len();
        is_news.then(|| Command::VotesFollowed { voting: voting.to_vec() })
    }

    fn boot_of(&self, host: &HostId) -> Option<Boot> {
        Some(self.lives.get(host)?.0)
    }

    fn tick_every(&self) -> Option<Span> {
        let is_wanted = self.said.last().is_some_and(|word| word == "tick");
        is_wanted.then_some(Span::seconds(1))
    }

    fn to_bytes(&self) -> Vec<u8> {
        wire::codec::encode(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let toy: Self = wire::codec::decode_state(bytes).map_err(|why| why.to_string())?;
        assert!(toy.said != ["bitter"], "law of the toy: nothing bitter is read");
        Ok(toy)
    }
}

#[derive(Debug)]
pub(super) struct Nobody;

impl Verifier for Nobody {
    fn is_signed_by(&self, _: &PublicKey, _: &[u8], _: &Signature) -> bool {
        false
    }

    fn claims(
        &self,
        _: &[Vec<u8>],
        _: &CertificateChain,
    ) -> Result<(Claims, PublicKey), CertificateFault> {
        Err(CertificateFault::Size)
    }
}

pub(super) fn verifier() -> Arc<dyn Verifier> {
    Arc::new(Nobody)
}

pub(super) fn host(number: u8) -> HostId {
    HostId([number; 16])
}

pub(super) fn word(word: &str) -> Proposed {
    Proposed {
        by: host(9),
        command: Command::Pause(Order { who: "ops".to_owned(), why: word.to_owned() }),
    }
}

/// Keepers of these numbers are to vote from now on.
pub(super) fn votes(voters: &[u8]) -> Proposed {
    let add = voters.iter().copied().map(host).collect();
    let order = Order { who: "ops".to_owned(), why: "moved".to_owned() };
    Proposed { by: host(1), command: Command::MoveVotes { add, remove: Vec::new(), order } }
}

/// This host lives with this store, in the life of this number.
pub(super) fn lives(number: u8, boot: u64, store: u64) -> Proposed {
    let boot = Boot { number: boot, nonce: 1 };
    let address = Address::from(([127, 0, 0, 1], 1));
    Proposed {
        by: host(number),
        command: Command::Boot { boot, address, store: Some(StoreId(store)) },
    }
}

pub(crate) fn log_id(term: u64, index: u64) -> LogId {
    LogId::new(CommittedLeaderId::new(term, 0), index)
}

pub(crate) fn entry(term: u64, index: u64, said: &str) -> LogEntry {
    let entry =
        Entry { elapsed: Entry::ELAPSED_MAX, wall: WallNote(0), commands: vec![word(said)] };
    LogEntry { log_id: log_id(term, index), payload: EntryPayload::Normal(Stamped { term, entry }) }
}

/// Numbers below a bound, the same for the same seed (Knuth's MMIX generator).
pub(super) fn luck(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}
