//! Do the relays that this host reaches say anything at all (protocol 2.7)?
//!
//! A relay that asked in vain says so. Where [`MUTE_MIN`] different relays said nothing within [`NACKS_FOR`], and none said
//! anything, it is the asker who is not heard, or does not hear.
//! Law NK1: more than f relays are needed, so that no f liars silence an observer by saying nothing (law D2).
//! Law NK2: only relays that the asker reaches count, and none that stands where the subject stands: a dark rack or zone
//! answers nobody, whoever asks.

use std::collections::BTreeMap;

use vocabulary::{Domain, HostId, Moment, Span};

use crate::watch::AttemptId;

/// How far back is counted, as for ingress (protocol 2.7).
pub const NACKS_FOR: Span = Span::seconds(10);

/// Relays that must be mute: more than f.
pub const MUTE_MIN: usize = 2;

/// Questions to relays whose end is awaited: two in each look.
const ASKED_MAX: usize = 2 * super::LOOKS_MAX;

/// Relays remembered; the oldest word makes room.
const RELAYS_MAX: usize = 64;

/// What came of the questions to relays.
#[derive(Debug, Default)]
pub(super) struct Nacks {
    asked: BTreeMap<AttemptId, HostId>,
    /// When each relay was last mute.
    mute: BTreeMap<HostId, Moment>,
    /// When any relay last said anything.
    heard: Option<Moment>,
}

/// Where three hosts stand.
pub(super) struct Places<'a> {
    pub own: &'a Domain,
    pub relay: &'a Domain,
    pub subject: &'a Domain,
}

impl Places<'_> {
    /// Law NK2: whether the relay would answer even if all of the subject's rack, or of a zone that is not ours, were dark.
    pub fn relay_is_apart(&self) -> bool {
        let zone = self.subject.zone();
        self.relay != self.subject && (self.relay.zone() != zone || self.own.zone() == zone)
    }
}

impl Nacks {
    /// A relay that counts is asked.
    pub fn asked(&mut self, id: AttemptId, relay: HostId) {
        if self.asked.len() >= ASKED_MAX {
            self.asked.pop_first();
        }
        self.asked.insert(id, relay);
    }

    /// It said something: that it asked in vain, or what it was told.
    pub fn heard(&mut self, now: Moment, id: AttemptId) {
        self.asked.remove(&id);
        self.heard = Some(now);
    }

    /// It said nothing in its time.
    pub fn missed(&mut self, now: Moment, id: AttemptId) {
        let Some(relay) = self.asked.remove(&id) else {
            return;
        };
        self.mute.retain(|_, at| now.since(*at) <= NACKS_FOR);
        self.mute.insert(relay, now);
        if self.mute.len() > RELAYS_MAX {
            let oldest = self.mute.iter().min_by_key(|(host, at)| (**at, **host));
            if let Some(oldest) = oldest.map(|(host, _)| *host) {
                self.mute.remove(&oldest);
            }
        }
    }

    /// What came of it proves nothing.
    pub fn void(&mut self, id: AttemptId) {
        self.asked.remove(&id);
    }

    /// How many relays were mute lately, if no relay said anything; none, if they are too few to tell.
    pub fn mute(&self, now: Moment) -> usize {
        if self.heard.is_some_and(|at| now.since(at) <= NACKS_FOR) {
            return 0;
        }
        let mute = self.mute.values().filter(|at| now.since(**at) <= NACKS_FOR).count();
        if mute >= MUTE_MIN { mute } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::Label;

    fn at(seconds: u64) -> Moment {
        Moment::from_milliseconds(100_000 + seconds * 1_000)
    }

    fn relay(number: u8) -> HostId {
        HostId([number; 16])
    }

    fn ask(nacks: &mut Nacks, number: u8) -> AttemptId {
        let id = AttemptId(u64::from(number));
        nacks.asked(id, relay(number));
        id
    }

    #[test]
    fn one_mute_relay_proves_nothing_however_often_it_is_asked_and_two_do() {
        let mut nacks = Nacks::default();
        for _ in 0..10 {
            let id = ask(&mut nacks, 1);
            nacks.missed(at(0), id);
        }
        assert_eq!(nacks.mute(at(1)), 0, "law NK1");
        let id = ask(&mut nacks, 2);
        nacks.missed(at(1), id);
        assert_eq!(nacks.mute(at(1)), 2);
        assert_eq!(nacks.mute(at(11)), 0, "the first was too long ago");
    }

    #[test]
    fn one_word_of_any_relay_shows_that_the_asker_is_heard() {
        let mut nacks = Nacks::default();
        for number in 1..5 {
            let id = ask(&mut nacks, number);
            nacks.missed(at(0), id);
        }
        assert_eq!(nacks.mute(at(0)), 4);
        let id = ask(&mut nacks, 9);
        nacks.heard(at(1), id);
        assert_eq!(nacks.mute(at(1)), 0);
    }

    #[test]
    fn a_relay_counts_only_where_the_subjects_darkness_would_not_reach_it() {
        let place = |zone: &str, rack: &str| {
            let label = |text: &str| Label::new(text).expect("sound");
            Domain { region: label("eu"), zone: label(zone), rack: label(rack) }
        };
        let apart = |own: (&str, &str), relay: (&str, &str), subject: (&str, &str)| {
            let places = Places {
                own: &place(own.0, own.1),
                relay: &place(relay.0, relay.1),
                subject: &place(subject.0, subject.1),
            };
            places.relay_is_apart()
        };
        assert!(apart(("a", "1"), ("c", "1"), ("b", "1")), "a third zone");
        assert!(
            !apart(("a", "1"), ("b", "2"), ("b", "1")),
            "the subject's zone, not ours: law NK2"
        );
        assert!(!apart(("b", "2"), ("b", "1"), ("b", "1")), "the subject's rack");
        assert!(apart(("b", "2"), ("b", "3"), ("b", "1")), "one zone, other racks");
    }

    #[test]
    fn questions_that_never_end_and_relays_without_number_take_a_bounded_room() {
        let mut nacks = Nacks::default();
        for number in 0..1_000 {
            nacks.asked(AttemptId(number), relay(1));
        }
        assert_eq!(nacks.asked.len(), ASKED_MAX);
        for number in 0..=255 {
            let id = ask(&mut nacks, number);
            nacks.missed(at(0), id);
        }
        assert_eq!(nacks.mute.len(), RELAYS_MAX);
    }

    #[test]
    fn at_the_bound_the_oldest_word_makes_room_and_a_known_relays_word_is_renewed() {
        let mut nacks = Nacks::default();
        let bound = u8::try_from(RELAYS_MAX).expect("a small bound");
        for number in 0..bound {
            let id = ask(&mut nacks, number);
            nacks.missed(at(u64::from(number) / 10), id);
        }
        // The first is mute again: now the second's word is the oldest.
        let id = ask(&mut nacks, 0);
        nacks.missed(at(8), id);
        let id = ask(&mut nacks, bound);
        nacks.missed(at(9), id);
        assert_eq!(nacks.mute.len(), RELAYS_MAX);
        assert_eq!(nacks.mute.get(&relay(0)), Some(&at(8)));
        assert_eq!(nacks.mute.get(&relay(bound)), Some(&at(9)));
        assert_eq!(nacks.mute.get(&relay(1)), None);
    }
}
