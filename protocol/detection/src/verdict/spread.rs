//! Whether voices come from enough places (protocol 3.4).
//!
//! Law V1: no verdict without voices in enough domains.
//! Not here: how many voices it takes (see `tally`).

use vocabulary::{Domain, HostId};

use super::reason::NoVerdict;
use super::seat_set::SeatSet;
use crate::roster::Roster;

/// Where the filled seats stand in several zones, voices from two of them; else racks, likewise.
pub(crate) fn check(
    roster: &Roster,
    observers: &[HostId],
    filled: SeatSet,
    voices: SeatSet,
) -> Result<(), NoVerdict> {
    let places = |seats: SeatSet| -> Vec<&Domain> {
        let entries = seats.hosts(observers).filter_map(|host| roster.get(host));
        entries.map(|entry| &entry.claims.domain).collect()
    };
    let (filled, voices) = (places(filled), places(voices));
    let zone = |domain: &&Domain| (domain.region.clone(), domain.zone.clone());
    if is_spread(&filled, zone) {
        return if is_spread(&voices, zone) { Ok(()) } else { Err(NoVerdict::OneZoneOnly) };
    }
    if is_spread(&filled, |domain| (*domain).clone())
        && !is_spread(&voices, |domain| (*domain).clone())
    {
        return Err(NoVerdict::OneRackOnly);
    }
    Ok(())
}

/// Whether the places differ by this measure.
fn is_spread<T: PartialEq>(places: &[&Domain], measure: impl Fn(&&Domain) -> T) -> bool {
    let mut measured = places.iter().map(measure);
    let first = measured.next();
    measured.any(|place| Some(&place) != first.as_ref())
}
