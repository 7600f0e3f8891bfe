//! The leader's clock, given from outside, so that a test may turn it by hand (protocol 5).

use vocabulary::{Moment, WallNote};

/// What the leader reads when it stamps an entry.
pub trait Clock: Send + Sync + 'static {
    /// CLOCK_BOOTTIME: goes on while the host sleeps, never steps.
    fn now(&self) -> Moment;

    /// The wall clock: a note for people.
    fn wall(&self) -> WallNote;
}
