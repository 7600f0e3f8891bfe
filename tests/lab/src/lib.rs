//! How do real agents fare on hosts of their own, with a network between them that can be spoiled?
//!
//! A host is a network namespace with one card, and the network is one bridge: both of the bench and of the cluster's tests as root.
//! Law N8: whoever drops a [`fleet::Fleet`] ends its agents, and then its namespaces and files go.
//! Rooms: [`plan`] who stands where; [`network`] namespaces, and what is lost between them; [`fleet`] the agents.
//! Not here: what is measured (see `bench`), and what must come of it (see the tests of `cluster`).

pub mod fleet;
pub mod network;
pub mod plan;

pub use fleet::{Fleet, LabFault};
