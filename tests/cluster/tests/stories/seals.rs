//! Is the audit sealed by the voters' own certificates, and is whatever was altered since found by nothing but the authority's
//! (protocol 8.1)?

use std::fs;
use std::path::Path;

use cluster::mesh::{Mesh, play, until};
use daemon::admin::answer::{PauseOrder, ResumeOrder};
use daemon::demo::plan::{CLUSTER, HOSTS, HOSTS_COUNT, Place};
use ledger::sealing::SEAL_EVERY;

/// As many records as a seal waits for at most; a host may propose twenty in a second.
async fn drill(mesh: &Mesh) {
    let is_keeper = |place: &Place| HOSTS[*place].is_keeper;
    let places: Vec<Place> = (0..HOSTS_COUNT).filter(is_keeper).collect();
    for (round, place) in (0..SEAL_EVERY / 2).zip(places.into_iter().cycle()) {
        let sight = &mesh.stage.sight;
        let why = || format!("drill {round}");
        until("healing is stopped", async || {
            sight.order(place, "/v1/pause", &PauseOrder { why: why() }).await.is_ok()
        })
        .await;
        until("healing goes on", async || {
            sight.order(place, "/v1/resume", &ResumeOrder { why: why() }).await.is_ok()
        })
        .await;
    }
}

/// Another cluster's authority of the same name.
async fn impostor(mesh: &Mesh) -> String {
    let dir = text(&mesh.folder.join("impostor"));
    mesh.types(0, &["ca", "init", "--cluster", CLUSTER, "--dir", &dir]).await.done();
    text(&mesh.folder.join("impostor/authority.pem"))
}

fn text(path: &Path) -> String {
    path.to_str().expect("plain").to_owned()
}

#[test]
fn an_audit_is_sealed_by_the_voters_and_an_export_is_judged_by_the_authority_alone() {
    play(async |mut mesh: Mesh| {
        mesh.has_newest_rules().await;
        mesh.calm().await;
        let own = text(&mesh.folder.join("authority/authority.pem"));
        let early = mesh.types(0, &["audit", "verify", "--authority", &own]).await;
        assert_eq!(early.code, Some(1), "{early:?}");
        assert!(early.fault.contains("no seal stands on what was read"), "{early:?}");
        drill(&mesh).await;
        let judge =
            async |words: &[&str]| mesh.types(0, &[&["audit", "verify"][..], words].concat()).await;
        until("most voters have sealed it", async || {
            judge(&["--authority", &own]).await.code == Some(0)
        })
        .await;
        judge(&["--authority", &own]).await.says("under the authority that you named");
        judge(&[]).await.says("under an authority that the seal names itself");
        let voters = HOSTS.iter().filter(|host| host.is_keeper).map(|host| host.name);
        let voters = voters.collect::<Vec<&str>>().join(",");
        let named = ["--authority", &own, "--voters", &voters];
        judge(&named).await.says("these are the voters that you named");
        let others = judge(&["--authority", &own, "--voters", HOSTS[1].name]).await;
        assert!(others.code == Some(1) && others.fault.contains("other voters"), "{others:?}");
        let other = impostor(&mesh).await;
        let refused = judge(&["--authority", &other]).await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.fault.contains("no authority of this cluster has signed"), "{refused:?}");

        let exported = mesh.types(1, &["audit", "export", "--jsonl"]).await.done();
        let file = mesh.folder.join("audit.jsonl");
        fs::write(&file, &exported).expect("written");
        let of_file = ["--file", &text(&file), "--authority", &own];
        judge(&of_file).await.says("under the authority that you named");
        let cut = rewritten(&exported);
        fs::write(&file, cut).expect("written");
        let found = judge(&of_file).await;
        assert_eq!(found.code, Some(1), "{found:?}");
        assert!(found.fault.contains("has no such record: it was cut off"), "{found:?}");
    });
}

/// The same history by somebody who can compute digests: the last twenty records are gone, and the last line says so.
fn rewritten(exported: &str) -> String {
    let mut lines: Vec<serde_json::Value> =
        exported.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let mut end = lines.pop().expect("a last line");
    let sealed = end["data"]["seal"]["place"]["number"].as_u64().expect("sealed");
    lines.retain(|line| line["data"]["number"].as_u64().expect("a record") + 20 <= sealed);
    let last = &lines.last().expect("some are left")["data"];
    end["data"]["head"]["number"] = last["number"].clone();
    end["data"]["head"]["digest"] = last["digest"].clone();
    end["data"]["records"] = lines.len().into();
    lines.push(end);
    lines.iter().map(|line| format!("{line}\n")).collect()
}
