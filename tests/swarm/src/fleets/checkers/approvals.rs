//! Law AP1: under a rule that wants a person's word nothing begins without one for that very rung, which one remedy spends.
//! Law AP3: nothing begins on what a person has denied, until a verdict opens it again.

use std::collections::{BTreeMap, BTreeSet};

use ledger::audit::{Record, What};
use vocabulary::{CaseId, LedgerTime, Span};

use super::super::picture::Picture;
use super::Checker;

/// Protocol 6.8, where the policy is silent, as those of the swarm are.
const APPROVED_FOR: Span = Span::minutes(15);

/// What persons have said of each case, by the audit alone.
#[derive(Default)]
pub struct Approvals {
    /// For which rung, and when.
    given: BTreeMap<CaseId, (u64, LedgerTime)>,
    denied: BTreeSet<CaseId>,
}

impl Checker for Approvals {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        picture.records.iter().try_for_each(|record| self.read(picture, record))
    }
}

impl Approvals {
    fn read(&mut self, picture: &Picture, record: &Record) -> Result<(), String> {
        match &record.what {
            What::Approved { case, rung, through, .. } => {
                let of = picture.cases.iter().find(|other| other.id == *case);
                if of.is_some_and(|case| case.host() == Some(*through)) {
                    return Err(format!("law AP2: case {case} is approved at the host in trouble"));
                }
                self.given.insert(*case, (*rung, record.at));
            }
            What::Denied { case, .. } => {
                self.denied.insert(*case);
                self.given.remove(case);
            }
            What::PolicySet { .. } => self.given.clear(),
            What::Verdict { case, .. } => {
                self.given.remove(case);
                self.denied.remove(case);
            }
            What::Granted { case, .. } if self.denied.contains(case) => {
                return Err(format!(
                    "law AP3: case {case} is denied, and a lease of it is granted"
                ));
            }
            What::Intended { case, rung, .. } => {
                return self.begun(picture, (*case, *rung), record.at);
            }
            _ => {}
        }
        Ok(())
    }

    fn begun(
        &mut self,
        picture: &Picture,
        (id, rung): (CaseId, u64),
        now: LedgerTime,
    ) -> Result<(), String> {
        if self.denied.contains(&id) {
            return Err(format!("law AP3: case {id} is denied, and its remedy begins"));
        }
        let given = self.given.remove(&id);
        let case = picture.cases.iter().find(|case| case.id == id);
        // By the policy that is in force now: where another came since, in this very picture, nobody can tell.
        let is_same =
            !picture.records.iter().any(|record| matches!(record.what, What::PolicySet { .. }));
        let rule = case.and_then(|case| case.rule.as_ref()).map(|(name, _)| name);
        let asks = is_same && rule.is_some_and(|name| picture.asking.contains(name));
        let is_good = given.is_some_and(|(of, at)| of == rung && now.since(at) <= APPROVED_FOR);
        if asks && !is_good {
            return Err(format!(
                "law AP1: rung {} of case {id} begins, and no person has allowed it: {given:?}",
                rung + 1
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::album::{first, healed, is_caught};
    use super::*;

    /// The album of a host that is healed, under a policy whose rules want a person's word, with this record before its lease.
    fn told(what: impl Fn(CaseId) -> What) -> Vec<Picture> {
        let mut album = healed();
        let (at, place) = first(&album, |what| matches!(what, What::Granted { .. }));
        let mut record = album[at].records[place].clone();
        let What::Granted { case, .. } = record.what else { panic!("it is granted") };
        record.what = what(case);
        album[at].records.insert(place, record);
        for picture in &mut album {
            let rules = picture.cases.iter().filter_map(|case| case.rule.clone());
            picture.asking = rules.map(|(name, _)| name).collect();
        }
        album
    }

    fn approved(case: CaseId, rung: u64) -> What {
        let through = vocabulary::HostId([9; 16]);
        let (who, why) = ("a person".into(), "go on".into());
        What::Approved { case, rung, argv: vec![], through, who, why }
    }

    #[test]
    fn law_ap1_a_remedy_without_a_word_for_its_rung_is_caught() {
        assert!(!is_caught(&mut Approvals::default(), &told(|case| approved(case, 0)), "law AP"));
        assert!(is_caught(&mut Approvals::default(), &told(|case| approved(case, 1)), "law AP1"));
        let other = told(|case| approved(CaseId(case.0 + 1), 0));
        assert!(is_caught(&mut Approvals::default(), &other, "law AP1"));
    }

    #[test]
    fn law_ap1_a_word_from_long_ago_is_caught() {
        let mut album = told(|case| approved(case, 0));
        let (at, place) = first(&album, |what| matches!(what, What::Intended { .. }));
        album[at].records[place].at = album[at].records[place].at.after(Span::minutes(15));
        assert!(is_caught(&mut Approvals::default(), &album, "law AP1"));
    }

    #[test]
    fn law_ap2_a_word_at_the_host_in_trouble_is_caught() {
        let mut album = told(|case| approved(case, 0));
        let (at, place) = first(&album, |what| matches!(what, What::Approved { .. }));
        let host = album[at].cases[0].host().expect("a host's");
        let What::Approved { through, .. } = &mut album[at].records[place].what else {
            panic!("it is approved")
        };
        *through = host;
        assert!(is_caught(&mut Approvals::default(), &album, "law AP2"));
    }

    #[test]
    fn law_ap3_a_lease_of_what_was_denied_is_caught() {
        let denied = |case| {
            let (who, why) = ("a person".into(), "no".into());
            What::Denied { case, rung: 0, who, why }
        };
        assert!(is_caught(&mut Approvals::default(), &told(denied), "law AP3"));
    }
}
