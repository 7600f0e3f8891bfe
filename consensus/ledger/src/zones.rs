//! Racks that have become a dark zone are one trouble and one case (protocol 3.5, under rules 2).
//!
//! A zone of more hosts than a second has rounds for is never seen dark by one set of rounds: its racks are, one after the other.
//!
//! Law K4: with the verdict that makes it so, a zone all of whose hosts are dark by their racks' open cases is one case.
//! Law K5: inside an open case of a domain no other domain's is open.
//! Not here: what makes a domain dark (see `detection::verdict`), how it comes back (see `endings`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use detection::verdict::tolerated;
use vocabulary::{CaseId, Domain, HostId, Scope, VerdictKind, Zone};

use crate::case::{Case, GroundsKept};
use crate::command::{Doubted, Refused};
use crate::judging::Judged;
use crate::ledger::Ledger;
use crate::rules;
use crate::verdicts::{covers, holds};

/// A zone's hosts must have been missed by so many from outside their racks, as those of a dark rack have (protocol 3.5).
const OUTSIDE_VOICES: usize = 2;

/// What is known to be dark of one zone.
#[derive(Default)]
struct Dark {
    racks: BTreeSet<Domain>,
    /// Hosts alone in their racks.
    alone: BTreeSet<HostId>,
}

impl Ledger {
    /// How many hosts a domain has.
    pub fn hosts_in(&self, scope: &Scope) -> usize {
        self.derived.census.total(scope) as usize
    }

    /// The open case of this domain, or of one that holds it.
    pub fn domain_case_of(&self, scope: &Scope) -> Option<&Arc<Case>> {
        self.domain_cases().find(|case| holds(&case.subject, scope))
    }

    /// The hosts of a domain's open case that nobody has seen well again, in order.
    pub fn dark_hosts(&self, case: &Case) -> Vec<HostId> {
        let well = self.state.well_again.get(&case.id);
        let is_dark = |host: &HostId| well.is_none_or(|well| !well.contains(host));
        let mut hosts = self.hosts_of(&case.subject);
        hosts.retain(is_dark);
        hosts
    }

    /// Whether some of its hosts have been seen well since it was known to be dark.
    pub fn is_coming_back(&self, case: CaseId) -> bool {
        self.state.well_again.contains_key(&case)
    }

    /// All of it is silent in a round again: what was seen well before is not.
    pub(crate) fn dark_again(&mut self, case: CaseId) {
        if self.rules() >= rules::SECOND && self.is_coming_back(case) {
            Arc::make_mut(&mut self.state.well_again).remove(&case);
        }
    }

    /// Law K4, for the zones that these grounds tell of.
    pub(crate) fn join_racks(&mut self, judged: &Judged, doubted: &[Doubted]) {
        if self.rules() < rules::SECOND {
            return;
        }
        for (zone, dark) in self.dark_zones(judged) {
            if let Some(hosts) = self.whole(&zone, &dark) {
                self.become_zone(Scope::Zone(zone), &hosts, (judged, doubted));
            }
        }
    }

    /// By zone, what is dark of those that were looked at and have no case of their own. An open case of a rack needs no age: its
    /// leader looks at it every second or two, and what is seen well again, by the round at hand too, is no part of this.
    fn dark_zones(&self, judged: &Judged) -> BTreeMap<Zone, Dark> {
        let place = |host: &HostId| Some(&self.roster().get(host)?.claims.domain);
        let looked = judged.conclusions.hosts.keys().filter_map(place).map(Domain::zone);
        let looked: BTreeSet<Zone> = looked.collect();
        let mut dark: BTreeMap<Zone, Dark> = looked
            .into_iter()
            .filter(|zone| self.domain_case_of(&Scope::Zone(zone.clone())).is_none())
            .map(|zone| (zone, Dark::default()))
            .collect();
        let well = self.racks_with_a_host_seen_well(judged);
        for case in self.state.cases.open() {
            match &case.subject {
                Scope::Rack(rack) if !self.is_coming_back(case.id) && !well.contains(rack) => {
                    dark.get_mut(&rack.zone()).map(|dark| dark.racks.insert(rack.clone()));
                }
                Scope::Host(host) if self.is_known_dark(case, host) => {
                    let rack = place(host).filter(|rack| !well.contains(rack));
                    let own = rack.and_then(|rack| dark.get_mut(&rack.zone()));
                    own.map(|dark| dark.alone.insert(*host));
                }
                _ => {}
            }
        }
        for host in &judged.conclusions.alone {
            let own = place(host).and_then(|place| dark.get_mut(&place.zone()));
            own.map(|dark| dark.alone.insert(*host));
        }
        dark
    }

    fn racks_with_a_host_seen_well(&self, judged: &Judged) -> BTreeSet<&Domain> {
        let place = |host: &HostId| Some(&self.roster().get(host)?.claims.domain);
        let looked = judged.conclusions.hosts.keys();
        looked.filter(|host| judged.conclusions.is_well(host)).filter_map(place).collect()
    }

    /// A host alone in its rack has no rack's case. Where a doubt of it is unsettled by enough words, and not one more than may lie
    /// sees it well, it is as dark as a rack would be.
    fn is_known_dark(&self, case: &Case, host: &HostId) -> bool {
        let place = self.state.roster.get(host).map(|entry| &entry.claims.domain);
        let is_alone = place.is_some_and(|rack| self.hosts_in(&Scope::Rack(rack.clone())) == 1);
        is_alone
            && case.kind == VerdictKind::Unsettled
            && case.grounds.against.len() >= OUTSIDE_VOICES
            && case.grounds.well.len() <= tolerated(self.seating().seats())
    }

    /// The hosts of a zone, if all are dark.
    fn whole(&self, zone: &Zone, dark: &Dark) -> Option<Vec<HostId>> {
        // Counted first: a walk over the roster for each zone that is far from dark would cost a large fleet too much.
        let racks = dark.racks.iter().map(|rack| self.hosts_in(&Scope::Rack(rack.clone())));
        let most = racks.sum::<usize>() + dark.alone.len() + self.duplicates().len();
        let scope = Scope::Zone(zone.clone());
        if most < self.hosts_in(&scope) || (dark.racks.is_empty() && dark.alone.is_empty()) {
            return None;
        }
        let hosts = self.hosts_of(&scope);
        let is_dark = |host: &HostId| {
            let rack = self.state.roster.get(host).map(|entry| &entry.claims.domain);
            dark.alone.contains(host) || rack.is_some_and(|rack| dark.racks.contains(rack))
        };
        hosts.iter().all(is_dark).then_some(hosts)
    }

    /// The hosts of a rack or zone. Whichever of two machines speaks under one name neither saves it nor condemns it (protocol 1.2).
    pub fn hosts_of(&self, scope: &Scope) -> Vec<HostId> {
        let two = self.duplicates();
        let present = self.roster().present();
        let own = present.filter(|(_, entry)| covers(scope, &entry.claims.domain));
        own.map(|(host, _)| *host).filter(|host| !two.contains(host)).collect()
    }

    /// The oldest of its racks' cases is the zone's from now on, with the zone's own hour; the others are part of it.
    fn become_zone(
        &mut self,
        zone: Scope,
        hosts: &[HostId],
        (judged, doubted): (&Judged, &[Doubted]),
    ) {
        let oldest = self.domain_cases().find(|case| holds(&zone, &case.subject)).cloned();
        let kept = judged.kept(self, &zone);
        let Ok(mut case) = self.new_zone_case(oldest.as_deref(), zone, kept) else {
            return;
        };
        case.name_members(hosts);
        Arc::make_mut(&mut self.state.well_again).remove(&case.id);
        let id = self.open_domain(case, doubted);
        let is_inside = |case: &&Arc<Case>| case.id != id && self.is_over(id, &case.subject);
        assert!(
            self.domain_cases().find(is_inside).is_none(),
            "law K5: inside an open case of a domain no other domain's is open"
        );
    }

    fn new_zone_case(
        &mut self,
        oldest: Option<&Case>,
        zone: Scope,
        kept: GroundsKept,
    ) -> Result<Case, Refused> {
        let Some(oldest) = oldest else {
            return self.new_case(zone, VerdictKind::DomainDown, kept);
        };
        let now = self.state.time;
        Ok(Case {
            subject: zone,
            grounds: kept,
            opened: now,
            opened_wall: self.state.wall,
            opened_at: self.state.index,
            stands_since: now,
            upheld_at: now,
            ..oldest.clone()
        })
    }

    fn is_over(&self, outer: CaseId, scope: &Scope) -> bool {
        self.state.cases.get(outer).is_some_and(|case| holds(&case.subject, scope))
    }
}
