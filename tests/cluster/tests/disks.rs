//! What does an agent do whose disk is full, or may not be written? Needs root: each story mounts a small disk of its own, in
//! namespaces that end with its process, so that nothing is left mounted or running whatever happens.

mod lone;

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use cluster::mesh::{Mesh, held, play_with, until};
use cluster::program;
use daemon::admin::answer::{PauseOrder, PolicyOrder, ResumeOrder};
use daemon::demo::plan::{HOSTS, HOSTS_COUNT, Place};
use daemon::demo::stage::Calm;
use lone::{Failed, Host, ended};

/// Mounts a disk in the storage folder, prepares it as the story wants, starts the agent, and then once more with room.
const STORY: &str = r#"
set -e
mount -t tmpfs -o size="$SIZE" hale-test "$STORAGE"
cd "$STORAGE"
eval "$BEFORE"
code=0
"$HALE" agent --config "$CONFIG" || code=$?
eval "$AFTER"
exit $code
"#;

/// Fills what room there is, to the last page.
const FILL: &str = "cat /dev/zero > filler 2>/dev/null || true";

/// Nothing is left of the failed start that a later one would stumble over: with room it lives, and leaves at SIGTERM.
const LIVES_WITH_ROOM: &str = r#"
rm filler
mount -o remount,size=16m hale-test "$STORAGE"
: > "$STORAGE/log"
"$HALE" agent --config "$CONFIG" 2>"$STORAGE/log" & agent=$!
for try in $(seq 600); do grep -q "agent is up" "$STORAGE/log" && break; sleep 0.05; done
kill $agent 2>/dev/null || { cat "$STORAGE/log" >&2; exit 99; }
wait $agent || { cat "$STORAGE/log" >&2; exit 98; }
test "$(cat boot)" = 1 || { echo "boot $(cat boot)" >&2; exit 97; }
"#;

fn on_a_disk(host: &Host, size: &str, (before, after): (&str, &str)) -> Failed {
    let mut command = tokio::process::Command::new("unshare");
    // A process namespace as well: whatever of the story still runs ends with its first process.
    command.args(["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]);
    command.args(["sh", "-c", STORY]);
    command.env("STORAGE", host.files.storage()).env("CONFIG", host.files.config());
    command.env("HALE", cluster::program::hale()).env("SIZE", size);
    command.env("BEFORE", before).env("AFTER", after);
    ended(command)
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing_that_a_later_start_stumbles_over() {
    // From not a page of room, to room for some pages of the ledger's store.
    for size in ["4k", "8k", "16k"] {
        let host = Host::laid();
        let story = if size == "4k" || size == "8k" {
            (FILL, LIVES_WITH_ROOM)
        } else {
            (": > filler", LIVES_WITH_ROOM)
        };
        on_a_disk(&host, size, story).is_one_line(74, "storage");
    }
}

#[test]
fn a_disk_that_may_not_be_written_is_told_as_such() {
    let host = Host::laid();
    let story = (r#"mount -o remount,ro hale-test "$STORAGE""#, "true");
    let failed = on_a_disk(&host, "1m", story);
    failed.is_one_line(74, "storage");
    assert!(failed.said.contains("Read-only"), "{}", failed.said);
}

/// The keeper with a small disk, and the host at which a person sits.
const NARROW: Place = 4;
const DESK: Place = 1;

/// Has room for the store of a young mesh and little else.
const NARROW_SIZE: &str = "16m";

/// Lines that one failed disk may cost.
const ERRORS_MAX: usize = 8;

/// A mount namespace in which one host's storage folder is a small disk: it outlives the agents, as a disk does.
struct NarrowDisk(Child);

impl NarrowDisk {
    fn made() -> Self {
        let mut holder = Command::new("unshare");
        holder.args(["--mount", "--propagation", "private", "sleep", "infinity"]);
        Self(holder.spawn().expect("root may do that"))
    }

    /// What the fleet starts in the place of `hale`: the host is named by the folder of its configuration.
    fn program(&self, folder: &Path) -> PathBuf {
        let program = folder.join("hale-on-disks");
        let text = format!(
            r#"#!/bin/sh
folder=$(dirname "$3")
[ "$(basename "$folder")" = {host} ] || exec '{hale}' "$@"
exec nsenter --mount=/proc/{holder}/ns/mnt sh -c '
    mountpoint -q "$0" || mount -t tmpfs -o size={NARROW_SIZE} hale-test "$0"
    exec "$@"' "$folder/storage" '{hale}' "$@"
"#,
            host = HOSTS[NARROW].name,
            hale = program::hale().display(),
            holder = self.0.id(),
        );
        fs::write(&program, text).expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("set");
        program
    }

    /// As whoever stands in the namespace sees it.
    fn filler(&self, mesh: &Mesh) -> PathBuf {
        let storage = mesh.stage.fleet.files(NARROW).storage();
        let storage = storage.strip_prefix("/").expect("the folder's path is whole");
        Path::new(&format!("/proc/{}/root", self.0.id())).join(storage).join("filler")
    }

    /// To the last page.
    fn fill(&self, mesh: &Mesh) {
        let mut filler = File::create(self.filler(mesh)).expect("made");
        for size in [1 << 16, 1 << 12, 1] {
            while filler.write_all(&vec![7; size]).is_ok() {}
        }
    }

    fn make_room(&self, mesh: &Mesh) {
        fs::remove_file(self.filler(mesh)).expect("it was filled");
    }
}

impl Drop for NarrowDisk {
    fn drop(&mut self) {
        // The namespace and its disk go with the last process in it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// protocol 1.8.
#[test]
fn a_keeper_whose_disk_fills_up_votes_no_more_says_so_and_votes_again_when_it_has_room() {
    let disk = NarrowDisk::made();
    play_with(
        |folder| disk.program(folder),
        async |mut mesh: Mesh| {
            let before = mesh.calm().await;
            mesh.stage.witness = DESK;
            disk.fill(&mesh);
            let acknowledged = it_votes_no_more(&mesh).await;
            the_others_go_on(&mut mesh, acknowledged, &before).await;
            it_does_not_start_while_it_is_full(&mesh).await;
            disk.make_room(&mesh);
            it_votes_again(&mut mesh, &before).await;
            let log = mesh.log(NARROW);
            assert!(!log.contains("set aside") && !log.contains("is damaged"), "{log}");
            held(&mesh.stage.one_history().await);
        },
    );
}

/// Entries come until one finds no room; the newest version of the policy that was acknowledged.
async fn it_votes_no_more(mesh: &Mesh) -> u64 {
    let mut acknowledged = 0;
    until("it says that its disk refuses, and that it votes no more", async || {
        // An order may meet the change of leaders that it brings about: then nobody acknowledges it.
        acknowledged = applied(mesh).await.unwrap_or(acknowledged);
        let notes = mesh.notes(NARROW).await;
        notes.contains("this keeper votes no more: the store's disk refuses: ")
            && notes.contains("it follows the others until its agent is started again")
    })
    .await;
    let log = mesh.log(NARROW);
    assert!(log.contains("this keeper's store has failed: it votes no more"), "{log}");
    let errors = log.lines().filter(|line| line.contains(" ERROR ")).count();
    assert!(errors <= ERRORS_MAX, "once, and not with every heartbeat: {errors}");
    acknowledged
}

/// It is no case, what was acknowledged is there, and the full host itself knows it from the others.
async fn the_others_go_on(mesh: &mut Mesh, acknowledged: u64, before: &Calm) {
    let mut last = acknowledged;
    until("a further order is acknowledged, and everybody has it", async || {
        last = applied(mesh).await.unwrap_or(last);
        last > acknowledged && everybody_has(mesh, last).await
    })
    .await;
    let after = mesh.calm().await;
    assert_ne!(after.leader, NARROW, "it leads no more");
    assert_eq!(after.boots, before.boots, "nobody was restarted");
    assert_eq!(mesh.opened(before), [], "no case was opened");
}

/// Nothing heals it meanwhile: the mesh is paused, as a person would who works at that host.
async fn it_does_not_start_while_it_is_full(mesh: &Mesh) {
    let why = "a disk is full".to_owned();
    mesh.stage.sight.order(DESK, "/v1/pause", &PauseOrder { why }).await.expect("paused");
    mesh.stage.fleet.kill(NARROW).await.expect("killed");
    let from = mesh.log(NARROW).len();
    // It may have been heard before it found that it has no room for its next boot.
    let _ = mesh.stage.fleet.start(NARROW).await;
    until("it ends, and its last line says why", async || {
        let log = mesh.log(NARROW);
        let last = log[from..].lines().last().unwrap_or_default();
        last.starts_with("hale: ") && last.contains("No space left on device")
    })
    .await;
    assert_eq!(mesh.stage.fleet.process_of(NARROW).await, None);
}

/// It decides with one other keeper, while the third is dead.
async fn it_votes_again(mesh: &mut Mesh, before: &Calm) {
    let name = HOSTS[NARROW].name;
    mesh.stage.fleet.start(NARROW).await.expect("it has room");
    until("it is back", async || {
        let boots = mesh.stage.sight.boots(DESK).await.unwrap_or_default();
        let is_new = boots.get(name).is_some_and(|boot| *boot > before.boots[name]);
        is_new && !mesh.notes(NARROW).await.contains("vote")
    })
    .await;
    let other = (0..HOSTS_COUNT).find(|place| HOSTS[*place].is_keeper && *place != NARROW);
    let other: Place = other.expect("three keepers");
    mesh.stage.fleet.kill(other).await.expect("killed");
    let mut version = None;
    until("an order is acknowledged that needs its vote", async || {
        version = applied(mesh).await;
        version.is_some()
    })
    .await;
    mesh.stage.fleet.start(other).await.expect("started");
    let why = "it has room".to_owned();
    mesh.stage.sight.order(DESK, "/v1/resume", &ResumeOrder { why }).await.expect("resumed");
    mesh.calm().await;
    until("everybody has it", async || everybody_has(mesh, version.unwrap_or(0)).await).await;
}

/// The version of the policy that a majority has acknowledged, if it has.
async fn applied(mesh: &Mesh) -> Option<u64> {
    let (text, why) = (mesh.remedies.policy(), "a story".to_owned());
    let order = PolicyOrder { text, why, if_version: None };
    let ordered = mesh.stage.sight.order(DESK, "/v1/policy", &order).await;
    ordered.ok()?.data.version
}

async fn everybody_has(mesh: &Mesh, version: u64) -> bool {
    for place in 0..HOSTS_COUNT {
        let status = mesh.stage.sight.status(place).await;
        let policy = status.ok().and_then(|status| status.data.policy);
        if policy.is_none_or(|policy| policy.version < version) {
            return false;
        }
    }
    true
}
