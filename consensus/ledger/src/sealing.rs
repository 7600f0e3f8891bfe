//! How the audit is sealed: each voter signs the same place of it, for what its own copy holds (protocol 8.1).
//!
//! Law AS2: only a voter's signature is taken, by a key that speaks for it now, and of one place at a time, which the audit holds.
//! Law AS3: of what the audit still vouches for nothing is lost: under rules 2 a record falls out of the state only once a seal stands at it
//! or behind it; but for [`Audit::UNSEALED_MAX`](crate::audit::Audit::UNSEALED_MAX), which bounds the state where nobody signs.
//! Law AS4: a seal names the voters as of its place: no vote moves between the two.
//! Not here: when a place is due and who opens it (see `agent`), what a seal is worth (see `audit::seal`).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{CertificateChain, HostId, Signature, Verifier};

use crate::audit::{Checkpoint, Seal, SealFault, Signed, What};
use crate::command::{Outcome, Refused};
use crate::ledger::Ledger;
use crate::rules;

/// So many records are left unsealed before a place is due, whatever the time.
pub const SEAL_EVERY: u64 = 256;

/// The newest seal, and the next one as far as it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sealing {
    /// A majority has signed it; others may still do so.
    seal: Option<Seal>,
    /// Fewer have.
    next: Option<Seal>,
}

/// What a voter is to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToSign {
    /// The place.
    pub place: Checkpoint,
    /// What is signed.
    pub message: Vec<u8>,
}

impl Ledger {
    /// The newest seal on the audit: everything up to its place is vouched for by a majority of the voters.
    pub fn seal(&self) -> Option<&Seal> {
        self.state.added.sealing.seal.as_ref()
    }

    /// How many records stand behind the newest seal.
    pub fn unsealed(&self) -> u64 {
        self.state.audit.head().number.saturating_sub(self.sealed_number())
    }

    /// What this voter has not signed and should: the place that is being sealed, else the one that others have sealed.
    pub fn to_sign(&self, voter: &HostId) -> Option<ToSign> {
        let is_open = |seal: &&Seal| {
            self.may_sign(seal, voter)
                && !seal.is_signed_by(voter)
                && self.state.audit.holds(seal.place)
        };
        let open = self.next_seal().or(self.seal()).filter(is_open)?;
        let message = Seal::message(&open.cluster, open.place, &open.voters);
        Some(ToSign { place: open.place, message })
    }

    /// The voters that have not signed what is being sealed, or should be.
    pub fn unsigned(&self) -> impl Iterator<Item = &HostId> {
        let next = self.next_seal();
        let has_signed = move |voter: &&HostId| next.is_some_and(|next| next.is_signed_by(voter));
        self.voters().iter().filter(move |voter| !has_signed(voter))
    }

    /// Whether a place is being sealed that the newest record does not leave far behind: until it is, none other is opened.
    pub fn is_being_sealed(&self) -> bool {
        let head = self.state.audit.head().number;
        self.next_seal().is_some_and(|next| head < next.place.number.saturating_add(SEAL_EVERY))
    }

    /// The place that can be opened to be sealed next: the newest record.
    pub fn to_open(&self) -> Option<ToSign> {
        if self.rules() < rules::SECOND {
            return None;
        }
        let opened = self.opened(self.state.audit.head()).ok()?;
        let message = Seal::message(&opened.cluster, opened.place, &opened.voters);
        Some(ToSign { place: opened.place, message })
    }

    /// A voter signs a place (laws AS2 and AS4).
    pub(crate) fn take_seal(
        &mut self,
        by: HostId,
        place: Checkpoint,
        (certificate, signature): (&CertificateChain, Signature),
        verifier: &dyn Verifier,
    ) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        let keys = self.member(by)?.keys.clone();
        let is_at = |seal: &&Seal| seal.place == place;
        let mut seal = match self.next_seal().filter(is_at).or(self.seal().filter(is_at)) {
            Some(seal) => seal.clone(),
            None => self.opened(place)?,
        };
        if seal.is_signed_by(&by) {
            return Ok(Outcome::Done);
        }
        if !self.may_sign(&seal, &by) {
            return Err(unsound(&SealFault::Stranger(by)));
        }
        // A host stands directly under an authority: what lies behind its own certificate is not looked at, and not kept.
        let certificate = CertificateChain(certificate.0.iter().take(1).cloned().collect());
        let signed = Signed { by, certificate, signature };
        let (_, key) =
            seal.judge_one(&signed, &seal.authorities, verifier).map_err(|why| unsound(&why))?;
        if !keys.iter().any(|(_, own)| *own == key) {
            return Err(unsound(&SealFault::Signature(by)));
        }
        let behind = seal.signatures.partition_point(|other| other.by < by);
        seal.signatures.insert(behind, signed);
        self.put_seal(seal);
        Ok(Outcome::Done)
    }

    /// Law AS3: the last record that may fall out of the state.
    pub(crate) fn may_fall(&self) -> u64 {
        if self.rules() < rules::SECOND { u64::MAX } else { self.sealed_number() }
    }

    fn put_seal(&mut self, seal: Seal) {
        let sealed = self.sealed_number();
        let sealing = Arc::make_mut(&mut self.state.added.sealing);
        if !seal.is_whole() {
            sealing.next = Some(seal);
            return;
        }
        let voted: BTreeSet<&HostId> = seal.signatures.iter().map(|signed| &signed.by).collect();
        let is_sound = voted.len() * 2 > seal.voters.len()
            && voted.iter().all(|voter| seal.voters.contains(voter));
        assert!(is_sound, "law AS1: a seal is a majority's");
        let number = seal.place.number;
        assert!(number >= sealed, "law AS2: the newest seal never gives way to an older one");
        assert!(
            number == sealed || self.state.audit.holds(seal.place),
            "law AS2: what is sealed is in the audit"
        );
        if sealing.next.as_ref().is_some_and(|next| next.place.number <= number) {
            sealing.next = None;
        }
        sealing.seal = Some(seal);
        let may_fall = self.may_fall();
        self.state.audit.fall(may_fall);
    }

    fn may_sign(&self, seal: &Seal, host: &HostId) -> bool {
        seal.voters.contains(host) && self.voters().contains(host)
    }

    /// The place that is being sealed, unless its voters or authorities are not those of today, or it fell out of the state.
    fn next_seal(&self) -> Option<&Seal> {
        let founding = self.state.founding.as_ref()?;
        let first = self.state.audit.checkpoint().number.max(self.sealed_number() + 1);
        let is_current = |next: &&Seal| {
            next.place.number >= first
                && next.voters == self.voters()
                && next.authorities == founding.authorities
        };
        self.state.added.sealing.next.as_ref().filter(is_current)
    }

    /// A place without any signature, if it can be sealed next.
    fn opened(&self, place: Checkpoint) -> Result<Seal, Refused> {
        let founding = self.state.founding.as_ref().ok_or(Refused::NotFounded)?;
        let number = place.number;
        let not = |why: String| Err(Refused::NotPermitted(why));
        let sealed = self.sealed_number();
        if number <= sealed {
            return not(format!(
                "record {number} of the audit is sealed: a seal stands at {sealed}"
            ));
        }
        if let Some(next) = self.next_seal().map(|next| next.place.number)
            && number < next.saturating_add(SEAL_EVERY)
        {
            return not(format!("record {next} of the audit is being sealed before {number}"));
        }
        // Else whoever votes could open one record after the other, and never the newest.
        let head = self.state.audit.head().number;
        if number.saturating_add(SEAL_EVERY) <= head {
            return not(format!(
                "record {number} of the audit is left behind: {head} is the newest"
            ));
        }
        if !self.state.audit.holds(place) {
            return not(format!("record {number} of the audit is not {}", place.digest));
        }
        // Law AS4.
        if self.state.audit.since(number).any(|record| is_of_votes(&record.what)) {
            return not(format!("votes have moved since record {number} of the audit"));
        }
        Ok(Seal {
            cluster: founding.cluster.clone(),
            place,
            voters: self.voters().to_vec(),
            authorities: founding.authorities.clone(),
            signatures: Vec::new(),
        })
    }

    fn sealed_number(&self) -> u64 {
        self.seal().map_or(0, |seal| seal.place.number)
    }
}

fn is_of_votes(what: &What) -> bool {
    matches!(what, What::Founded { .. } | What::VotesMoved { .. } | What::VoteMoved { .. })
}

fn unsound(why: &SealFault) -> Refused {
    Refused::NotPermitted(format!("the seal cannot be signed so: {why}"))
}
