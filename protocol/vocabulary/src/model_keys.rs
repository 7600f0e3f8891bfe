//! Keys for virtual fleets: a keyed hash in the place of Ed25519 and X.509.
//!
//! Law: this proves nothing. Whoever knows a host's name can sign for it, so it stands only where all hosts live in one
//! process (T0 tests, the simulator); no shell that owns a socket may be given a [`ModelVerifier`].
//! Not here: forging. A test that needs a lie alters what was signed, and sees it refused.

use crate::canonical::CanonicalBytes;
use crate::digest::Digest;
use crate::host::Claims;
use crate::keys::{CertificateChain, CertificateFault, PublicKey, Signature, Signer, Verifier};
use crate::name::HostName;

/// Signs as one virtual host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelSigner {
    key: PublicKey,
}

/// Checks what any [`ModelSigner`] has signed and reads what [`model_chain`] has issued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelVerifier;

impl ModelSigner {
    /// The first key of the host of this name.
    pub fn new(host: &HostName) -> Self {
        Self::rotated(host, 0)
    }

    /// The key of the host of this name after so many rotations.
    pub fn rotated(host: &HostName, rotations: u64) -> Self {
        let mut bytes = CanonicalBytes::default();
        bytes.text("hale model key").text(host.as_str()).number(rotations);
        Self { key: PublicKey(Digest::of(&[&bytes.into_bytes()]).0) }
    }
}

impl Signer for ModelSigner {
    fn public_key(&self) -> PublicKey {
        self.key
    }

    fn sign(&self, message: &[u8]) -> Signature {
        keyed_hash(&self.key, message)
    }
}

impl Verifier for ModelVerifier {
    fn is_signed_by(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        keyed_hash(key, message) == *signature
    }

    fn claims(
        &self,
        authorities: &[Vec<u8>],
        chain: &CertificateChain,
    ) -> Result<(Claims, PublicKey), CertificateFault> {
        let size = chain.0.iter().map(Vec::len).sum::<usize>();
        let certificate = chain.0.first().ok_or(CertificateFault::Size)?;
        if size > CertificateChain::BYTES_MAX {
            return Err(CertificateFault::Size);
        }
        let (rest, tag) =
            certificate.split_last_chunk::<32>().ok_or(CertificateFault::Unreadable)?;
        let (uri, key) = rest.split_last_chunk::<32>().ok_or(CertificateFault::Unreadable)?;
        let key = PublicKey(*key);
        let signed_by = |authority: &Vec<u8>| certificate_tag(authority, uri, &key).0 == *tag;
        if !authorities.iter().any(signed_by) {
            return Err(CertificateFault::UnknownAuthority);
        }
        let uri = std::str::from_utf8(uri).map_err(|_| CertificateFault::Unreadable)?;
        let claims = Claims::from_uri(uri).map_err(|why| CertificateFault::Claims(why.0))?;
        Ok((claims, key))
    }

    fn end(&self, chain: &CertificateChain) -> Option<u64> {
        let date = chain.0.get(1)?.first_chunk()?;
        Some(u64::from_be_bytes(*date))
    }
}

/// What stands in the place of the authority's DER certificate; give it to the founding command.
pub fn model_authority() -> Vec<u8> {
    b"hale model authority".to_vec()
}

/// A certificate for the host's first key: URI, key and tag in the place of DER.
pub fn model_chain(claims: &Claims) -> CertificateChain {
    model_chain_for(claims, &ModelSigner::new(&claims.host))
}

/// A certificate for this key of the host: for rotations, and for keys that no host should have.
pub fn model_chain_for(claims: &Claims, signer: &dyn Signer) -> CertificateChain {
    let mut certificate = claims.to_uri().into_bytes();
    let key = signer.public_key();
    let tag = certificate_tag(&model_authority(), &certificate, &key);
    certificate.extend_from_slice(&key.0);
    certificate.extend_from_slice(&tag.0);
    CertificateChain(vec![certificate])
}

/// A certificate for this key of the host that ends at this second; its date lies beside it and is not signed.
pub fn model_chain_until(claims: &Claims, signer: &ModelSigner, until: u64) -> CertificateChain {
    let mut chain = model_chain_for(claims, signer);
    chain.0.push(until.to_be_bytes().to_vec());
    chain
}

fn keyed_hash(key: &PublicKey, message: &[u8]) -> Signature {
    let half = |side: u8| Digest::of(&[b"hale model signature", &[side], &key.0, message]).0;
    Signature(half(0), half(1))
}

fn certificate_tag(authority: &[u8], uri: &[u8], key: &PublicKey) -> Digest {
    let mut bytes = CanonicalBytes::default();
    bytes.text("hale model certificate").bytes(authority).bytes(uri).value(key);
    Digest::of(&[&bytes.into_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Domain, Roles};
    use crate::name::{ClusterName, GroupName, Label};

    fn claims() -> Claims {
        let label = |text| Label::new(text).expect("sound");
        Claims {
            cluster: ClusterName(label("prod-eu")),
            host: HostName(label("web-a-07")),
            domain: Domain { region: label("eu"), zone: label("eu-a"), rack: label("r1") },
            group: GroupName(label("web")),
            roles: Roles::default(),
        }
    }

    #[test]
    fn a_signature_holds_for_its_key_and_its_bytes_only() {
        let [own, other] = ["a", "b"].map(|name| {
            let name = HostName::new(name).expect("sound");
            ModelSigner::new(&name)
        });
        let signature = own.sign(b"as seen");
        let holds = |signer: &ModelSigner, message: &[u8]| {
            ModelVerifier.is_signed_by(&signer.public_key(), message, &signature)
        };
        assert!(holds(&own, b"as seen"));
        assert!(!holds(&own, b"as seem"));
        assert!(!holds(&other, b"as seen"));
    }

    #[test]
    fn a_certificate_says_what_was_claimed_and_nothing_else_passes() {
        let claims = claims();
        let chain = model_chain(&claims);
        let key = ModelSigner::new(&claims.host).public_key();
        let read = |chain: &CertificateChain| ModelVerifier.claims(&[model_authority()], chain);
        assert_eq!(read(&chain), Ok((claims.clone(), key)));

        let stranger = ModelVerifier.claims(&[b"another".to_vec()], &chain);
        assert_eq!(stranger, Err(CertificateFault::UnknownAuthority));
        let mut altered = chain.clone();
        altered.0[0][8] ^= 1;
        assert_eq!(read(&altered), Err(CertificateFault::UnknownAuthority));
        let short = CertificateChain(vec![vec![0; 40]]);
        assert_eq!(read(&short), Err(CertificateFault::Unreadable));
        let empty = CertificateChain(Vec::new());
        assert_eq!(read(&empty), Err(CertificateFault::Size));
    }

    #[test]
    fn a_rotated_key_is_another_key_of_the_same_host() {
        let claims = claims();
        let later = ModelSigner::rotated(&claims.host, 1);
        let chain = model_chain_for(&claims, &later);
        let read = ModelVerifier.claims(&[model_authority()], &chain);
        assert_eq!(read, Ok((claims.clone(), later.public_key())));
        assert_ne!(later, ModelSigner::new(&claims.host));
    }
}
