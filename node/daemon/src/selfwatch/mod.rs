//! The agent watches itself: what of it stands still, which queue fills, how much memory and how many descriptors it has taken.
//!
//! Law SW1: whoever watches shares no thread and no lock that the watched could hold: it reads counters, and looks from a
//! thread of its own.
//! Law SW2: systemd's watchdog is fed by progress alone: the loop turned, timers were on time, the store answered.
//! Law SW3: who did not look himself does not say that others stood still: time in which the whole process was stopped
//! counts for nothing.
//! Rooms: [`board`] who is watched; [`judge`] what is too long or too much, pure; [`trouble`] in which words; [`voice`] what
//! systemd is told, pure; `systemd` how; `probes` the kernel's figures; [`sentry`] the thread.
//! Not here: an observer's self-doubt (protocol 2.7), which the mind decides from how late its loop is.

pub mod board;
pub mod judge;
mod probes;
pub mod sentry;
mod systemd;
pub mod trouble;
pub mod voice;

pub use board::{Board, Doing, Orders, SelfWatch, Watched};
pub use judge::MemoryBounds;
pub use sentry::Sentry;
pub use trouble::Report;
