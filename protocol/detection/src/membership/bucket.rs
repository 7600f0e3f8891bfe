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

    /// Whether so many tokens are there.
    pub fn holds(&self, now: Moment, tokens: u64) -> bool {
        let most = self.burst.checked_sub(tokens).map(|rest| self.refill.times(rest));
        most.is_some_and(|most| self.full_at <= now.after(most))
    }

    /// Spends so many of those that are there.
    pub fn spend(&mut self, now: Moment, tokens: u64) {
        self.full_at = self.full_at.max(now).after(self.refill.times(tokens));
    }

    /// It holds so many from now on; what is spent stays spent.
    pub fn resize(&mut self, burst: u64) {
        self.burst = burst;
    }

    /// So many tokens are there now, and no more.
    pub fn leave(&mut self, now: Moment, tokens: u64) {
        self.full_at = now.after(self.refill.times(self.burst.saturating_sub(tokens)));
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

    #[test]
    fn many_tokens_are_spent_at_once_if_they_are_there() {
        let at = Moment::from_milliseconds;
        let mut bucket = Bucket::full(10, Span::seconds(1));
        assert!(bucket.holds(at(50_000), 10) && !bucket.holds(at(50_000), 11));
        bucket.spend(at(50_000), 7);
        assert!(bucket.holds(at(50_000), 3) && !bucket.holds(at(50_000), 4));
        assert!(bucket.holds(at(51_000), 4) && !bucket.holds(at(51_000), 5));
        bucket.leave(at(60_000), 2);
        assert!(bucket.holds(at(60_000), 2) && !bucket.holds(at(60_000), 3));
        assert!(bucket.holds(at(90_000), 10) && !bucket.holds(at(90_000), 11));
    }
}
