//! How soon is a check on a host looked at again, and who goes first?
//!
//! Law FD1: see `rounds`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use vocabulary::{Moment, Span};

use super::Key;

/// A fifth of what a leader holds for hosts that cannot be reached (law D1): each costs a host and its observers one check.
pub const ROUNDS_PER_SECOND: usize = 10;

/// While nothing is decided.
const ROUND_EVERY: Span = Span::seconds(1);

/// Once a case stands, or nothing can follow, or [`UNDECIDED_MAX`] rounds have settled nothing.
const SETTLED_EVERY: Span = Span::seconds(5);

/// A check that half of the observers find failing may be in that state for days.
const UNDECIDED_MAX: u32 = 10;

/// How long one second is, for what is counted in a second.
const SECOND: Span = Span::seconds(1);

/// What is to be looked at, and when it was last.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// As many as are wanted.
    wanted: BTreeMap<Key, Wanted>,
    /// When rounds of the last second began; at most [`ROUNDS_PER_SECOND`].
    begun: VecDeque<Moment>,
    /// Looked at within the last second and not wanted since: whoever comes and goes is not looked at more often for that.
    lately: BTreeMap<Key, Moment>,
}

#[derive(Clone, Copy, Debug)]
struct Wanted {
    /// Since when it may be looked at (again).
    since: Moment,
    looked: Option<Moment>,
    /// How often it was looked at since it is wanted.
    times: u32,
    is_settled: bool,
}

impl Pace {
    /// Time goes by.
    pub fn pass(&mut self, now: Moment) {
        self.begun.retain(|at| now.since(*at) < SECOND);
        self.lately.retain(|_, at| now.since(*at) < ROUND_EVERY);
    }

    /// These are wanted now, and no others.
    pub fn notice(&mut self, now: Moment, keys: &BTreeSet<Key>, is_settled: impl Fn(&Key) -> bool) {
        let gone = self.wanted.iter().filter(|(key, _)| !keys.contains(*key));
        let gone: Vec<(Key, Option<Moment>)> =
            gone.map(|(key, wanted)| (key.clone(), wanted.looked)).collect();
        for (key, looked) in gone {
            self.wanted.remove(&key);
            let looked = looked.filter(|at| now.since(*at) < ROUND_EVERY);
            self.lately.extend(looked.map(|at| (key, at)));
        }
        for key in keys {
            let is_settled = is_settled(key);
            if let Some(wanted) = self.wanted.get_mut(key) {
                wanted.is_settled = is_settled;
                continue;
            }
            let looked = self.lately.remove(key);
            let wanted = Wanted { since: now, looked, times: 0, is_settled };
            self.wanted.insert(key.clone(), wanted);
        }
    }

    /// Those that may be looked at now, the longest-waiting first, as many as the second has room for.
    pub fn due(&self, now: Moment, is_free: impl Fn(&Key) -> bool) -> Vec<Key> {
        let room = ROUNDS_PER_SECOND - self.begun.len().min(ROUNDS_PER_SECOND);
        let due = self.wanted.iter().filter(|(key, wanted)| wanted.due_at() <= now && is_free(key));
        let mut due: Vec<(Moment, &Key)> =
            due.map(|(key, wanted)| (wanted.due_at(), key)).collect();
        due.sort();
        due.into_iter().take(room).map(|(_, key)| key.clone()).collect()
    }

    pub fn looked(&mut self, now: Moment, key: &Key) {
        self.begun.push_back(now);
        if let Some(wanted) = self.wanted.get_mut(key) {
            wanted.looked = Some(now);
            wanted.times = wanted.times.saturating_add(1);
        }
    }

    /// When the next may be looked at.
    pub fn next(&self, is_free: impl Fn(&Key) -> bool) -> Option<Moment> {
        let free = self.wanted.iter().filter(|(key, _)| is_free(key));
        let first = free.map(|(_, wanted)| wanted.due_at()).min()?;
        let is_full = self.begun.len() >= ROUNDS_PER_SECOND;
        let room = self.begun.front().filter(|_| is_full).map(|at| at.after(SECOND));
        Some(room.map_or(first, |room| first.max(room)))
    }
}

impl Wanted {
    fn due_at(&self) -> Moment {
        let is_rare = self.is_settled || self.times >= UNDECIDED_MAX;
        let every = if is_rare { SETTLED_EVERY } else { ROUND_EVERY };
        self.looked.map_or(self.since, |at| at.after(every))
    }
}
