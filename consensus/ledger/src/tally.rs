//! Counts: how many hosts each scope has, how many leases count in it, how many of its hosts are unhealthy.
//!
//! Law B2: a lease counts in the scopes frozen at its grant, whatever the roster says later.
//! Not here: what the limits are (see `policy`), and who is refused for them (see `limits`).

use std::collections::BTreeMap;

use detection::roster::Roster;
use vocabulary::{Claims, LedgerTime, Scope, VerdictKind};

use crate::case::{Case, FrozenScopes};

/// How many hosts each scope has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Census(BTreeMap<Scope, u32>);

/// How many leases and how many unhealthy hosts each scope has; scopes with neither are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally(BTreeMap<Scope, Counts>);

/// What is counted of one scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Leases offered, held, orphaned, verifying, or counted after an escalation.
    pub in_flight: u32,
    /// Hosts with an open case, escalated ones too, and members of domain cases.
    pub unhealthy: u32,
}

impl Census {
    pub fn of(roster: &Roster) -> Self {
        let mut census = Self::default();
        for (_, entry) in roster.present() {
            for scope in FrozenScopes::of(&entry.claims).all() {
                *census.0.entry(scope).or_default() += 1;
            }
        }
        census
    }

    pub fn total(&self, scope: &Scope) -> u32 {
        self.0.get(scope).copied().unwrap_or_default()
    }

    pub fn scopes(&self) -> impl Iterator<Item = &Scope> {
        self.0.keys()
    }
}

impl Tally {
    pub fn of(&self, scope: &Scope) -> Counts {
        self.0.get(scope).copied().unwrap_or_default()
    }

    /// Adds what a case counts for; trouble that began at or before `newer_than` is not counted as unhealthy (protocol 6.4).
    pub fn add(&mut self, case: &Case, newer_than: Option<LedgerTime>) {
        self.count(case, newer_than, u32::saturating_add);
    }

    /// Takes the same away again.
    pub fn remove(&mut self, case: &Case, newer_than: Option<LedgerTime>) {
        self.count(case, newer_than, u32::saturating_sub);
    }

    fn count(&mut self, case: &Case, newer_than: Option<LedgerTime>, change: fn(u32, u32) -> u32) {
        let leased = case.counted_lease().map(|lease| lease.scopes.all());
        for scope in leased.into_iter().flatten() {
            let counts = self.0.entry(scope).or_default();
            counts.in_flight = change(counts.in_flight, 1);
        }
        for (scope, hosts) in unhealthy(case, newer_than) {
            let counts = self.0.entry(scope).or_default();
            counts.unhealthy = change(counts.unhealthy, hosts);
        }
        self.0.retain(|_, counts| *counts != Counts::default());
    }
}

impl FrozenScopes {
    /// Where a host stands by its claims.
    pub(crate) fn of(claims: &Claims) -> Self {
        Self { domain: claims.domain.clone(), group: claims.group.clone() }
    }

    /// The fleet, the zone, the rack and the group.
    pub fn all(&self) -> [Scope; 4] {
        [
            Scope::Fleet,
            Scope::Zone(self.domain.zone()),
            Scope::Rack(self.domain.clone()),
            Scope::Group(self.group.clone()),
        ]
    }
}

/// In which scopes a case says that how many hosts are unhealthy.
pub(crate) fn unhealthy(case: &Case, newer_than: Option<LedgerTime>) -> Vec<(Scope, u32)> {
    let is_told = newer_than.is_some_and(|told| case.opened <= told);
    // protocol 3.6: what nobody could settle delays nobody.
    let is_harmless = matches!(case.kind, VerdictKind::Left | VerdictKind::Unsettled);
    if case.is_closed() || is_told || is_harmless {
        return Vec::new();
    }
    let members = case.members_count;
    match (&case.subject, &case.scopes) {
        (Scope::Host(_), Some(scopes)) => scopes.all().map(|scope| (scope, 1)).into(),
        (Scope::Rack(domain), _) => vec![
            (Scope::Fleet, members),
            (Scope::Zone(domain.zone()), members),
            (Scope::Rack(domain.clone()), members),
        ],
        (Scope::Zone(zone), _) => {
            vec![(Scope::Fleet, members), (Scope::Zone(zone.clone()), members)]
        }
        (Scope::Host(_) | Scope::Group(_) | Scope::Fleet, _) => Vec::new(),
    }
}
