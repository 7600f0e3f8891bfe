//! Do the laws of leases hold in every order of a small world's steps?
//!
//! The ledger is the real one and moves by real entries; healers, their clocks, the calls they make and the things they
//! call are modelled. `stateright` tries every order, breadth first. A variant takes one safeguard away from the modelled
//! part, and must be found out. `cargo run --profile fleet -p hale-test-model -- large` tries a larger world.
//! Rooms: [`fleet`] the ledger and its hosts; [`world`] the whole state; [`steps`] what can happen; [`judge`] the laws;
//! [`likeness`] which worlds are alike; [`check`] the search and its report.
//! Not here: whether verdicts are right (see `tests/swarm`), timing of real agents (see `tests/shells`, `tests/cluster`).

pub mod check;
pub mod fleet;
pub mod judge;
pub mod likeness;
pub mod steps;
pub mod world;
