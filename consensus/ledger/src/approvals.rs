//! A person's word before a remedy, where the rule of a case wants one (mode "approve"), or its group is stateful and the remedy is
//! destructive: given for a while, spent, or denied.
//!
//! Law SF1: of a stateful group at most one host is granted a lease at once, and nothing destructive begins on it without a person's word.
//! Law AP1: where one is wanted no lease is granted and no remedy begins without an approval of that very rung, in that bout of trouble (from
//! the verdict of its kind on), under the policy in force, and not older than `timers.approved_for`. One approval begins one remedy; one
//! that was refused and so never begun spends none. A lease is taken over without it to inspect what has begun, and for nothing else.
//! Law AP2: neither the keeper that proposed the verdict of that bout nor the host that it is about carries the approval: no one machine
//! both finds the trouble and allows the remedy. The only keeper of a mesh may: there is no other that takes orders. Of a verdict from
//! before the second rules nobody knows who proposed it.
//! Law AP3: what a person has denied is a person's: nothing begins on it by itself until its host was seen well.
//! Not here: calling that person (see `agent`), which limits hold a case otherwise (see `limits`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{CaseId, HostId, LedgerTime, RemedyClass};

use crate::audit::{LeaseEnd, What};
use crate::case::{Case, Stage};
use crate::command::{Order, Outcome, Refused};
use crate::ledger::Ledger;
use crate::policy::{Mode, Rule, Rung};
use crate::rules;

/// What approvals of the open cases on hosts go by; at most one of each kind for a case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Approvals {
    /// Which keeper proposed the verdict that stands.
    proposers: BTreeMap<CaseId, HostId>,
    given: BTreeMap<CaseId, Approval>,
}

/// A person's word for the next rung of one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who gave it.
    pub who: String,
    /// A remedy begins before then, or not by this word.
    pub until: LedgerTime,
    shown: Shown,
    /// A remedy has begun by it.
    is_spent: bool,
}

/// What a person has seen of a case who says yes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shown {
    /// Since when it has been in this kind of trouble.
    pub stands_since: LedgerTime,
    /// The rung that is next, from 0.
    pub rung: u32,
    /// The version of the policy whose rung it is.
    pub policy: u64,
}

impl Ledger {
    /// What there is to be seen of a case now.
    pub fn shown(&self, case: &Case) -> Shown {
        let policy = self.state.shelf.version();
        Shown { stands_since: case.stands_since, rung: case.rung, policy }
    }

    /// A person allows the next rung of a case, as that person saw it.
    pub(crate) fn approve(
        &mut self,
        by: HostId,
        (id, shown): (CaseId, Shown),
        order: &Order,
    ) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        self.ordered(by, order)?;
        let case = self.not_begun(id)?;
        let (rule, next) = self.next_rung(&case).ok_or(Refused::NoRule)?;
        if !self.wants_word(&case, rule, next) {
            let why = format!("rule {:?} waits for nobody's approval", rule.name);
            return Err(Refused::NotPermitted(why));
        }
        self.is_as_shown(&case, shown)?;
        let argv = next.command.argv.clone();
        self.is_no_party(by, &case)?;
        let (Order { who, why }, lasts) = (order.clone(), self.timers().approved_for);
        let until = self.state.time.after(lasts);
        let given = Approval { who: who.clone(), until, shown, is_spent: false };
        Arc::make_mut(&mut self.state.added.approvals).given.insert(id, given);
        let (rung, through) = (u64::from(shown.rung), by);
        self.record(What::Approved { case: id, rung, argv, through, lasts, who, why });
        Ok(Outcome::Done)
    }

    fn is_as_shown(&self, case: &Case, shown: Shown) -> Result<(), Refused> {
        let now = self.shown(case);
        if shown.policy != now.policy {
            return Err(Refused::PolicyVersion(now.policy));
        }
        if shown.stands_since != now.stands_since {
            return Err(Refused::Stage("in other trouble by now".into()));
        }
        if shown.rung != now.rung {
            let next = now.rung.saturating_add(1);
            return Err(Refused::Stage(format!("at rung {next} of its ladder by now")));
        }
        Ok(())
    }

    /// A person forbids what would be tried next: a lease under which nothing was begun is over, and the case is a person's (law AP3).
    pub(crate) fn deny(
        &mut self,
        by: HostId,
        id: CaseId,
        order: &Order,
    ) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        self.ordered(by, order)?;
        let mut case = self.not_begun(id)?;
        self.next_rung(&case).ok_or(Refused::NoRule)?;
        let Order { who, why } = order.clone();
        let rung = u64::from(case.rung);
        self.record(What::Denied { case: id, rung, who: who.clone(), why: why.clone() });
        if let Some(fence) = case.counted_lease().map(|lease| lease.fence) {
            let end = LeaseEnd::Revoked { who: who.clone(), why: why.clone() };
            self.record(What::LeaseOver { case: id, fence, end, is_orphaned: false });
            case.stage = Stage::Open;
        }
        self.escalate(case, format!("{who} has denied its remedy: {why}"));
        Ok(Outcome::Done)
    }

    /// The approval that stands for the next rung of a case.
    pub fn approval_of(&self, case: &Case) -> Option<&Approval> {
        let given = self.state.added.approvals.given.get(&case.id)?;
        let is_of_now = given.until > self.state.time && given.shown == self.shown(case);
        (is_of_now && !given.is_spent).then_some(given)
    }

    /// The cases of which any approval is remembered, by number.
    pub(crate) fn approved(&self) -> impl Iterator<Item = &Arc<Case>> {
        self.state.added.approvals.given.keys().filter_map(|id| self.state.cases.get(*id))
    }

    /// Law AP1.
    pub(crate) fn approval_hold(&self, case: &Case) -> Option<Refused> {
        let (rule, rung) = self.next_rung(case)?;
        (self.wants_word(case, rule, rung) && self.approval_of(case).is_none())
            .then(|| self.wanted(case, rule, rung))
    }

    /// Laws AP1, SF1: whether a person is asked before this rung on this case.
    pub fn wants_word(&self, case: &Case, rule: &Rule, rung: &Rung) -> bool {
        let is_stateful = |group| self.policy().budget.of_group(group).stateful;
        let is_of_state = case.scopes.as_ref().is_some_and(|scopes| is_stateful(&scopes.group));
        let is_destructive = rung.command.class == RemedyClass::Destructive;
        rule.mode == Mode::Approve || rule.mode == Mode::Act && is_of_state && is_destructive
    }

    /// Law AP1: it has begun its remedy.
    pub(crate) fn spend_approval(&mut self, case: CaseId) {
        self.mark_approval(case, true);
    }

    /// Law AP1: that remedy never ran.
    pub(crate) fn give_approval_back(&mut self, case: CaseId) {
        self.mark_approval(case, false);
    }

    fn mark_approval(&mut self, case: CaseId, is_spent: bool) {
        if self.state.added.approvals.given.contains_key(&case) {
            let approvals = Arc::make_mut(&mut self.state.added.approvals);
            approvals.given.entry(case).and_modify(|given| given.is_spent = is_spent);
        }
    }

    /// Law AP2: who proposed the verdict with which this bout of trouble began; whoever tells it again is no party.
    pub(crate) fn remember_proposer(&mut self, id: CaseId, by: HostId) {
        let begins = |case: &Arc<Case>| case.stands_since == self.state.time;
        if self.rules() >= rules::SECOND && self.state.cases.get(id).is_some_and(begins) {
            Arc::make_mut(&mut self.state.added.approvals).proposers.insert(id, by);
        }
    }

    /// Nothing is remembered of a case that is closed.
    pub(crate) fn forget_approval(&mut self, case: CaseId) {
        let approvals = &self.state.added.approvals;
        if approvals.given.contains_key(&case) || approvals.proposers.contains_key(&case) {
            let approvals = Arc::make_mut(&mut self.state.added.approvals);
            approvals.given.remove(&case);
            approvals.proposers.remove(&case);
        }
    }

    /// Nor words that are over.
    pub(crate) fn forget_approvals(&mut self) {
        let now = self.state.time;
        if self.state.added.approvals.given.values().any(|given| given.until <= now) {
            let approvals = Arc::make_mut(&mut self.state.added.approvals);
            approvals.given.retain(|_, given| given.until > now);
        }
    }

    /// An open case under which nothing is begun and whose next rung is known.
    fn not_begun(&self, id: CaseId) -> Result<Case, Refused> {
        let case = self.open_case(id)?;
        match case.stage {
            Stage::Open | Stage::Offered(_) | Stage::Leased(_) | Stage::Orphaned { .. }
                if case.pending().is_none() =>
            {
                Ok(case)
            }
            _ => Err(Refused::Stage(case.stage.word().into())),
        }
    }

    /// Law AP2.
    fn is_no_party(&self, by: HostId, case: &Case) -> Result<(), Refused> {
        let elsewhere = "order it at another keeper's host";
        if case.host() == Some(by) {
            let why = format!("the case is about the host whose agent was asked; {elsewhere}");
            return Err(Refused::NotPermitted(why));
        }
        if self.party(case) == Some(by) {
            let why =
                format!("the keeper whose agent was asked proposed this verdict; {elsewhere}");
            return Err(Refused::NotPermitted(why));
        }
        Ok(())
    }

    /// The keeper that may not carry the word because it proposed the verdict.
    fn party(&self, case: &Case) -> Option<HostId> {
        let has_others = self.voters().len() > 1;
        self.state.added.approvals.proposers.get(&case.id).copied().filter(|_| has_others)
    }

    fn wanted(&self, case: &Case, rule: &Rule, rung: &Rung) -> Refused {
        let name = |host: HostId| Some(self.state.roster.get(&host)?.claims.host.clone());
        Refused::Approval {
            case: case.id,
            rule: rule.name.clone(),
            rung: case.rung.saturating_add(1),
            remedy: rung.command.argv.join(" "),
            verdict: case.kind.clone(),
            policy: self.state.shelf.version(),
            not_at: self.party(case).and_then(name),
        }
    }
}
