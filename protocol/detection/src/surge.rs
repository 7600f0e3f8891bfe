//! Is it too much trouble at once to trust any verdict? Counted alike by the leader and by the ledger (protocol 3.6).
//!
//! Law P2: more than max(fleet 15 %, 2) hosts, more than max(zone 40 %, 2) hosts of one zone, or half of all hosts, in
//! doubt now whose doubt began inside 30 s, are a surge; hosts of a domain case are excepted. Under rules 2 so are, in a fleet of any
//! size, more than one second has rounds for.
//! Not here: the brake itself and what lifts it (see `ledger`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use vocabulary::{HostId, LedgerTime, Span, Zone};

use crate::roster::Roster;
use crate::rounds::ROUNDS_PER_SECOND;

/// Trouble that began inside this span counts as one.
pub const SURGE_WITHIN: Span = Span::seconds(30);
/// Of the fleet; a mesh that heals more at once is more often wrong about itself than right about its hosts.
pub const FLEET_PERCENT: usize = 15;
/// Of a zone.
pub const ZONE_PERCENT: usize = 40;
/// So many hosts are never a surge by percentage: two hosts of a small fleet may die in one half minute.
pub const HOSTS_ALWAYS: usize = 2;

/// protocol 3.6, rounds past their limit: of a large fleet 15 % are more than can be looked at together, so that they would be judged
/// one by one, by rounds that do not see each other.
pub const HOSTS_AT_MOST: usize = ROUNDS_PER_SECOND;

/// A doubt that stands, in ledger time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StandingDoubt {
    /// Who is in doubt.
    pub host: HostId,
    /// Since when.
    pub since: LedgerTime,
}

/// What has crossed its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Surge {
    /// Too much of the fleet.
    Fleet(Figures),
    /// Too much of one zone.
    Zone(Zone, Figures),
    /// Half of all hosts.
    Half(Figures),
}

/// How many, of how many, and how many are no surge yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Newly doubted hosts.
    pub doubted: usize,
    /// All hosts of the scope.
    pub hosts: usize,
    /// The most that is no surge.
    pub limit: usize,
}

/// Counts the doubts that began inside [`SURGE_WITHIN`] before `now`; `excepted` are the hosts of domain cases. Hosts that
/// do not belong to the mesh are not counted, and each host counts once. More than `at_most` are a surge whatever the fleet's size.
pub fn surge(
    roster: &Roster,
    doubts: &[StandingDoubt],
    excepted: &BTreeSet<HostId>,
    (now, at_most): (LedgerTime, usize),
) -> Option<Surge> {
    let fresh: BTreeSet<HostId> = doubts
        .iter()
        .filter(|doubt| now.since(doubt.since) <= SURGE_WITHIN && !excepted.contains(&doubt.host))
        .map(|doubt| doubt.host)
        .filter(|host| roster.get(host).is_some())
        .collect();
    if fresh.is_empty() {
        return None;
    }
    let (doubted, hosts) = (fresh.len(), roster.present_count());
    let whole = Figures { doubted, hosts, limit: limit(hosts, FLEET_PERCENT).min(at_most) };
    if whole.is_over() {
        return Some(Surge::Fleet(whole));
    }
    // With two hosts one doubt is half of all: peers can conclude nothing (protocol 3.4), so a person is called at once.
    if doubted * 2 >= hosts {
        return Some(Surge::Half(Figures { limit: hosts.div_ceil(2).saturating_sub(1), ..whole }));
    }
    zones(roster, &fresh)
        .into_iter()
        .find_map(|(zone, figures)| figures.is_over().then_some(Surge::Zone(zone, figures)))
}

/// The most hosts of so many that may be newly doubted without a surge.
pub fn limit(hosts: usize, percent: usize) -> usize {
    (hosts * percent / 100).max(HOSTS_ALWAYS)
}

fn zones(roster: &Roster, fresh: &BTreeSet<HostId>) -> BTreeMap<Zone, Figures> {
    let mut zones: BTreeMap<Zone, Figures> = BTreeMap::new();
    for host in fresh {
        if let Some(entry) = roster.get(host) {
            let zone = entry.claims.domain.zone();
            let figures = zones.entry(zone).or_insert(Figures { doubted: 0, hosts: 0, limit: 0 });
            figures.doubted += 1;
        }
    }
    for (_, entry) in roster.present() {
        if let Some(figures) = zones.get_mut(&entry.claims.domain.zone()) {
            figures.hosts += 1;
        }
    }
    for figures in zones.values_mut() {
        figures.limit = limit(figures.hosts, ZONE_PERCENT);
    }
    zones
}

impl Figures {
    fn is_over(&self) -> bool {
        self.doubted > self.limit
    }
}

impl fmt::Display for Surge {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, Figures { doubted, hosts, limit }) = match self {
            Self::Fleet(figures) => ("the fleet".to_owned(), figures),
            Self::Zone(zone, figures) => (format!("zone {zone}"), figures),
            Self::Half(figures) => ("the fleet, which is half of it".to_owned(), figures),
        };
        write!(
            out,
            "{doubted} of {hosts} hosts of {place} came into doubt within {SURGE_WITHIN}; at most {limit} are no surge"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::Entry;
    use vocabulary::{
        Claims, ClusterName, Domain, GroupName, HostName, Label, LedgerIndex, PublicKey, Roles,
    };

    fn fleet(zones: &[usize]) -> (Roster, Vec<HostId>) {
        let label = |text: &str| Label::new(text).expect("sound");
        let mut roster = Roster::new(ClusterName(label("test")));
        let mut hosts = Vec::new();
        for (zone, count) in zones.iter().enumerate() {
            for host in 0..*count {
                let claims = Claims {
                    cluster: ClusterName(label("test")),
                    host: HostName(label(&format!("h{zone}-{host}"))),
                    domain: Domain {
                        region: label("eu"),
                        zone: label(&format!("z{zone}")),
                        rack: label("r"),
                    },
                    group: GroupName(label("web")),
                    roles: Roles::default(),
                };
                hosts.push(claims.id());
                roster.put(Entry::enrolled(claims, PublicKey([1; 32]), LedgerIndex(1)));
            }
        }
        (roster, hosts)
    }

    fn at(seconds: u64) -> LedgerTime {
        LedgerTime::from_milliseconds(seconds * 1_000)
    }

    fn doubted(hosts: &[HostId], since: LedgerTime) -> Vec<StandingDoubt> {
        hosts.iter().map(|host| StandingDoubt { host: *host, since }).collect()
    }

    fn count(roster: &Roster, doubts: &[StandingDoubt]) -> Option<Surge> {
        surge(roster, doubts, &BTreeSet::new(), (at(100), HOSTS_AT_MOST))
    }

    #[test]
    fn fifteen_percent_of_a_fleet_is_no_surge_and_one_more_is() {
        let (roster, hosts) = fleet(&[25, 25, 25, 25]);
        let spread: Vec<HostId> = hosts.iter().step_by(6).take(16).copied().collect();
        assert_eq!(count(&roster, &doubted(&spread[..15], at(90))), None);
        assert!(matches!(
            count(&roster, &doubted(&spread, at(90))),
            Some(Surge::Fleet(Figures { doubted: 16, hosts: 100, limit: 15 }))
        ));
    }

    #[test]
    fn more_hosts_than_a_second_has_rounds_for_are_a_surge_of_any_fleet() {
        let (roster, hosts) = fleet(&[200, 200]);
        let spread: Vec<HostId> = hosts.iter().step_by(7).take(51).copied().collect();
        assert_eq!(count(&roster, &doubted(&spread[..50], at(90))), None);
        let figures = Figures { doubted: 51, hosts: 400, limit: 50 };
        assert_eq!(count(&roster, &doubted(&spread, at(90))), Some(Surge::Fleet(figures)));
        let uncapped =
            surge(&roster, &doubted(&spread, at(90)), &BTreeSet::new(), (at(100), usize::MAX));
        assert_eq!(uncapped, None, "15 % of 400 are 60");
    }

    #[test]
    fn forty_percent_of_a_zone_is_no_surge_and_one_more_is() {
        let (roster, hosts) = fleet(&[10, 40, 40]);
        assert_eq!(count(&roster, &doubted(&hosts[..4], at(90))), None);
        assert!(matches!(
            count(&roster, &doubted(&hosts[..5], at(90))),
            Some(Surge::Zone(_, Figures { doubted: 5, hosts: 10, limit: 4 }))
        ));
    }

    #[test]
    fn two_hosts_of_a_small_fleet_are_no_surge_unless_they_are_half_of_it() {
        let (roster, hosts) = fleet(&[2, 2, 2]);
        assert_eq!(count(&roster, &doubted(&hosts[..2], at(90))), None);
        assert!(matches!(
            count(&roster, &doubted(&[hosts[0], hosts[2], hosts[4]], at(90))),
            Some(Surge::Fleet(Figures { doubted: 3, hosts: 6, limit: 2 }))
        ));
        let (roster, hosts) = fleet(&[2, 2]);
        assert!(matches!(
            count(&roster, &doubted(&hosts[1..3], at(90))),
            Some(Surge::Half(Figures { doubted: 2, hosts: 4, limit: 1 }))
        ));
        assert_eq!(count(&roster, &doubted(&hosts[..1], at(90))), None);
    }

    #[test]
    fn of_two_hosts_one_is_half() {
        let (roster, hosts) = fleet(&[2]);
        let surge = count(&roster, &doubted(&hosts[..1], at(90)));
        assert_eq!(surge, Some(Surge::Half(Figures { doubted: 1, hosts: 2, limit: 0 })));
    }

    #[test]
    fn an_old_doubt_a_host_of_a_domain_case_and_a_stranger_do_not_count() {
        let (roster, hosts) = fleet(&[10, 10, 10]);
        let five = [hosts[0], hosts[1], hosts[10], hosts[11], hosts[20]];
        assert!(count(&roster, &doubted(&five, at(70))).is_some());
        assert_eq!(count(&roster, &doubted(&five, at(69))), None, "31 s ago");
        let excepted: BTreeSet<HostId> = hosts[..10].iter().copied().collect();
        assert_eq!(surge(&roster, &doubted(&five, at(90)), &excepted, (at(100), 50)), None);
        let mut four = doubted(&five[..4], at(90));
        four.push(StandingDoubt { host: HostId([9; 16]), since: at(90) });
        assert_eq!(count(&roster, &four), None);
    }

    #[test]
    fn a_host_that_two_observers_doubt_counts_once() {
        let (roster, hosts) = fleet(&[2, 2, 2]);
        let mut doubts = doubted(&hosts[..2], at(90));
        doubts.extend(doubted(&hosts[..2], at(95)));
        assert_eq!(count(&roster, &doubts), None);
    }
}
