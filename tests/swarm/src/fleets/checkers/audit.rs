//! Laws A1 and A2: one unbroken chain, each intent before its outcome and each outcome before the next intent, a cure only by proof;
//! and nothing that was committed is ever gone.

use std::collections::BTreeMap;

use ledger::audit::{Checkpoint, Record, What};
use ledger::case::Closure;
use ledger::verify_chain_after;
use vocabulary::{CaseId, LedgerIndex, RemedyId};

use super::super::picture::Picture;
use super::Checker;

/// The chain so far.
#[derive(Default)]
pub struct Audit {
    head: Checkpoint,
    index: LedgerIndex,
    cases: BTreeMap<CaseId, Told>,
}

/// What the audit has told of a case's remedies.
#[derive(Default)]
struct Told {
    last: Option<RemedyId>,
    has_outcome: bool,
    is_proven: bool,
}

impl Checker for Audit {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        if picture.index < self.index {
            let (index, was) = (picture.index, self.index);
            return Err(format!("law A2: the ledger is at entry {index} after entry {was}"));
        }
        self.index = picture.index;
        verify_chain_after(self.head, &picture.records)
            .map_err(|broken| format!("law A1: {broken}"))?;
        self.head = picture.records.last().map_or(self.head, Record::place);
        picture.records.iter().try_for_each(|record| self.of_record(&record.what))
    }
}

impl Audit {
    fn of_record(&mut self, what: &What) -> Result<(), String> {
        match what {
            What::Intended { case, remedy, .. } => {
                let told = self.cases.entry(*case).or_default();
                if told.last.is_some() && !told.has_outcome {
                    return Err(format!(
                        "law A1: remedy {remedy} is intended before the last one's end"
                    ));
                }
                *told = Told { last: Some(*remedy), ..Told::default() };
            }
            What::Received { case, remedy, .. }
            | What::Inspected { case, remedy, .. }
            | What::Unproven { case, remedy, .. } => {
                self.of_intended(*case, *remedy)?.has_outcome = true;
            }
            What::Verified { case, remedy, .. } => {
                let told = self.of_intended(*case, *remedy)?;
                (told.has_outcome, told.is_proven) = (true, true);
            }
            What::Escalated { case, .. } => {
                self.cases.entry(*case).or_default().has_outcome = true;
            }
            What::Closed { case, how } => {
                let is_proven = self.cases.remove(case).is_some_and(|told| told.is_proven);
                if *how == Closure::Healed && !is_proven {
                    return Err(format!("law A1: case {case} is healed, and nothing was proven"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn of_intended(&mut self, case: CaseId, remedy: RemedyId) -> Result<&mut Told, String> {
        let told = self.cases.get_mut(&case).filter(|told| told.last >= Some(remedy));
        told.ok_or(format!("law A1: remedy {remedy} of case {case} has an end and no intent"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::album::{first, healed, is_caught};
    use super::*;

    #[test]
    fn law_a1_a_missing_an_altered_and_an_early_record_are_caught() {
        let album = healed();
        let (at, place) = first(&album, |what| matches!(what, What::Intended { .. }));
        let mut missing = album.clone();
        missing[at].records.remove(place);
        assert!(is_caught(&mut Audit::default(), &missing, "law A1"));
        let mut altered = album.clone();
        altered[at].records[place].what = What::Paused { who: "x".into(), why: "y".into() };
        assert!(is_caught(&mut Audit::default(), &altered, "law A1"));
    }

    #[test]
    fn law_a1_an_end_without_its_intent_and_a_cure_without_proof_are_caught() {
        let intended = |case, remedy| What::Received {
            case,
            remedy,
            fence: vocabulary::Fence(1),
            kind: vocabulary::ReceiptKind::Done,
            detail: String::new(),
        };
        let end = intended(CaseId(1), RemedyId(1));
        assert!(Audit::default().of_record(&end).is_err_and(|law| law.contains("no intent")));
        let cure = What::Closed { case: CaseId(1), how: Closure::Healed };
        assert!(Audit::default().of_record(&cure).is_err_and(|law| law.contains("proven")));
    }

    #[test]
    fn law_a2_a_ledger_that_goes_back_is_caught() {
        let mut album = healed();
        let last = album.last_mut().expect("pictures");
        last.index = LedgerIndex(1);
        assert!(is_caught(&mut Audit::default(), &album, "law A2"));
    }
}
