//! Who doubts whom, as each observer last told the leader.
//!
//! Law D4: an observer's list replaces what it said before, and is forgotten when it is not repeated.

use std::collections::{BTreeMap, BTreeSet};

use vocabulary::{Boot, HostId, Moment, Span};
use wire::DoubtNote;

use crate::seats::Seating;
use crate::verdict::tolerated;

/// Observers repeat their doubts every 2 s; five lost in a row mean that the observer itself is in trouble.
const FORGOTTEN_AFTER: Span = Span::seconds(10);

/// Notes of one observer that are heard: as many as it can hold seats (protocol 2.1, at most 2K).
const NOTES_MAX: usize = 20;

/// A host in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubted {
    /// Who.
    pub subject: HostId,
    /// In which life.
    pub boot: Boot,
    /// Since when, by the leader's clock: the oldest of the standing doubts.
    pub since: Moment,
}

/// What all observers said.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// One list per observer: bounded by the roster.
    lists: BTreeMap<HostId, List>,
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
        let former = self.lists.remove(&observer).map(|list| list.of).unwrap_or_default();
        let is_over = |(subject, (boot, _)): &(HostId, (Boot, Moment))| {
            of.get(subject).is_none_or(|(now, _)| now != boot)
        };
        let over = former.into_iter().filter(is_over).map(|(subject, _)| subject).collect();
        if !of.is_empty() {
            self.lists.insert(observer, List { heard: now, of });
        }
        over
    }

    /// law D4.
    pub fn expire(&mut self, now: Moment) {
        self.lists.retain(|_, list| now.since(list.heard) < FORGOTTEN_AFTER);
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
        let mut standing: BTreeMap<HostId, (usize, Doubted)> = BTreeMap::new();
        for (subject, (boot, since)) in self.lists.values().flat_map(|list| &list.of) {
            let doubt = Doubted { subject: *subject, boot: *boot, since: *since };
            let (by, oldest) = standing.entry(*subject).or_insert((0, doubt));
            *by += 1;
            if *since < oldest.since {
                *oldest = doubt;
            }
        }
        let is_enough =
            |subject: &HostId, by: usize| by > tolerated(seating.observers(subject).len());
        standing.retain(|subject, (by, _)| is_enough(subject, *by));
        standing.into_values().map(|(_, oldest)| oldest).collect()
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
