//! Says in words what a certificate claims and when it ends (`hale ca show`).

use std::fmt::Write;
use std::path::Path;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use vocabulary::{CertificateFault, Claims, ClusterName, PublicKey};
use x509_parser::certificate::X509Certificate;

use super::{AuthorityFault, files};
use crate::identity::certificate::{self, Validity};
use crate::moments;

/// The certificate of a PEM file in a few lines; `now` in seconds of the Unix epoch says how long it still holds.
pub fn in_words(file: &Path, now: u64) -> Result<String, AuthorityFault> {
    let text = files::read(file)?;
    let unusable = |why: &str| AuthorityFault::unusable(file, why);
    let der = CertificateDer::from_pem_slice(text.as_bytes()).map_err(|_| {
        if text.contains("PRIVATE KEY-----") {
            unusable("holds a private key, not a certificate")
        } else {
            unusable("holds no PEM certificate")
        }
    })?;
    described(&der, now).map_err(|fault| unusable(&fault.to_string()))
}

fn described(der: &[u8], now: u64) -> Result<String, CertificateFault> {
    let parsed = certificate::parse(der)?;
    let mut words = match certificate::authority_cluster(&parsed) {
        Some(cluster) => authority_words(&cluster, &parsed),
        None => host_words(&certificate::claims(&parsed)?, &parsed),
    };
    line(&mut words, "key", &key_words(certificate::public_key(&parsed)?));
    line(&mut words, "valid", &validity_words(certificate::validity(&parsed), now));
    Ok(words)
}

fn authority_words(cluster: &ClusterName, parsed: &X509Certificate<'_>) -> String {
    let mut words = String::new();
    line(&mut words, "what", "the certificate of an authority");
    line(&mut words, "cluster", cluster.as_str());
    line(&mut words, "serial", &parsed.raw_serial_as_string());
    words
}

fn host_words(claims: &Claims, parsed: &X509Certificate<'_>) -> String {
    let roles = match (claims.roles.keeper, claims.roles.healer) {
        (false, false) => "none: it watches and is watched",
        (true, false) => "keeper",
        (false, true) => "healer",
        (true, true) => "keeper, healer",
    };
    let mut words = String::new();
    line(&mut words, "what", "the certificate of a host");
    line(&mut words, "host", &format!("{} (id {})", claims.host, claims.id()));
    line(&mut words, "cluster", claims.cluster.as_str());
    line(&mut words, "region", claims.domain.region.as_str());
    line(&mut words, "zone", claims.domain.zone.as_str());
    line(&mut words, "rack", claims.domain.rack.as_str());
    line(&mut words, "group", claims.group.as_str());
    line(&mut words, "roles", roles);
    line(&mut words, "issuer", &parsed.issuer().to_string());
    line(&mut words, "serial", &parsed.raw_serial_as_string());
    words
}

fn key_words(key: PublicKey) -> String {
    key.0.iter().fold("Ed25519 ".to_owned(), |mut words, byte| {
        let _ = write!(words, "{byte:02x}");
        words
    })
}

fn validity_words(dates: Validity, now: u64) -> String {
    let days = |seconds: u64| seconds / 86_400;
    let standing = if now < dates.from {
        "not valid yet".to_owned()
    } else if now > dates.until {
        format!("ended {} days ago", days(now - dates.until))
    } else {
        format!("ends in {} days", days(dates.until - now))
    };
    let (from, until) = (moments::utc(dates.from), moments::utc(dates.until));
    format!("{from} to {until}, {standing}")
}

fn line(words: &mut String, name: &str, value: &str) {
    let _ = writeln!(words, "{name:<8} {value}");
}
