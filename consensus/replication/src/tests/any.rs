//! Whatever another keeper writes, a follower is sent, or a disk gives back: a value or a named fault, never a panic.

use std::sync::Arc;

use ledger::Ledger;
use proptest::prelude::*;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use vocabulary::{Digest, StoreId};

use super::bent::{any_bytes, bent, is_value_or_fault};
use super::toy::{Toy, entry, log_id, verifier};
use super::{bytes, golden};
use crate::disk::{Backend, MemoryDisk};
use crate::follower::Follower;
use crate::letter::{Letter, Reply};
use crate::piece::{Body, Part, Piece};
use crate::raft::{LogEntry, LogId, Outcomes, SnapshotMeta, Vote};
use crate::seal::{self, Place};
use crate::shelf::{ImageNote, Shelf};

const OWN: StoreId = StoreId(7);

/// The tables of a store, and how their rows are named under the seal.
const TABLES: [(&str, [u8; 4]); 3] = [("log", *b"log "), ("facts", *b"fact"), ("images", *b"imag")];

/// A row: its table, its key, its record.
type Row = (usize, u64, Vec<u8>);

fn table(number: usize) -> TableDefinition<'static, u64, &'static [u8]> {
    TableDefinition::new(TABLES[number].0)
}

/// A store with a vote, a log that was purged, and a snapshot in two parts.
fn lived() -> MemoryDisk {
    let disk = MemoryDisk::default();
    let mut shelf = Shelf::open(Arc::new(disk.clone()), OWN).unwrap();
    let entries: Vec<LogEntry> = (0..6).map(|index| entry(1, index, "a word")).collect();
    shelf.append(&entries).unwrap();
    shelf.save_vote(Vote::new(4, 2)).unwrap();
    shelf.note_committed(Some(log_id(1, 4)));
    let generation = shelf.begin_image().unwrap();
    let first = shelf.put_image_part(generation, 0, Digest::default(), b"half a ").unwrap();
    let head = shelf.put_image_part(generation, 1, first, b"state").unwrap();
    let meta = SnapshotMeta { last_log_id: Some(log_id(1, 3)), ..SnapshotMeta::default() };
    shelf.finish_image(ImageNote { meta, generation, parts: 2, head }).unwrap();
    shelf.purge(log_id(1, 2)).unwrap();
    disk
}

fn rows(disk: &MemoryDisk) -> Vec<Row> {
    let database = opened(disk);
    let view = database.begin_read().unwrap();
    let mut rows = Vec::new();
    for number in 0..TABLES.len() {
        for row in view.open_table(table(number)).unwrap().iter().unwrap() {
            let (key, record) = row.unwrap();
            rows.push((number, key.value(), record.value().to_vec()));
        }
    }
    rows
}

fn opened(disk: &MemoryDisk) -> Database {
    Database::builder().create_with_backend(Backend(Arc::new(disk.clone()))).unwrap()
}

/// The disk with another record in this row.
fn with_row((number, key, record): &Row) -> MemoryDisk {
    let disk = lived();
    let database = opened(&disk);
    let change = database.begin_write().unwrap();
    change.open_table(table(*number)).unwrap().insert(key, record.as_slice()).unwrap();
    change.commit().unwrap();
    disk
}

/// Reads everything that is ever read of a store, and works on it; every fault has words.
fn read_all(disk: &MemoryDisk) -> Result<(), String> {
    let said = |why: crate::store::StoreFault| why.to_string();
    let mut shelf = Shelf::open(Arc::new(disk.clone()), OWN).map_err(said)?;
    shelf.read(0..u64::MAX, usize::MAX).map_err(said)?;
    shelf.read_image().map_err(said)?;
    let next = shelf.last().map_or(Some(0), |last| last.index.checked_add(1));
    shelf.append(&[entry(9, next.unwrap_or(u64::MAX), "on")]).map_err(said)?;
    let generation = shelf.begin_image().map_err(said)?;
    shelf.put_image_part(generation, 0, Digest::default(), b"new").map(drop).map_err(said)
}

fn page() -> golden::Page {
    bytes::page()
}

fn sound() -> Vec<Vec<u8>> {
    page().rows().values().cloned().collect()
}

fn is_sound_everywhere(bytes: &[u8]) -> Result<(), TestCaseError> {
    is_value_or_fault::<Letter>(bytes)?;
    is_value_or_fault::<Reply>(bytes)?;
    is_value_or_fault::<Piece>(bytes)?;
    is_value_or_fault::<LogEntry>(bytes)?;
    is_value_or_fault::<Outcomes>(bytes)?;
    is_value_or_fault::<ImageNote>(bytes)?;
    is_value_or_fault::<Option<LogId>>(bytes)?;
    if let Ok(letter) = wire::decode::<Letter>(bytes) {
        let _ = letter.body.is_one_history();
    }
    Ok(())
}

/// The piece is taken, or refused with words, and a refused one moves nothing.
fn is_taken_or_refused(bytes: &[u8]) -> Result<(), TestCaseError> {
    let mut follower = Follower::new(Toy::default(), verifier());
    if let Err(why) = follower.take(bytes) {
        prop_assert!(!why.to_string().is_empty());
        prop_assert_eq!(follower.upto().0, 0);
    }
    let mut follower = Follower::new(Ledger::new(), verifier());
    if follower.take(bytes).is_err() {
        prop_assert_eq!(follower.upto().0, 0);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_letter_a_piece_or_a_named_fault(bytes in any_bytes(600)) {
        is_sound_everywhere(&bytes)?;
        is_taken_or_refused(&bytes)?;
    }

    #[test]
    fn a_letter_or_piece_bent_in_any_way_is_one_or_a_named_fault(bytes in bent(sound())) {
        is_sound_everywhere(&bytes)?;
        is_taken_or_refused(&bytes)?;
    }

    /// The seal of a piece is no secret: whoever can send one can seal it.
    #[test]
    fn a_piece_bent_under_a_seal_that_holds_is_taken_or_refused(
        bytes in bent(sound()), part in any::<(u32, u32, u64)>(), state in any_bytes(200),
    ) {
        if let Ok(body) = wire::decode::<Body>(&bytes) {
            is_taken_or_refused(&Piece::of(body).to_bytes())?;
        }
        let (part, parts, upto) = part;
        let upto = vocabulary::LedgerIndex(upto);
        for (part, parts) in [(part, parts), (0, 0), (0, 1), (0, u32::MAX)] {
            let body = Part { upto, part, parts, before: Digest::default(), bytes: state.clone() };
            is_taken_or_refused(&Piece::of(Body::Image(body)).to_bytes())?;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_row_is_a_named_fault_and_is_never_served(
        row in any::<prop::sample::Index>(), bent_record in any::<prop::sample::Index>(),
        bits in 1..=u8::MAX, cut in any::<bool>(),
    ) {
        let rows = rows(&lived());
        let (number, key, mut record) = rows[row.index(rows.len())].clone();
        let at = bent_record.index(record.len());
        if cut { record.truncate(at) } else { record[at] ^= bits }
        let read = read_all(&with_row(&(number, key, record)));
        let why = read.expect_err("its seal does not hold");
        prop_assert!(why.contains("damaged"), "{why}");
    }

    /// What no failing disk does: the seal holds and the contents make no sense. Even that is no panic.
    #[test]
    fn a_row_bent_under_a_seal_that_holds_is_read_or_a_named_fault(
        (row, body) in bent_row(), moved in prop::option::weighted(0.2, prop_oneof![any::<u64>(), Just(u64::MAX)]),
    ) {
        let (number, own_key, record) = row;
        let key = moved.unwrap_or(own_key);
        let before = Digest(record[..32].try_into().expect("a record begins with the seal before it"));
        let is_identity = TABLES[number].0 == "facts" && key == 0;
        let store = if is_identity { StoreId(0) } else { OWN };
        let place = Place { store, table: TABLES[number].1, key };
        let (sealed, _) = seal::close(place, before, &body);
        if let Err(why) = read_all(&with_row(&(number, key, sealed))) {
            prop_assert!(!why.is_empty());
        }
    }
}

/// A row and its body, bent.
fn bent_row() -> impl Strategy<Value = (Row, Vec<u8>)> {
    prop::sample::select(rows(&lived())).prop_flat_map(|row| {
        let body = row.2[64..].to_vec();
        (Just(row), bent(vec![body]))
    })
}

#[test]
fn numbers_at_the_end_of_their_range_are_a_named_fault() {
    let last = log_id(u64::MAX, u64::MAX);
    let note = |generation| ImageNote {
        meta: SnapshotMeta { last_log_id: Some(last), ..SnapshotMeta::default() },
        generation,
        parts: u64::MAX,
        head: Digest::default(),
    };
    let entry = LogEntry { log_id: last, ..entry(1, 0, "last") };
    for (number, key, body) in [
        (1, 2, wire::encode(&Some(last))),
        (1, 3, wire::encode(&(last, Digest::default()))),
        (1, 4, wire::encode(&note(u64::MAX))),
        (1, 4, wire::encode(&note(u64::MAX / 1_024))),
        (0, u64::MAX, wire::encode(&entry)),
    ] {
        let place = Place { store: OWN, table: TABLES[number].1, key };
        let (record, _) = seal::close(place, Digest::default(), &body);
        let read = read_all(&with_row(&(number, key, record)));
        assert!(read.is_err(), "table {number}, key {key}: {read:?}");
    }
}

#[test]
fn a_store_that_has_lived_is_read_whole() {
    assert_eq!(read_all(&lived()), Ok(()));
    assert!(rows(&lived()).len() > 8, "log, facts and images");
}
