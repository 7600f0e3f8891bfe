//! Ledger time: a sum of committed durations, and the recent entries that an anchor may name.
//!
//! Law T1: time never goes back, and one entry adds at most [`Entry::ELAPSED_MAX`] (protocol 5).
//! Law T2: an anchor is an applied entry with the audit's digest behind it; only those of the last few seconds are known.
//! Not here: what happens when a term ends (see `expiry`).

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{Anchor, LedgerIndex, LedgerTime, Span, WallNote};

use crate::command::{Entry, Refused};
use crate::ledger::Ledger;

/// The applied entries of the last seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marks(VecDeque<(Anchor, LedgerTime)>);

/// An attestation is at most this old (protocol 3.2). The longest gap between two entries counts as this much, so an
/// anchor from before a silence of any length is never younger.
pub const ANCHOR_AGE_MAX: Span = Span::seconds(5);

/// While somebody waits for what ledger time decides (protocol 5).
const TICK_EVERY: Span = Span::seconds(1);

/// While nothing but windows of minutes and hours runs out: each tick is a flush on every keeper. Less than
/// [`Entry::ELAPSED_MAX`] by more than a busy leader is late, so that no time is lost.
const TICK_RARELY: Span = Span::seconds(4);

/// More entries than any leader commits within [`ANCHOR_AGE_MAX`]; at the bound the oldest anchors go stale early.
const MARKS_MAX: usize = 2_048;

impl Ledger {
    pub(crate) fn advance(&mut self, index: LedgerIndex, elapsed: Span, wall: WallNote) {
        assert!(index > self.state.index, "law A2: entries are applied once and in order");
        self.state.index = index;
        self.state.time = self.state.time.after(elapsed.min(Entry::ELAPSED_MAX));
        self.state.wall = wall;
    }

    /// Remembers this entry as an anchor and forgets those that are stale.
    pub(crate) fn mark(&mut self) {
        let (anchor, now) = (self.anchor(), self.state.time);
        let marks = &mut Arc::make_mut(&mut self.state.marks).0;
        marks.push_back((anchor, now));
        while marks.front().is_some_and(|(_, at)| now.since(*at) >= ANCHOR_AGE_MAX)
            || marks.len() > MARKS_MAX
        {
            marks.pop_front();
        }
    }

    /// Whether a round at this anchor is fresh (protocol 3.2), and hangs on an entry after `after` where one is given.
    pub(crate) fn fresh(&self, anchor: Anchor, after: Option<LedgerIndex>) -> Result<(), Refused> {
        let now = self.state.time;
        let marks = &self.state.marks.0;
        let oldest = marks
            .iter()
            .find(|(_, at)| now.since(*at) < ANCHOR_AGE_MAX)
            .map_or(self.state.index, |(known, _)| known.index);
        let at_least = after.map_or(oldest, |after| after.next().max(oldest));
        let is_known = marks.iter().any(|(known, _)| *known == anchor);
        if is_known && anchor.index >= at_least {
            Ok(())
        } else {
            Err(Refused::Stale { anchor: anchor.index, at_least })
        }
    }

    /// How often the leader commits a tick now; `None` while ledger time decides nothing (protocol 5).
    pub fn tick_every(&self) -> Option<Span> {
        let state = &self.state;
        // Nothing follows from a failed check, and its rounds ask for an entry where they need one.
        let is_watched = state.cases.open().any(|case| case.is_live() && !case.is_unfit())
            || state.brakes.wants_time(self.timers().resume_after)
            || !state.enrolling.is_empty()
            || self.is_any_duplicate_ending();
        let is_remembered = !state.attempts.is_empty()
            || !state.begun.is_empty()
            || !state.added.days.is_empty()
            || !state.added.returns.is_empty()
            || !state.doubts.is_empty()
            || state.departures.is_any_awaited()
            || !state.added.slots.is_empty()
            || self.is_maintained()
            || self.awaits_a_move();
        if is_watched { Some(TICK_EVERY) } else { is_remembered.then_some(TICK_RARELY) }
    }
}
