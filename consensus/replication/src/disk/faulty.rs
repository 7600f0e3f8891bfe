//! A disk that fails when it is told to.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use super::Disk;

/// Another disk that fails on order; clones are the same disk.
#[derive(Clone, Debug)]
pub struct FaultyDisk {
    inner: Arc<dyn Disk>,
    fault: Arc<AtomicU8>,
    after: Arc<AtomicU64>,
}

/// What is to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFault {
    /// Writes are refused: the disk is full or gone.
    Writes,
    /// Half of a write arrives and it is refused.
    TornWrites,
    /// The sync is refused: what was written may or may not be there.
    Syncs,
    /// Reads are refused.
    Reads,
    /// The disk is full: it neither grows nor takes a write.
    Growth,
    /// Nothing may be changed: mounted read-only, or the device has locked itself.
    Changes,
    /// Half of a write arrives and the disk says all of it did.
    ShortWrites,
    /// The sync returns and nothing was made durable.
    LyingSyncs,
}

impl FaultyDisk {
    /// A disk that works until it is told otherwise.
    pub fn over(inner: Arc<dyn Disk>) -> Self {
        Self { inner, fault: Arc::new(AtomicU8::new(SOUND)), after: Arc::new(AtomicU64::new(0)) }
    }

    /// From the call after the next `after` calls of that kind on, all of them fail.
    pub fn fail(&self, fault: DiskFault, after: u64) {
        self.after.store(after, Ordering::SeqCst);
        self.fault.store(fault as u8, Ordering::SeqCst);
    }

    /// Whether this call is to fail.
    fn is_due(&self, fault: DiskFault) -> bool {
        if self.fault.load(Ordering::SeqCst) != fault as u8 {
            return false;
        }
        let left = |count: u64| count.checked_sub(1);
        self.after.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_err()
    }
}

impl Disk for FaultyDisk {
    fn length(&self) -> io::Result<u64> {
        self.inner.length()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if self.is_due(DiskFault::Reads) {
            return Err(io::Error::other("this read fails on purpose"));
        }
        self.inner.read(offset, out)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if self.is_due(DiskFault::Writes) || self.is_due(DiskFault::Growth) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if self.is_due(DiskFault::Changes) {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        let half = &bytes[..bytes.len() / 2];
        if self.is_due(DiskFault::TornWrites) {
            self.inner.write(offset, half)?;
            return Err(io::Error::other("this write is torn on purpose"));
        }
        if self.is_due(DiskFault::ShortWrites) {
            return self.inner.write(offset, half);
        }
        self.inner.write(offset, bytes)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        if self.is_due(DiskFault::Growth) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if self.is_due(DiskFault::Changes) {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        self.inner.set_length(length)
    }

    fn sync(&self) -> io::Result<()> {
        if self.is_due(DiskFault::Syncs) {
            return Err(io::Error::other("this sync fails on purpose"));
        }
        if self.is_due(DiskFault::LyingSyncs) {
            return Ok(());
        }
        self.inner.sync()
    }

    fn release(&self) -> io::Result<()> {
        self.inner.release()
    }

    fn may_block(&self) -> bool {
        self.inner.may_block()
    }
}

const SOUND: u8 = u8::MAX;
