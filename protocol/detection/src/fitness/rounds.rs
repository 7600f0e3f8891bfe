//! Which checks of which hosts does the leader have looked at, when, and what has been signed for it (protocol 3.10)?
//!
//! Law FD1: at most one round of a check on a host in a second, one in five once a case stands or many rounds have settled nothing,
//! and [`ROUNDS_PER_SECOND`] in all; those that have waited longest go first.
//! Law FD2: a round ends when all who were asked have answered, and within [`SET_WITHIN`]. One that its leader ends later by more than
//! [`AWAY_AFTER`] bears nothing, and is held again (law D10 of `rounds`).
//! Law FD3: more than f of a host's observers must find a check failing, or the host itself where the policy asks it, before a
//! round is held for it (law V4).
//! Law FD4: an observer's list replaces what it said before, and is forgotten [`FORGOTTEN_AFTER`] it came last.
//! Not here: what the words add up to (see `fitness`), reaching hosts (see `rounds` outside), whom the ledger holds down.

mod event;
mod notes;
mod pace;
mod set;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vocabulary::{Anchor, CheckWord, HostId, Label, Moment};
use wire::UnfitNote;

use crate::roster::Roster;
use crate::rounds::{ANCHOR_WITHIN, AWAY_AFTER, FRESHEN_EVERY, SET_WITHIN};
use crate::seats::Seating;
use notes::Notes;
use pace::Pace;
use set::Set;

pub use event::{Effect, Event, Named};
pub use notes::FORGOTTEN_AFTER;
pub use pace::ROUNDS_PER_SECOND;

/// Sets of rounds under way at once: ten a second, of 1.3 s each; each begins with at least one round.
const SETS_MAX: usize = 16;

/// Whose check, and which.
pub type Key = (HostId, Label);

/// The leader's rounds on checks.
#[derive(Default)]
pub struct Rounds {
    standing: Option<Standing>,
    /// The policy's checks; without any nothing here happens.
    checks: BTreeMap<Label, Named>,
    /// Open cases `Unfit`.
    open: BTreeSet<Key>,
    /// Hosts with another open case: no verdict on a check follows there.
    taken: BTreeSet<HostId>,
    /// Hosts that the ledger holds down: nobody asks them, and nobody looks at them.
    down: BTreeSet<HostId>,
    notes: Notes,
    pace: Pace,
    sets: Vec<Set>,
    /// Whether what is wanted may be another than it was: a wrong check fails on a whole fleet, which says so all the time.
    is_stale: bool,
    /// When the anchor was last new, and when a tick was last asked for; none that was there before is new (law D11 of `rounds`).
    anchored: Option<Moment>,
    freshened: Option<Moment>,
    leads: bool,
    /// When something is to be done without any event.
    next: Option<Moment>,
}

/// The committed state of the moment.
struct Standing {
    anchor: Anchor,
    roster: Arc<Roster>,
    seating: Arc<Seating>,
}

impl Rounds {
    /// Nothing fails and nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The one door: what has happened, and what is to be done about it.
    pub fn handle(&mut self, now: Moment, event: Event) -> Vec<Effect> {
        match event {
            Event::StateChanged { anchor, roster, seating } => {
                if std::mem::replace(&mut self.leads, true) {
                    self.anchored = Some(now);
                    self.freshened = None;
                }
                self.is_stale |= self.standing.as_ref().is_none_or(|standing| {
                    !Arc::ptr_eq(&standing.roster, &roster)
                        || !Arc::ptr_eq(&standing.seating, &seating)
                });
                self.standing = Some(Standing { anchor, roster, seating });
            }
            Event::ChecksChanged { checks } => {
                self.is_stale = true;
                self.checks = checks;
            }
            Event::CasesChanged { open, taken, down } => {
                self.is_stale = true;
                (self.open, self.taken, self.down) = (open, taken, down);
            }
            Event::Noted { by, notes } => self.hear(now, by, notes),
            Event::Said { word } => self.collect(*word),
            Event::Silent { from, key, anchor } => self.give_up(from, &key, anchor),
            Event::Deposed => self.depose(),
            Event::DeadlineReached => {}
        }
        self.is_stale |= self.notes.expire(now);
        let mut effects = self.end_sets(now);
        self.pace.pass(now);
        if std::mem::take(&mut self.is_stale) {
            let wanted = self.wanted();
            self.pace
                .notice(now, &wanted, |key| self.open.contains(key) || self.taken.contains(&key.0));
        }
        effects.extend(self.begin(now));
        self.next = self.find_next();
        effects
    }

    /// When something is to be done without any event.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.next
    }

    /// Whether the policy names any check.
    pub fn is_idle(&self) -> bool {
        self.checks.is_empty()
    }

    /// The policy's checks, as they were last told.
    pub fn checks(&self) -> &BTreeMap<Label, Named> {
        &self.checks
    }

    /// Who finds this check on this host failing: its observers and itself.
    pub fn noted_by(&self, key: &Key) -> Vec<HostId> {
        self.notes.by(key)
    }

    /// Law FD3: whether enough hosts say so that a round is held, whatever cases there are.
    pub fn is_noted(&self, key: &Key) -> bool {
        let Some(standing) = &self.standing else {
            return false;
        };
        let observers = standing.seating.observers(&key.0);
        self.named(key).is_some_and(|named| self.notes.are_enough(key, (observers, named.from)))
    }

    fn hear(&mut self, now: Moment, by: HostId, notes: Vec<UnfitNote>) {
        let Some(Standing { seating, roster, .. }) = &self.standing else {
            return;
        };
        // A note on a life that the subject has left is over.
        let is_sound = |note: &UnfitNote| {
            (note.subject == by || seating.holds(&by, &note.subject))
                && self.checks.contains_key(&note.check)
                && roster.get(&note.subject).is_some_and(|entry| {
                    entry.boot.is_none_or(|boot| boot.number <= note.boot.number)
                })
        };
        let sound = notes.into_iter().take(UnfitNote::NOTES_MAX).filter(is_sound);
        let keys = sound.map(|note| (note.subject, note.check)).collect();
        self.is_stale |= self.notes.replace(now, by, keys);
    }

    fn collect(&mut self, word: CheckWord) {
        let key = (word.subject, word.check.clone());
        if let Some(set) = self.sets.iter_mut().find(|set| set.is_asked(&word.anchor, &key)) {
            set.said(word);
        }
    }

    fn give_up(&mut self, from: HostId, key: &Key, anchor: Anchor) {
        for set in self.sets.iter_mut().filter(|set| set.is_asked(&anchor, key)) {
            set.silent(from, key);
        }
    }

    /// Nothing is inherited by anybody (protocol 3.2).
    fn depose(&mut self) {
        let (standing, checks) = (self.standing.take(), std::mem::take(&mut self.checks));
        *self = Self { standing, checks, is_stale: true, ..Self::default() };
    }

    /// Law FD2.
    fn end_sets(&mut self, now: Moment) -> Vec<Effect> {
        let sets = std::mem::take(&mut self.sets);
        let (over, open): (Vec<Set>, Vec<Set>) = sets.into_iter().partition(|set| set.is_over(now));
        self.sets = open;
        let in_time = over.into_iter().filter(|set| now.since(set.ends) <= AWAY_AFTER);
        in_time.map(Set::ended).collect()
    }

    /// Checks that fail by enough hosts' notes, and those of open cases; of hosts that belong and that the ledger does not hold
    /// down.
    fn wanted(&self) -> BTreeSet<Key> {
        let Some(standing) = &self.standing else {
            return BTreeSet::new();
        };
        let noted = self.notes.keys().into_iter().filter(|key| self.is_noted(key));
        let all = noted.chain(self.open.iter().cloned());
        let is_held = |key: &Key| {
            self.named(key).is_some()
                && !self.down.contains(&key.0)
                && standing.roster.get(&key.0).is_some()
        };
        all.filter(is_held).collect()
    }

    /// The policy's check, where it is one of this host's group.
    fn named(&self, key: &Key) -> Option<&Named> {
        let roster = &self.standing.as_ref()?.roster;
        let group = &roster.get(&key.0)?.claims.group;
        self.checks.get(&key.1).filter(|named| named.is_for(group))
    }

    fn begin(&mut self, now: Moment) -> Vec<Effect> {
        let has_room = self.sets.len() < SETS_MAX;
        let under_way: BTreeSet<Key> = self.sets.iter().flat_map(Set::keys).cloned().collect();
        let due = self.pace.due(now, |key| !under_way.contains(key));
        if due.is_empty() || !has_room {
            return Vec::new();
        }
        // Two rounds of one check never hang on one anchor: who is asked twice gives the same word.
        if self.anchored.is_none_or(|at| now.since(at) >= ANCHOR_WITHIN) {
            return self.freshen(now);
        }
        let mut effects = Vec::new();
        let Some(standing) = &self.standing else {
            return effects;
        };
        let mut set = Set::new(now, standing.anchor, standing.roster.epoch);
        for key in due {
            let from = self.named(&key).map(|named| named.from);
            let observers = standing.seating.observers(&key.0).iter();
            let observers = observers.filter(|_| from.is_some_and(|from| from.asks_peers()));
            let asked = observers.copied().chain([key.0]).filter(|to| !self.down.contains(to));
            for to in asked {
                set.ask(to, &key);
                effects.extend(standing.look(to, &key));
            }
            self.pace.looked(now, &key);
        }
        self.sets.push(set);
        effects
    }

    fn freshen(&mut self, now: Moment) -> Vec<Effect> {
        let is_asked = self.freshened.is_some_and(|at| now.since(at) < FRESHEN_EVERY);
        if is_asked {
            return Vec::new();
        }
        self.freshened = Some(now);
        vec![Effect::Freshen]
    }

    fn find_next(&self) -> Option<Moment> {
        let ends = self.sets.iter().map(|set| set.ends);
        let under_way: BTreeSet<&Key> = self.sets.iter().flat_map(Set::keys).collect();
        let beginning = self.pace.next(|key| !under_way.contains(key));
        let beginning = beginning.filter(|_| self.sets.len() < SETS_MAX);
        let freshened = self.freshened.map_or(Moment::default(), |at| at.after(FRESHEN_EVERY));
        let beginning = beginning.map(|at| at.max(freshened));
        ends.chain(beginning).chain(self.notes.next_expiry()).min()
    }
}

impl Standing {
    fn look(&self, to: HostId, (subject, check): &Key) -> Option<Effect> {
        let entry = self.roster.get(subject)?;
        Some(Effect::Look {
            to,
            subject: *subject,
            boot: entry.boot.unwrap_or_default(),
            anchor: self.anchor,
            epoch: self.roster.epoch,
            check: check.clone(),
        })
    }
}

#[cfg(test)]
mod tests;
