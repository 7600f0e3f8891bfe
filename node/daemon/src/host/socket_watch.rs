//! Does what comes to this agent reach its mind in time, or at all (protocol 2.7)?
//!
//! Not here: what lateness does to a voice (see `detection::look`); the loop's own lateness (see `shell`).

use agent::DROPPED_COUNTS_AS;
use vocabulary::{Moment, Span};

/// How often the drops are read: well within the 10 s that an attestation looks back. Linux walks its table of all sockets
/// for it, which was a tenth of what an agent at rest did when it was read every second.
const READ_EVERY: Span = Span::seconds(5);

/// How often while something comes late: a socket that is emptied in time has room for every burst.
const READ_EVERY_WHEN_LATE: Span = Span::seconds(1);

/// Drops between two readings that still are a burst: five times what a calm host is sent in a second.
const DROPS_MAX: u64 = 32;

/// Waits shorter than this are the scheduler's.
const WAIT_MIN: Span = Span::milliseconds(50);

/// What was seen of the sockets so far.
#[derive(Debug, Default)]
pub struct SocketWatch {
    read_at: Option<Moment>,
    /// Something came late since then.
    is_late: bool,
    /// As last read.
    dropped: Option<u64>,
}

impl SocketWatch {
    /// How late a datagram is that waited so long, if that is worth telling.
    pub fn waited(&mut self, waited: Span) -> Option<Span> {
        let late = (waited > WAIT_MIN).then_some(waited);
        self.is_late |= late.is_some();
        late
    }

    /// The loop itself was late: what came meanwhile waited as long.
    pub fn loop_was_late(&mut self) {
        self.is_late = true;
    }

    /// Reads the drops if it is time; how late the sockets count, if too many are new.
    pub fn read(&mut self, now: Moment, dropped: impl FnOnce() -> u64) -> Option<Span> {
        let every = if self.is_late { READ_EVERY_WHEN_LATE } else { READ_EVERY };
        if self.read_at.is_some_and(|read_at| now < read_at.after(every)) {
            return None;
        }
        self.read_at = Some(now);
        self.is_late = false;
        let dropped = dropped();
        let before = self.dropped.replace(dropped);
        let new = before.map_or(0, |before| dropped.saturating_sub(before));
        (new > DROPS_MAX).then_some(DROPPED_COUNTS_AS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Moment {
        Moment::from_milliseconds(1_000_000 + ms)
    }

    #[test]
    fn a_burst_passes_and_a_flood_makes_the_sockets_late() {
        let mut watch = SocketWatch::default();
        assert_eq!(watch.read(at(0), || 1_000_000), None, "what was before us is not ours");
        assert_eq!(watch.read(at(4_999), || panic!("not yet")), None);
        assert_eq!(watch.read(at(5_000), || 1_000_032), None);
        assert_eq!(watch.read(at(10_000), || 1_000_065), Some(DROPPED_COUNTS_AS));
        assert_eq!(watch.read(at(15_000), || 1_000_065), None);
    }

    #[test]
    fn while_something_comes_late_the_drops_are_read_each_second() {
        let mut watch = SocketWatch::default();
        watch.read(at(0), || 0);
        watch.waited(WAIT_MIN);
        assert_eq!(watch.read(at(1_000), || panic!("it came in time")), None);
        watch.waited(Span::milliseconds(51));
        assert_eq!(watch.read(at(999), || panic!("not yet")), None);
        assert_eq!(watch.read(at(1_001), || 33), Some(DROPPED_COUNTS_AS));
        assert_eq!(watch.read(at(2_001), || panic!("nothing came late since")), None);
        watch.loop_was_late();
        assert_eq!(watch.read(at(2_001), || 66), Some(DROPPED_COUNTS_AS));
    }

    #[test]
    fn only_a_wait_worth_telling_is_told() {
        let mut watch = SocketWatch::default();
        assert_eq!(watch.waited(Span::milliseconds(50)), None);
        assert_eq!(watch.waited(Span::milliseconds(51)), Some(Span::milliseconds(51)));
    }
}
