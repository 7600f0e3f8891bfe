//! When a leader gives its lead up (protocol 1.5): its ears are poor, or those who watch it doubt it.
//!
//! Law SD1: one word, however it lies, makes no leader stand down that hears half of its observers, nor one that another keeper
//! confirms: it takes the words of two other keepers, of which none counts for more than its own observers, or the doubts of more
//! than f of the leader's observers, two at the least, each told on that observer's own connection. Where one other keeper alone
//! answers, its word is enough: keepers are trusted to crash, not to lie (protocol 1.6), and with one of three dead a half-deaf
//! leader would lead for ever.
//! Law SD2: a host stands down once in [`AGAIN_AFTER`] at the most, so that a lead is not played back and forth.
//! Law SD3: an observer that doubts, or within [`DOUBTED_FOR`] doubted, more than half of the other voters that it observes does
//! not count: another lead would not help it, and a lead is not played round. Here what two others tell of it counts as well as its
//! own word: whoever lies so keeps a lead where it is.
//! Not here: how a lead is given up (see `replication`), who is doubted why (see `detection`).

use std::collections::{BTreeMap, BTreeSet};

use detection::health::HealthRecord;
use vocabulary::{HostId, Moment, Span};
use wire::{Request, Response};

use crate::calls::Purpose;
use crate::event::{AskId, CallEnd, Effect};
use crate::mind::Agent;

/// Between two looks at itself.
const LOOK_EVERY: Span = Span::seconds(3);

/// So many looks in a row must find the same: a leader that was late once is not deaf.
const LOOKS: u32 = 3;

/// A new leader's ears are judged after this: longer than the ingress list looks back, so that an agent which has just started is
/// not taken for deaf.
const SETTLES: Span = Span::seconds(12);

/// A keeper's word counts for so long: until the look after the next.
const WORD_AGE_MAX: Span = Span::seconds(5);

/// Whom it did not help for so long, it does not help to try again.
const AGAIN_AFTER: Span = Span::minutes(1);

/// So long an observer's doubt of another voter is remembered: it may be told while that one leads, and withdrawn after.
const DOUBTED_FOR: Span = Span::minutes(5);

/// A keeper answers at once.
const ASK_WITHIN: Span = Span::seconds(1);

/// One keeper, or one observer, may lie (protocol 3.4: f of at most 1).
const WORDS: usize = 2;

/// What a leader sees of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// How many hosts hold seats on it.
    pub observers: usize,
    /// How many of them were heard within the last 10 s.
    pub heard: usize,
    /// How many of them doubt it whom another lead would help (law SD3).
    pub doubters: usize,
}

/// What follows from a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nothing.
    Sound,
    /// It hears few: what do the other keepers hear?
    Ask,
    /// Another should lead.
    StandDown,
}

/// The leader's judgement of itself; idle on every other host.
#[derive(Debug, Default)]
pub struct StandDown {
    next_look: Moment,
    in_a_row: u32,
    /// How many each other keeper hears, and when it said so; at most one for each voter.
    words: BTreeMap<HostId, (Moment, usize)>,
    not_before: Moment,
    /// Which observer of this host doubted which other voter, and when last; at most the one's seats times the others.
    elsewhere: BTreeMap<(HostId, HostId), Moment>,
}

impl StandDown {
    /// This host leads from now on.
    pub fn begin(&mut self, now: Moment) {
        self.next_look = now.after(SETTLES);
        self.in_a_row = 0;
        self.words.clear();
    }

    /// An observer of this host doubts another voter; heard whoever leads.
    pub fn doubted(&mut self, now: Moment, (observer, voter): (HostId, HostId)) {
        self.elsewhere.retain(|_, at| now.since(*at) < DOUBTED_FOR);
        self.elsewhere.insert((observer, voter), now);
    }

    /// Whether another lead would help this observer, which observes these other voters too (law SD3).
    pub fn would_help(&self, now: Moment, observer: HostId, others: &[HostId]) -> bool {
        let doubted = others.iter().filter(|voter| {
            let at = self.elsewhere.get(&(observer, **voter));
            at.is_some_and(|at| now.since(*at) < DOUBTED_FOR)
        });
        doubted.count() * 2 <= others.len()
    }

    /// When the next look is due, while this host leads.
    pub fn next_look(&self) -> Moment {
        self.next_look
    }

    /// Another keeper hears so many of its `observers`.
    pub fn heard(&mut self, now: Moment, from: HostId, (hears, observers): (usize, usize)) {
        // law SD1: nobody hears more than there are.
        self.words.insert(from, (now, hears.min(observers)));
    }

    /// One look.
    pub fn look(&mut self, now: Moment, glance: &Glance) -> Finding {
        self.next_look = now.after(LOOK_EVERY);
        self.words.retain(|_, (at, _)| now.since(*at) <= WORD_AGE_MAX);
        let hears_better = |hears: &usize| *hears > glance.heard * 2;
        let better = self.words.values().filter(|(_, hears)| hears_better(hears)).count();
        let needed = WORDS.min(self.words.len()).max(1);
        let is_poor = better >= needed || glance.doubters >= WORDS;
        self.in_a_row = if is_poor { self.in_a_row + 1 } else { 0 };
        if self.in_a_row >= LOOKS && now >= self.not_before {
            self.not_before = now.after(AGAIN_AFTER);
            self.in_a_row = 0;
            return Finding::StandDown;
        }
        // Whoever hears half of its observers is contradicted by nobody.
        if glance.heard * 2 < glance.observers { Finding::Ask } else { Finding::Sound }
    }
}

impl Agent {
    /// The leader looks at itself.
    pub(crate) fn judge_own_lead(&mut self, now: Moment) {
        if now < self.lead.stand_down.next_look() {
            return;
        }
        self.remember_doubts(now);
        let glance = self.glance(now);
        match self.lead.stand_down.look(now, &glance) {
            Finding::Sound => {}
            Finding::Ask => self.ask_what_others_hear(now),
            Finding::StandDown => self.emit(Effect::StandDown),
        }
    }

    /// Another keeper leads and wants to know what this one hears.
    pub(crate) fn say_what_is_heard(&mut self, now: Moment, id: AskId) {
        let hosts = u32::try_from(self.reply.ingress(now).len()).unwrap_or(u32::MAX);
        self.answer(now, id, Response::Hears { hosts });
    }

    /// A keeper has said what it hears, or has not.
    pub(crate) fn others_hear(&mut self, now: Moment, from: HostId, end: &CallEnd) {
        if let CallEnd::Response(Response::Hears { hosts }) = end {
            let hears = usize::try_from(*hosts).unwrap_or(usize::MAX);
            let observers = self.ledger.seating().observers(&from).len();
            self.lead.stand_down.heard(now, from, (hears, observers));
        }
    }

    fn ask_what_others_hear(&mut self, now: Moment) {
        for keeper in self.other_voters() {
            self.call(now, Purpose::Hears(keeper), keeper, (Request::Hears, ASK_WITHIN));
        }
    }

    /// Doubts as their observers told them to the leader, and as they gossip them themselves: whose question gets no answer from the
    /// leader may still reach it. What others gossip of an observer is one liar's word (law SD1).
    fn glance(&self, now: Moment) -> Glance {
        let seating = self.ledger.seating();
        let observers = seating.observers(&self.me);
        let told = self.lead.rounds.doubters(&self.me).into_iter().map(|(observer, _)| observer);
        let health = self.health_told();
        let gossiped = self.doubt_us.iter().filter(|observer| health.contains_key(*observer));
        let doubters: BTreeSet<HostId> = told.chain(gossiped.copied()).collect();
        let others = self.other_voters();
        let is_helped = |observer: &HostId| {
            let watched = others.iter().copied().filter(|voter| seating.holds(observer, voter));
            let watched: Vec<HostId> = watched.collect();
            self.lead.stand_down.would_help(now, *observer, &watched)
        };
        let doubters = observers.iter().filter(|observer| doubters.contains(observer));
        Glance {
            observers: observers.len(),
            heard: self.reply.ingress(now).len(),
            doubters: doubters.filter(|observer| is_helped(observer)).count(),
        }
    }

    /// Whom else its observers doubt, as they told the leader and as is gossiped of them (law SD3).
    fn remember_doubts(&mut self, now: Moment) {
        for voter in self.other_voters() {
            for (observer, _) in self.lead.rounds.doubters(&voter) {
                self.remember_doubt(now, (observer, voter));
            }
        }
        for record in self.health_told().into_values() {
            self.remember_doubts_told(now, &record);
        }
    }

    /// A host says whom it doubts.
    pub(crate) fn remember_doubts_told(&mut self, now: Moment, record: &HealthRecord) {
        let doubts = record.health.doubts();
        let voters = self.ledger.voters().iter().filter(|voter| **voter != self.me);
        let doubted: Vec<HostId> = voters.filter(|voter| doubts.contains(voter)).copied().collect();
        for voter in doubted {
            self.remember_doubt(now, (record.host, voter));
        }
    }

    fn remember_doubt(&mut self, now: Moment, (observer, voter): (HostId, HostId)) {
        if self.ledger.seating().holds(&observer, &self.me) {
            self.lead.stand_down.doubted(now, (observer, voter));
        }
    }

    fn other_voters(&self) -> Vec<HostId> {
        self.ledger.voters().iter().copied().filter(|voter| *voter != self.me).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Glance = Glance { observers: 10, heard: 10, doubters: 0 };

    fn at(seconds: u64) -> Moment {
        Moment::from_milliseconds(1_000_000 + seconds * 1_000)
    }

    fn host(number: u8) -> HostId {
        HostId([number; 16])
    }

    /// What a leader finds that looks at itself each time it is due, while other keepers say this before each look.
    fn finds(glance: &Glance, words: &[usize], seconds: u64) -> Vec<(u64, Finding)> {
        let mut own = StandDown::default();
        own.begin(at(0));
        let mut found = Vec::new();
        for second in 0..seconds {
            if at(second) < own.next_look() {
                continue;
            }
            for (number, hears) in (1..).zip(words) {
                own.heard(at(second), host(number), (*hears, 10));
            }
            found.push((second, own.look(at(second), glance)));
        }
        found
    }

    fn stands_down(found: &[(u64, Finding)]) -> Vec<u64> {
        let down = found.iter().filter(|(_, finding)| *finding == Finding::StandDown);
        down.map(|(second, _)| *second).collect()
    }

    #[test]
    fn a_leader_that_hears_fewer_than_half_of_what_two_others_hear_stands_down_within_twenty_seconds()
     {
        let deaf = Glance { heard: 4, ..TEN };
        assert_eq!(stands_down(&finds(&deaf, &[9, 10], 60)), [18]);
        assert_eq!(stands_down(&finds(&deaf, &[9, 8], 60)), [0; 0], "eight is twice four");
        assert_eq!(stands_down(&finds(&Glance { heard: 0, ..TEN }, &[1, 1], 60)), [18]);
    }

    #[test]
    fn no_one_keepers_word_makes_a_leader_stand_down_however_it_lies() {
        for heard in 0..=10 {
            let glance = Glance { heard, ..TEN };
            assert_eq!(stands_down(&finds(&glance, &[usize::MAX, heard], 300)), [0; 0], "{heard}");
        }
        // Two that lie cannot claim more than there are.
        let half = Glance { heard: 5, ..TEN };
        assert_eq!(stands_down(&finds(&half, &[usize::MAX, usize::MAX], 300)), [0; 0]);
    }

    #[test]
    fn of_keepers_one_alone_that_answers_is_enough_against_a_leader_that_hears_fewer_than_half() {
        let deaf = Glance { heard: 4, ..TEN };
        assert_eq!(stands_down(&finds(&deaf, &[9], 60)), [18], "one of three is dead");
        assert_eq!(stands_down(&finds(&deaf, &[8], 60)), [0; 0], "eight is twice four");
        assert_eq!(stands_down(&finds(&deaf, &[], 300)), [0; 0], "nobody answers");
        // However that one lies.
        let half = Glance { heard: 5, ..TEN };
        assert_eq!(stands_down(&finds(&half, &[usize::MAX], 300)), [0; 0]);
    }

    #[test]
    fn the_doubts_of_two_observers_do_and_that_of_one_does_not() {
        assert_eq!(stands_down(&finds(&Glance { doubters: 1, ..TEN }, &[], 300)), [0; 0]);
        assert_eq!(stands_down(&finds(&Glance { doubters: 2, ..TEN }, &[], 60)), [18]);
    }

    #[test]
    fn it_stands_down_once_a_minute_at_the_most() {
        let doubted = Glance { doubters: 5, ..TEN };
        assert_eq!(stands_down(&finds(&doubted, &[], 200)), [18, 78, 138, 198]);
        let mut own = StandDown::default();
        own.begin(at(0));
        for second in [12, 15, 18] {
            own.look(at(second), &doubted);
        }
        // It leads again, and is doubted again.
        own.begin(at(20));
        for second in (32..78).step_by(3) {
            assert_eq!(own.look(at(second), &doubted), Finding::Sound, "law SD2");
        }
    }

    #[test]
    fn whoever_hears_half_of_its_observers_asks_nobody() {
        for (heard, finding) in [(10, Finding::Sound), (5, Finding::Sound), (4, Finding::Ask)] {
            let found = finds(&Glance { heard, ..TEN }, &[], 13);
            assert_eq!(found, [(12, finding)]);
        }
    }

    #[test]
    fn a_look_that_finds_it_sound_begins_the_count_anew() {
        let mut own = StandDown::default();
        own.begin(at(0));
        let doubted = Glance { doubters: 2, ..TEN };
        for second in (12..60).step_by(9) {
            own.look(at(second), &doubted);
            own.look(at(second + 3), &doubted);
            assert_eq!(own.look(at(second + 6), &TEN), Finding::Sound);
        }
    }

    /// Two observers doubt whoever leads. When they doubt the others, too, is theirs to choose: `told` says it for a second and a leader.
    fn changes(seconds: u64, told: impl Fn(u64, u8) -> Vec<u8>) -> Vec<u64> {
        let mut keepers: BTreeMap<u8, StandDown> =
            [1, 2, 3].map(|of| (of, StandDown::default())).into();
        let (mut leads, mut changes) = (1, Vec::new());
        keepers.entry(leads).or_default().begin(at(0));
        for second in 0..seconds {
            let doubted = told(second, leads);
            for (me, keeper) in &mut keepers {
                for voter in doubted.iter().filter(|voter| *voter != me) {
                    for by in [8, 9] {
                        keeper.doubted(at(second), (host(by), host(*voter)));
                    }
                }
            }
            let own = keepers.entry(leads).or_default();
            let others: Vec<HostId> = (1..=3).filter(|of| *of != leads).map(host).collect();
            let helped =
                [8, 9].into_iter().filter(|by| own.would_help(at(second), host(*by), &others));
            let doubters = if doubted.contains(&leads) { helped.count() } else { 0 };
            let is_due = at(second) >= own.next_look();
            if is_due && own.look(at(second), &Glance { doubters, ..TEN }) == Finding::StandDown {
                changes.push(second);
                leads = leads % 3 + 1;
                keepers.entry(leads).or_default().begin(at(second));
            }
        }
        changes
    }

    #[test]
    fn whoever_doubts_the_other_voters_too_does_not_have_the_lead_played_round() {
        assert_eq!(changes(3_600, |_, _| vec![1, 2, 3]), [0; 0], "law SD3");
        // Whoever leads, and nobody else: it is remembered of them.
        assert_eq!(changes(300, |_, leads| vec![leads]), [18, 36], "law SD3");
        let hour = changes(3_600, |_, leads| vec![leads]);
        assert!(hour.len() <= 2 * 12, "law SD3: {hour:?}");
        assert_eq!(changes(300, |_, _| vec![1]), [18], "but whom another lead helps, counts");
        assert_eq!(changes(300, |_, _| vec![1, 2]), [18, 36], "also while one other is dead");
    }
}
