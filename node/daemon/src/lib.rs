//! One host's body: the only clock, the only sockets, the command line.
//!
//! Not here: any decision about a host. What is concluded and done is said by the pure rooms below; this crate carries.

pub mod admin;
pub mod authority;
pub mod bucket;
pub mod calendar;
pub mod command_line;
pub mod config;
pub mod demo;
pub mod fleetlock;
pub mod host;
pub mod identity;
pub mod moments;
pub mod poison;
pub mod second_channel;
pub mod selfwatch;
pub mod transport;
