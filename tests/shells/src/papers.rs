//! Certificates that are the same for the same seed, to the byte: real X.509 and Ed25519 from drawn keys and fixed dates.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use daemon::identity::{Identity, IdentityFiles};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ED25519, SanType,
};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls::pki_types::PrivatePkcs8KeyDer;
use tempfile::TempDir;
use vocabulary::{Claims, ClusterName, Digest};

/// When every world begins: 2030-01-01, in seconds of the Unix epoch.
pub(crate) const DAWN: u64 = 1_893_456_000;

/// The authority of a world, which issues again whenever it is asked.
pub(crate) struct Papers {
    seed: u64,
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

impl Papers {
    pub fn new(seed: u64, cluster: &ClusterName) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let key = key(seed, "the authority");
        let mut params = dated(DAWN);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::OrganizationalUnitName, "hale authority");
        params.distinguished_name.push(DnType::CommonName, cluster.to_string());
        let authority = params.self_signed(&key).expect("sound");
        fs::write(folder.path().join("authority.pem"), authority.pem()).expect("room");
        let issuer = Issuer::from_ca_cert_der(authority.der(), key).expect("sound");
        Self { seed, issuer, folder }
    }

    /// A host's identity, as it is issued for the nth time, at this second: each time with another key and other dates.
    pub fn issue(&self, claims: &Claims, (nth, second): (u64, u64)) -> Identity {
        let key = key(self.seed, &format!("{nth} {}", claims.host));
        let mut params = dated(second);
        let uri = claims.to_uri().try_into().expect("ASCII");
        params.subject_alt_names = vec![SanType::URI(uri)];
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        params.distinguished_name.push(DnType::CommonName, claims.host.as_str());
        let certificate = params.signed_by(&key, &self.issuer).expect("sound");
        let files = IdentityFiles {
            certificate: self.folder.path().join("host.pem"),
            key: self.folder.path().join("host.key"),
            authority: self.folder.path().join("authority.pem"),
            cluster: None,
        };
        fs::write(&files.certificate, certificate.pem()).expect("room");
        fs::write(&files.key, key.serialize_pem()).expect("room");
        fs::set_permissions(&files.key, fs::Permissions::from_mode(0o600)).expect("ours");
        Identity::load(&files, second).expect("sound")
    }
}

fn dated(second: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    let begins = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(second);
    params.not_before = begins - Duration::from_secs(3_600);
    params.not_after = begins + Duration::from_secs(365 * 86_400);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
}

/// PKCS#8 with the public half (RFC 8410), since rcgen draws none by a seed.
fn key(seed: u64, whose: &str) -> KeyPair {
    let drawn = Digest::of(&[b"a key of a world", &seed.to_le_bytes(), whose.as_bytes()]).0;
    let pair = Ed25519KeyPair::from_seed_unchecked(&drawn).expect("any 32 bytes are a seed");
    let head = [0x30, 0x51, 2, 1, 1, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let der = [&head, &drawn[..], &[0x81, 0x21, 0], pair.public_key().as_ref()].concat();
    KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(der), &PKCS_ED25519)
        .expect("sound")
}
