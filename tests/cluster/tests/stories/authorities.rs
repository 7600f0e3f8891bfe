//! Does one authority follow another as docs/operating/certificates.md tells it, command by command, without a doubt; and what becomes
//! of a host whose certificate has ended?

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use cluster::mesh::{Mesh, held, plain, play, until};
use cluster::stranger::{certified, client, greet};
use daemon::authority::Term;
use daemon::authority::renew::{self, HostRenewal};
use daemon::demo::plan::{CLUSTER, HOSTS, HOSTS_COUNT, Place};
use daemon::demo::stage::Calm;
use quinn::ConnectionError;
use vocabulary::HostName;

/// The TLS alert `decrypt_error`, as QUIC counts it: both authorities bear the cluster's name, and the signature is not the new one's.
const SIGNED_BY_ANOTHER: u64 = 0x100 + 51;

const DAY: Duration = Duration::from_secs(86_400);

/// The mesh's certificates hold 90 days, those of `hale ca renew` a year.
const MORE_DAYS_THAN_BEFORE: i64 = 300;

/// What was signed by the authority of this folder is shown to the mesh.
struct Authority(PathBuf);

impl Authority {
    fn certificate(&self) -> PathBuf {
        self.0.join("authority.pem")
    }
}

#[test]
fn one_authority_follows_another_without_one_doubt_and_what_the_old_one_has_signed_is_refused() {
    play(async |mut mesh| {
        mesh.has_newest_rules().await;
        let before = mesh.calm().await;
        let old = Authority(mesh.folder.join("authority"));
        let new = Authority(mesh.folder.join("authority-2"));
        let dir = text(&new.0);
        mesh.types(0, &["ca", "init", "--cluster", CLUSTER, "--dir", &dir]).await.done();
        let both = mesh.folder.join("both.pem");
        let of =
            |authority: &Authority| fs::read_to_string(authority.certificate()).expect("there");
        fs::write(&both, of(&old) + &of(&new)).expect("written");

        all_believe(&mesh, &both).await;
        trusts(&mesh, &both, "a new authority").await;
        for place in 0..HOSTS_COUNT {
            is_renewed_under(&mesh, place, (&new, &old)).await;
        }
        until("every agent knows that every host has its new certificate", async || {
            mesh.without_a_doubt().await;
            all_are_renewed(&mesh).await
        })
        .await;
        all_believe(&mesh, &new.certificate()).await;
        trusts(&mesh, &new.certificate(), "the old one is gone").await;

        let after = mesh.calm().await;
        assert_eq!(after.boots, before.boots, "nobody was restarted");
        assert_eq!(mesh.opened(&before), [], "no case was opened");
        the_old_ones_certificates_are_refused(&mut mesh, &before).await;
        held(&mesh.stage.one_history().await);
    });
}

/// Steps 1 and 4: put the file in the place of `authority.pem` on every host.
async fn all_believe(mesh: &Mesh, authorities: &Path) {
    for place in 0..HOSTS_COUNT {
        is_put(authorities, &folder(mesh, place).join("authority.pem"));
        mesh.types(place, &["agent", "reload", "--why", "another authority"]).await.done();
        mesh.without_a_doubt().await;
    }
}

/// `hale ca trust`, once.
async fn trusts(mesh: &Mesh, authorities: &Path, why: &str) {
    mesh.types(0, &["ca", "trust", &text(authorities), "--why", why]).await.done();
    mesh.without_a_doubt().await;
}

/// Step 3.
async fn is_renewed_under(mesh: &Mesh, place: Place, (new, old): (&Authority, &Authority)) {
    let own = folder(mesh, place).join("host.pem");
    let next = mesh.folder.join(format!("next-{place}"));
    let (dir, signed_by, from, out) =
        (text(&new.0), text(&old.certificate()), text(&own), text(&next));
    let words = ["ca", "renew", "--dir", &dir, "--signed-by", &signed_by, "--from", &from];
    mesh.types(place, &[&words[..], &["--out", &out]].concat()).await.done();
    is_put(&next.join("host.pem"), &own);
    mesh.types(place, &["agent", "reload", "--why", "renewed"]).await.done();
    mesh.without_a_doubt().await;
}

/// By what every agent says in `hale certs`.
async fn all_are_renewed(mesh: &Mesh) -> bool {
    for place in 0..HOSTS_COUNT {
        let certs = mesh.stage.sight.certs(place).await.expect("it answers").data.certs;
        let hosts = certs.iter().filter(|cert| cert.kind == "host");
        let enough = MORE_DAYS_THAN_BEFORE * 86_400;
        let renewed = hosts.filter(|cert| cert.left_s.is_some_and(|left| left > enough));
        if renewed.count() < HOSTS_COUNT {
            return false;
        }
    }
    true
}

/// Neither by a handshake, nor at the start of an agent; and those that have the new one meet anew.
async fn the_old_ones_certificates_are_refused(mesh: &mut Mesh, before: &Calm) {
    let left_over = certified(&mesh.folder, "z2", false);
    for (place, host) in HOSTS.iter().enumerate() {
        let address = mesh.stage.fleet.address(place);
        let refused = greet(&client(Some(&left_over)), address, CLUSTER).await;
        let Err(ConnectionError::ConnectionClosed(close)) = refused.map(drop) else {
            panic!("{} has admitted it", host.name);
        };
        assert_eq!(u64::from(close.error_code), SIGNED_BY_ANOTHER, "{}", host.name);
    }
    let (place, name) = (plain(before), HOSTS[plain(before)].name);
    mesh.stage.fleet.kill(place).await.expect("killed");
    mesh.stage.fleet.start(place).await.expect("started");
    let is_new = |calm: &Calm| calm.boots[name] > before.boots[name];
    mesh.calm_when("it has met everybody anew", is_new).await;
}

#[test]
fn an_agent_past_its_certificates_end_runs_on_undoubted_meets_nobody_anew_and_is_whole_again_with_another()
 {
    play(async |mut mesh| {
        mesh.has_newest_rules().await;
        let before = mesh.calm().await;
        let place = plain(&before);
        let is_other = |other: &Place| !HOSTS[*other].is_keeper && *other != place;
        let other = (0..HOSTS_COUNT).find(is_other).expect("three plain hosts");
        has_a_certificate(&mesh, place, SystemTime::now() + Duration::from_secs(6) - DAY).await;
        until("its certificate has ended", async || {
            mesh.without_a_doubt().await;
            state_of_certificate(&mesh, place, place).await == "ended"
        })
        .await;
        it_is_said(&mesh, place, other).await;
        a_handshake_is_refused_and_nobody_is_doubted(&mut mesh, place, (other, &before)).await;
        has_a_certificate(&mesh, place, SystemTime::now()).await;
        let name = HOSTS[other].name;
        let after = mesh.calm_when("they meet", |calm| calm.boots[name] > before.boots[name]).await;
        assert_eq!(after.boots[HOSTS[place].name], before.boots[HOSTS[place].name]);
        assert!(are_connected(&mesh, place, other).await);
        assert_eq!(mesh.opened(&before), [], "no case was opened");
        assert!(!mesh.notes(place).await.contains("this host's certificate ended"));
    });
}

/// `hale status` and `hale certs`, there and elsewhere.
async fn it_is_said(mesh: &Mesh, place: Place, other: Place) {
    let name = HOSTS[place].name;
    let own = mesh.notes(place).await;
    assert!(own.contains("this host's certificate ended"), "{own}");
    assert!(own.contains("standing connections go on, new ones are refused"), "{own}");
    until("every agent has it from the ledger", async || {
        state_of_certificate(mesh, place, other).await == "ended"
    })
    .await;
    let elsewhere = mesh.notes(other).await;
    assert!(elsewhere.contains("certificate ends within 30 days"), "{elsewhere}");
    assert!(elsewhere.contains(&format!("{name} 0 minutes ago")), "{elsewhere}");
    for asked in [place, other] {
        let certs = mesh.types(asked, &["certs", "--check", "--within", "1d"]).await;
        assert_eq!(certs.code, Some(3), "{certs:?}");
        let line = certs.text.lines().find(|line| line.starts_with(name)).expect("its line");
        assert!(line.contains("ended"), "{line}");
    }
    assert!(are_connected(mesh, place, other).await, "what stands goes on");
}

/// The other one has another life, and so must shake hands anew.
async fn a_handshake_is_refused_and_nobody_is_doubted(
    mesh: &mut Mesh,
    place: Place,
    (other, before): (Place, &Calm),
) {
    let (name, from) = (HOSTS[other].name, mesh.log(other).len());
    mesh.stage.fleet.kill(other).await.expect("killed");
    mesh.stage.fleet.start(other).await.expect("started");
    until("it is back, and all is well", async || {
        let boots = mesh.stage.sight.boots(before.leader).await.unwrap_or_default();
        boots.get(name).is_some_and(|boot| *boot > before.boots[name])
            && mesh.uneasy().await.is_empty()
    })
    .await;
    until("both logs say why the two do not meet", async || {
        mesh.without_a_doubt().await;
        mesh.log(other)[from..]
            .contains("the other side's certificate does not hold by this host's clock")
            && mesh.log(place).contains("this host's certificate does not hold by its clock")
    })
    .await;
    // Longer than a doubt takes, and than the connection would.
    let known = Instant::now();
    until("six seconds later", async || {
        mesh.without_a_doubt().await;
        assert!(!are_connected(mesh, place, other).await, "it was admitted");
        known.elapsed() > Duration::from_secs(6)
    })
    .await;
}

async fn are_connected(mesh: &Mesh, one: Place, other: Place) -> bool {
    let connected = mesh.stage.sight.connected(one).await.expect("it answers");
    connected.iter().any(|host| host == HOSTS[other].name)
}

/// A day's certificate from then on, in use.
async fn has_a_certificate(mesh: &Mesh, place: Place, from: SystemTime) {
    let own = folder(mesh, place).join("host.pem");
    let next = mesh.folder.join(format!("day-{}", mesh.log(place).len()));
    let renewal = HostRenewal {
        from: own.clone(),
        signed_by: None,
        has_new_key: false,
        term: Term::starting(from, 1),
    };
    let made: Result<_, _> = renew::host(&renewal, &mesh.folder.join("authority"), &next);
    let (claims, _) = made.expect("renewed");
    assert_eq!(claims.host, HostName::new(HOSTS[place].name).expect("a name"));
    is_put(&next.join("host.pem"), &own);
    mesh.types(place, &["agent", "reload", "--why", "renewed"]).await.done();
}

async fn state_of_certificate(mesh: &Mesh, of: Place, by: Place) -> String {
    let certs = mesh.stage.sight.certs(by).await.expect("it answers").data.certs;
    let cert = certs.into_iter().find(|cert| cert.of == HOSTS[of].name);
    cert.expect("every host is listed").state
}

/// The file is whole under another name before it takes that of the old one.
fn is_put(file: &Path, into: &Path) {
    let fresh = into.with_extension("fresh");
    fs::copy(file, &fresh).expect("copied");
    fs::rename(&fresh, into).expect("in its place");
}

fn folder(mesh: &Mesh, place: Place) -> PathBuf {
    mesh.stage.fleet.files(place).folder().to_owned()
}

fn text(path: &Path) -> String {
    path.to_str().expect("text").to_owned()
}
