//! Times for people's eyes; no decision reads them.

use jiff::Timestamp;

/// Seconds of the Unix epoch as RFC 3339 in UTC, `2027-11-18T22:05:00Z`.
pub fn utc(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map_or_else(
            || format!("{seconds} s after 1970"),
            |moment| moment.to_string(),
        )
}
