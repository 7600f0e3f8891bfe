//! What is due and when: foca's timers and our own, one of each kind, in the order (deadline, sequence).
//!
//! Law: at most five foca timers, two per known host and five of our own are held, because a later one of a kind takes
//! the place of the earlier; foca ignores a timer whose token, identity or incarnation is out of date.

use std::collections::BTreeMap;

use foca::Timer;
use vocabulary::{HostId, Moment, Span};

use super::identity::Identity;

/// A batch later than this means that we were stalled, not that others fell silent.
const LATE: Span = Span::seconds(2);

/// What waits for its moment.
#[derive(Clone, Debug)]
pub(super) enum Due {
    /// One of foca's.
    Foca(Timer<Identity>),
    /// Gossip what is still to be told.
    Spread,
    /// Say again that no member is known.
    Alone,
    /// Say how we are, now that the budget allows it.
    Health,
    /// Look for ourselves at hosts that others call down.
    Look,
    /// Exchange what is known with one member.
    Exchange,
}

/// One kind of timer, of which there is one at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    IndirectProbe,
    Probe,
    Suspicion(HostId),
    Announce,
    Gossip,
    Removal(HostId),
    AnnounceDown,
    Spread,
    Alone,
    Health,
    Look,
    Exchange,
}

/// All that waits.
#[derive(Debug, Default)]
pub(super) struct Timers {
    queue: BTreeMap<(Moment, u64), Due>,
    /// The earliest of them: asked for after every event of the host, whichever room it is for.
    first: Option<Moment>,
    places: BTreeMap<Kind, (Moment, u64)>,
    sequence: u64,
}

impl Timers {
    /// Sets the one timer of its kind; a suspicion that is already running keeps its earlier end.
    pub fn set(&mut self, deadline: Moment, due: Due) {
        let kind = due.kind();
        if let Some(place) = self.places.get(&kind) {
            if place.0 <= deadline
                && self.queue.get(place).is_some_and(|old| old.is_same_suspicion(&due))
            {
                return;
            }
            self.queue.remove(place);
        }
        self.sequence += 1;
        let place = (deadline, self.sequence);
        self.places.insert(kind, place);
        self.queue.insert(place, due);
        self.note_first();
    }

    /// Sets the one timer of its kind, unless it is set for no later than that.
    pub fn bring_forward(&mut self, deadline: Moment, due: Due) {
        if self.places.get(&due.kind()).is_none_or(|place| deadline < place.0) {
            self.set(deadline, due);
        }
    }

    /// Takes back the timer of a kind.
    pub fn unset(&mut self, kind: Kind) {
        if let Some(place) = self.places.remove(&kind) {
            self.queue.remove(&place);
            self.note_first();
        }
    }

    /// Takes back all of foca's: it begins again and would take old ones for its own.
    pub fn unset_foca(&mut self) {
        self.queue.retain(|_, due| due.is_ours());
        let queue = &self.queue;
        self.places.retain(|_, place| queue.contains_key(place));
        self.note_first();
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Moment> {
        self.first
    }

    /// All that is due, foca's timers in foca's own order first (its remedy for a runtime that is late).
    ///
    /// When we were stalled ourselves, suspicions wait `grace` longer: the answer may lie unread in our own socket.
    pub fn take_due(&mut self, now: Moment, grace: Span) -> Vec<Due> {
        let mut due = Vec::new();
        while let Some(entry) = self.queue.first_entry() {
            let (deadline, _) = *entry.key();
            if deadline > now {
                break;
            }
            let timer = entry.remove();
            self.places.remove(&timer.kind());
            due.push((deadline, timer));
        }
        self.note_first();
        let is_late = due.first().is_some_and(|(deadline, _)| now.since(*deadline) > LATE);
        let (put_off, mut due): (Vec<_>, Vec<_>) = due
            .into_iter()
            .map(|(_, timer)| timer)
            .partition(|timer| is_late && matches!(timer.kind(), Kind::Suspicion(_)));
        for suspicion in put_off {
            self.set(now.after(grace), suspicion);
        }
        due.sort_by(|a, b| match (a, b) {
            (Due::Foca(a), Due::Foca(b)) => a.cmp(b),
            _ => a.is_ours().cmp(&b.is_ours()),
        });
        due
    }

    fn note_first(&mut self) {
        self.first = self.queue.keys().next().map(|(deadline, _)| *deadline);
    }

    /// How many wait.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.queue.len()
    }
}

impl Due {
    fn kind(&self) -> Kind {
        match self {
            Self::Foca(Timer::SendIndirectProbe { .. }) => Kind::IndirectProbe,
            Self::Foca(Timer::ProbeRandomMember(_)) => Kind::Probe,
            Self::Foca(Timer::ChangeSuspectToDown { member_id, .. }) => {
                Kind::Suspicion(member_id.host)
            }
            Self::Foca(Timer::PeriodicAnnounce(_)) => Kind::Announce,
            Self::Foca(Timer::PeriodicGossip(_)) => Kind::Gossip,
            Self::Foca(Timer::RemoveDown(identity)) => Kind::Removal(identity.host),
            Self::Foca(Timer::PeriodicAnnounceDown(_)) => Kind::AnnounceDown,
            Self::Spread => Kind::Spread,
            Self::Alone => Kind::Alone,
            Self::Health => Kind::Health,
            Self::Look => Kind::Look,
            Self::Exchange => Kind::Exchange,
        }
    }

    fn is_ours(&self) -> bool {
        !matches!(self, Self::Foca(_))
    }

    fn is_same_suspicion(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Foca(a @ Timer::ChangeSuspectToDown { .. }), Self::Foca(b)) => a == b,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::Boot;

    fn at(seconds: u64) -> Moment {
        Moment::from_milliseconds(seconds * 1_000)
    }

    fn suspicion(host: u8, incarnation: u16) -> Due {
        Due::Foca(Timer::ChangeSuspectToDown {
            member_id: Identity::first(HostId([host; 16]), Boot::default()),
            incarnation,
            token: 0,
        })
    }

    #[test]
    fn a_repeated_suspicion_keeps_its_earlier_end_and_a_newer_one_takes_its_place() {
        let mut timers = Timers::default();
        timers.set(at(10), suspicion(1, 0));
        timers.set(at(20), suspicion(1, 0));
        assert_eq!((timers.next(), timers.len()), (Some(at(10)), 1));
        timers.set(at(30), suspicion(1, 1));
        assert_eq!((timers.next(), timers.len()), (Some(at(30)), 1));
    }

    #[test]
    fn what_is_brought_forward_is_never_put_off() {
        let mut timers = Timers::default();
        timers.bring_forward(at(10), Due::Exchange);
        timers.bring_forward(at(20), Due::Exchange);
        assert_eq!(timers.next(), Some(at(10)));
        timers.bring_forward(at(5), Due::Exchange);
        assert_eq!((timers.next(), timers.len()), (Some(at(5)), 1));
    }

    #[test]
    fn late_timers_come_in_the_order_foca_asks_for() {
        let mut timers = Timers::default();
        let probed_id = Identity::first(HostId([1; 16]), Boot::default());
        timers.set(at(1), Due::Spread);
        timers.set(at(1), Due::Foca(Timer::ProbeRandomMember(0)));
        let indirect = Timer::SendIndirectProbe { probed_id, token: 0 };
        timers.set(at(2), Due::Foca(indirect));
        let kinds: Vec<_> = timers.take_due(at(2), Span::ZERO).iter().map(Due::kind).collect();
        assert_eq!(kinds, [Kind::IndirectProbe, Kind::Probe, Kind::Spread]);
    }

    #[test]
    fn a_host_that_was_stalled_itself_lets_its_suspicions_wait() {
        let mut timers = Timers::default();
        timers.set(at(10), suspicion(1, 0));
        assert!(timers.take_due(at(13), Span::seconds(5)).is_empty());
        assert_eq!(timers.next(), Some(at(18)));
        assert_eq!(timers.take_due(at(18), Span::seconds(5)).len(), 1);
    }

    #[test]
    fn the_earliest_deadline_follows_what_is_set_taken_and_taken_back() {
        let mut timers = Timers::default();
        assert_eq!(timers.next(), None);
        timers.set(at(20), suspicion(1, 0));
        timers.set(at(10), Due::Spread);
        timers.set(at(15), Due::Look);
        assert_eq!(timers.next(), Some(at(10)));
        timers.unset(Kind::Spread);
        assert_eq!(timers.next(), Some(at(15)));
        assert_eq!(timers.take_due(at(15), Span::ZERO).len(), 1);
        assert_eq!(timers.next(), Some(at(20)));
        timers.unset_foca();
        assert_eq!(timers.next(), None);
    }
}
