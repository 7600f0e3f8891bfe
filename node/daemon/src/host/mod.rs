//! One running host: what is started in which order, and the loop that carries between the mind and the world.
//!
//! Rooms: [`start`] the order and its faults; `shell` the loop; `hands` what effects need of the world; `door` the ledger
//! as this host reaches it; `serve` what other hosts ask of the ledger; `chronicle` the log; `pager` the way to a person;
//! [`folder`] the disk; `clock`.
//! Not here: any decision (see `agent`).

mod chronicle;
mod clock;
mod door;
pub mod folder;
mod follow;
mod found;
mod hands;
pub mod inquiry;
mod mind;
mod pager;
mod places;
mod serve;
mod shell;
pub mod start;

pub use start::run;
