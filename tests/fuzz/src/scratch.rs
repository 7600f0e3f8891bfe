//! A disk that lasts for one run: bytes in memory, with an end that no damaged header can move far.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use replication::Disk;

/// Many times what a small store takes; beyond it the disk is full, as a real one would be.
const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The bytes.
#[derive(Debug, Default)]
pub(crate) struct Scratch(Mutex<Vec<u8>>);

impl Scratch {
    pub(crate) fn holding(bytes: Vec<u8>) -> Self {
        Self(Mutex::new(bytes))
    }

    pub(crate) fn image(&self) -> Vec<u8> {
        self.bytes().clone()
    }

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        // Every change is whole before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for Scratch {
    fn length(&self) -> io::Result<u64> {
        Ok(self.bytes().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = self.bytes();
        let place = range(offset, out.len()).and_then(|range| bytes.get(range));
        out.copy_from_slice(place.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write(&self, offset: u64, new: &[u8]) -> io::Result<()> {
        let mut bytes = self.bytes();
        let range = range(offset, new.len()).filter(|range| range.end as u64 <= BYTES_MAX);
        let range = range.ok_or(io::ErrorKind::StorageFull)?;
        if bytes.len() < range.end {
            bytes.resize(range.end, 0);
        }
        bytes[range].copy_from_slice(new);
        Ok(())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        if length > BYTES_MAX {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::StorageFull)?;
        self.bytes().resize(length, 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn release(&self) -> io::Result<()> {
        Ok(())
    }

    fn may_block(&self) -> bool {
        false
    }
}

fn range(offset: u64, length: usize) -> Option<std::ops::Range<usize>> {
    let start = usize::try_from(offset).ok()?;
    Some(start..start.checked_add(length)?)
}
