//! What outlives an agent on a machine: the boot number, what it last knew of the ledger, and a keeper's store, in memory.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use daemon::host::folder::FolderFault;
use daemon::host::home::Home;
use replication::disk::DiskFault;
use replication::{Disk, FaultyDisk, MemoryDisk};
use vocabulary::Boot;

/// One machine's disk; clones are the same disk.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    boot: u64,
    ledger: Option<Vec<u8>>,
    disk: Option<MemoryDisk>,
    /// The hand on the store of the life that runs.
    open: Option<FaultyDisk>,
}

impl Memory {
    /// What was written stays; whoever has the disk open writes to nothing any more.
    pub fn after_kill(&self) {
        let mut kept = self.hold();
        kept.disk = kept.disk.as_ref().map(MemoryDisk::after_kill);
        kept.open = None;
    }

    /// Of what was not synced a part drawn from the seed is lost.
    pub fn after_power_loss(&self, seed: u64) {
        let mut kept = self.hold();
        kept.disk = kept.disk.as_ref().map(|disk| disk.after_power_loss(seed));
        kept.open = None;
    }

    /// A new, empty disk is put in.
    pub fn lose(&self) {
        *self.hold() = Kept::default();
    }

    /// The store of the life that runs fails from its next call of that kind on.
    pub fn fail(&self, fault: DiskFault) {
        if let Some(open) = &self.hold().open {
            open.fail(fault, 0);
        }
    }

    fn hold(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Home for Memory {
    fn begin_boot(&self, nonce: u128) -> Result<Boot, FolderFault> {
        let mut kept = self.hold();
        kept.boot += 1;
        Ok(Boot { number: kept.boot, nonce })
    }

    fn raise_to(&self, known: u64) -> Result<(), FolderFault> {
        let mut kept = self.hold();
        kept.boot = kept.boot.max(known);
        Ok(())
    }

    fn store(&self) -> io::Result<Arc<dyn Disk>> {
        let mut kept = self.hold();
        // The life before has let go of it or was killed: an image of its own keeps the two apart.
        let disk = kept.disk.as_ref().map(MemoryDisk::after_kill).unwrap_or_default();
        let open = FaultyDisk::over(Arc::new(disk.clone()));
        (kept.disk, kept.open) = (Some(disk), Some(open.clone()));
        Ok(Arc::new(open))
    }

    fn set_store_aside(&self) -> Result<String, FolderFault> {
        self.hold().disk = None;
        Ok("memory, aside".to_owned())
    }

    fn kept(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.hold().ledger.clone())
    }

    fn keep(&self, bytes: &[u8]) -> io::Result<()> {
        self.hold().ledger = Some(bytes.to_vec());
        Ok(())
    }

    fn set_kept_aside(&self) -> io::Result<String> {
        self.hold().ledger = None;
        Ok("memory, aside".to_owned())
    }

    fn may_block(&self) -> bool {
        false
    }

    fn has_store(&self) -> bool {
        self.hold().disk.is_some()
    }

    fn boot_place(&self) -> String {
        "memory".to_owned()
    }

    fn store_place(&self) -> String {
        "memory".to_owned()
    }
}
