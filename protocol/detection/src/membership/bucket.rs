//! A token bucket in a machine's own time.

use vocabulary::{Moment, Span};

/// So many at once, then one per span.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    burst: u64,
    refill: Span,
    /// The bucket is full from here on; each token taken moves it one refill on.
    full_at: Moment,
}

impl Bucket {
    /// A full bucket.
    pub fn full(burst: u64, refill: Span) -> Self {
        Self { burst, refill, full_at: Moment::default() }
    }

    /// Takes a token if there is one.
    pub fn take(&mut self, now: Moment) -> bool {
        let has_token = self.next() <= now;
        if has_token {
            self.full_at = self.full_at.max(now).after(self.refill);
        }
        has_token
    }

    /// Whether nothing of it is spent.
    pub fn is_full(&self, now: Moment) -> bool {
        self.full_at <= now
    }

    /// When there is a token, at the earliest.
    pub fn next(&self) -> Moment {
        let reserve = self.refill.times(self.burst.saturating_sub(1));
        self.full_at.before(reserve)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_per_refill() {
        let at = Moment::from_milliseconds;
        let mut bucket = Bucket::full(3, Span::seconds(10));
        let taken = (0..5).filter(|_| bucket.take(at(50_000))).count();
        assert_eq!(taken, 3);
        assert_eq!(bucket.next(), at(60_000));
        assert!(!bucket.take(at(59_999)));
        assert!(bucket.take(at(60_000)));
        assert!(!bucket.take(at(60_001)));
    }
}
