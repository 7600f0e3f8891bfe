//! Doubts with neither verdict nor end: a case that is shown, and a person's after a while (protocol 3.6 `Unsettled`).
//!
//! Law W1: nothing follows from such a case but a call: no lease, no rung, and no count against anybody else.
//! Law W2: it stands on one fresh round that bears no verdict, or one that a surge holds back (law V6). Who answers nobody is
//! unsettled by the signed word of one observer; who answers some, by more than f who got no answer.
//! Law W3: what f hosts say calls nobody (law V4), and opens at most [`SOLE_WORD_MAX`] cases.
//! Not here: which doubts have stood for so long (the leader says, see `agent`); when the call is made (see `expiry`).

use std::sync::Arc;

use detection::verdict::tolerated;
use vocabulary::{Boot, CaseId, Grounds, HostId, Scope, Span, VerdictKind, Verifier};

use crate::case::{Case, Closure, FrozenScopes, GroundsKept, Stage};
use crate::command::{Command, Doubted, Outcome, Refused};
use crate::judging::Judged;
use crate::ledger::Ledger;
use crate::rules;
use crate::verdicts::FLIPS_WITHIN;

/// Open cases by the word of one and the same observer alone: an honest one that alone sees so much is heard; a liar, whose
/// subjects must moreover answer nobody, cannot fill the screen.
pub const SOLE_WORD_MAX: usize = 4;

/// What a case of this kind is made of.
struct Unsettling {
    kept: GroundsKept,
    why: Refused,
    boot: Option<Boot>,
    scopes: FrozenScopes,
}

impl Ledger {
    /// One outcome for each doubt, in order.
    pub(crate) fn unsettled(
        &mut self,
        grounds: &Grounds,
        doubted: &[Doubted],
        verifier: &dyn Verifier,
    ) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        if doubted.len() > Command::FINDINGS_MAX {
            let most = Command::FINDINGS_MAX;
            return Err(Refused::Bound(format!("doubts of one entry: {most}")));
        }
        let judged = self.judge(grounds, None, verifier)?;
        self.note_duplicates(grounds, verifier);
        let outcomes = doubted.iter().map(|doubt| self.unsettle(doubt, &judged)).collect();
        self.join_racks(&judged, doubted);
        Ok(Outcome::Findings(outcomes))
    }

    /// Which of these doubts the grounds make a case of, or tell more of than its case knows: the very check that the command
    /// makes, for the leader.
    pub fn can_unsettle(
        &self,
        grounds: &Grounds,
        doubted: &[Doubted],
        verifier: &dyn Verifier,
    ) -> Vec<Doubted> {
        let Ok(judged) = self.judge(grounds, None, verifier) else {
            return Vec::new();
        };
        let is_news = |doubt: &&Doubted| {
            let Ok(Unsettling { kept, .. }) = self.unsettling(doubt, &judged) else {
                return false;
            };
            let standing = self.state.cases.of_host(&doubt.host);
            standing.filter(|case| !case.is_unfit()).is_none_or(|case| {
                let calls = kept.unanswered().count() > self.may_lie(&doubt.host);
                calls && !self.calls_a_person(case)
            })
        };
        doubted.iter().filter(is_news).take(Command::FINDINGS_MAX).copied().collect()
    }

    fn unsettle(&mut self, doubt: &Doubted, judged: &Judged) -> Result<CaseId, Refused> {
        let Unsettling { kept, why, boot, scopes } = self.unsettling(doubt, judged)?;
        let (host, kind) = (doubt.host, VerdictKind::Unsettled);
        if let Some(case) = self.state.cases.of_host(&host).cloned() {
            let case = Case::clone(&case);
            return Ok(if case.is_unfit() {
                self.unsettled_beside(case, (kept, boot), why)
            } else {
                self.unsettled_still(case, kept, why)
            });
        }
        let mut case = match self.ended_lately(&host, &VerdictKind::Unsettled)? {
            Some(case) => self.opened_again(case, kind, kept)?,
            None => self.new_case(Scope::Host(host), kind, kept)?,
        };
        case.held_off_until = self.state.time;
        case.boot = boot;
        case.scopes = Some(scopes);
        case.refused = Some(why);
        let id = case.id;
        self.record_verdict(&case);
        self.state.cases.put(case);
        Ok(id)
    }

    /// Every rule, in the order it is told.
    fn unsettling(&self, doubt: &Doubted, judged: &Judged) -> Result<Unsettling, Refused> {
        let host = doubt.host;
        let left = self.timers().settle_for.less(doubt.age);
        if left > Span::ZERO {
            return Err(Refused::TooSoon { what: "since the first doubt of it".into(), left });
        }
        let entry = self.member(host)?;
        let (boot, scopes) = (entry.boot, FrozenScopes::of(&entry.claims));
        if let Some(domain) = self.domain_case_over(&scopes.domain) {
            return Err(Refused::CaseOpen(domain.id));
        }
        self.left_hold(&host)?;
        let verdict = judged.conclusions.verdict(&host).ok();
        let held = verdict.and_then(|verdict| self.surge_hold(&host, verdict));
        let why = held.map_or_else(|| judged.without_verdict(&host), Ok)?;
        let kept = judged.kept(self, &Scope::Host(host));
        self.check_words(&host, judged, &kept)?;
        // Law FC2: a doubt that nobody settles takes over the case of a check.
        match self.state.cases.of_host(&host).filter(|case| !case.is_unfit()) {
            Some(case) if case.kind != VerdictKind::Unsettled => {
                return Err(Refused::CaseOpen(case.id));
            }
            Some(_) => {}
            None => {
                self.ended_lately(&host, &VerdictKind::Unsettled)?;
                self.check_sole_word(&host, &kept)?;
            }
        }
        Ok(Unsettling { kept, why, boot, scopes })
    }

    /// Law W2.
    fn check_words(
        &self,
        host: &HostId,
        judged: &Judged,
        kept: &GroundsKept,
    ) -> Result<(), Refused> {
        let (have, may_lie) = (kept.unanswered().count(), self.may_lie(host));
        let need = if judged.conclusions.is_well(host) { may_lie + 1 } else { 1 };
        if have >= need {
            return Ok(());
        }
        Err(Refused::Grounds(format!("{have} observers got no answer from it, {need} must")))
    }

    /// Law W3.
    fn check_sole_word(&self, host: &HostId, kept: &GroundsKept) -> Result<(), Refused> {
        let mut said = kept.unanswered();
        let (Some(sole), None) = (said.next(), said.next()) else {
            return Ok(());
        };
        if self.may_lie(host) == 0 {
            return Ok(());
        }
        let is_its = |case: &&Arc<Case>| {
            let mut said = case.grounds.unanswered();
            case.kind == VerdictKind::Unsettled
                && said.next() == Some(sole)
                && said.next().is_none()
        };
        if self.state.cases.open().filter(is_its).count() < SOLE_WORD_MAX {
            return Ok(());
        }
        let bound = format!("open cases by the word of one observer alone: {SOLE_WORD_MAX}");
        Err(Refused::Bound(bound))
    }

    /// Law FC2: the host is not reached any more, so that its check says nothing of it: one trouble, one case.
    fn unsettled_beside(
        &mut self,
        mut case: Case,
        (kept, boot): (GroundsKept, Option<Boot>),
        why: Refused,
    ) -> CaseId {
        let (id, now) = (case.id, self.state.time);
        if case.is_unfit() {
            self.begin_anew(&mut case);
        }
        case.kind = VerdictKind::Unsettled;
        case.boot = boot;
        case.grounds = kept;
        case.stands_since = now;
        case.upheld_at = now;
        case.rounds_upheld = 1;
        case.held_off_until = now;
        case.refused = Some(why);
        self.record_verdict(&case);
        self.state.cases.put(case);
        id
    }

    /// The newest round that settled nothing either is what is shown.
    fn unsettled_still(&mut self, mut case: Case, kept: GroundsKept, why: Refused) -> CaseId {
        let id = case.id;
        if kept.anchor.index > case.grounds.anchor.index {
            case.grounds = kept;
            case.refused = Some(why);
            case.upheld_at = self.state.time;
            self.state.cases.put(case);
        }
        id
    }

    /// The same trouble again, if it ended by itself a short while ago; what a person has dismissed is left alone for as long. Of kinds
    /// that bring no hold-off (protocol 3.8).
    pub(crate) fn ended_lately(
        &self,
        host: &HostId,
        kind: &VerdictKind,
    ) -> Result<Option<Case>, Refused> {
        let now = self.state.time;
        let is_its = |case: &&Arc<Case>| case.host() == Some(*host) && case.kind == *kind;
        let Some(case) = self.state.cases.closed().filter(is_its).last() else {
            return Ok(None);
        };
        let Stage::Closed { how, at, .. } = &case.stage else {
            return Ok(None);
        };
        let left = FLIPS_WITHIN.less(now.since(*at));
        match how {
            _ if left == Span::ZERO => Ok(None),
            Closure::Recovered => Ok(Some(Case::clone(case))),
            Closure::ByPerson(_) => {
                Err(Refused::TooSoon { what: "since a person dismissed it".into(), left })
            }
            Closure::Healed | Closure::Retired | Closure::MergedInto(_) => Ok(None),
        }
    }

    /// Whether the doubt is over: the subject is well, and no more than f got no answer.
    pub(crate) fn settled(&self, host: &HostId, judged: &Judged) -> Result<(), Refused> {
        if !judged.conclusions.is_well(host) {
            return Err(Refused::Grounds("they do not see it well".into()));
        }
        let kept = judged.kept(self, &Scope::Host(*host));
        let (have, may_lie) = (kept.unanswered().count(), self.may_lie(host));
        if have <= may_lie {
            return Ok(());
        }
        Err(Refused::Grounds(format!("{have} observers got no answer from it still")))
    }

    /// Whoever says goodbye has lived: its agent's own word ends the doubt.
    pub(crate) fn settled_by_goodbye(&mut self, host: &HostId) {
        let case = self.state.cases.of_host(host).cloned();
        if let Some(case) = case.filter(|case| case.kind == VerdictKind::Unsettled) {
            self.close(Case::clone(&case), Closure::Recovered);
        }
    }

    /// Law W3: whether more than f observers got no answer, so that an unsettled case becomes a person's in time.
    pub fn calls_a_person(&self, case: &Case) -> bool {
        let host = case.host();
        host.is_some_and(|host| case.grounds.unanswered().count() > self.may_lie(&host))
    }

    /// Why no verdict stands, and when a person is called if none does until then.
    pub(crate) fn unsettled_holds(&self, case: &Case) -> Vec<Refused> {
        let left = self.ends_at(case).map(|at| at.since(self.state.time));
        let call = left.map(|left| Refused::TooSoon { what: "to call a person".into(), left });
        case.refused.iter().cloned().chain(call).collect()
    }

    /// f of those of a subject's observers that may speak: where the others are known to be in trouble, the few that are left
    /// are all there is.
    pub fn may_lie(&self, subject: &HostId) -> usize {
        let observers = self.derived.seating.observers(subject).iter();
        let may_speak = |observer: &&HostId| {
            !self.is_in_trouble(observer)
                && self.state.departures.get(observer).is_none()
                && self
                    .state
                    .roster
                    .get(observer)
                    .is_some_and(|entry| self.domain_case_over(&entry.claims.domain).is_none())
        };
        tolerated(observers.filter(may_speak).count())
    }
}
