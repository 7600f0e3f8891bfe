//! Laws L1 to L3: one lease per subject, fences that only rise, no effect without a committed intent of its own. Protocol 1.2 and 7.2:
//! no lease on or for a host under whose name two machines live, and none for its own subject.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::audit::What;
use ledger::case::Case;
use simulator::JournalLine;
use vocabulary::{CaseId, Fence, HostId, RemedyId, Scope, VerdictKind};

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
                What::Granted { case, fence, healer, .. } => {
                    self.fence = fence;
                    of_healer(picture, case, healer)?;
                }
                What::Intended { remedy, fence, .. } => {
                    self.intended.insert(remedy, fence);
                }
                _ => {}
            }
        }
        of_subjects(picture)?;
        of_running(picture)?;
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

/// Whoever is double by this very entry was not so at the offer.
fn of_healer(picture: &Picture, case: CaseId, healer: HostId) -> Result<(), String> {
    let own = picture.cases.iter().find(|own| own.id == case);
    let subject = own.and_then(|own| own.host());
    if subject == Some(healer) {
        return Err(format!("protocol 7.2: case {case} is its own subject's to heal"));
    }
    let is_double = |own: &&Arc<Case>| {
        own.kind == VerdictKind::Duplicate
            && own.opened_at < picture.index
            && (own.host() == Some(healer) || own.host() == subject)
    };
    match picture.cases.iter().find(is_double) {
        Some(double) => Err(format!("protocol 1.2: case {case} is leased amid case {}", double.id)),
        None => Ok(()),
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

/// Law B2, by the world's own word: what runs is counted, whoever has lost sight of it.
fn of_running(picture: &Picture) -> Result<(), String> {
    let is_counted = |subject: &HostId| {
        let mut own = picture.cases.iter().filter(|case| case.host() == Some(*subject));
        own.any(|case| case.counted_lease().is_some())
    };
    let mut running = picture.journal.iter().filter(|line| line.ended.is_none());
    match running.find(|line| !is_counted(&line.subject)) {
        Some(line) => Err(format!("law B2: remedy {} runs, and no lease counts", line.remedy)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
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
    fn law_b2_a_remedy_that_runs_and_is_not_counted_is_caught() {
        let mut album = healed();
        let runs = |picture: &Picture| picture.journal.iter().any(|line| line.ended.is_none());
        let at = album.iter().position(runs).expect("it is seen to run");
        album[at].cases.clear();
        assert!(is_caught(&mut Leases::default(), &album, "law B2"));
    }

    #[test]
    fn protocols_1_2_and_7_2_a_lease_for_the_subject_itself_and_one_on_a_double_host_are_caught() {
        let mut album = healed();
        let (at, place) = first(&album, |what| matches!(what, What::Granted { .. }));
        let subject = album[at].cases[0].host().expect("a host's");
        let mut double = album.clone();
        if let What::Granted { healer, .. } = &mut album[at].records[place].what {
            *healer = subject;
        }
        assert!(is_caught(&mut Leases::default(), &album, "protocol 7.2"));
        let mut case = Case::clone(&double[at].cases[0]);
        (case.kind, case.opened_at) = (VerdictKind::Duplicate, vocabulary::LedgerIndex(1));
        double[at].cases.push(Arc::new(case));
        assert!(is_caught(&mut Leases::default(), &double, "protocol 1.2"));
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
