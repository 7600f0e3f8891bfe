//! What a keeper sends to a follower of the ledger: entries, or a part of the state, under a seal.

use std::fmt;

use ledger::command::Entry;
use serde::{Deserialize, Serialize};
use vocabulary::{Digest, LedgerIndex};

/// One answer on a follower's stream ([`wire::Response::Entries`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    pub(crate) body: Body,
    seal: Digest,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Body {
    /// All that happened after one index and up to another; Raft's own entries are left out.
    Entries { after: LedgerIndex, upto: LedgerIndex, entries: Vec<(LedgerIndex, Entry)> },
    /// A part of the whole state.
    Image(Part),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) upto: LedgerIndex,
    pub(crate) part: u32,
    pub(crate) parts: u32,
    /// The seal of the part before.
    pub(crate) before: Digest,
    pub(crate) bytes: Vec<u8>,
}

/// Why bytes are no piece; the sender or the way is at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PieceFault {
    /// The bytes do not decode.
    Malformed(wire::Fault),
    /// The seal does not hold.
    Seal,
}

impl Piece {
    pub(crate) fn of(body: Body) -> Self {
        let seal = seal(&body);
        Self { body, seal }
    }

    /// The bytes of [`wire::Response::Entries`].
    pub fn to_bytes(&self) -> Vec<u8> {
        wire::encode(self)
    }

    /// The piece back, its seal checked.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PieceFault> {
        let piece: Self = wire::decode(bytes).map_err(PieceFault::Malformed)?;
        if seal(&piece.body) == piece.seal { Ok(piece) } else { Err(PieceFault::Seal) }
    }

    /// Up to which entry a follower stands that has taken this and all before it.
    pub fn upto(&self) -> LedgerIndex {
        match &self.body {
            Body::Entries { upto, .. } | Body::Image(Part { upto, .. }) => *upto,
        }
    }

    pub(crate) fn seal(&self) -> Digest {
        self.seal
    }
}

fn seal(body: &Body) -> Digest {
    Digest::of(&[b"hale piece 1", &wire::encode(body)])
}

impl fmt::Display for PieceFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(out, "the piece cannot be read: {why}"),
            Self::Seal => write!(out, "the piece's seal does not hold"),
        }
    }
}

impl std::error::Error for PieceFault {}
