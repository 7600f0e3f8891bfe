//! Through which host is a subject asked?
//!
//! Pure: the same roster, seats and reachable hosts give the same relay, so that a calibrated relay path stays the same one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vocabulary::{Boot, Digest, Domain, HostId, Path};

use crate::roster::{Entry, Roster};
use crate::seats::Seating;

/// Whom an observer reaches lately: members that it does not doubt.
#[derive(Clone, Debug, Default)]
pub struct Reachable {
    /// Who seems alive; shared with the membership that says so.
    pub up: Arc<BTreeMap<HostId, Boot>>,
    /// Of these, whom the observer doubts.
    pub doubted: BTreeSet<HostId>,
}

impl Reachable {
    /// Whether this host is among them.
    pub fn contains(&self, host: &HostId) -> bool {
        self.up.contains_key(host) && !self.doubted.contains(host)
    }
}

impl FromIterator<HostId> for Reachable {
    fn from_iter<I: IntoIterator<Item = HostId>>(hosts: I) -> Self {
        let up = hosts.into_iter().map(|host| (host, Boot::default())).collect();
        Self { up: Arc::new(up), doubted: BTreeSet::new() }
    }
}

/// Who asks whom.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// Who wants to know.
    pub observer: HostId,
    /// Who is asked.
    pub subject: HostId,
}

/// protocol 3.1: the near relay stands in the subject's rack, else in its zone; the far one in a third zone, where there
/// is one. Hosts that the observer reaches come first, then those that watch the subject and so hold a connection to it.
pub fn choose(
    fleet: (&Roster, &Seating),
    pair: Pair,
    path: Path,
    reachable: &Reachable,
) -> Option<HostId> {
    let (roster, seating) = fleet;
    let domain_of = |host: &HostId| roster.get(host).map(|entry| &entry.claims.domain);
    let (own, theirs) = (domain_of(&pair.observer)?, domain_of(&pair.subject)?);
    let best = |fits: &dyn Fn(&Domain) -> bool| {
        let is_other = |host: &HostId| *host != pair.observer && *host != pair.subject;
        // Whoever watches the subject comes first where it is reached: most often nobody else needs to be looked at.
        let seated = seating.observers(&pair.subject).iter().filter(|host| is_other(host));
        let first = seated
            .filter(|host| domain_of(host).is_some_and(fits) && reachable.contains(host))
            .min_by_key(|host| rendezvous(pair, host));
        let others = || {
            let fits =
                |(host, entry): &(&HostId, &Entry)| is_other(host) && fits(&entry.claims.domain);
            let rank = |(host, _): &(&HostId, &Entry)| {
                let is_stranger = !seating.holds(host, &pair.subject);
                (!reachable.contains(host), is_stranger, rendezvous(pair, host))
            };
            roster.present().filter(fits).min_by_key(rank).map(|(host, _)| host)
        };
        first.or_else(others).copied()
    };
    match path {
        Path::NearRelay => best(&|domain| domain == theirs)
            .or_else(|| best(&|domain| domain.is_in_zone_of(theirs))),
        Path::FarRelay => {
            best(&|domain| !domain.is_in_zone_of(theirs) && !domain.is_in_zone_of(own))
        }
        Path::Warm | Path::Stream | Path::FreshDial | Path::AgentPort | Path::NamedPort(_) => None,
    }
}

/// Spreads the relaying over hosts that are equally good.
fn rendezvous(pair: Pair, relay: &HostId) -> u64 {
    Digest::of(&[b"relay", &pair.observer.0, &pair.subject.0, &relay.0]).leading()
}
