//! Laws QU1, QU2, ST1, ST2: who is quarantined and which group is stopped stay so until a person frees them, and nothing begins meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use ledger::audit::What;
use ledger::case::Closure;
use vocabulary::{CaseId, GroupName, HostId, Scope};

use super::super::picture::Picture;
use super::Checker;

/// Who is a person's until freed, by the audit alone.
#[derive(Default)]
pub struct Stops {
    quarantined: BTreeMap<CaseId, HostId>,
    stopped: BTreeSet<GroupName>,
}

impl Checker for Stops {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        picture.records.iter().try_for_each(|record| self.read(picture, &record.what))?;
        for (id, host) in &self.quarantined {
            let own = picture.cases.iter().find(|case| case.id == *id);
            let Some(case) = own.filter(|case| case.is_quarantined()) else {
                return Err(format!(
                    "law QU1: case {id} is quarantined no more, and no person ended that"
                ));
            };
            if case.counted_lease().is_some() || case.host() != Some(*host) {
                return Err(format!("law QU2: quarantined case {id} holds a lease"));
            }
        }
        if let Some(group) = picture.stopped.difference(&self.stopped).next() {
            return Err(format!(
                "law ST2: group {group} is stopped, and the audit does not say so"
            ));
        }
        match self.stopped.iter().find(|group| !picture.stopped.contains(group)) {
            Some(group) => {
                Err(format!("law ST2: group {group} is stopped no more, and no person ended that"))
            }
            None => Ok(()),
        }
    }
}

impl Stops {
    fn read(&mut self, picture: &Picture, what: &What) -> Result<(), String> {
        match what {
            What::Quarantined { case, host } => {
                self.quarantined.insert(*case, *host);
            }
            What::GroupStopped { group, .. } => {
                self.stopped.insert(group.clone());
            }
            What::Freed { subject: Scope::Group(group), .. } => {
                self.stopped.remove(group);
            }
            What::Closed { case, how } => {
                let was_quarantined = self.quarantined.remove(case).is_some();
                let is_persons = matches!(how, Closure::ByPerson(_) | Closure::Retired);
                if was_quarantined && !is_persons {
                    return Err(format!("law QU1: quarantined case {case} is closed: {how:?}"));
                }
            }
            What::Granted { case, .. } | What::Intended { case, .. } => {
                return self.of_beginning(picture, *case, matches!(what, What::Intended { .. }));
            }
            _ => {}
        }
        Ok(())
    }

    fn of_beginning(&self, picture: &Picture, id: CaseId, is_intent: bool) -> Result<(), String> {
        let case = picture.cases.iter().find(|case| case.id == id);
        let host = case.and_then(|case| case.host());
        if self.quarantined.contains_key(&id) || host.is_some_and(|host| self.is_quarantined(host))
        {
            return Err(format!("law QU2: case {id} is tried, and its host is quarantined"));
        }
        let scopes = case.and_then(|case| case.scopes.as_ref());
        match scopes.filter(|scopes| is_intent && self.stopped.contains(&scopes.group)) {
            Some(scopes) => {
                Err(format!("law ST1: case {id} is tried in stopped group {}", scopes.group))
            }
            None => Ok(()),
        }
    }

    fn is_quarantined(&self, host: HostId) -> bool {
        self.quarantined.values().any(|quarantined| *quarantined == host)
    }
}

#[cfg(test)]
mod tests {
    use super::super::album::{first, healed, is_caught};
    use super::*;

    /// The album, with a record of this put before its first intent.
    fn before_the_intent(what: impl Fn(CaseId, HostId, GroupName) -> What) -> Vec<Picture> {
        let mut album = healed();
        let (at, place) = first(&album, |what| matches!(what, What::Intended { .. }));
        let case = &album[at].cases[0];
        let (id, host) = (case.id, case.host().expect("a host's"));
        let group = album[at].hosts[0].group.clone();
        let mut record = album[at].records[place].clone();
        record.what = what(id, host, group);
        album[at].records.insert(place, record);
        album
    }

    #[test]
    fn law_qu2_a_remedy_on_a_quarantined_host_is_caught() {
        let album = before_the_intent(|case, host, _| What::Quarantined { case, host });
        assert!(is_caught(&mut Stops::default(), &album, "law QU2"));
    }

    #[test]
    fn law_qu1_a_quarantine_that_ends_by_itself_is_caught_however_it_does() {
        let mut album = healed();
        let (at, place) = first(&album, |what| matches!(what, What::Closed { .. }));
        let mut record = album[at].records[place].clone();
        let What::Closed { case, .. } = record.what else { panic!("it closes") };
        let host = HostId([1; 16]);
        record.what = What::Quarantined { case, host };
        album[at].records.insert(place, record);
        assert!(is_caught(&mut Stops::default(), &album, "law QU1"));
        album[at].records.truncate(place + 1);
        assert!(is_caught(&mut Stops::default(), &album, "law QU1"));
    }

    #[test]
    fn law_st1_a_remedy_in_a_stopped_group_and_law_st2_a_stop_that_ends_by_itself_are_caught() {
        let stop = |group| What::GroupStopped { group, why: "two failed".into() };
        let album = before_the_intent(|_, _, group| stop(group));
        assert!(is_caught(&mut Stops::default(), &album, "law ST1"));
        let mut album = before_the_intent(|_, _, group| stop(group));
        let (at, place) = first(&album, |what| matches!(what, What::GroupStopped { .. }));
        album[at].records.truncate(place + 1);
        assert!(is_caught(&mut Stops::default(), &album, "law ST2"));
        let group = album[at].hosts[0].group.clone();
        let mut freed = album[at].records[place].clone();
        let (who, why) = ("a person".into(), "mended".into());
        freed.what = What::Freed { subject: Scope::Group(group), who, why };
        album[at].records.push(freed);
        assert!(!is_caught(&mut Stops::default(), &album, "law ST"));
    }
}
