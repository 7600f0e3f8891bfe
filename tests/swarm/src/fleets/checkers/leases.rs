//! Laws L1 to L3: one lease per subject, fences that only rise, no effect without a committed intent of its own.

use std::collections::{BTreeMap, BTreeSet};

use ledger::audit::What;
use simulator::JournalLine;
use vocabulary::{Fence, HostId, RemedyId, Scope};

use super::super::picture::Picture;
use super::Checker;

/// What was granted, intended and begun so far.
#[derive(Default)]
pub struct Leases {
    fence: Fence,
    intended: BTreeMap<RemedyId, Fence>,
    begun: usize,
    fences: BTreeMap<HostId, Fence>,
}

impl Checker for Leases {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        for record in &picture.records {
            match record.what {
                What::Granted { case, fence, .. } if fence <= self.fence => {
                    let last = self.fence;
                    return Err(format!("law L2: case {case} is given fence {fence} after {last}"));
                }
                What::Granted { fence, .. } => self.fence = fence,
                What::Intended { remedy, fence, .. } => {
                    self.intended.insert(remedy, fence);
                }
                _ => {}
            }
        }
        of_subjects(picture)?;
        for at in self.begun..picture.journal.len() {
            self.of_effect(&picture.journal[..at], &picture.journal[at])?;
        }
        self.begun = picture.journal.len();
        Ok(())
    }
}

impl Leases {
    fn of_effect(&mut self, before: &[JournalLine], line: &JournalLine) -> Result<(), String> {
        let JournalLine { remedy, subject, fence, .. } = line;
        if self.intended.get(remedy) != Some(fence) {
            return Err(format!(
                "law L3: remedy {remedy} begins under fence {fence}, not intended so"
            ));
        }
        let known = self.fences.entry(*subject).or_default();
        if fence < known {
            return Err(format!("law L2: remedy {remedy} runs under {fence} after {known}"));
        }
        *known = *fence;
        if before.iter().any(|other| other.remedy == *remedy) {
            return Err(format!("protocol 7.5: remedy {remedy} begins twice"));
        }
        let is_beside = |other: &&JournalLine| {
            other.subject == *subject && other.ended.is_none_or(|end| end > line.began)
        };
        match before.iter().find(is_beside) {
            Some(other) => Err(format!("law L1: remedy {remedy} begins beside {}", other.remedy)),
            None => Ok(()),
        }
    }
}

fn of_subjects(picture: &Picture) -> Result<(), String> {
    let mut subjects: BTreeSet<&Scope> = BTreeSet::new();
    let leased = picture.cases.iter().filter(|case| case.counted_lease().is_some());
    for case in leased {
        if !subjects.insert(&case.subject) {
            return Err(format!("law L1: case {} is a second lease on its subject", case.id));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::album::{first, healed, is_caught};
    use super::*;

    #[test]
    fn law_l1_a_second_lease_and_a_second_remedy_beside_the_first_are_caught() {
        let mut album = healed();
        let leased = album
            .iter()
            .position(|picture| picture.cases.iter().any(|case| case.counted_lease().is_some()));
        let picture = &mut album[leased.expect("it is healed")];
        let again = Arc::clone(&picture.cases[0]);
        picture.cases.push(again);
        assert!(is_caught(&mut Leases::default(), &album, "law L1"));
        let mut album = healed();
        let mut intended = album[0].records[0].clone();
        let last = album.last_mut().expect("pictures");
        let mut beside = last.journal[0].clone();
        beside.remedy = RemedyId(beside.remedy.0 + 1);
        intended.what = intent(beside.remedy, beside.fence);
        last.records.push(intended);
        last.journal.push(beside);
        assert!(is_caught(&mut Leases::default(), &album, "law L1"));
    }

    fn intent(remedy: RemedyId, fence: Fence) -> What {
        What::Intended {
            case: vocabulary::CaseId(1),
            fence,
            remedy,
            rung: 0,
            argv: Vec::new(),
            healer: HostId([1; 16]),
            anchor: vocabulary::Anchor::default(),
            grounds: vocabulary::Digest::default(),
        }
    }

    #[test]
    fn law_l2_a_fence_that_does_not_rise_is_caught() {
        let mut album = healed();
        let (at, place) = first(&album, |what| matches!(what, What::Granted { .. }));
        let again = album[at].records[place].clone();
        album[at].records.push(again);
        assert!(is_caught(&mut Leases::default(), &album, "law L2"));
    }

    #[test]
    fn law_l3_an_effect_without_its_intent_and_one_begun_twice_are_caught() {
        let mut album = healed();
        let (at, place) = first(&album, |what| matches!(what, What::Intended { .. }));
        album[at].records.remove(place);
        assert!(is_caught(&mut Leases::default(), &album, "law L3"));
        let mut album = healed();
        let last = album.last_mut().expect("pictures");
        let again = last.journal[0].clone();
        last.journal.push(again);
        assert!(is_caught(&mut Leases::default(), &album, "protocol 7.5"));
    }
}
