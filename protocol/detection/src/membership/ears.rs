//! Whether the silence of others says anything: a host to which all are silent is deaf sooner than they are all dead.
//!
//! Law SW23: who has heard of nobody for [`DEAF_AFTER`] calls nobody down, and looks again as long after. Two hosts whose input stalls
//! would else agree about a third one that is well, and everybody believe two. Beyond [`DEAF_MOST`] it does: whoever is cut off for good
//! has to end alone, and dial whomever it can.

use vocabulary::{Moment, Span};

/// Longer than a look lasts (3 s). In a mesh of three each host hears of the living other one every 5 s on the average, so that a look
/// at the dead one counts within a few.
pub(super) const DEAF_AFTER: Span = Span::seconds(4);

/// Three periods in which foca suspects and calls down in a mesh of a hundred.
const DEAF_MOST: Span = Span::seconds(120);

/// When anything was last heard of anybody.
#[derive(Debug, Default)]
pub(super) struct Ears {
    heard_at: Moment,
}

impl Ears {
    /// Somebody speaks, or answers.
    pub fn hear(&mut self, now: Moment) {
        self.heard_at = now;
    }

    /// Whether everybody has been silent, and not for so long that this is how it is.
    pub fn are_deaf(&self, now: Moment) -> bool {
        let silence = now.since(self.heard_at);
        silence > DEAF_AFTER && silence < DEAF_MOST
    }
}
