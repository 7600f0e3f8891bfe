//! Leave to repair: offered, taken, lengthened, given back, taken over.
//!
//! Law B1: every grant leaves in flight at most the limit in every scope.
//! Law L1: at most one live lease per subject. Law L2: fences only rise.
//! Not here: the rules that refuse (see `limits`), leases that run out (see `expiry`).

use std::sync::Arc;

use vocabulary::{CaseId, Fence, HostId, LedgerTime};

use crate::audit::{LeaseEnd, What};
use crate::case::{Case, Lease, Stage};
use crate::command::{Outcome, Refused};
use crate::ledger::Ledger;

impl Ledger {
    pub(crate) fn offer(&mut self, id: CaseId, healer: HostId) -> Result<Outcome, Refused> {
        self.can_offer(id, healer)?;
        let mut case = self.open_case(id)?;
        let Some(scopes) = case.scopes.clone() else {
            return Err(Refused::NoRule);
        };
        if let Some(outcome) = self.put_down_shadow(&case, healer) {
            return Ok(outcome);
        }
        let (now, before) = (self.state.time, self.state.fence);
        let fence = before.next();
        assert!(fence > before, "law L2: fences only rise");
        let mut lease = Lease {
            fence,
            healer,
            granted: now,
            granted_at: self.state.index,
            ends: now.after(self.timers().lease_term),
            apply_after: now,
            scopes,
        };
        let is_takeover = matches!(case.stage, Stage::Orphaned { .. });
        if let Stage::Orphaned { lease: orphan, .. } = &case.stage {
            // Law B2: it goes on counting where it was granted.
            lease.scopes = orphan.scopes.clone();
            lease.apply_after = apply_after(&case, now);
            case.takeovers = case.takeovers.saturating_add(1);
        }
        self.state.fence = fence;
        self.heal_in_place_of_a_slot(&case);
        case.stage = Stage::Offered(lease.clone());
        self.state.cases.put(case);
        self.record(What::Granted { case: id, fence, healer, is_takeover });
        let is_allowed =
            |case: &Arc<Case>| case.pending().is_some() || self.approval_hold(case).is_none();
        assert!(
            self.state.cases.get(id).is_some_and(is_allowed),
            "law AP1: where the rule wants a person's word no lease is granted without it, but to inspect"
        );
        if !is_takeover {
            self.assert_within_budget(&lease);

            assert!(
                self.state.cases.get(id).is_some_and(|case| self.is_alone_or_proven(case)),
                "law CA1: of a kind that is not proven one host at once is granted a lease"
            );
        }
        Ok(Outcome::Leased { fence })
    }

    pub(crate) fn accept(
        &mut self,
        by: HostId,
        id: CaseId,
        fence: Fence,
    ) -> Result<Outcome, Refused> {
        let mut case = self.open_case(id)?;
        let Stage::Offered(lease) = &case.stage else {
            return Err(Refused::Stage(case.stage.word().into()));
        };
        let mut lease = lease.clone();
        self.check_holder(by, fence, &lease)?;
        lease.ends = self.state.time.after(self.timers().lease_term);
        case.stage = self.resumed(&case, lease);
        self.state.cases.put(case);
        self.record(What::Accepted { case: id, fence, healer: by });
        Ok(Outcome::Leased { fence })
    }

    pub(crate) fn renew(
        &mut self,
        by: HostId,
        id: CaseId,
        fence: Fence,
    ) -> Result<Outcome, Refused> {
        let mut case = self.held(by, id, fence)?;
        let ends = self.state.time.after(self.timers().lease_term);
        if let Some(lease) = case.stage.held_lease_mut() {
            lease.ends = ends;
        }
        self.state.cases.put(case);
        Ok(Outcome::Leased { fence })
    }

    pub(crate) fn release(
        &mut self,
        by: HostId,
        (id, fence): (CaseId, Fence),
        why: &str,
    ) -> Result<Outcome, Refused> {
        check_line(why)?;
        let case = self.open_case(id)?;
        match &case.stage {
            Stage::Offered(lease)
            | Stage::Leased(lease)
            | Stage::Remedy { lease, .. }
            | Stage::Verifying { lease, .. } => self.check_holder(by, fence, lease)?,
            Stage::Open
            | Stage::Orphaned { .. }
            | Stage::Escalated { .. }
            | Stage::Quarantined { .. }
            | Stage::Closed { .. } => {
                return Err(Refused::Stage(case.stage.word().into()));
            }
        }
        self.end_lease(case, LeaseEnd::Released(why.to_owned()));
        Ok(Outcome::Done)
    }

    /// A lease is over. What is pending under it goes on counting until its end is known (law B2); a lease that ran out
    /// counts until it is taken over, even if nothing was begun (protocol 7.6).
    pub(crate) fn end_lease(&mut self, mut case: Case, end: LeaseEnd) {
        let Some(lease) = case.counted_lease().cloned() else {
            return;
        };
        let pending = case.pending().map(|note| (note.id, note.unknown_since));
        let is_orphaned = pending.is_some() || end == LeaseEnd::RanOut;
        let now = self.state.time;
        if let Some(note) = case.remedies.last_mut().filter(|note| note.is_pending()) {
            note.unknown_since = note.unknown_since.or(Some(now));
        }
        self.record(What::LeaseOver { case: case.id, fence: lease.fence, end, is_orphaned });
        case.stage = if is_orphaned {
            Stage::Orphaned {
                lease,
                remedy: pending.map(|(remedy, _)| remedy),
                since: pending.and_then(|(_, since)| since).unwrap_or(now),
            }
        } else {
            Stage::Open
        };
        self.state.cases.put(case);
    }

    /// A case whose lease this host holds under this fence, not yet run out.
    pub(crate) fn held(&self, by: HostId, id: CaseId, fence: Fence) -> Result<Case, Refused> {
        let case = self.open_case(id)?;
        match &case.stage {
            Stage::Leased(lease) | Stage::Remedy { lease, .. } | Stage::Verifying { lease, .. } => {
                self.check_holder(by, fence, lease)?;
            }
            Stage::Orphaned { lease, .. } => {
                self.check_holder(by, fence, lease)?;
                return Err(Refused::LeaseOver);
            }
            Stage::Open
            | Stage::Offered(_)
            | Stage::Escalated { .. }
            | Stage::Quarantined { .. }
            | Stage::Closed { .. } => {
                return Err(Refused::Stage(case.stage.word().into()));
            }
        }
        Ok(case)
    }

    fn check_holder(&self, by: HostId, fence: Fence, lease: &Lease) -> Result<(), Refused> {
        self.member(by)?;
        self.one_machine(by)?;
        let current = lease.fence;
        if fence != current {
            return Err(Refused::Fence { current });
        }
        if by != lease.healer {
            return Err(Refused::NotPermitted(
                "only the healer that holds the lease may ask this".into(),
            ));
        }
        if self.state.time >= lease.ends {
            return Err(Refused::LeaseOver);
        }
        Ok(())
    }

    /// Where a case goes on under a lease: at what is pending, else at the beginning.
    fn resumed(&self, case: &Case, lease: Lease) -> Stage {
        let Some(note) = case.pending() else {
            return Stage::Leased(lease);
        };
        let remedy = note.id;
        match note.received_at.filter(|_| note.is_done()) {
            None => Stage::Remedy { lease, remedy },
            Some(received_at) => Stage::Verifying {
                lease,
                remedy,
                received_at,
                until: self.state.time.after(note.applied.verify_within),
                well_since: None,
            },
        }
    }

    fn assert_within_budget(&self, lease: &Lease) {
        for scope in lease.scopes.all() {
            assert!(
                self.in_flight(&scope) <= self.in_flight_limit(&scope),
                "law B1: a grant leaves in flight at most the limit in every scope"
            );
        }
    }
}

impl Stage {
    /// The lease that a healer holds now.
    fn held_lease_mut(&mut self) -> Option<&mut Lease> {
        match self {
            Self::Leased(lease) | Self::Remedy { lease, .. } | Self::Verifying { lease, .. } => {
                Some(lease)
            }
            Self::Open
            | Self::Offered(_)
            | Self::Orphaned { .. }
            | Self::Escalated { .. }
            | Self::Quarantined { .. }
            | Self::Closed { .. } => None,
        }
    }
}

/// protocol 7.6: the call of the healer before ends within its remedy's time limit.
fn apply_after(case: &Case, now: LedgerTime) -> LedgerTime {
    let limit = case.unresolved().map(|note| note.applied.command.time_limit);
    limit.map_or(now, |limit| now.after(limit))
}

/// One line for people fits a receipt's bound.
pub(crate) fn check_line(line: &str) -> Result<(), Refused> {
    let (given, most) = (line.len(), vocabulary::Receipt::DETAIL_BYTES_MAX);
    if given <= most {
        return Ok(());
    }
    Err(Refused::Malformed(format!("{given} bytes in a line of at most {most}")))
}
