//! What survives a life of the agent: its boot number, what it last knew of the ledger and, on a keeper, the ledger's store.
//!
//! Not here: how they lie on a disk (see `folder`).

use std::io;
use std::sync::Arc;

use replication::{Disk, FileDisk};
use vocabulary::Boot;

use super::folder::{Folder, FolderFault};

/// Where a host keeps what outlives its agent; a test puts memory in the place of the folder.
pub trait Home: Send + Sync + 'static {
    /// Begins a new life: the number kept, plus one, kept durably before this returns (protocol 1.2).
    fn begin_boot(&self, nonce: u128) -> Result<Boot, FolderFault>;

    /// Makes sure that the next life begins above this number.
    fn raise_to(&self, known: u64) -> Result<(), FolderFault>;

    /// The disk that holds the ledger's store; an empty one where there was none.
    fn store(&self) -> io::Result<Arc<dyn Disk>>;

    /// Puts a damaged store aside, under another name and never deleted; where it lies then.
    fn set_store_aside(&self) -> Result<String, FolderFault>;

    /// What was kept of the ledger, if anything.
    fn kept(&self) -> io::Result<Option<Vec<u8>>>;

    /// Keeps this of the ledger, durably and in the place of what was kept before, or not at all.
    fn keep(&self, bytes: &[u8]) -> io::Result<()>;

    /// Puts aside what was kept, in the place of what was put aside before; where it lies then.
    fn set_kept_aside(&self) -> io::Result<String>;

    /// Whether a call may wait for a device.
    fn may_block(&self) -> bool;

    /// Whether there is a store.
    fn has_store(&self) -> bool;

    /// Where the boot number is kept, for messages.
    fn boot_place(&self) -> String;

    /// Where the store is kept, for messages.
    fn store_place(&self) -> String;
}

impl Home for Folder {
    fn begin_boot(&self, nonce: u128) -> Result<Boot, FolderFault> {
        Folder::begin_boot(self, nonce)
    }

    fn raise_to(&self, known: u64) -> Result<(), FolderFault> {
        Folder::raise_to(self, known)
    }

    fn store(&self) -> io::Result<Arc<dyn Disk>> {
        Ok(Arc::new(FileDisk::open(&Folder::store(self))?))
    }

    fn set_store_aside(&self) -> Result<String, FolderFault> {
        Folder::set_store_aside(self).map(|path| path.display().to_string())
    }

    fn kept(&self) -> io::Result<Option<Vec<u8>>> {
        Folder::kept(self)
    }

    fn keep(&self, bytes: &[u8]) -> io::Result<()> {
        Folder::keep(self, bytes)
    }

    fn set_kept_aside(&self) -> io::Result<String> {
        Folder::set_kept_aside(self).map(|path| path.display().to_string())
    }

    fn may_block(&self) -> bool {
        true
    }

    fn has_store(&self) -> bool {
        Folder::store(self).exists()
    }

    fn boot_place(&self) -> String {
        self.boot_file().display().to_string()
    }

    fn store_place(&self) -> String {
        Folder::store(self).display().to_string()
    }
}
