//! What the store keeps when power goes, bits turn, and disks refuse.

use std::collections::BTreeMap;
use std::sync::Arc;

use openraft::RaftLogReader;
use vocabulary::{Digest, StoreId};

use super::toy::{entry, log_id, luck};
use crate::disk::{DiskFault, FaultyDisk, FileDisk, MemoryDisk};
use crate::log::KeeperLog;
use crate::raft::{LogEntry, SnapshotMeta, Vote};
use crate::shelf::{ImageNote, Shelf};
use crate::store::{Store, StoreFault};

const OWN: StoreId = StoreId(7);

fn open(disk: &MemoryDisk) -> Result<Shelf, StoreFault> {
    Shelf::open(Arc::new(disk.clone()), OWN)
}

/// What a store has acknowledged.
#[derive(Clone, Debug, Default, PartialEq)]
struct Acknowledged {
    entries: BTreeMap<u64, LogEntry>,
    vote: Option<Vote>,
}

fn read_back(shelf: &Shelf) -> Acknowledged {
    let entries = shelf.read(0..u64::MAX, usize::MAX).unwrap();
    Acknowledged {
        entries: entries.into_iter().map(|entry| (entry.log_id.index, entry)).collect(),
        vote: shelf.vote(),
    }
}

/// One lawful change, in the model and on the shelf.
fn step(
    shelf: &mut Shelf,
    model: &mut Acknowledged,
    draw: &mut impl FnMut(u64) -> u64,
) -> Result<(), StoreFault> {
    let next = model.entries.keys().next_back().map_or(0, |last| last + 1);
    let first = model.entries.keys().next().copied();
    match draw(8) {
        0 => {
            let term = model.vote.map_or(1, |vote| vote.leader_id.term + 1);
            let vote = Vote::new(term, draw(3));
            model.vote = Some(vote);
            shelf.save_vote(vote)
        }
        1 if first.is_some_and(|first| next > first + 1) => {
            let from = next - 1;
            model.entries.split_off(&from);
            shelf.truncate(from)
        }
        2 if model.entries.len() > 6 => {
            let upto = first.unwrap_or_default() + 2;
            model.entries.retain(|index, _| *index > upto);
            shelf.purge(log_id(1, upto))
        }
        _ => {
            let entries: Vec<LogEntry> = (0..=draw(3))
                .map(|offset| {
                    let said = "x".repeat(draw(900) as usize);
                    entry(1, next + offset, &said)
                })
                .collect();
            for entry in &entries {
                model.entries.insert(entry.log_id.index, entry.clone());
            }
            shelf.append(&entries)
        }
    }
}

#[test]
fn whenever_power_goes_nothing_acknowledged_is_lost_and_nothing_else_is_invented() {
    for seed in 0..80 {
        let mut draw = luck(seed);
        let memory = MemoryDisk::default();
        let faulty = FaultyDisk::over(Arc::new(memory.clone()));
        let mut shelf = Shelf::open(Arc::new(faulty.clone()), OWN).unwrap();
        let mut model = Acknowledged::default();
        for _ in 0..draw(12) {
            step(&mut shelf, &mut model, &mut draw).unwrap();
        }
        // The power goes in the middle of a later change, at any write or sync of it.
        let kinds = [DiskFault::Writes, DiskFault::TornWrites, DiskFault::Syncs];
        faulty.fail(kinds[draw(3) as usize], draw(14));
        let mut wanted = model.clone();
        while step(&mut shelf, &mut wanted, &mut draw).is_ok() {
            model = wanted.clone();
        }
        let after = memory.after_power_loss(seed);
        drop(shelf);
        let found = read_back(&open(&after).unwrap_or_else(|why| panic!("seed {seed}: {why}")));
        assert!(
            found == model || found == wanted,
            "seed {seed}: {} entries, acknowledged {}",
            found.entries.len(),
            model.entries.len()
        );
    }
}

#[test]
fn a_killed_process_leaves_a_store_that_opens_with_everything() {
    for seed in 0..20 {
        let mut draw = luck(seed);
        let disk = MemoryDisk::default();
        let mut shelf = open(&disk).unwrap();
        let mut model = Acknowledged::default();
        for _ in 0..10 {
            step(&mut shelf, &mut model, &mut draw).unwrap();
        }
        let left = disk.after_kill();
        assert_eq!(read_back(&open(&left).unwrap()), model, "seed {seed}");
    }
}

#[test]
fn no_flipped_bit_is_ever_served() {
    let disk = MemoryDisk::default();
    let mut shelf = open(&disk).unwrap();
    let entries: Vec<LogEntry> = (0..40).map(|index| entry(1, index, "sound")).collect();
    shelf.append(&entries).unwrap();
    shelf.save_vote(Vote::new(4, 2)).unwrap();
    drop(shelf);
    let sound = disk.image();
    let (mut found, mut harmless) = (0, 0);
    let mut draw = luck(11);
    for _ in 0..200 {
        let flipped = disk.after_kill();
        flipped.flip_bit(draw(sound.len() as u64 * 8));
        // Every way of finding it is right; to serve something else is not.
        let opened = std::panic::catch_unwind(|| open(&flipped).map(|shelf| read_back(&shelf)));
        match opened {
            Ok(Ok(back)) => {
                assert_eq!(back.entries.into_values().collect::<Vec<_>>(), entries);
                assert_eq!(back.vote, Some(Vote::new(4, 2)));
                harmless += 1;
            }
            Ok(Err(_)) | Err(_) => found += 1,
        }
    }
    assert!(found > 0 && harmless > 0, "{found} found, {harmless} in unused space");
}

#[test]
fn a_bit_that_turns_under_a_live_store_is_found_on_the_next_read() {
    let disk = MemoryDisk::default();
    let mut shelf = open(&disk).unwrap();
    let said = "a word that is long enough to be found in the image ".repeat(40);
    // Larger than the cache, so that it is read from the disk again.
    let entries: Vec<LogEntry> = (0..1_200).map(|index| entry(1, index, &said)).collect();
    for part in entries.chunks(100) {
        shelf.append(part).unwrap();
    }
    let image = disk.image();
    let places: Vec<usize> = image
        .windows(24)
        .enumerate()
        .filter(|(_, window)| *window == b"long enough to be found ")
        .map(|(place, _)| place)
        .collect();
    for place in places.into_iter().step_by(5_000) {
        disk.flip_bit(place as u64 * 8);
    }
    let read = shelf.read(0..1_200, usize::MAX);
    assert!(matches!(read, Err(StoreFault::Damaged(_))), "{read:?}");
}

#[test]
fn a_store_of_rubbish_or_cut_short_is_never_started_empty() {
    let disk = MemoryDisk::default();
    let mut shelf = open(&disk).unwrap();
    shelf.append(&[entry(1, 0, "first")]).unwrap();
    drop(shelf);
    let image = disk.image();
    for keep in [1, 100, 4_096, image.len() / 2] {
        let cut = disk.after_kill();
        crate::disk::Disk::set_length(&cut, keep as u64).unwrap();
        let opened = std::panic::catch_unwind(|| open(&cut).map(|shelf| shelf.id()));
        assert!(!matches!(opened, Ok(Ok(_))), "{keep} of {} bytes", image.len());
    }
}

#[test]
fn the_log_takes_no_hole_and_gives_no_committed_entry_away() {
    let disk = MemoryDisk::default();
    let mut shelf = open(&disk).unwrap();
    shelf.append(&[entry(1, 0, "a"), entry(1, 1, "b")]).unwrap();
    assert!(matches!(shelf.append(&[entry(1, 3, "hole")]), Err(StoreFault::Unlawful(_))));
    assert!(matches!(shelf.append(&[entry(1, 1, "twice")]), Err(StoreFault::Unlawful(_))));
    shelf.note_committed(Some(log_id(1, 0)));
    assert!(matches!(shelf.truncate(0), Err(StoreFault::Unlawful(_))));
    shelf.truncate(1).unwrap();
    assert_eq!(shelf.last(), Some(log_id(1, 0)));
    shelf.append(&[entry(2, 1, "another")]).unwrap();
    drop(shelf);
    assert_eq!(read_back(&open(&disk).unwrap()).entries.len(), 2);
}

#[tokio::test]
async fn a_stale_stream_that_asks_for_what_is_gone_gets_nothing_and_breaks_nothing() {
    let store = Store::open(Arc::new(MemoryDisk::default()), OWN).await.unwrap();
    let entries: Vec<LogEntry> = (0..10).map(|index| entry(1, index, "a")).collect();
    store.ask(move |shelf| shelf.append(&entries)).await.unwrap();
    store.ask(|shelf| shelf.purge(log_id(1, 5))).await.unwrap();
    let mut log = KeeperLog::on(store.clone());
    let read = async |log: &mut KeeperLog, start, end| {
        log.limited_get_log_entries(start, end).await.unwrap().len()
    };
    assert_eq!(read(&mut log, 3, 9).await, 0, "purged at its start");
    assert_eq!(read(&mut log, 10, 12).await, 0, "not there yet");
    assert_eq!(read(&mut log, 6, 12).await, 4);
    assert_eq!(*store.fault().borrow(), None);
}

#[test]
fn what_was_committed_is_remembered_and_a_lost_tail_is_noticed() {
    let disk = MemoryDisk::default();
    let mut shelf = open(&disk).unwrap();
    shelf.append(&[entry(1, 0, "a")]).unwrap();
    shelf.note_committed(Some(log_id(1, 0)));
    shelf.flush().unwrap();
    drop(shelf);
    assert_eq!(open(&disk).unwrap().committed(), Some(log_id(1, 0)));

    let disk = MemoryDisk::default();
    let mut shelf = open(&disk).unwrap();
    shelf.append(&[entry(1, 0, "a")]).unwrap();
    shelf.note_committed(Some(log_id(1, 5)));
    shelf.flush().unwrap();
    drop(shelf);
    assert!(matches!(open(&disk), Err(StoreFault::Damaged(_))));
}

#[test]
fn a_snapshot_is_whole_or_it_is_the_one_before() {
    let disk = MemoryDisk::default();
    let mut shelf = open(&disk).unwrap();
    let write = |shelf: &mut Shelf, words: &[&[u8]], is_finished: bool| {
        let generation = shelf.begin_image().unwrap();
        let mut head = Digest::default();
        for (part, bytes) in words.iter().enumerate() {
            head = shelf.put_image_part(generation, part as u64, head, bytes).unwrap();
        }
        let note = ImageNote {
            meta: SnapshotMeta::default(),
            generation,
            parts: words.len() as u64,
            head,
        };
        if is_finished {
            shelf.finish_image(note).unwrap();
        }
    };
    write(&mut shelf, &[b"old ", b"state"], true);
    write(&mut shelf, &[b"half a new "], false);
    drop(shelf);
    let mut shelf = open(&disk).unwrap();
    assert_eq!(shelf.read_image().unwrap().unwrap().1, b"old state");
    write(&mut shelf, &[b"new"], true);
    assert_eq!(shelf.read_image().unwrap().unwrap().1, b"new");
}

#[tokio::test]
async fn a_failing_sync_ends_the_store_and_says_so() {
    for fault in [DiskFault::Syncs, DiskFault::Writes, DiskFault::TornWrites] {
        let faulty = FaultyDisk::over(Arc::new(MemoryDisk::default()));
        let store = Store::open(Arc::new(faulty.clone()), OWN).await.unwrap();
        let append = |index| {
            let entries = vec![entry(1, index, "a")];
            store.ask(move |shelf| shelf.append(&entries))
        };
        append(0).await.unwrap();
        faulty.fail(fault, 0);
        let first = append(1).await.unwrap_err();
        faulty.fail(fault, u64::MAX);
        assert_eq!(append(1).await, Err(first.clone()), "{fault:?} is not forgiven");
        assert_eq!(*store.fault().borrow(), Some(first));
    }
}

/// Half a store would be taken for a damaged one at every later start.
#[test]
fn a_store_that_could_not_be_drawn_up_leaves_an_empty_disk() {
    for after in 0..64 {
        let memory = MemoryDisk::default();
        let faulty = FaultyDisk::over(Arc::new(memory.clone()));
        faulty.fail(DiskFault::Writes, after);
        let opened = Shelf::open(Arc::new(faulty.clone()), OWN);
        if let Err(why) = opened {
            assert!(matches!(why, StoreFault::Disk(_)), "{why}");
            assert_eq!(memory.image(), [0; 0], "after {after} writes");
            assert_eq!(open(&memory).unwrap().id(), OWN);
        } else {
            assert!(after > 0, "the first write fails");
            return;
        }
    }
    panic!("a store takes more writes than that");
}

#[tokio::test]
async fn a_file_is_open_in_one_place_and_comes_back_with_its_own_id() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = Store::open(Arc::new(FileDisk::open(&path).unwrap()), OWN).await.unwrap();
    let second = FileDisk::open(&path).map(drop).map_err(|why| why.kind());
    assert_eq!(second, Err(std::io::ErrorKind::WouldBlock));
    store.ask(|shelf| shelf.save_vote(Vote::new(3, 7))).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(store.ask(|shelf| Ok(shelf.vote())).await, Err(StoreFault::Closed));
    let again = Store::open(Arc::new(FileDisk::open(&path).unwrap()), StoreId(999)).await.unwrap();
    assert_eq!(again.id(), OWN, "the id lives with the store");
    let vote = again.ask(|shelf| Ok(shelf.vote())).await;
    assert_eq!(vote, Ok(Some(Vote::new(3, 7))));
}
