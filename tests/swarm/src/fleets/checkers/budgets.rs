//! Laws B1 and B2: every grant leaves what is in flight within each scope's limit, and what counts is what is leased, and who may reboot, in
//! the scopes that were frozen at the grant. Protocol 6.1: no more remedies and reboots begin in an hour than may, and none in a scope that is
//! halted.

use ledger::audit::What;
use ledger::bindings::FleetLockId;
use ledger::case::FrozenScopes;
use ledger::view::BudgetLine;
use vocabulary::{CaseId, Fence, Moment, Scope, Span};

use super::super::picture::Picture;
use super::Checker;

/// An hour of the ledger is never shorter than this: its leader's clock may be fast.
const HOUR: Span = Span::minutes(50);
const DAY: Span = Span::minutes(23 * 60);

/// Counts the leases and slots, and what began, once more.
#[derive(Default)]
pub struct Budgets {
    begun: Vec<(Moment, Vec<Scope>)>,
    /// Since when the policy bounds any day: what began before, or in that very entry, counts in none (protocol 6.1).
    days: Option<Moment>,
    /// Which scopes were halted at the picture before.
    halted: Vec<Scope>,
}

impl Checker for Budgets {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        for line in &picture.budgets {
            let counted = count(picture, &line.scope);
            if counted != line.used {
                return Err(format!(
                    "law B2: {} leases and slots count in {:?}, which says {}",
                    counted, line.scope, line.used
                ));
            }
        }
        for record in &picture.records {
            match &record.what {
                What::Granted { case, is_takeover: false, .. } => of_grant(picture, *case)?,
                What::Intended { case, .. } => self.of_intent(picture, *case)?,
                What::SlotGranted { client, fence, .. } => {
                    self.of_slot(picture, (client, *fence))?
                }
                _ => {}
            }
        }
        let bounds_days = picture.budgets.iter().any(|line| line.per_day.is_some());
        self.days = bounds_days.then(|| self.days.unwrap_or(picture.at));
        let is_halted = |line: &&BudgetLine| line.halt_above.is_some_and(|at| line.unhealthy > at);
        self.halted =
            picture.budgets.iter().filter(is_halted).map(|line| line.scope.clone()).collect();
        Ok(())
    }
}

impl Budgets {
    fn of_intent(&mut self, picture: &Picture, case: CaseId) -> Result<(), String> {
        let own = picture.cases.iter().find(|own| own.id == case);
        let scopes = own.and_then(|own| own.scopes.clone());
        scopes.map_or(Ok(()), |scopes| {
            self.of_start(picture, scopes.all().into(), &format!("a remedy of case {case}"))
        })
    }

    /// Of one that has ended with its own entry nobody can see where it counted.
    fn of_slot(
        &mut self,
        picture: &Picture,
        (client, fence): (&FleetLockId, Fence),
    ) -> Result<(), String> {
        let mut held = picture.slots.iter().map(|(_, slot)| slot);
        let Some(slot) = held.find(|slot| slot.fence == fence) else {
            return Ok(());
        };
        let what = format!("the slot of {client}");
        within_limits(picture, &slot.scopes, &what)?;
        self.of_start(picture, slot.scopes.clone(), &what)
    }

    fn of_start(
        &mut self,
        picture: &Picture,
        scopes: Vec<Scope>,
        what: &str,
    ) -> Result<(), String> {
        self.begun.push((picture.at, scopes.clone()));
        let within = |line: &BudgetLine, is_late: &dyn Fn(&Moment) -> bool| {
            let own = |(at, own): &&(Moment, Vec<Scope>)| is_late(at) && own.contains(&line.scope);
            u32::try_from(self.begun.iter().filter(own).count()).unwrap_or(u32::MAX)
        };
        let in_the_hour = |at: &Moment| picture.at.since(*at) < HOUR;
        let in_the_day =
            |at: &Moment| picture.at.since(*at) < DAY && self.days.is_some_and(|since| *at > since);
        for line in picture.budgets.iter().filter(|line| scopes.contains(&line.scope)) {
            let scope = &line.scope;
            if let Some(most) = line.per_hour.filter(|most| within(line, &in_the_hour) > *most) {
                return Err(format!("law SD1: over {most} in one hour begin in {scope:?}"));
            }
            if let Some(most) = line.per_day.filter(|most| within(line, &in_the_day) > *most) {
                return Err(format!("law SD1: over {most} in one day begin in {scope:?}"));
            }
            // What crosses the limit with the start's own entry stands after it, and not before.
            let is_halted = line.halt_above.is_some_and(|at| line.unhealthy > at);
            if is_halted && self.halted.contains(scope) {
                return Err(format!("protocol 6.4: {what} begins in {scope:?}, halted"));
            }
        }
        Ok(())
    }
}

fn of_grant(picture: &Picture, case: CaseId) -> Result<(), String> {
    let own = picture.cases.iter().find(|own| own.id == case);
    let lease = own.and_then(|own| own.counted_lease());
    lease.map_or(Ok(()), |lease| {
        within_limits(picture, &lease.scopes.all(), &format!("the lease of case {case}"))
    })
}

fn within_limits(picture: &Picture, scopes: &[Scope], what: &str) -> Result<(), String> {
    let mut own = picture.budgets.iter().filter(|line| scopes.contains(&line.scope));
    match own.find(|line| count(picture, &line.scope) > line.limit) {
        Some(line) => {
            Err(format!("law B1: {what} is granted over {} in {:?}", line.limit, line.scope))
        }
        None => Ok(()),
    }
}

/// How many leases and slots count in a scope, by the domain and group that each froze.
fn count(picture: &Picture, scope: &Scope) -> u32 {
    let leases = picture.cases.iter().filter_map(|case| case.counted_lease());
    let leases = leases.filter(|lease| is_in(&lease.scopes, scope)).count();
    let slots = picture.slots.iter().filter(|(_, slot)| slot.scopes.contains(scope)).count();
    u32::try_from(leases + slots).unwrap_or(u32::MAX)
}

/// Whether what is frozen so counts in this scope.
pub(super) fn is_in(own: &FrozenScopes, scope: &Scope) -> bool {
    match scope {
        Scope::Fleet => true,
        Scope::Zone(zone) => own.domain.zone() == *zone,
        Scope::Rack(rack) => own.domain == *rack,
        Scope::Group(group) => own.group == *group,
        Scope::Host(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::album::{breach, first, healed, is_caught, rebooted};
    use super::*;

    #[test]
    fn law_b1_a_grant_beyond_the_limit_is_caught() {
        let mut album = healed();
        let (at, _) = first(&album, |what| matches!(what, What::Granted { .. }));
        album[at].budgets[0].limit = 0;
        assert!(is_caught(&mut Budgets::default(), &album, "law B1"));
    }

    #[test]
    fn law_b2_a_lease_that_is_not_counted_is_caught() {
        let mut album = healed();
        let (at, _) = first(&album, |what| matches!(what, What::Granted { .. }));
        album[at].budgets[1].used = 0;
        album[at].budgets[0].used = 0;
        assert!(is_caught(&mut Budgets::default(), &album, "law B2"));
    }

    #[test]
    fn laws_b1_b2_and_sd1_slots_count_beside_leases_and_as_starts() {
        let mut album = rebooted();
        let (at, _) = first(&album, |what| matches!(what, What::SlotGranted { .. }));
        assert_eq!(breach(&mut Budgets::default(), &album), None);
        album[at].budgets[0].limit = 0;
        assert!(is_caught(&mut Budgets::default(), &album, "law B1: the slot of updater@a1"));
        (album[at].budgets[0].limit, album[at].budgets[0].per_hour) = (1, Some(0));
        assert!(is_caught(&mut Budgets::default(), &album, "law SD1: over 0 in one hour"));
        album[at].budgets[0].per_hour = None;
        for picture in &mut album[at - 1..=at] {
            (picture.budgets[0].halt_above, picture.budgets[0].unhealthy) = (Some(0), 1);
        }
        assert!(is_caught(&mut Budgets::default(), &album, "protocol 6.4: the slot of updater@a1"));
        album[at].budgets[0].used = 0;
        assert!(is_caught(&mut Budgets::default(), &album, "law B2"));
    }

    #[test]
    fn protocol_6_1_a_remedy_beyond_the_hours_and_one_in_a_halted_scope_are_caught() {
        let mut album = healed();
        let (at, _) = first(&album, |what| matches!(what, What::Intended { .. }));
        album[at].budgets[0].per_hour = Some(0);
        assert!(is_caught(&mut Budgets::default(), &album, "law SD1: over 0 in one hour"));
        (album[at].budgets[0].per_hour, album[at].budgets[0].per_day) = (None, Some(0));
        assert!(!is_caught(&mut Budgets::default(), &album, "law SD1"), "no day was bounded yet");
        album[at - 1].budgets[0].per_day = Some(0);
        assert!(is_caught(&mut Budgets::default(), &album, "law SD1: over 0 in one day"));
        let mut album = healed();
        for picture in &mut album[at - 1..=at] {
            (picture.budgets[0].halt_above, picture.budgets[0].unhealthy) = (Some(0), 1);
        }
        assert!(is_caught(&mut Budgets::default(), &album, "protocol 6.4"));
    }
}
