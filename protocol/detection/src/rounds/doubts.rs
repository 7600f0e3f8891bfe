//! Who doubts whom, as each observer last told the leader.
//!
//! Law D4: an observer's list replaces what it said before, and is forgotten when it is not repeated.
//! Law D9: a host is in doubt since more than f observers doubt it: no f liars make its trouble look old, so that it would be no news to
//! whoever counts a surge (law V4).
//! Law D6: doubts of one subject that come back within [`RETURNS_WITHIN`] are one trouble, as old as its first doubt.

use std::collections::{BTreeMap, BTreeSet};

use vocabulary::{Boot, HostId, Moment, Span};
use wire::DoubtNote;

use crate::seats::Seating;
use crate::verdict::tolerated;

/// Observers repeat their doubts every 2 s; five lost in a row mean that the observer itself is in trouble.
const FORGOTTEN_AFTER: Span = Span::seconds(10);

/// protocol 3.6: a host of whose answers few come through is doubted again by the next turn of calm probing (3 s) and its retries.
pub const RETURNS_WITHIN: Span = Span::seconds(5);

/// Notes of one observer that are heard: as many as it can hold seats (protocol 2.1, at most 2K).
const NOTES_MAX: usize = 20;

/// A host in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubted {
    /// Who.
    pub subject: HostId,
    /// In which life.
    pub boot: Boot,
    /// Since when, by the leader's clock: since more than f of the standing doubts (law D9).
    pub since: Moment,
}

/// What all observers said.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// One list per observer: bounded by the roster.
    lists: BTreeMap<HostId, List>,
    /// Law D6, by subject; forgotten [`RETURNS_WITHIN`] after its last doubt, so never more than the lists of that time named.
    troubles: BTreeMap<HostId, Trouble>,
}

/// One subject's doubts without a long break.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    /// In which life: with a newer one a new trouble begins (protocol 2.3).
    boot: Boot,
    since: Moment,
    /// How many observers doubt it now.
    by: usize,
    /// When a doubt of it last came or went.
    last: Moment,
    /// And when one did beside another's.
    last_by_two: Option<Moment>,
}

#[derive(Debug)]
struct List {
    heard: Moment,
    of: BTreeMap<HostId, (Boot, Moment)>,
}

impl Doubts {
    /// law D4. Returned is whom it has ceased to doubt, in that life at least.
    pub fn replace<'a>(
        &mut self,
        now: Moment,
        observer: HostId,
        notes: impl Iterator<Item = &'a DoubtNote>,
    ) -> Vec<HostId> {
        let of: BTreeMap<_, _> = notes
            .take(NOTES_MAX)
            .map(|note| (note.subject, (note.boot, now.before(Span::milliseconds(note.age_ms)))))
            .collect();
        let former = self.leave(now, observer);
        let is_over = |(subject, (boot, _)): &(HostId, (Boot, Moment))| {
            of.get(subject).is_none_or(|(now, _)| now != boot)
        };
        let over = former.into_iter().filter(is_over).map(|(subject, _)| subject).collect();
        if !of.is_empty() {
            self.enter(now, &of);
            self.lists.insert(observer, List { heard: now, of });
        }
        over
    }

    /// Law D6: what this observer said counts no more.
    fn leave(&mut self, now: Moment, observer: HostId) -> BTreeMap<HostId, (Boot, Moment)> {
        let of = self.lists.remove(&observer).map(|list| list.of).unwrap_or_default();
        for subject in of.keys() {
            if let Some(trouble) = self.troubles.get_mut(subject) {
                trouble.note(now);
                trouble.by -= 1;
            }
        }
        of
    }

    /// law D6.
    fn enter(&mut self, now: Moment, of: &BTreeMap<HostId, (Boot, Moment)>) {
        for (subject, (boot, since)) in of {
            let new = Trouble { boot: *boot, since: *since, by: 0, last: now, last_by_two: None };
            let trouble = self.troubles.entry(*subject).or_insert(new);
            if trouble.is_over(now) || boot.number > trouble.boot.number {
                *trouble = Trouble { by: trouble.by, ..new };
            }
            if boot.number == trouble.boot.number {
                trouble.since = trouble.since.min(*since);
            }
            trouble.by += 1;
            trouble.note(now);
        }
    }

    /// Law D6: whether more than so many, none or one, doubt it now or did so a short while ago.
    pub fn lately_by_more(&self, now: Moment, (subject, than): (&HostId, usize)) -> bool {
        self.troubles.get(subject).is_some_and(|trouble| {
            let last = if than == 0 { Some(trouble.last) } else { trouble.last_by_two };
            trouble.by > than || last.is_some_and(|last| now.since(last) <= RETURNS_WITHIN)
        })
    }

    /// Law D6: since when a subject that is doubted now has been in doubt without a long break.
    pub fn since(&self, subject: &HostId) -> Option<Moment> {
        self.troubles.get(subject).filter(|trouble| trouble.by > 0).map(|trouble| trouble.since)
    }

    /// law D4.
    pub fn expire(&mut self, now: Moment) {
        let is_forgotten = |(observer, list): (&HostId, &List)| {
            (now.since(list.heard) >= FORGOTTEN_AFTER).then_some(*observer)
        };
        let forgotten: Vec<HostId> = self.lists.iter().filter_map(is_forgotten).collect();
        for observer in forgotten {
            self.leave(now, observer);
        }
        self.troubles.retain(|_, trouble| !trouble.is_over(now));
    }

    pub fn next_expiry(&self) -> Option<Moment> {
        self.lists.values().map(|list| list.heard.after(FORGOTTEN_AFTER)).min()
    }

    /// Whoever is doubted by anybody.
    pub fn subjects(&self) -> BTreeSet<HostId> {
        self.lists.values().flat_map(|list| list.of.keys().copied()).collect()
    }

    /// Every observer's doubt of one subject.
    pub fn of(&self, subject: &HostId) -> Vec<(HostId, Moment)> {
        let lists = self.lists.iter();
        lists.filter_map(|(observer, list)| Some((*observer, list.of.get(subject)?.1))).collect()
    }

    /// What one host says puts nobody into doubt (law V4); where there are fewer than four seats, one is all there is.
    pub fn by_more_than_f(&self, seating: &Seating) -> Vec<Doubted> {
        // One walk over all lists: one for each subject would be too many where a large zone is dark.
        let mut standing: BTreeMap<HostId, Vec<(Moment, Boot)>> = BTreeMap::new();
        for (subject, (boot, since)) in self.lists.values().flat_map(|list| &list.of) {
            standing.entry(*subject).or_default().push((*since, *boot));
        }
        // Law D9: the f oldest may be lies.
        let by_enough = |(subject, mut doubts): (HostId, Vec<(Moment, Boot)>)| {
            doubts.sort_unstable();
            let (since, boot) = *doubts.get(tolerated(seating.observers(&subject).len()))?;
            Some(Doubted { subject, boot, since })
        };
        standing.into_iter().filter_map(by_enough).collect()
    }

    /// Whether more than half of these hosts, which are in order, are in doubt, even without what any one observer alone says
    /// (law V4).
    pub fn are_of_most(&self, hosts: &[HostId]) -> bool {
        let mut by: BTreeMap<&HostId, (usize, &HostId)> = BTreeMap::new();
        for (observer, list) in &self.lists {
            for subject in list.of.keys().filter(|subject| hosts.binary_search(subject).is_ok()) {
                by.entry(subject).or_insert((0, observer)).0 += 1;
            }
        }
        let mut alone = BTreeMap::<&HostId, usize>::new();
        for (_, only) in by.values().filter(|(observers, _)| *observers == 1) {
            *alone.entry(only).or_default() += 1;
        }
        let by_one = alone.values().max().copied().unwrap_or_default();
        (by.len() - by_one) * 2 > hosts.len()
    }
}

impl Trouble {
    fn note(&mut self, now: Moment) {
        self.last = now;
        if self.by > 1 {
            self.last_by_two = Some(now);
        }
    }

    fn is_over(&self, now: Moment) -> bool {
        self.by == 0 && now.since(self.last) > RETURNS_WITHIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: Boot = Boot { number: 1, nonce: 1 };

    fn host(number: u8) -> HostId {
        HostId([number; 16])
    }

    fn tell(doubts: &mut Doubts, second: u64, observer: u8, age: Option<u64>) {
        let note = |seconds| DoubtNote { subject: host(9), boot: BOOT, age_ms: seconds * 1_000 };
        let notes: Vec<DoubtNote> = age.map(note).into_iter().collect();
        doubts.replace(at(second), host(observer), notes.iter());
    }

    fn at(second: u64) -> Moment {
        Moment::default().after(Span::seconds(second))
    }

    #[test]
    fn law_d6_doubts_that_come_and_go_are_one_trouble_and_a_long_break_ends_it() {
        let mut doubts = Doubts::default();
        let mut second = 10;
        while second < 50 {
            tell(&mut doubts, second, 1, Some(0));
            tell(&mut doubts, second + 3, 1, None);
            assert_eq!(doubts.since(&host(9)), None, "nobody doubts it now");
            second += 8;
        }
        tell(&mut doubts, 49, 2, Some(1));
        assert_eq!(doubts.since(&host(9)), Some(at(10)), "by whomever");
        assert!(doubts.lately_by_more(at(52), (&host(9), 0)));
        assert!(!doubts.lately_by_more(at(52), (&host(9), 1)), "never by two at once");
        tell(&mut doubts, 50, 1, Some(0));
        tell(&mut doubts, 51, 1, None);
        assert!(doubts.lately_by_more(at(56), (&host(9), 1)));
        assert!(!doubts.lately_by_more(at(57), (&host(9), 1)), "one is left for six seconds");
        tell(&mut doubts, 52, 2, None);
        tell(&mut doubts, 58, 1, Some(0));
        assert_eq!(doubts.since(&host(9)), Some(at(58)), "six seconds are a break");
        assert_eq!(doubts.troubles.len(), 1);
        tell(&mut doubts, 60, 1, None);
        doubts.expire(at(66));
        assert!(doubts.troubles.is_empty());
    }

    #[test]
    fn law_d6_with_a_newer_life_a_new_trouble_begins_whatever_is_said_of_the_older() {
        let mut doubts = Doubts::default();
        tell(&mut doubts, 10, 1, Some(0));
        let boot = Boot { number: 2, nonce: 1 };
        let newer = DoubtNote { subject: host(9), boot, age_ms: 0 };
        doubts.replace(at(40), host(2), [&newer].into_iter());
        assert_eq!(doubts.since(&host(9)), Some(at(40)));
        tell(&mut doubts, 41, 1, Some(31));
        assert_eq!(doubts.since(&host(9)), Some(at(40)));
    }

    #[test]
    fn law_d6_what_an_observer_that_fell_silent_said_last_stands_until_it_is_forgotten() {
        let mut doubts = Doubts::default();
        tell(&mut doubts, 10, 1, Some(0));
        doubts.expire(at(20));
        tell(&mut doubts, 24, 2, Some(0));
        assert_eq!(doubts.since(&host(9)), Some(at(10)));
    }
}
