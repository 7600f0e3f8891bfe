//! Grounds, checked again: whatever a leader or a healer concluded, the ledger concludes for itself.
//!
//! Law V1: no verdict stands here that its grounds do not bear, whoever proposes it.
//! Not here: what voices add up to (see `detection::verdict`), what follows from it (see `verdicts`, `intents`, `proofs`).

use std::collections::BTreeSet;

use detection::verdict::{Conclusions, Court, Fleet, HostVerdict, VerifiedGrounds, conclude};
use vocabulary::{
    Anchor, Digest, Grounds, HostId, LedgerIndex, RemedyClass, Scope, VerdictKind, Verifier,
};

use crate::case::GroundsKept;
use crate::command::Refused;
use crate::ledger::Ledger;

/// Fresh grounds and what follows from them.
pub(crate) struct Judged {
    pub anchor: Anchor,
    pub digest: Digest,
    pub conclusions: Conclusions,
}

impl Ledger {
    /// Checks that the grounds are fresh and, where an entry is given, hang on a later one; then concludes.
    pub(crate) fn judge(
        &self,
        grounds: &Grounds,
        after: Option<LedgerIndex>,
        verifier: &dyn Verifier,
    ) -> Result<Judged, Refused> {
        self.fresh(grounds.anchor, after)?;
        let fleet = Fleet {
            roster: self.roster(),
            seating: self.seating(),
        };
        let court = Court { fleet, verifier };
        let verified = VerifiedGrounds::verify(grounds, &court);
        let conclusions = conclude(fleet, &verified, &self.seen_to_accept());
        Ok(Judged {
            anchor: grounds.anchor,
            digest: Digest::of(&[&wire::codec::encode(grounds)]),
            conclusions,
        })
    }

    /// The hosts whose present boot was seen to accept connections without a word (protocol 3.6 `HostHung`); the leader
    /// concludes with the same ones.
    pub fn seen_to_accept(&self) -> BTreeSet<HostId> {
        let is_present = |host: &HostId, boot| {
            let entry = self.state.roster.get(host);
            entry.is_some_and(|entry| entry.boot == boot)
        };
        let accepting = self.state.accepting.iter();
        accepting
            .filter(|(host, boot)| is_present(host, **boot))
            .map(|(host, _)| *host)
            .collect()
    }
}

impl Judged {
    /// The verdict on a host, if it is of this kind.
    pub fn against(&self, host: &HostId, kind: &VerdictKind) -> Result<&HostVerdict, Refused> {
        let verdict = self.conclusions.verdict(host);
        let verdict = verdict.map_err(|no| Refused::Grounds(no.to_string()))?;
        if verdict.kind == *kind {
            return Ok(verdict);
        }
        let found = &verdict.kind;
        Err(Refused::Grounds(format!("they say {found}, not {kind}")))
    }

    /// What is kept of the grounds on this subject (protocol 3.7).
    pub fn kept(&self, ledger: &Ledger, subject: &Scope) -> GroundsKept {
        let mut kept = GroundsKept {
            anchor: self.anchor,
            digest: self.digest,
            against: Vec::new(),
            well: Vec::new(),
            vacant: Vec::new(),
        };
        let Scope::Host(host) = subject else {
            return kept;
        };
        if let Some(conclusion) = self.conclusions.hosts.get(host) {
            let (observers, tally) = (ledger.seating().observers(host), &conclusion.tally);
            kept.against = tally.against.hosts(observers).copied().collect();
            kept.well = tally.well.hosts(observers).copied().collect();
            kept.vacant = tally.vacant.hosts(observers).copied().collect();
        }
        kept
    }
}

/// protocol 3.6: `HostHung` allows more than a gentle remedy only where a named port agrees.
pub(crate) fn hung_hold(verdict: &HostVerdict, class: RemedyClass) -> Option<Refused> {
    let is_hung = verdict.kind == VerdictKind::HostHung && !verdict.is_agreed_by_ports;
    (is_hung && class > RemedyClass::Gentle).then(|| {
        Refused::Grounds(format!(
            "a host whose kernel still accepts is not taken away by a {class} remedy unless a named port is silent too"
        ))
    })
}
