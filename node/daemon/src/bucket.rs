//! How often something may be done: so many at once, then one every so often.
//!
//! Not here: what is done at the bound (see whoever asks).

use std::time::Duration;

use tokio::time::Instant;

/// A bucket of tokens; full at first.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    rate: Rate,
    /// In parts of a token that are earned in a nanosecond: exact, without floats.
    saved: u128,
    at: Instant,
}

/// So many a second in the long run, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Tokens earned in a second.
    pub per_second: u32,
    /// Tokens saved at most.
    pub at_once: u32,
}

/// What one token is in the bucket's own measure.
const TOKEN: u128 = 1_000_000_000;

impl Bucket {
    /// A full one.
    pub fn full(rate: Rate, now: Instant) -> Self {
        Self { rate, saved: u128::from(rate.at_once) * TOKEN, at: now }
    }

    /// Takes one, if there is one.
    pub fn take(&mut self, now: Instant) -> bool {
        self.earn(now);
        let is_there = self.saved >= TOKEN;
        if is_there {
            self.saved -= TOKEN;
        }
        is_there
    }

    /// Takes one, now or in advance; how long to wait for it.
    pub fn wait(&mut self, now: Instant) -> Duration {
        if self.take(now) {
            return Duration::ZERO;
        }
        let missing = TOKEN - self.saved;
        let nanoseconds = missing / u128::from(self.rate.per_second.max(1)) + 1;
        let wait = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        // It is earned exactly then, and is taken already.
        self.saved = 0;
        self.at = now + wait;
        wait
    }

    fn earn(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_nanos();
        self.at = self.at.max(now);
        let full = u128::from(self.rate.at_once) * TOKEN;
        self.saved = full.min(self.saved + passed * u128::from(self.rate.per_second));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 4, at_once: 3 };

    #[test]
    fn what_was_saved_is_given_at_once_and_then_one_at_a_time() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut bucket = Bucket::full(RATE, start);
        assert!((0..3).all(|_| bucket.take(at(0))));
        assert!(!bucket.take(at(249)));
        assert!(bucket.take(at(250)));
        assert!(!bucket.take(at(499)));
        assert!(bucket.take(at(500)));
        assert!((0..3).all(|_| bucket.take(at(60_000))));
        assert!(!bucket.take(at(60_000)), "no more than three are ever saved");
    }

    #[test]
    fn whoever_waits_is_served_at_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::full(RATE, start);
        let mut now = start;
        for _ in 0..43 {
            now += bucket.wait(now);
        }
        let took = now.duration_since(start);
        assert!(
            (Duration::from_millis(9_999)..=Duration::from_millis(10_001)).contains(&took),
            "{took:?}"
        );
    }
}
