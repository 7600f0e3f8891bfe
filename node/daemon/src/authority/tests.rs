//! Claims about founding, issuing and showing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vocabulary::{Claims, ClusterName, Domain, GroupName, HostName, Label, Roles};

use super::*;

/// 29 February 2028, noon.
const LEAP_DAY: u64 = 1_835_438_400;

fn leap_day() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(LEAP_DAY)
}

fn prod() -> ClusterName {
    ClusterName::new("prod-eu").expect("sound")
}

fn claims(cluster: ClusterName) -> Claims {
    let label = |text| Label::new(text).expect("sound");
    Claims {
        cluster,
        host: HostName(label("web-a-07")),
        domain: Domain { region: label("eu"), zone: label("eu-a"), rack: label("r1") },
        group: GroupName(label("web")),
        roles: Roles { keeper: true, healer: false },
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("is there").permissions().mode() & 0o777
}

#[test]
fn an_authority_founded_on_a_leap_day_issues_and_its_keys_are_for_their_owner_alone() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let (ca, host) = (dir.path().join("ca"), dir.path().join("web-a-07"));
    let founded =
        init(&prod(), &ca, Term::starting(leap_day(), AUTHORITY_DAYS)).expect("is founded");
    assert_eq!(founded.until, LEAP_DAY + 3_650 * 86_400);
    let issued = issue(&claims(prod()), &ca, &host, Term::starting(leap_day(), 365));
    let issued = issued.expect("is issued");
    assert_eq!(mode(&founded.key), 0o600);
    assert_eq!(mode(&issued.key), 0o600);
    assert_eq!(mode(&issued.certificate), 0o644);
    assert_eq!(cluster_of(&ca), Ok(prod()));
    let said = show::in_words(&issued.certificate, LEAP_DAY).expect("is shown");
    for line in [
        "what     the certificate of a host",
        "host     web-a-07 (id ",
        "cluster  prod-eu",
        "zone     eu-a",
        "group    web",
        "roles    keeper\n",
        "valid    2028-02-29T11:55:00Z to 2029-02-28T12:00:00Z, ends in 365 days",
    ] {
        assert!(said.contains(line), "{line:?} is not in\n{said}");
    }
    let said = show::in_words(&founded.certificate, LEAP_DAY).expect("is shown");
    assert!(said.contains("the certificate of an authority"), "{said}");
}

#[test]
fn nothing_is_written_over_and_what_was_half_written_is_taken_back() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let term = Term::from_now(10);
    let founded = init(&prod(), dir.path(), term).expect("is founded");
    let key = fs::read(&founded.key).expect("is there");
    assert_eq!(init(&prod(), dir.path(), term), Err(AuthorityFault::Exists(founded.key.clone())));
    assert_eq!(fs::read(&founded.key).expect("is there"), key);

    let out = dir.path().join("host");
    fs::create_dir(&out).expect("made");
    fs::write(out.join("host.pem"), "mine").expect("written");
    let fault = issue(&claims(prod()), dir.path(), &out, term).expect_err("is refused");
    assert_eq!(fault, AuthorityFault::Exists(out.join("host.pem")));
    assert!(!out.join("host.key").exists(), "a key was left behind");
    assert_eq!(fs::read(out.join("host.pem")).expect("is there"), b"mine");
}

#[test]
fn a_host_certificate_never_outlives_its_authority_and_an_ended_authority_issues_none() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let founded = init(&prod(), dir.path(), Term::starting(leap_day(), 30)).expect("is founded");
    let out = dir.path().join("host");
    let issued = issue(&claims(prod()), dir.path(), &out, Term::starting(leap_day(), 365));
    assert_eq!(issued.expect("is issued").until, founded.until);
    let later = Term::starting(leap_day() + Duration::from_secs(31 * 86_400), 365);
    let fault = issue(&claims(prod()), dir.path(), &dir.path().join("late"), later);
    assert!(matches!(fault, Err(AuthorityFault::Ended { until, .. }) if until == founded.until));
}

#[test]
fn an_authority_vouches_for_its_own_cluster_only_and_with_its_own_key_only() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let term = Term::from_now(10);
    init(&prod(), &one, term).expect("is founded");
    init(&prod(), &two, term).expect("is founded");
    let staging = ClusterName::new("staging").expect("sound");
    let fault = issue(&claims(staging), &one, &dir.path().join("out"), term);
    assert!(matches!(fault, Err(AuthorityFault::AnotherCluster { .. })));
    fs::copy(two.join("authority.key"), one.join("authority.key")).expect("copied");
    let fault = issue(&claims(prod()), &one, &dir.path().join("out"), term);
    assert!(
        matches!(fault, Err(AuthorityFault::Unusable { path, .. }) if path.ends_with("authority.key"))
    );
}

#[test]
fn what_is_no_certificate_is_named_so_with_its_path() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let founded = init(&prod(), dir.path(), Term::from_now(10)).expect("is founded");
    let said = |path: &Path| show::in_words(path, 0).expect_err("is refused").to_string();
    assert!(said(&founded.key).ends_with("authority.key: holds a private key, not a certificate"));
    let text = dir.path().join("text");
    fs::write(&text, "hello").expect("written");
    assert!(said(&text).ends_with("text: holds no PEM certificate"));
    assert!(said(&dir.path().join("nowhere")).contains("nowhere: No such file"));
}

/// A founded authority in `dir/ca` and web-a-07's files in `dir/host`.
fn founded(dir: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let (ca, host) = (dir.join("ca"), dir.join("host"));
    init(&prod(), &ca, Term::starting(leap_day(), 30)).expect("is founded");
    issue(&claims(prod()), &ca, &host, Term::starting(leap_day(), 9)).expect("is issued");
    (ca, host)
}

fn renewal(from: &Path, days: u64) -> renew::HostRenewal {
    renew::HostRenewal {
        from: from.join("host.pem"),
        signed_by: None,
        has_new_key: false,
        term: Term::starting(leap_day() + Duration::from_secs(days * 86_400), 9),
    }
}

fn identity(certificate: &Path, key: &Path, now: u64) -> crate::identity::Identity {
    let files = crate::identity::IdentityFiles {
        certificate: certificate.join("host.pem"),
        key: key.join("host.key"),
        authority: certificate.join("authority.pem"),
        cluster: None,
    };
    crate::identity::Identity::load(&files, now).expect("is sound")
}

#[test]
fn law_ca4_a_renewed_certificate_claims_the_same_for_the_key_that_the_host_has() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let (ca, host) = founded(dir.path());
    let next = dir.path().join("next");
    let made = renew::host(&renewal(&host, 8), &ca, &next).expect("is renewed");
    assert_eq!(made.0, claims(prod()));
    assert_eq!(made.1.until, LEAP_DAY + 17 * 86_400);
    assert!(!next.join("host.key").exists(), "nobody has seen the key");
    let now = LEAP_DAY + 16 * 86_400;
    assert_eq!(identity(&next, &host, now).claims(), &claims(prod()));
    let again = renew::host(&renewal(&host, 8), &ca, &next).expect_err("law CA1");
    assert_eq!(again, AuthorityFault::Exists(next.join("host.pem")));
}

#[test]
fn a_certificate_that_has_ended_is_renewed_and_the_key_where_it_is_asked_for() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let (ca, host) = founded(dir.path());
    let next = dir.path().join("next");
    let late = renew::HostRenewal { has_new_key: true, ..renewal(&host, 12) };
    renew::host(&late, &ca, &next).expect("is renewed");
    assert_eq!(mode(&next.join("host.key")), 0o600);
    identity(&next, &next, LEAP_DAY + 13 * 86_400);
    let (old, new) = (fs::read(host.join("host.key")), fs::read(next.join("host.key")));
    assert_ne!(old.expect("is there"), new.expect("is there"));
}

#[test]
fn law_ca3_a_certificate_of_another_authority_is_not_renewed_unless_that_one_is_named() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let (ca, host) = founded(dir.path());
    let successor = dir.path().join("successor");
    init(&prod(), &successor, Term::starting(leap_day(), 90)).expect("is founded");
    let next = dir.path().join("next");
    let fault = renew::host(&renewal(&host, 1), &successor, &next).expect_err("law CA3");
    assert!(fault.to_string().contains("name the one before this with --signed-by"), "{fault}");
    assert!(!next.join("host.pem").exists());
    let signed_by = Some(ca.join("authority.pem"));
    let renewal = renew::HostRenewal { signed_by, ..renewal(&host, 1) };
    renew::host(&renewal, &successor, &next).expect("is renewed");
    assert_eq!(identity(&next, &host, LEAP_DAY + 86_400).claims(), &claims(prod()));
}

#[test]
fn an_authority_that_is_renewed_vouches_for_all_that_it_has_signed() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let (ca, host) = founded(dir.path());
    let next = dir.path().join("next");
    let made = renew::authority(&ca, &next, Term::starting(leap_day(), 365)).expect("is renewed");
    assert_eq!(made.until, LEAP_DAY + 365 * 86_400);
    assert!(!next.join("authority.key").exists());
    fs::rename(next.join("authority.pem"), ca.join("authority.pem")).expect("in its place");
    fs::copy(ca.join("authority.pem"), host.join("authority.pem")).expect("on the host");
    identity(&host, &host, LEAP_DAY + 86_400);
    let out = dir.path().join("later");
    let later = renewal(&host, 100);
    assert_eq!(
        renew::host(&later, &ca, &out).expect("is renewed").1.until,
        LEAP_DAY + 109 * 86_400
    );
}
