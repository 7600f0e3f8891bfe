//! Whom a fleet bears as liars: never more among a subject's observers than its verdicts tolerate.
//!
//! Law I1: of no subject's K observers more than f lie, f as protocol 3.4 has it.
//! Law I2: no keeper lies: Raft is trusted to crash, not to lie (protocol 1.6).

use detection::roster::{Entry, Roster};
use detection::seats::Seating;
use vocabulary::{Claims, HostId, LedgerIndex, ModelSigner, Signer as _};

use super::drawing::Luck;
use super::plan::Spot;

/// protocol 3.4: from so many filled seats on one liar is borne, below it none.
const SEATS_FOR_ONE: usize = 4;

/// The names of as many as are borne together, drawn from the hosts that are no keepers.
pub(super) fn liars(luck: &mut Luck, hosts: &[Spot]) -> Vec<String> {
    let claims: Vec<Claims> = hosts.iter().filter_map(claims_of).collect();
    let Some(seating) = seating_of(&claims) else {
        return Vec::new();
    };
    let mut lying: Vec<(HostId, String)> = Vec::new();
    for _ in 0..hosts.len() {
        let drawn = luck.from(0, hosts.len() - 1);
        let (spot, id) = (&hosts[drawn], claims[drawn].id());
        let is_new = !spot.is_keeper && lying.iter().all(|(other, _)| *other != id);
        let with: Vec<HostId> = lying.iter().map(|(other, _)| *other).chain([id]).collect();
        if is_new && is_borne(&seating, &with) {
            lying.push((id, spot.name.clone()));
        }
    }
    lying.into_iter().map(|(_, name)| name).collect()
}

/// Law I1, of a fleet from which hosts were taken away: fewer hosts have fewer seats, and other ones.
pub(super) fn are_borne(hosts: &[Spot], lying: &[&str]) -> bool {
    let claims: Vec<Claims> = hosts.iter().filter_map(claims_of).collect();
    let lies = |claims: &&Claims| lying.contains(&claims.host.to_string().as_str());
    let lying: Vec<HostId> = claims.iter().filter(lies).map(Claims::id).collect();
    seating_of(&claims).is_some_and(|seating| is_borne(&seating, &lying))
}

fn seating_of(claims: &[Claims]) -> Option<Seating> {
    let mut roster = Roster::new(claims.first()?.cluster.clone());
    roster.put_all(claims.iter().map(|claims| {
        let key = ModelSigner::new(&claims.host).public_key();
        Entry::enrolled(claims.clone(), key, LedgerIndex(1))
    }));
    Some(Seating::new(&roster))
}

/// How many of a subject's observers may lie (protocol 3.4).
pub fn borne(observers: usize) -> usize {
    usize::from(observers >= SEATS_FOR_ONE)
}

fn is_borne(seating: &Seating, lying: &[HostId]) -> bool {
    seating.hosts().iter().all(|subject| {
        let observers = seating.observers(subject);
        let count = observers.iter().filter(|observer| lying.contains(observer)).count();
        count <= borne(observers.len())
    })
}

fn claims_of(spot: &Spot) -> Option<Claims> {
    let place = simulator::setup::Place {
        rack: spot.rack.clone(),
        group: spot.group.clone(),
        ..simulator::setup::Place::new(&spot.name, &spot.zone)
    };
    place.claims().ok()
}
