//! Laws A1 and V4: no case is closed as healed or recovered whose host has long been unable to answer, whoever says that it is well.

use std::collections::BTreeMap;

use ledger::audit::What;
use ledger::case::Closure;
use vocabulary::{CaseId, HostId, Moment, Span, VerdictKind};

use super::super::picture::Picture;
use super::Checker;

/// What was seen so lately may still be what a cure rests on: a round, its entry, and the freshness of protocol 3.2.
const AFTERMATH: Span = Span::seconds(7);

/// Since when each host has been unable to answer anybody, and whose each open case is.
#[derive(Default)]
pub struct Cures {
    dead: BTreeMap<HostId, Moment>,
    cases: BTreeMap<CaseId, HostId>,
}

impl Checker for Cures {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        for seen in picture.hosts.iter().filter(|seen| !seen.is_copy) {
            if seen.boot.is_none() || seen.is_dark {
                self.dead.entry(seen.id).or_insert(picture.at);
            } else {
                self.dead.remove(&seen.id);
            }
        }
        for record in &picture.records {
            if let What::Closed { case, how: Closure::Healed | Closure::Recovered } = &record.what {
                self.of_cure(picture, *case)?;
            }
        }
        let of = |case: &ledger::case::Case| Some((case.id, case.host()?));
        // Of two machines one may have said goodbye; that is a person's, and no cure (protocol 1.2).
        let cases = picture.cases.iter().filter(|case| case.kind != VerdictKind::Duplicate);
        self.cases = cases.filter_map(|case| of(case)).collect();
        Ok(())
    }
}

impl Cures {
    fn of_cure(&self, picture: &Picture, case: CaseId) -> Result<(), String> {
        let host = self.cases.get(&case);
        let since = host.and_then(|host| self.dead.get(host));
        if since.is_none_or(|since| picture.at.since(*since) <= AFTERMATH) {
            return Ok(());
        }
        let name = picture.hosts.iter().find(|seen| Some(&seen.id) == host).map(|seen| &seen.name);
        Err(format!("law A1: case {case} ends well, and {} is dead", name.map_or("?", |name| name)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::album::{healed, host, is_caught};
    use super::*;

    #[test]
    fn a_cure_of_a_host_that_is_still_dead_is_caught() {
        let mut album = healed();
        assert!(!is_caught(&mut Cures::default(), &album, "law A1"));
        album.iter_mut().for_each(|picture| host(picture, "b2").boot = None);
        assert!(is_caught(&mut Cures::default(), &album, "law A1"));
    }
}
