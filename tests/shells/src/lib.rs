//! Do the shells hold? The whole daemon of many hosts, with real QUIC, TLS, gossip, Raft and stores, in one runtime whose clock
//! is paused: what takes a minute takes as long as its work, and one seed gives one trace, packet by packet.
//!
//! Law W1: of the world an agent sees only what is here, and all chance in it comes from the world's seed.
//! Law W2: a host that is killed does not run another step; one that is frozen runs none until the thaw.
//! Rooms: [`world`] the one door; `machine` one host, what outlives its agent (`memory`) and its certificate (`papers`); `network`
//! the packets between them, `sockets` and `knock` an agent's ends of it, `crowd` who is not there, [`tape`] what went by; [`desk`] remedies and pages; [`laws`]
//! what may never be.
//! Not here: the real world's own parts: UDP, TCP, files, signals, the guard, the admin socket (see `tests/cluster`).

mod crowd;
pub mod desk;
mod knock;
pub mod laws;
mod luck;
mod machine;
mod memory;
mod network;
mod papers;
mod sockets;
pub mod tape;
pub mod world;

pub use desk::{Habit, JournalLine};
pub use luck::Luck;
pub use network::Weather;
pub use replication::disk::DiskFault;
pub use simulator::Setup;
pub use world::{World, play};
