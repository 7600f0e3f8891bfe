//! What becomes of a host whose disk was set back, and of one that runs twice (protocol 1.2)?

use std::fs;
use std::path::Path;

use cluster::mesh::{Mesh, plain, play, until};
use cluster::program;
use daemon::demo::plan::{Files, HOSTS, HOSTS_COUNT, Place};
use daemon::demo::ports;
use daemon::demo::stage::Calm;
use tokio::process::Command;

use crate::start::lone::ended_soon;

/// So often it is started again before its disk is set back.
const LIVES: usize = 2;

/// Its boot rises, so that there is something to be set back to.
async fn has_lived(mesh: &mut Mesh, place: Place) -> Calm {
    let mut before = mesh.calm().await;
    for _ in 0..LIVES {
        mesh.stage.fleet.kill(place).await.expect("killed");
        mesh.stage.fleet.start(place).await.expect("started");
        let (name, last) = (HOSTS[place].name, before);
        let is_new = |calm: &Calm| calm.boots[name] > last.boots[name];
        before = mesh.calm_when("it has a new life", is_new).await;
    }
    before
}

fn boot_file(files: &Files) -> std::path::PathBuf {
    files.storage().join("boot")
}

fn boot_in(files: &Files) -> u64 {
    let text = fs::read_to_string(boot_file(files)).expect("it has booted");
    text.trim().parse().expect("a number")
}

#[test]
fn a_host_whose_disk_was_set_back_raises_itself_above_what_the_ledger_knows() {
    play(async |mut mesh| {
        let calm = mesh.calm().await;
        let place = plain(&calm);
        let before = has_lived(&mut mesh, place).await;
        let (name, files) = (HOSTS[place].name, mesh.stage.fleet.files(place));
        mesh.stage.fleet.kill(place).await.expect("killed");
        fs::remove_file(boot_file(&files)).expect("its disk is another one");
        mesh.stage.fleet.start(place).await.expect("started");
        let is_new = |calm: &Calm| calm.boots[name] > before.boots[name];
        mesh.calm_when("it has a life above the one that was known", is_new).await;
        assert_eq!(boot_in(&files), before.boots[name] + 1, "not one number further");
        assert!(mesh.log(place).contains("older than what the mesh knows"), "{}", mesh.log(place));
    });
}

#[test]
fn a_keeper_whose_disk_was_set_back_ends_and_does_not_vote() {
    play(async |mut mesh| {
        let calm = mesh.calm().await;
        let is_follower = |place: &Place| HOSTS[*place].is_keeper && *place != calm.leader;
        let place = (0..HOSTS_COUNT).find(is_follower).expect("three keepers");
        has_lived(&mut mesh, place).await;
        let files = mesh.stage.fleet.files(place);
        mesh.stage.fleet.kill(place).await.expect("killed");
        fs::write(boot_file(&files), "0\n").expect("set back");
        let mut command = Command::new(program::hale());
        command.arg("agent").arg("--config").arg(files.config());
        let ended = ended_soon(command).await;
        assert_eq!(ended.code, Some(76), "{}", ended.said);
        let last = ended.said.lines().last().unwrap_or_default();
        assert!(last.starts_with("hale: ") && last.contains("set back"), "{last}");
    });
}

/// The clone has its original's disk as it is now, and begins the next life.
fn cloned(of: &Files, into: &Path, place: Place) -> Files {
    let clone = Files::of(into, &HOSTS[place]);
    fs::create_dir_all(clone.storage()).expect("made");
    for file in ["host.pem", "host.key", "authority.pem"] {
        fs::copy(of.folder().join(file), clone.folder().join(file)).expect("copied");
    }
    fs::copy(boot_file(of), boot_file(&clone)).expect("copied");
    let text = fs::read_to_string(of.config()).expect("readable");
    let bind = text.lines().find_map(|line| line.strip_prefix("bind = ")).expect("it has one");
    let other = format!("\"{}\"", ports::free().expect("a port"));
    fs::write(clone.config(), text.replace(bind, &other)).expect("written");
    clone
}

#[test]
fn a_host_that_runs_twice_is_one_machine_too_many_and_the_older_life_ends() {
    play(async |mut mesh| {
        let calm = mesh.calm().await;
        let place = plain(&calm);
        let folder = tempfile::tempdir().expect("a folder");
        let original = mesh.process(place).await;
        let clone = cloned(&mesh.stage.fleet.files(place), folder.path(), place);
        let mut command = Command::new(program::hale());
        command.arg("agent").arg("--config").arg(clone.config());
        command.stderr(std::process::Stdio::null()).kill_on_drop(true);
        let _running = command.spawn().expect("started");
        until("the original ends by itself", async || {
            mesh.stage.fleet.process_of(place).await != Some(original)
        })
        .await;
        assert!(mesh.log(place).contains("another machine lives under"), "{}", mesh.log(place));
    });
}
