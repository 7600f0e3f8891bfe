//! Whom the leader asks to heal (protocol 7.2).
//!
//! Law O1: never the subject, never a doubted host, never one that said goodbye or has a live case of its own.
//! Not here: whether a lease may be granted at all (the ledger counts the budgets).

use std::collections::BTreeSet;

use ledger::Ledger;
use ledger::case::Case;
use vocabulary::{Digest, HostId};

/// First in rendezvous order over (case, draw), hosts outside the subject's rack before those in it. Each offer is a new
/// draw, so that a healer that does not answer is not asked for ever.
pub fn choose_healer(
    ledger: &Ledger,
    case: &Case,
    (doubted, draw): (&BTreeSet<HostId>, u64),
) -> Option<HostId> {
    let subject = case.host()?;
    let home = ledger.roster().get(&subject).map(|entry| entry.claims.domain.clone());
    let troubled: BTreeSet<HostId> = ledger.cases().filter_map(|other| other.host()).collect();
    ledger
        .roster()
        .present()
        .filter(|(host, entry)| {
            entry.claims.roles.healer
                && entry.boot.is_some()
                && ledger.left_since(host).is_none()
                && **host != subject
                && !doubted.contains(host)
                && !troubled.contains(host)
        })
        .min_by_key(|(host, entry)| {
            let is_near = home.as_ref() == Some(&entry.claims.domain);
            (is_near, order(case, draw, host))
        })
        .map(|(host, _)| *host)
}

fn order(case: &Case, draw: u64, host: &HostId) -> Digest {
    Digest::of(&[b"healer", &case.id.0.to_be_bytes(), &draw.to_be_bytes(), &host.0])
}
