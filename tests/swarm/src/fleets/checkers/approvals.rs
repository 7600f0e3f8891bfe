//! Law AP1: under a rule that wants a person's word nothing begins without one for that very rung, which one remedy spends.
//! Law AP3: nothing begins on what a person has denied, until its case was closed.
//! Law SH1: under a rule in shadow nothing is leased and nothing begins.

use std::collections::{BTreeMap, BTreeSet};

use ledger::audit::{Record, What};
use ledger::case::Case;
use ledger::policy::Mode;
use vocabulary::{CaseId, LedgerTime, ReceiptKind, Span, VerdictKind};

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
    /// The kind of the bout of trouble that each case is in.
    kinds: BTreeMap<CaseId, VerdictKind>,
    /// The rule of each case, and which rules want a word, by the picture before.
    rules: BTreeMap<CaseId, String>,
    modes: BTreeMap<String, Mode>,
    /// The word by which the last remedy of a case has begun: it is given back where that was refused.
    spent: BTreeMap<CaseId, (u64, LedgerTime)>,
}

impl Checker for Approvals {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        picture.records.iter().try_for_each(|record| self.read(picture, record))?;
        let rule = |case: &Case| case.rule.as_ref().map(|(name, _)| name.clone());
        let cases = picture.cases.iter().filter_map(|case| Some((case.id, rule(case)?)));
        (self.rules, self.modes) = (cases.collect(), picture.modes.clone());
        Ok(())
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
            What::PolicySet { .. } => {
                self.given.clear();
                self.spent.clear();
            }
            What::Verdict { case, kind, .. } => {
                let before = self.kinds.insert(*case, kind.clone());
                if before.as_ref() != Some(kind) {
                    self.given.remove(case);
                    self.spent.remove(case);
                }
            }
            What::Closed { case, .. } => {
                self.denied.remove(case);
                self.kinds.remove(case);
                self.given.remove(case);
            }
            What::Received { case, kind, .. } | What::Inspected { case, kind, .. }
                if *kind == ReceiptKind::Refused =>
            {
                self.given.extend(self.spent.remove(case).map(|word| (*case, word)));
            }
            What::Granted { case, is_takeover, .. } => {
                if self.denied.contains(case) {
                    return Err(format!("law AP3: case {case} is denied, and leased"));
                }
                if !is_takeover && self.is_under(picture, *case, Mode::Shadow) {
                    return Err(format!(
                        "law SH1: case {case} is leased, and its rule is in shadow"
                    ));
                }
                if !is_takeover && self.is_under(picture, *case, Mode::Approve) {
                    self.is_good(*case, (None, record.at))?;
                }
            }
            What::Intended { case, rung, .. } => {
                if self.denied.contains(case) {
                    return Err(format!("law AP3: case {case} is denied, and its remedy begins"));
                }
                if self.is_under(picture, *case, Mode::Shadow) {
                    return Err(format!(
                        "law SH1: case {case} is tried, and its rule is in shadow"
                    ));
                }
                if self.is_under(picture, *case, Mode::Approve) {
                    self.is_good(*case, (Some(*rung), record.at))?;
                }
                self.spent.extend(self.given.remove(case).map(|word| (*case, word)));
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether its rule has this mode: before this picture and after it, and no policy came between.
    fn is_under(&self, picture: &Picture, id: CaseId, mode: Mode) -> bool {
        let is_policy = |record: &Record| matches!(record.what, What::PolicySet { .. });
        let case = picture.cases.iter().find(|case| case.id == id);
        let now = case.and_then(|case| case.rule.as_ref()).map(|(name, _)| name);
        let before = self.rules.get(&id);
        let is_same = before.is_none_or(|before| now.is_none_or(|now| now == before));
        let rule = before.or(now).filter(|_| is_same);
        let has = |modes: &BTreeMap<String, Mode>, name: &str| modes.get(name) == Some(&mode);
        let is_it = |name: &String| has(&self.modes, name) && has(&picture.modes, name);
        !picture.records.iter().any(is_policy) && rule.is_some_and(is_it)
    }

    fn is_good(&self, id: CaseId, (rung, now): (Option<u64>, LedgerTime)) -> Result<(), String> {
        let given = self.given.get(&id);
        let is_good = |(of, at): &(u64, LedgerTime)| {
            rung.is_none_or(|rung| rung == *of) && now.since(*at) < APPROVED_FOR
        };
        if given.is_some_and(is_good) {
            return Ok(());
        }
        Err(format!(
            "law AP1: case {id} goes on, rung {rung:?}, and no person has allowed it: {given:?}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::album::{first, healed, is_caught};
    use super::*;

    /// The album of a host that is healed, under a policy whose rules want a person's word, with this record before its lease.
    fn told(what: impl Fn(CaseId) -> What) -> Vec<Picture> {
        under(Mode::Approve, what)
    }

    fn under(mode: Mode, what: impl Fn(CaseId) -> What) -> Vec<Picture> {
        let mut album = healed();
        let (at, place) = first(&album, |what| matches!(what, What::Granted { .. }));
        let mut record = album[at].records[place].clone();
        let What::Granted { case, .. } = record.what else { panic!("it is granted") };
        record.what = what(case);
        album[at].records.insert(place, record);
        for picture in &mut album {
            let rules = picture.cases.iter().filter_map(|case| case.rule.clone());
            picture.modes = rules.map(|(name, _)| (name, mode)).collect();
        }
        album
    }

    fn approved(case: CaseId, rung: u64) -> What {
        let through = vocabulary::HostId([9; 16]);
        let (who, why) = ("a person".into(), "go on".into());
        What::Approved { case, rung, argv: vec![], through, lasts: APPROVED_FOR, who, why }
    }

    #[test]
    fn law_ap1_a_remedy_without_a_word_for_its_rung_is_caught() {
        assert!(!is_caught(&mut Approvals::default(), &told(|case| approved(case, 0)), "law AP"));
        assert!(is_caught(&mut Approvals::default(), &told(|case| approved(case, 1)), "law AP1"));
        let other = told(|case| approved(CaseId(case.0 + 1), 0));
        assert!(is_caught(&mut Approvals::default(), &other, "law AP1"));
    }

    #[test]
    fn law_ap1_a_lease_before_any_word_is_caught() {
        let mut album = told(|case| approved(case, 0));
        let (at, place) = first(&album, |what| matches!(what, What::Approved { .. }));
        let word = album[at].records.remove(place);
        let (at, place) = first(&album, |what| matches!(what, What::Intended { .. }));
        album[at].records.insert(place, word);
        assert!(is_caught(&mut Approvals::default(), &album, "law AP1"));
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
    fn law_sh1_whatever_goes_on_under_a_rule_in_shadow_is_caught() {
        let album = under(Mode::Shadow, |case| approved(case, 0));
        assert!(is_caught(&mut Approvals::default(), &album, "law SH1"));
        let mut album = album;
        let (at, place) = first(&album, |what| matches!(what, What::Granted { .. }));
        album[at].records.remove(place);
        assert!(is_caught(&mut Approvals::default(), &album, "law SH1"));
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
