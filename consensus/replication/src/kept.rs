//! The ledger's state as a host keeps it on a disk of its own, whether it is a keeper or not (protocol 1.3): with it a host
//! that starts knows at once who belongs, who the keepers are and where they are reached.
//!
//! Law K1: what is read is what was written, or a named fault; a state that was kept is never believed against a keeper.
//! Not here: where the bytes lie and when they are written (see `daemon`), and a keeper's own store, which is no copy.

use std::fmt;

use vocabulary::Digest;

use crate::machine::{Machine, read_back};

/// Why bytes are no state that was kept here; it is fetched anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptFault {
    /// They do not begin as such bytes do, or are fewer than that.
    Beginning,
    /// The seal does not hold.
    Seal,
    /// The seal holds, and this version cannot read what is in it.
    State(String),
}

/// The state's bytes under a seal.
pub fn keep<M: Machine>(machine: &M) -> Vec<u8> {
    let state = machine.to_bytes();
    [BEGINNING, &seal(&state).0, &state].concat()
}

/// The state back.
pub fn kept<M: Machine>(bytes: &[u8]) -> Result<M, KeptFault> {
    let rest = bytes.strip_prefix(BEGINNING).ok_or(KeptFault::Beginning)?;
    let (said, state) = rest.split_first_chunk::<32>().ok_or(KeptFault::Beginning)?;
    if seal(state) != Digest(*said) {
        return Err(KeptFault::Seal);
    }
    read_back(state).map_err(KeptFault::State)
}

fn seal(state: &[u8]) -> Digest {
    Digest::of(&[BEGINNING, state])
}

/// What such bytes are and how they are laid; another layout has another number.
const BEGINNING: &[u8] = b"hale kept 1\n";

/// Most bytes that are read: the largest state with its seal.
pub const KEPT_BYTES_MAX: usize = wire::codec::STATE_BYTES_MAX + BEGINNING.len() + 32;

impl fmt::Display for KeptFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beginning => write!(out, "it does not begin as a kept state does"),
            Self::Seal => write!(out, "its seal does not hold"),
            Self::State(why) => write!(out, "this version cannot read it: {why}"),
        }
    }
}

impl std::error::Error for KeptFault {}
