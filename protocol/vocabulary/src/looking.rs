//! What is seen when one host looks at another: paths, readings, grades, and the signed attestation of one round.
//!
//! Not here: what voices add up to (see `detection::verdict`), how a look is carried out (see `detection::look`).

use serde::{Deserialize, Serialize};

use crate::canonical::{Canonical, CanonicalBytes};
use crate::digest::Digest;
use crate::host::{Boot, HostId};
use crate::keys::{PublicKey, Signature, Signer};
use crate::number::{Epoch, LedgerIndex, Sequence};

/// The point of the ledger that a round hangs on (protocol 3.1): what was signed for it is not older.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Anchor {
    /// Index of the applied entry.
    pub index: LedgerIndex,
    /// Hash of the audit at that index; nobody can know it earlier.
    pub audit: Digest,
}

/// One way of reaching a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Path {
    /// A datagram on the standing connection.
    Warm,
    /// A stream on the same connection.
    Stream,
    /// A new connection from a new source port (protocol 2.3).
    FreshDial,
    /// Through a relay in the subject's rack, else its zone.
    NearRelay,
    /// Through a relay in a third zone.
    FarRelay,
    /// TCP to the agent's own port number (protocol 2.4).
    AgentPort,
    /// TCP to a port that the policy names.
    NamedPort(u16),
}

/// What one path gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reading {
    /// The agent answered in this boot (agent paths), or bytes came (ports).
    Answered,
    /// The host's kernel refused: a proof of life of the host, none of the agent.
    Refused,
    /// A TCP connection was accepted and no bytes came: a kernel lives, nothing more is proven.
    Accepted,
    /// Nothing came, on a path that has answered this observer within the last 10 minutes (protocol 2.5).
    Silent,
    /// Nothing came, but the path never answered this observer lately: proves nothing and is not counted.
    Absent,
}

/// One path and what it gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PathReading {
    /// The path.
    pub path: Path,
    /// What it gave.
    pub reading: Reading,
}

/// What an observation says of its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Grade {
    /// As it should be.
    Ok,
    /// Worse than it should be, but serving.
    Degraded,
    /// Not serving.
    Failed,
    /// The observer cannot tell.
    Unknown,
}

/// What an observer's paths say of the host beneath a silent agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Life {
    /// A port refused, or sent bytes: the host lives.
    Proven,
    /// A port accepted and sent nothing: a kernel lives.
    Accepted,
    /// Every calibrated path was silent.
    None,
}

/// What an attestation counts as in a quorum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Voice {
    /// The subject answered.
    Ok,
    /// The agent answered on no path, at least one of which is calibrated.
    Against(Life),
    /// Neither: nothing calibrated, or the author discounts itself.
    Mute,
}

/// What one observer saw of one subject in one round, signed (protocol 3.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Attestation {
    /// Who is looked at.
    pub subject: HostId,
    /// The subject's boot as the observer knows it.
    pub subject_boot: Boot,
    /// Who looked.
    pub observer: HostId,
    /// The observer's own boot.
    pub observer_boot: Boot,
    /// The observer's key.
    pub key: PublicKey,
    /// Per-observer counter; the highest wins, two different ones under one number are both void.
    pub sequence: Sequence,
    /// The roster's epoch under which the seat was held.
    pub epoch: Epoch,
    /// The round.
    pub anchor: Anchor,
    /// The reading of the check `reach`.
    pub grade: Grade,
    /// What each path gave; at most [`Attestation::PATHS_MAX`].
    pub paths: Vec<PathReading>,
    /// The author's own observers whose probes reached it in the last 10 s (protocol 2.7); at most [`Attestation::INGRESS_MAX`].
    pub ingress: Vec<HostId>,
    /// How late the author's event loop was at worst in the last 10 s, in milliseconds (protocol 2.7).
    pub late_ms: u32,
    /// Over [`Attestation::CONTEXT`], the cluster and all fields above.
    pub signature: Signature,
}

/// The subject's own word that it lives: signed over a nonce of the asker, or over a round's anchor (protocol 3.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SelfAnswer {
    /// Who answers.
    pub subject: HostId,
    /// In which life.
    pub boot: Boot,
    /// Its key.
    pub key: PublicKey,
    /// To what.
    pub to: Answer,
    /// Over [`SelfAnswer::CONTEXT`], the cluster and all fields above.
    pub signature: Signature,
}

/// What a [`SelfAnswer`] answers to; neither can be foreseen, so neither can be signed before it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Answer {
    /// A nonce of one observer; in a round always [`Anchor::nonce`].
    Nonce(u128),
    /// The anchor of a round.
    Round(Anchor),
}

impl Anchor {
    /// The nonce that this observer sends to this subject in this round, on every path. It follows from the anchor, which
    /// nobody can know earlier, so that the answer proves its own freshness to whoever reads the grounds (protocol 3.1).
    pub fn nonce(&self, observer: &HostId, subject: &HostId) -> u128 {
        let mut bytes = CanonicalBytes::default();
        bytes.text("hale round nonce 1").value(self);
        bytes.value(observer).value(subject);
        let digest = Digest::of(&[&bytes.into_bytes()]);
        let mut first = [0; 16];
        first.copy_from_slice(&digest.0[..16]);
        u128::from_be_bytes(first)
    }
}

impl Attestation {
    /// What is signed begins with this.
    pub const CONTEXT: &str = "hale attestation 1";
    /// Six fixed paths and up to four named ports.
    pub const PATHS_MAX: usize = 10;
    /// As many as a subject has observers at most.
    pub const INGRESS_MAX: usize = 10;

    /// The bytes that the observer signs; `cluster` keeps a voice from being carried into another mesh.
    pub fn signed_bytes(&self, cluster: &str) -> Vec<u8> {
        let mut bytes = CanonicalBytes::default();
        bytes.text(Self::CONTEXT).text(cluster).value(self);
        bytes.into_bytes()
    }

    /// The same attestation under this signer's key and signature.
    #[must_use]
    pub fn signed(mut self, cluster: &str, signer: &dyn Signer) -> Self {
        self.key = signer.public_key();
        self.signature = signer.sign(&self.signed_bytes(cluster));
        self
    }
}

impl SelfAnswer {
    /// What is signed begins with this.
    pub const CONTEXT: &str = "hale self answer 1";

    /// The bytes that the subject signs.
    pub fn signed_bytes(&self, cluster: &str) -> Vec<u8> {
        let mut bytes = CanonicalBytes::default();
        bytes.text(Self::CONTEXT).text(cluster).value(self);
        bytes.into_bytes()
    }

    /// The same answer under this signer's key and signature.
    #[must_use]
    pub fn signed(mut self, cluster: &str, signer: &dyn Signer) -> Self {
        self.key = signer.public_key();
        self.signature = signer.sign(&self.signed_bytes(cluster));
        self
    }
}

impl Canonical for Anchor {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes.number(self.index.0).bytes(&self.audit.0);
    }
}

impl Canonical for Path {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        match self {
            Self::Warm => bytes.variant(0),
            Self::Stream => bytes.variant(1),
            Self::FreshDial => bytes.variant(2),
            Self::NearRelay => bytes.variant(3),
            Self::FarRelay => bytes.variant(4),
            Self::AgentPort => bytes.variant(5),
            Self::NamedPort(port) => bytes.variant(6).number(u64::from(*port)),
        };
    }
}

impl Canonical for PathReading {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes.value(&self.path).variant(match self.reading {
            Reading::Answered => 0,
            Reading::Refused => 1,
            Reading::Accepted => 2,
            Reading::Silent => 3,
            Reading::Absent => 4,
        });
    }
}

impl Canonical for Grade {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes.variant(match self {
            Self::Ok => 0,
            Self::Degraded => 1,
            Self::Failed => 2,
            Self::Unknown => 3,
        });
    }
}

/// Everything but the signature.
impl Canonical for Attestation {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes
            .value(&self.subject)
            .value(&self.subject_boot)
            .value(&self.observer)
            .value(&self.observer_boot)
            .value(&self.key)
            .number(self.sequence.0)
            .number(self.epoch.0)
            .value(&self.anchor)
            .value(&self.grade)
            .list(self.paths.iter())
            .list(self.ingress.iter())
            .number(u64::from(self.late_ms));
    }
}

/// Everything but the signature.
impl Canonical for SelfAnswer {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes.value(&self.subject).value(&self.boot).value(&self.key);
        match &self.to {
            Answer::Nonce(nonce) => bytes.variant(0).bytes(&nonce.to_be_bytes()),
            Answer::Round(anchor) => bytes.variant(1).value(anchor),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rounds_nonce_differs_for_every_anchor_observer_and_subject() {
        let (a, b) = (HostId([1; 16]), HostId([2; 16]));
        let early = Anchor::default();
        let later = Anchor { index: LedgerIndex(1), ..early };
        assert_ne!(early.nonce(&a, &b), later.nonce(&a, &b));
        assert_ne!(early.nonce(&a, &b), early.nonce(&b, &a));
    }
}
