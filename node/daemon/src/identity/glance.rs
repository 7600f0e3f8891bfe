//! Have the files of this host's identity been replaced since they were last read?
//!
//! Law GL1: three files cannot be swapped at one moment: a change counts once two looks, one after the other, see the same.
//! Law GL2: what was read once, sound or not, is not read again until it changes.
//! Not here: when somebody looks (see `host::renewing`), and reading (see [`Identity::load`](super::Identity::load)).

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::IdentityFiles;

/// What the files looked like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glance([Option<Stamp>; 3]);

/// Remembers what was read.
#[derive(Debug, Default)]
pub struct Watched {
    read: Glance,
    last: Glance,
}

/// Inode, length, seconds and nanoseconds of the last change; `None` where there is no such file.
type Stamp = (u64, u64, i64, i64);

impl Glance {
    /// How the files look now: three calls of the system, nothing is read.
    pub fn at(files: &IdentityFiles) -> Self {
        Self([&files.certificate, &files.key, &files.authority].map(|path| stamp(path)))
    }
}

impl Watched {
    /// The files were just read, and looked so before.
    pub fn read(&mut self, glance: Glance) {
        self.last.clone_from(&glance);
        self.read = glance;
    }

    /// Law GL1, GL2: whether they should be read now.
    pub fn is_due(&mut self, now: Glance) -> bool {
        let is_settled = now == self.last;
        let is_new = now != self.read;
        self.last = now;
        is_settled && is_new
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let seen = fs::metadata(path).ok()?;
    Some((seen.ino(), seen.len(), seen.mtime(), seen.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glance(certificate: u64, key: u64) -> Glance {
        let stamp = |inode| Some((inode, 1, 1, 1));
        Glance([stamp(certificate), stamp(key), None])
    }

    #[test]
    fn a_swap_is_read_once_and_only_when_it_is_whole() {
        let mut watched = Watched::default();
        watched.read(glance(1, 1));
        assert!(!watched.is_due(glance(1, 1)));
        assert!(!watched.is_due(glance(2, 1)), "law GL1: the key may follow");
        assert!(!watched.is_due(glance(2, 2)), "law GL1");
        assert!(watched.is_due(glance(2, 2)));
        watched.read(glance(2, 2));
        assert!(!watched.is_due(glance(2, 2)), "law GL2");
    }

    #[test]
    fn a_file_that_is_put_in_the_place_of_another_looks_different() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let files = IdentityFiles {
            certificate: at("host.pem"),
            key: at("host.key"),
            authority: at("authority.pem"),
            cluster: None,
        };
        let before = Glance::at(&files);
        fs::write(&files.certificate, "one").expect("written");
        let one = Glance::at(&files);
        assert_ne!(one, before);
        fs::write(at("next"), "two").expect("written");
        fs::rename(at("next"), &files.certificate).expect("renamed");
        assert_ne!(Glance::at(&files), one, "same length, another inode");
    }
}
