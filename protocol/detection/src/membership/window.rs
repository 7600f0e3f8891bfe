//! How far above what was last believed of a host its next health record may be (law SW18 in `records`).
//!
//! A host rises by at most [`RISE_MAX`] + 1 with each record, and its bucket allows it one in five seconds: so fast the window
//! fills, and believing what others tell empties it. However two that lie share their leaps out, the forgery is never
//! further above its host than one full window, and the host passes it as soon as they end.

use vocabulary::{Moment, Sequence, Span};

use super::bucket::Bucket;
use super::own::{OWN_BURST, OWN_REFILL};

/// By how much one record of a host may be above its last: one, and so far it rises above a forgery at once.
pub(super) const RISE_MAX: u64 = 16;

/// What one record takes of the window at the most.
const RISE: u64 = RISE_MAX + 1;

/// Records that may have been told before the last one was heard, and still be under way: what a host tells in a minute.
const LATE_RECORDS: u64 = 12;

/// Just after a host's own word: what it may tell at once, and what may be under way.
const REST: u64 = (OWN_BURST + LATE_RECORDS) * RISE;

/// No longer silence fills it: else two liars could carry a host that was calm for days so far above itself that it would need a
/// day to pass that. It is ten minutes, in which a host that tells as often as it may is not heard.
const SILENT_RECORDS: u64 = 120;

const FULL: u64 = REST + SILENT_RECORDS * RISE;

/// What is believed of one host, and how much more could be.
#[derive(Clone, Debug)]
pub(super) struct Window {
    top: Sequence,
    allowance: Bucket,
}

impl Window {
    /// Above a host's own word, or the first that is heard of it.
    pub fn above(now: Moment, top: Sequence) -> Self {
        let mut allowance = Bucket::full(FULL, refill());
        allowance.leave(now, REST);
        Self { top, allowance }
    }

    /// What others can be made to believe of ourselves, who have told nothing yet. Twice as wide as theirs: we may hear late of
    /// what they believe.
    pub fn of_ours() -> Self {
        Self { top: Sequence::default(), allowance: Bucket::full(2 * FULL, refill()) }
    }

    /// The highest that is believed.
    pub fn top(&self) -> Sequence {
        self.top
    }

    /// Whether its host can have told so much since.
    pub fn reaches(&self, now: Moment, sequence: Sequence) -> bool {
        self.allowance.holds(now, self.missing(sequence))
    }

    /// This is believed, though its host has not told us.
    pub fn rise(&mut self, now: Moment, sequence: Sequence) {
        self.allowance.spend(now, self.missing(sequence));
        self.tell(sequence);
    }

    /// Its host is as far as this.
    pub fn tell(&mut self, sequence: Sequence) {
        self.top = self.top.max(sequence);
    }

    fn missing(&self, sequence: Sequence) -> u64 {
        sequence.0.saturating_sub(self.top.0)
    }
}

/// In which time a host rises by one, at its fastest.
fn refill() -> Span {
    Span::milliseconds(OWN_REFILL.as_milliseconds() / RISE)
}
