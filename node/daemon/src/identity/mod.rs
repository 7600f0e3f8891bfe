//! Who this host is: its certificate, its key and its authorities, read from files and checked before anything starts.
//!
//! Law ID3: an identity that exists is sound: the key is the certificate's, an authority has signed it, its dates hold,
//! it claims a host. Each thing that is wrong is one [`IdentityFault`] with the path a person must look at.
//! Not here: making certificates (see `authority`), and what a peer shows in a handshake (see `transport`).

pub mod alarm;
pub mod certificate;
pub mod fault;
mod files;
mod glance;
pub mod renewal;
pub mod signer;

use std::fmt;
use std::path::PathBuf;

use ring::{hkdf, hmac};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use vocabulary::{CertificateChain, Claims, ClusterName, HostId, PublicKey, Signer, Verifier};

pub use certificate::{RingVerifier, Validity};
pub use fault::IdentityFault;
pub use glance::{Glance, Watched};
pub use renewal::{Renewal, RenewalFault};
pub use signer::RingSigner;

/// Where the three files lie, and what the configuration expects of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityFiles {
    /// The host's certificate, PEM.
    pub certificate: PathBuf,
    /// Its private key, PKCS#8 in PEM, readable by its owner alone.
    pub key: PathBuf,
    /// The authorities' certificates, PEM; several while one follows another.
    pub authority: PathBuf,
    /// The cluster that the certificate must be of, where the configuration names one.
    pub cluster: Option<ClusterName>,
}

/// A sound identity.
pub struct Identity {
    claims: Claims,
    host: HostId,
    signer: RingSigner,
    chain: CertificateChain,
    authorities: Vec<Vec<u8>>,
    validity: Validity,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads and checks the files; `now` in seconds of the Unix epoch, for the certificate's dates.
    pub fn load(files: &IdentityFiles, now: u64) -> Result<Self, IdentityFault> {
        let key = files::private_key(&files.key)?;
        let certificate = files::host_certificate(&files.certificate)?;
        let authorities = files::authorities(&files.authority)?;
        let signer = RingSigner::from_pkcs8(key.secret_der())
            .ok_or_else(|| IdentityFault::NotAKey(files.key.clone()))?;
        let chain = CertificateChain(vec![certificate]);
        let (claims, public_key) = RingVerifier
            .claims(&authorities, &chain)
            .map_err(|fault| IdentityFault::of_certificate(files, fault))?;
        if public_key != signer.public_key() {
            return Err(IdentityFault::KeyMismatch {
                key: files.key.clone(),
                certificate: files.certificate.clone(),
            });
        }
        let validity = dated(files, &chain, now)?;
        expect_cluster(files, &authorities, &claims)?;
        Ok(Self { host: claims.id(), claims, signer, chain, authorities, validity, key })
    }

    /// What the certificate claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The id that follows from the claims.
    pub fn host(&self) -> HostId {
        self.host
    }

    /// Signs in the name of this host.
    pub fn signer(&self) -> &RingSigner {
        &self.signer
    }

    /// What this host shows to others and enrols with (protocol 1.3).
    pub fn chain(&self) -> &CertificateChain {
        &self.chain
    }

    /// The certificates of the authorities, DER.
    pub fn authorities(&self) -> &[Vec<u8>] {
        &self.authorities
    }

    /// When the certificate holds; an alarm starts well before its end.
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// The chain as rustls wants it.
    pub(crate) fn certificates(&self) -> Vec<CertificateDer<'static>> {
        let owned = |der: &Vec<u8>| CertificateDer::from(der.clone());
        self.chain.0.iter().map(owned).collect()
    }

    /// The key as rustls wants it; secret.
    pub(crate) fn private_key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }

    /// The key of stateless resets: only the holder of the private key can derive it, and it is the same after every
    /// restart, so that a restarted agent can tell its peers that their connections are gone (ARCHITECTURE 5).
    pub(crate) fn reset_key(&self) -> hmac::Key {
        hkdf::Salt::new(hkdf::HKDF_SHA256, b"hale: from a host's private key")
            .extract(self.key.secret_der())
            .expand(&[b"stateless reset"], hmac::HMAC_SHA256)
            .expect("HKDF gives up to 255 blocks, and this is one")
            .into()
    }
}

fn dated(
    files: &IdentityFiles,
    chain: &CertificateChain,
    now: u64,
) -> Result<Validity, IdentityFault> {
    let parsed = certificate::parse(&chain.0[0])
        .map_err(|fault| IdentityFault::of_certificate(files, fault))?;
    let validity = certificate::validity(&parsed);
    let path = files.certificate.clone();
    if now < validity.from {
        Err(IdentityFault::NotYet { path, from: validity.from })
    } else if now > validity.until {
        Err(IdentityFault::Ended { path, until: validity.until })
    } else {
        Ok(validity)
    }
}

/// The certificate must be of the cluster that the configuration names, and of one that an authority beside it is for.
fn expect_cluster(
    files: &IdentityFiles,
    authorities: &[Vec<u8>],
    claims: &Claims,
) -> Result<(), IdentityFault> {
    let of_authority = authorities
        .iter()
        .filter_map(|der| certificate::parse(der).ok())
        .filter_map(|parsed| certificate::authority_cluster(&parsed));
    match files
        .cluster
        .iter()
        .cloned()
        .chain(of_authority)
        .find(|cluster| *cluster != claims.cluster)
    {
        None => Ok(()),
        Some(expected) => Err(IdentityFault::AnotherCluster {
            path: files.certificate.clone(),
            found: claims.cluster.clone(),
            expected,
        }),
    }
}

impl fmt::Debug for Identity {
    /// Never the key.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key: PublicKey = self.signer.public_key();
        write!(out, "Identity({} {key:?})", self.claims.host)
    }
}

#[cfg(test)]
mod tests;
