//! Time as the pure rooms know it: a host's own clock, the ledger's clock, and notes for people.
//!
//! Law: all arithmetic saturates; no decision reads a wall clock (protocol 5).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A length of time in whole milliseconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Span(u64);

/// A reading of one host's CLOCK_BOOTTIME in milliseconds; never compared across hosts.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Moment(u64);

/// The ledger's own time: a sum of committed durations in milliseconds, the same on every host (protocol 5).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct LedgerTime(u64);

/// Milliseconds since the Unix epoch, as the leader's wall clock said: a note for people, never a reason.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct WallNote(pub u64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// Milliseconds.
    pub const fn milliseconds(count: u64) -> Self {
        Self(count)
    }

    /// Seconds; saturates.
    pub const fn seconds(count: u64) -> Self {
        Self(count.saturating_mul(1_000))
    }

    /// Minutes; saturates.
    pub const fn minutes(count: u64) -> Self {
        Self(count.saturating_mul(60_000))
    }

    /// The length in whole milliseconds.
    pub const fn as_milliseconds(self) -> u64 {
        self.0
    }

    /// So many times as long; saturates.
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// This and another; saturates.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// This less another, never below zero.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

macro_rules! clock {
    ($name:ident) => {
        impl $name {
            /// The reading at so many milliseconds.
            pub const fn from_milliseconds(count: u64) -> Self {
                Self(count)
            }

            /// The reading in whole milliseconds.
            pub const fn as_milliseconds(self) -> u64 {
                self.0
            }

            /// So much later; saturates.
            #[must_use]
            pub const fn after(self, span: Span) -> Self {
                Self(self.0.saturating_add(span.0))
            }

            /// So much earlier; never before the clock's beginning.
            #[must_use]
            pub const fn before(self, span: Span) -> Self {
                Self(self.0.saturating_sub(span.0))
            }

            /// How long ago an earlier reading was; zero if it is not earlier.
            pub const fn since(self, earlier: Self) -> Span {
                Span(self.0.saturating_sub(earlier.0))
            }
        }
    };
}

clock!(Moment);
clock!(LedgerTime);

impl fmt::Display for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ms if ms < 1_000 => write!(out, "{ms} ms"),
            ms if ms < 60_000 && ms.is_multiple_of(1_000) => write!(out, "{} s", ms / 1_000),
            ms if ms < 60_000 => write!(out, "{}.{} s", ms / 1_000, ms % 1_000 / 100),
            ms if ms < 3_600_000 => write!(out, "{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
            ms => write!(out, "{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_on_time_saturates_at_both_ends() {
        assert_eq!(Moment::from_milliseconds(5).before(Span::seconds(1)), Moment::default());
        assert_eq!(Moment::default().since(Moment::from_milliseconds(9)), Span::ZERO);
        assert_eq!(Span::seconds(u64::MAX).plus(Span::seconds(1)).as_milliseconds(), u64::MAX);
    }

    #[test]
    fn a_span_reads_as_a_person_would_say_it() {
        let said = |ms| Span::milliseconds(ms).to_string();
        assert_eq!(said(250), "250 ms");
        assert_eq!(said(3_000), "3 s");
        assert_eq!(said(3_450), "3.4 s");
        assert_eq!(said(150_000), "2 min 30 s");
    }
}
