//! Signs with this host's Ed25519 key.

use std::fmt;

use ring::signature::{Ed25519KeyPair, KeyPair};
use vocabulary::{PublicKey, Signature, Signer};

/// Ed25519 by ring; the private half never leaves it.
pub struct RingSigner {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl RingSigner {
    /// From a PKCS#8 key, with or without its public half (openssl leaves it out); `None` if it is no Ed25519 key.
    pub fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok()?;
        let public = PublicKey(pair.public_key().as_ref().try_into().ok()?);
        Some(Self { pair, public })
    }
}

impl Signer for RingSigner {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Signature {
        let signature = self.pair.sign(message);
        let bytes = signature.as_ref().try_into();
        Signature::from_bytes(bytes.expect("RFC 8032: an Ed25519 signature is 64 bytes"))
    }
}

impl fmt::Debug for RingSigner {
    /// Never the key.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "RingSigner({:?})", self.public)
    }
}
