//! Whole racks and zones in the dark, and the witness without whom no host is called dead (protocol 3.5).
//!
//! Law V2: no host verdict while its whole domain is in doubt: from inside the mesh a cut domain and a dead one look alike.
//! Not here: what a person or an out-of-band witness may conclude (see `ledger`).

use std::collections::{BTreeMap, BTreeSet};

use vocabulary::{Domain, HostId, Scope};

use super::grounds::VerifiedGrounds;
use super::tally::Tally;
use crate::roster::Roster;
use crate::seats::Seating;

/// protocol 3.5: so many voices from outside, for each of its hosts.
const OUTSIDE_VOICES: usize = 2;

/// protocol 3.5: a rack of one is no domain of its own; a zone of any size is one.
const RACK_HOSTS_MIN: usize = 2;

/// A whole rack or zone is silent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DomainVerdict {
    /// The largest such domain: a zone rather than its racks.
    pub scope: Scope,
    /// All its hosts, in the order of ids.
    pub hosts: Vec<HostId>,
}

/// What is known of all subjects when domains and witnesses are judged.
pub(super) struct Evidence<'a> {
    pub roster: &'a Roster,
    pub seating: &'a Seating,
    pub grounds: &'a VerifiedGrounds,
    pub tallies: &'a BTreeMap<HostId, Tally>,
    pub silent: &'a BTreeSet<HostId>,
}

impl Evidence<'_> {
    /// The largest domains of which every host is silent; and the hosts in the dark that stand alone in their racks, outside
    /// of these: no domain by themselves, they may be the rest of one.
    pub fn dark_domains(&self) -> (Vec<DomainVerdict>, BTreeSet<HostId>) {
        let (mut found, mut alone) = (Vec::<DomainVerdict>::new(), BTreeSet::new());
        for host in self.silent.difference(&self.grounds.mute) {
            let Some(domain) = self.place(host) else {
                continue;
            };
            if found.iter().any(|verdict| verdict.hosts.contains(host)) {
                continue;
            }
            let (zone, rack) = (Self::zone(domain), Self::rack(domain));
            if let Some(hosts) = self.dark(&zone, 1) {
                found.retain(|verdict| !verdict.hosts.iter().all(|host| hosts.contains(host)));
                found.push(DomainVerdict { scope: zone, hosts });
            } else if let Some(hosts) = self.dark(&rack, 1) {
                if hosts.len() >= RACK_HOSTS_MIN {
                    found.push(DomainVerdict { scope: rack, hosts });
                } else {
                    alone.extend(hosts);
                }
            }
        }
        found.sort_unstable();
        (found, alone)
    }

    /// The hosts that could be a witness for the subject: of its rack, or, if it is alone there, of its zone.
    pub fn candidates(&self, subject: &HostId) -> (Scope, Vec<HostId>) {
        let Some(domain) = self.place(subject) else {
            return (Scope::Fleet, Vec::new());
        };
        let scope = match self.members(&Self::rack(domain)).len() {
            0 | 1 => Self::zone(domain),
            _ => Self::rack(domain),
        };
        let mut candidates = self.members(&scope);
        candidates.retain(|host| host != subject);
        (scope, candidates)
    }

    /// protocol 3.5: it attested since the anchor, or more than f voices prove it alive.
    pub fn is_witness(&self, host: &HostId) -> bool {
        let is_proven = |tally: &Tally| {
            let proofs = (0..tally.seats)
                .filter(|&seat| tally.well.contains(seat) || tally.proving.contains(seat));
            proofs.count() > tally.tolerated()
        };
        self.grounds.has_spoken(host) || self.tallies.get(host).is_some_and(is_proven)
    }

    /// The hosts of a domain if all of them are silent and proven so from outside.
    fn dark(&self, scope: &Scope, hosts_min: usize) -> Option<Vec<HostId>> {
        let hosts = self.members(scope);
        let is_dark = |host: &HostId| {
            self.silent.contains(host)
                && self.tallies.get(host).is_some_and(|tally| {
                    let outside = tally
                        .against
                        .hosts(self.seating.observers(host))
                        .filter(|observer| hosts.binary_search(observer).is_err());
                    outside.count() >= OUTSIDE_VOICES && tally.proving.count() <= tally.tolerated()
                })
        };
        (hosts.len() >= hosts_min && hosts.iter().all(is_dark)).then_some(hosts)
    }

    fn members(&self, scope: &Scope) -> Vec<HostId> {
        let stands_in = |domain: &Domain| match scope {
            Scope::Rack(rack) => domain == rack,
            Scope::Zone(zone) => domain.zone == zone.zone && domain.region == zone.region,
            Scope::Host(_) | Scope::Group(_) | Scope::Fleet => false,
        };
        // protocol 1.2: whichever of two machines speaks or is silent under one name neither saves its domain nor condemns it.
        let is_one = |host: &HostId| !self.grounds.mute.contains(host);
        let present = self.roster.present();
        present
            .filter(|(host, entry)| is_one(host) && stands_in(&entry.claims.domain))
            .map(|(host, _)| *host)
            .collect()
    }

    fn place(&self, host: &HostId) -> Option<&Domain> {
        self.roster.get(host).map(|entry| &entry.claims.domain)
    }

    fn zone(domain: &Domain) -> Scope {
        Scope::Zone(domain.zone())
    }

    fn rack(domain: &Domain) -> Scope {
        Scope::Rack(domain.clone())
    }
}
