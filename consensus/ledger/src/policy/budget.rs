//! How much may be under repair at once, and below what the mesh stops (protocol 6.1).
//!
//! Law S1: a share that allows rounds down but not below its least; a share that forbids rounds up.
//! Law S2: a halt needs more than one host, however small the scope.
//! Not here: what counts as in flight or unhealthy (see the ledger's leases).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vocabulary::{GroupName, Scope};

/// A number of hosts, or a part of a scope's hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Share {
    /// So many hosts.
    Count(u32),
    /// So many hundredths of the scope's hosts, 1 to 100.
    Percent(u8),
}

/// How many hosts of a scope may be under repair at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// The share.
    pub share: Share,
    /// A percentage never rounds below this.
    pub at_least: u32,
}

/// Beyond how many unhealthy hosts of a scope nothing begins in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaltAbove(pub Share);

/// How many hosts of a scope must go on serving while a remedy takes one away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor(pub Share);

/// The limits of one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// How many may be under repair at once.
    pub in_flight: InFlight,
    /// Beyond how many unhealthy hosts nothing begins; `None`: no halt by this scope.
    pub halt_above: Option<HaltAbove>,
    /// How many remedies may begin in any hour; `None`: as many as the other limits allow.
    pub per_hour: Option<u32>,
    /// How many must go on serving (groups only); `None`: no floor.
    pub floor: Option<Floor>,
    /// How many remedies may begin in any day, counted under rules 2; `None`: as many as the other limits allow. Read from the policy's
    /// text again after a snapshot.
    #[serde(skip)]
    pub per_day: Option<u32>,
    /// Whether its hosts hold data of their own (groups only): one at a time, and nothing destructive without a person's word (law SF1).
    /// Read from the policy's text again after a snapshot.
    #[serde(skip)]
    pub stateful: bool,
}

/// The limits of every scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budgets {
    /// Of the whole mesh.
    pub fleet: Budget,
    /// Of each zone.
    pub zone: Budget,
    /// Of each rack.
    pub rack: Budget,
    /// Of each group that the policy does not name.
    pub any_group: Budget,
    /// Of the groups that it names.
    pub group: BTreeMap<GroupName, Budget>,
}

impl InFlight {
    /// How many of `total` hosts: a percentage rounds down, but not below `at_least` (protocol 6.1).
    pub fn of(self, total: u32) -> u32 {
        match self.share {
            Share::Count(count) => count,
            Share::Percent(_) => self.share.rounded_down(total).max(self.at_least),
        }
    }
}

impl HaltAbove {
    /// How many of `total` hosts may be unhealthy without a halt: rounds up, and is never below one (protocol 6.1).
    pub fn of(self, total: u32) -> u32 {
        self.0.rounded_up(total).max(1)
    }

    /// Whether so many unhealthy hosts of `total` halt the scope.
    pub fn is_crossed(self, unhealthy: u32, total: u32) -> bool {
        unhealthy > self.of(total)
    }
}

impl Floor {
    /// How many of `total` hosts must go on serving: rounds up (protocol 6.1).
    pub fn of(self, total: u32) -> u32 {
        self.0.rounded_up(total)
    }
}

impl Budgets {
    /// More named groups than a person can hold in mind; keeps the document bounded.
    pub const GROUPS_MAX: usize = 256;

    /// The budget of a scope; a single host has none of its own: it holds at most one lease.
    pub fn of(&self, scope: &Scope) -> Option<&Budget> {
        match scope {
            Scope::Fleet => Some(&self.fleet),
            Scope::Zone(_) => Some(&self.zone),
            Scope::Rack(_) => Some(&self.rack),
            Scope::Group(group) => Some(self.of_group(group)),
            Scope::Host(_) => None,
        }
    }

    /// Whether any scope has a limit for a day.
    pub fn bounds_days(&self) -> bool {
        let scopes = [&self.fleet, &self.zone, &self.rack, &self.any_group];
        scopes.into_iter().chain(self.group.values()).any(|budget| budget.per_day.is_some())
    }

    /// Takes what a snapshot does not carry.
    pub(crate) fn take_later_keys(&mut self, read: &Self) {
        let Self { fleet, zone, rack, any_group, group } = self;
        let scopes = [
            (fleet, read.fleet),
            (zone, read.zone),
            (rack, read.rack),
            (any_group, read.any_group),
        ];
        for (own, read) in scopes {
            (own.per_day, own.stateful) = (read.per_day, read.stateful);
        }
        for (name, own) in group {
            if let Some(read) = read.group.get(name) {
                (own.per_day, own.stateful) = (read.per_day, read.stateful);
            }
        }
    }

    /// The budget of a group, named or not.
    pub fn of_group(&self, group: &GroupName) -> &Budget {
        self.group.get(group).unwrap_or(&self.any_group)
    }
}

impl Share {
    fn rounded_down(self, total: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => hundredths(u64::from(percent) * u64::from(total)),
        }
    }

    fn rounded_up(self, total: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => hundredths(u64::from(percent) * u64::from(total) + 99),
        }
    }
}

/// Fits: a percentage is at most 255, so the quotient is below 3 * 2^32; beyond `u32` it saturates.
fn hundredths(product: u64) -> u32 {
    u32::try_from(product / 100).unwrap_or(u32::MAX)
}

impl std::fmt::Display for Share {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Count(count) => write!(out, "{count}"),
            Self::Percent(percent) => write!(out, "{percent}%"),
        }
    }
}

impl Budget {
    /// How many of a scope's hosts may be under repair at once; law SF1: one where they hold data of their own.
    pub fn most_in_flight(&self, total: u32) -> u32 {
        let most = self.in_flight.of(total);
        if self.stateful { most.min(1) } else { most }
    }

    const fn in_flight(share: Share) -> Self {
        Self {
            in_flight: InFlight { share, at_least: 1 },
            halt_above: None,
            per_hour: None,
            floor: None,
            per_day: None,
            stateful: false,
        }
    }
}

/// What holds where the policy is silent; the reference page shows the same, a test compares them.
impl Default for Budgets {
    fn default() -> Self {
        Self {
            fleet: Budget {
                halt_above: Some(HaltAbove(Share::Percent(30))),
                per_hour: Some(20),
                ..Budget::in_flight(Share::Percent(10))
            },
            zone: Budget {
                halt_above: Some(HaltAbove(Share::Percent(50))),
                ..Budget::in_flight(Share::Percent(20))
            },
            rack: Budget::in_flight(Share::Count(1)),
            any_group: Budget::in_flight(Share::Percent(10)),
            group: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_flight(percent: u8, at_least: u32) -> InFlight {
        InFlight { share: Share::Percent(percent), at_least }
    }

    #[test]
    fn what_may_be_in_flight_rounds_down_but_not_below_its_least() {
        let ten = |total| in_flight(10, 1).of(total);
        assert_eq!([0, 1, 9, 10, 19, 20, 1231].map(ten), [1, 1, 1, 1, 1, 2, 123]);
        assert_eq!(in_flight(10, 3).of(29), 3);
        assert_eq!(in_flight(10, 0).of(9), 0);
        assert_eq!(in_flight(100, 1).of(50_000), 50_000);
        let none = InFlight { share: Share::Count(0), at_least: 1 };
        assert_eq!(none.of(100), 0, "a count of none is none");
    }

    #[test]
    fn a_halt_rounds_up_and_needs_more_than_one_host() {
        let thirty = HaltAbove(Share::Percent(30));
        assert_eq!([1, 3, 4, 6, 10, 11].map(|n| thirty.of(n)), [1, 1, 2, 2, 3, 4]);
        assert!(!thirty.is_crossed(1, 1));
        assert!(!thirty.is_crossed(2, 6));
        assert!(thirty.is_crossed(3, 6));
        assert!(!HaltAbove(Share::Count(0)).is_crossed(1, 100));
    }

    #[test]
    fn a_floor_rounds_up() {
        let eighty = Floor(Share::Percent(80));
        assert_eq!([1, 4, 5, 6, 100].map(|n| eighty.of(n)), [1, 4, 4, 5, 80]);
        assert_eq!(Floor(Share::Count(3)).of(2), 3);
    }

    #[test]
    fn a_group_that_is_not_named_has_the_budget_of_any_group() {
        let mut budgets = Budgets::default();
        let [web, db] = ["web", "db"].map(|name| GroupName::new(name).expect("sound"));
        budgets.group.insert(db.clone(), Budget::in_flight(Share::Count(1)));
        assert_eq!(*budgets.of_group(&web), budgets.any_group);
        assert_eq!(budgets.of_group(&db).in_flight.of(500), 1);
        assert_eq!(budgets.of(&Scope::Group(db)), budgets.group.values().next());
    }
}
