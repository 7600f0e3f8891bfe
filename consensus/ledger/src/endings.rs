//! How a case ends: well again, by a person, escalated.
//!
//! Law A1: a closure and an escalation stand in the audit.
//! Law B2: a case that escalates while nobody knows the end of its remedy goes on counting (protocol 7.6).
//! Not here: terms that end by themselves (see `expiry`), proof (see `proofs`).

use std::collections::BTreeSet;
use std::sync::Arc;

use vocabulary::{CaseId, Grounds, HostId, Scope, VerdictKind, Verifier};

use crate::audit::What;
use crate::case::{Case, Closure, Stage};
use crate::command::{Order, Outcome, Refused};
use crate::judging::Judged;
use crate::ledger::Ledger;
use crate::rules;
use crate::verdicts::covers;

/// Cases in one `Recovered`: as many as verdicts in one entry (protocol 3.7).
const RECOVERED_MAX: usize = crate::command::Command::FINDINGS_MAX;

impl Ledger {
    /// One outcome for each case, in order.
    pub(crate) fn recovered(
        &mut self,
        cases: &[CaseId],
        grounds: &Grounds,
        verifier: &dyn Verifier,
    ) -> Result<Outcome, Refused> {
        if cases.len() > RECOVERED_MAX {
            let bound = format!("cases of one recovery: {RECOVERED_MAX}");
            return Err(Refused::Bound(bound));
        }
        let judged = self.judge(grounds, None, verifier)?;
        self.note_duplicates(grounds, verifier);
        let outcomes = cases.iter().map(|id| self.recover(*id, &judged).map(|()| *id));
        Ok(Outcome::Findings(outcomes.collect()))
    }

    fn recover(&mut self, id: CaseId, judged: &Judged) -> Result<(), Refused> {
        let case = self.open_case(id)?;
        if !case.may_recover() {
            return Err(Refused::Stage(case.stage.word().into()));
        }
        let after = case.opened_at;
        if judged.anchor.index < after {
            return Err(Refused::Stale { anchor: judged.anchor.index, at_least: after });
        }
        match &case.subject {
            Scope::Host(host) if case.kind == VerdictKind::Unsettled => {
                self.settled(host, judged)?;
                self.close(case, Closure::Recovered);
                Ok(())
            }
            Scope::Host(host) if judged.conclusions.is_well(host) => {
                self.close(case, Closure::Recovered);
                Ok(())
            }
            Scope::Host(_) => Err(Refused::Grounds("they do not see it well".into())),
            Scope::Rack(_) | Scope::Zone(_) => self.recover_domain(case, judged),
            Scope::Group(_) | Scope::Fleet => {
                Err(Refused::Grounds("such a case is ended by a person (`hale resume`)".into()))
            }
        }
    }

    /// A domain recovers host by host: a round of a large one does not fit into one entry.
    fn recover_domain(&mut self, case: Case, judged: &Judged) -> Result<(), Refused> {
        let members: BTreeSet<HostId> = self
            .roster()
            .present()
            .filter(|(_, entry)| covers(&case.subject, &entry.claims.domain))
            .map(|(host, _)| *host)
            .collect();
        let mut well = self.state.well_again.get(&case.id).cloned().unwrap_or_default();
        let newly = members.iter().filter(|host| judged.conclusions.is_well(host));
        let known = well.len();
        well.extend(newly);
        let missing = members.difference(&well).filter(|host| self.is_awaited(host)).count();
        if missing == 0 {
            Arc::make_mut(&mut self.state.well_again).remove(&case.id);
            self.close(case, Closure::Recovered);
            return Ok(());
        }
        if well.len() > known {
            Arc::make_mut(&mut self.state.well_again).insert(case.id, well);
            return Ok(());
        }
        let of = members.len();
        Err(Refused::Grounds(format!("{missing} of its {of} hosts are not seen well yet")))
    }

    /// Some hosts of a domain are well again, and it waits for nobody else any more: the last one said goodbye, was retired, stands
    /// elsewhere now, or is two machines.
    pub(crate) fn end_domains_that_are_back(&mut self) {
        if self.rules() < rules::SECOND || self.state.well_again.is_empty() {
            return;
        }
        let is_back = |case: &&Arc<Case>| {
            let dark = self.dark_hosts(case);
            self.is_coming_back(case.id) && !dark.iter().any(|host| self.is_awaited(host))
        };
        let back: Vec<Arc<Case>> = self.domain_cases().filter(is_back).cloned().collect();
        for case in back {
            Arc::make_mut(&mut self.state.well_again).remove(&case.id);
            self.close(Case::clone(&case), Closure::Recovered);
        }
    }

    /// Whoever said goodbye has told of itself, and a name of two machines is a person's already.
    fn is_awaited(&self, host: &HostId) -> bool {
        let has_own = self.left_since(host).is_some() || self.is_duplicate(host);
        self.rules() < rules::SECOND || !has_own
    }

    pub(crate) fn dismiss(
        &mut self,
        by: HostId,
        id: CaseId,
        order: &Order,
    ) -> Result<Outcome, Refused> {
        self.ordered(by, order)?;
        let case = self.open_case(id)?;
        let is_running = case.pending().is_some() && case.is_live();
        if is_running {
            return Err(Refused::Stage(case.stage.word().into()));
        }
        if case.is_quarantined() {
            return Err(Refused::Stage(
                "quarantined: `hale release HOST --why ...` ends that".into(),
            ));
        }
        if self.state.brakes.surge.is_some_and(|surge| surge.case == id) {
            return Err(Refused::Brake("a surge is ended by `hale resume`".into()));
        }
        self.close(case, Closure::ByPerson(format!("{}: {}", order.who, order.why)));
        Ok(Outcome::Done)
    }

    /// Closes a case.
    pub(crate) fn close(&mut self, mut case: Case, how: Closure) {
        assert!(
            !case.is_quarantined() || matches!(how, Closure::ByPerson(_) | Closure::Retired),
            "law QU1: only a person ends a quarantine"
        );
        self.record(What::Closed { case: case.id, how: how.clone() });
        self.forget_approval(case.id);
        self.forget_shadow(&case);
        if matches!(how, Closure::MergedInto(_) | Closure::ByPerson(_)) {
            Arc::make_mut(&mut self.state.well_again).remove(&case.id);
        }
        case.refused = None;
        case.stage = Stage::Closed { how, at: self.state.time, at_wall: self.state.wall };
        self.state.cases.put(case);
    }

    /// Calls a person; hale does nothing more about this case.
    pub(crate) fn escalate(&mut self, mut case: Case, why: String) {
        let counted = case.unresolved().and(case.counted_lease().cloned());
        self.record(What::Escalated {
            case: case.id,
            why: why.clone(),
            is_counted: counted.is_some(),
        });
        case.stage = Stage::Escalated { why, since: self.state.time, counted };
        self.state.cases.put(case);
    }

    /// A copy of a case that is not closed.
    pub(crate) fn open_case(&self, id: CaseId) -> Result<Case, Refused> {
        let case = self.state.cases.get(id).ok_or(Refused::UnknownCase)?;
        if case.is_closed() {
            return Err(Refused::Stage(case.stage.word().into()));
        }
        Ok(Case::clone(case))
    }
}
