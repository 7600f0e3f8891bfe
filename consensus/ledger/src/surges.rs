//! Too much trouble at once: one case, and the brake (protocol 3.6 `Surge`).
//!
//! Law P1: the brake stands before, or with, the verdicts that cross the limit.
//! Law V6: while it stands no verdict that rests on silence alone opens a case: a cut that follows no domain looks like deaths.
//! Not here: the count itself (see `detection::surge`), lifting (see `brakes`).

use std::collections::BTreeSet;
use std::sync::Arc;

use detection::surge::{HOSTS_AT_MOST, SURGE_WITHIN, StandingDoubt, Surge as Crossed, surge};
use detection::verdict::HostVerdict;
use vocabulary::{CaseId, Digest, HostId, LedgerTime, Scope, Span, VerdictKind};

use crate::brakes::Surge;
use crate::case::{Case, Closure, GroundsKept};
use crate::command::{Doubted, Outcome, Refused};
use crate::ledger::Ledger;
use crate::rules;
use crate::verdicts::covers;

impl Ledger {
    /// Whether these doubts are a surge by the ledger's own count: the leader asks before it proposes.
    pub fn surge_of(&self, doubted: &[Doubted]) -> Option<Crossed> {
        let now = self.state.time;
        // A young ledger's time does not reach back to an old doubt: by its age it is old all the same.
        let recent = doubted.iter().filter(|doubt| doubt.age <= SURGE_WITHIN);
        let standing =
            recent.map(|doubt| StandingDoubt { host: doubt.host, since: now.before(doubt.age) });
        // An unsettled doubt is counted as the doubt that it is, by its age; two machines of one name are no death, and a host
        // that fails a check answers.
        let is_death = |case: &&Arc<Case>| {
            !matches!(
                case.kind,
                VerdictKind::Unsettled | VerdictKind::Duplicate | VerdictKind::Unfit(_)
            )
        };
        let cases = self.state.cases.open().filter(is_death).filter_map(|case| {
            let since = case.opened;
            case.host().map(|host| StandingDoubt { host, since })
        });
        // protocol 6.4: what a person has been told of is not counted again.
        let told = self.state.cases.told_until();
        let is_news = |doubt: &StandingDoubt| told.is_none_or(|told| doubt.since > told);
        let doubts: Vec<StandingDoubt> = standing.chain(cases).filter(is_news).collect();
        let at_most = if self.rules() >= rules::SECOND { HOSTS_AT_MOST } else { usize::MAX };
        surge(self.roster(), &doubts, &self.in_domain_cases(), (now, at_most))
    }

    /// Law V6: what keeps this verdict on a host from being its case now; the leader asks before it proposes. A case that says the
    /// same already is upheld.
    pub fn surge_hold(&self, host: &HostId, verdict: &HostVerdict) -> Option<Refused> {
        let surge = self.state.brakes.surge?;
        let standing = self.state.cases.of_host(host);
        let is_known = standing.is_some_and(|case| case.kind == verdict.kind);
        let is_held = verdict.rests_on_silence && !is_known && self.rules() >= rules::SECOND;
        is_held.then(|| Refused::Brake(surge.in_words()))
    }

    /// Since when a new case on a host stands. Trouble that began before a surge was lifted is told with it: what only the surge
    /// held back is no new surge, and no halt (protocol 6.4).
    pub(crate) fn opens_at(&self, host: &HostId, doubted: &[Doubted]) -> LedgerTime {
        let now = self.state.time;
        let told = self.state.cases.told_until().filter(|_| self.rules() >= rules::SECOND);
        let doubt = doubted.iter().find(|doubt| doubt.host == *host);
        let began = doubt.map_or(now, |doubt| now.before(doubt.age));
        told.filter(|told| began <= *told).unwrap_or(now)
    }

    pub(crate) fn surge(&mut self, doubted: &[Doubted]) -> Result<Outcome, Refused> {
        if self.state.brakes.surge.is_none() && self.surge_of(doubted).is_none() {
            return Err(Refused::Grounds("by the ledger's own count this is no surge".into()));
        }
        self.note_doubts(doubted);
        self.count_surge(doubted, std::iter::empty());
        Ok(Outcome::Done)
    }

    /// A surge that was the beginning of this domain's silence is over: hosts of a domain case are none (protocol 3.6). A large
    /// zone's hosts come into doubt one after the other, and would else brake a fleet that a small one does not.
    pub(crate) fn end_surge_of(&mut self, domain: CaseId, scope: &Scope, doubted: &[Doubted]) {
        let Some(surge) = self.state.brakes.surge.filter(|_| self.rules() >= rules::SECOND) else {
            return;
        };
        let Some(case) = self.state.cases.get(surge.case).filter(|case| !case.is_closed()) else {
            return;
        };
        let is_inside = |host: &HostId| {
            let entry = self.state.roster.get(host);
            entry.is_some_and(|entry| covers(scope, &entry.claims.domain))
        };
        // Whom it does not name stands in the zone of somebody whom it does.
        let is_of_it = case.members.iter().all(is_inside);
        if is_of_it && self.surge_of(doubted).is_none() {
            let case = Case::clone(case);
            self.state.brakes.surge = None;
            self.close(case, Closure::MergedInto(domain));
        }
    }

    /// Counts what is in doubt, with the subjects of verdicts that are about to be opened, and brakes if it is too much.
    pub(crate) fn count_surge(&mut self, doubted: &[Doubted], newly: impl Iterator<Item = HostId>) {
        let mut all = doubted.to_vec();
        let is_told = |host: &HostId| doubted.iter().any(|doubt| doubt.host == *host);
        let fresh = newly.filter(|host| !is_told(host));
        all.extend(fresh.filter_map(|host| self.newly_judged(host)));
        let now = self.state.time;
        let digest = digest_of(&all);
        if let Some(surge) = &mut self.state.brakes.surge {
            if surge.doubted != digest {
                surge.doubted = digest;
                surge.changed = now;
            }
            return;
        }
        if let Some(crossed) = self.surge_of(&all) {
            self.brake_for(&crossed, &all);
        }
    }

    /// A host that a verdict is about and nobody has told to be in doubt, as old as its trouble. Whoever has a case of death is counted
    /// by that; an unsettled one only as it is judged.
    fn newly_judged(&self, host: HostId) -> Option<Doubted> {
        let age = match self.state.cases.of_host(&host) {
            None => Span::ZERO,
            Some(case) if case.is_unfit() => Span::ZERO,
            Some(case) if case.kind == VerdictKind::Unsettled && self.rules() >= rules::SECOND => {
                self.state.time.since(case.opened)
            }
            Some(_) => return None,
        };
        Some(Doubted { host, age })
    }

    fn brake_for(&mut self, crossed: &Crossed, doubted: &[Doubted]) {
        let grounds = GroundsKept {
            anchor: self.anchor(),
            digest: digest_of(doubted),
            against: Vec::new(),
            well: Vec::new(),
            vacant: Vec::new(),
            sights: Vec::new(),
        };
        let scope = Scope::Fleet;
        // At the bound of open cases the brake stands all the same, under the number of the last case.
        let case = self.new_case(scope, VerdictKind::Surge, grounds);
        let id = case.as_ref().map_or(self.state.cases.last(), |case| case.id);
        self.state.brakes.surge =
            Some(Surge { case: id, doubted: digest_of(doubted), changed: self.state.time });
        if let Ok(mut case) = case {
            let hosts: BTreeSet<HostId> = doubted.iter().map(|doubt| doubt.host).collect();
            case.name_members(&self.one_of_each_zone_first(hosts));
            self.open_for_a_person(case, &crossed.to_string());
        }
    }

    /// Where not all can be named, under rules 2 one of each zone is, so that those who are named say whether the surge is of one
    /// zone alone.
    fn one_of_each_zone_first(&self, hosts: BTreeSet<HostId>) -> Vec<HostId> {
        if self.rules() < rules::SECOND || hosts.len() <= Case::MEMBERS_NAMED_MAX {
            return hosts.into_iter().collect();
        }
        let mut zones = BTreeSet::new();
        let is_first = |host: &HostId| {
            let entry = self.state.roster.get(host);
            entry.is_some_and(|entry| zones.insert(entry.claims.domain.zone()))
        };
        let (first, others): (Vec<_>, Vec<_>) = hosts.into_iter().partition(is_first);
        first.into_iter().chain(others).collect()
    }

    fn in_domain_cases(&self) -> BTreeSet<HostId> {
        let scopes: Vec<_> = self.domain_cases().map(|case| &case.subject).collect();
        if scopes.is_empty() {
            return BTreeSet::new();
        }
        let hosts = self.roster().present();
        hosts
            .filter(|(_, entry)| scopes.iter().any(|scope| covers(scope, &entry.claims.domain)))
            .map(|(host, _)| *host)
            .collect()
    }
}

fn digest_of(doubted: &[Doubted]) -> Digest {
    let hosts: BTreeSet<HostId> = doubted.iter().map(|doubt| doubt.host).collect();
    let parts: Vec<&[u8]> = hosts.iter().map(|host| host.0.as_slice()).collect();
    Digest::of(&parts)
}
