//! The admin socket over a modelled mind: a real socket, a real ledger, no agent.

mod any;
#[path = "../../../../../protocol/wire/tests/bent/mod.rs"]
mod bent;
mod certs;
#[path = "../../../../../consensus/ledger/tests/fleet/mod.rs"]
pub(crate) mod fleet;
pub(crate) mod model;
pub(crate) mod policy;
mod seals;
pub mod socket;
pub mod validity;
