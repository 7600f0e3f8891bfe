//! Keys, signatures and certificates, as traits: Ed25519 and X.509 live in the daemon, a keyed hash stands in for them in T0.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::canonical::{Canonical, CanonicalBytes};
use crate::host::Claims;

/// An Ed25519 public key (RFC 8032).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PublicKey(pub [u8; 32]);

/// An Ed25519 signature (RFC 8032); two halves, since serde stops at 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Signature(pub [u8; 32], pub [u8; 32]);

/// DER certificates, the host's own first, its authority's not included; at most [`CertificateChain::BYTES_MAX`] in all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CertificateChain(pub Vec<Vec<u8>>);

/// Signs in the name of this host.
pub trait Signer: Send + Sync {
    /// The key by which others check.
    fn public_key(&self) -> PublicKey;

    /// Signs the bytes as they are.
    fn sign(&self, message: &[u8]) -> Signature;
}

/// Checks what others have signed; pure, so that every keeper comes to the same answer.
pub trait Verifier: Send + Sync {
    /// Whether this key has signed these bytes.
    fn is_signed_by(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool;

    /// Reads the claims and the key of a host certificate after checking the signature of one of `authorities` (DER).
    /// Validity dates are not looked at: they are the handshake's business (protocol 1.3).
    fn claims(
        &self,
        authorities: &[Vec<u8>],
        chain: &CertificateChain,
    ) -> Result<(Claims, PublicKey), CertificateFault>;

    /// When the first certificate of a chain to end does so, in seconds of the Unix epoch: for people and alarms, no decision
    /// reads it (protocol 5). `None` where nothing is said of that.
    fn end(&self, _chain: &CertificateChain) -> Option<u64> {
        None
    }
}

/// Why a certificate is refused; nothing has moved, the holder needs another certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CertificateFault {
    /// No certificate in the chain, or more bytes than allowed.
    Size,
    /// The bytes are not an X.509 certificate with an Ed25519 key.
    Unreadable,
    /// None of the cluster's authorities has signed it.
    UnknownAuthority,
    /// It must carry exactly one URI SAN (protocol 1.7); this many were found.
    UriCount(u32),
    /// The URI does not say what a host certificate must say.
    Claims(String),
}

impl CertificateChain {
    /// Most bytes of a chain: two Ed25519 certificates are about 1 kB; 8 kB leaves room for an intermediate.
    pub const BYTES_MAX: usize = 8 * 1024;
}

impl Signature {
    /// From the 64 bytes of RFC 8032.
    pub fn from_bytes(bytes: [u8; 64]) -> Self {
        let (mut left, mut right) = ([0; 32], [0; 32]);
        left.copy_from_slice(&bytes[..32]);
        right.copy_from_slice(&bytes[32..]);
        Self(left, right)
    }

    /// The 64 bytes of RFC 8032.
    pub fn to_bytes(self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&self.0);
        bytes[32..].copy_from_slice(&self.1);
        bytes
    }
}

impl Canonical for PublicKey {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes.bytes(&self.0);
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "key:")?;
        self.0[..4].iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "sig:")?;
        self.0[..4].iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size => write!(
                out,
                "the certificate chain is empty or over {} bytes",
                CertificateChain::BYTES_MAX
            ),
            Self::Unreadable => {
                write!(out, "the bytes are no X.509 certificate with an Ed25519 key")
            }
            Self::UnknownAuthority => {
                write!(out, "no authority of this cluster has signed the certificate")
            }
            Self::UriCount(found) => {
                write!(
                    out,
                    "a host certificate carries exactly one URI SAN, this one carries {found}"
                )
            }
            Self::Claims(why) => write!(out, "the certificate's URI is not a host's: {why}"),
        }
    }
}

impl std::error::Error for CertificateFault {}
