//! A keeper's file, with a count of what is asked of it.
//!
//! Law BL2: every sync reaches the device's own file; a folder in memory is refused, for nothing there is durable.
//! Not here: what is written (see `replication`).

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use replication::{Disk, FileDisk};
use rustix::fs::statfs;

use crate::fault::BenchFault;

/// What was asked of one disk or of several.
#[derive(Debug, Default)]
pub struct Counts {
    syncs: AtomicU64,
    sync_us: AtomicU64,
    bytes: AtomicU64,
}

/// The same at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    /// How often it was synced.
    pub syncs: u64,
    /// For how long, in all, in microseconds.
    pub sync_us: u64,
    /// How many bytes.
    pub bytes: u64,
}

impl Counts {
    /// Since the beginning.
    pub fn read(&self) -> Counted {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counted { syncs: of(&self.syncs), sync_us: of(&self.sync_us), bytes: of(&self.bytes) }
    }
}

impl Counted {
    /// What came between.
    pub fn since(self, before: Self) -> Self {
        Self {
            syncs: self.syncs - before.syncs,
            sync_us: self.sync_us - before.sync_us,
            bytes: self.bytes - before.bytes,
        }
    }
}

/// A [`FileDisk`] and its counts.
#[derive(Debug)]
pub struct CountedDisk {
    file: FileDisk,
    counts: Arc<Counts>,
}

impl CountedDisk {
    /// Opens or makes the file.
    pub fn open(path: &Path, counts: Arc<Counts>) -> Result<Self, BenchFault> {
        let file = FileDisk::open(path).map_err(BenchFault::of("open a keeper's store"))?;
        Ok(Self { file, counts })
    }
}

impl Disk for CountedDisk {
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.counts.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.file.write(offset, bytes)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.file.set_length(length)
    }

    fn sync(&self) -> io::Result<()> {
        let began = Instant::now();
        let done = self.file.sync();
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.counts.syncs.fetch_add(1, Ordering::Relaxed);
        self.counts.sync_us.fetch_add(took, Ordering::Relaxed);
        done
    }

    fn release(&self) -> io::Result<()> {
        self.file.release()
    }

    fn may_block(&self) -> bool {
        self.file.may_block()
    }
}

/// Law BL2: refuses a folder whose files are in memory.
pub fn check_is_durable(folder: &Path) -> Result<(), BenchFault> {
    let found = statfs(folder).map_err(BenchFault::of("ask what the folder lies on"))?;
    if found.f_type == TMPFS || found.f_type == RAMFS {
        let folder = folder.display();
        return Err(BenchFault::new(format!(
            "{folder} lies in memory, where a sync costs nothing: name a folder of a disk with --folder"
        )));
    }
    Ok(())
}

/// `TMPFS_MAGIC` of statfs(2).
const TMPFS: rustix::fs::FsWord = 0x0102_1994;

/// `RAMFS_MAGIC`.
const RAMFS: rustix::fs::FsWord = 0x8584_58f6;
