//! What is replicated, as this room needs to know it: the ledger, or a smaller thing in tests.

use ledger::command::{Entry, Outcome};
use vocabulary::{Digest, LedgerIndex, Verifier};

/// A pure state machine: the same entries in the same order give the same state on every host.
pub trait Machine: Clone + Send + Sync + 'static {
    /// Takes one committed entry and answers each of its commands, in their order.
    fn apply(&mut self, index: LedgerIndex, entry: &Entry, verifier: &dyn Verifier)
    -> Vec<Outcome>;

    /// The last applied entry; 0 before the first.
    fn index(&self) -> LedgerIndex;

    /// A digest that differs when two hosts have diverged.
    fn audit(&self) -> Digest;

    /// Whether any term is running, so that the leader must commit ticks (protocol 5).
    fn wants_ticks(&self) -> bool;

    /// The whole state for a snapshot.
    fn to_bytes(&self) -> Vec<u8>;

    /// The state back from a snapshot; one line for people when the bytes are none.
    fn from_bytes(bytes: &[u8]) -> Result<Self, String>;
}
