//! The state as a snapshot on disk: chunks under a chain of seals, and one note that makes them valid at once.
//!
//! A new snapshot is written beside the old one, chunk by chunk, so that no single commit takes long; its note replaces the
//! old one in the transaction that drops the old chunks. Chunks without a note are leavings of a crash.

use redb::ReadableDatabase;
use serde::{Deserialize, Serialize};
use vocabulary::Digest;

use super::Shelf;
use super::rows::{self, Fact, IMAGES, image_place};
use crate::raft::{LogId, SNAPSHOT_CHUNK_BYTES, SnapshotMeta};
use crate::seal;
use crate::store::StoreFault;

/// What says that a snapshot is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImageNote {
    pub(crate) meta: SnapshotMeta,
    pub(crate) generation: u64,
    pub(crate) parts: u64,
    pub(crate) head: Digest,
}

impl ImageNote {
    /// The last entry inside.
    pub(crate) fn end(&self) -> Option<LogId> {
        self.meta.last_log_id
    }
}

impl Shelf {
    /// The number of the next snapshot; chunks that a crash left under it go.
    pub(crate) fn begin_image(&mut self) -> Result<u64, StoreFault> {
        let generation = self.note.as_ref().map_or(1, |note| note.generation.saturating_add(1));
        let change = rows::change(&self.database)?;
        {
            let mut table = change.open_table(IMAGES).map_err(rows::fault)?;
            table.retain_in(key(generation, 0).., |_, _| false).map_err(rows::fault)?;
        }
        rows::commit(change)?;
        Ok(generation)
    }

    /// Writes one chunk after the one whose seal is `before`; its own seal.
    pub(crate) fn put_image_part(
        &mut self,
        generation: u64,
        part: u64,
        before: Digest,
        bytes: &[u8],
    ) -> Result<Digest, StoreFault> {
        if bytes.len() > SNAPSHOT_CHUNK_BYTES || part >= PARTS_MAX {
            return Err(StoreFault::Unlawful(format!(
                "part {part} of a snapshot with {} bytes",
                bytes.len()
            )));
        }
        let key = key(generation, part);
        let (record, sealed) = seal::close(image_place(self.id, key), before, bytes);
        let change = rows::change(&self.database)?;
        {
            let mut table = change.open_table(IMAGES).map_err(rows::fault)?;
            table.insert(key, record.as_slice()).map_err(rows::fault)?;
        }
        rows::commit(change)?;
        Ok(sealed)
    }

    /// From now on this is the snapshot, and the one before is gone.
    pub(crate) fn finish_image(&mut self, note: ImageNote) -> Result<(), StoreFault> {
        let change = rows::change(&self.database)?;
        {
            let mut table = change.open_table(IMAGES).map_err(rows::fault)?;
            table.retain_in(..key(note.generation, 0), |_, _| false).map_err(rows::fault)?;
        }
        rows::put_fact(&change, self.id, Fact::Image, &note)?;
        rows::commit(change)?;
        self.note = Some(note);
        Ok(())
    }

    /// The snapshot's bytes, every chunk checked against its seal and its place in the chain (law R2).
    pub(crate) fn read_image(&self) -> Result<Option<(SnapshotMeta, Vec<u8>)>, StoreFault> {
        let Some(note) = &self.note else {
            return Ok(None);
        };
        let view = self.database.begin_read().map_err(rows::fault)?;
        let table = view.open_table(IMAGES).map_err(rows::fault)?;
        let (mut bytes, mut head) = (Vec::new(), Digest::default());
        for part in 0..note.parts {
            let damaged =
                |why: &str| StoreFault::Damaged(format!("part {part} of its snapshot: {why}"));
            let key = key(note.generation, part);
            let value = table.get(key).map_err(rows::fault)?;
            let value = value.ok_or_else(|| damaged("it is not there"))?;
            let opened = seal::open(image_place(self.id, key), value.value())
                .map_err(|why| damaged(&why))?;
            if opened.before != head {
                return Err(damaged("it does not follow the part before"));
            }
            head = opened.seal;
            bytes.extend_from_slice(opened.body);
        }
        if head != note.head {
            return Err(StoreFault::Damaged(
                "its snapshot's parts are not those that were noted".to_owned(),
            ));
        }
        Ok(Some((note.meta.clone(), bytes)))
    }
}

fn key(generation: u64, part: u64) -> u64 {
    // A damaged note may hold any number; its rows are not there then.
    generation.saturating_mul(PARTS_MAX).saturating_add(part)
}

/// Most chunks of one snapshot: as many as the largest state has.
const PARTS_MAX: u64 = (wire::codec::STATE_BYTES_MAX / SNAPSHOT_CHUNK_BYTES) as u64;
