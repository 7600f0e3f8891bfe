//! The records of one store, in order, under seals: identity, vote, log, snapshots.
//!
//! Law S1: entries are contiguous, on each write and on each read, in release builds too (protocol 1.8).
//! Law S2: a committed entry is never cut off.
//! Law S3: every change is one transaction, durable in two phases before its call returns.
//! Law S4: a store that was found to hold another state than most voters' never opens again (protocol 1.6).
//! Not here: threads and waiting (see `store`), what Raft makes of it (see `log`, `state`).

mod image;
mod rows;

use std::ops::Range;
use std::sync::Arc;

use redb::{Database, ReadableDatabase, ReadableTable};
use vocabulary::{Digest, StoreId};

use crate::disk::{Backend, Disk};
use crate::raft::{LogEntry, LogId, Vote};
use crate::seal;
use crate::store::StoreFault;
use rows::{Fact, LOG, log_place};

pub(crate) use image::ImageNote;

/// One open store.
pub(crate) struct Shelf {
    database: Database,
    id: StoreId,
    vote: Option<Vote>,
    committed: Option<LogId>,
    purged: Option<LogId>,
    last: Option<LogId>,
    /// The seal of the last entry, or of the last purged one.
    head: Digest,
    note: Option<ImageNote>,
}

impl Shelf {
    /// Opens the store on the disk, or draws one up under the offered id if the disk is empty; reads and checks all of
    /// its log.
    pub(crate) fn open(disk: Arc<dyn Disk>, offered: StoreId) -> Result<Self, StoreFault> {
        let is_empty = disk.length().map_err(|why| StoreFault::Disk(why.to_string()))? == 0;
        let database = if is_empty {
            Self::drawn_up(disk, offered)?
        } else {
            database_on(disk).map_err(rows::unopenable)?
        };
        let mut shelf = Self {
            id: rows::identity(&database)?,
            database,
            vote: None,
            committed: None,
            purged: None,
            last: None,
            head: Digest::default(),
            note: None,
        };
        shelf.recall()?;
        Ok(shelf)
    }

    /// A new store on an empty disk; the disk is empty again if that fails, for want of room say: half a store would be taken
    /// for a damaged one at every later start.
    fn drawn_up(disk: Arc<dyn Disk>, offered: StoreId) -> Result<Database, StoreFault> {
        let drawn = database_on(Arc::clone(&disk)).map_err(rows::fault).and_then(|database| {
            rows::draw_up(&database, offered)?;
            Ok(database)
        });
        if drawn.is_err() {
            // What cannot be taken back is told by the next start.
            let _ = disk.set_length(0);
        }
        drawn
    }

    /// The id that was drawn with the store.
    pub(crate) fn id(&self) -> StoreId {
        self.id
    }

    pub(crate) fn vote(&self) -> Option<Vote> {
        self.vote
    }

    pub(crate) fn committed(&self) -> Option<LogId> {
        self.committed
    }

    pub(crate) fn purged(&self) -> Option<LogId> {
        self.purged
    }

    /// The last entry, or the last purged one.
    pub(crate) fn last(&self) -> Option<LogId> {
        self.last.or(self.purged)
    }

    pub(crate) fn save_vote(&mut self, vote: Vote) -> Result<(), StoreFault> {
        let change = rows::change(&self.database)?;
        rows::put_fact(&change, self.id, Fact::Vote, &vote)?;
        rows::put_fact(&change, self.id, Fact::Committed, &self.committed)?;
        rows::commit(change)?;
        self.vote = Some(vote);
        Ok(())
    }

    /// Remembers what is committed; it reaches the disk with the next change, for losing it loses nothing but time.
    pub(crate) fn note_committed(&mut self, committed: Option<LogId>) {
        self.committed = committed.max(self.committed);
    }

    /// Brings to the disk what [`Shelf::note_committed`] kept back.
    pub(crate) fn flush(&mut self) -> Result<(), StoreFault> {
        let change = rows::change(&self.database)?;
        rows::put_fact(&change, self.id, Fact::Committed, &self.committed)?;
        rows::commit(change)
    }

    /// Law S4.
    pub(crate) fn mark_diverged(&mut self, why: &str) -> Result<(), StoreFault> {
        let change = rows::change(&self.database)?;
        rows::put_fact(&change, self.id, Fact::Diverged, &why)?;
        rows::commit(change)
    }

    /// Law S1: the first entry follows the last one that is here.
    pub(crate) fn append(&mut self, entries: &[LogEntry]) -> Result<(), StoreFault> {
        let (mut last, mut head) = (self.last(), self.head);
        let change = rows::change(&self.database)?;
        {
            let mut table = change.open_table(LOG).map_err(rows::fault)?;
            // What a snapshot holds already needs no record.
            let held = self.purged.map(|purged| purged.index);
            for entry in entries.iter().filter(|entry| Some(entry.log_id.index) > held) {
                let index = entry.log_id.index;
                if last.is_some_and(|before| before.index.checked_add(1) != Some(index)) {
                    return Err(StoreFault::Unlawful(format!(
                        "entry {index} cannot follow {last:?}"
                    )));
                }
                let place = log_place(self.id, index);
                let (record, sealed) = seal::close(place, head, &wire::encode(entry));
                table.insert(index, record.as_slice()).map_err(rows::fault)?;
                (last, head) = (Some(entry.log_id), sealed);
            }
        }
        rows::put_fact(&change, self.id, Fact::Committed, &self.committed)?;
        rows::commit(change)?;
        (self.last, self.head) = (last, head);
        Ok(())
    }

    /// Cuts off the entry of this index and all after it (law S2).
    pub(crate) fn truncate(&mut self, from: u64) -> Result<(), StoreFault> {
        if self.committed.is_some_and(|kept| kept.index >= from) {
            return Err(StoreFault::Unlawful(format!(
                "entry {from} is committed (up to {:?}) and cannot be cut off",
                self.committed
            )));
        }
        let before = from
            .checked_sub(1)
            .filter(|index| self.purged.is_none_or(|purged| purged.index < *index));
        let (last, head) = match before {
            Some(index) => match self.record(index)? {
                Some((entry, sealed)) => (Some(entry.log_id), sealed),
                None => (None, Digest::default()),
            },
            None => (None, rows::purged(&self.database, self.id)?.1),
        };
        let change = rows::change(&self.database)?;
        {
            let mut table = change.open_table(LOG).map_err(rows::fault)?;
            table.retain_in(from.., |_, _| false).map_err(rows::fault)?;
        }
        rows::commit(change)?;
        (self.last, self.head) = (last, head);
        Ok(())
    }

    /// Drops the entries up to this one, which a snapshot holds.
    pub(crate) fn purge(&mut self, upto: LogId) -> Result<(), StoreFault> {
        if self.purged.is_some_and(|purged| purged.index >= upto.index) {
            return Ok(());
        }
        // After a snapshot the log may end before it: the chain begins anew, from the snapshot's place.
        let sealed = match self.record(upto.index)? {
            Some((_, sealed)) => sealed,
            None => Digest::of(&[b"hale rebase", &upto.index.to_le_bytes()]),
        };
        let change = rows::change(&self.database)?;
        {
            let mut table = change.open_table(LOG).map_err(rows::fault)?;
            table.retain_in(..=upto.index, |_, _| false).map_err(rows::fault)?;
        }
        rows::put_fact(&change, self.id, Fact::Purged, &(upto, sealed))?;
        rows::commit(change)?;
        self.purged = Some(upto);
        if self.last.is_none_or(|last| last.index <= upto.index) {
            (self.last, self.head) = (None, sealed);
        }
        Ok(())
    }

    /// The entries of this range that are here, each checked against its seal and its place in the chain (laws R2, S1);
    /// stops after `bytes_max`, but never before the first.
    pub(crate) fn read(
        &self,
        range: Range<u64>,
        bytes_max: usize,
    ) -> Result<Vec<LogEntry>, StoreFault> {
        let start = match self.purged {
            Some(purged) => range.start.max(purged.index.saturating_add(1)),
            None => range.start,
        };
        let end = match self.last {
            Some(last) => range.end.min(last.index.saturating_add(1)),
            None => start,
        };
        let (mut entries, mut bytes) = (Vec::new(), 0);
        let mut chain: Option<(u64, Digest)> = None;
        let view = self.database.begin_read().map_err(rows::fault)?;
        let table = view.open_table(LOG).map_err(rows::fault)?;
        for row in table.range(start..end.max(start)).map_err(rows::fault)? {
            let (key, value) = row.map_err(rows::fault)?;
            let (index, record) = (key.value(), value.value());
            if bytes > 0 && bytes + record.len() > bytes_max {
                return Ok(entries);
            }
            let (entry, before, sealed) = self.checked(index, record)?;
            // Law S1. The very first entry of a store may bear any index: openraft's own is 0, a learner's is not.
            let follows = match chain {
                Some((last, seal)) => last.checked_add(1) == Some(index) && before == seal,
                None => index == start || (self.purged.is_none() && range.start < index),
            };
            if !follows {
                return Err(rows::damage(index, "it does not follow the entry before"));
            }
            chain = Some((index, sealed));
            bytes += record.len();
            entries.push(entry);
        }
        match (chain, end > start) {
            (Some((last, _)), true) if last.saturating_add(1) != end => {
                Err(rows::damage(last.saturating_add(1), "the log has a hole here"))
            }
            (None, true) => Err(rows::damage(start, "the log has a hole here")),
            _ => Ok(entries),
        }
    }

    /// Reads everything once and checks it, so that no damage waits to be found by a peer.
    fn recall(&mut self) -> Result<(), StoreFault> {
        if let Some(why) = rows::fact(&self.database, self.id, Fact::Diverged)? {
            return Err(StoreFault::Diverged(why));
        }
        self.vote = rows::fact(&self.database, self.id, Fact::Vote)?;
        self.committed = rows::fact(&self.database, self.id, Fact::Committed)?.flatten();
        let (purged, mut head) = rows::purged(&self.database, self.id)?;
        self.purged = purged;
        self.note = rows::fact(&self.database, self.id, Fact::Image)?;
        let mut last: Option<LogId> = None;
        {
            let view = self.database.begin_read().map_err(rows::fault)?;
            let table = view.open_table(LOG).map_err(rows::fault)?;
            for row in table.iter().map_err(rows::fault)? {
                let (key, value) = row.map_err(rows::fault)?;
                let (entry, before, sealed) = self.checked(key.value(), value.value())?;
                let follows = match last.or(self.purged) {
                    Some(seen) => seen.index.checked_add(1) == Some(key.value()),
                    None => true,
                };
                if !follows || before != head {
                    let why = "it does not follow the entry before";
                    return Err(rows::damage(key.value(), why));
                }
                (last, head) = (Some(entry.log_id), sealed);
            }
        }
        (self.last, self.head) = (last, head);
        let image_end = self.note.as_ref().and_then(ImageNote::end);
        if self.committed > self.last().max(image_end) {
            return Err(StoreFault::Damaged(format!(
                "the log ends at {:?}, yet {:?} was committed: its tail is lost",
                self.last(),
                self.committed
            )));
        }
        Ok(())
    }

    /// Whether the entry of this index that is committed here is, or may have been, another one.
    pub(crate) fn contradicts(&self, given: LogId) -> Result<bool, StoreFault> {
        if self.committed.is_none_or(|committed| committed.index < given.index) {
            return Ok(false);
        }
        if self.purged.is_some_and(|purged| purged.index >= given.index) {
            return Ok(self.purged != Some(given));
        }
        let own = self.record(given.index)?;
        Ok(own.is_none_or(|(entry, _)| entry.log_id != given))
    }

    fn record(&self, index: u64) -> Result<Option<(LogEntry, Digest)>, StoreFault> {
        let view = self.database.begin_read().map_err(rows::fault)?;
        let table = view.open_table(LOG).map_err(rows::fault)?;
        let Some(value) = table.get(index).map_err(rows::fault)? else {
            return Ok(None);
        };
        let (entry, _, sealed) = self.checked(index, value.value())?;
        Ok(Some((entry, sealed)))
    }

    fn checked(&self, index: u64, record: &[u8]) -> Result<(LogEntry, Digest, Digest), StoreFault> {
        let opened = seal::open(log_place(self.id, index), record)
            .map_err(|why| rows::damage(index, &why))?;
        let entry: LogEntry =
            wire::decode(opened.body).map_err(|why| rows::foreign(index, &why))?;
        if entry.log_id.index != index {
            return Err(rows::damage(index, "it bears another index"));
        }
        Ok((entry, opened.before, opened.seal))
    }
}

fn database_on(disk: Arc<dyn Disk>) -> Result<Database, redb::DatabaseError> {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder.create_with_backend(Backend(disk))
}

/// redb's cache: the log is read forwards and once, so a larger one only costs the keeper memory (aim: 25 MB in all).
const CACHE_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemoryDisk;
    use crate::tests::toy::entry;

    const OWN: StoreId = StoreId(7);

    #[test]
    fn law_s1_a_sound_record_of_another_history_is_damage_to_a_reader_and_to_the_next_start() {
        let disk = Arc::new(MemoryDisk::default());
        let mut shelf = Shelf::open(disk.clone(), OWN).unwrap();
        let entries: Vec<LogEntry> = (0..4).map(|index| entry(1, index, "ours")).collect();
        shelf.append(&entries).unwrap();
        assert_eq!(shelf.read(0..4, usize::MAX).unwrap(), entries);
        let bytes = wire::encode(&entry(1, 2, "of another history"));
        let (record, _) = seal::close(log_place(OWN, 2), Digest([9; 32]), &bytes);
        let change = rows::change(&shelf.database).unwrap();
        change.open_table(LOG).unwrap().insert(2, record.as_slice()).unwrap();
        rows::commit(change).unwrap();
        for range in [0..4, 1..3] {
            let read = shelf.read(range.clone(), usize::MAX);
            assert!(matches!(read, Err(StoreFault::Damaged(_))), "{range:?}: {read:?}");
        }
        drop(shelf);
        let opened = Shelf::open(disk, OWN).map(|shelf| shelf.last());
        assert!(matches!(opened, Err(StoreFault::Damaged(_))), "{opened:?}");
    }
}
