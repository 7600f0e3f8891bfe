//! Do the laws hold in any fleet, under any faults, after every event, and is all well once they stop?
//!
//! Law T0: a seed and a mode give one plan, a plan is one script, a script gives one run: whatever is red can be seen again.
//! Rooms: [`drawing`] a plan from a seed, with [`policy`], [`acts`], [`checked`], [`rebooted`], [`spared`] and [`liars`]; [`kinds`]
//! of what is drawn; [`plan`] its text; [`picture`] what is seen of a run;
//! [`checkers`] what may never be, and what must come at the end; [`trial`] plays a plan before them, [`many`] many; [`shrinking`] makes a red plan
//! small; [`replay`] tells a run step by step.
//! Not here: what is modelled (see `simulator`).

mod acts;
mod checked;
pub mod checkers;
pub mod drawing;
pub mod kinds;
pub mod liars;
pub mod many;
pub mod picture;
pub mod plan;
mod policy;
mod rebooted;
pub mod replay;
pub mod shrinking;
mod spared;
pub mod trial;
