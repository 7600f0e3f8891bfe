//! Claims about identities and certificates, hostile ones too.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use proptest::prelude::*;
use rcgen::{CertificateParams, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, SanType};
use vocabulary::{
    CertificateFault, Domain, GroupName, HostName, Label, Roles, Signature, Signer, Verifier,
};

use super::*;
use crate::authority::{self, Term};
use crate::moments;

mod odd;

fn claims() -> Claims {
    let label = |text| Label::new(text).expect("sound");
    Claims {
        cluster: ClusterName(label("prod")),
        host: HostName(label("a")),
        domain: Domain { region: label("eu"), zone: label("eu-a"), rack: label("r1") },
        group: GroupName(label("web")),
        roles: Roles::default(),
    }
}

/// A founded authority in `dir/ca` and a host's files in `dir/a`.
fn issued(dir: &Path, days: u32) -> IdentityFiles {
    let (ca, out) = (dir.join("ca"), dir.join("a"));
    authority::init(&claims().cluster, &ca, Term::from_now(days)).expect("is founded");
    authority::issue(&claims(), &ca, &out, Term::from_now(days)).expect("is issued");
    IdentityFiles {
        certificate: out.join("host.pem"),
        key: out.join("host.key"),
        authority: out.join("authority.pem"),
        cluster: None,
    }
}

fn fault(files: &IdentityFiles) -> IdentityFault {
    Identity::load(files, moments::now()).expect_err("is refused")
}

#[test]
fn an_issued_identity_loads_signs_and_is_believed() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let identity = Identity::load(&issued(dir.path(), 9), moments::now()).expect("is sound");
    assert_eq!(identity.claims(), &claims());
    let signature = identity.signer().sign(b"I live");
    let key = identity.signer().public_key();
    assert!(RingVerifier.is_signed_by(&key, b"I live", &signature));
    assert!(!RingVerifier.is_signed_by(&key, b"I lie", &signature));
    assert!(!RingVerifier.is_signed_by(&key, b"I live", &Signature([0; 32], [0; 32])));
    let read = RingVerifier.claims(identity.authorities(), identity.chain());
    assert_eq!(read, Ok((claims(), key)));
    let all = format!("{identity:?}");
    assert!(!all.contains("secret") && all.len() < 60, "{all}");
}

#[test]
fn every_way_in_which_an_identity_is_wrong_is_one_line_with_its_path() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let sound = issued(dir.path(), 9);
    let now = moments::now();
    let at = |now| Identity::load(&sound, now).expect_err("is refused").to_string();
    assert!(at(now - 3_600).contains("host.pem: is not valid before"));
    assert!(at(now + 10 * 86_400).contains("host.pem: ended"));

    let mut other = sound.clone();
    other.cluster = Some(ClusterName::new("staging").expect("sound"));
    assert!(fault(&other).to_string().contains("is of cluster prod, expected staging"));
    let mut missing = sound.clone();
    missing.key = dir.path().join("nowhere");
    assert!(fault(&missing).to_string().contains("nowhere: No such file"));
    let mut swapped = sound.clone();
    swapped.key = sound.certificate.clone();
    fs::set_permissions(&swapped.key, fs::Permissions::from_mode(0o600)).expect("set");
    assert_eq!(fault(&swapped), IdentityFault::NotAKey(swapped.key.clone()));
    let mut leaf = sound.clone();
    leaf.authority = sound.certificate.clone();
    assert_eq!(fault(&leaf), IdentityFault::NotAuthorities(leaf.authority.clone()));
    let mut root = sound.clone();
    root.certificate = sound.authority.clone();
    let why = CertificateFault::UriCount(0);
    let path = root.certificate.clone();
    assert_eq!(fault(&root), IdentityFault::NotAHost { path, why });

    fs::set_permissions(&sound.key, fs::Permissions::from_mode(0o640)).expect("set");
    assert!(fault(&sound).is_permission());
    assert!(
        fault(&sound)
            .to_string()
            .contains("host.key: a private key that others may read (mode 0640)")
    );
}

#[test]
fn anothers_key_and_anothers_authority_are_refused() {
    let (here, there) = (tempfile::tempdir().expect("made"), tempfile::tempdir().expect("made"));
    let (mine, theirs) = (issued(here.path(), 9), issued(there.path(), 9));
    let mut mixed = mine.clone();
    mixed.key = theirs.key;
    assert!(matches!(fault(&mixed), IdentityFault::KeyMismatch { .. }));
    let mut mixed = mine;
    mixed.authority = theirs.authority;
    assert!(matches!(fault(&mixed), IdentityFault::UnknownAuthority { .. }));
}

/// What the verifier says of a certificate with these names and this kind of key, signed by a sound authority.
fn judged(
    names: &[&str],
    kind: &'static rcgen::SignatureAlgorithm,
) -> Result<Claims, CertificateFault> {
    let dir = tempfile::tempdir().expect("temporary folder");
    let files = issued(dir.path(), 9);
    let ca = dir.path().join("ca");
    let key = fs::read_to_string(ca.join("authority.key")).expect("is there");
    let pem = fs::read_to_string(&files.authority).expect("is there");
    let issuer = Issuer::from_ca_cert_pem(&pem, KeyPair::from_pem(&key).expect("sound"));
    let mut params = CertificateParams::default();
    for name in names {
        let uri = (*name).try_into().expect("ASCII");
        params.subject_alt_names.push(SanType::URI(uri));
    }
    let key = KeyPair::generate_for(kind).expect("a key");
    let made = params.signed_by(&key, &issuer.expect("sound")).expect("made");
    let authorities = files::authorities(&files.authority).expect("sound");
    let chain = CertificateChain(vec![made.der().to_vec()]);
    RingVerifier.claims(&authorities, &chain).map(|(claims, _)| claims)
}

#[test]
fn a_certificate_with_no_uri_two_uris_or_a_strange_one_is_refused() {
    let (ours, spiffe) = (claims().to_uri(), "spiffe://prod/a");
    assert_eq!(judged(&[&ours], &PKCS_ED25519), Ok(claims()));
    let count = |count| Err(CertificateFault::UriCount(count));
    assert_eq!(judged(&[], &PKCS_ED25519), count(0));
    assert_eq!(judged(&[&ours, &ours], &PKCS_ED25519), count(2));
    assert_eq!(judged(&[&ours, spiffe], &PKCS_ED25519), count(2));
    assert!(matches!(judged(&[spiffe], &PKCS_ED25519), Err(CertificateFault::Claims(_))));
    let unreadable = Err(CertificateFault::Unreadable);
    assert_eq!(judged(&[&ours], &PKCS_ECDSA_P256_SHA256), unreadable);
}

#[test]
fn a_host_cannot_vouch_for_another_host() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let identity = Identity::load(&issued(dir.path(), 9), moments::now()).expect("is sound");
    let own = identity.chain().0[0].clone();
    assert_eq!(
        RingVerifier.claims(&[own], identity.chain()),
        Err(CertificateFault::UnknownAuthority)
    );
}

#[test]
fn a_chain_that_is_empty_or_too_long_is_refused_unread() {
    let claims = |chain| RingVerifier.claims(&[], &CertificateChain(chain));
    assert_eq!(claims(vec![]), Err(CertificateFault::Size));
    assert_eq!(claims(vec![vec![0x30; 9_000]]), Err(CertificateFault::Size));
}

proptest! {
    #[test]
    fn any_bytes_are_a_named_fault_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let chain = CertificateChain(vec![bytes.clone()]);
        prop_assert!(RingVerifier.claims(&[bytes], &chain).is_err());
    }
}

#[test]
fn a_certificate_with_any_byte_changed_is_refused() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let identity = Identity::load(&issued(dir.path(), 9), moments::now()).expect("is sound");
    let sound = identity.chain().0[0].clone();
    for place in 0..sound.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut changed = sound.clone();
            changed[place] ^= flip;
            let chain = CertificateChain(vec![changed]);
            let judged = RingVerifier.claims(identity.authorities(), &chain);
            assert!(judged.is_err(), "byte {place} ^ {flip:#x} passed");
        }
    }
}

/// Another identity of the host in `dir/a`, issued into `dir/again` with these claims.
fn issued_again(dir: &Path, claims: &Claims) -> Identity {
    let out = dir.join("again");
    authority::issue(claims, &dir.join("ca"), &out, Term::from_now(8)).expect("is issued");
    let files = IdentityFiles {
        certificate: out.join("host.pem"),
        key: out.join("host.key"),
        authority: out.join("authority.pem"),
        cluster: None,
    };
    Identity::load(&files, moments::now()).expect("is sound")
}

/// Makes the claims another's.
type Change = fn(&mut Claims, Label);

#[test]
fn law_id4_a_host_follows_itself_with_the_same_claims_alone() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let files = issued(dir.path(), 9);
    let load = || Identity::load(&files, moments::now()).expect("is sound");
    let in_force = load();
    assert_eq!(renewal::judge(&in_force, &load()), Ok(Renewal::Same));
    let next = issued_again(dir.path(), &claims());
    assert_eq!(renewal::judge(&in_force, &next), Ok(Renewal::Other { has_other_key: true }));

    let label = |text| Label::new(text).expect("sound");
    let others: [(&str, Change); 4] = [
        ("host", |claims, new| claims.host = HostName(new)),
        ("domain", |claims, new| claims.domain.rack = new),
        ("group", |claims, new| claims.group = GroupName(new)),
        ("roles", |claims, _| claims.roles.keeper = true),
    ];
    for (claim, change) in others {
        let mut other = claims();
        change(&mut other, label("other"));
        fs::remove_dir_all(dir.path().join("again")).expect("it was made");
        let next = issued_again(dir.path(), &other);
        let fault = renewal::judge(&in_force, &next).expect_err("law ID4");
        assert!(
            matches!(&fault, RenewalFault::OtherClaims { what, .. } if *what == claim),
            "{claim}: {fault}"
        );
    }
}

#[test]
fn law_id5_an_authority_may_be_joined_by_another_and_then_leave_but_not_all_at_once() {
    let (here, there) = (tempfile::tempdir().expect("made"), tempfile::tempdir().expect("made"));
    let (old, new) = (issued(here.path(), 9), issued(there.path(), 9));
    let load = |files: &IdentityFiles| Identity::load(files, moments::now()).expect("is sound");
    let (first, last) = (load(&old), load(&new));
    assert_eq!(renewal::judge(&first, &last), Err(RenewalFault::OtherAuthorities));
    let pem = |files: &IdentityFiles| fs::read_to_string(&files.authority).expect("is there");
    let both = pem(&old) + &pem(&new);
    fs::write(&new.authority, &both).expect("written");
    fs::write(&old.authority, &both).expect("written");
    let (widened, moved) = (load(&old), load(&new));
    let other = |has_other_key| Ok(Renewal::Other { has_other_key });
    assert_eq!(renewal::judge(&first, &widened), other(false), "the successor beside it");
    assert_eq!(renewal::judge(&widened, &moved), other(true), "a certificate of the successor");
    assert_eq!(renewal::judge(&moved, &last), other(false), "the old one goes");
}
