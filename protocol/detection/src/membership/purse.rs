//! What a host may send to tell health records (protocol 4: gossip has a budget in bytes).
//!
//! Law SW21: where there are health records alone to tell, a host sends at most [`BURST_BYTES`] at once and [`BYTES_PER_SECOND`] in the
//! long run, whatever is in trouble. What is told least often goes first (foca's order), so that news goes before what nearly all know.
//! Membership's own updates are not held back: whoever joins or dies is few bytes.

use vocabulary::{Moment, Span};

use super::Effect;
use super::bucket::Bucket;
use super::packet::PACKET_BYTES_MAX;

/// What one trouble's ten observers have to tell passes at once: ten records, told on eight times, in packets of their own.
pub(super) const BURST_BYTES: u64 = 8_000;

/// Ten hosts that die together have a hundred observers with a record each: some 60 kB for each host of the mesh.
pub(super) const BYTES_PER_SECOND: u64 = 1_000;

/// What QUIC, UDP and IPv4 put around a packet.
const HEAD_BYTES: usize = 62;

/// One round of gossip: three packets, as full as they may be.
pub(super) const ROUND_BYTES: u64 = 3 * (PACKET_BYTES_MAX + HEAD_BYTES) as u64;

/// What a token stands for: so many bytes take [`TOKEN_EVERY`] to come back.
const TOKEN_BYTES: u64 = 75;
/// See [`TOKEN_BYTES`].
const TOKEN_EVERY: Span = Span::milliseconds(TOKEN_BYTES * 1_000 / BYTES_PER_SECOND);

/// The budget, and what is left of it.
#[derive(Debug)]
pub(super) struct Purse(Bucket);

impl Purse {
    /// Nothing spent yet.
    pub fn full() -> Self {
        Self(Bucket::full(BURST_BYTES / TOKEN_BYTES, TOKEN_EVERY))
    }

    /// Whether one more round of gossip is in it.
    pub fn holds(&self, now: Moment) -> bool {
        self.0.holds(now, ROUND_BYTES.div_ceil(TOKEN_BYTES))
    }

    /// These were sent.
    pub fn spend(&mut self, now: Moment, sent: &[Effect]) {
        self.0.spend(now, bytes_of(sent).div_ceil(TOKEN_BYTES));
    }
}

/// What these put on the wire.
pub(super) fn bytes_of(sent: &[Effect]) -> u64 {
    sent.iter().map(|effect| weight(effect) as u64).sum()
}

fn weight(effect: &Effect) -> usize {
    match effect {
        Effect::Send { bytes, .. } => bytes.len() + HEAD_BYTES,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::HostId;

    #[test]
    fn law_sw21_a_burst_passes_and_then_so_many_bytes_a_second() {
        let mut purse = Purse::full();
        let to = HostId([1; 16]);
        let packet = Effect::Send { to, bytes: vec![0; PACKET_BYTES_MAX] };
        let round = [packet.clone(), packet.clone(), packet];
        let (mut sent, begun) = (0, Moment::from_milliseconds(100_000));
        for step in 0..300 {
            let now = begun.after(Span::milliseconds(200).times(step));
            if purse.holds(now) {
                purse.spend(now, &round);
                sent += ROUND_BYTES;
            }
        }
        assert!(sent <= BURST_BYTES + 60 * BYTES_PER_SECOND, "{sent} bytes in a minute");
        assert!(sent >= 55 * BYTES_PER_SECOND, "{sent} bytes in a minute");
    }
}
