//! Who may campaign (protocol 1.5). Pure: time and answers come from outside.
//!
//! Law R3: a voter campaigns only once a majority of voters, itself included, has answered `Standing?` within the last
//! second and none of them has a live leader. A single voter is never gated. After ten election timeouts without a leader
//! the gate opens, but only while a majority answers at all.
//! Law R7: a leader that stands down neither says that it leads nor campaigns for two election timeouts.
//! Law R11: before each election a keeper waits for a time of its own, drawn from its store and the term that ended: keepers that
//! were drawn alike once are not so in the next term. openraft draws once in a life.
//! Law R12: a keeper that others tell that its host has no vote any more, and who leads, does not campaign: it may not have heard that from
//! Raft itself, which speaks to members alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;
use vocabulary::Digest;

use crate::settings::Settings;

/// What one voter knows about who leads.
#[derive(Debug)]
pub(crate) struct Gate {
    own: u64,
    election_min: Duration,
    election_max: Duration,
    term: Term,
    /// When a leader was last heard, or this keeper started.
    heard: Instant,
    has_heard: bool,
    stands_down_until: Option<Instant>,
    rests: bool,
    answers: BTreeMap<u64, Answer>,
}

/// The term that the next election would end.
#[derive(Clone, Copy, Debug)]
struct Term {
    number: u64,
    since: Instant,
    /// Drawn for it (law R11).
    wait: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Answer {
    at: Instant,
    has_leader: bool,
}

impl Gate {
    pub(crate) fn new(own: u64, settings: &Settings, now: Instant) -> Self {
        let election_max = settings.election_max;
        let term = Term { number: 0, since: now, wait: draw(own, 0, election_max) };
        Self {
            own,
            election_min: settings.election_min,
            election_max,
            term,
            heard: now,
            has_heard: false,
            stands_down_until: None,
            rests: false,
            answers: BTreeMap::new(),
        }
    }

    /// This keeper leads no more and lets another campaign (law R7).
    pub(crate) fn stand_down(&mut self, now: Instant) {
        self.stands_down_until = Some(now + self.election_max * STANDS_DOWN_FOR);
        self.has_heard = false;
        self.heard = now;
    }

    /// Whether it still does.
    pub(crate) fn stands_down(&self, now: Instant) -> bool {
        self.stands_down_until.is_some_and(|until| now < until)
    }

    /// A leader spoke to us, or we lead and a majority has acknowledged it.
    pub(crate) fn heard_leader(&mut self, at: Instant) {
        self.heard = self.heard.max(at);
        self.has_heard = true;
    }

    /// Whether a leader was heard within the last election timeout.
    pub(crate) fn has_live_leader(&self, now: Instant) -> bool {
        self.has_heard && now.duration_since(self.heard) < self.election_max
    }

    /// Whether none was for so long that a voter may campaign against what others say.
    pub(crate) fn is_overdue(&self, now: Instant) -> bool {
        now.duration_since(self.heard) >= self.election_max * TIMEOUTS_UNTIL_OVERDUE
    }

    /// Whether none was for so long that the ledger is to be sought elsewhere: before this keeper is overdue, so that it learns first
    /// whether it is to campaign at all.
    pub(crate) fn is_left_behind(&self, now: Instant) -> bool {
        now.duration_since(self.heard) >= self.election_max * TIMEOUTS_UNTIL_LEFT_BEHIND
    }

    /// Law R12.
    pub(crate) fn rest(&mut self, rests: bool) {
        self.rests = rests;
    }

    /// Whether it does.
    pub(crate) fn rests(&self) -> bool {
        self.rests
    }

    /// Raft is in this term: somebody, perhaps we, campaigned for it.
    pub(crate) fn reached_term(&mut self, now: Instant, number: u64) {
        if number != self.term.number {
            let wait = draw(self.own, number, self.election_max);
            self.term = Term { number, since: now, wait };
        }
    }

    /// A voter has answered `Standing?`.
    pub(crate) fn answered(&mut self, voter: u64, at: Instant, has_leader: bool) {
        self.answers.insert(voter, Answer { at, has_leader });
    }

    /// Whether this keeper may campaign now.
    pub(crate) fn is_open(&mut self, now: Instant, voters: &BTreeSet<u64>) -> bool {
        self.answers.retain(|voter, answer| {
            voters.contains(voter) && now.duration_since(answer.at) <= ANSWER_AGE_MAX
        });
        if !voters.contains(&self.own) || self.stands_down(now) || self.rests {
            return false;
        }
        if voters.len() == 1 {
            return true;
        }
        if self.has_live_leader(now) || !self.has_waited(now) {
            return false;
        }
        let others = self.answers.iter().filter(|(voter, _)| **voter != self.own);
        let is_majority = (others.clone().count() + 1) * 2 > voters.len();
        let is_leader_seen = others.clone().any(|(_, answer)| answer.has_leader);
        is_majority && (!is_leader_seen || self.is_overdue(now))
    }

    /// Law R11: whoever had a leader counts from its silence, whoever campaigned or voted in vain from then.
    fn has_waited(&self, now: Instant) -> bool {
        let silence = if self.has_heard { self.election_max } else { Duration::ZERO };
        let begins = (self.heard + silence).max(self.term.since + self.election_min);
        now >= begins + self.term.wait
    }
}

/// How long a store waits beyond what all wait, before it ends this term: up to the longest election timeout.
fn draw(own: u64, term: u64, election_max: Duration) -> Duration {
    let luck = Digest::of(&[b"hale election", &own.to_le_bytes(), &term.to_le_bytes()]).leading();
    let range = u64::try_from(election_max.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(luck % range.max(1))
}

/// Answers count for one second (protocol 1.5).
const ANSWER_AGE_MAX: Duration = Duration::from_secs(1);

/// Two election timeouts, each of which is the silence of a leader and the time drawn after it.
const STANDS_DOWN_FOR: u32 = 4;

/// More than an election takes.
const TIMEOUTS_UNTIL_LEFT_BEHIND: u32 = 5;

/// After so many election timeouts a leader whom others hear and we do not must not lock us out (protocol 1.5).
const TIMEOUTS_UNTIL_OVERDUE: u32 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: Duration = Duration::from_millis(600);

    /// openraft looks whether it may campaign once in so long: keepers further apart never begin together.
    const TICK_MS: u64 = 150;

    /// Two thirds of all draws part two keepers.
    const ELECTIONS_MAX: u64 = 7;

    /// Of store 1, which has waited for its own time.
    fn gate(start: Instant) -> Gate {
        let mut gate = Gate::new(1, &Settings::default(), start);
        gate.election_min = Duration::ZERO;
        gate.term.wait = Duration::ZERO;
        gate
    }

    fn three() -> BTreeSet<u64> {
        BTreeSet::from([1, 2, 3])
    }

    fn after(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn a_single_voter_is_never_gated_and_a_learner_never_campaigns() {
        let start = Instant::now();
        let mut gate = gate(start);
        assert!(gate.is_open(start, &BTreeSet::from([1])));
        assert!(!gate.is_open(after(start, 60_000), &BTreeSet::from([2])));
    }

    #[test]
    fn it_opens_for_a_majority_that_has_no_leader_and_closes_when_answers_age() {
        let start = Instant::now();
        let mut gate = gate(start);
        assert!(!gate.is_open(start, &three()), "alone is no majority");
        gate.answered(2, start, false);
        assert!(gate.is_open(start, &three()));
        assert!(!gate.is_open(after(start, 1_001), &three()));
    }

    #[test]
    fn one_who_hears_a_leader_keeps_it_closed_until_ten_timeouts_are_over() {
        let start = Instant::now();
        let mut gate = gate(start);
        gate.heard_leader(start);
        for (ms, is_open) in [(700, false), (5_999, false), (6_000, true)] {
            gate.answered(2, after(start, ms), true);
            gate.answered(3, after(start, ms), false);
            assert_eq!(gate.is_open(after(start, ms), &three()), is_open, "{ms} ms");
        }
        assert!(!gate.is_open(after(start, 20_000), &three()), "overdue, but nobody answers");
    }

    #[test]
    fn whoever_hears_a_leader_does_not_campaign_whatever_others_say() {
        let start = Instant::now();
        let mut gate = gate(start);
        gate.heard_leader(start);
        gate.answered(2, start, false);
        gate.answered(3, start, false);
        assert!(!gate.is_open(after(start, 599), &three()));
        assert!(gate.is_open(after(start, 600), &three()));
    }

    #[test]
    fn a_leader_that_stands_down_names_nobody_and_does_not_campaign_until_its_time_is_over() {
        let start = Instant::now();
        let mut gate = gate(start);
        gate.heard_leader(start);
        gate.stand_down(after(start, 10));
        assert!(!gate.has_live_leader(after(start, 10)));
        for (ms, is_open) in [(10, false), (2_409, false), (2_410, true)] {
            gate.answered(2, after(start, ms), false);
            assert_eq!(gate.is_open(after(start, ms), &three()), is_open, "{ms} ms");
        }
        gate.stand_down(after(start, 3_000));
        gate.heard_leader(after(start, 3_500));
        assert!(gate.has_live_leader(after(start, 3_600)), "another leads");
    }

    #[test]
    fn an_answer_of_a_host_that_is_no_voter_counts_nothing() {
        let start = Instant::now();
        let mut gate = gate(start);
        gate.answered(9, start, false);
        gate.answered(1, start, false);
        assert!(!gate.is_open(start, &three()));
    }

    /// When this keeper would campaign after the term's begin at 0, two others being willing.
    fn opens(gate: &mut Gate, start: Instant) -> u64 {
        let others = [u64::MAX, u64::MAX - 1];
        let voters = others.into_iter().chain([gate.own]).collect();
        let is_open = |ms: &u64| {
            let now = after(start, *ms);
            others.iter().for_each(|voter| gate.answered(*voter, now, false));
            gate.is_open(now, &voters)
        };
        (0..2_000).find(is_open).expect("nothing else keeps it closed")
    }

    #[test]
    fn law_r11_a_keeper_waits_as_long_as_all_do_and_then_for_its_own_time() {
        let start = Instant::now();
        for term in 0..20 {
            let mut gate = Gate::new(1, &Settings::default(), start);
            gate.reached_term(start, term);
            let own = u64::try_from(draw(1, term, MAX).as_millis()).expect("small");
            assert_eq!(opens(&mut gate, start), 300 + own, "it campaigned, or began, at 0");
            gate.heard_leader(start);
            assert_eq!(opens(&mut gate, start), 600 + own, "it heard a leader at 0");
        }
    }

    #[test]
    fn law_r11_two_keepers_that_were_drawn_alike_part_within_a_few_elections() {
        let start = Instant::now();
        let patience = |store, term| {
            let mut gate = Gate::new(store, &Settings::default(), start);
            gate.reached_term(start, term);
            opens(&mut gate, start)
        };
        let first: Vec<u64> = (0..120).map(|store| patience(store, 1)).collect();
        let mut alike = 0;
        for (one, other) in (0..120).flat_map(|one| (one + 1..120).map(move |other| (one, other))) {
            if first[one] == first[other] {
                alike += 1;
                let stores = [one as u64, other as u64];
                let parted = (2..=ELECTIONS_MAX).find(|term| {
                    let [one, other] = stores.map(|store| patience(store, *term));
                    one.abs_diff(other) > TICK_MS
                });
                assert!(parted.is_some(), "{one} and {other}");
            }
        }
        assert!(alike > 5, "{alike} pairs were drawn alike");
    }
}
