//! Which limits hold a case back with no term in sight: none of them is free again before somebody does something.
//!
//! Law LM1: a limit that a term frees soon (a lease that ends, an hour that is over, a cooldown) is not among them; a day is.
//! Not here: the limits themselves (see `limits`), calling a person for them (the agent's).

use std::collections::BTreeMap;
use std::sync::Arc;

use vocabulary::{Scope, Span};

use crate::case::{Case, Stage};
use crate::command::Refused;
use crate::ledger::Ledger;

impl Ledger {
    /// The cases whose leases count in this scope and end by no term: a person's, as nobody knows the end of their remedies
    /// (protocol 7.6); by number.
    pub fn counted_without_end(&self, scope: &Scope) -> impl Iterator<Item = &Arc<Case>> {
        self.cases().filter(move |case| {
            let lease = case.counted_lease().filter(|_| !case.is_live());
            lease.is_some_and(|lease| lease.scopes.all().contains(scope))
        })
    }

    /// Every case that a limit keeps from a lease and that no term frees, with the first such limit. While a brake stands a person is
    /// at it, and there is none.
    pub fn stuck(&self) -> Vec<(&Arc<Case>, Refused)> {
        if self.state.brakes.standing().is_some() {
            return Vec::new();
        }
        let endless = self.endless();
        let may_be_offered = |case: &Case| match case.stage {
            Stage::Open => true,
            Stage::Orphaned { .. } => case.pending().is_none(),
            _ => false,
        };
        let waits = |case: &&Arc<Case>| may_be_offered(case) && self.next_rung(case).is_some();
        let stuck_by = |case: &Case| {
            let mut holds = self.offer_holds(case);
            // A person is asked once nothing else is awaited.
            if matches!(holds[..], [Refused::Approval { .. }]) {
                return holds.pop();
            }
            let has_no_end =
                |rule: &Refused| self.waits_for_a_person(rule) || has_no_end(rule, &endless);
            holds.into_iter().find(has_no_end)
        };
        self.cases().filter(waits).filter_map(|case| Some((case, stuck_by(case)?))).collect()
    }

    /// Whoever goes first is a person's: nobody knows how its remedy ended (protocol 6.3).
    fn waits_for_a_person(&self, rule: &Refused) -> bool {
        let Refused::Canary { case, .. } = rule else {
            return false;
        };
        self.state.cases.get(*case).is_some_and(|first| !first.is_live())
    }

    /// How many leases of each scope end by no term, and slots that have not for long: counted once for all cases that wait.
    fn endless(&self) -> BTreeMap<Scope, u32> {
        let mut endless = BTreeMap::new();
        for case in self.cases().filter(|case| !case.is_live()) {
            let scopes = case.counted_lease().map(|lease| lease.scopes.all());
            for scope in scopes.into_iter().flatten() {
                *endless.entry(scope).or_default() += 1;
            }
        }
        for scope in self.slots_overdue().flat_map(|(_, slot)| &slot.scopes) {
            *endless.entry(scope.clone()).or_default() += 1;
        }
        endless
    }
}

/// Whatever ends within it calls nobody.
const PATIENCE: Span = Span::minutes(60);

/// Law LM1.
fn has_no_end(rule: &Refused, endless: &BTreeMap<Scope, u32>) -> bool {
    match rule {
        Refused::Halt { .. }
        | Refused::Floor { .. }
        | Refused::Keepers { .. }
        | Refused::Exempt { .. }
        | Refused::Stopped { .. }
        | Refused::KindStopped { .. } => true,
        // An hour is waited out; a day is not.
        Refused::PerDay { left, .. } => *left > PATIENCE,
        Refused::Budget { scope, used, .. } => {
            endless.get(scope).is_some_and(|endless| endless >= used)
        }
        _ => false,
    }
}
