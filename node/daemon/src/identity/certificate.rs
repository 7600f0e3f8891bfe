//! Reads X.509 as the mesh wants it read: one certificate, an Ed25519 key, exactly one URI.
//!
//! Law ID1: any bytes give a certificate or a named fault; nothing panics.
//! Law ID2: a host stands directly under an authority; there are no intermediates, so a host can never vouch for another.

use ring::signature::{ED25519, UnparsedPublicKey};
use vocabulary::{
    CertificateChain, CertificateFault, Claims, ClusterName, PublicKey, Signature, Verifier,
};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::OID_SIG_ED25519;
use x509_parser::prelude::FromDer;

use crate::authority::files::AUTHORITY_UNIT;

/// From when until when a certificate holds, in seconds of the Unix epoch; a date before 1970 reads as 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub from: u64,
    /// The last second.
    pub until: u64,
}

/// Checks signatures and certificates with ring and x509-parser; holds no state.
#[derive(Clone, Copy, Debug, Default)]
pub struct RingVerifier;

impl Verifier for RingVerifier {
    fn is_signed_by(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        UnparsedPublicKey::new(&ED25519, key.0).verify(message, &signature.to_bytes()).is_ok()
    }

    fn claims(
        &self,
        authorities: &[Vec<u8>],
        chain: &CertificateChain,
    ) -> Result<(Claims, PublicKey), CertificateFault> {
        let bytes: usize = chain.0.iter().map(Vec::len).sum();
        let der = chain.0.first().ok_or(CertificateFault::Size)?;
        if bytes > CertificateChain::BYTES_MAX {
            return Err(CertificateFault::Size);
        }
        let host = parse(der)?;
        let is_vouched_for = authorities
            .iter()
            .filter_map(|authority| parse(authority).ok())
            .any(|authority| is_issued_by(&host, &authority));
        if !is_vouched_for {
            return Err(CertificateFault::UnknownAuthority);
        }
        Ok((claims(&host)?, public_key(&host)?))
    }

    fn end(&self, chain: &CertificateChain) -> Option<u64> {
        let ends = chain.0.iter().map(|der| parse(der).map(|parsed| validity(&parsed).until));
        ends.collect::<Result<Vec<u64>, _>>().ok()?.into_iter().min()
    }
}

/// Exactly one DER certificate with an Ed25519 key and an Ed25519 signature, in the one spelling that DER has for it.
pub fn parse(der: &[u8]) -> Result<X509Certificate<'_>, CertificateFault> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) if der == spelled(&certificate) => {
            public_key(&certificate).map(|_| certificate)
        }
        _ => Err(CertificateFault::Unreadable),
    }
}

/// The certificate as DER spells it: what lies around the signed part is not signed itself, and the reader is lenient
/// there, so that one certificate could else be shown in many spellings.
fn spelled(certificate: &X509Certificate<'_>) -> Vec<u8> {
    let signed: &[u8] = certificate.tbs_certificate.as_ref();
    let signature = &certificate.signature_value.data;
    let inner = [signed, &SIGNED_WITH_ED25519, signature].concat();
    let mut der = match u16::try_from(inner.len()).unwrap_or(u16::MAX).to_be_bytes() {
        [0, short @ ..=0x7f] => vec![0x30, short],
        [0, long] => vec![0x30, 0x81, long],
        [high, low] => vec![0x30, 0x82, high, low],
    };
    der.extend_from_slice(&inner);
    der
}

/// The certificate's Ed25519 key.
pub fn public_key(certificate: &X509Certificate<'_>) -> Result<PublicKey, CertificateFault> {
    let spki = &certificate.tbs_certificate.subject_pki;
    let key = <[u8; 32]>::try_from(spki.subject_public_key.data.as_ref());
    match key {
        Ok(key) if spki.algorithm.algorithm == OID_SIG_ED25519 => Ok(PublicKey(key)),
        _ => Err(CertificateFault::Unreadable),
    }
}

/// What a host certificate claims: exactly one URI, and that one a host's (protocol 1.7).
pub fn claims(certificate: &X509Certificate<'_>) -> Result<Claims, CertificateFault> {
    let names = certificate
        .subject_alternative_name()
        .map_err(|_| CertificateFault::Unreadable)?
        .map(|extension| extension.value.general_names.as_slice())
        .unwrap_or_default();
    let uris: Vec<&str> = names
        .iter()
        .filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        })
        .collect();
    match uris[..] {
        [uri] => Claims::from_uri(uri).map_err(|fault| CertificateFault::Claims(fault.0)),
        _ => Err(CertificateFault::UriCount(u32::try_from(uris.len()).unwrap_or(u32::MAX))),
    }
}

/// The cluster of an authority that `hale ca init` has founded; `None` for any other certificate.
pub fn authority_cluster(certificate: &X509Certificate<'_>) -> Option<ClusterName> {
    let subject = certificate.subject();
    let unit = subject.iter_organizational_unit().next()?.as_str().ok()?;
    let name = subject.iter_common_name().next()?.as_str().ok()?;
    (certificate.is_ca() && unit == AUTHORITY_UNIT).then(|| ClusterName::new(name).ok()).flatten()
}

/// When the certificate holds.
pub fn validity(certificate: &X509Certificate<'_>) -> Validity {
    let dates = certificate.validity();
    let second = |moment: i64| u64::try_from(moment).unwrap_or(0);
    Validity {
        from: second(dates.not_before.timestamp()),
        until: second(dates.not_after.timestamp()),
    }
}

/// Whether the authority, which must be one, has signed the certificate with Ed25519.
fn is_issued_by(certificate: &X509Certificate<'_>, authority: &X509Certificate<'_>) -> bool {
    let Ok(key) = public_key(authority) else {
        return false;
    };
    let signature = &certificate.signature_value;
    authority.is_ca()
        && certificate.issuer().as_raw() == authority.subject().as_raw()
        && certificate.tbs_certificate.signature.algorithm == OID_SIG_ED25519
        && UnparsedPublicKey::new(&ED25519, key.0)
            .verify(certificate.tbs_certificate.as_ref(), &signature.data)
            .is_ok()
}

/// The algorithm's name (RFC 8410, section 3) and the head of a bit string of 64 bytes.
const SIGNED_WITH_ED25519: [u8; 10] = [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x41, 0x00];
