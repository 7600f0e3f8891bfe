//! Certificates that do not hold by somebody's clock: told in words that a person can act on, and told rarely.
//!
//! Law DI1: of one address and one side at most one line in [`AGAIN_AFTER`], of all at most [`COMPLAINTS_MAX`]: a fleet whose
//! certificates have ended must not drown its own logs.
//! Not here: certificates that nobody vouches for; whoever may send packets can show those.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use quinn::ConnectionError;
use tokio::time::Instant;

use super::fault::{CallFault, Side};
use super::shared::Shared;
use crate::moments;

/// Between two lines on the same.
const AGAIN_AFTER: Duration = Duration::from_secs(600);

/// Lines in that time: more addresses than this are one trouble of the whole fleet, which these have told.
const COMPLAINTS_MAX: usize = 32;

/// The TLS alert of a certificate that has ended, or does not hold yet (RFC 8446, section 6.2).
const CERTIFICATE_EXPIRED: u64 = 0x100 + 45;

/// What was complained of, and when.
#[derive(Debug, Default)]
pub(super) struct Complaints(BTreeMap<(SocketAddr, Side), Instant>);

impl Complaints {
    /// Law DI1.
    fn is_due(&mut self, of: (SocketAddr, Side), now: Instant) -> bool {
        self.0.retain(|_, said| now < *said + AGAIN_AFTER);
        if self.0.len() >= COMPLAINTS_MAX || self.0.contains_key(&of) {
            return false;
        }
        self.0.insert(of, now);
        true
    }
}

impl Shared {
    /// A handshake with this address came to nothing.
    pub(super) fn note_failed(&self, address: SocketAddr, what: &str, fault: &CallFault) {
        let CallFault::NotInForce { whose, .. } = fault else {
            tracing::debug!(%address, %fault, "{what}");
            return;
        };
        let is_due = {
            let mut state = self.lock();
            state.complaints.is_due((address, *whose), Instant::now())
        };
        if is_due {
            tracing::warn!(%address, %fault, "{what}");
        }
    }
}

/// Whose certificate does not hold by the other's clock, if that is why the handshake failed; `code` is QUIC's.
pub(super) fn not_in_force(error: &ConnectionError, code: u64) -> Option<CallFault> {
    if code != CERTIFICATE_EXPIRED {
        return None;
    }
    let whose = match error {
        ConnectionError::TransportError(_) => Side::Theirs,
        _ => Side::Ours,
    };
    Some(CallFault::NotInForce { whose, why: dated(&error.to_string()) })
}

/// rustls counts seconds since 1970; people do not.
fn dated(text: &str) -> String {
    let is_moment = |word: &str| word.len() >= 9 && word.bytes().all(|byte| byte.is_ascii_digit());
    let words = text.split(' ').filter(|word| !word.starts_with("(UNIX)"));
    let said = words.map(|word| match word.parse() {
        Ok(seconds) if is_moment(word) => moments::utc(seconds),
        _ => word.to_owned(),
    });
    said.collect::<Vec<_>>().join(" ").replace("Z but", "Z, but")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_di1_the_same_is_told_once_in_ten_minutes_and_few_things_in_all() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let from = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mut complaints = Complaints::default();
        assert!(complaints.is_due((from(1), Side::Theirs), at(0)));
        assert!(complaints.is_due((from(1), Side::Ours), at(0)));
        assert!(!complaints.is_due((from(1), Side::Theirs), at(599)));
        assert!(complaints.is_due((from(1), Side::Theirs), at(600)));
        let told = (2..1_000).filter(|port| complaints.is_due((from(*port), Side::Ours), at(601)));
        assert_eq!(told.count(), COMPLAINTS_MAX - 1);
    }

    #[test]
    fn seconds_since_1970_are_told_as_dates() {
        let said = "certificate expired: verification time 1835438400 (UNIX), but certificate is not valid after \
                    1609459200 (225979200 seconds ago)";
        let told = dated(said);
        assert!(told.contains("verification time 2028-02-29T12:00:00Z, but"), "{told}");
        assert!(told.contains("after 2021-01-01T00:00:00Z (225979200 seconds ago)"), "{told}");
    }
}
