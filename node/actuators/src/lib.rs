//! The hands: one driver per kind of thing, one contract for all.
//!
//! Law T1: a remedy runs for one named subject, under a guard that ends it, whole process group and all that it left
//! behind, at its time limit, at the lease's end less the margin, or when its agent dies (protocol 7.5).
//! Law T2: an end that nobody saw is `Unknown`, never rounded.
//! Not here: whether a remedy may begin (the ledger says), and retrying.

pub mod command;
pub mod contract;
pub mod guard;
pub mod guarded;

pub use command::CommandActuator;
pub use contract::{Actuator, Finding};
