//! Every fleet of up to nine hosts, every small fault in it, and what is concluded.
//!
//! A [`world::World`] is a fleet in its layout; a `scenario` puts faults into it, lets every observer that the
//! leader can hear look and sign, and asks [`detection::verdict::conclude`]; [`claims`] judges the answer by what is true
//! in that world; [`families`] enumerates the scenarios, [`layouts`] the fleets, both up to symmetry.

pub mod claims;
pub mod families;
pub mod keyed;
pub mod layouts;
pub mod scenario;
pub mod world;
