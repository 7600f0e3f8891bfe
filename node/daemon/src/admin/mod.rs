//! What an operator asks of an agent, and what it answers: HTTP with JSON on a Unix socket.
//!
//! Law W1: the kernel says who is at the other end; nobody orders who is not on the list (see [`crate::config::Admin`]).
//! Law W2: every agent answers for the whole mesh, and every answer says how old it is and whether a majority stands
//! behind it.
//! Not here: how answers look on a screen (see `command_line`), and any decision (see `ledger`).

pub mod answer;
pub mod chain;
pub mod client;
pub mod difference;
pub mod exported;
mod fleetlock_orders;
mod keeper_orders;
mod maintaining;
pub mod mind;
mod orders;
pub(crate) mod peer;
mod policy_orders;
mod rehearsal;
pub mod render;
mod room;
pub mod server;
pub mod socket;
pub mod vouched;

#[cfg(test)]
pub(crate) mod tests;
