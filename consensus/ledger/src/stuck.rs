//! Which limits hold a case back with no term in sight: none of them is free again before somebody does something.
//!
//! Law LM1: a limit that a term frees (a lease that ends, an hour that is over, a cooldown) is not among them.
//! Not here: the limits themselves (see `limits`), calling a person for them (the agent's).

use std::sync::Arc;

use vocabulary::Scope;

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

    /// The first limit that keeps this case from a lease and that no term frees. While a brake stands a person is at it, and there
    /// is none.
    pub fn stuck(&self, case: &Case) -> Option<Refused> {
        let waits = matches!(case.stage, Stage::Open) && self.next_rung(case).is_some();
        if !waits || self.state.brakes.standing().is_some() {
            return None;
        }
        self.offer_holds(case).into_iter().find(|rule| self.has_no_end(rule))
    }

    /// Law LM1.
    fn has_no_end(&self, rule: &Refused) -> bool {
        match rule {
            Refused::Halt { .. } | Refused::Floor { .. } | Refused::Keepers { .. } => true,
            Refused::Budget { scope, used, .. } => {
                self.counted_without_end(scope).count() >= *used as usize
            }
            _ => false,
        }
    }
}
