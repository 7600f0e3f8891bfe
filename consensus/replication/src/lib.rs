//! The ledger on several keepers: openraft around the pure state machine, a durable log under it, and the way to it for
//! every host.
//!
//! Law A2: what was acknowledged is on the disks of a majority and is never lost (protocol 1.8).
//! Law R1: a restart always means a new term; an empty or damaged store never votes (protocol 1.4, 1.5).
//! Law R2: whatever is read from a disk has been checked against its own seal and its place in the chain, or is a fault;
//! the first fault ends voting.
//! Law R3: a returning keeper unseats no sound leader: it campaigns only through the gate (protocol 1.5).
//!
//! Rooms: [`port`] the door for the daemon; [`follower`] the ledger of hosts that are no keepers, fed by [`piece`]s, and
//! [`kept`] what any host keeps of it on its own disk; `replacing` puts a host's new store in the place of its lost one;
//! `comparing` finds a keeper whose state differs from the others'; `proposer` packs commands into entries and measures
//! ledger time; `gate` says who may campaign; `raft`, `letter` and `line` are what openraft needs to speak; `log`, `state`
//! what it needs to remember; [`store`] and `shelf` the records and their seals; [`disk`] the bytes; [`tasks`] where tasks
//! begin; [`mod@watch`] values that many wait on; [`pulse`] whether its tasks and its thread get on.
//! Not here: what an entry means (see `ledger`), who proposes what (see `agent`), sockets (see `daemon`). No type of
//! openraft or redb leaves this crate.

pub mod clock;
mod comparing;
pub mod contained;
pub mod disk;
pub mod follower;
mod gate;
pub mod kept;
mod letter;
mod line;
pub mod link;
mod log;
pub mod machine;
pub mod piece;
pub mod port;
mod proposer;
pub mod pulse;
mod raft;
pub mod recovering;
mod replacing;
mod seal;
pub mod settings;
mod shelf;
mod state;
pub mod store;
pub mod tasks;
#[cfg(test)]
mod tests;
mod warden;
pub mod watch;

pub use clock::Clock;
pub use comparing::Tie;
pub use contained::{contained, is_contained};
pub use disk::{Disk, DiskFault, FaultyDisk, FileDisk, MemoryDisk};
pub use follower::{Follower, TakeFault};
pub use link::{KeeperLink, LinkFault};
pub use machine::Machine;
pub use piece::Piece;
pub use port::{
    Feed, FeedFault, InitialiseFault, Leadership, LedgerPort, Loaded, MemberFault, Opening,
    PortFault, ProposeFault, ReadFault, Sender,
};
pub use pulse::{Beat, Life, Pulse, Queue, Signs};
pub use settings::{Settings, SettingsFault};
pub use store::{Store, StoreFault};
