//! The tables and the single facts of a store, each under its seal.

use std::io;

use redb::{Database, Durability, ReadableDatabase, TableDefinition, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;
use vocabulary::{Digest, StoreId};

use crate::raft::LogId;
use crate::seal::{self, Place};
use crate::store::StoreFault;

pub(super) const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("log");
pub(super) const IMAGES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("images");
const FACTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("facts");

/// What a store knows once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    Identity = 0,
    Vote = 1,
    Committed = 2,
    Purged = 3,
    Image = 4,
    /// Why the store is never to be used again; version 1 does not look for it.
    Diverged = 5,
}

/// Makes the tables and the identity, in one transaction: a store is whole or it is not there.
pub(super) fn draw_up(database: &Database, id: StoreId) -> Result<(), StoreFault> {
    let change = change(database)?;
    change.open_table(LOG).map_err(fault)?;
    change.open_table(IMAGES).map_err(fault)?;
    put_fact(&change, NOBODY, Fact::Identity, &id)?;
    commit(change)
}

pub(super) fn identity(database: &Database) -> Result<StoreId, StoreFault> {
    fact(database, NOBODY, Fact::Identity)?.ok_or_else(|| {
        StoreFault::Damaged("it bears no identity: it was never drawn up to its end".to_owned())
    })
}

/// What was purged last, and the seal it bore.
pub(super) fn purged(
    database: &Database,
    id: StoreId,
) -> Result<(Option<LogId>, Digest), StoreFault> {
    let known: Option<(LogId, Digest)> = fact(database, id, Fact::Purged)?;
    Ok(match known {
        Some((last, sealed)) => (Some(last), sealed),
        None => (None, Digest::default()),
    })
}

pub(super) fn fact<T: DeserializeOwned>(
    database: &Database,
    id: StoreId,
    fact: Fact,
) -> Result<Option<T>, StoreFault> {
    let view = database.begin_read().map_err(self::fault)?;
    let table = view.open_table(FACTS).map_err(self::fault)?;
    let Some(value) = table.get(fact as u64).map_err(self::fault)? else {
        return Ok(None);
    };
    let damaged = |why: String| StoreFault::Damaged(format!("its {fact:?}: {why}"));
    let opened = seal::open(fact_place(id, fact), value.value()).map_err(damaged)?;
    wire::decode(opened.body)
        .map(Some)
        .map_err(|why| StoreFault::Foreign(format!("its {fact:?}: {why}")))
}

pub(super) fn put_fact<T: Serialize>(
    change: &WriteTransaction,
    id: StoreId,
    fact: Fact,
    value: &T,
) -> Result<(), StoreFault> {
    let place = fact_place(id, fact);
    let (record, _) = seal::close(place, Digest::default(), &wire::encode(value));
    let mut table = change.open_table(FACTS).map_err(self::fault)?;
    table.insert(fact as u64, record.as_slice()).map_err(self::fault)?;
    Ok(())
}

/// A transaction as protocol 1.8 wants it: two phases, durable at once.
pub(super) fn change(database: &Database) -> Result<WriteTransaction, StoreFault> {
    let mut change = database.begin_write().map_err(fault)?;
    change.set_two_phase_commit(true);
    change.set_durability(Durability::Immediate).map_err(fault)?;
    Ok(change)
}

pub(super) fn commit(change: WriteTransaction) -> Result<(), StoreFault> {
    change.commit().map_err(fault)
}

pub(super) fn log_place(store: StoreId, key: u64) -> Place {
    let table = *b"log ";
    Place { store, table, key }
}

pub(super) fn image_place(store: StoreId, key: u64) -> Place {
    let table = *b"imag";
    Place { store, table, key }
}

pub(super) fn damage(index: u64, why: &str) -> StoreFault {
    StoreFault::Damaged(format!("entry {index}: {why}"))
}

/// A record whose seal holds, so it is what was written, and whose contents this code cannot read.
pub(super) fn foreign(index: u64, why: &wire::Fault) -> StoreFault {
    StoreFault::Foreign(format!("entry {index}: {why}"))
}

/// What redb could not do: bytes that are not as it left them, or a device that refuses.
pub(super) fn fault(why: impl Into<redb::Error>) -> StoreFault {
    let why = why.into();
    if is_damage(&why) {
        StoreFault::Damaged(why.to_string())
    } else {
        StoreFault::Disk(why.to_string())
    }
}

/// The same of a file that could not even be opened.
pub(super) fn unopenable(why: impl Into<redb::Error>) -> StoreFault {
    let why = why.into();
    match &why {
        redb::Error::UpgradeRequired(_) => StoreFault::Foreign(why.to_string()),
        _ if is_damage(&why) => StoreFault::Unopenable(why.to_string()),
        _ => StoreFault::Disk(why.to_string()),
    }
}

/// A device that refuses today may serve tomorrow: only bytes that are wrong are damage, and nothing else is set aside for it.
fn is_damage(why: &redb::Error) -> bool {
    match why {
        redb::Error::Io(why) => {
            matches!(why.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData)
        }
        redb::Error::Corrupted(_)
        | redb::Error::RepairAborted
        | redb::Error::TableDoesNotExist(_)
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TypeDefinitionChanged { .. } => true,
        _ => false,
    }
}

fn fact_place(store: StoreId, fact: Fact) -> Place {
    let (table, key) = (*b"fact", fact as u64);
    Place { store, table, key }
}

/// The identity is sealed before anybody can know it.
const NOBODY: StoreId = StoreId(0);
