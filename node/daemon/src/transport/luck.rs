//! The transport's luck: from one seed, so that a test's run can be had again; in earnest the seed is the system's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quinn::{ConnectionId, ConnectionIdGenerator};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{hkdf, hmac};
use std::time::Duration;

/// Draws that nobody can foresee without the seed: an HMAC over a counter.
#[derive(Clone, Debug)]
pub(super) struct Luck(Arc<(hmac::Key, AtomicU64)>);

/// A seed from the operating system.
pub fn system_seed() -> [u8; 32] {
    let mut seed = [0; 32];
    SystemRandom::new()
        .fill(&mut seed)
        .expect("Linux gives randomness at any time after its start");
    seed
}

impl Luck {
    pub(super) fn new(seed: &[u8; 32]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, seed);
        Self(Arc::new((key, AtomicU64::new(0))))
    }

    pub(super) fn draw(&self) -> [u8; 32] {
        let (key, counter) = &*self.0;
        let number = counter.fetch_add(1, Ordering::Relaxed);
        let tag = hmac::sign(key, &number.to_le_bytes());
        let mut drawn = [0; 32];
        drawn.copy_from_slice(tag.as_ref());
        drawn
    }

    /// A key to derive others from.
    pub(super) fn key(&self) -> hkdf::Prk {
        hkdf::Salt::new(hkdf::HKDF_SHA256, b"hale token").extract(&self.draw())
    }

    /// The whole span or up to a quarter less, so that hosts that lost one peer together do not dial it together.
    pub(super) fn jittered(&self, span: Duration) -> Duration {
        span - span.mul_f64(f64::from(self.draw()[0]) / 1_024.0)
    }
}

/// Connection ids from our luck. Any bytes might be one of ours, so that an agent answers the connections of its former
/// life with a stateless reset instead of silence.
#[derive(Debug)]
pub(super) struct ConnectionIds(pub Luck);

/// Each byte is paid on every packet. An endpoint never gives one id twice; four bytes keep those of a former life from
/// meeting those of this one but once in ten million packets, and such a packet fails its check and is dropped.
const CONNECTION_ID_BYTES: usize = 4;

impl ConnectionIdGenerator for ConnectionIds {
    fn generate_cid(&mut self) -> ConnectionId {
        ConnectionId::new(&self.0.draw()[..CONNECTION_ID_BYTES])
    }

    fn cid_len(&self) -> usize {
        CONNECTION_ID_BYTES
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}
