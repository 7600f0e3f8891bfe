//! What agents are started on: a small disk of its own under some, a wall clock that can be shifted before some.
//!
//! The fleet is given a script in the place of `hale`; it looks which host it is started for. Small disks stand in a mount namespace that
//! one process holds: they outlive the agents, as disks do, and go with that process. A wall clock is shifted by libfaketime (Debian:
//! `libfaketime`), which reads the shift from a file and touches no other clock; what it leaves behind in `/dev/shm` stays in that namespace too.
//!
//! Law G1: nothing is mounted outside that namespace; it ends with the [`Ground`] that made it.
//! Not here: filling the disks, turning the clocks (see `faults`).

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use lab::LabFault;
use lab::fleet::Size;
use lab::plan::{Files, Place, Planned};

/// The lab deals hosts to so many zones, in turn.
pub const ZONES: usize = 3;

/// Room for the store of a mesh that runs for an hour, and little else.
const SMALL_DISK: &str = "64m";

/// A mount on a busy machine.
const LAID_WITHIN: Duration = Duration::from_secs(30);

/// Where Debian lays it, below the folder of the machine's kind.
const FAKETIME: &str = "faketime/libfaketimeMT.so.1";

/// The small disks, the script, and where libfaketime lies.
pub struct Ground {
    holder: Child,
    script: PathBuf,
    has_clocks: bool,
}

/// Hosts with small disks: one keeper and three others.
pub fn small_disks(size: Size) -> Vec<Place> {
    let others = [size.keepers + 1, size.keepers + 4, size.keepers + 8];
    [1].into_iter().chain(others).filter(|place| *place < size.hosts).collect()
}

/// Hosts whose clocks can be shifted: two keepers and four others.
pub fn shifting(size: Size) -> Vec<Place> {
    let others = [2, 3, 6, 9].map(|nth| size.keepers + nth);
    [0, 3].into_iter().chain(others).filter(|place| *place < size.hosts).collect()
}

impl Ground {
    /// Lays the script into this folder and holds the namespace.
    pub fn lay(folder: &Path, hale: &Path, size: Size) -> Result<Self, LabFault> {
        let fault = LabFault::of("lay the ground (as root)");
        let (faketime, script) = (faketime(), folder.join("hale-on-ground"));
        let ground = Self { holder: holder(folder)?, script, has_clocks: faketime.is_some() };
        let text = ground.text(hale, size, faketime.as_deref());
        fs::write(&ground.script, text).map_err(&fault)?;
        fs::set_permissions(&ground.script, fs::Permissions::from_mode(0o700)).map_err(&fault)?;
        Ok(ground)
    }

    /// What the fleet starts.
    pub fn script(&self) -> &Path {
        &self.script
    }

    /// Whether clocks can be shifted here.
    pub fn has_clocks(&self) -> bool {
        self.has_clocks
    }

    fn text(&self, hale: &Path, size: Size, faketime: Option<&Path>) -> String {
        let names = |places: Vec<Place>| {
            let names: Vec<String> = places.into_iter().map(|at| Planned(at).name()).collect();
            names.join("|")
        };
        let shifting = faketime.map_or_else(String::new, |_| format!("{}|", names(shifting(size))));
        let preload = faketime.map_or_else(String::new, |library| {
            format!(
                "\
case $host in {shifting})
    [ -e \"$folder/clock\" ] || echo +0 >\"$folder/clock\"
    set -- env LD_PRELOAD='{library}' FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 \\
        FAKETIME_TIMESTAMP_FILE=\"$folder/clock\" FAKETIME_CACHE_DURATION=1 \"$@\" ;;
esac
",
                shifting = shifting.trim_end_matches('|'),
                library = library.display(),
            )
        });
        format!(
            "\
#!/bin/sh
# `hale agent --config FOLDER/HOST/hale.toml`; whatever else is asked is not an agent's.
[ \"$1\" = agent ] || exec '{hale}' \"$@\"
folder=$(dirname \"$3\")
host=$(basename \"$folder\")
set -- '{hale}' \"$@\"
{preload}case $host in {shifting}{small})
    set -- nsenter --mount=/proc/{holder}/ns/mnt \"$@\" ;;
esac
case $host in {small})
    nsenter --mount=/proc/{holder}/ns/mnt sh -c '
        mountpoint -q \"$0\" || mount -t tmpfs -o size={SMALL_DISK} hale-test \"$0\"' \"$folder/storage\" ;;
esac
exec \"$@\"
",
            hale = hale.display(),
            small = names(small_disks(size)),
            holder = self.holder.id(),
        )
    }

    /// To the last page.
    pub fn fill(&self, files: &Files) -> io::Result<()> {
        let mut filler = File::create(self.filler(files))?;
        for size in [1 << 16, 1 << 12, 1] {
            let block = vec![7; size];
            while filler.write_all(&block).is_ok() {}
        }
        Ok(())
    }

    /// What was filled is free again.
    pub fn make_room(&self, files: &Files) -> io::Result<()> {
        fs::remove_file(self.filler(files))
    }

    /// As whoever stands in the namespace sees it.
    fn filler(&self, files: &Files) -> PathBuf {
        let storage = files.storage();
        let storage = storage.strip_prefix("/").unwrap_or(&storage);
        Path::new(&format!("/proc/{}/root", self.holder.id())).join(storage).join("filler")
    }

    /// From now on this host's wall clock is so many seconds ahead; its agent notices within a second.
    pub fn turn_clock(&self, files: &Files, ahead_s: u64) -> io::Result<()> {
        let (clock, next) = (files.folder.join("clock"), files.folder.join("clock.next"));
        fs::write(&next, format!("+{ahead_s}\n"))?;
        fs::rename(next, clock)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // law G1: the namespace and its disks go with the last process in it.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// The process that holds the namespace, once `/dev/shm` is its own there.
fn holder(folder: &Path) -> Result<Child, LabFault> {
    let fault = LabFault::of("hold a mount namespace (as root)");
    let ready = folder.join("ground-is-laid");
    let mut holder = Command::new("unshare");
    holder.args(["--mount", "--propagation", "private", "sh", "-c"]);
    holder.arg("mount -t tmpfs -o size=16m hale-test /dev/shm && : >\"$0\" && exec sleep infinity");
    let mut holder = holder.arg(&ready).spawn().map_err(&fault)?;
    let end = Instant::now() + LAID_WITHIN;
    while !ready.exists() {
        let ended = holder.try_wait().map_err(&fault)?;
        if ended.is_some() || Instant::now() > end {
            let _ = holder.kill();
            return Err(fault(io::Error::other(format!("it is not there: {ended:?}"))));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(holder)
}

fn faketime() -> Option<PathBuf> {
    let kinds = fs::read_dir("/usr/lib").ok()?.flatten();
    kinds.map(|kind| kind.path().join(FAKETIME)).find(|library| library.is_file())
}
