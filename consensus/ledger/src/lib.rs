//! The replicated state machine: `apply(stamp, command, verifier) -> outcome`. Pure, total, deterministic, without floats.
//!
//! Rooms: [`command`] what can be asked of it and what it answers; [`case`] one trouble from verdict to closure, with its
//! lease; [`policy`] the operators' rules; [`document`] strict TOML; the others are named beside their laws.
//! Not here: how entries are replicated (see `replication`), who proposes what and when (see `agent`).

pub mod case;
pub mod command;
pub mod document;
pub mod policy;
