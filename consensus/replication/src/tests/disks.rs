//! What a store makes of a disk that turns bits, loses its end, refuses or lies (protocol 1.8): exactly what was acknowledged
//! is there, or the store does not open and says why. Damage is never served.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use redb::{ReadableDatabase, ReadableTable, TableDefinition};
use vocabulary::{Digest, StoreId};

use super::toy::{entry, log_id, luck};
use crate::disk::{Backend, Disk, DiskFault, FaultyDisk, FileDisk, MemoryDisk};
use crate::raft::{LogEntry, SnapshotMeta, Vote};
use crate::shelf::{ImageNote, Shelf};
use crate::store::{Store, StoreFault};

const OWN: StoreId = StoreId(7);

/// All that a store has acknowledged, as it gives it back.
#[derive(Clone, Debug, Default, PartialEq)]
struct Whole {
    entries: Vec<LogEntry>,
    vote: Option<Vote>,
    image: Option<Vec<u8>>,
}

fn entries() -> Vec<LogEntry> {
    (0..6).map(|index| entry(1, index, "a word that was acknowledged")).collect()
}

fn vote() -> Vote {
    Vote::new(4, 2)
}

const CHUNKS: [&[u8]; 2] = [b"the first chunk of the state", b"and the second of them"];

/// Everything that a keeper writes, once.
fn live(shelf: &mut Shelf) -> Result<(), StoreFault> {
    shelf.append(&entries())?;
    shelf.save_vote(vote())?;
    shelf.note_committed(Some(log_id(1, 4)));
    let generation = shelf.begin_image()?;
    let first = shelf.put_image_part(generation, 0, Digest::default(), CHUNKS[0])?;
    let head = shelf.put_image_part(generation, 1, first, CHUNKS[1])?;
    let meta = SnapshotMeta { last_log_id: Some(log_id(1, 3)), ..SnapshotMeta::default() };
    shelf.finish_image(ImageNote { meta, generation, parts: 2, head })?;
    shelf.purge(log_id(1, 1))
}

fn lived() -> Whole {
    let entries = entries().split_off(2);
    Whole { entries, vote: Some(vote()), image: Some(CHUNKS.concat()) }
}

/// What a store on this disk serves; a panic of redb's own debug assertions is a refusal, too.
fn served(disk: Arc<dyn Disk>) -> Result<Whole, StoreFault> {
    let read = || {
        let shelf = Shelf::open(disk, OWN)?;
        let entries = shelf.read(0..u64::MAX, usize::MAX)?;
        let image = shelf.read_image()?.map(|(_, bytes)| bytes);
        Ok(Whole { entries, vote: shelf.vote(), image })
    };
    let refused = |_| Err(StoreFault::Damaged("it panicked".to_owned()));
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).unwrap_or_else(refused)
}

/// The image of a store that was closed in order, and of one whose process was killed.
fn images() -> [(&'static str, Vec<u8>); 2] {
    let disk = MemoryDisk::default();
    let mut shelf = Shelf::open(Arc::new(disk.clone()), OWN).unwrap();
    live(&mut shelf).unwrap();
    let killed = disk.image();
    drop(shelf);
    [("closed", disk.image()), ("killed", killed)]
}

fn in_memory(image: &[u8]) -> Arc<dyn Disk> {
    let disk = MemoryDisk::default();
    disk.write(0, image).unwrap();
    disk.sync().unwrap();
    Arc::new(disk)
}

fn in_file(folder: &Path, image: &[u8]) -> Arc<dyn Disk> {
    let path = folder.join("store");
    std::fs::write(&path, image).unwrap();
    Arc::new(FileDisk::open(&path).unwrap())
}

/// Every record of every kind, by its name.
fn records(image: &[u8]) -> Vec<(String, Vec<u8>)> {
    let backend = Backend(in_memory(image));
    let database = redb::Database::builder().create_with_backend(backend).unwrap();
    let view = database.begin_read().unwrap();
    let facts = ["identity", "vote", "committed", "purged", "snapshot's note"];
    let mut records = Vec::new();
    for name in ["log", "facts", "images"] {
        let table: TableDefinition<'_, u64, &[u8]> = TableDefinition::new(name);
        for row in view.open_table(table).unwrap().iter().unwrap() {
            let (key, record) = row.unwrap();
            let kind = match name {
                "facts" => facts[key.value() as usize].to_owned(),
                "log" => format!("entry {}", key.value()),
                _ => format!("chunk {}", key.value()),
            };
            records.push((kind, record.value().to_vec()));
        }
    }
    records
}

fn places_of(record: &[u8], image: &[u8]) -> Vec<usize> {
    let found = image.windows(record.len()).enumerate().filter(|(_, window)| *window == record);
    found.map(|(place, _)| place).collect()
}

#[test]
fn a_flipped_bit_in_any_kind_of_record_is_found_in_memory_and_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for (how, image) in images() {
        let records = records(&image);
        let named = |name: &str| records.iter().any(|(kind, _)| kind.starts_with(name));
        for kind in ["identity", "vote", "committed", "purged", "snapshot", "entry", "chunk"] {
            assert!(named(kind), "no {kind} in the store");
        }
        for (kind, record) in records {
            let places = places_of(&record, &image);
            assert!(!places.is_empty(), "{kind}");
            // The seal before it, its own seal, and what it says. An older copy of a record may lie in pages that are free again.
            for byte in [0, 40, record.len() - 1] {
                let mut flipped = image.clone();
                places.iter().for_each(|place| flipped[place + byte] ^= 4);
                for disk in [in_memory(&flipped), in_file(folder.path(), &flipped)] {
                    let why = served(disk).expect_err(&format!("{how}: byte {byte} of {kind}"));
                    assert!(why.is_damage(), "{how}: {kind}: {why}");
                }
            }
        }
    }
}

#[test]
fn a_bit_flipped_anywhere_is_found_or_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let mut draw = luck(3);
    for (how, image) in images() {
        for _ in 0..150 {
            let (byte, bit) = (draw(image.len() as u64) as usize, draw(8));
            let mut flipped = image.clone();
            flipped[byte] ^= 1 << bit;
            for disk in [in_memory(&flipped), in_file(folder.path(), &flipped)] {
                match served(disk) {
                    Ok(whole) => assert_eq!(whole, lived(), "{how}: bit {bit} of byte {byte}"),
                    Err(why) => assert!(!why.to_string().is_empty()),
                }
            }
        }
    }
}

#[test]
fn a_file_that_lost_its_end_is_refused_or_whole_and_never_started_empty() {
    let folder = tempfile::tempdir().unwrap();
    let mut draw = luck(5);
    for (how, image) in images() {
        let end = image.iter().rposition(|byte| *byte != 0).unwrap_or_default() as u64;
        for _ in 0..40 {
            let kept = 1 + draw(image.len() as u64 - 1);
            let cut = &image[..kept as usize];
            for disk in [in_memory(cut), in_file(folder.path(), cut)] {
                match served(disk) {
                    Ok(whole) => assert!(whole == lived() && kept > end, "{how}: {kept} bytes"),
                    Err(why) => assert!(why.is_damage(), "{how}: {kept} bytes: {why}"),
                }
            }
        }
    }
}

/// Whatever of the last pages arrived.
#[test]
fn a_torn_tail_is_refused_or_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut draw = luck(8);
    for (how, image) in images() {
        for _ in 0..40 {
            let from = draw(image.len() as u64) as usize;
            let mut torn = image.clone();
            torn[from..].fill(if draw(2) == 0 { 0 } else { 0xFF });
            for disk in [in_memory(&torn), in_file(folder.path(), &torn)] {
                if let Ok(whole) = served(disk) {
                    assert_eq!(whole, lived(), "{how}: torn from {from}");
                }
            }
        }
    }
}

/// A device that refuses: the store ends with the first refusal, says so, and is whole again on a disk that serves.
#[test]
fn a_disk_that_refuses_ends_the_store_and_loses_nothing() {
    let kinds = [
        DiskFault::Writes,
        DiskFault::TornWrites,
        DiskFault::Syncs,
        DiskFault::Growth,
        DiskFault::Changes,
    ];
    for kind in kinds {
        for after in 0..12 {
            let memory = MemoryDisk::default();
            let faulty = FaultyDisk::over(Arc::new(memory.clone()));
            let mut shelf = Shelf::open(Arc::new(faulty.clone()), OWN).unwrap();
            live(&mut shelf).unwrap();
            faulty.fail(kind, after);
            let mut more = 6;
            let refused = loop {
                match shelf.append(&[entry(2, more, "more")]) {
                    Ok(()) => more += 1,
                    Err(why) => break why,
                }
            };
            assert!(matches!(refused, StoreFault::Disk(_)), "{kind:?}: {refused}");
            assert!(!refused.is_damage(), "it may serve again");
            let left = memory.after_kill();
            drop(shelf);
            let found = served(Arc::new(left)).unwrap();
            let count = found.entries.len() as u64;
            assert!(
                count == more - 2 || count == more - 1,
                "{kind:?} after {after}: {count} of {more}"
            );
            assert_eq!((found.vote, found.image), (lived().vote, lived().image));
        }
    }
}

#[tokio::test]
async fn a_store_on_a_disk_that_refuses_is_no_damaged_one_at_its_start_either() {
    let memory = MemoryDisk::default();
    let mut shelf = Shelf::open(Arc::new(memory.clone()), OWN).unwrap();
    live(&mut shelf).unwrap();
    drop(shelf);
    for kind in [DiskFault::Reads, DiskFault::Changes, DiskFault::Writes] {
        let faulty = FaultyDisk::over(Arc::new(memory.after_kill()));
        faulty.fail(kind, 0);
        if let Err(why) = Store::open(Arc::new(faulty), OWN).await {
            assert!(!why.is_damage(), "{kind:?}: {why}");
        } else {
            assert_ne!(kind, DiskFault::Reads);
        }
    }
}

/// What no store can see for itself. It serves something that it had acknowledged, or refuses; never anything else. That a keeper
/// which lost the end of its log so cannot do harm with it in its old term is law R1.
#[test]
fn a_disk_that_lies_gives_back_an_earlier_state_or_is_refused() {
    let mut refused = 0;
    for kind in [DiskFault::LyingSyncs, DiskFault::ShortWrites] {
        for seed in 0..60 {
            let memory = MemoryDisk::default();
            let faulty = FaultyDisk::over(Arc::new(memory.clone()));
            let mut shelf = Shelf::open(Arc::new(faulty.clone()), OWN).unwrap();
            live(&mut shelf).unwrap();
            let mut states = vec![lived()];
            faulty.fail(kind, luck(seed)(9));
            for index in 6..10 {
                // A short write may be met by redb's own reading; then nothing more is acknowledged.
                let step = || shelf.append(&[entry(2, index, "more")]);
                let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(step));
                if !matches!(done, Ok(Ok(()))) {
                    break;
                }
                let mut next = states.last().cloned().unwrap_or_default();
                next.entries.push(entry(2, index, "more"));
                states.push(next);
            }
            let left = memory.after_power_loss(seed);
            std::mem::forget(shelf);
            match served(Arc::new(left)) {
                Ok(found) => assert!(states.contains(&found), "{kind:?}, seed {seed}"),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 0, "some of it is damage");
}

#[test]
fn a_log_with_a_hole_is_damage_and_is_not_served_past_it() {
    let [(_, image), _] = images();
    let disk = in_memory(&image);
    {
        let backend = Backend(Arc::clone(&disk));
        let database = redb::Database::builder().create_with_backend(backend).unwrap();
        let change = database.begin_write().unwrap();
        let log: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("log");
        change.open_table(log).unwrap().remove(3).unwrap();
        change.commit().unwrap();
    }
    let why = served(disk).unwrap_err();
    assert!(matches!(why, StoreFault::Damaged(_)), "{why}");
}

#[test]
fn what_another_version_wrote_is_no_damage() {
    let [(_, image), _] = images();
    let disk = in_memory(&image);
    {
        let backend = Backend(Arc::clone(&disk));
        let database = redb::Database::builder().create_with_backend(backend).unwrap();
        let change = database.begin_write().unwrap();
        let facts: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("facts");
        let place = crate::seal::Place { store: OWN, table: *b"fact", key: 1 };
        let (record, _) = crate::seal::close(place, Digest::default(), &[0xFF; 3]);
        change.open_table(facts).unwrap().insert(1, record.as_slice()).unwrap();
        change.commit().unwrap();
    }
    let why = served(disk).unwrap_err();
    assert!(matches!(why, StoreFault::Foreign(_)) && !why.is_damage(), "{why}");
}

/// A disk over which its reader stumbles once it is told to, as redb may over a damaged file; it notes whether somebody answers for it.
#[derive(Debug)]
struct Stumbling {
    inner: MemoryDisk,
    has_thread: bool,
    is_damaged: AtomicBool,
    stumbled: AtomicU64,
    alone: AtomicU64,
}

impl Stumbling {
    fn new(has_thread: bool) -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryDisk::default(),
            has_thread,
            is_damaged: AtomicBool::new(false),
            stumbled: AtomicU64::new(0),
            alone: AtomicU64::new(0),
        })
    }

    fn stumble(&self) {
        if self.is_damaged.load(Ordering::SeqCst) {
            self.stumbled.fetch_add(1, Ordering::SeqCst);
            self.alone.fetch_add(u64::from(!crate::contained::is_contained()), Ordering::SeqCst);
            panic!("a page that is none");
        }
    }
}

impl Disk for Stumbling {
    fn length(&self) -> std::io::Result<u64> {
        self.inner.length()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.stumble();
        self.inner.read(offset, out)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
        self.stumble();
        self.inner.write(offset, bytes)
    }

    fn set_length(&self, length: u64) -> std::io::Result<()> {
        self.inner.set_length(length)
    }

    fn sync(&self) -> std::io::Result<()> {
        self.inner.sync()
    }

    fn release(&self) -> std::io::Result<()> {
        self.inner.release()
    }

    fn may_block(&self) -> bool {
        self.has_thread
    }
}

/// Found by the fuzzer of stores: redb frees pages as it closes, and a damaged list of them names pages that there are none of.
#[tokio::test]
async fn a_damaged_file_that_cannot_be_closed_is_a_fault_of_the_store_and_no_panic_of_ours() {
    for has_thread in [false, true] {
        for is_closed in [false, true] {
            let disk = Stumbling::new(has_thread);
            let store = Store::open(disk.clone(), OWN).await.unwrap();
            // Nothing is written any more but by redb itself.
            store.condemn(StoreFault::Unlawful("for a test".to_owned())).await;
            disk.is_damaged.store(true, Ordering::SeqCst);
            if is_closed {
                let why = store.close().await;
                assert_eq!(why, Err(StoreFault::Unlawful("for a test".to_owned())));
            }
            drop(store);
            while Arc::strong_count(&disk) > 1 {
                tokio::task::yield_now().await;
            }
            assert!(disk.stumbled.load(Ordering::SeqCst) > 0, "redb writes as it closes");
            assert_eq!(
                disk.alone.load(Ordering::SeqCst),
                0,
                "thread {has_thread}, closed {is_closed}"
            );
        }
    }
}

#[tokio::test]
async fn jobs_end_in_the_order_in_which_they_were_asked() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FileDisk::open(&folder.path().join("store")).unwrap();
    let store = Store::open(Arc::new(disk), OWN).await.unwrap();
    let ended = Arc::new(std::sync::Mutex::new(Vec::new()));
    let asks = (0..12).map(|index| {
        let (store, ended) = (store.clone(), Arc::clone(&ended));
        async move {
            let done = store.ask(move |shelf| shelf.append(&[entry(1, index, "in order")])).await;
            ended.lock().unwrap().push(index);
            done
        }
    });
    // All are asked before the first has ended.
    let mut all = tokio::task::JoinSet::new();
    asks.for_each(|ask| drop(all.spawn(ask)));
    for done in all.join_all().await {
        assert_eq!(done, Ok(()), "each follows the one before it");
    }
    assert_eq!(*ended.lock().unwrap(), (0..12).collect::<Vec<_>>());
}
