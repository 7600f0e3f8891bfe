//! `hale demo`: a mesh of real processes on loopback, four faults, every proof checked.
//!
//! Not here: any shortcut into an agent. The demo breaks hosts from outside and reads what any operator can read.

pub mod fleet;
pub mod journal;
pub mod links;
pub mod plan;
pub mod ports;
pub mod process;
pub mod relay;
pub mod remedy;
pub mod starter;
