//! Does what comes to this agent reach its mind in time, or at all (protocol 2.7)?
//!
//! Not here: what lateness does to a voice (see `detection::look`); the loop's own lateness (see `shell`).

use agent::DROPPED_COUNTS_AS;
use vocabulary::{Moment, Span};

/// How often the drops are read: well within the 10 s that an attestation looks back.
const READ_EVERY: Span = Span::seconds(1);

/// Drops between two readings that still are a burst: five times what a calm host is sent in a second.
const DROPS_MAX: u64 = 32;

/// Waits shorter than this are the scheduler's.
const WAIT_MIN: Span = Span::milliseconds(50);

/// What was seen of the sockets so far.
#[derive(Debug, Default)]
pub struct SocketWatch {
    due: Moment,
    /// As last read.
    dropped: Option<u64>,
}

impl SocketWatch {
    /// How late a datagram is that waited so long, if that is worth telling.
    pub fn waited(&self, waited: Span) -> Option<Span> {
        (waited > WAIT_MIN).then_some(waited)
    }

    /// Reads the drops if it is time; how late the sockets count, if too many are new.
    pub fn read(&mut self, now: Moment, dropped: impl FnOnce() -> u64) -> Option<Span> {
        if now < self.due {
            return None;
        }
        self.due = now.after(READ_EVERY);
        let dropped = dropped();
        let before = self.dropped.replace(dropped);
        let new = before.map_or(0, |before| dropped.saturating_sub(before));
        (new > DROPS_MAX).then_some(DROPPED_COUNTS_AS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_a_flood_makes_the_sockets_late() {
        let at = |ms: u64| Moment::from_milliseconds(1_000_000 + ms);
        let mut watch = SocketWatch::default();
        assert_eq!(watch.read(at(0), || 1_000_000), None, "what was before us is not ours");
        assert_eq!(watch.read(at(999), || panic!("not yet")), None);
        assert_eq!(watch.read(at(1_000), || 1_000_032), None);
        assert_eq!(watch.read(at(2_000), || 1_000_065), Some(DROPPED_COUNTS_AS));
        assert_eq!(watch.read(at(3_000), || 1_000_065), None);
    }

    #[test]
    fn only_a_wait_worth_telling_is_told() {
        let watch = SocketWatch::default();
        assert_eq!(watch.waited(Span::milliseconds(50)), None);
        assert_eq!(watch.waited(Span::milliseconds(51)), Some(Span::milliseconds(51)));
    }
}
