//! Certificates that do not hold by somebody's clock: told in words that a person can act on, and told rarely.
//!
//! Law DI1: of one address and one side at most one line in [`AGAIN_AFTER`], of all at most [`COMPLAINTS_MAX`]: a fleet whose
//! certificates have ended must not drown its own logs.
//! Law DI2: what anybody who sends packets can make this host say takes half of those lines at most, holds no word of his, and says
//! nothing of this host's own certificate: that is believed of whom this host has dialled.
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

/// Of these, on whoever has dialled this host.
const COMPLAINTS_OF_DIALLERS_MAX: usize = COMPLAINTS_MAX / 2;

/// The TLS alert of a certificate that has ended, or does not hold yet (RFC 8446, section 6.2).
const CERTIFICATE_EXPIRED: u64 = 0x100 + 45;

/// What was complained of, and when.
#[derive(Debug, Default)]
pub(super) struct Complaints(BTreeMap<Complaint, Instant>);

/// What one complaint is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Complaint {
    /// The other side's; of a dialler without its port, which is another one each time.
    pub address: SocketAddr,
    /// Whose certificate.
    pub whose: Side,
    /// This host has dialled it.
    pub is_dialled_by_us: bool,
}

impl Complaints {
    /// Laws DI1 and DI2.
    fn is_due(&mut self, of: Complaint, now: Instant) -> bool {
        self.0.retain(|_, said| now < *said + AGAIN_AFTER);
        let of_diallers = self.0.keys().filter(|known| !known.is_dialled_by_us).count();
        let is_refused = !of.is_dialled_by_us
            && (of.whose == Side::Ours || of_diallers >= COMPLAINTS_OF_DIALLERS_MAX);
        if is_refused || self.0.len() >= COMPLAINTS_MAX || self.0.contains_key(&of) {
            return false;
        }
        self.0.insert(of, now);
        true
    }
}

impl Shared {
    /// A dial of this address came to nothing.
    pub(super) fn note_failed_dial(&self, address: SocketAddr, fault: &CallFault) {
        self.note_failed((address, true), "a dial came to nothing", fault);
    }

    /// Whoever dialled from this address was not admitted.
    pub(super) fn note_failed_dialler(&self, address: SocketAddr, fault: &CallFault) {
        let host = SocketAddr::new(address.ip(), 0);
        self.note_failed((host, false), "a connection was not admitted", fault);
    }

    fn note_failed(
        &self,
        (address, is_dialled_by_us): (SocketAddr, bool),
        what: &str,
        fault: &CallFault,
    ) {
        let is_due = matches!(fault, CallFault::NotInForce { whose, .. } if {
            let complaint = Complaint { address, whose: *whose, is_dialled_by_us };
            self.lock().complaints.is_due(complaint, Instant::now())
        });
        if is_due {
            tracing::warn!(%address, %fault, "{what}");
        } else {
            tracing::debug!(%address, %fault, "{what}");
        }
    }
}

/// Whose certificate does not hold by the other's clock, if that is why the handshake failed; `code` is QUIC's.
pub(super) fn not_in_force(error: &ConnectionError, code: u64) -> Option<CallFault> {
    if code != CERTIFICATE_EXPIRED {
        return None;
    }
    Some(match error {
        ConnectionError::TransportError(_) => {
            CallFault::NotInForce { whose: Side::Theirs, why: dated(&error.to_string()) }
        }
        // Law DI2: the reason that comes with an alert is the other side's to choose.
        _ => {
            let why = "TLS alert 45, certificate_expired".to_owned();
            CallFault::NotInForce { whose: Side::Ours, why }
        }
    })
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
        let of = |port, whose| Complaint { address: from(port), whose, is_dialled_by_us: true };
        assert!(complaints.is_due(of(1, Side::Theirs), at(0)));
        assert!(complaints.is_due(of(1, Side::Ours), at(0)));
        assert!(!complaints.is_due(of(1, Side::Theirs), at(599)));
        assert!(complaints.is_due(of(1, Side::Theirs), at(600)));
        let told = (2..1_000).filter(|port| complaints.is_due(of(*port, Side::Ours), at(601)));
        assert_eq!(told.count(), COMPLAINTS_MAX - 1);
    }

    #[test]
    fn law_di2_who_dials_is_not_believed_on_our_certificate_and_leaves_room_for_what_we_found_ourselves()
     {
        let now = Instant::now();
        let mut complaints = Complaints::default();
        let of = |last, whose, is_dialled_by_us| {
            let address = SocketAddr::from(([127, 0, 0, last], 0));
            Complaint { address, whose, is_dialled_by_us }
        };
        assert!(!complaints.is_due(of(1, Side::Ours, false), now));
        let told =
            (0..=u8::MAX).filter(|last| complaints.is_due(of(*last, Side::Theirs, false), now));
        assert_eq!(told.count(), COMPLAINTS_OF_DIALLERS_MAX);
        let told = (0..=u8::MAX).filter(|last| complaints.is_due(of(*last, Side::Ours, true), now));
        assert_eq!(told.count(), COMPLAINTS_MAX - COMPLAINTS_OF_DIALLERS_MAX);
    }

    #[test]
    fn law_di2_no_word_of_the_other_sides_is_told_on() {
        let close = quinn::ConnectionClose {
            error_code: quinn::TransportErrorCode::crypto(45),
            frame_type: None,
            reason: bytes::Bytes::from_static(b"\x1b[2Jpay here"),
        };
        let fault = CallFault::of_handshake(ConnectionError::ConnectionClosed(close));
        let CallFault::NotInForce { whose: Side::Ours, why } = fault else { panic!("{fault:?}") };
        assert!(!why.contains("pay here"), "{why}");
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
