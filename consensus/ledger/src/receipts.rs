//! What came of a remedy: the outcome after the effect.
//!
//! Law A1: a receipt stands only behind its intent.
//! Law A2: a late receipt is taken as well: nothing acknowledged is lost.
//! Law R3: `Unknown` is never rounded: it is inspected, and escalates after its time (protocol 7.5, 7.6).
//! Not here: whether the remedy worked (see `proofs`).

use vocabulary::{CaseId, Fence, HostId, Receipt, ReceiptKind, RemedyId};

use crate::audit::What;
use crate::case::{Case, Stage};
use crate::command::{Outcome, Refused};
use crate::leases::check_line;
use crate::ledger::Ledger;

impl Ledger {
    pub(crate) fn receive(
        &mut self,
        by: HostId,
        id: CaseId,
        receipt: &Receipt,
    ) -> Result<Outcome, Refused> {
        check_line(&receipt.detail)?;
        self.member(by)?;
        // What it tells may be the other machine's; the healer that takes the lease over inspects (protocol 7.6).
        self.one_machine(by)?;
        let case = self.open_case(id)?;
        let begun = |remedy: RemedyId| case.remedies.iter().find(|note| note.id == remedy);
        let note = begun(receipt.remedy).ok_or(Refused::Nothing)?;
        if note.fence != receipt.fence {
            let current = note.fence;
            return Err(Refused::Fence { current });
        }
        if note.healer != by {
            return Err(Refused::NotPermitted(
                "only the healer that began a remedy may say what came of it".into(),
            ));
        }
        if note.receipt.as_ref().is_some_and(|known| known.kind == receipt.kind) {
            return Ok(Outcome::Done);
        }
        let is_last = case.remedies.last().is_some_and(|last| last.id == note.id);
        if !is_last || note.is_done() || !note.is_pending() {
            return Err(Refused::Nothing);
        }
        self.record(What::Received {
            case: id,
            remedy: receipt.remedy,
            fence: receipt.fence,
            kind: receipt.kind,
            detail: receipt.detail.clone(),
        });
        self.conclude_remedy(case, receipt);
        Ok(Outcome::Done)
    }

    pub(crate) fn inspected(
        &mut self,
        by: HostId,
        (id, fence): (CaseId, Fence),
        found: &Receipt,
    ) -> Result<Outcome, Refused> {
        check_line(&found.detail)?;
        let case = self.held(by, id, fence)?;
        match &case.stage {
            Stage::Remedy { remedy, .. } if *remedy == found.remedy => {}
            Stage::Remedy { .. } => return Err(Refused::Nothing),
            stage => return Err(Refused::Stage(stage.word().into())),
        }
        self.record(What::Inspected {
            case: id,
            remedy: found.remedy,
            fence,
            kind: found.kind,
            detail: found.detail.clone(),
        });
        self.conclude_remedy(case, found);
        Ok(Outcome::Done)
    }

    /// Moves a case by what is known of the end of its last remedy.
    fn conclude_remedy(&mut self, mut case: Case, receipt: &Receipt) {
        let (now, index) = (self.state.time, self.state.index);
        let Some(note) = case.remedies.last_mut() else {
            return;
        };
        note.receipt = Some(receipt.clone());
        match receipt.kind {
            ReceiptKind::Done => {
                note.received_at = Some(index);
                note.unknown_since = None;
                let until = now.after(note.applied.verify_within);
                case.stage = match case.stage {
                    Stage::Remedy { lease, remedy } => Stage::Verifying {
                        lease,
                        remedy,
                        received_at: index,
                        until,
                        well_since: None,
                    },
                    stage => stage.without_unknown(),
                };
            }
            ReceiptKind::Refused => {
                note.unknown_since = None;
                let remedy = note.id;
                if let Some(host) = case.host() {
                    self.forgive_cooldown(&host, remedy);
                }
                self.give_approval_back(case.id);
                case.stage = match case.stage {
                    Stage::Remedy { lease, .. } => Stage::Leased(lease),
                    Stage::Orphaned { lease, since, .. } => {
                        Stage::Orphaned { lease, remedy: None, since }
                    }
                    stage => stage.without_unknown(),
                };
            }
            ReceiptKind::Unknown => {
                note.unknown_since = note.unknown_since.or(Some(now));
            }
        }
        self.state.cases.put(case);
    }
}

impl Stage {
    /// An escalated case counts no more once the end of its remedy is known (protocol 7.6).
    fn without_unknown(self) -> Self {
        match self {
            Self::Escalated { why, since, .. } => Self::Escalated { why, since, counted: None },
            stage => stage,
        }
    }
}
