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
