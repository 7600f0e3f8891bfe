//! Law CA1: of several hosts in one kind of trouble (rule and group) one is granted a lease at once until a remedy of the kind is proven.
//! Law CA2: a kind of which three hosts in a row were given up after remedies that were not proven begins nothing until a person releases its
//! group.

use std::collections::{BTreeMap, BTreeSet};

use ledger::audit::What;
use ledger::case::{Case, Closure};
use ledger::rules;
use vocabulary::{CaseId, GroupName, HostId, Scope};

use super::super::picture::Picture;
use super::Checker;

/// A rule, by name, and a group.
type Kind = (String, GroupName);

/// On so many hosts in a row (protocol 6.3).
const FAILED_MAX: usize = 3;

/// What came of each kind's remedies, by the audit alone.
#[derive(Default)]
pub struct Canaries {
    /// The case's kind, as the last picture had it: what was applied, not what is in force once that has ended.
    kinds: BTreeMap<CaseId, (Kind, Option<HostId>)>,
    proven: BTreeSet<Kind>,
    failed: BTreeMap<Kind, BTreeSet<HostId>>,
    /// The cases of which a remedy was begun and is neither proven nor given up.
    begun: BTreeSet<CaseId>,
    /// The cases whose last remedy was not proven.
    unproven: BTreeSet<CaseId>,
}

impl Checker for Canaries {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        if picture.rules >= rules::SECOND {
            picture.records.iter().try_for_each(|record| self.read(picture, &record.what))?;
        }
        let open = || picture.cases.iter().filter(|case| !case.is_closed());
        self.kinds =
            open().filter_map(|case| Some((case.id, (kind(case)?, case.host())))).collect();
        let is_open = |of: &Kind| open().any(|case| kind(case).as_ref() == Some(of));
        let is_live =
            |of: &Kind| open().any(|case| case.is_live() && kind(case).as_ref() == Some(of));
        self.proven.retain(is_live);
        self.failed.retain(|of, hosts| hosts.len() >= FAILED_MAX || is_open(of));
        Ok(())
    }
}

impl Canaries {
    fn read(&mut self, picture: &Picture, what: &What) -> Result<(), String> {
        match what {
            What::Granted { case, is_takeover: false, .. } => return self.granted(picture, *case),
            What::Intended { case, .. } => {
                self.begun(picture, *case)?;
                let of = self.kinds.get(case).map(|(kind, _)| kind);
                let failed = of.and_then(|kind| self.failed.get(kind));
                if failed.is_some_and(|hosts| hosts.len() >= FAILED_MAX) {
                    return Err(format!("law CA2: case {case} is tried, and its kind is stopped"));
                }
            }
            What::Unproven { case, .. } => {
                self.begun.remove(case);
                self.unproven.insert(*case);
                if let Some((kind, _)) = self.kinds.get(case) {
                    self.proven.remove(kind);
                }
            }
            What::Escalated { case, .. } => {
                if let Some((kind, Some(host))) = self.kinds.get(case)
                    && self.unproven.contains(case)
                {
                    self.failed.entry(kind.clone()).or_default().insert(*host);
                }
            }
            What::PolicySet { .. } => self.proven.clear(),
            What::Closed { case, how: Closure::Healed } => {
                self.begun.remove(case);
                if let Some((kind, _)) = self.kinds.get(case)
                    && self.failed.get(kind).is_none_or(|hosts| hosts.len() < FAILED_MAX)
                {
                    self.proven.insert(kind.clone());
                    self.failed.remove(kind);
                }
            }
            What::Freed { subject: Scope::Group(group), .. } => {
                self.failed.retain(|kind, hosts| hosts.len() < FAILED_MAX || kind.1 != *group);
            }
            _ => {}
        }
        Ok(())
    }

    /// Law CA1, of what is begun.
    fn begun(&mut self, picture: &Picture, id: CaseId) -> Result<(), String> {
        self.unproven.remove(&id);
        let is_pending = |case: &CaseId| {
            let case = picture.cases.iter().find(|other| other.id == *case);
            case.is_some_and(|case| case.pending().is_some() && case.counted_lease().is_some())
        };
        let kind = |case: &CaseId| self.kinds.get(case).map(|(kind, _)| kind);
        let others = self.begun.iter().filter(|other| **other != id && kind(other) == kind(&id));
        let beside = others.copied().find(is_pending);
        let is_open = kind(&id).is_some_and(|kind| !self.proven.contains(kind));
        self.begun.insert(id);
        match beside.filter(|_| is_open) {
            Some(other) => {
                Err(format!("law CA1: a remedy of case {id} is begun beside that of case {other}"))
            }
            None => Ok(()),
        }
    }

    fn granted(&self, picture: &Picture, id: CaseId) -> Result<(), String> {
        let of = |id: CaseId| {
            picture.cases.iter().find(|case| case.id == id).and_then(|case| kind(case))
        };
        let Some(kind_of_it) = of(id).filter(|kind| !self.proven.contains(kind)) else {
            return Ok(());
        };
        // By the picture before: one that was of another kind when the lease was granted is none of it.
        let is_of_it =
            |case: CaseId| self.kinds.get(&case).is_some_and(|(kind, _)| *kind == kind_of_it);
        let is_beside = |case: &&std::sync::Arc<Case>| {
            case.id != id && case.counted_lease().is_some() && is_of_it(case.id)
        };
        match picture.cases.iter().find(is_beside) {
            Some(other) => Err(format!(
                "law CA1: case {id} is granted a lease beside case {}, and no remedy of rule {:?} is proven in group {}",
                other.id, kind_of_it.0, kind_of_it.1
            )),
            None => Ok(()),
        }
    }
}

fn kind(case: &Case) -> Option<Kind> {
    let (rule, _) = case.rule.as_ref()?;
    Some((rule.clone(), case.scopes.as_ref()?.group.clone()))
}

#[cfg(test)]
mod tests {
    use super::super::album::{first, healed, is_caught};
    use super::*;

    #[test]
    fn law_ca1_a_lease_beside_another_of_a_kind_that_is_not_proven_is_caught() {
        let mut album = healed();
        assert!(!is_caught(&mut Canaries::default(), &album, "law CA"));
        let (at, _) = first(&album, |what| matches!(what, What::Granted { .. }));
        let mut other = Case::clone(&album[at].cases[0]);
        other.id = other.id.next();
        let before = (kind(&other).expect("a rule"), other.host());
        let mut checker = Canaries { kinds: [(other.id, before)].into(), ..Canaries::default() };
        album[at].cases.push(other.into());
        assert!(is_caught(&mut checker, &album[at..=at], "law CA1"));
    }

    #[test]
    fn law_ca1_a_proof_that_was_followed_by_a_failure_counts_no_more() {
        let mut album = healed();
        let (at, place) = first(&album, |what| matches!(what, What::Granted { .. }));
        let mut other = Case::clone(&album[at].cases[0]);
        let (case, remedy) = (other.id, vocabulary::RemedyId(1));
        other.id = other.id.next();
        let beside = other.id;
        album[at].cases.push(other.into());
        let (rule, _) = album[at].cases[0].rule.clone().expect("a rule");
        let group = album[at].cases[0].scopes.as_ref().expect("a host's").group.clone();
        let (kind, host) = ((rule, group), album[at].cases[0].host());
        let kinds = [case, beside].map(|case| (case, (kind.clone(), host)));
        let proven = || Canaries {
            proven: [kind.clone()].into(),
            kinds: kinds.clone().into(),
            ..Canaries::default()
        };
        let here = std::slice::from_ref(&album[at]);
        assert!(!is_caught(&mut proven(), here, "law CA1"));
        let mut failed = album[at].clone();
        let mut record = failed.records[place].clone();
        record.what = What::Unproven { case, remedy, rung: 0, why: "no proof".into() };
        failed.records.insert(place, record);
        assert!(is_caught(&mut proven(), &[failed], "law CA1"));
    }

    #[test]
    fn law_ca1_a_remedy_that_is_begun_beside_another_of_its_kind_is_caught() {
        let mut album = healed();
        let (at, _) = first(&album, |what| matches!(what, What::Intended { .. }));
        let mut other = Case::clone(&album[at].cases[0]);
        let kind = (kind(&other).expect("a rule"), other.host());
        other.id = other.id.next();
        let kinds = [album[at].cases[0].id, other.id].map(|case| (case, kind.clone()));
        let begun = [other.id].into();
        let mut checker = Canaries { kinds: kinds.into(), begun, ..Canaries::default() };
        album[at].cases.push(other.into());
        assert!(is_caught(&mut checker, &album[at..=at], "law CA1: a remedy"));
    }

    #[test]
    fn law_ca2_a_remedy_of_a_stopped_kind_is_caught_unless_a_person_freed_it() {
        let album = healed();
        let (at, place) = first(&album, |what| matches!(what, What::Intended { .. }));
        let case = &album[at].cases[0];
        let kind = kind(case).expect("a rule");
        let hosts: BTreeSet<HostId> = (1..4).map(|byte| HostId([byte; 16])).collect();
        let stopped =
            || Canaries { failed: [(kind.clone(), hosts.clone())].into(), ..Canaries::default() };
        assert!(is_caught(&mut stopped(), &album, "law CA2"));
        let mut freed = album.clone();
        let mut record = freed[at].records[place].clone();
        let (who, why) = ("a person".into(), "mended".into());
        record.what = What::Freed { subject: Scope::Group(kind.1.clone()), who, why };
        freed[at].records.insert(place, record);
        assert!(!is_caught(&mut stopped(), &freed, "law CA2"));
    }
}
