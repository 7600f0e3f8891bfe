//! Does an actuator keep what `actuators::contract` promises?
//!
//! Whoever writes a driver lends the suite a [`Target`]: one thing that the driver works on, for real, prepared to behave in a
//! certain way and able to tell afterwards what was done to it. [`suite!`] then asks every claim of a target of its own:
//!
//! ```text
//! conformance::suite!(BareMetal::in_a_rack_of_its_own);
//! ```
//!
//! Judged from outside: by receipts, by what the target itself tells, and by the clock; never by what a driver says of itself.
//! Not here: what only one kind of driver promises (exit codes, say); that stands beside its target under `tests/`.

pub mod claims;
mod clock;
#[path = "../../cluster/src/program.rs"]
mod program;
mod target;

pub use clock::{PATIENCE, now, until};
pub use program::hale;
pub use target::{Conduct, Deed, Past, Target, order};

/// Every claim of the contract as a test of its own, each on a fresh target that this function makes.
#[macro_export]
macro_rules! suite {
    ($make:expr) => {
        $crate::suite! { $make;
            what_is_carried_out_is_done_once
            what_is_declined_is_refused_and_leaves_no_trace
            an_end_that_says_nothing_is_unknown
            a_remedy_is_ended_when_its_time_is_over
            nothing_begins_after_its_time
            inspection_tells_done_from_not_done_from_unclear
            an_inspection_ends_within_its_time
            no_look_changes_anything
            a_receipt_is_one_short_line_under_its_own_fence
            two_orders_at_once_are_told_apart
        }
    };
    ($make:expr; $($claim:ident)+) => {
        $(
            #[tokio::test]
            async fn $claim() {
                $crate::claims::$claim(&$make()).await;
            }
        )+
    };
}
