//! The replicated state machine: `apply(stamp, command, verifier) -> outcome`. Pure, total, deterministic, without floats.
//!
//! Rooms: [`command`] what can be asked of it and what it answers; [`case`] one trouble from verdict to closure, with its
//! lease; [`policy`] the operators' rules, [`in_force`] which of them stand; [`document`] strict TOML; [`clock`] ledger time,
//! [`expiry`] what ends by itself; [`founding`] who belongs, `adding` whom a person let
//! in, `certificates` until when; [`votes`] who carries a vote; `verdicts`, `surges`, `unsettled`,
//! [`duplicates`], [`fitness`], `judging` from grounds to cases;
//! `leases`, `shadows`, `intents`, `receipts`, `proofs`, `endings` from case to closure; `limits`, `damping`, `quarantine`, [`stops`],
//! `canaries`, [`approvals`], [`maintenance`], `quiet`, [`brakes`] who says no; [`slot_grants`], [`slots`] and [`bindings`] leave to reboot, for FleetLock
//! clients; `tally`, `cases`, `laws` what is counted; [`audit`] the history, [`sealing`] who vouches for it; [`rules`] which rules
//! are in force; [`snapshot`] the whole as bytes; [`view`] what is read.
//! Not here: how entries are replicated (see `replication`), who proposes what and when (see `agent`).

pub mod approvals;
pub mod audit;
pub mod bindings;
pub mod brakes;
pub mod case;
pub mod clock;
pub mod command;
pub mod document;
pub mod exempting;
pub mod expiry;
pub mod fitness;
pub mod founding;
pub mod in_force;
pub mod ledger;
pub mod maintenance;
pub mod policy;
pub mod refusal;
mod revoking;
pub mod rules;
pub mod sealing;
pub mod slot_grants;
pub mod slots;
pub mod snapshot;
pub mod stops;
pub mod view;
pub mod votes;

mod adding;
mod canaries;
mod cases;
mod certificates;
mod damping;
pub mod duplicates;
mod endings;
mod enrolling;
mod healing;
mod intents;
mod judging;
mod laws;
mod leases;
mod limits;
mod proofs;
mod quarantine;
mod quiet;
mod receipts;
mod register;
mod shadows;
mod starts;
mod stuck;
mod surges;
mod tally;
mod unsettled;
mod verdicts;
mod zones;

pub use audit::{BrokenAt, verify_chain, verify_chain_after};
pub use ledger::Ledger;
pub use snapshot::SnapshotFault;
