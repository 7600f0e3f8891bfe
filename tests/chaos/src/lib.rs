//! What becomes of hale's promises while everything breaks at once?
//!
//! Real agents on hosts of their own (see `lab`), faults drawn from a seed, remedies whose targets keep journals outside hale, an operator
//! who orders things all the while; then calm, and a judge who reads the journals and the audits alone. `just chaos MINUTES`, as root.
//! Rooms: [`weather`] which faults, when; [`faults`] doing and undoing them; [`world`] the hosts as they truly are; [`ground`] what
//! agents are started on: small disks, clocks that can be shifted; [`journal`], [`target`], [`desk`] what a remedy does and what is written down of it;
//! [`operator`] orders; [`run`] all of it in its order; [`gathering`] what is left for the judge; [`mod@judge`] whether hale kept its word;
//! [`report`] how that is told.
//! Law X1: all chance of a run is in its seed: the same seed draws the same faults at the same times. Whether each is done hangs on
//! what is broken by then, which no seed holds.
//! Not here: who was truly at fault in each verdict (the swarm knows its truths), liars, what a remedy may begin (see `tests/swarm`).

pub mod desk;
pub mod faults;
pub mod gathering;
pub mod ground;
pub mod journal;
pub mod judge;
pub mod operator;
pub mod report;
pub mod run;
pub mod target;
pub mod weather;
pub mod world;
