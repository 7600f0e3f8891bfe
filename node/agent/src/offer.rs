//! Whom the leader asks to heal (protocol 7.2).
//!
//! Law O1: never the subject, never a doubted host, never one that said goodbye or has a live case of its own.
//! Law O2: every host that may heal is asked in the end: also those of the subject's rack, where all others are silent and the mesh
//! has too few hosts left to say so.
//! Not here: whether a lease may be granted at all (the ledger counts the budgets).

use std::collections::BTreeSet;

use ledger::Ledger;
use ledger::case::Case;
use vocabulary::{Digest, HostId};

/// Hosts that are asked to heal nobody: doubted by somebody, or with a live case of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Troubled(BTreeSet<HostId>);

impl Troubled {
    /// As the ledger stands, beside those whom the leader's rounds doubt.
    pub fn new(ledger: &Ledger, doubted: impl IntoIterator<Item = HostId>) -> Self {
        Self(ledger.cases().filter_map(|case| case.host()).chain(doubted).collect())
    }
}

/// Law O2: so many draws pass over the subject's rack before one does not.
const FAR_DRAWS: u64 = 3;

/// First in rendezvous order over (case, draw), hosts outside the subject's rack before those in it, but at every fourth draw. Each
/// offer is a new draw, so that a healer that does not answer is not asked for ever.
pub fn choose_healer(
    ledger: &Ledger,
    case: &Case,
    (troubled, draw): (&Troubled, u64),
) -> Option<HostId> {
    let subject = case.host()?;
    let home = ledger.roster().get(&subject).map(|entry| entry.claims.domain.clone());
    let is_far_first = draw % (FAR_DRAWS + 1) != FAR_DRAWS;
    ledger
        .roster()
        .present()
        .filter(|(host, entry)| {
            entry.claims.roles.healer
                && entry.boot.is_some()
                && ledger.left_since(host).is_none()
                && **host != subject
                && !troubled.0.contains(host)
        })
        .min_by_key(|(host, entry)| {
            let is_near = home.as_ref() == Some(&entry.claims.domain);
            (is_near && is_far_first, order(case, draw, host))
        })
        .map(|(host, _)| *host)
}

fn order(case: &Case, draw: u64, host: &HostId) -> Digest {
    Digest::of(&[b"healer", &case.id.0.to_be_bytes(), &draw.to_be_bytes(), &host.0])
}
