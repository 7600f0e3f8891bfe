//! Hosts of one mesh that run binaries of different ages, on the same disks.
//!
//! The fleet is given a script in the place of `hale`; it looks which host it is started for and becomes that host's binary.
//! Not here: where yesterday's binary comes from (see `tests/cluster/yesterday`).

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use daemon::demo::plan::{HOSTS, HOSTS_COUNT, Place};

use crate::program;

/// How old a binary is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Of the commit that `tests/cluster/yesterday.commit` names.
    Yesterday,
    /// Of this tree.
    Today,
}

/// Which binary each host's agent will be at its next start.
pub struct Ages {
    folder: PathBuf,
}

/// Where `tests/cluster/yesterday` says that it has put the binary.
pub const YESTERDAY: &str = "HALE_YESTERDAY";

impl Ages {
    /// All of today, in this folder.
    pub fn lay(folder: &Path) -> Self {
        let ages = Self::of(folder);
        fs::create_dir(&ages.folder).expect("a folder");
        for place in 0..HOSTS_COUNT {
            ages.set(place, Age::Today);
        }
        // `hale agent --config FOLDER/HOST/hale.toml`: the host is named by the folder of its configuration.
        let text = format!(
            "#!/bin/sh\nhost=$(basename \"$(dirname \"$3\")\")\nexec '{}'/\"$host\" \"$@\"\n",
            ages.folder.display()
        );
        fs::write(ages.program(), text).expect("written");
        fs::set_permissions(ages.program(), fs::Permissions::from_mode(0o700)).expect("set");
        ages
    }

    /// Those that were laid in this folder.
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.join("binaries") }
    }

    /// What the fleet starts.
    pub fn program(&self) -> PathBuf {
        self.folder.join("hale")
    }

    /// From its next start on this host's agent is of this age.
    pub fn set(&self, place: Place, age: Age) {
        let binary = self.folder.join(HOSTS[place].name);
        if binary.is_symlink() {
            fs::remove_file(&binary).expect("it was laid");
        }
        let program = match age {
            Age::Yesterday => yesterday(),
            Age::Today => program::hale(),
        };
        symlink(program, binary).expect("laid");
    }
}

/// Yesterday's binary; without one nothing can be shown, and so nothing is skipped.
fn yesterday() -> PathBuf {
    let path = std::env::var_os(YESTERDAY).map(PathBuf::from);
    let path = path.unwrap_or_else(|| {
        panic!("{YESTERDAY} names no binary of yesterday: `tests/cluster/yesterday` builds one and prints its path")
    });
    assert!(
        path.is_file(),
        "{YESTERDAY}={} is no file: `tests/cluster/yesterday` builds it",
        path.display()
    );
    path
}
