//! Input that ends the agent (protocol 1.9): what was being handled when it panicked is kept on disk, and what did so twice is
//! not handled a third time.
//!
//! Law PO1: a panic of the loop's thread ends the process, with one line and exit code 70. Nothing is released, nothing is
//! tidied up: what the agent was about to do, it does not do.
//! Law PO2: an input counts for what its bytes are, whoever sends them; it is refused from its second panic on, from its third
//! where a timer that was due beside it may have been at fault, and nothing else is.
//! Law PO3: at most [`KEPT_MAX`] inputs are kept; a new one takes the place of the oldest that was seen once.
//! Law PO4: what is noted is what the border looked at: the bytes as they came, and not what was read from them; two ways to
//! write one message are two inputs.
//! Rooms: [`held`] what is being handled; [`quarantine`] the folder; [`hook`] the panic; `trial` a handler that stumbles.
//! Not here: what cannot be left out, or is read at every start. An entry or a state of the ledger that makes its reader panic
//! is not taken, the state stands where it stood, and that is said; a kept ledger is set aside (see `replication::contained`).

pub mod held;
pub mod hook;
pub mod quarantine;
pub(crate) mod trial;

pub use held::{Held, Input, Kind};
pub use quarantine::{KEPT_MAX, Quarantine};
