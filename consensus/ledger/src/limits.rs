//! What keeps a case from a lease or from an intent: every rule with its figures, in the order it is told.
//!
//! Law B1: a grant leaves in flight at most the limit in every scope, on the roster and policy of its entry.
//! Law P1: under a brake nothing begins.
//! Not here: grants and intents themselves (see `leases`, `intents`), what is counted (see `tally`).

use std::sync::Arc;

use vocabulary::{GroupName, HostId, RemedyClass, Scope, Span, VerdictKind};

use crate::case::{Case, Lease, Stage};
use crate::command::Refused;
use crate::ledger::Ledger;
use crate::policy::{Rule, Rung};

impl Ledger {
    /// Whether this healer may be offered the lease of this case now: the very check that the offer makes.
    pub fn can_offer(&self, case: vocabulary::CaseId, healer: HostId) -> Result<(), Refused> {
        let case = self.open_case(case)?;
        let mut holds = self.offer_holds(&case);
        holds.extend(self.healer_hold(&case, healer));
        holds.into_iter().next().map_or(Ok(()), Err)
    }

    /// Every rule that keeps a lease from being offered, whoever is to heal; who goes first is asked of those that no limit holds,
    /// and a person where the rule wants one.
    pub(crate) fn offer_holds(&self, case: &Case) -> Vec<Refused> {
        let mut holds = self.holds_but_canary(case);
        match case.stage {
            Stage::Open => {
                if holds.is_empty() {
                    holds.extend(self.canary_hold(case));
                }
                holds.extend(self.approval_hold(case));
                holds.extend(self.shadow_hold(case));
            }
            // What has begun is inspected, whatever a person thinks of it.
            Stage::Orphaned { .. } if case.pending().is_none() => {
                holds.extend(self.approval_hold(case));
            }
            _ => {}
        }
        holds
    }

    pub(crate) fn holds_but_canary(&self, case: &Case) -> Vec<Refused> {
        match &case.stage {
            Stage::Open => {}
            // protocol 7.6: a takeover adds no host to those under repair, so it waits for no budget.
            Stage::Orphaned { .. } => return Vec::new(),
            Stage::Offered(lease)
            | Stage::Leased(lease)
            | Stage::Remedy { lease, .. }
            | Stage::Verifying { lease, .. } => return vec![Refused::Leased(lease.fence)],
            Stage::Escalated { .. } | Stage::Quarantined { .. } | Stage::Closed { .. } => {
                return vec![Refused::Stage(case.stage.word().into())];
            }
        }
        // The lease is offered a little early, so that it stands when the waits are over.
        let mut holds = self.begin_holds(case, self.timers().accept_within);
        if let Some(scopes) = &case.scopes {
            let scopes = scopes.all();
            let held = |scope| self.budget_hold(scope, self.own_slots_in(case, scope));
            holds.extend(scopes.iter().filter_map(held));
        }
        holds.extend(self.ramp_hold(self.own_slots_in(case, &Scope::Fleet)));
        holds.extend(self.keeper_hold(case));
        holds
    }

    /// Every rule that keeps the next remedy from being intended, beside what the last look says.
    pub(crate) fn intent_holds(&self, case: &Case, lease: &Lease) -> Vec<Refused> {
        let mut holds = self.begin_holds(case, Span::ZERO);
        holds.extend(self.quiet_hold(case));
        holds.extend(self.ramp_hold_of_the_begun());
        holds.extend(self.canary_hold_of_the_begun(case));
        holds.extend(self.stateful_hold_of_the_begun(case));
        let left = lease.apply_after.since(self.state.time);
        if left > Span::ZERO {
            let what = "since the takeover: the healer before may still be at it".into();
            holds.push(Refused::TooSoon { what, left });
        }
        holds.extend(self.approval_hold(case));
        holds
    }

    /// What lease and intent have in common; waits that end within `early` do not hold.
    fn begin_holds(&self, case: &Case, early: Span) -> Vec<Refused> {
        let mut holds = Vec::new();
        holds.extend(self.state.brakes.standing().map(Refused::Brake));
        let Some(scopes) = &case.scopes else {
            holds.push(Refused::NoRule);
            return holds;
        };
        let domain = self.domain_case_over(&scopes.domain);
        holds.extend(domain.map(|domain| Refused::CaseOpen(domain.id)));
        holds.extend(self.maintenance_hold(case));
        holds.extend(self.exempt_hold(case));
        holds.extend(self.slot_hold(case));
        holds.extend(self.stop_of(&scopes.group));
        holds.extend(self.kind_stop(case));
        let Some((rule, rung)) = self.next_rung(case).or_else(|| self.shadow_rung(case)) else {
            holds.push(Refused::NoRule);
            return holds;
        };
        holds.extend(self.cooldown_hold(case, rule));
        holds.extend(self.spent(case, rule).map(Refused::Damped));
        holds.extend(self.wait_hold(case, (rule, rung), early));
        holds.extend(self.begun_hold());
        let scopes = scopes.all();
        holds.extend(scopes.iter().flat_map(|scope| self.start_holds(scope)));
        holds.extend(scopes.iter().filter_map(|scope| self.halt_hold(scope)));
        holds.extend(self.floor_hold(case, rung));
        holds
    }

    fn wait_hold(&self, case: &Case, (rule, rung): (&Rule, &Rung), early: Span) -> Option<Refused> {
        let now = self.state.time;
        let hold_off = case.held_off_until.since(now);
        if hold_off > early {
            let what = "since this host recovered and fell again".into();
            let left = hold_off;
            return Some(Refused::TooSoon { what, left });
        }
        let left = rule.stands_for(rung).less(now.since(case.stands_since));
        (left > early).then(|| Refused::TooSoon { what: "since the verdict".into(), left })
    }

    /// `freed`: so many of those in flight there end with the grant.
    pub(crate) fn budget_hold(&self, scope: &Scope, freed: u32) -> Option<Refused> {
        let used = self.in_flight(scope).saturating_sub(freed);
        let limit = self.in_flight_limit(scope);
        (used >= limit).then(|| Refused::Budget { scope: scope.clone(), used, limit })
    }

    /// protocol 6.4: computed from the state of the moment, never latched.
    pub(crate) fn halt_hold(&self, scope: &Scope) -> Option<Refused> {
        let halt = self.policy().budget.of(scope)?.halt_above?;
        let unhealthy = self.state.cases.counts(scope).unhealthy;
        let total = self.derived.census.total(scope);
        halt.is_crossed(unhealthy, total).then(|| Refused::Halt {
            scope: scope.clone(),
            unhealthy,
            limit: halt.of(total),
        })
    }

    /// protocol 6.1: the floor limits only remedies that take away a host that may still serve.
    fn floor_hold(&self, case: &Case, rung: &Rung) -> Option<Refused> {
        let serves = matches!(
            case.kind,
            VerdictKind::AgentDown | VerdictKind::HostHung | VerdictKind::Unfit(_)
        );
        if rung.command.class == RemedyClass::Gentle || !serves {
            return None;
        }
        let group = &case.scopes.as_ref()?.group;
        // The host itself is among the unhealthy, unless its trouble is told and so not counted any more.
        let unhealthy = self.state.cases.counts(&Scope::Group(group.clone())).unhealthy;
        self.floor_hold_of(group, unhealthy.max(1))
    }

    /// The same where so many of the group are unhealthy or about to be taken away; whoever may be rebooting serves as little.
    pub(crate) fn floor_hold_of(&self, group: &GroupName, gone: u32) -> Option<Refused> {
        let floor = self.policy().budget.of_group(group).floor?;
        let total = self.derived.census.total(&Scope::Group(group.clone()));
        let gone = gone.saturating_add(self.away_of(group));
        let (left, floor) = (total.saturating_sub(gone), floor.of(total));
        (left < floor).then_some(Refused::Floor { left, floor })
    }

    pub(crate) fn ramp_hold(&self, freed: u32) -> Option<Refused> {
        let limit = self.state.brakes.ramp?.limit;
        let used = self.in_flight(&Scope::Fleet).saturating_sub(freed);
        (used >= limit).then_some(Refused::Ramp { used, limit })
    }

    /// protocol 6.3: leases that were held when a brake fell began nothing under it; when it lifts they begin step by step, as all
    /// others do.
    fn ramp_hold_of_the_begun(&self) -> Option<Refused> {
        let limit = self.state.brakes.ramp?.limit;
        let begun = self.state.cases.leased().filter(|case| case.pending().is_some());
        let begun = begun.count().saturating_add(self.slots().count());
        let used = u32::try_from(begun).unwrap_or(u32::MAX);
        (used >= limit).then_some(Refused::Ramp { used, limit })
    }

    /// Law SF1: leases that were granted before their group was stateful begin one after the other.
    pub(crate) fn stateful_hold_of_the_begun(&self, case: &Case) -> Option<Refused> {
        let group = &case.scopes.as_ref()?.group;
        if !self.policy().budget.of_group(group).stateful {
            return None;
        }
        let is_begun = |other: &&Arc<Case>| {
            let is_of_group =
                other.counted_lease().is_some_and(|lease| lease.scopes.group == *group);
            other.id != case.id && is_of_group && other.pending().is_some()
        };
        let rebooting = self.slots().filter(|(_, slot)| slot.group == *group).count();
        let begun = self.state.cases.leased().filter(is_begun).count().saturating_add(rebooting);
        let used = u32::try_from(begun).unwrap_or(u32::MAX);
        let scope = Scope::Group(group.clone());
        (used > 0).then_some(Refused::Budget { scope, used, limit: 1 })
    }

    /// protocol 6.7: healing never takes the keepers' majority: a voter in trouble counts, whether or not anybody heals it. Until the
    /// stores have followed a change of votes, neither the majority before it nor the one after it.
    fn keeper_hold(&self, case: &Case) -> Option<Refused> {
        let host = case.host().filter(|host| self.carriers().any(|voter| voter == host))?;
        let is_lost = |voter: &&HostId| {
            let is_away = self.is_in_trouble(voter) || self.slot_of_host(voter).is_some();
            **voter != host && is_away
        };
        let lost = self.carriers().filter(is_lost).count();
        self.beyond_majority(lost.saturating_add(self.strangers()))
    }

    /// Whether a case says so; a doubt that nobody could settle does not, nor a check that fails on a host that answers
    /// (protocol 3.6, law FC3).
    pub(crate) fn is_in_trouble(&self, host: &HostId) -> bool {
        let case = self.state.cases.of_host(host);
        case.is_some_and(|case| case.kind != VerdictKind::Unsettled && !case.is_unfit())
    }

    /// protocol 7.2: a host of the mesh with the healer role, never the subject, itself in no trouble.
    pub(crate) fn healer_hold(&self, case: &Case, healer: HostId) -> Option<Refused> {
        let refused = |why: &str| Some(Refused::Healer(why.into()));
        match self.state.roster.get(&healer) {
            None => refused("it does not belong to the mesh"),
            Some(entry) if !entry.claims.roles.healer => refused("its certificate names no healer"),
            Some(_) if case.host() == Some(healer) => refused("no host heals itself"),
            Some(_) if self.state.departures.get(&healer).is_some() => {
                refused("its agent said goodbye")
            }
            Some(_) if self.state.cases.of_host(&healer).is_some_and(|case| !case.is_unfit()) => {
                refused("it has an open case of its own")
            }
            Some(_) => None,
        }
    }

    /// How many leases this scope may have, on the roster and policy of this entry.
    pub(crate) fn in_flight_limit(&self, scope: &Scope) -> u32 {
        let total = self.derived.census.total(scope);
        let budget = self.policy().budget.of(scope);
        budget.map_or(0, |budget| budget.most_in_flight(total))
    }

    /// The acting rule of a case and the rung that is to be tried.
    pub(crate) fn next_rung(&self, case: &Case) -> Option<(&Rule, &Rung)> {
        let rule = self.rule_of(case).filter(|rule| rule.acts())?;
        let rung = rule.ladder.get(case.rung as usize)?;
        Some((rule, rung))
    }

    /// The rule that the next step of a case falls under, by the policy in force.
    pub fn rule_of(&self, case: &Case) -> Option<&Rule> {
        let group = &case.scopes.as_ref()?.group;
        self.policy().rule_for(&case.kind, group)
    }

    pub(crate) fn rule_name(&self, case: &Case) -> Option<(String, u64)> {
        let version = self.state.shelf.version();
        self.rule_of(case).map(|rule| (rule.name.clone(), version))
    }
}
