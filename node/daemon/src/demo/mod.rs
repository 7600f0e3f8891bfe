//! `hale demo`: a mesh of real processes on loopback, four faults, every proof checked.
//!
//! Not here: any shortcut into an agent. The demo breaks hosts from outside and reads what any operator can read.

pub mod ports;
pub mod relay;
