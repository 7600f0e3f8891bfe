//! A machine's own clock (CLOCK_BOOTTIME): where it began, how fast it goes, and what made it leap.
//!
//! Law K1: it never goes back, whatever is done to it.
//! Law K2: a moment of the fleet that is worked out from a reading is never too early: read again at it, the clock has come so far.
//! Not here: what a mind makes of it (see `protocol 5`), wall clocks: no decision reads one.

use vocabulary::{Moment, Span};

/// What a true clock counts in a second.
const TRUE_PACE: u64 = 1_000;

/// A clock that goes even slower counts nothing.
const PACE_MIN: u64 = 1;

/// One machine's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// From this moment of the fleet on it has gone at its present pace,
    since: Moment,
    /// from this reading.
    from: Moment,
    /// Milliseconds that it counts in a second.
    pace: u64,
}

impl Clock {
    /// A true clock that began so long before the fleet's: moments of two hosts mean nothing to each other.
    pub fn ahead(by: Span) -> Self {
        Self { since: Moment::default(), from: Moment::default().after(by), pace: TRUE_PACE }
    }

    pub fn local(&self, now: Moment) -> Moment {
        let gone = now.since(self.since).as_milliseconds();
        self.from.after(Span::milliseconds(gone.saturating_mul(self.pace) / TRUE_PACE))
    }

    /// Law K2.
    pub fn global(&self, local: Moment) -> Moment {
        let left = local.since(self.from).as_milliseconds();
        self.since.after(Span::milliseconds(left.saturating_mul(TRUE_PACE).div_ceil(self.pace)))
    }

    /// From now on it is so many of a thousand too fast, or too slow.
    pub fn drift(&mut self, now: Moment, permille: i32) {
        self.leap(now, Span::ZERO);
        self.pace = TRUE_PACE.saturating_add_signed(i64::from(permille)).max(PACE_MIN);
    }

    /// It has gone on so far in no time.
    pub fn leap(&mut self, now: Moment, by: Span) {
        self.from = self.local(now).after(by);
        self.since = now;
    }

    /// It stood still since this moment.
    pub fn stood_still(&mut self, since: Moment, now: Moment) {
        self.from = self.local(since);
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laws_k1_and_k2_a_clock_that_drifts_leaps_and_stands_never_goes_back_and_wakes_nobody_early()
    {
        let mut clock = Clock::ahead(Span::seconds(70));
        let mut last = Moment::default();
        for second in 0..200_u64 {
            let now = Moment::from_milliseconds(second * 1_000);
            match second % 20 {
                3 => clock.drift(now, 13),
                7 => clock.leap(now, Span::seconds(30)),
                11 => clock.drift(now, -370),
                // Nobody reads the clock of a machine that stands still.
                16 => continue,
                17 => clock.stood_still(now.before(Span::seconds(2)), now),
                _ => {}
            }
            let local = clock.local(now);
            assert!(local >= last, "second {second}");
            last = local;
            for wait in [0, 1, 17, 999] {
                let due = local.after(Span::milliseconds(wait));
                assert!(clock.local(clock.global(due)) >= due, "second {second}, {wait} ms");
            }
        }
    }

    #[test]
    fn a_clock_that_is_one_percent_fast_gains_ten_milliseconds_a_second() {
        let mut clock = Clock::ahead(Span::ZERO);
        clock.drift(Moment::from_milliseconds(5_000), 10);
        assert_eq!(clock.local(Moment::from_milliseconds(15_000)).as_milliseconds(), 15_100);
        assert_eq!(clock.global(Moment::from_milliseconds(15_100)).as_milliseconds(), 15_000);
    }
}
