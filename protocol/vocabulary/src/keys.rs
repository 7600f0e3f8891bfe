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
    /// Its key is none that an Ed25519 signature could be trusted by (see [`PublicKey::is_sound`]).
    WeakKey,
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

/// The y coordinates of the eight points of small order (listed by Chalkias, Garillot and Nikolaenko, "Taming the many EdDSAs", SSR
/// 2020), as RFC 8032 5.1.2 encodes them without the sign of x.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    filled(0x01, 0, 0),
    filled(0xec, 0xff, 0x7f),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// The prime of the field, 2^255 - 19: the first y that no canonical encoding has (RFC 8032 5.1.3).
const PRIME: [u8; 32] = filled(0xed, 0xff, 0x7f);

/// A first and a last byte, and all others alike.
const fn filled(first: u8, inner: u8, last: u8) -> [u8; 32] {
    let mut bytes = [inner; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

impl PublicKey {
    /// Whether what this key signs is a word of its holder: the key is spelled as RFC 8032 5.1.3 wants it, and is none of the points of
    /// small order. With one of these a single signature holds for many messages, and libraries differ on whether they take it.
    pub fn is_sound(&self) -> bool {
        let mut y = self.0;
        y[31] &= 0x7f;
        let is_canonical = y.iter().rev().lt(PRIME.iter().rev());
        is_canonical && !SMALL_ORDER.contains(&y)
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
            Self::WeakKey => write!(
                out,
                "the certificate's Ed25519 key is of small order or not canonical: nothing that it signs proves anything; make another key"
            ),
        }
    }
}

impl std::error::Error for CertificateFault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_small_order_and_those_that_have_another_spelling_are_not_sound() {
        let sound = PublicKey(filled(0x58, 0x66, 0x66));
        assert!(sound.is_sound(), "the base point");
        let mut negative = sound;
        negative.0[31] |= 0x80;
        assert!(negative.is_sound());
        for y in SMALL_ORDER {
            for sign in [0, 0x80] {
                let mut key = PublicKey(y);
                key.0[31] |= sign;
                assert!(!key.is_sound(), "{y:02x?}");
            }
        }
        for first in 0xed..=0xff {
            assert!(!PublicKey(filled(first, 0xff, 0x7f)).is_sound(), "p and above: {first:02x}");
            assert!(!PublicKey(filled(first, 0xff, 0xff)).is_sound(), "with a sign: {first:02x}");
        }
        assert!(PublicKey(filled(0xeb, 0xff, 0x7f)).is_sound(), "p - 2 is no such point");
    }
}
