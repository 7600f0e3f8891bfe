//! Numbers with a meaning: each its own type, so that a fence is never mistaken for an index.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The next number; stays at the end of the range, which no mesh reaches.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, out)
            }
        }
    };
}

number!(
    /// The number of a case, from 1, never used twice in a ledger.
    CaseId
);
number!(
    /// The number on a lease; it only rises over the whole ledger (law L2).
    Fence
);
number!(
    /// One begun remedy, never used twice in a ledger; a remedy id that was done is not done again (protocol 7.5).
    RemedyId
);
number!(
    /// The place of an applied entry in the ledger.
    LedgerIndex
);
number!(
    /// Rises at each change of the roster (protocol 1.3).
    Epoch
);
number!(
    /// Per-observer counter of attestations; the highest one wins (protocol 3.1).
    Sequence
);
number!(
    /// Drawn with a keeper's store and living with it; also its Raft node id (protocol 1.4).
    StoreId
);
