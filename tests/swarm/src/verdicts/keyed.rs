//! A keyed hash in the place of Ed25519: who does not hold the secret cannot sign, and it costs a microsecond.

use std::collections::BTreeMap;

use vocabulary::{
    CertificateChain, CertificateFault, Claims, Digest, PublicKey, Signature, Signer, Verifier,
};

/// One host's secret.
#[derive(Clone, Copy)]
pub struct Secret([u8; 32]);

/// Everybody's secrets: a verifier that could sign, which only a test may have.
#[derive(Clone, Default)]
pub struct KeyRing(BTreeMap<PublicKey, Secret>);

impl Secret {
    /// The secret that follows from a number.
    pub fn numbered(number: usize) -> Self {
        Self(Digest::of(&[b"secret", &number.to_be_bytes()]).0)
    }
}

impl KeyRing {
    /// The ring that knows these secrets.
    pub fn of(secrets: impl Iterator<Item = Secret>) -> Self {
        Self(secrets.map(|secret| (secret.public_key(), secret)).collect())
    }
}

impl Signer for Secret {
    fn public_key(&self) -> PublicKey {
        PublicKey(Digest::of(&[b"public", &self.0]).0)
    }

    fn sign(&self, message: &[u8]) -> Signature {
        let half = Digest::of(&[&self.0, message]).0;
        Signature(half, half)
    }
}

impl Verifier for KeyRing {
    fn is_signed_by(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        self.0.get(key).is_some_and(|secret| secret.sign(message) == *signature)
    }

    fn claims(
        &self,
        _authorities: &[Vec<u8>],
        _chain: &CertificateChain,
    ) -> Result<(Claims, PublicKey), CertificateFault> {
        Err(CertificateFault::UnknownAuthority)
    }
}
