//! What becomes of a host whose disk was set back, and of one that runs twice (protocol 1.2)?

use std::fs;
use std::path::Path;

use cluster::mesh::{Mesh, held, plain, play, until};
use cluster::program;
use daemon::demo::plan::{Files, HOSTS, HOSTS_COUNT, Place};
use daemon::demo::ports;
use daemon::demo::stage::{Calm, id_of};
use ledger::case::Closure;
use tokio::process::Command;
use vocabulary::{CaseId, Scope, VerdictKind};

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

/// A copy of a host's folder, started as a second process.
struct Clone {
    _folder: tempfile::TempDir,
    process: tokio::process::Child,
}

impl Clone {
    /// With all that its original has on its disk now; only its port is another, since both stand on one machine.
    fn of(original: &Files, place: Place) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clone = Files::of(folder.path(), &HOSTS[place]);
        fs::create_dir_all(clone.storage()).expect("made");
        copy_files(original.folder(), clone.folder());
        copy_files(&original.storage(), &clone.storage());
        let text = fs::read_to_string(original.config()).expect("readable");
        let bind = text.lines().find_map(|line| line.strip_prefix("bind = ")).expect("it has one");
        let other = format!("\"{}\"", ports::free().expect("a port"));
        fs::write(clone.config(), text.replace(bind, &other)).expect("written");
        let mut command = Command::new(program::hale());
        command.arg("agent").arg("--config").arg(clone.config());
        command.stderr(std::process::Stdio::null()).kill_on_drop(true);
        Self { _folder: folder, process: command.spawn().expect("started") }
    }

    async fn kill(mut self) {
        self.process.kill().await.expect("killed");
    }
}

fn copy_files(from: &Path, into: &Path) {
    for file in fs::read_dir(from).expect("readable").flatten() {
        if file.file_type().is_ok_and(|kind| kind.is_file()) {
            fs::copy(file.path(), into.join(file.file_name())).expect("copied");
        }
    }
}

async fn has_ended(mesh: &Mesh, place: Place, original: u32) {
    until("the original ends by itself", async || {
        mesh.stage.fleet.process_of(place).await != Some(original)
    })
    .await;
}

#[test]
fn a_host_that_runs_twice_is_one_machine_too_many_and_the_older_life_ends() {
    play(async |mut mesh| {
        let calm = mesh.calm().await;
        let place = plain(&calm);
        let original = mesh.process(place).await;
        let _clone = Clone::of(&mesh.stage.fleet.files(place), place);
        has_ended(&mesh, place, original).await;
        assert!(mesh.log(place).contains("another machine lives under"), "{}", mesh.log(place));
    });
}

/// protocol 1.2: that it is the duplicate that is left alone is shown by another host, which dies beside it and is healed.
#[test]
fn a_cloned_host_is_a_case_for_a_person_who_is_called_and_nothing_is_done_to_it() {
    play(async |mut mesh| {
        mesh.has_newest_rules().await;
        let calling = mesh.remedies.policy_that_calls();
        mesh.apply(0, &calling).await;
        let before = mesh.calm().await;
        let place = plain(&before);
        let name = HOSTS[place].name;
        let original = mesh.process(place).await;
        let clone = Clone::of(&mesh.stage.fleet.files(place), place);
        has_ended(&mesh, place, original).await;
        let case = mesh.case_on(place, &before).await;
        let on = Scope::Host(id_of(place));
        assert_eq!(mesh.opened(&before), [(on, VerdictKind::Duplicate)]);
        it_is_said_at_every_door(&mesh, place, (case, before.leader)).await;
        clone.kill().await;
        another_is_healed_meanwhile(&mut mesh, place, &before).await;
        assert_eq!(mesh.stage.lines(&before, Some(place)), [], "nothing was done to {name}");
        it_comes_back_as_the_guide_says(&mut mesh, place, (case, &before)).await;
        held(&mesh.stage.one_history().await);
    });
}

async fn it_is_said_at_every_door(mesh: &Mesh, place: Place, (case, asked): (CaseId, Place)) {
    let (name, number) = (HOSTS[place].name, case.to_string());
    let plainly = "two machines live under its name";
    until("a person is called", async || {
        let calls = mesh.remedies.calls();
        calls.iter().any(|call| call.starts_with(&format!("{number} ")) && call.contains(plainly))
    })
    .await;
    for what in [name, &number] {
        let explained = mesh.types(asked, &["explain", what]).await;
        explained.says("Duplicate: two machines live under this host's name, a clone or a restored snapshot; stop one of the two");
    }
    let cases = mesh.types(asked, &["cases"]).await;
    cases.says("a person is needed: two machines live under its name");
    mesh.types(asked, &["hosts"]).await.says("case");
}

/// Not the duplicate: its machines are dead by now, and a death would be healed within the same seconds.
async fn another_is_healed_meanwhile(mesh: &mut Mesh, duplicate: Place, before: &Calm) {
    let is_other =
        |place: &Place| !HOSTS[*place].is_keeper && HOSTS[*place].zone != HOSTS[duplicate].zone;
    let other = (0..HOSTS_COUNT).find(is_other).expect("two others");
    mesh.stage.fleet.kill(other).await.expect("killed");
    let case = mesh.case_on(other, before).await;
    let story = mesh.closed(case, before).await;
    assert!(
        story.closed.as_ref().is_some_and(|closed| closed.what == Closure::Healed),
        "{story:?}"
    );
    let all = [duplicate, other].map(|place| Scope::Host(id_of(place)));
    let opened: Vec<Scope> = mesh.opened(before).into_iter().map(|(on, _)| on).collect();
    assert_eq!(opened, all, "one case each");
}

/// One of the two is gone; the other is started, once more if its disk still holds the number that the clone has lived.
async fn it_comes_back_as_the_guide_says(
    mesh: &mut Mesh,
    place: Place,
    (case, before): (CaseId, &Calm),
) {
    let name = HOSTS[place].name;
    until("it lives above the clone", async || {
        mesh.stage.fleet.start(place).await.expect("it listens");
        let boots = mesh.stage.sight.boots(before.leader).await.unwrap_or_default();
        boots.get(name).is_some_and(|boot| *boot > before.boots[name] + 1)
    })
    .await;
    let number = case.to_string();
    let words = ["case", "dismiss", &number, "--why", "the clone is gone"];
    mesh.types(before.leader, &words).await.done();
    mesh.calm_when("it is back", |calm| calm.boots[name] > before.boots[name] + 1).await;
}
