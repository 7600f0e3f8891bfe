//! A person's word before a remedy, where the rule of a case wants one (mode "approve"): given for a while, spent, or denied.
//!
//! Law AP1: under such a rule no lease is granted and no remedy begins without an approval of that very rung, for that kind of trouble,
//! under the policy in force, and not older than `timers.approved_for`. One approval begins one remedy.
//! Law AP2: neither the keeper that proposed the verdict nor the host that it is about carries the approval: no one machine both finds
//! the trouble and allows the remedy. The only keeper of a mesh may: there is no other that takes orders.
//! Law AP3: what a person has denied is a person's: nothing begins on it by itself.
//! Not here: calling that person (see `agent`), which limits hold a case otherwise (see `limits`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{CaseId, HostId, LedgerTime, VerdictKind};

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
    rung: u32,
    kind: VerdictKind,
    policy: u64,
}

impl Ledger {
    /// A person allows the next rung of a case, as that person saw it: by its place on the ladder and the policy's version.
    pub(crate) fn approve(
        &mut self,
        by: HostId,
        (id, rung, policy): (CaseId, u32, u64),
        order: &Order,
    ) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        self.ordered(by, order)?;
        let case = self.not_begun(id)?;
        let (rule, next) = self.next_rung(&case).ok_or(Refused::NoRule)?;
        if rule.mode != Mode::Approve {
            let why = format!("rule {:?} waits for nobody's approval", rule.name);
            return Err(Refused::NotPermitted(why));
        }
        let standing = self.state.shelf.version();
        if policy != standing {
            return Err(Refused::PolicyVersion(standing));
        }
        if rung != case.rung {
            let next = case.rung.saturating_add(1);
            return Err(Refused::Stage(format!("at rung {next} of its ladder by now")));
        }
        let argv = next.command.argv.clone();
        self.is_no_party(by, &case)?;
        let Order { who, why } = order.clone();
        let until = self.state.time.after(self.timers().approved_for);
        let given = Approval { who: who.clone(), until, rung, kind: case.kind.clone(), policy };
        Arc::make_mut(&mut self.state.added.approvals).given.insert(id, given);
        self.record(What::Approved {
            case: id,
            rung: u64::from(rung),
            argv,
            through: by,
            who,
            why,
        });
        Ok(Outcome::Done)
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
        let is_of_now = given.until > self.state.time
            && given.rung == case.rung
            && given.kind == case.kind
            && given.policy == self.state.shelf.version();
        is_of_now.then_some(given)
    }

    /// Law AP1.
    pub(crate) fn approval_hold(&self, case: &Case) -> Option<Refused> {
        let (rule, rung) = self.next_rung(case)?;
        (rule.mode == Mode::Approve && self.approval_of(case).is_none())
            .then(|| wanted(case, rule, rung))
    }

    /// Law AP1: it has begun its remedy, or its case is over.
    pub(crate) fn spend_approval(&mut self, case: CaseId) {
        if self.state.added.approvals.given.contains_key(&case) {
            Arc::make_mut(&mut self.state.added.approvals).given.remove(&case);
        }
    }

    /// Law AP2: this keeper proposed the verdict that stands now.
    pub(crate) fn remember_proposer(&mut self, case: CaseId, by: HostId) {
        if self.rules() >= rules::SECOND {
            Arc::make_mut(&mut self.state.added.approvals).proposers.insert(case, by);
        }
    }

    /// Nothing is remembered of cases that are closed, nor of words that are over.
    pub(crate) fn forget_approvals(&mut self) {
        let (approvals, now) = (&self.state.added.approvals, self.state.time);
        let cases = &self.state.cases;
        let is_open = |id: &CaseId| cases.get(*id).is_some_and(|case| !case.is_closed());
        let is_kept = |(id, given): (&CaseId, &Approval)| given.until > now && is_open(id);
        if approvals.given.iter().all(is_kept) && approvals.proposers.keys().all(is_open) {
            return;
        }
        let kept = Approvals {
            proposers: copied(&approvals.proposers, |(id, _)| is_open(id)),
            given: copied(&approvals.given, is_kept),
        };
        self.state.added.approvals = Arc::new(kept);
    }

    /// An open case under which nothing is begun and whose next rung is known.
    fn not_begun(&self, id: CaseId) -> Result<Case, Refused> {
        let case = self.open_case(id)?;
        match case.stage {
            Stage::Open | Stage::Offered(_) | Stage::Leased(_) if case.pending().is_none() => {
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
        let has_proposed = self.state.added.approvals.proposers.get(&case.id) == Some(&by);
        if has_proposed && self.voters().len() > 1 {
            let why =
                format!("the keeper whose agent was asked proposed this verdict; {elsewhere}");
            return Err(Refused::NotPermitted(why));
        }
        Ok(())
    }
}

fn copied<T: Clone>(
    of: &BTreeMap<CaseId, T>,
    is_kept: impl Fn((&CaseId, &T)) -> bool,
) -> BTreeMap<CaseId, T> {
    of.iter().filter(|kept| is_kept(*kept)).map(|(id, kept)| (*id, kept.clone())).collect()
}

fn wanted(case: &Case, rule: &Rule, rung: &Rung) -> Refused {
    Refused::Approval {
        case: case.id,
        rule: rule.name.clone(),
        rung: case.rung.saturating_add(1),
        remedy: rung.command.argv.join(" "),
    }
}
