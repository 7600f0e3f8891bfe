//! The whole state as bytes, and back.
//!
//! Law C3: two keepers that applied the same entries give the same bytes.
//! Law C4: what is not a state of a layout that is known is refused by name; nothing is guessed.
//! Law C5: the rules in force choose the layout, so that a keeper of the age that knew no others reads its own.
//! Not here: checksums and chunks (see `replication`).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use detection::roster::Lot;
use vocabulary::HostId;

use crate::ledger::{Ledger, State};
use crate::rules::{self, Added};

/// The lots of the roster (law S4 of `seats`), which the first layout does not know.
type Lots = Arc<BTreeMap<HostId, Lot>>;

/// The layout of the first rules; each later number of rules lays its own.
const FIRST_LAYOUT: u32 = 2;

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
        let mut bytes = layout_of(self.state.rules).to_be_bytes().to_vec();
        bytes.extend(wire::codec::encode(&self.state));
        if self.state.rules >= rules::SECOND {
            bytes.extend(wire::codec::encode(&self.state.added));
            bytes.extend(wire::codec::encode(self.state.roster.lots()));
        }
        bytes
    }

    /// The state back from its bytes, with everything that follows from it worked out again.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SnapshotFault> {
        let (layout, state) =
            bytes.split_first_chunk::<4>().ok_or(SnapshotFault::Bytes(wire::Fault::Short))?;
        let layout = u32::from_be_bytes(*layout);
        let rules = (rules::FIRST..=rules::NEWEST).find(|rules| layout_of(*rules) == layout);
        let rules = rules.ok_or(SnapshotFault::Layout(layout))?;
        let state = read(rules, state).map_err(SnapshotFault::Bytes)?;
        Ok(Self::from_state(state))
    }
}

fn read(rules: u32, bytes: &[u8]) -> Result<State, wire::Fault> {
    let (mut state, used): (State, usize) = wire::codec::decode_state_prefix(bytes)?;
    let behind = &bytes[used..];
    state.rules = rules;
    match (rules, behind.len()) {
        (rules::SECOND.., _) => {
            let (added, lots) = wire::codec::decode_state::<(Added, Lots)>(behind)?;
            state.added = added;
            let roster = Arc::unwrap_or_clone(state.roster);
            state.roster = Arc::new(roster.with_lots(lots));
        }
        (_, 0) => {}
        (_, left) => return Err(wire::Fault::Trailing(left)),
    }
    Ok(state)
}

fn layout_of(rules: u32) -> u32 {
    FIRST_LAYOUT - rules::FIRST + rules
}

impl fmt::Display for SnapshotFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layout(found) => {
                let newest = layout_of(rules::NEWEST);
                write!(
                    out,
                    "the snapshot has layout {found}, this version reads layouts {FIRST_LAYOUT} to {newest}"
                )
            }
            Self::Bytes(fault) => write!(out, "the snapshot is no ledger: {fault}"),
        }
    }
}

impl std::error::Error for SnapshotFault {}
