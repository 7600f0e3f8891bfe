//! Who is looked at with those in doubt, and who goes first where a second has no room for all (protocol 3.7)?
//!
//! Law D5: where not all that are due have room, whole racks go together, those without a case or for whose look somebody waits first, then
//! those that observe them (law D13 of `fitting`); a part of the room belongs to whoever has waited longest, so that no subject is passed over for ever.
//! Not here: when a set begins (see `rounds`), what it shows (see `verdict`).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vocabulary::{Domain, HostId, Moment, Scope, Zone};

use super::{ROUNDS_PER_SECOND, Rounds, Subjects, WIDEN_EVERY};

/// Of a second's rounds so many go to those that have waited longest, whoever they are: the hosts of open cases are looked at
/// again while others are still to be judged.
const ROOM_BY_WAITING: usize = ROUNDS_PER_SECOND / 5;

/// What is still to be found of a rack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// A verdict of its own, or a look that somebody waits for.
    #[default]
    Judged,
    /// That it is silent, for the verdict on another: law D13.
    Observes,
    /// Nothing: its verdicts stand, or it has a case.
    Stands,
}

/// The hosts of one rack that are due.
#[derive(Debug, Default)]
struct Mates {
    hosts: Vec<HostId>,
    /// When the one that has waited longest was last looked at.
    last: Option<Moment>,
    turn: Turn,
    /// No host of the rack that is to be looked at was just looked at without it.
    is_whole: bool,
}

impl Rounds {
    /// protocol 3.7: most of a zone is in doubt, so its other hosts are looked at with them; else one host that nobody has missed
    /// yet makes many dark racks of one dark zone. Of a zone of more hosts than a second has rounds for it is the other hosts of
    /// the racks that somebody doubts: a rack is judged as a whole or not at all.
    pub(super) fn widen(&mut self, now: Moment, subjects: &Subjects) {
        self.widened.retain(|_, at| now.since(*at) < WIDEN_EVERY);
        let Some(roster) = self.standing.as_ref().map(|standing| Arc::clone(&standing.roster))
        else {
            return;
        };
        let place = |host: &HostId| roster.get(host).map(|entry| &entry.claims.domain);
        let mut zones: BTreeMap<Zone, BTreeSet<&Domain>> = BTreeMap::new();
        for place in subjects.keys().filter_map(place) {
            zones.entry(place.zone()).or_default().insert(place);
        }
        zones.retain(|zone, _| !self.widened.contains_key(zone));
        for (zone, racks) in zones {
            let is_in = |at: &Domain| at.zone == zone.zone && at.region == zone.region;
            let present = roster.present().filter(|(_, entry)| is_in(&entry.claims.domain));
            let hosts: Vec<HostId> = present.map(|(host, _)| *host).collect();
            if !self.doubts.are_of_most(&hosts) {
                continue;
            }
            let is_small = hosts.len() <= ROUNDS_PER_SECOND;
            let is_mate = |host: &HostId| place(host).is_some_and(|place| racks.contains(place));
            let others = hosts.into_iter().filter(|host| !subjects.contains_key(host));
            for host in others.filter(|host| is_small || is_mate(host)) {
                self.wanted.entry(host).or_default();
            }
            self.widened.insert(zone, now);
        }
    }

    /// Law D5.
    pub(super) fn first_of(&self, due: Vec<HostId>, room: usize) -> Vec<HostId> {
        let mut racks = self.racks_of(due);
        let by_waiting = room.min(ROOM_BY_WAITING);
        racks.sort_by_key(|mates| (mates.turn, Reverse(mates.is_whole), mates.last));
        let mut first = Vec::new();
        let mut rest = take_whole(racks, room - by_waiting, &mut first);
        rest.sort_by_key(|mates| mates.last);
        let rest = take_whole(rest, room, &mut first);
        // Those are too large for what room is left: a rack of more hosts than a second has rounds for is never looked at whole.
        let mut parted: Vec<HostId> = rest.into_iter().flat_map(|mates| mates.hosts).collect();
        parted.sort_by_key(|host| self.pace.last(host));
        let left = room - first.len();
        first.extend(parted.into_iter().take(left));
        first
    }

    fn racks_of(&self, due: Vec<HostId>) -> Vec<Mates> {
        let Some(standing) = &self.standing else {
            return Vec::new();
        };
        let place = |host: &HostId| Some(&standing.roster.get(host)?.claims.domain);
        let is_due: BTreeSet<HostId> = due.iter().copied().collect();
        let subjects = self.subjects();
        let others = subjects.keys().filter(|host| !is_due.contains(host));
        let broken: BTreeSet<&Domain> = others.filter_map(place).collect();
        let awaited = due.iter().filter(|host| self.is_awaited(host));
        let observers: BTreeSet<HostId> =
            awaited.clone().flat_map(|host| standing.seating.observers(host)).copied().collect();
        let awaited: BTreeSet<&Domain> = awaited.filter_map(place).collect();
        let mut racks: BTreeMap<&Domain, Mates> = BTreeMap::new();
        for host in due {
            let Some(rack) = place(&host) else {
                continue;
            };
            let last = self.pace.last(&host);
            let mates = racks.entry(rack).or_insert_with(|| Mates {
                last,
                turn: if awaited.contains(rack) && !self.is_judged(rack) {
                    Turn::Judged
                } else {
                    Turn::Stands
                },
                is_whole: !broken.contains(rack),
                ..Mates::default()
            });
            mates.last = mates.last.min(last);
            if observers.contains(&host) {
                mates.turn = mates.turn.min(Turn::Observes);
            }
            mates.hosts.push(host);
        }
        racks.into_values().collect()
    }

    fn is_judged(&self, rack: &Domain) -> bool {
        let is_judged = |scope: Scope| self.judged.contains(&scope);
        !self.judged.is_empty()
            && (is_judged(Scope::Zone(rack.zone())) || is_judged(Scope::Rack(rack.clone())))
    }
}

/// Takes racks in order as long as there is room for the whole of each, and gives back those that have none.
fn take_whole(racks: Vec<Mates>, room: usize, taken: &mut Vec<HostId>) -> Vec<Mates> {
    let mut left = Vec::new();
    for mates in racks {
        if taken.len() + mates.hosts.len() <= room {
            taken.extend(mates.hosts);
        } else {
            left.push(mates);
        }
    }
    left
}
