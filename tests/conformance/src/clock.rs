//! What time is it, and has it come true in time?

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use vocabulary::Moment;

/// Many times what anything takes, since the machine may be busy with other work: a wait that ends so has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks at a condition.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// CLOCK_BOOTTIME, by which the time of an order is counted (protocol 7.1).
pub fn now() -> Moment {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).expect("no machine boots before it was built");
    let milliseconds = u64::try_from(now.tv_nsec / 1_000_000).expect("a part of a second");
    Moment::from_milliseconds(seconds * 1_000 + milliseconds)
}

/// Waits until this is so; the claim says what failed otherwise.
pub async fn until(claim: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "not within {} s: {claim}", PATIENCE.as_secs());
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
