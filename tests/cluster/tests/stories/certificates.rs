//! Are certificates replaced, and hosts buried, without anybody being taken for dead?

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cluster::mesh::{Mesh, plain, play, until};
use daemon::admin::answer::{ReloadOrder, RetireOrder};
use daemon::authority::Term;
use daemon::authority::renew::{self, HostRenewal};
use daemon::demo::plan::{HOSTS, HOSTS_COUNT, Place};
use daemon::demo::stage::Calm;
use ledger::audit::What;
use rustix::process::{Pid, Signal};
use vocabulary::VerdictKind;

/// protocol 1.7: no connection of a host that was buried stands longer.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// A key that the roster has had for this long signs (`agent::keyring`), with a little room.
const KEY_TURNS_WITHIN: Duration = Duration::from_secs(12);

#[test]
fn all_hosts_take_another_key_while_the_mesh_works_and_nobody_is_doubted() {
    play(async |mut mesh| {
        let before = mesh.calm().await;
        one_that_is_not_its_own_changes_nothing(&mesh, plain(&before)).await;
        let days = [80, 81, 82, 83, 84, 85];
        for (place, days) in days.into_iter().enumerate() {
            renew(&mesh, place, days);
            // The agents of the last two see for themselves that their files have changed.
            match place {
                0 | 1 => ordered(&mesh, place).await.expect("they are sound"),
                2 | 3 => hang_up(&mesh, place).await,
                _ => {}
            }
            mesh.without_a_doubt().await;
        }
        until("every agent has another certificate in use", async || {
            mesh.without_a_doubt().await;
            let mut in_use = 0;
            for place in 0..HOSTS_COUNT {
                in_use +=
                    usize::from(days_left(&mesh, place, place).await.is_some_and(|left| left < 87));
            }
            in_use == HOSTS_COUNT
        })
        .await;
        let all = "the roster has six new keys";
        mesh.shown(all, |history| {
            let since = history.since(before.head);
            let enrolled = since.filter(|record| matches!(record.what, What::Enrolled { .. }));
            (enrolled.count() == HOSTS_COUNT).then_some(())
        })
        .await;
        they_sign_with_it(&mut mesh, &before).await;
    });
}

/// Works while the keys turn, and then shows that what they sign counts: a death is judged and healed.
async fn they_sign_with_it(mesh: &mut Mesh, before: &Calm) {
    let known = Instant::now();
    let text = mesh.remedies.policy();
    until("the new keys sign", async || {
        mesh.apply(before.leader, &text).await;
        mesh.without_a_doubt().await;
        known.elapsed() > KEY_TURNS_WITHIN
    })
    .await;
    let after = mesh.calm().await;
    assert_eq!(after.boots, before.boots, "nobody was restarted");
    assert_eq!(mesh.opened(before), [], "no case was opened");
    let victim = plain(&after);
    mesh.stage.fleet.kill(victim).await.expect("killed");
    mesh.healed(victim, VerdictKind::AgentDown, &after).await;
}

/// Law ID4: another host's files are refused, what is in use stays, and `hale status` says so until they are mended.
async fn one_that_is_not_its_own_changes_nothing(mesh: &Mesh, place: Place) {
    let (own, kept) = (folder(mesh, place), mesh.folder.join("kept"));
    fs::create_dir(&kept).expect("made");
    let other = folder(mesh, (0..HOSTS_COUNT).find(|other| *other != place).expect("six hosts"));
    for file in ["host.pem", "host.key"] {
        fs::rename(own.join(file), kept.join(file)).expect("kept");
        fs::copy(other.join(file), own.join(file)).expect("copied");
    }
    let refused = ordered(mesh, place).await.expect_err("it is another host's");
    assert!(refused.contains("the new certificate is of host"), "{refused}");
    assert!(mesh.notes(place).await.contains("the certificate files are not taken"));
    for file in ["host.pem", "host.key"] {
        fs::rename(kept.join(file), own.join(file)).expect("back in its place");
    }
    hang_up(mesh, place).await;
    until("nothing is wrong with the files any more", async || {
        !mesh.notes(place).await.contains("the certificate files are not taken")
    })
    .await;
    mesh.without_a_doubt().await;
}

#[test]
fn a_buried_host_has_no_connection_left_after_five_seconds_and_is_told_why() {
    play(async |mut mesh| {
        let before = mesh.calm().await;
        let buried = plain(&before);
        assert!(is_connected_to_any(&mesh, buried).await, "it is one of them");
        let order = RetireOrder { host: HOSTS[buried].name.to_owned(), why: "a story".to_owned() };
        let committed = Instant::now();
        let ordered = mesh.stage.sight.order(before.leader, "/v1/host/retire", &order).await;
        ordered.expect("it is buried");
        let mut last_seen = Duration::ZERO;
        until("ten seconds after its burial", async || {
            if is_connected_to_any(&mesh, buried).await {
                last_seen = committed.elapsed();
            }
            committed.elapsed() > 2 * GONE_WITHIN
        })
        .await;
        println!("the last connection of the buried host was seen {last_seen:?} after its burial");
        assert!(last_seen < GONE_WITHIN, "one stood after {last_seen:?}");
        until("it knows why", async || mesh.notes(buried).await.contains("retired for good")).await;
        let log = mesh.log(buried);
        let refusals = log.lines().filter(|line| line.contains("does not admit this one")).count();
        assert!(refusals <= 4, "a line for each reason, not for each try: {refusals}");
        assert_eq!(mesh.opened(&before), [], "no case was opened");
    });
}

/// By its own word or anybody else's.
async fn is_connected_to_any(mesh: &Mesh, buried: Place) -> bool {
    for place in 0..HOSTS_COUNT {
        let connected = mesh.stage.sight.connected(place).await.unwrap_or_default();
        let is_its_own = place == buried && !connected.is_empty();
        if is_its_own || connected.iter().any(|host| host == HOSTS[buried].name) {
            return true;
        }
    }
    false
}

/// A certificate for another key, put in the place of the old one as an operator would.
fn renew(mesh: &Mesh, place: Place, days: u32) {
    let (own, next) = (folder(mesh, place), mesh.folder.join(format!("next-{place}")));
    let renewal = HostRenewal {
        from: own.join("host.pem"),
        signed_by: None,
        has_new_key: true,
        term: Term::from_now(days),
    };
    renew::host(&renewal, &mesh.folder.join("authority"), &next).expect("renewed");
    for file in ["host.key", "host.pem"] {
        fs::rename(next.join(file), own.join(file)).expect("in its place");
    }
}

fn folder(mesh: &Mesh, place: Place) -> PathBuf {
    let files = mesh.stage.fleet.files(place);
    Path::new(files.folder()).to_owned()
}

/// `hale agent reload`.
async fn ordered(mesh: &Mesh, place: Place) -> Result<(), String> {
    let order = ReloadOrder { why: "a story".to_owned() };
    let ordered = mesh.stage.sight.order(place, "/v1/agent/reload", &order).await;
    ordered.map(drop).map_err(|fault| fault.to_string())
}

async fn hang_up(mesh: &Mesh, place: Place) {
    let process = mesh.process(place).await;
    let id = i32::try_from(process).ok().and_then(Pid::from_raw).expect("a process id");
    rustix::process::kill_process(id, Signal::HUP).expect("it is our own child");
}

/// How many days this agent gives the certificate of that host.
async fn days_left(mesh: &Mesh, by: Place, of: Place) -> Option<i64> {
    let certs = mesh.stage.sight.certs(by).await.expect("it answers").data.certs;
    let cert = certs.into_iter().find(|cert| cert.of == HOSTS[of].name)?;
    Some(cert.left_s? / 86_400)
}
