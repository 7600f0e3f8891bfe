//! Claims about the whole room: a small machine, keepers in one paused runtime, links and disks that fail on order.

mod ages;
mod any;
mod backlog;
#[path = "../../../protocol/wire/tests/bent/mod.rs"]
mod bent;
mod binding;
mod bytes;
mod chaos;
mod cluster;
mod comparing;
mod disks;
mod feeds;
#[path = "../../../protocol/wire/tests/golden/mod.rs"]
mod golden;
mod kept;
mod lost;
mod mesh;
mod moving;
mod packing;
mod power;
mod recovering;
mod signs;
mod snapshots;
mod standing;
mod suite;
pub(crate) mod toy;
