//! The wall clock and its times, for people and for the dates of certificates; no other decision reads them.

use jiff::{SignedDuration, Timestamp};

/// Seconds of the Unix epoch as RFC 3339 in UTC, `2027-11-18T22:05:00Z`.
pub fn utc(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map_or_else(|| format!("{seconds} s after 1970"), |moment| moment.to_string())
}

/// The machine's wall clock, in seconds of the Unix epoch; a clock before 1970 reads as 0.
pub fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Milliseconds of the Unix epoch as RFC 3339 in UTC, `2027-11-18T22:05:00.042Z`: one width for every moment.
pub fn utc_exact(milliseconds: u64) -> String {
    i64::try_from(milliseconds)
        .ok()
        .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
        .map_or_else(
            || format!("{milliseconds} ms after 1970"),
            |moment| moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        )
}

/// The milliseconds of the Unix epoch that an RFC 3339 moment names.
pub fn from_utc(text: &str) -> Option<u64> {
    let moment: Timestamp = text.parse().ok()?;
    u64::try_from(moment.as_millisecond()).ok()
}

/// The milliseconds of the Unix epoch so long ago: `-2h`, `-1h 30m`.
pub fn before_now(text: &str) -> Option<u64> {
    let ago: SignedDuration = text.strip_prefix('-')?.parse().ok()?;
    let ago = u64::try_from(ago.as_millis()).ok()?;
    now_exact().checked_sub(ago)
}

/// The machine's wall clock, in milliseconds of the Unix epoch.
pub fn now_exact() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
