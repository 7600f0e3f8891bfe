//! What two members tell each other so that each learns what gossip has lost: the bytes of the exchange (protocol 4).
//!
//! | asked | answered |
//! |---|---|
//! | [`Ask::Digest`]: how many members, and one hash over all | [`Answer::Same`], or [`Answer::Hashes`] of each part |
//! | [`Ask::States`]: whatever the asker knows in the parts that differ | [`Answer::States`]: what the other knows in them |
//!
//! The hash is over who is active, in which boot, renewal and incarnation, the speaker itself included. How long a death is
//! remembered is each host's own affair; but of the parts that differ the dead are told as well.
//! Law SW13: any bytes are an exchange within its bounds, or a fault.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vocabulary::{Boot, Digest, HostId};

use crate::seats::stirred;

/// Parts into which hosts fall by their ids: two hundred members each in the largest mesh.
pub(super) const PARTS: usize = 256;

/// States in one message: they fill four fifths of a stream's frame. A view that lacks more takes several exchanges.
pub(super) const STATES_MAX: usize = 4_096;

/// Odd, and without order in its bits: a product with it spreads what is multiplied.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// One host as another knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct State {
    pub host: HostId,
    pub boot: Boot,
    pub renewal: u32,
    pub incarnation: u16,
    pub is_down: bool,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Ask {
    Digest { members: u64, hash: u64 },
    States { parts: Parts, own: State, states: Vec<State> },
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    Same,
    Hashes(Vec<u64>),
    States {
        own: State,
        states: Vec<State>,
    },
    /// Asked too often, or by bytes that are no question.
    Refused,
}

/// A set of parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Parts([u64; PARTS / 64]);

/// Why bytes are no part of an exchange; nothing has moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ExchangeFault {
    Codec(wire::Fault),
    /// More states or other hashes than the bounds allow.
    OutOfBounds,
}

/// Who is active, as one number for each part, and one for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    members: u64,
    hashes: Vec<u64>,
    hash: u64,
}

impl State {
    /// Which part it falls into.
    pub fn part(&self) -> usize {
        usize::from(self.host.0[0])
    }

    /// Almost surely another number for another state, and cheap: by this a host sees that nothing has changed. It is never told.
    fn mark(&self) -> u64 {
        let Boot { number, nonce } = self.boot;
        let words = [u128::from_be_bytes(self.host.0), nonce];
        let halves = words.map(|word| [low(word), low(word >> 64)]);
        let rest = u64::from(self.renewal) << 16 | u64::from(self.incarnation);
        let all = halves.into_iter().flatten().chain([number, rest]);
        stirred(all.fold(0, |mark, word| (mark.rotate_left(23) ^ word).wrapping_mul(SPREAD)))
    }

    fn hash(&self) -> u64 {
        let Boot { number, nonce } = self.boot;
        Digest::of(&[
            &self.host.0,
            &number.to_be_bytes(),
            &nonce.to_be_bytes(),
            &self.renewal.to_be_bytes(),
            &self.incarnation.to_be_bytes(),
        ])
        .leading()
    }
}

/// The last summary, and by what it is known to hold still.
#[derive(Debug, Default)]
pub(super) struct Summaries {
    last: Option<Known>,
    /// Nothing can have changed of anybody but ourselves since it was known to hold.
    is_fresh: bool,
}

#[derive(Debug)]
struct Known {
    own: State,
    marks: (u64, u64),
    summary: Summary,
}

impl Summaries {
    /// Something may have changed of others. That it has, foca's timers tell by notifying: a suspicion that ends, and of two machines
    /// under one name a failed probe, which can bring back the one that it was sent to.
    pub fn doubt(&mut self) {
        self.is_fresh = false;
    }

    /// Over all that are active, ourselves among them; worked out anew only if any of them has changed since.
    pub fn of<I: Iterator<Item = State>>(
        &mut self,
        own: State,
        others: impl Fn() -> I,
    ) -> &Summary {
        let is_fresh = std::mem::replace(&mut self.is_fresh, true);
        let last = self.last.take().filter(|known| known.own == own);
        debug_assert!(
            !is_fresh || last.as_ref().is_none_or(|known| known.marks == marks(others())),
            "law SW14: what may change a member makes its summary doubtful"
        );
        let last = match last {
            Some(known) if is_fresh => Some(known),
            known => known.filter(|known| known.marks == marks(others())),
        };
        let known = last.unwrap_or_else(|| Known {
            own,
            marks: marks(others()),
            summary: Summary::of(others().chain([own])),
        });
        &self.last.insert(known).summary
    }
}

fn marks(states: impl Iterator<Item = State>) -> (u64, u64) {
    let active = states.filter(|state| !state.is_down);
    active.fold((0, 0), |(count, sum), state| (count + 1, sum.wrapping_add(state.mark())))
}

impl Summary {
    /// Over all that are active; the order does not matter.
    pub fn of(states: impl IntoIterator<Item = State>) -> Self {
        let (mut members, mut hashes) = (0, vec![0; PARTS]);
        for state in states.into_iter().filter(|state| !state.is_down) {
            members += 1;
            if let Some(hash) = hashes.get_mut(state.part()) {
                *hash ^= state.hash();
            }
        }
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash: &u64| hash.to_be_bytes()).collect();
        Self { members, hashes, hash: Digest::of(&[&bytes]).leading() }
    }

    /// The question that begins an exchange.
    pub fn ask(&self) -> Ask {
        Ask::Digest { members: self.members, hash: self.hash }
    }

    /// The answer to such a question.
    pub fn answer(&self, members: u64, hash: u64) -> Answer {
        if (members, hash) == (self.members, self.hash) {
            Answer::Same
        } else {
            Answer::Hashes(self.hashes.clone())
        }
    }

    /// Where another's hashes are not ours.
    pub fn differing(&self, hashes: &[u64]) -> Parts {
        let mut parts = Parts::default();
        let pairs = self.hashes.iter().zip(hashes).enumerate();
        for (part, _) in pairs.filter(|(_, (ours, theirs))| ours != theirs) {
            parts.insert(part);
        }
        parts
    }
}

impl Parts {
    /// Puts one in.
    pub fn insert(&mut self, part: usize) {
        if let Some(word) = self.0.get_mut(part / 64) {
            *word |= 1 << (part % 64);
        }
    }

    /// Whether it is in.
    pub fn holds(&self, part: usize) -> bool {
        self.0.get(part / 64).is_some_and(|word| word >> (part % 64) & 1 == 1)
    }
}

impl Ask {
    /// As it travels in [`wire::Request::Members`].
    pub fn to_bytes(&self) -> Vec<u8> {
        wire::encode(self)
    }

    /// Reads a question, all of the bytes and no more.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ExchangeFault> {
        let ask: Self = wire::decode(bytes).map_err(ExchangeFault::Codec)?;
        match &ask {
            Self::States { states, .. } if states.len() > STATES_MAX => {
                Err(ExchangeFault::OutOfBounds)
            }
            Self::States { .. } | Self::Digest { .. } => Ok(ask),
        }
    }
}

impl Answer {
    /// As it travels in [`wire::Response::Members`].
    pub fn to_bytes(&self) -> Vec<u8> {
        wire::encode(self)
    }

    /// Reads an answer, all of the bytes and no more.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ExchangeFault> {
        let answer: Self = wire::decode(bytes).map_err(ExchangeFault::Codec)?;
        let is_within = match &answer {
            Self::Hashes(hashes) => hashes.len() == PARTS,
            Self::States { states, .. } => states.len() <= STATES_MAX,
            Self::Same | Self::Refused => true,
        };
        if is_within { Ok(answer) } else { Err(ExchangeFault::OutOfBounds) }
    }
}

fn low(word: u128) -> u64 {
    u64::try_from(word & u128::from(u64::MAX)).unwrap_or_default()
}

/// Those that fall into the wanted parts; of more than fit, the first in the order that begins at `from`.
pub(super) fn within(states: &[State], parts: &Parts, from: usize) -> Vec<State> {
    let mut wanted: BTreeMap<(usize, HostId), State> = BTreeMap::new();
    for state in states.iter().filter(|state| parts.holds(state.part())) {
        wanted.insert(((state.part() + PARTS - from % PARTS) % PARTS, state.host), *state);
    }
    wanted.into_values().take(STATES_MAX).collect()
}

impl std::fmt::Display for ExchangeFault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Codec(fault) => write!(out, "no part of an exchange: {fault}"),
            Self::OutOfBounds => out.write_str("an exchange beyond its bounds"),
        }
    }
}

impl std::error::Error for ExchangeFault {}
