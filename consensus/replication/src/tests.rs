//! Claims about the whole room: a small machine, keepers in one paused runtime, links and disks that fail on order.

mod binding;
mod chaos;
mod cluster;
mod feeds;
mod mesh;
mod power;
mod suite;
pub(crate) mod toy;
