//! Grounds, checked again: whatever a leader or a healer concluded, the ledger concludes for itself.
//!
//! Law V1: no verdict stands here that its grounds do not bear, whoever proposes it.
//! Not here: what voices add up to (see `detection::verdict`), what follows from it (see `verdicts`, `intents`, `proofs`).

use std::collections::{BTreeMap, BTreeSet};

use detection::verdict::{
    Conclusions, Court, Fleet, HostVerdict, VerifiedGrounds, Voided, WellTakes, conclude, sight,
};
use vocabulary::{
    Anchor, Attestation, Digest, Grounds, HostId, LedgerIndex, RemedyClass, Scope, VerdictKind,
    Verifier,
};

use crate::case::{GroundsKept, SightKept};
use crate::command::Refused;
use crate::ledger::Ledger;
use crate::rules;

/// Fresh grounds and what follows from them.
pub(crate) struct Judged {
    pub anchor: Anchor,
    pub digest: Digest,
    pub conclusions: Conclusions,
    /// What was offered about each host, void words too.
    sights: BTreeMap<HostId, Vec<SightKept>>,
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
        let (verified, conclusions) = self.concluded(grounds, verifier);
        Ok(Judged {
            anchor: grounds.anchor,
            digest: Digest::of(&[&wire::codec::encode(grounds)]),
            sights: sights(grounds, &verified, &conclusions),
            conclusions,
        })
    }

    /// What the grounds add up to on the committed state, whatever their age: leader, healer and ledger conclude alike.
    pub fn concluded(
        &self,
        grounds: &Grounds,
        verifier: &dyn Verifier,
    ) -> (VerifiedGrounds, Conclusions) {
        let fleet = self.fleet();
        let verified = VerifiedGrounds::verify(grounds, &Court { fleet, verifier });
        let verified = verified.without(self.duplicates());
        let conclusions = conclude(fleet, &verified, &self.seen_to_accept());
        let well_takes = match self.rules() {
            rules::FIRST => WellTakes::One,
            _ => WellTakes::OneThatIsTrue,
        };
        (verified, conclusions.taking(well_takes))
    }

    pub(crate) fn fleet(&self) -> Fleet<'_> {
        Fleet { roster: self.roster(), seating: self.seating() }
    }

    /// The hosts whose present boot was seen to accept connections without a word (protocol 3.6 `HostHung`); the leader
    /// concludes with the same ones.
    pub fn seen_to_accept(&self) -> BTreeSet<HostId> {
        let is_present = |host: &HostId, boot| {
            let entry = self.state.roster.get(host);
            entry.is_some_and(|entry| entry.boot == boot)
        };
        let accepting = self.state.accepting.iter();
        accepting.filter(|(host, boot)| is_present(host, **boot)).map(|(host, _)| *host).collect()
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

    /// Why they bear no verdict on this host (protocol 3.6 `Unsettled`); refused where they do.
    pub fn without_verdict(&self, host: &HostId) -> Result<Refused, Refused> {
        match self.conclusions.verdict(host) {
            Ok(verdict) => {
                let found = &verdict.kind;
                Err(Refused::Grounds(format!("they say {found}: that is a verdict")))
            }
            Err(no) => Ok(Refused::Grounds(no.to_string())),
        }
    }

    /// What is kept of the grounds on this subject (protocol 3.7).
    pub fn kept(&self, ledger: &Ledger, subject: &Scope) -> GroundsKept {
        let mut kept = GroundsKept {
            anchor: self.anchor,
            digest: self.digest,
            against: Vec::new(),
            well: Vec::new(),
            vacant: Vec::new(),
            sights: Vec::new(),
        };
        let Scope::Host(host) = subject else {
            return kept;
        };
        if let Some(conclusion) = self.conclusions.hosts.get(host) {
            let (observers, tally) = (ledger.seating().observers(host), &conclusion.tally);
            kept.against = tally.against.hosts(observers).copied().collect();
            kept.well = tally.well.hosts(observers).copied().collect();
            kept.vacant = tally.vacant.hosts(observers).copied().collect();
            kept.sights = self.sights_of(host, observers);
        }
        kept
    }

    /// One sight of each seat at most, in the order of the seats.
    fn sights_of(&self, subject: &HostId, observers: &[HostId]) -> Vec<SightKept> {
        let offered = self.sights.get(subject).map_or(&[][..], Vec::as_slice);
        let by = |observer: &HostId| offered.iter().rfind(|sight| sight.observer == *observer);
        observers.iter().filter_map(by).cloned().collect()
    }
}

/// What each attestation says: of one observer the void ones first, then the newest that counts; what is void brings its
/// reason and nothing else.
fn sights(
    grounds: &Grounds,
    verified: &VerifiedGrounds,
    conclusions: &Conclusions,
) -> BTreeMap<HostId, Vec<SightKept>> {
    let counts = |attestation: &Attestation| {
        let said = (&attestation.observer, &sight(attestation));
        verified.sights(&attestation.subject).any(|heard| heard == said)
    };
    let mut ordered: Vec<(bool, &Attestation)> =
        grounds.attestations.iter().map(|attestation| (counts(attestation), attestation)).collect();
    ordered.sort_by_key(|(counts, attestation)| (*counts, attestation.sequence));
    let mut sights: BTreeMap<HostId, Vec<SightKept>> = BTreeMap::new();
    for (counts, attestation) in ordered {
        let (subject, observer) = (attestation.subject, attestation.observer);
        let is_of = |voided: &&Voided| voided.observer == observer && voided.subject == subject;
        let voided = verified.void.iter().find(is_of);
        sights.entry(subject).or_default().push(SightKept {
            observer,
            paths: if counts { attestation.paths.clone() } else { Vec::new() },
            discount: conclusions.discounts.get(&observer).copied(),
            void: voided.filter(|_| !counts).map(|voided| voided.why),
        });
    }
    sights
}

/// protocol 3.6: an `AgentDown` host is proven alive: nothing above a gentle remedy takes it away, whatever the policy says.
pub(crate) fn alive_hold(verdict: &HostVerdict, class: RemedyClass) -> Option<Refused> {
    let is_alive = verdict.kind == VerdictKind::AgentDown;
    (is_alive && class > RemedyClass::Gentle).then(|| {
        Refused::Grounds(format!(
            "a host that is proven alive is not taken away by a {class} remedy; a person is called"
        ))
    })
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
