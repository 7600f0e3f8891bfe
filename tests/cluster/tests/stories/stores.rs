//! What becomes of a keeper whose disk is damaged or lost, and of a mesh that has nothing left but its disks (protocol 1.3, 1.4,
//! 1.8)?

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use cluster::mesh::{Mesh, held, plain, play, until};
use daemon::admin::answer::{PauseOrder, ResumeOrder};
use daemon::demo::plan::{HOSTS, HOSTS_COUNT, Place};
use replication::{FileDisk, Store};
use vocabulary::StoreId;

fn kept(mesh: &Mesh, place: Place) -> PathBuf {
    mesh.stage.fleet.files(place).storage().join("ledger.kept")
}

fn store(mesh: &Mesh, place: Place) -> PathBuf {
    mesh.stage.fleet.files(place).storage().join("ledger.redb")
}

/// Waits until this host would know the mesh by itself.
async fn keeps(mesh: &Mesh, place: Place) {
    until("it keeps the ledger", async || kept(mesh, place).exists()).await;
}

/// The keepers that do not lead.
fn followers(leader: Place) -> Vec<Place> {
    (0..HOSTS_COUNT).filter(|place| HOSTS[*place].is_keeper && *place != leader).collect()
}

/// Not a page of it is left as it was.
fn garble(path: &PathBuf) {
    let file = fs::OpenOptions::new().write(true).open(path).expect("it is there");
    let length = file.metadata().expect("readable").len();
    for page in 0..length / 512 {
        file.write_all_at(b"not what was written", page * 512).expect("written");
    }
}

/// Waits until the leader has put a new store in the place of this host's, then has the mesh decide something that needs it: one
/// of the two other keepers is dead, and nothing may heal it.
async fn votes_again(mesh: &mut Mesh, place: Place) {
    let name = HOSTS[place].name;
    let before = mesh.calm_when("it is back", |calm| calm.boots.contains_key(name)).await;
    let log = |mesh: &Mesh| (0..HOSTS_COUNT).map(|by| mesh.log(by)).collect::<String>();
    until("its new store has taken the place of the old one", async || {
        log(mesh).contains("a keeper's new store votes from now on")
    })
    .await;
    let other = followers(before.leader).into_iter().find(|other| *other != place);
    let other = other.expect("three keepers");
    let why = "a story".to_owned();
    let sight = &mesh.stage.sight;
    sight
        .order(before.leader, "/v1/pause", &PauseOrder { why: why.clone() })
        .await
        .expect("paused");
    mesh.stage.fleet.kill(other).await.expect("killed");
    let version = mesh.apply(before.leader, &mesh.remedies.policy()).await;
    mesh.stage.fleet.start(other).await.expect("started");
    mesh.stage
        .sight
        .order(before.leader, "/v1/resume", &ResumeOrder { why })
        .await
        .expect("resumed");
    mesh.calm().await;
    for by in 0..HOSTS_COUNT {
        until("every host has what was acknowledged", async || {
            let status = mesh.stage.sight.status(by).await;
            status.is_ok_and(|status| status.data.policy.is_some_and(|now| now.version == version))
        })
        .await;
    }
    held(&mesh.stage.one_history().await);
}

#[test]
fn a_keeper_whose_store_is_garbled_comes_back_as_learner_then_votes_and_nothing_is_lost() {
    play(async |mut mesh| {
        let before = mesh.calm().await;
        let place = followers(before.leader)[0];
        keeps(&mesh, place).await;
        mesh.stage.fleet.kill(place).await.expect("killed");
        garble(&store(&mesh, place));
        let damaged = fs::read(store(&mesh, place)).expect("there");
        mesh.stage.fleet.start(place).await.expect("it starts all the same");
        votes_again(&mut mesh, place).await;
        let aside = store(&mesh, place).with_extension("redb.damaged-1");
        assert_eq!(fs::read(aside).expect("it is set aside, not deleted"), damaged);
        assert!(mesh.log(place).contains("this keeper's store is damaged"), "{}", mesh.log(place));
    });
}

/// protocol 1.6: what its earlier life has found out is done here by hand, since no two agents can be made to differ.
#[test]
fn a_keeper_whose_state_was_not_the_others_does_not_vote_with_it_in_its_next_life() {
    play(async |mut mesh| {
        let before = mesh.calm().await;
        let place = followers(before.leader)[0];
        keeps(&mesh, place).await;
        mesh.stage.fleet.kill(place).await.expect("killed");
        let disk = FileDisk::open(&store(&mesh, place)).expect("there");
        let opened = Store::open(Arc::new(disk), StoreId(1)).await.expect("it is sound");
        opened.diverged("after entry 1000 2 voters have the same state".to_owned()).await;
        opened.close().await.expect_err("its fault is all that it says");
        drop(opened);
        mesh.stage.fleet.start(place).await.expect("it starts all the same");
        votes_again(&mut mesh, place).await;
        assert!(store(&mesh, place).with_extension("redb.damaged-1").exists());
        let log = mesh.log(place);
        assert!(log.contains("the state is not the others' (after entry 1000"), "{log}");
    });
}

#[test]
fn a_keeper_whose_disk_is_lost_comes_back_with_another_one_and_votes() {
    play(async |mut mesh| {
        let before = mesh.calm().await;
        let place = followers(before.leader)[0];
        mesh.stage.fleet.kill(place).await.expect("killed");
        let storage = mesh.stage.fleet.files(place).storage();
        fs::remove_dir_all(&storage).expect("its disk is lost");
        fs::create_dir(&storage).expect("a new one");
        mesh.stage.fleet.start(place).await.expect("started");
        votes_again(&mut mesh, place).await;
    });
}

#[test]
fn a_mesh_whose_seeds_are_all_wrong_comes_back_from_its_disks() {
    play(async |mut mesh| {
        let before = mesh.calm().await;
        for place in 0..HOSTS_COUNT {
            keeps(&mesh, place).await;
        }
        for place in 0..HOSTS_COUNT {
            mesh.stage.fleet.kill(place).await.expect("killed");
            let config = mesh.stage.fleet.files(place).config();
            let text = fs::read_to_string(&config).expect("readable");
            let seeds =
                text.lines().find(|line| line.starts_with("seeds = ")).expect("it has some");
            // Nobody has port 9 of this address.
            let wrong = text.replace(seeds, "seeds = [\"127.0.0.1:9\"]");
            fs::write(&config, wrong).expect("written");
        }
        // Alone, it knows everybody.
        let alone = plain(&before);
        mesh.stage.fleet.start(alone).await.expect("started");
        until("it shows the mesh as it kept it, and says so", async || {
            let known = mesh.stage.sight.hosts(alone).await;
            let status = mesh.stage.sight.status(alone).await;
            known.is_ok_and(|known| known.data.hosts.len() == HOSTS_COUNT)
                && status.is_ok_and(|status| {
                    status.data.notes.iter().any(|note| note.contains("no keeper has answered yet"))
                })
        })
        .await;
        mesh.start_all().await;
        let is_new = |calm: &daemon::demo::stage::Calm| {
            HOSTS.iter().all(|host| calm.boots[host.name] > before.boots[host.name])
        };
        mesh.calm_when("every host has a new life", is_new).await;
        held(&mesh.stage.one_history().await);
        for (place, host) in HOSTS.iter().enumerate() {
            let log = mesh.log(place);
            let told = log.lines().filter(|line| line.contains("demo is founded"));
            assert_eq!(told.count(), 1, "{} tells old news in its new life: {log}", host.name);
        }
    });
}

#[test]
fn what_was_kept_is_fetched_anew_where_it_is_damaged_and_costs_a_line() {
    play(async |mut mesh| {
        let before = mesh.calm().await;
        let place = plain(&before);
        keeps(&mesh, place).await;
        mesh.stage.fleet.kill(place).await.expect("killed");
        garble(&kept(&mesh, place));
        mesh.stage.fleet.start(place).await.expect("it starts all the same");
        let name = HOSTS[place].name;
        let is_new = |calm: &daemon::demo::stage::Calm| calm.boots[name] > before.boots[name];
        mesh.calm_when("it is back", is_new).await;
        let log = mesh.log(place);
        let lines = log.lines().filter(|line| line.contains("is set aside at"));
        assert_eq!(lines.count(), 1, "{log}");
        assert!(kept(&mesh, place).with_extension("kept.damaged").exists());
    });
}

/// protocol 1.11: by the command line, on a store whose agent is stopped.
#[test]
fn two_of_three_keepers_are_lost_for_good_and_the_store_that_is_left_carries_the_ledger_on() {
    play(async |mut mesh| {
        mesh.has_newest_rules().await;
        let before = mesh.calm().await;
        let (left, host) = (before.leader, plain(&before));
        let version = mesh.apply(left, &mesh.remedies.policy()).await;
        let config = mesh.stage.fleet.files(left).config();
        let config = config.to_str().expect("plain").to_owned();
        let recover = ["keeper", "recover", "--config", &config, "--why", "two burned"];
        let running = mesh.types(left, &recover).await;
        assert_eq!(running.code, Some(4));
        assert!(running.fault.contains("stop that agent first"), "{}", running.fault);

        let lost = followers(left);
        for place in lost.iter().copied().chain([left]) {
            mesh.stage.fleet.kill(place).await.expect("killed");
        }
        for place in &lost {
            fs::remove_file(store(&mesh, *place)).expect("it burned");
        }
        let asked = mesh.types(left, &recover).await;
        assert_eq!(asked.code, Some(4), "{}", asked.text);
        for name in lost.iter().map(|place| HOSTS[*place].name) {
            assert!(asked.fault.contains(name), "{}", asked.fault);
        }
        let forced: Vec<&str> = recover.into_iter().chain(["--force"]).collect();
        mesh.types(left, &forced).await.says("is the only voter from its agent's next start on");
        let again = mesh.types(left, &forced).await;
        assert!(again.fault.contains("the only voter already"), "{}", again.fault);

        mesh.stage.fleet.start(left).await.expect("started");
        until("another host knows who recovered, and why", async || {
            let audit = mesh.types(host, &["audit"]).await;
            audit.text.contains("recovered as the only voter: two burned")
        })
        .await;
        let list = mesh.types(left, &["keeper", "list"]).await.done();
        let votes =
            list.lines().filter(|line| line.contains(" leads ") || line.contains(" votes "));
        assert_eq!(votes.count(), 1, "{list}");
        mesh.types(left, &["resume", "--why", "seen to"]).await.done();
        until("what was acknowledged is in force, and the mesh decides", async || {
            let status = mesh.stage.sight.status(host).await;
            status.is_ok_and(|status| {
                let policy = status.data.policy.map(|policy| policy.version);
                policy == Some(version) && !status.data.brake.is_on
            })
        })
        .await;
    });
}
