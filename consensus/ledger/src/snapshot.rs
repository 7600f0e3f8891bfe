//! The whole state as bytes, and back.
//!
//! Law C3: two keepers that applied the same entries give the same bytes.
//! Law C4: what is not a state of this layout is refused by name; nothing is guessed.
//! Not here: checksums and chunks (see `replication`).

use std::fmt;

use crate::ledger::{Ledger, State};

/// Rises when the layout of the state changes.
pub const LAYOUT: u32 = 2;

/// Why bytes are not a state; nothing has moved, another snapshot or another version of hale is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotFault {
    /// The state was laid out by another version.
    Layout(u32),
    /// The bytes are no state.
    Bytes(wire::Fault),
}

impl Ledger {
    /// The whole state.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = LAYOUT.to_be_bytes().to_vec();
        bytes.extend(wire::codec::encode(&self.state));
        bytes
    }

    /// The state back from its bytes, with everything that follows from it worked out again.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SnapshotFault> {
        let (layout, state) =
            bytes.split_first_chunk::<4>().ok_or(SnapshotFault::Bytes(wire::Fault::Short))?;
        let layout = u32::from_be_bytes(*layout);
        if layout != LAYOUT {
            return Err(SnapshotFault::Layout(layout));
        }
        let state: State = wire::codec::decode_state(state).map_err(SnapshotFault::Bytes)?;
        Ok(Self::from_state(state))
    }
}

impl fmt::Display for SnapshotFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layout(found) => {
                write!(out, "the snapshot has layout {found}, this version reads layout {LAYOUT}")
            }
            Self::Bytes(fault) => write!(out, "the snapshot is no ledger: {fault}"),
        }
    }
}

impl std::error::Error for SnapshotFault {}
