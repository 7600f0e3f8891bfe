//! Makes the next certificate from the one before it (`hale ca renew`): of a host, or of the authority itself.
//!
//! Law CA3: the next certificate claims what the one before it claims, and nothing else; whoever shows a certificate that no
//! authority at hand has signed gets none.
//! Law CA4: a host's key need not leave it: the next certificate is made for the key in the one before it.
//! Law CA1 holds here too: nothing is written over; the operator puts new files in the place of old ones.
//! Not here: taking them into use (see `host::renewing`), and authorities that follow one another (docs/operating).

use std::path::{Path, PathBuf};

use rcgen::{Issuer, PKCS_ED25519, PublicKeyData, SignatureAlgorithm};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use vocabulary::{CertificateChain, CertificateFault, Claims, PublicKey, Verifier as _};

use super::{AuthorityFault, Term, Written, authority_params, files, host_params, new_key};
use crate::identity::RingVerifier;

/// What the next certificate of a host is made from.
#[derive(Clone, Debug)]
pub struct HostRenewal {
    /// The certificate before it, PEM; it may have ended.
    pub from: PathBuf,
    /// Authorities, PEM, that may have signed that one beside the authority that signs the next: while one follows another.
    pub signed_by: Option<PathBuf>,
    /// Whether the host is to have another key.
    pub has_new_key: bool,
    /// From when until when it holds.
    pub term: Term,
}

/// Issues it from the authority in `dir` into `out`: `host.pem`, `authority.pem`, and `host.key` where the key is new.
pub fn host(
    renewal: &HostRenewal,
    dir: &Path,
    out: &Path,
) -> Result<(Claims, Written), AuthorityFault> {
    let authority = files::load(dir)?;
    let (claims, key) = before(renewal, &authority)?;
    if authority.cluster != claims.cluster {
        return Err(AuthorityFault::AnotherCluster { path: dir.into(), found: authority.cluster });
    }
    let term = renewal.term.within(authority.until, dir)?;
    let issuer = Issuer::from_ca_cert_der(&authority.certificate, &authority.key)
        .map_err(AuthorityFault::making)?;
    let params = host_params(&claims, term)?;
    let (certificate, new_key) = if renewal.has_new_key {
        let key = new_key()?;
        (params.signed_by(&key, &issuer), Some(key.serialize_pem()))
    } else {
        (params.signed_by(&Certified(key), &issuer), None)
    };
    let certificate = certificate.map_err(AuthorityFault::making)?;
    let written = files::host(out, term.until);
    let mut all = vec![
        (written.certificate.clone(), certificate.pem(), 0o644),
        (out.join("authority.pem"), authority.pem, 0o644),
    ];
    all.extend(new_key.map(|key| (written.key.clone(), key, 0o600)));
    files::write_all(out, &all)?;
    Ok((claims, written))
}

/// Makes another certificate of the authority in `dir` for the same key into `out`: `authority.pem` alone. All that the
/// authority has signed stays signed by it.
pub fn authority(dir: &Path, out: &Path, term: Term) -> Result<Written, AuthorityFault> {
    let authority = files::load(dir)?;
    let params = authority_params(&authority.cluster, term);
    let certificate = params.self_signed(&authority.key).map_err(AuthorityFault::making)?;
    let written = files::authority(out, term.until);
    files::write_all(out, &[(written.certificate.clone(), certificate.pem(), 0o644)])?;
    Ok(written)
}

/// Law CA3: what the certificate before it claims, and its key.
fn before(
    renewal: &HostRenewal,
    authority: &files::Authority,
) -> Result<(Claims, PublicKey), AuthorityFault> {
    let unusable = |path: &Path, why: &str| AuthorityFault::unusable(path, why);
    let text = files::read(&renewal.from)?;
    let der = CertificateDer::from_pem_slice(text.as_bytes())
        .map_err(|_| unusable(&renewal.from, "holds no PEM certificate"))?;
    let mut authorities = vec![authority.certificate.to_vec()];
    if let Some(path) = &renewal.signed_by {
        let text = files::read(path)?;
        let others: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
        let others = others.map_err(|_| unusable(path, "holds no PEM certificates"))?;
        authorities.extend(others.iter().map(|der| der.to_vec()));
    }
    RingVerifier
        .claims(&authorities, &CertificateChain(vec![der.to_vec()]))
        .map_err(|fault| match fault {
            CertificateFault::UnknownAuthority => unusable(
                &renewal.from,
                "was signed by none of the authorities at hand; name the one before this with --signed-by",
            ),
            fault => unusable(&renewal.from, &fault.to_string()),
        })
}

/// The key in a certificate; its private half stays on the host.
struct Certified(PublicKey);

impl PublicKeyData for Certified {
    fn der_bytes(&self) -> &[u8] {
        &self.0.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}
