//! The host's own folder: one lock, the boot number, what it keeps of the ledger, and a keeper's store.
//!
//! Law D1: one agent per folder: the lock is held as long as the process lives.
//! Law D2: the boot number on disk is raised, with fsync of file and folder, before the first packet of a life (protocol 1.2).
//! Law D4: what replaces a file is whole and durable under another name before it takes the file's own.
//! Not here: what is in the store (see `replication`), and in what is kept (see `keeping`).

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use replication::kept::KEPT_BYTES_MAX;
use rustix::fs::FlockOperation;
use vocabulary::Boot;

/// The file of what a host last knew of the ledger.
pub(super) const KEPT: &str = "ledger.kept";

/// The file of a keeper's store.
pub(super) const STORE: &str = "ledger.redb";

/// A boot number and a line end; a longer file is not ours.
const BOOT_FILE_BYTES_MAX: u64 = 32;

/// Damaged stores that lie beside the sound one at the most: a disk that spoils a fourth one is for a person to look at, and each
/// may be as large as the ledger.
const SET_ASIDE_MAX: u32 = 3;

/// The folder of one host, locked.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Held for the lock (law D1).
    _lock: File,
}

/// Why the folder cannot be used; nothing has been changed but what is said.
#[derive(Debug)]
pub enum FolderFault {
    /// It cannot be made or opened.
    Unusable {
        /// What was touched.
        path: PathBuf,
        /// What the kernel said.
        why: io::Error,
    },
    /// Another agent holds it.
    Held(PathBuf),
    /// So many damaged stores lie there that no further one is put beside them; nothing is deleted.
    Aside(PathBuf),
    /// The boot file is not a number; a person must look, since a boot that goes backwards would be refused by the mesh.
    BootFile {
        /// The file.
        path: PathBuf,
        /// What it holds.
        holds: String,
    },
}

impl Folder {
    /// Makes the folder (0700) if it is not there, and locks it.
    pub fn open(path: &Path) -> Result<Self, FolderFault> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |why| FolderFault::Unusable { path, why }
        };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(at(path))?;
        let lock_path = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(at(&lock_path))?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(FolderFault::Held(path.to_owned())),
            Err(error) => Err(at(&lock_path)(error.into())),
        }
    }

    /// Where input that has ended the agent is kept (protocol 1.9).
    pub fn poison(&self) -> PathBuf {
        self.path.join("poison")
    }

    /// Begins a new life: the number on disk plus one, on disk before this returns (law D2), and the nonce given.
    pub fn begin_boot(&self, nonce: u128) -> Result<Boot, FolderFault> {
        let path = self.boot_file();
        let number = read_boot(&path)?.saturating_add(1);
        self.write_boot(&path, number).map_err(|why| FolderFault::Unusable { path, why })?;
        Ok(Boot { number, nonce })
    }

    /// Makes sure that the next life begins above this number: the disk is older than what the ledger knows (protocol 1.2).
    pub fn raise_to(&self, known: u64) -> Result<(), FolderFault> {
        let path = self.boot_file();
        let number = read_boot(&path)?.max(known);
        self.write_boot(&path, number).map_err(|why| FolderFault::Unusable { path, why })
    }

    /// Where the boot number lies.
    pub fn boot_file(&self) -> PathBuf {
        self.path.join("boot")
    }

    /// Where the ledger's store lies.
    pub fn store(&self) -> PathBuf {
        self.path.join(STORE)
    }

    /// Puts the store aside under a name of its own; where it lies then.
    pub fn set_store_aside(&self) -> Result<PathBuf, FolderFault> {
        let store = self.store();
        let names = (1..=SET_ASIDE_MAX)
            .map(|number| store.with_extension(format!("redb.damaged-{number}")));
        let aside = names.into_iter().find(|aside| !aside.exists());
        let aside = aside.ok_or_else(|| FolderFault::Aside(self.path.clone()))?;
        let moved = fs::rename(&store, &aside).and_then(|()| self.sync());
        moved.map_err(|why| FolderFault::Unusable { path: store, why })?;
        Ok(aside)
    }

    /// What is kept of the ledger, if anything; a longer file is not ours.
    pub fn kept(&self) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(self.kept_file()) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut bytes = Vec::new();
        file.take(KEPT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
        bytes.truncate(KEPT_BYTES_MAX);
        Ok(Some(bytes))
    }

    /// Keeps this in the place of what was kept (law D4).
    pub fn keep(&self, bytes: &[u8]) -> io::Result<()> {
        self.replace(&self.kept_file(), bytes)
    }

    /// Puts aside what is kept, in the place of what was put aside before: one is enough to look at.
    pub fn set_kept_aside(&self) -> io::Result<PathBuf> {
        let aside = self.path.join("ledger.kept.damaged");
        fs::rename(self.kept_file(), &aside)?;
        self.sync()?;
        Ok(aside)
    }

    /// Where it is kept what this host last knew of the ledger.
    pub fn kept_file(&self) -> PathBuf {
        self.path.join(KEPT)
    }

    fn write_boot(&self, path: &Path, number: u64) -> io::Result<()> {
        self.replace(path, format!("{number}\n").as_bytes())
    }

    /// law D4.
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let fresh = path.with_extension("new");
        let written = write_durably(&fresh, bytes).and_then(|()| fs::rename(&fresh, path));
        if written.is_err() {
            // On a full disk the empty file can still be taken back; where it cannot, the next one writes over it.
            let _ = fs::remove_file(&fresh);
        }
        written?;
        self.sync()
    }

    /// A name is durable only with its folder.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file =
        OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn read_boot(path: &Path) -> Result<u64, FolderFault> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(why) => {
            return Err(FolderFault::Unusable { path: path.to_owned(), why });
        }
    };
    let mut text = String::new();
    file.take(BOOT_FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|why| FolderFault::Unusable { path: path.to_owned(), why })?;
    text.trim().parse().map_err(|_| FolderFault::BootFile { path: path.to_owned(), holds: text })
}

impl fmt::Display for FolderFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable { path, why } => {
                write!(
                    out,
                    "cannot use {}: {why}; expected a folder that this user may write, with room on its disk",
                    path.display()
                )
            }
            Self::Held(path) => {
                write!(
                    out,
                    "{} is held by another agent; one folder serves one agent",
                    path.display()
                )
            }
            Self::Aside(path) => write!(
                out,
                "{SET_ASIDE_MAX} damaged stores lie in {}: its disk spoils what is written on it; \
                 look at the disk, move them away, and start again",
                path.display()
            ),
            Self::BootFile { path, holds } => write!(
                out,
                "{} holds {holds:?}, expected a boot number; put in a number above the one that `hale hosts` shows for this host",
                path.display()
            ),
        }
    }
}

impl std::error::Error for FolderFault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_life_has_a_higher_number_and_two_agents_never_share_a_folder() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let first = Folder::open(place.path()).expect("free");
        assert_eq!(first.begin_boot(1).expect("writable"), Boot { number: 1, nonce: 1 });
        assert!(matches!(Folder::open(place.path()), Err(FolderFault::Held(_))));
        drop(first);
        let second = Folder::open(place.path()).expect("free again");
        assert_eq!(second.begin_boot(2).expect("writable").number, 2);
    }

    #[test]
    fn a_disk_that_was_set_back_is_raised_above_what_the_ledger_knows_and_never_lowered() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder::open(place.path()).expect("free");
        folder.raise_to(7).expect("writable");
        assert_eq!(folder.begin_boot(1).expect("writable").number, 8);
        folder.raise_to(3).expect("writable");
        assert_eq!(folder.begin_boot(1).expect("writable").number, 9);
        assert!(!place.path().join("boot.new").exists());
    }

    #[test]
    fn a_boot_file_that_is_no_number_stops_the_start_and_is_left_as_it_is() {
        let place = tempfile::tempdir().expect("a temporary folder");
        fs::write(place.path().join("boot"), "seven\n").expect("writable");
        let folder = Folder::open(place.path()).expect("free");
        assert!(matches!(folder.begin_boot(1), Err(FolderFault::BootFile { .. })));
        assert_eq!(fs::read_to_string(place.path().join("boot")).expect("there"), "seven\n");
    }

    #[test]
    fn damaged_stores_are_put_aside_under_names_of_their_own_and_none_is_ever_deleted() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder::open(place.path()).expect("free");
        for number in 1..=SET_ASIDE_MAX {
            fs::write(folder.store(), format!("garbled {number}")).expect("writable");
            let aside = folder.set_store_aside().expect("there is room");
            assert_eq!(aside, place.path().join(format!("ledger.redb.damaged-{number}")));
            assert!(!folder.store().exists());
        }
        fs::write(folder.store(), "one more").expect("writable");
        assert!(matches!(folder.set_store_aside(), Err(FolderFault::Aside(_))));
        assert_eq!(fs::read_to_string(folder.store()).expect("there"), "one more");
        let first = place.path().join("ledger.redb.damaged-1");
        assert_eq!(fs::read_to_string(first).expect("there"), "garbled 1");
    }

    #[test]
    fn what_is_kept_is_replaced_whole_and_put_aside_once() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder::open(place.path()).expect("free");
        assert_eq!(folder.kept().expect("readable"), None);
        for kept in [&b"one"[..], b"another one"] {
            folder.keep(kept).expect("writable");
            assert_eq!(folder.kept().expect("readable").as_deref(), Some(kept));
        }
        for _ in 0..2 {
            folder.keep(b"of no use").expect("writable");
            let aside = folder.set_kept_aside().expect("writable");
            assert_eq!(fs::read(aside).expect("there"), b"of no use");
            assert_eq!(folder.kept().expect("readable"), None);
        }
        assert!(!place.path().join("ledger.new").exists());
    }
}
