//! The bytes under a keeper's store: a file, memory, or a disk that fails on purpose.
//!
//! Law D1: after `sync` returns, everything written before it survives the loss of power.
//! Law D2: one disk is open in one place at a time.

mod faulty;
mod file;
mod memory;

use std::io;
use std::sync::Arc;

use redb::StorageBackend;

pub use faulty::{DiskFault, FaultyDisk};
pub use file::FileDisk;
pub use memory::MemoryDisk;

/// Bytes with an end, as a file has them.
pub trait Disk: std::fmt::Debug + Send + Sync + 'static {
    /// How many bytes there are.
    fn length(&self) -> io::Result<u64>;

    /// Fills `out` from `offset` on; a fault if the bytes end before.
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    /// Writes at `offset`; what is written may be lost until [`Disk::sync`].
    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts, or lengthens with zeros.
    fn set_length(&self, length: u64) -> io::Result<()>;

    /// Returns once all that was written is durable (law D1).
    fn sync(&self) -> io::Result<()>;

    /// Lets go of the disk; no other call follows.
    fn release(&self) -> io::Result<()>;

    /// Whether a call may wait for a device: such a disk is given a thread of its own.
    fn may_block(&self) -> bool;
}

/// A disk as redb wants it.
#[derive(Debug)]
pub(crate) struct Backend(pub(crate) Arc<dyn Disk>);

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_length(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write(offset, bytes)
    }

    fn close(&self) -> io::Result<()> {
        self.0.release()
    }
}
