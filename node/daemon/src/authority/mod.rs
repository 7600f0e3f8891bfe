//! Founds a cluster's authority and issues its hosts' certificates (`hale ca`).
//!
//! Law CA1: a file that exists is never written over; a key is born with mode 0600 or not at all.
//! Law CA2: a host certificate carries exactly one URI, and that URI is all that it claims (protocol 1.7).
//! Not here: name constraints (a URI constraint makes verifiers take paths that were found unsound, RUSTSEC-2026-0098),
//! revocation (the roster retires hosts), and checking other people's certificates (see `identity`).

pub mod fault;
pub mod files;
pub mod renew;
pub mod show;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ED25519, SanType,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use vocabulary::{Claims, ClusterName};

pub use fault::AuthorityFault;

use crate::identity::certificate;

/// Default life of an authority: replacing it touches every host, so it should outlive the hardware.
pub const AUTHORITY_DAYS: u32 = 3_650;

/// Default life of a host certificate: short enough that renewal stays a practised habit.
pub const HOST_DAYS: u32 = 365;

/// Longest life that can be asked for: a century, beyond which a typing error is likelier than a wish.
pub const DAYS_MAX: u32 = 36_500;

/// How far back a certificate begins, so that a host whose clock is a little slow can use it at once.
const BACKDATED: Duration = Duration::from_secs(5 * 60);

/// The last second that X.509 can write: 31 December 9999.
const LAST_SECOND: u64 = 253_402_300_799;

/// From when until when a certificate holds, in seconds of the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    from: u64,
    until: u64,
}

/// Where a certificate and its key were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The certificate, readable by all.
    pub certificate: PathBuf,
    /// The key, mode 0600.
    pub key: PathBuf,
    /// Until when the certificate holds, in seconds of the Unix epoch.
    pub until: u64,
}

/// Founds the authority of a cluster in `dir`: `authority.pem` and `authority.key`.
pub fn init(cluster: &ClusterName, dir: &Path, term: Term) -> Result<Written, AuthorityFault> {
    let key = new_key()?;
    let certificate =
        authority_params(cluster, term).self_signed(&key).map_err(AuthorityFault::making)?;
    let pem = [certificate.pem(), key.serialize_pem()];
    files::write(&files::authority(dir, term.until), &pem, None)
}

fn authority_params(cluster: &ClusterName, term: Term) -> CertificateParams {
    let mut params = params(term);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name = DistinguishedName::new();
    let name = &mut params.distinguished_name;
    name.push(DnType::OrganizationalUnitName, files::AUTHORITY_UNIT);
    name.push(DnType::CommonName, cluster.as_str());
    params
}

/// Issues a certificate that says `claims`, from the authority in `dir`, into `out`: `host.pem`, `host.key`, `authority.pem`.
pub fn issue(
    claims: &Claims,
    dir: &Path,
    out: &Path,
    term: Term,
) -> Result<Written, AuthorityFault> {
    let authority = files::load(dir)?;
    if authority.cluster != claims.cluster {
        return Err(AuthorityFault::AnotherCluster { path: dir.into(), found: authority.cluster });
    }
    let term = term.within(authority.until, dir)?;
    let issuer = Issuer::from_ca_cert_der(&authority.certificate, &authority.key)
        .map_err(AuthorityFault::making)?;
    let key = new_key()?;
    let certificate =
        host_params(claims, term)?.signed_by(&key, &issuer).map_err(AuthorityFault::making)?;
    let pem = [certificate.pem(), key.serialize_pem()];
    files::write(&files::host(out, term.until), &pem, Some(&authority.pem))
}

/// The certificates in a PEM text, each of an authority of this cluster; or what is wrong with it.
pub fn read(pem: &str, cluster: &ClusterName) -> Result<Vec<Vec<u8>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = found.map_err(|_| "it is no PEM".to_owned())?;
    for der in &found {
        let parsed = certificate::parse(der).map_err(|fault| fault.to_string())?;
        match certificate::authority_cluster(&parsed) {
            Some(own) if own == *cluster => {}
            Some(other) => return Err(format!("one is the authority of cluster {other}")),
            None => return Err("one is no authority's certificate".to_owned()),
        }
    }
    match found.is_empty() {
        true => Err("it holds no certificate".to_owned()),
        false => Ok(found.iter().map(|der| der.to_vec()).collect()),
    }
}

/// The cluster whose authority lies in `dir`.
pub fn cluster_of(dir: &Path) -> Result<ClusterName, AuthorityFault> {
    files::load(dir).map(|authority| authority.cluster)
}

fn host_params(claims: &Claims, term: Term) -> Result<CertificateParams, AuthorityFault> {
    let uri = claims.to_uri().try_into().map_err(AuthorityFault::making)?;
    let mut params = params(term);
    params.subject_alt_names = vec![SanType::URI(uri)];
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, claims.host.as_str());
    Ok(params)
}

fn params(term: Term) -> CertificateParams {
    let mut params = CertificateParams::default();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(term.from);
    params.not_after = epoch + Duration::from_secs(term.until);
    params
}

fn new_key() -> Result<KeyPair, AuthorityFault> {
    KeyPair::generate_for(&PKCS_ED25519).map_err(AuthorityFault::making)
}

impl Term {
    /// From a little before now for so many days.
    pub fn from_now(days: u32) -> Self {
        Self::starting(SystemTime::now(), days)
    }

    /// From a little before that time for so many days; never beyond what a certificate can say.
    pub fn starting(now: SystemTime, days: u32) -> Self {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let life = Duration::from_secs(u64::from(days) * 86_400);
        Self {
            from: now.saturating_sub(BACKDATED).as_secs().min(LAST_SECOND),
            until: now.saturating_add(life).as_secs().min(LAST_SECOND),
        }
    }

    /// A host's certificate does not outlive its authority, which would promise what cannot be kept.
    fn within(self, authority_until: u64, dir: &Path) -> Result<Self, AuthorityFault> {
        if authority_until <= self.from {
            return Err(AuthorityFault::Ended { path: dir.into(), until: authority_until });
        }
        Ok(Self { from: self.from, until: self.until.min(authority_until) })
    }
}

#[cfg(test)]
mod tests;
