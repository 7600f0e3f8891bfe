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
    let cluster = claims.first().map(|claims| claims.cluster.clone());
    let Some(mut roster) = cluster.map(Roster::new) else {
        return Vec::new();
    };
    roster.put_all(claims.iter().map(|claims| {
        let key = ModelSigner::new(&claims.host).public_key();
        Entry::enrolled(claims.clone(), key, LedgerIndex(1))
    }));
    let seating = Seating::new(&roster);
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
