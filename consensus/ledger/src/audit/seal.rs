//! A seal: one place of the chain, signed by most of the ledger's voters, and how it is judged with nothing but an authority's certificate.
//!
//! Law AS1: a seal is whole once a majority of the voters that it names have signed, each with the key of a certificate that names it as a
//! keeper of the cluster, over [`Seal::CONTEXT`], the cluster, the place and the voters.
//! Not here: which place is sealed and whose signatures are taken (see `sealing`), and whether the place lies in a chain (whoever has one).

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use vocabulary::{
    Canonical, CanonicalBytes, CertificateChain, CertificateFault, Claims, ClusterName, HostId,
    PublicKey, Signature, Verifier,
};

use super::Checkpoint;

/// A place of the audit and who vouches for everything up to it. It holds all that is needed to judge it but the authority's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// Whose audit it is.
    pub cluster: ClusterName,
    /// What is sealed: this record, and through its digest every one before it.
    pub place: Checkpoint,
    /// The voters of the ledger as of that record.
    pub voters: Vec<HostId>,
    /// The DER certificates of the authorities that vouched for hosts then.
    pub authorities: Vec<Vec<u8>>,
    /// By host; of each voter at most one.
    pub signatures: Vec<Signed>,
}

/// One voter's word on a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The voter.
    pub by: HostId,
    /// Its certificate then.
    pub certificate: CertificateChain,
    /// With that certificate's key, over [`Seal::message`].
    pub signature: Signature,
}

/// Why a seal vouches for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealFault {
    /// Too few have signed.
    Few {
        /// So many have.
        signed: usize,
        /// Of so many voters.
        voters: usize,
    },
    /// One that is no voter has signed, or one has signed twice.
    Stranger(HostId),
    /// A signer's certificate is none that an authority vouches for.
    Certificate(HostId, CertificateFault),
    /// A signer's certificate is another host's, another cluster's, or no keeper's.
    Foreign(HostId),
    /// A signature is not by the certificate's key over what is sealed.
    Signature(HostId),
}

/// What is signed.
struct Sealed<'a> {
    cluster: &'a ClusterName,
    place: Checkpoint,
    voters: &'a [HostId],
}

impl Seal {
    /// What is signed begins with this.
    pub const CONTEXT: &str = "hale audit seal 1";

    /// The bytes that each voter signs.
    pub fn message(cluster: &ClusterName, place: Checkpoint, voters: &[HostId]) -> Vec<u8> {
        Sealed { cluster, place, voters }.canonical(Self::CONTEXT)
    }

    /// Whether a majority has signed; see [`Seal::judge`] for what their signatures are worth.
    pub fn is_whole(&self) -> bool {
        self.signatures.len() * 2 > self.voters.len()
    }

    /// Whether this host has signed.
    pub fn is_signed_by(&self, host: &HostId) -> bool {
        self.signatures.iter().any(|signed| signed.by == *host)
    }

    /// Law AS1: who vouches for the place: a majority, for each of whom one of these authorities (DER) vouches. While one authority follows
    /// another some signers' certificates are of the one and some of the other: those of neither do not count.
    pub fn judge(
        &self,
        authorities: &[Vec<u8>],
        verifier: &dyn Verifier,
    ) -> Result<Vec<Claims>, SealFault> {
        let (mut seen, mut signers, mut unknown) = (BTreeSet::new(), Vec::new(), None);
        for signed in &self.signatures {
            if !seen.insert(signed.by) {
                return Err(SealFault::Stranger(signed.by));
            }
            match self.judge_one(signed, authorities, verifier) {
                Ok((claims, _)) => signers.push(claims),
                Err(fault @ SealFault::Certificate(..)) => unknown = Some(fault),
                Err(fault) => return Err(fault),
            }
        }
        let (signed, voters) = (signers.len(), self.voters.len());
        if signed * 2 > voters {
            return Ok(signers);
        }
        Err(unknown.unwrap_or(SealFault::Few { signed, voters }))
    }

    /// Whether this is that voter's word on this place; with what its certificate says.
    pub(crate) fn judge_one(
        &self,
        signed: &Signed,
        authorities: &[Vec<u8>],
        verifier: &dyn Verifier,
    ) -> Result<(Claims, PublicKey), SealFault> {
        let by = signed.by;
        if !self.voters.contains(&by) {
            return Err(SealFault::Stranger(by));
        }
        let of_certificate = |why| SealFault::Certificate(by, why);
        let size = signed.certificate.0.iter().map(Vec::len).sum::<usize>();
        if size > CertificateChain::BYTES_MAX {
            return Err(of_certificate(CertificateFault::Size));
        }
        let (claims, key) =
            verifier.claims(authorities, &signed.certificate).map_err(of_certificate)?;
        if claims.id() != by || claims.cluster != self.cluster || !claims.roles.keeper {
            return Err(SealFault::Foreign(by));
        }
        let message = Self::message(&self.cluster, self.place, &self.voters);
        if !key.is_sound() || !verifier.is_signed_by(&key, &message, &signed.signature) {
            return Err(SealFault::Signature(by));
        }
        Ok((claims, key))
    }
}

impl Canonical for Sealed<'_> {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes
            .text(self.cluster.as_str())
            .number(self.place.number)
            .bytes(&self.place.digest.0)
            .list(self.voters.iter());
    }
}

impl fmt::Display for SealFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Few { signed, voters } => {
                write!(out, "{signed} of {voters} voters have signed it, which is no majority")
            }
            Self::Stranger(host) => {
                write!(out, "host {host} has signed it twice, or is none of its voters")
            }
            Self::Certificate(host, why) => {
                write!(out, "the certificate of its signer {host} does not hold: {why}")
            }
            Self::Foreign(host) => write!(
                out,
                "the certificate of its signer {host} is another host's, another cluster's, or no keeper's"
            ),
            Self::Signature(host) => {
                write!(
                    out,
                    "the signature of {host} is not by its certificate's key over this place"
                )
            }
        }
    }
}

impl std::error::Error for SealFault {}
