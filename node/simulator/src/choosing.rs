//! Which hosts a script means that names none: the first, second, third host, rack or zone, or a share of the fleet.
//!
//! Law C1: the choice follows from the roster alone, so that one script can be played on any fleet.
//! Law C2: whom nobody answers to is a fault with what there is; nothing is struck instead.
//! Not here: who leads and who heals, which is known only at the moment (see `strike`).

use std::collections::{BTreeMap, BTreeSet};

use vocabulary::Claims;

use crate::fault::Whom;
use crate::host::Place;

/// What a copy's name ends with (see `host`).
const MARK: char = '\'';

/// Who is meant; nobody where it depends on the moment.
pub(crate) fn chosen(hosts: &[&Claims], whom: &Whom) -> Result<Vec<Place>, String> {
    let places = match whom {
        Whom::Leader | Whom::Healer => return Ok(Vec::new()),
        Whom::Named(name) => {
            let name = name.trim_end_matches(MARK);
            those(hosts, |claims| claims.host.as_str() == name)
        }
        Whom::Zone(zone) => those(hosts, |claims| claims.domain.zone.as_str() == zone),
        Whom::Rack(rack) => those(hosts, |claims| claims.domain.rack.as_str() == rack),
        Whom::NthHost(number) => nth(&in_turn(hosts), *number, "hosts").map(|place| vec![place])?,
        Whom::NthZone(number) => nth(&zones(hosts), *number, "zones")?,
        Whom::NthRack(number) => nth(&racks(hosts), *number, "racks")?,
        Whom::Share(permille) => {
            let share = hosts.len().saturating_mul(*permille as usize).div_ceil(1_000);
            in_turn(hosts).into_iter().take(share).collect()
        }
    };
    if places.is_empty() { Err(nobody(whom)) } else { Ok(places) }
}

fn nobody(whom: &Whom) -> String {
    match whom {
        Whom::Zone(zone) => format!("no host stands in zone {zone:?}"),
        Whom::Rack(rack) => format!("no host stands in rack {rack:?}"),
        Whom::Named(name) => format!("{name:?} is none of the hosts"),
        Whom::Leader
        | Whom::Healer
        | Whom::NthHost(_)
        | Whom::NthZone(_)
        | Whom::NthRack(_)
        | Whom::Share(_) => String::from("there are no such hosts"),
    }
}

/// All hosts, dealt over the zones, those that are no keepers first: neighbours in this order share as little as they can.
fn in_turn(hosts: &[&Claims]) -> Vec<Place> {
    let mut dealt: BTreeMap<(bool, &str), usize> = BTreeMap::new();
    let mut order: Vec<(bool, usize, &str, Place)> = Vec::new();
    for (place, claims) in hosts.iter().enumerate() {
        let (is_keeper, zone) = (claims.roles.keeper, claims.domain.zone.as_str());
        let round = dealt.entry((is_keeper, zone)).or_default();
        order.push((is_keeper, *round, zone, place));
        *round += 1;
    }
    order.sort_unstable();
    order.into_iter().map(|(.., place)| place).collect()
}

fn zones(hosts: &[&Claims]) -> Vec<Vec<Place>> {
    let names: BTreeSet<&str> = hosts.iter().map(|claims| claims.domain.zone.as_str()).collect();
    let of = |zone: &str| those(hosts, |claims| claims.domain.zone.as_str() == zone);
    names.into_iter().map(of).collect()
}

/// Those of several hosts first, and among them those without a keeper.
fn racks(hosts: &[&Claims]) -> Vec<Vec<Place>> {
    let mut racks: BTreeMap<(&str, &str), Vec<Place>> = BTreeMap::new();
    for (place, claims) in hosts.iter().enumerate() {
        let path = (claims.domain.zone.as_str(), claims.domain.rack.as_str());
        racks.entry(path).or_default().push(place);
    }
    let mut racks: Vec<Vec<Place>> = racks.into_values().collect();
    let has_keeper = |rack: &Vec<Place>| rack.iter().any(|place| hosts[*place].roles.keeper);
    racks.sort_by_key(|rack| (rack.len() == 1, has_keeper(rack)));
    racks
}

fn those(hosts: &[&Claims], is_meant: impl Fn(&Claims) -> bool) -> Vec<Place> {
    (0..hosts.len()).filter(|place| is_meant(hosts[*place])).collect()
}

/// Counted from 1.
fn nth<T: Clone>(all: &[T], number: usize, what: &str) -> Result<T, String> {
    let found = number.checked_sub(1).and_then(|index| all.get(index)).cloned();
    found.ok_or_else(|| format!("there is no number {number} of {} {what}", all.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::Setup;

    fn names(setup: &Setup, whom: &Whom) -> Result<Vec<String>, String> {
        let claims: Vec<&Claims> = setup.hosts.iter().collect();
        let places = chosen(&claims, whom)?;
        Ok(places.iter().map(|place| claims[*place].host.to_string()).collect())
    }

    #[test]
    fn hosts_are_dealt_over_zones_and_keepers_come_last() {
        let demo = Setup::demo(1);
        let hosts: Vec<Vec<String>> =
            (1..=6).map(|number| names(&demo, &Whom::NthHost(number)).expect("six")).collect();
        assert_eq!(hosts.concat(), ["a2", "b2", "c2", "a1", "b1", "c1"]);
        assert_eq!(names(&demo, &Whom::Share(300)).expect("some"), ["a2", "b2"]);
        assert_eq!(names(&demo, &Whom::NthZone(2)).expect("b"), ["b1", "b2"]);
    }

    #[test]
    fn a_rack_of_several_hosts_without_a_keeper_comes_first() {
        let grid = Setup::grid(12, 3, 1);
        assert_eq!(names(&grid, &Whom::NthRack(1)).expect("a rack"), ["h6", "h9"]);
        assert_eq!(names(&grid, &Whom::NthRack(4)).expect("a rack"), ["h0", "h3"]);
    }

    #[test]
    fn whom_nobody_answers_to_is_named_with_what_there_is() {
        let demo = Setup::demo(1);
        let fault = |whom: Whom| names(&demo, &whom).expect_err("nobody");
        assert_eq!(fault(Whom::NthHost(7)), "there is no number 7 of 6 hosts");
        assert_eq!(fault(Whom::NthZone(0)), "there is no number 0 of 3 zones");
        assert_eq!(fault(Whom::Zone("d".into())), "no host stands in zone \"d\"");
        assert_eq!(fault(Whom::Named("a9".into())), "\"a9\" is none of the hosts");
        assert_eq!(names(&demo, &Whom::Named("a2'".into())).expect("a copy"), ["a2"]);
        assert_eq!(names(&demo, &Whom::Leader), Ok(Vec::new()));
    }
}
