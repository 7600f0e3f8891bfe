//! What went over the network: when, from where, to where, how long, of which kind, and what of it no key seals.
//!
//! Keys and ciphertexts differ from run to run; what is on the tape must not.

use std::fmt;
use std::net::SocketAddr;

use vocabulary::Digest;

/// One packet as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Milliseconds since the world began.
    pub at_ms: u64,
    /// Whose.
    pub from: SocketAddr,
    /// For whom.
    pub to: SocketAddr,
    /// Its length in bytes.
    pub length: usize,
    /// QUIC's long header with its type, or 0 for the short one: all that is neither encrypted nor masked.
    pub class: u8,
    /// A digest of all bytes of a Retry, the one packet that no key seals: somebody may go by them. 0 of all others.
    pub plain: u64,
}

/// All of them, as a chain of digests; whole only where that is asked for.
#[derive(Debug, Default)]
pub struct Tape {
    chain: Digest,
    count: u64,
    kept: Option<Vec<Packet>>,
}

impl Tape {
    /// A tape that keeps every packet, to show where two runs part.
    pub fn keeping() -> Self {
        Self { kept: Some(Vec::new()), ..Self::default() }
    }

    pub(crate) fn note(&mut self, packet: Packet) {
        let line = packet.to_string();
        self.chain = Digest::of(&[&self.chain.0, line.as_bytes()]);
        self.count += 1;
        if let Some(kept) = &mut self.kept {
            kept.push(packet);
        }
    }

    /// Equal for equal traces.
    pub fn digest(&self) -> Digest {
        self.chain
    }

    /// How many packets there were.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Those kept.
    pub fn packets(&self) -> &[Packet] {
        self.kept.as_deref().unwrap_or_default()
    }
}

impl Packet {
    pub(crate) fn plain_of(bytes: &[u8]) -> u64 {
        match Self::class_of(bytes) {
            RETRY => Digest::of(&[bytes]).leading(),
            _ => 0,
        }
    }

    pub(crate) fn class_of(bytes: &[u8]) -> u8 {
        let first = bytes.first().copied().unwrap_or_default();
        // RFC 9000 17.2: form and type are plain; the fixed bit may be greased.
        if first & 0x80 == 0 { 0 } else { first & 0xb0 }
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at_ms, from, to, length, class, plain } = self;
        write!(out, "{at_ms} {from} {to} {length} {class:02x} {plain:x}")
    }
}

/// RFC 9000 17.2.5.
const RETRY: u8 = 0xb0;
