//! What is said of one check on one host: the signed words of one round, and whose word counts.
//!
//! Reaching a host is no check of this room: its words are attestations (see `looking`).
//! Not here: what words add up to (see `detection::fitness`), which checks there are (the policy says).

use serde::{Deserialize, Serialize};

use crate::canonical::{Canonical, CanonicalBytes};
use crate::host::{Boot, HostId};
use crate::keys::{PublicKey, Signature, Signer};
use crate::looking::{Anchor, Grade};
use crate::name::Label;
use crate::number::{Epoch, Sequence};

/// Who carries a check out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CheckFrom {
    /// The host itself; what it says of itself allows gentle remedies alone (protocol 3.6).
    Own,
    /// Its observers.
    Peers,
    /// Both.
    Both,
}

/// What one host says of one check on a subject in one round, signed (protocol 3.6 `Unfit`).
///
/// The subject is asked too, whoever carries the check out: that it signs at all proves that it is reachable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CheckWord {
    /// Whom the check is on.
    pub subject: HostId,
    /// The subject's boot as the author knows it.
    pub subject_boot: Boot,
    /// Who says so: the subject itself, or one of its observers.
    pub author: HostId,
    /// The author's own boot.
    pub author_boot: Boot,
    /// The author's key.
    pub key: PublicKey,
    /// Per-author counter; the highest wins, two different ones under one number are both void.
    pub sequence: Sequence,
    /// The roster's epoch under which the seat was held.
    pub epoch: Epoch,
    /// The round.
    pub anchor: Anchor,
    /// Which check.
    pub check: Label,
    /// What it read; `Unknown` from whoever does not carry this check out, or cannot tell.
    pub grade: Grade,
    /// Over [`CheckWord::CONTEXT`], the cluster and all fields above.
    pub signature: Signature,
}

/// All that was signed at one anchor about checks: what verdicts `Unfit` stand on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CheckGrounds {
    /// The one anchor of everything below.
    pub anchor: Anchor,
    /// The roster's epoch when the rounds began.
    pub epoch: Epoch,
    /// What was signed.
    pub words: Vec<CheckWord>,
}

impl CheckFrom {
    /// Whether the host's own word counts.
    pub fn asks_the_host(self) -> bool {
        matches!(self, Self::Own | Self::Both)
    }

    /// Whether its observers' words count.
    pub fn asks_peers(self) -> bool {
        matches!(self, Self::Peers | Self::Both)
    }
}

impl CheckWord {
    /// What is signed begins with this: no word on a check passes for an attestation, nor the other way round.
    pub const CONTEXT: &str = "hale check word 1";

    /// The bytes that the author signs; `cluster` keeps a word from being carried into another mesh.
    pub fn signed_bytes(&self, cluster: &str) -> Vec<u8> {
        let mut bytes = CanonicalBytes::default();
        bytes.text(Self::CONTEXT).text(cluster).value(self);
        bytes.into_bytes()
    }

    /// The same word under this signer's key and signature.
    #[must_use]
    pub fn signed(mut self, cluster: &str, signer: &dyn Signer) -> Self {
        self.key = signer.public_key();
        self.signature = signer.sign(&self.signed_bytes(cluster));
        self
    }
}

/// Everything but the signature.
impl Canonical for CheckWord {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes
            .value(&self.subject)
            .value(&self.subject_boot)
            .value(&self.author)
            .value(&self.author_boot)
            .value(&self.key)
            .number(self.sequence.0)
            .number(self.epoch.0)
            .value(&self.anchor)
            .text(self.check.as_str())
            .value(&self.grade);
    }
}
