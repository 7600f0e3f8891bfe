//! What do real processes with real signals show that nothing else can?
//!
//! Not here: the stories (see `tests/stories`), and what needs root (see `tests/rights.rs`, `tests/disks.rs`).

use std::time::Duration;

pub mod ages;
#[path = "../../../node/daemon/tests/transport/credulous.rs"]
mod credulous;
pub mod deeds;
pub mod figures;
pub mod floods;
mod half_deaf;
pub mod mesh;
#[path = "../../../node/daemon/tests/transport/muffled.rs"]
mod muffled;
pub mod operator;
pub mod program;
pub mod remedies;
pub mod stranger;

/// Many times what anything takes, since the machine may be busy with other work: a wait that ends so has failed.
pub const PATIENCE: Duration = Duration::from_secs(90);
