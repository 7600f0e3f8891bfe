//! How much passes one direction of a host's link, and what waits before it.
//!
//! Law Q1: what waits is bounded; what would wait beyond that is lost, as at a port of a switch.
//! Not here: what else becomes of a packet (see `network`).

use vocabulary::{Moment, Span};

/// What waits before one direction of a link: what a small switch holds for a port.
const WAITING_BYTES_MAX: u64 = 64 * 1_024;

/// One direction; by default as wide as anybody could wish.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pipe {
    /// `None`: it holds nothing up.
    bytes_per_second: Option<u64>,
    /// Until when what was taken in keeps it busy, in microseconds of the fleet: a packet takes less than a millisecond.
    busy_until_us: u64,
}

impl Pipe {
    pub fn of(bytes_per_second: Option<u64>) -> Self {
        Self { bytes_per_second, busy_until_us: 0 }
    }

    /// How long it takes until so many bytes are through; `None` where they find no room.
    pub fn take(&mut self, now: Moment, bytes: u64) -> Option<Span> {
        let Some(rate) = self.bytes_per_second else {
            return Some(Span::ZERO);
        };
        let rate = rate.max(1);
        let now_us = in_us(now);
        let waits_us = self.busy_until_us.saturating_sub(now_us);
        let waiting = waits_us.saturating_mul(rate) / 1_000_000;
        if waiting.saturating_add(bytes) > WAITING_BYTES_MAX {
            return None;
        }
        let takes_us = waits_us.saturating_add(bytes.saturating_mul(1_000_000) / rate);
        self.busy_until_us = now_us.saturating_add(takes_us);
        Some(Span::milliseconds(takes_us / 1_000))
    }

    /// How long what waits now keeps it busy.
    pub fn waits(&self, now: Moment) -> Span {
        Span::milliseconds(self.busy_until_us.saturating_sub(in_us(now)) / 1_000)
    }
}

fn in_us(at: Moment) -> u64 {
    at.as_milliseconds().saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_q1_what_waits_takes_its_turn_and_what_finds_no_room_is_lost() {
        let now = Moment::from_milliseconds(5_000);
        let mut pipe = Pipe::of(Some(10_000));
        assert_eq!(pipe.take(now, 1_000), Some(Span::milliseconds(100)));
        assert_eq!(pipe.take(now, 1_000), Some(Span::milliseconds(200)));
        assert_eq!(pipe.waits(now), Span::milliseconds(200));
        assert_eq!(pipe.take(now, WAITING_BYTES_MAX - 2_000), Some(Span::milliseconds(6_553)));
        assert_eq!(pipe.take(now, 1), None);
        assert_eq!(pipe.take(now.after(Span::seconds(7)), 1_000), Some(Span::milliseconds(100)));
        assert_eq!(Pipe::default().take(now, u64::MAX), Some(Span::ZERO));
    }
}
