//! One running host: what is started in which order, and the loop that carries between the mind and the world.
//!
//! Rooms: [`start`] the real world and its faults; [`life`] the order, on any world; `shell` the loop; `socket_watch` whether what comes reaches it; `hands` what effects need of the world; `door` the ledger
//! as this host reaches it; `seeds` whom it asks first; `serve` what other hosts ask of the ledger; `chronicle` the log; `pager` the way to a person;
//! [`credentials`] the identity in force, `renewing` what comes in its place, `unwelcome` who refuses it; [`home`] what outlives
//! a life, [`folder`] on the disk, `store` a keeper's store at the start, `keeping` the ledger as it was last known; `keeper_notes` what a person must know of the store; `clock`.
//! Not here: any decision (see `agent`).

mod chronicle;
mod clock;
pub mod credentials;
mod door;
pub mod folder;
mod follow;
mod found;
mod hands;
pub mod home;
pub mod inquiry;
mod keeper_notes;
mod keeping;
pub mod life;
pub mod mind;
pub mod pager;
mod places;
pub mod raising;
pub mod recovering;
mod renewing;
mod schedules;
mod seeds;
mod serve;
mod shell;
mod socket_watch;
pub mod start;
mod store;
mod unwelcome;
mod watched;

pub use start::run;
