//! Does a vote of the ledger go where a person gives it, on real disks and sockets, and does the ledger go on with it (protocol 1.10)?

use std::fs;

use cluster::mesh::{Mesh, play, until};
use daemon::admin::answer::PauseOrder;
use daemon::authority::{self, Term};
use daemon::demo::plan::{HOSTS, Place, Planned, place_of};

/// Beside keeper `a1` in its zone.
const SPARE: &str = "a2";

fn place(name: &str) -> Place {
    place_of(name).expect("of the plan")
}

/// The authority issues its host another certificate, which says keeper, and its agent begins anew with it.
async fn becomes_a_keeper(mesh: &Mesh, name: &'static str) {
    let place = place(name);
    let claims = Planned { is_keeper: true, ..HOSTS[place] }.claims().expect("sound");
    let issued = mesh.folder.join(format!("{name}-keeper"));
    authority::issue(&claims, &mesh.folder.join("authority"), &issued, Term::from_now(1))
        .expect("issued");
    mesh.stage.fleet.kill(place).await.expect("killed");
    let own = mesh.stage.fleet.files(place);
    for file in ["host.pem", "host.key"] {
        fs::copy(issued.join(file), own.folder().join(file)).expect("copied");
    }
    mesh.stage.fleet.start(place).await.expect("started");
}

/// Waits until `hale keeper list` has this line, whatever the spaces between its words.
async fn lists(mesh: &Mesh, at: &str, line: &[&str]) {
    until(&line.join(" "), async || {
        let printed = mesh.types(place(at), &["keeper", "list"]).await;
        printed.text.lines().any(|row| row.starts_with(line[0]) && row.contains(line[1]))
    })
    .await;
}

#[test]
fn a_person_gives_a_vote_to_a_spare_keeper_and_the_ledger_outlives_another_with_it() {
    play(async |mut mesh: Mesh| {
        mesh.has_newest_rules().await;
        mesh.calm().await;
        let early = ["keeper", "add", SPARE, "--in-place-of", "a1", "--why", "moved"];
        let refused = mesh.types(place("b1"), &early).await;
        assert_eq!(refused.code, Some(4), "{refused:?}");
        assert!(refused.fault.contains("certificate that names no keeper"), "{refused:?}");
        becomes_a_keeper(&mesh, SPARE).await;
        lists(&mesh, "b1", &[SPARE, "spare"]).await;
        until("it is fit for a vote", async || {
            mesh.types(place("b1"), &early).await.code == Some(0)
        })
        .await;
        lists(&mesh, "b1", &["a1", "spare"]).await;
        lists(&mesh, "c1", &[SPARE, " yes"]).await;
        until("its store votes", async || {
            let printed = mesh.types(place("b1"), &["keeper", "list"]).await;
            !printed.text.contains("is to vote") && !printed.text.contains("leaving")
        })
        .await;
        // Without its vote there would be no majority.
        mesh.stage.fleet.kill(place("c1")).await.expect("killed");
        let why = || PauseOrder { why: "a drill".into() };
        until("b1 and the new voter carry the ledger", async || {
            mesh.stage.sight.order(place("b1"), "/v1/pause", &why()).await.is_ok()
        })
        .await;
    });
}
