//! What a fleet's size and layout allow the mesh to conclude, for `hale status` (protocol 3.4, 3.5).
//!
//! Not here: the words; this room gives the figures and the reasons behind them.

use std::collections::BTreeMap;

use vocabulary::{Domain, HostId, Zone};

use super::HOSTS_MIN;
use super::tally::{THREE_ROUNDS_UP_TO, needed, tolerated};
use crate::roster::Roster;
use crate::seats::SEATS_MAX;

/// What a calm fleet of this size allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// N.
    pub hosts: usize,
    /// K.
    pub seats: usize,
    /// How many zones there are.
    pub zones: usize,
    /// How many racks there are, over all zones.
    pub racks: usize,
    /// Whether peers can come to any verdict at all: from three hosts on.
    pub is_judged_by_peers: bool,
    /// f: how many lying or mistaken hosts a verdict survives.
    pub tolerated: usize,
    /// How many voices a verdict needs while all seats are filled.
    pub needed: usize,
    /// How many observers of one subject may be dead with it before nothing can be concluded about it any more.
    pub dead_observers_max: usize,
    /// Disruptive and destructive rungs need three consecutive rounds.
    pub needs_three_rounds: bool,
    /// Hosts alone in their zone: no witness can stand beside them, so that their silence is `DomainDown` and a person's.
    pub alone_in_zone: Vec<HostId>,
    /// Zones that hold half of the hosts or more: their loss is a surge, and what is left may be no majority of anything.
    pub half_zones: Vec<Zone>,
}

/// Reads size and layout of a roster.
pub fn allows(roster: &Roster) -> Allowance {
    let hosts = roster.present_count();
    let seats = SEATS_MAX.min(hosts.saturating_sub(1));
    let mut zones: BTreeMap<Zone, Vec<HostId>> = BTreeMap::new();
    let mut racks: BTreeMap<&Domain, usize> = BTreeMap::new();
    for (host, entry) in roster.present() {
        let domain = &entry.claims.domain;
        zones.entry(domain.zone()).or_default().push(*host);
        *racks.entry(domain).or_default() += 1;
    }
    let is_judged_by_peers = hosts >= HOSTS_MIN;
    Allowance {
        hosts,
        seats,
        zones: zones.len(),
        racks: racks.len(),
        is_judged_by_peers,
        tolerated: tolerated(seats),
        needed: needed(seats, seats),
        dead_observers_max: seats.saturating_sub(needed(seats, 0)),
        needs_three_rounds: is_judged_by_peers && seats <= THREE_ROUNDS_UP_TO,
        alone_in_zone: zones.values().filter(|zone| zone.len() == 1).flatten().copied().collect(),
        half_zones: zones
            .iter()
            .filter(|(_, zone)| zone.len() * 2 >= hosts)
            .map(|(zone, _)| zone.clone())
            .collect(),
    }
}
