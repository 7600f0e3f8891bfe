//! Who says that a host fails and holds no seat on it: an operator, a load balancer's script (protocol 2.8).
//!
//! Law RE1: a report may have a round held, and is nothing else: no doubt, no voice, no ground of a verdict.
//! Law RE2: of each host at most [`OF_SUBJECT_MAX`] reports are kept, [`OF_TELLER_MAX`] of them by way of one agent, for
//! [`KEPT_FOR`]; of at most [`SUBJECTS_MAX`] hosts. The oldest makes room; who reports again renews what it said.
//! Law RE3: rounds for reports are at most one of a host in [`ROUND_EVERY`] and [`ROUNDS_MAX`] in all in that time, so that no flood
//! of reports is a surge; one agent tells at most [`TOLD_MAX`] in that time, and is refused beyond.
//! Not here: the round (see `detection::rounds`), and what follows from it (see `lead`).

use std::collections::{BTreeMap, VecDeque};

use detection::rounds::Event as Told;
use vocabulary::{HostId, Moment, Span};
use wire::{Report, Request, Response, Unavailable};

use crate::calls::Purpose;
use crate::event::{AskId, CallEnd};
use crate::mind::Agent;

/// Longer than a load balancer's check; whoever still fails after it is reported again.
const ROUND_EVERY: Span = Span::seconds(10);

/// A fifth of what a leader holds in one second (law D1): even all at once they leave room for doubts.
const ROUNDS_MAX: usize = 10;

/// What the scripts of one host have to say of the fleet; beyond it somebody runs in a loop.
const TOLD_MAX: usize = 20;

/// Reports of one host: some scripts, some people.
const OF_SUBJECT_MAX: usize = 8;

/// Of these, by way of one agent: no host has all places with invented names.
const OF_TELLER_MAX: usize = 3;

/// Hosts of which reports are kept; a fleet in which more fail at once has a surge.
const SUBJECTS_MAX: usize = 256;

/// A person who explains a host has come within this.
const KEPT_FOR: Span = Span::minutes(60);

/// How long the leader has to answer: a way over an ocean, and a lost packet.
const TOLD_WITHIN: Span = Span::seconds(3);

/// One report, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// By way of which host's agent.
    pub by: HostId,
    /// Who there.
    pub who: String,
    /// What was seen.
    pub failed: String,
    /// When it was said last.
    pub at: Moment,
    /// How often it was said.
    pub times: u32,
}

/// What is told too often, in the words of a refusal.
const REPORTS_OF_ONE: &str = "reports of one host";

/// What becomes of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    /// Its subject is looked at.
    Round,
    /// It is kept; its subject was looked at lately, or rounds for reports are spent.
    Kept,
    /// Its teller tells too many (law RE3).
    Busy,
}

/// What was reported.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    kept: BTreeMap<HostId, Vec<Reported>>,
    /// When a round was last held for a report; the last [`ROUND_EVERY`] alone.
    rounds: VecDeque<(Moment, HostId)>,
    /// When who told; the last [`ROUND_EVERY`] alone, so that there are [`TOLD_MAX`] of each host of the roster at the most.
    told: BTreeMap<HostId, VecDeque<Moment>>,
}

impl Reports {
    /// What is kept, of each host the newest last.
    pub fn kept(&self, now: Moment) -> BTreeMap<HostId, Vec<Reported>> {
        let is_kept = |report: &&Reported| now.since(report.at) < KEPT_FOR;
        let kept = self.kept.iter().map(|(subject, reports)| {
            (*subject, reports.iter().filter(is_kept).cloned().collect::<Vec<_>>())
        });
        kept.filter(|(_, reports)| !reports.is_empty()).collect()
    }

    /// Keeps a report, and says whether its subject is to be looked at for it.
    fn take(&mut self, now: Moment, by: HostId, report: Report) -> Taken {
        if !self.may_tell(now, by) {
            return Taken::Busy;
        }
        let subject = report.subject;
        self.keep(now, by, report);
        self.rounds.retain(|(at, _)| now.since(*at) < ROUND_EVERY);
        let is_looked_at = self.rounds.iter().any(|(_, looked)| *looked == subject);
        if is_looked_at || self.rounds.len() >= ROUNDS_MAX {
            return Taken::Kept;
        }
        self.rounds.push_back((now, subject));
        Taken::Round
    }

    /// Law RE2.
    fn keep(&mut self, now: Moment, by: HostId, report: Report) {
        let Report { subject, who, failed } = report.cut();
        if !self.kept.contains_key(&subject) && self.kept.len() >= SUBJECTS_MAX {
            let newest = |reports: &[Reported]| reports.last().map(|report| report.at);
            let oldest = self.kept.iter().min_by_key(|(_, reports)| newest(reports));
            if let Some(oldest) = oldest.map(|(subject, _)| *subject) {
                self.kept.remove(&oldest);
            }
        }
        let reports = self.kept.entry(subject).or_default();
        reports.retain(|report| now.since(report.at) < KEPT_FOR);
        let said = reports.iter().position(|report| report.by == by && report.who == who);
        let times = said.map_or(0, |at| reports.remove(at).times).saturating_add(1);
        let of_teller = reports.iter().filter(|report| report.by == by).count();
        let first = if of_teller >= OF_TELLER_MAX {
            reports.iter().position(|report| report.by == by)
        } else {
            (reports.len() >= OF_SUBJECT_MAX).then_some(0)
        };
        if let Some(first) = first {
            reports.remove(first);
        }
        reports.push(Reported { by, who, failed, at: now, times });
    }

    /// Law RE3.
    fn may_tell(&mut self, now: Moment, by: HostId) -> bool {
        let is_old =
            |told: &VecDeque<Moment>| told.back().is_none_or(|at| now.since(*at) >= ROUND_EVERY);
        if !self.told.contains_key(&by) {
            self.told.retain(|_, told| !is_old(told));
        }
        let told = self.told.entry(by).or_default();
        told.retain(|at| now.since(*at) < ROUND_EVERY);
        let is_free = told.len() < TOLD_MAX;
        if is_free {
            told.push_back(now);
        }
        is_free
    }
}

impl Agent {
    /// Somebody on this host says that another host fails: the leader is told, whoever it is.
    pub(crate) fn report(&mut self, now: Moment, id: AskId, report: Report) {
        match self.leader {
            Some(leader) if leader == self.me => self.take_report(now, id, self.me, report),
            Some(leader) if self.ledger.roster().get(&report.subject).is_some() => {
                if !self.reports.may_tell(now, self.me) {
                    let busy = Unavailable::Busy(String::from(REPORTS_OF_ONE));
                    return self.answer(now, id, Response::Unavailable(busy));
                }
                // What was said here is shown here, too.
                self.reports.keep(now, self.me, report.clone());
                let request = (Request::Report(report), TOLD_WITHIN);
                self.call(now, Purpose::Report(id), leader, request);
            }
            Some(_) => self.answer(now, id, Response::Unavailable(Unavailable::NotMine)),
            None => self.answer(now, id, Response::Unavailable(Unavailable::NoLeader)),
        }
    }

    /// The leader has answered, or has not.
    pub(crate) fn report_ended(&mut self, now: Moment, ask: AskId, end: CallEnd) {
        let response = match end {
            CallEnd::Response(answer @ (Response::Reported { .. } | Response::Unavailable(_))) => {
                answer
            }
            CallEnd::Failed => Response::Unavailable(Unavailable::TooLate),
            // It could not be asked, or is too old to be.
            _ => Response::Unavailable(Unavailable::NoLeader),
        };
        self.answer(now, ask, response);
    }

    /// As leader: somebody on that host says that another one fails.
    pub(crate) fn take_report(&mut self, now: Moment, id: AskId, by: HostId, report: Report) {
        if self.refuse_unless_leading(now, id) {
            return;
        }
        let subject = report.subject;
        // protocol 1.2: neither of two machines has a voice.
        if self.ledger.roster().get(&subject).is_none() || self.ledger.is_duplicate(&by) {
            return self.answer(now, id, Response::Unavailable(Unavailable::NotMine));
        }
        let is_looked_at = match self.reports.take(now, by, report) {
            Taken::Busy => {
                let busy = Unavailable::Busy(String::from(REPORTS_OF_ONE));
                return self.answer(now, id, Response::Unavailable(busy));
            }
            Taken::Kept => false,
            Taken::Round => true,
        };
        self.answer(now, id, Response::Reported { is_looked_at });
        if is_looked_at {
            let wish = self.lead.draw_wish();
            self.rounds(now, Told::Wished { wish, subject });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_milliseconds(1_000_000 + seconds * 1_000)
    }

    fn host(number: u16) -> HostId {
        let [high, low] = number.to_be_bytes();
        let mut id = [7; 16];
        (id[0], id[1]) = (high, low);
        HostId(id)
    }

    fn report(subject: u16, who: &str) -> Report {
        Report {
            subject: host(subject),
            who: who.to_owned(),
            failed: "502 from /healthz".to_owned(),
        }
    }

    #[test]
    fn one_agent_has_a_bounded_share_of_what_is_kept_and_the_oldest_makes_room() {
        let mut reports = Reports::default();
        for number in 0..20 {
            reports.keep(at(number), host(1), report(9, &format!("script {number}")));
        }
        for by in 2..20 {
            reports.keep(at(20 + u64::from(by)), host(by), report(9, "lb"));
        }
        let kept = &reports.kept(at(40))[&host(9)];
        assert_eq!(kept.len(), 8, "law RE2");
        assert!(kept.iter().all(|report| report.by != host(1)), "these were the oldest");
        let mut of_one = Reports::default();
        for number in 0..20 {
            of_one.keep(at(number), host(1), report(9, &format!("script {number}")));
        }
        let who: Vec<_> =
            of_one.kept(at(20))[&host(9)].iter().map(|kept| kept.who.clone()).collect();
        assert_eq!(who, ["script 17", "script 18", "script 19"]);
        assert!(of_one.kept(at(19).after(KEPT_FOR)).is_empty());
    }

    #[test]
    fn whoever_says_it_again_renews_what_it_said() {
        let mut reports = Reports::default();
        for second in 0..5 {
            reports.keep(at(second), host(1), report(9, "lb"));
        }
        let kept = reports.kept(at(5));
        let said: Vec<_> = kept[&host(9)].iter().map(|kept| (kept.at, kept.times)).collect();
        assert_eq!(said, [(at(4), 5)]);
    }

    #[test]
    fn of_many_hosts_the_one_of_which_nothing_was_said_for_longest_makes_room() {
        let mut reports = Reports::default();
        for subject in 0..300 {
            reports.keep(at(u64::from(subject)), host(1_000), report(subject, "lb"));
        }
        let kept = reports.kept(at(300));
        assert_eq!(kept.len(), SUBJECTS_MAX, "law RE2");
        assert!(!kept.contains_key(&host(43)) && kept.contains_key(&host(44)));
    }

    #[test]
    fn a_flood_has_few_rounds_held_and_one_that_tells_too_much_is_refused() {
        let mut reports = Reports::default();
        let mut rounds: Vec<(u64, u16)> = Vec::new();
        let mut busy = 0;
        for second in 0..100 {
            for number in 0..400_u16 {
                let subject = number % 40;
                match reports.take(at(second), host(1_000 + number % 4), report(subject, "lb")) {
                    Taken::Round => rounds.push((second, subject)),
                    Taken::Kept => {}
                    Taken::Busy => busy += 1,
                }
            }
        }
        assert_eq!(rounds.len(), 10 * ROUNDS_MAX, "law RE3");
        assert_eq!(busy, 40_000 - 4 * 10 * TOLD_MAX, "law RE3");
        for subject in 0..40 {
            let of_one = rounds.iter().filter(|(_, of)| *of == subject);
            let seconds: Vec<u64> = of_one.map(|(second, _)| *second).collect();
            assert!(seconds.windows(2).all(|two| two[1] - two[0] >= 10), "law RE3: {seconds:?}");
        }
    }
}
