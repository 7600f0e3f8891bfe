//! A virtual fleet in virtual time that runs the very same pure crates as the daemon, and the language that scripts it.
//!
//! Law S1: the same setup, faults and seed give the same trace, on every machine.
//! Law S2: what a mind asks of its shell is done as the daemon would do it or fails as it would fail; every message passes
//! through the wire's own bytes on the way.
//! Law S3: the laws of the mesh are looked at from outside after every event; what breaks one is a [`Breach`], never hidden.
//! Rooms: [`setup`] who there is; [`fault`], `choosing`, `strike`, `links`, `held_up`, `ports`, `lies`, `forgeries` what is done to
//! whom; `people`, `rebooting` who orders and asks what; [`fleet`] the one door; `host`, `clock`, `network`, `sides`, `pipe`, `mail`, `departing`, [`errand`], `directory`, `peers`, `keepers`, `votes`,
//! `service`, `following`, `perform`, `actuator` the modelled world; `laws` what may never be; [`truth`] how every host really
//! is; [`trace`] what happened, in words; [`tally`], [`opinions`] what came of it; [`bare`] hosts without agents; [`script`] the
//! language; [`library`] scenarios that are at hand.
//! Not here: real sockets, TLS, Raft and files (see `daemon` and the tests of the other tiers), and any decision of the mesh.

mod actuator;
pub mod bare;
mod choosing;
mod clock;
mod departing;
mod directory;
pub mod errand;
pub mod fault;
pub mod fleet;
mod following;
mod forgeries;
mod held_up;
mod host;
mod keepers;
mod laws;
pub mod library;
mod lies;
mod links;
mod mail;
mod network;
pub mod opinions;
mod peers;
mod people;
mod perform;
mod pipe;
mod ports;
mod queue;
mod rebooting;
pub mod script;
mod service;
pub mod setup;
mod sides;
mod strike;
pub mod tally;
pub mod trace;
pub mod truth;
mod votes;
mod words;

pub use actuator::{Habit, JournalLine};
pub use errand::Errand;
pub use fault::{Fault, Plight, ServiceTrouble, Trouble, Ways, Whom};
pub use fleet::Fleet;
pub use laws::Breach;
pub use lies::Lie;
pub use network::Sent;
pub use ports::{Gives, Knocker, PortGives};
pub use setup::{Setup, SetupFault, Weather};
pub use tally::Tally;
pub use trace::Line;
