//! A person takes a lease back (`hale lease revoke`, protocol 7.6).
//!
//! Law L3: no lease is revoked while what was begun under it, or under the one before it, may still be under way, so that nothing that
//! is counted no more still has an effect.
//! Law RV1: under a fence that was revoked nothing can be committed any more, and a case whose remedy was begun is a person's from
//! then on: hale does not guess what that person knows.
//! Not here: closing a case (see `endings`), leases that end by themselves (see `expiry`).

use vocabulary::{CaseId, HostId, Span};

use crate::audit::{LeaseEnd, What};
use crate::case::{Case, Stage};
use crate::command::{Order, Outcome, Refused};
use crate::ledger::Ledger;
use crate::rules;

impl Ledger {
    pub(crate) fn revoke(
        &mut self,
        by: HostId,
        id: CaseId,
        order: &Order,
    ) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        self.ordered(by, order)?;
        let case = self.open_case(id)?;
        let lease = case.counted_lease().ok_or(Refused::Stage(case.stage.word().into()))?;
        let fence = lease.fence;
        self.is_no_more_under_way(&case)?;
        let Order { who, why } = order.clone();
        let end = LeaseEnd::Revoked { who, why };
        self.record(What::LeaseOver { case: id, fence, end, is_orphaned: false });
        self.go_on_without_lease(case, order);
        Ok(Outcome::Done)
    }

    /// Law L3.
    fn is_no_more_under_way(&self, case: &Case) -> Result<(), Refused> {
        let (Some(note), Some(lease)) = (case.unresolved(), case.counted_lease()) else {
            return Ok(());
        };
        // A healer that has not told its end may begin the call late: it ends with the lease, renewed for as long as the healer lives.
        let untold = note.receipt.is_none().then_some(lease.ends);
        let own = note.intended.after(note.applied.command.time_limit);
        let over = own.max(lease.apply_after).max(untold.unwrap_or_default());
        let left = over.since(self.state.time);
        if left == Span::ZERO {
            return Ok(());
        }
        let what = format!("since remedy {} began, it may still be under way", note.id);
        Err(Refused::TooSoon { what, left })
    }

    /// Law RV1.
    fn go_on_without_lease(&mut self, mut case: Case, order: &Order) {
        let is_begun = case.pending().is_some();
        match case.stage {
            Stage::Escalated { ref mut counted, .. } => *counted = None,
            _ if is_begun => {
                let why = format!("{} has revoked its lease: {}", order.who, order.why);
                let (case_id, is_counted) = (case.id, false);
                self.record(What::Escalated { case: case_id, why: why.clone(), is_counted });
                case.stage = Stage::Escalated { why, since: self.state.time, counted: None };
            }
            _ => case.stage = Stage::Open,
        }
        self.state.cases.put(case);
    }
}
