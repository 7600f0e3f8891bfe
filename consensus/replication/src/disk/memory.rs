//! A disk in memory that forgets what a real one may forget when the power goes.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Disk;

/// A disk in memory; clones are the same disk, so that it outlives the store that was on it.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    inside: Arc<Mutex<Inside>>,
}

#[derive(Debug, Default)]
struct Inside {
    now: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

impl MemoryDisk {
    /// Another disk with what is on this one after the power went: all that was synced, and of the changes since then a
    /// part drawn from the seed, each whole, torn or lost, in any order, as a real disk's cache writes them back.
    #[must_use]
    pub fn after_power_loss(&self, seed: u64) -> Self {
        let inside = self.inside();
        let mut luck = seed;
        let mut image = inside.durable.clone();
        for change in &inside.unsynced {
            match draw(&mut luck) % 3 {
                0 => {}
                1 => put(&mut image, change),
                _ => put(&mut image, &torn(change, &mut luck)),
            }
        }
        Self::holding(image)
    }

    /// Another disk with all that was written to this one: what a process that is killed leaves behind.
    #[must_use]
    pub fn after_kill(&self) -> Self {
        Self::holding(self.inside().now.clone())
    }

    /// Turns one bit of the image, as a failing device does.
    pub fn flip_bit(&self, bit: u64) {
        let mut inside = self.inside();
        let (byte, mask) = ((bit / 8) as usize, 1 << (bit % 8));
        inside.now[byte] ^= mask;
        inside.durable = inside.now.clone();
    }

    /// The whole image.
    pub fn image(&self) -> Vec<u8> {
        self.inside().now.clone()
    }

    fn holding(image: Vec<u8>) -> Self {
        Self {
            inside: Arc::new(Mutex::new(Inside {
                now: image.clone(),
                durable: image,
                unsynced: Vec::new(),
            })),
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Every change of the image is complete before anything can panic.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: Change) {
        let mut inside = self.inside();
        put(&mut inside.now, &change);
        inside.unsynced.push(change);
    }
}

impl Disk for MemoryDisk {
    fn length(&self) -> io::Result<u64> {
        Ok(self.inside().now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let inside = self.inside();
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let bytes = start
            .checked_add(out.len())
            .and_then(|end| inside.now.get(start..end))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(|_| io::ErrorKind::StorageFull)?;
        let bytes = bytes.to_vec();
        self.change(Change::Write { offset, bytes });
        Ok(())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::StorageFull)?;
        self.change(Change::Length(length));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut inside = self.inside();
        let changes = std::mem::take(&mut inside.unsynced);
        for change in &changes {
            put(&mut inside.durable, change);
        }
        Ok(())
    }

    fn release(&self) -> io::Result<()> {
        Ok(())
    }

    fn may_block(&self) -> bool {
        false
    }
}

fn put(image: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Length(length) => image.resize(*length, 0),
        Change::Write { offset, bytes } => {
            let end = offset.saturating_add(bytes.len());
            if image.len() < end {
                image.resize(end, 0);
            }
            image[*offset..end].copy_from_slice(bytes);
        }
    }
}

fn torn(change: &Change, luck: &mut u64) -> Change {
    match change {
        Change::Length(length) => Change::Length(*length),
        Change::Write { offset, bytes } => {
            let kept = draw(luck) as usize % (bytes.len() + 1);
            Change::Write { offset: *offset, bytes: bytes[..kept].to_vec() }
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
fn draw(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
