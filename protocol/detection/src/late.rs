//! How late was this host lately (protocol 2.7)?
//!
//! Not here: what lateness does to a voice (see `look`, and `verdict` for the voices of others).

use std::collections::VecDeque;

use vocabulary::{Moment, Span};

/// How far back an attestation tells of lateness (protocol 2.7).
pub const LATE_FOR: Span = Span::seconds(10);

/// Latenesses remembered; only falling ones are, so that a dozen is much.
const KEPT_MAX: usize = 32;

/// The latenesses of the last [`LATE_FOR`].
#[derive(Clone, Debug, Default)]
pub struct Lateness {
    /// Oldest first, each smaller than the one before.
    kept: VecDeque<(Moment, Span)>,
}

impl Lateness {
    /// Something of this host's came so much too late.
    pub fn note(&mut self, now: Moment, by: Span) {
        if by == Span::ZERO {
            return;
        }
        let is_recent = |at: Moment| now.since(at) <= LATE_FOR;
        self.kept.retain(|(at, kept)| *kept > by && is_recent(*at));
        self.kept.push_back((now, by));
        if self.kept.len() > KEPT_MAX {
            // The smallest: the worst ones are what is told.
            self.kept.pop_back();
        }
    }

    /// The worst of the last [`LATE_FOR`].
    pub fn worst(&self, now: Moment) -> Span {
        let recent = self.kept.iter().filter(|(at, _)| now.since(*at) <= LATE_FOR);
        recent.map(|(_, by)| *by).max().unwrap_or(Span::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_lateness_is_told_for_ten_seconds_and_then_the_next_worst() {
        let at = Moment::from_milliseconds;
        let mut lateness = Lateness::default();
        lateness.note(at(1_000), Span::milliseconds(300));
        lateness.note(at(5_000), Span::milliseconds(40));
        assert_eq!(lateness.worst(at(11_000)), Span::milliseconds(300));
        assert_eq!(lateness.worst(at(11_001)), Span::milliseconds(40));
        assert_eq!(lateness.worst(at(15_001)), Span::ZERO);
    }

    #[test]
    fn a_long_trouble_is_remembered_by_its_worst_moments() {
        let mut lateness = Lateness::default();
        for step in 0..1_000 {
            let now = Moment::from_milliseconds(1_000 + step);
            lateness.note(now, Span::milliseconds(2_000 - step));
        }
        assert!(lateness.kept.len() <= KEPT_MAX);
        let worst = lateness.worst(Moment::from_milliseconds(2_000));
        assert_eq!(worst, Span::milliseconds(2_000));
    }
}
