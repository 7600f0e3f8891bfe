//! How soon is a subject looked at again?
//!
//! Law D1 (see `rounds`): at most once a second.
//! Law D7: a subject whose verdict is committed and upheld, or held back by a surge, rests: it is looked at every
//! [`UPHELD_EVERY`], unless somebody has ceased to doubt it since the last look, or another subject is looked at for whose verdict
//! it matters (see `Rounds::due`).
//! Not here: who is to be looked at at all (see `doubts`), and what is upheld (the leader says).

use std::collections::{BTreeMap, BTreeSet};

use vocabulary::{HostId, Moment, Span};

use super::{ROUNDS_PER_SECOND, Subjects};

/// protocol 3.1: no subject is looked at more often.
const ROUND_EVERY: Span = Span::seconds(1);

/// Each round into silence costs the subject's ten observers a fresh dial of 3.7 kB, and has nothing new to find: who comes back
/// ends the doubts on it, and that is looked at within a second. As long as an attestation is fresh (protocol 3.2).
const UPHELD_EVERY: Span = Span::seconds(5);

/// When each subject was last looked at, and which of them rest.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Forgotten after [`ROUND_EVERY`] unless it is still wanted.
    last: BTreeMap<HostId, Looked>,
    /// Subjects whose verdicts stand, by the last look and by the ledger.
    upheld: BTreeSet<HostId>,
}

#[derive(Clone, Copy, Debug)]
struct Looked {
    at: Moment,
    /// Somebody has ceased to doubt it since.
    has_moved: bool,
}

impl Pace {
    /// These are upheld now, and no others.
    pub fn uphold(&mut self, subjects: BTreeSet<HostId>) {
        self.upheld = subjects;
    }

    pub fn upheld(&self) -> &BTreeSet<HostId> {
        &self.upheld
    }

    /// It is looked at now.
    pub fn looked(&mut self, now: Moment, subject: HostId) {
        self.last.insert(subject, Looked { at: now, has_moved: false });
    }

    /// Somebody has ceased to doubt it.
    pub fn wake(&mut self, subject: &HostId) {
        if let Some(looked) = self.last.get_mut(subject) {
            looked.has_moved = true;
        }
    }

    /// Law D7, of a subject that is doubted.
    pub fn rests(&self, subject: &HostId) -> bool {
        let is_unmoved = |looked: &Looked| !looked.has_moved;
        self.upheld.contains(subject) && self.last.get(subject).is_some_and(is_unmoved)
    }

    /// When it is looked at again.
    pub fn due_at(&self, subject: &HostId, rests: bool) -> Moment {
        let every = if rests { UPHELD_EVERY } else { ROUND_EVERY };
        self.last.get(subject).map_or(Moment::default(), |looked| looked.at.after(every))
    }

    /// When it was last looked at.
    pub fn last(&self, subject: &HostId) -> Option<Moment> {
        self.last.get(subject).map(|looked| looked.at)
    }

    /// Whoever is not among these is forgotten once its second is over.
    pub fn forget(&mut self, now: Moment, subjects: &Subjects) {
        let is_kept = |subject: &HostId, looked: &mut Looked| {
            now.since(looked.at) < ROUND_EVERY || subjects.contains_key(subject)
        };
        self.last.retain(is_kept);
    }

    /// How many more may be looked at in this second (law D1).
    pub fn room(&self, now: Moment) -> usize {
        let lately = self.last.values().filter(|looked| now.since(looked.at) < ROUND_EVERY);
        ROUNDS_PER_SECOND.saturating_sub(lately.count())
    }

    /// When the second's rounds leave room for one more: to wake sooner would be to wake for nothing, again and again.
    pub fn next_room(&self) -> Moment {
        let mut last: Vec<Moment> = self.last.values().map(|looked| looked.at).collect();
        last.sort_unstable_by_key(|at| std::cmp::Reverse(*at));
        let oldest_that_counts = last.get(ROUNDS_PER_SECOND - 1);
        oldest_that_counts.map_or(Moment::default(), |at| at.after(ROUND_EVERY))
    }
}
