//! The host's clocks: CLOCK_BOOTTIME for every span, the wall clock for notes to people.

use replication::Clock;
use rustix::time::{ClockId, clock_gettime};
use vocabulary::{Moment, WallNote};

/// The machine's own clocks.
#[derive(Clone, Copy, Debug)]
pub struct HostClock;

impl Clock for HostClock {
    fn now(&self) -> Moment {
        let now = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
        let milliseconds = u64::try_from(now.tv_nsec / 1_000_000).unwrap_or_default();
        Moment::from_milliseconds(seconds.saturating_mul(1_000).saturating_add(milliseconds))
    }

    fn wall(&self) -> WallNote {
        WallNote(crate::moments::now_exact())
    }
}
