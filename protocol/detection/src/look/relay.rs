//! Through which host is a subject asked?
//!
//! Pure: the same roster, seats and reachable hosts give the same relay, so that a calibrated relay path stays the same one.

use std::collections::BTreeSet;

use vocabulary::{Digest, Domain, HostId, Path};

use crate::roster::{Entry, Roster};
use crate::seats::Seating;

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
    reachable: &BTreeSet<HostId>,
) -> Option<HostId> {
    let (roster, seating) = fleet;
    let domain_of = |host: &HostId| roster.get(host).map(|entry| &entry.claims.domain);
    let (own, theirs) = (domain_of(&pair.observer)?, domain_of(&pair.subject)?);
    let best = |fits: &dyn Fn(&Domain) -> bool| {
        let others = roster.present().filter(|(host, entry)| {
            **host != pair.observer && **host != pair.subject && fits(&entry.claims.domain)
        });
        let rank = |(host, _): &(&HostId, &Entry)| {
            let is_stranger = !seating.holds(host, &pair.subject);
            (!reachable.contains(*host), is_stranger, rendezvous(pair, host))
        };
        others.min_by_key(rank).map(|(host, _)| *host)
    };
    let zone = |domain: &Domain| domain.zone();
    match path {
        Path::NearRelay => best(&|domain| domain == theirs)
            .or_else(|| best(&|domain| zone(domain) == zone(theirs))),
        Path::FarRelay => best(&|domain| zone(domain) != zone(theirs) && zone(domain) != zone(own)),
        Path::Warm | Path::Stream | Path::FreshDial | Path::AgentPort | Path::NamedPort(_) => None,
    }
}

/// Spreads the relaying over hosts that are equally good.
fn rendezvous(pair: Pair, relay: &HostId) -> u64 {
    Digest::of(&[b"relay", &pair.observer.0, &pair.subject.0, &relay.0]).leading()
}
