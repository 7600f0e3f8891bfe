//! What must hold of any bytes at all, one function for each door through which bytes come in.
//!
//! Each function takes what somebody sent, typed or left on a disk, and panics where a law is broken; there is nothing else to
//! learn from it. `fuzz/` drives them with bytes that grow towards code not yet seen; `tests/replay.rs` plays what was kept of
//! those in `corpus/`, as ordinary tests.
//! Law FZ1: the same bytes give the same end, on every machine: no clock, no luck, no state kept between two runs.
//! Law FZ2: whatever the bytes say, a run is over soon: what it may apply, play or hear is bounded.
//! Not here: which bytes are tried (see `fuzz/`), and where they begin (see [`seeds`]).

mod attestation;
mod command;
pub mod corpus;
#[path = "../../../consensus/ledger/tests/fleet/mod.rs"]
mod fleet;
mod fleetlock;
mod frame;
mod life;
mod message;
mod policy;
mod scenario;
mod scratch;
pub mod seeds;
mod spelling;
mod store;
mod world;

pub use attestation::attestation;
pub use command::command;
pub use fleetlock::fleetlock;
pub use frame::frame;
pub use message::message;
pub use policy::policy;
pub use scenario::scenario;
pub use store::store;

/// One door, by the name of its folder in `corpus/` and of its file in `fuzz/fuzz_targets/`.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// What must hold of any bytes there.
    pub check: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 8] = [
    Target { name: "frame", check: frame },
    Target { name: "message", check: message },
    Target { name: "attestation", check: attestation },
    Target { name: "command", check: command },
    Target { name: "policy", check: policy },
    Target { name: "scenario", check: scenario },
    Target { name: "store", check: store },
    Target { name: "fleetlock", check: fleetlock },
];

/// Makes every panic the end of the process, but those that are somebody's answer (protocol 1.8, 1.9): what drives the targets ends
/// it at any panic otherwise, and a store that refuses a damaged file would be reported.
pub fn end_at_panics() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !replication::is_contained() {
            told(panic);
            std::process::abort();
        }
    }));
}
