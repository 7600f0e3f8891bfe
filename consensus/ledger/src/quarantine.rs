//! Whom hale tries no more: a host that was tried as often as its rule allows, or whose trouble keeps coming back (protocol 6.6).
//!
//! Law QU1: only a person ends a quarantine (`hale release`), or the host's burial.
//! Law QU2: a quarantined host holds no lease, gets no remedy and counts as unhealthy, whoever sees it well.
//! Law QU3: trouble that came back is forgotten when it can make nobody chronic any more.
//! Not here: how often a host was tried (see `damping`), groups that are stopped (see `stops`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{HostId, LedgerTime, Scope, Span};

use crate::audit::What;
use crate::case::{Case, Closure, Stage};
use crate::command::{Order, Outcome, Refused};
use crate::ledger::Ledger;
use crate::policy::Attempts;
use crate::rules;

/// When each host's cases opened lately, under rules that act.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Returns(BTreeMap<HostId, VecDeque<Return>>);

/// One case that opened, for the first time or again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Return {
    at: LedgerTime,
    /// It counts until then.
    counts_until: LedgerTime,
}

/// Chronic is looked for in so many windows of the rule's attempts: with the default of an hour, in a person's shift. A host that
/// stays just within its attempts would be healed in each of them for ever, and nobody would know.
const CHRONIC_WINDOWS: u64 = 8;

/// So many windows' attempts are borne in them: a bad hour and its echo are no pattern yet.
const CHRONIC_TIMES: u32 = 2;

/// Nothing older makes a host chronic, unless one window alone is longer: beyond a week people look at trends, not at cases.
const CHRONIC_WITHIN_MAX: Span = Span::minutes(7 * 24 * 60);

/// Cases remembered of one host: one more than any rule bears.
const RETURNS_MAX: usize = (CHRONIC_TIMES * Attempts::AT_MOST_MAX) as usize + 1;

impl Returns {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Ledger {
    /// A person frees a host from its quarantine, or a group from its stop.
    pub(crate) fn free(
        &mut self,
        by: HostId,
        subject: &Scope,
        order: &Order,
    ) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        self.ordered(by, order)?;
        match subject {
            Scope::Host(host) => self.free_host(*host, order)?,
            Scope::Group(group) => self.free_group(group, order)?,
            Scope::Rack(_) | Scope::Zone(_) | Scope::Fleet => {
                return Err(Refused::Malformed("only a host or a group can be released".into()));
            }
        }
        Ok(Outcome::Done)
    }

    /// hale does no more about a case: a person is called, and where its host's attempts are spent it is quarantined.
    pub(crate) fn give_up(&mut self, case: Case, why: String) {
        let spent = self.rule_of(&case).and_then(|rule| self.spent(&case, rule));
        let is_spent = spent.as_ref() == Some(&why);
        let stop = self.canary_failed(&case);
        let why = stop.map_or(why.clone(), |stop| format!("{why}; {stop}"));
        match spent.filter(|_| self.rules() >= rules::SECOND) {
            Some(_) if is_spent => self.quarantine(case, why),
            Some(spent) => self.quarantine(case, format!("{why}; {spent}")),
            None => self.escalate(case, why),
        }
    }

    /// A case has opened on a host, or one that nothing is done about has become one: a host that keeps coming back is quarantined
    /// at once.
    pub(crate) fn came_back(&mut self, case: &Case) {
        let acting = self.rule_of(case).filter(|rule| rule.acts()).map(|rule| rule.attempts);
        let (Some(host), Some(attempts)) = (case.host(), acting) else {
            return;
        };
        if self.rules() < rules::SECOND {
            return;
        }
        let (now, within) = (self.state.time, chronic_within(attempts));
        let returns = &mut Arc::make_mut(&mut self.state.added.returns).0;
        let of_host = returns.entry(host).or_default();
        of_host.push_back(Return { at: now, counts_until: now.after(within) });
        while of_host.len() > RETURNS_MAX {
            of_host.pop_front();
        }
        let counts = |back: &&Return| now.since(back.at) < within;
        let count = of_host.iter().filter(counts).count();
        let bears = attempts.at_most.saturating_mul(CHRONIC_TIMES) as usize;
        if count > bears.min(RETURNS_MAX - 1) {
            let why = format!("it is chronic: in trouble {count} times within {within}");
            self.quarantine(case.clone(), why);
        }
    }

    /// protocol 6.6: escalated, and left alone until a person releases it.
    fn quarantine(&mut self, mut case: Case, why: String) {
        assert!(case.counted_lease().is_none(), "law QU2: a quarantined host holds no lease");
        let (id, Some(host)) = (case.id, case.host()) else {
            return;
        };
        self.record(What::Escalated { case: id, why: why.clone(), is_counted: false });
        self.record(What::Quarantined { case: id, host });
        case.stage = Stage::Quarantined { why, since: self.state.time };
        self.state.cases.put(case);
    }

    fn free_host(&mut self, host: HostId, order: &Order) -> Result<(), Refused> {
        self.member(host)?;
        let case = self.state.cases.of_host(&host).filter(|case| case.is_quarantined());
        let case = case.map(|case| Case::clone(case)).ok_or(Refused::Nothing)?;
        let Order { who, why } = order.clone();
        let how = Closure::ByPerson(format!("{who}: {why}"));
        self.record(What::Freed { subject: Scope::Host(host), who, why });
        // What was tried is that person's knowledge now: if it falls again, it is tried from the beginning.
        self.forget_tries(&host);
        Arc::make_mut(&mut self.state.added.returns).0.remove(&host);
        self.close(case, how);
        Ok(())
    }

    /// Law QU3.
    pub(crate) fn forget_returns(&mut self) {
        let now = self.state.time;
        let is_over = |back: &Return| back.counts_until <= now;
        if self.state.added.returns.0.values().flatten().any(is_over) {
            let returns = &mut Arc::make_mut(&mut self.state.added.returns).0;
            returns.values_mut().for_each(|of_host| of_host.retain(|back| !is_over(back)));
            returns.retain(|_, of_host| !of_host.is_empty());
        }
    }
}

/// How far back cases make a host chronic.
fn chronic_within(attempts: Attempts) -> Span {
    attempts.within.times(CHRONIC_WINDOWS).min(CHRONIC_WITHIN_MAX).max(attempts.within)
}
