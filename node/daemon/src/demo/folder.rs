//! The demo's temporary folder: its user's alone, and gone at the end unless there is a reason to look into it.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Other demos of the same process number that left their folders behind.
const NAMES_MAX: u32 = 100;

/// Removed with everything in it when it is dropped.
pub struct Folder {
    path: PathBuf,
    is_kept: bool,
}

impl Folder {
    /// A new folder among the machine's temporary files.
    pub fn make() -> io::Result<Self> {
        let (parent, process) = (std::env::temp_dir(), std::process::id());
        let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
        for count in 0..NAMES_MAX {
            // Short: the path of a socket within it has 107 bytes at most.
            let path = parent.join(format!("hale-demo-{process}-{count}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    return Ok(Self { path, is_kept: false });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// It stays when this is dropped.
    pub fn keep(&mut self) {
        self.is_kept = true;
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_kept {
            // What cannot be removed is left for the machine's own housekeeping of temporary files.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_all_that_is_in_it_unless_it_is_kept() {
        let folder = Folder::make().expect("made");
        let path = folder.path().to_owned();
        std::fs::write(path.join("file"), "x").expect("written");
        drop(folder);
        assert!(!path.exists());

        let mut kept = Folder::make().expect("made");
        kept.keep();
        let path = kept.path().to_owned();
        drop(kept);
        assert!(path.exists());
        std::fs::remove_dir(path).expect("empty");
    }
}
