//! Who looked, by which paths, what each saw, how fit it was, and how that added up.

use detection::verdict::{needed, tolerated};
use ledger::case::{Case, SightKept};
use vocabulary::{HostId, Path, PathReading, Reading};

use super::{Scene, count};
use crate::admin::answer::{PathSeen, VoiceSeen, Votes};

/// How the voices added up (protocol 3.3, 3.4).
pub fn votes(scene: &Scene<'_>, case: &Case) -> Votes {
    let grounds = &case.grounds;
    // protocol 3.10: its own word on a check is no vote of its observers, of whom none may have been asked.
    let is_vote = |author: &&HostId| !case.is_unfit() || case.host() != Some(**author);
    let votes = |authors: &[HostId]| count(authors.iter().filter(is_vote).count());
    if !has_observers(case) {
        return Votes { seats: 0, against: 0, well: 0, vacant: 0, needed: 0, tolerated: 0 };
    }
    let observers = case.host().map_or(0, |host| scene.ledger.seating().observers(&host).len());
    let filled = observers.saturating_sub(grounds.vacant.len());
    Votes {
        seats: count(observers),
        against: votes(&grounds.against),
        well: votes(&grounds.well),
        vacant: count(grounds.vacant.len()),
        needed: count(needed(observers, filled)),
        tolerated: count(tolerated(filled)),
    }
}

/// Whether its observers were asked: always but for a check that a host carries out alone (protocol 3.10).
fn has_observers(case: &Case) -> bool {
    let spoken = case.grounds.sights.iter().map(|sight| &sight.observer);
    let mut authors = spoken.chain(&case.grounds.vacant);
    !case.is_unfit() || authors.any(|author| case.host() != Some(*author))
}

/// Every observer's part, in the order of the seats.
pub fn voices(scene: &Scene<'_>, case: &Case) -> Vec<VoiceSeen> {
    let Some(host) = case.host() else {
        return Vec::new();
    };
    let grounds = &case.grounds;
    let spoken = grounds.against.iter().chain(&grounds.well).chain(&grounds.vacant);
    if spoken.clone().next().is_none() && grounds.sights.is_empty() {
        // A farewell: nobody was asked to look.
        return Vec::new();
    }
    let observers = scene.ledger.seating().observers(&host).iter();
    let mut observers: Vec<HostId> = observers.filter(|_| has_observers(case)).copied().collect();
    // Seats may have moved since; whoever spoke is shown.
    for observer in spoken.chain(grounds.sights.iter().map(|sight| &sight.observer)) {
        if !observers.contains(observer) {
            observers.push(*observer);
        }
    }
    observers.iter().map(|observer| voice(scene, case, observer)).collect()
}

fn voice(scene: &Scene<'_>, case: &Case, observer: &HostId) -> VoiceSeen {
    let grounds = &case.grounds;
    let sight = grounds.sights.iter().find(|sight| sight.observer == *observer);
    let said = if grounds.against.contains(observer) {
        "against"
    } else if grounds.well.contains(observer) {
        "well"
    } else if grounds.vacant.contains(observer) {
        "vacant"
    } else {
        "mute"
    };
    VoiceSeen {
        observer: scene.name(observer),
        domain: scene.domain(observer),
        said: said.to_owned(),
        paths: sight.map(|sight| paths(&sight.paths)).unwrap_or_default(),
        fitness: if case.is_unfit() { of_a_word(sight, said) } else { fitness(sight, said) },
    }
}

fn fitness(sight: Option<&SightKept>, said: &str) -> String {
    match sight {
        Some(SightKept { void: Some(why), .. }) => format!("its attestation is void: {why}"),
        Some(SightKept { discount: Some(why), .. }) => format!("discounted: {why}"),
        // protocol 2.5: its seat is vacant by its own word.
        Some(_) if said == "vacant" => "it never reached the subject, so it cannot tell".to_owned(),
        Some(_) if said == "mute" => "fit, but none of its paths could tell".to_owned(),
        Some(_) => "fit".to_owned(),
        None if said == "vacant" => "silent itself".to_owned(),
        None => "not heard in this round".to_owned(),
    }
}

/// What there is to say of a word on a check, beside what it says.
fn of_a_word(sight: Option<&SightKept>, said: &str) -> String {
    match (sight, said) {
        (Some(SightKept { void: Some(why), .. }), _) => format!("its word is void: {why}"),
        (Some(_), "vacant") => "it cannot tell".to_owned(),
        (Some(_), "mute") => "it answered; its word is not asked for".to_owned(),
        (Some(_), _) => "fit".to_owned(),
        (None, "vacant") => "gone, by the ledger".to_owned(),
        (None, _) => "not heard in this round".to_owned(),
    }
}

/// What paths gave, in words.
pub fn paths(readings: &[PathReading]) -> Vec<PathSeen> {
    let seen = |seen: &PathReading| PathSeen {
        path: path(seen.path),
        reading: reading(seen.reading).to_owned(),
    };
    readings.iter().map(seen).collect()
}

fn path(path: Path) -> String {
    match path {
        Path::Warm => "warm".to_owned(),
        Path::Stream => "stream".to_owned(),
        Path::FreshDial => "fresh dial".to_owned(),
        Path::NearRelay => "near relay".to_owned(),
        Path::FarRelay => "far relay".to_owned(),
        Path::AgentPort => "agent port".to_owned(),
        Path::NamedPort(port) => format!("port {port}"),
    }
}

fn reading(reading: Reading) -> &'static str {
    match reading {
        Reading::Answered => "answered",
        Reading::Refused => "refused",
        Reading::Accepted => "accepted",
        Reading::Silent => "silent",
        Reading::Absent => "absent",
    }
}
