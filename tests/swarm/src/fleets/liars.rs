//! Whom a fleet bears as liars: never more among a subject's observers than its verdicts tolerate.
//!
//! Law I1: of no subject's K observers more than f lie, f as protocol 3.4 has it.
//! Law I2: no keeper lies: Raft is trusted to crash, not to lie (protocol 1.6).

use std::ops::ControlFlow;

use detection::roster::{Entry, Roster};
use detection::seats::Seating;
use simulator::script::Script;
use vocabulary::{Claims, HostId, LedgerIndex, ModelSigner, Signer as _};

use super::drawing::Luck;
use super::plan::{Plan, Spot};

/// protocol 3.4: from so many filled seats on one liar is borne, below it none.
const SEATS_FOR_ONE: usize = 4;

/// The names of as many as would be borne together if seats hung on ids alone, drawn from the hosts that are no keepers.
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

/// Law I1: seats hang on lots, and lots on all that was enrolled. Whoever is one too many then lies no more, the last first.
pub(super) fn fitted(mut plan: Plan) -> Plan {
    while !plan.bears_its_liars() {
        let lies = plan.acts.iter_mut().rev().find(|act| act.order.starts_with("lie "));
        let Some(act) = lies else {
            return plan;
        };
        let words: Vec<&str> = act.order.split_whitespace().collect();
        match words.as_slice() {
            ["lie", names @ .., _, how] if !names.is_empty() => {
                let names = names.join(" ");
                (act.order, act.undo) =
                    (format!("lie {names} {how}"), Some(format!("lie {names} ends")));
            }
            _ => plan.acts.retain(|act| !act.order.starts_with("lie ")),
        }
    }
    plan
}

/// Law I1, as the fleet sits once everybody has enrolled; of one that cannot be founded nobody is borne.
pub(super) fn are_borne(founding: &str, lying: &[&str]) -> bool {
    let script = Script::read(founding);
    let fleet = script.and_then(|script| script.play_watched(&mut |_| ControlFlow::Continue(())));
    fleet.is_ok_and(|fleet| {
        let seating = fleet.ledger().seating();
        let lies = |host: &&HostId| lying.contains(&fleet.name_of(host).as_str());
        let lying: Vec<HostId> = seating.hosts().iter().filter(lies).copied().collect();
        is_borne(seating, &lying)
    })
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
