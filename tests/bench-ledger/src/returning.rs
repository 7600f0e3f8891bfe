//! One keeper comes back from its file, in a process that has done nothing else: how long it takes, and what it then holds.
//!
//! Nobody answers it: what it needs for its state lies on its own disk. The file has just been written, so that it is read from memory; a
//! cold disk adds the time to read it once.
//! Not here: who asks (see `size`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use daemon::identity::RingVerifier;
use ledger::Ledger;
use replication::{KeeperLink, LedgerPort, LinkFault, Loaded, Opening, Settings, Store};
use vocabulary::{HostId, StoreId};
use wire::{Request, Response};

use crate::cycles::micros;
use crate::disk::{CountedDisk, Counts};
use crate::fault::BenchFault;
use crate::figures::thousandths;
use crate::keepers::FreeClock;

/// What came of it, as JSON on standard output.
pub async fn come_back(file: &Path) -> Result<(), BenchFault> {
    let before = resident_mb()?;
    let began = Instant::now();
    let disk = Arc::new(CountedDisk::open(file, Arc::new(Counts::default()))?);
    let store = Store::open(disk, StoreId(1)).await.map_err(BenchFault::of("open the store"))?;
    let opened = micros(began);
    let loaded = Loaded::read(store, Arc::new(RingVerifier), Ledger::new()).await;
    let loaded = loaded.map_err(BenchFault::of("read the state"))?;
    let read = micros(began);
    let opening = Opening {
        // Whoever it is: it is in no majority here, and says nothing.
        host: HostId([0; 16]),
        loaded,
        link: Arc::new(Nobody),
        clock: Arc::new(FreeClock::new()),
        settings: Settings::default(),
    };
    let port = LedgerPort::open(opening).await.map_err(BenchFault::of("start Raft"))?;
    let started = micros(began);
    let state = port.watch().borrow().clone();
    let snapshot_bytes = state.to_bytes().len();
    let held = resident_mb()?;
    let size = fs::metadata(file).map_err(BenchFault::of("look at the store"))?.len();
    let values = BTreeMap::from([
        ("index", state.index().0 as f64),
        ("open_ms", thousandths(opened)),
        ("state_ms", thousandths(read - opened)),
        ("replay_ms", thousandths(started - read)),
        ("total_ms", thousandths(started)),
        ("file_megabytes", size as f64 / 1e6),
        ("snapshot_megabytes", snapshot_bytes as f64 / 1e6),
        ("memory_megabytes", held - before),
    ]);
    println!("{}", serde_json::to_string(&values).map_err(BenchFault::of("print"))?);
    port.shutdown().await.map_err(BenchFault::of("stop"))
}

/// Of this process, once what was freed is no more than the allocator keeps.
fn resident_mb() -> Result<f64, BenchFault> {
    let text = fs::read_to_string("/proc/self/status").map_err(BenchFault::of("ask for memory"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    let kilobytes = kilobytes.ok_or_else(|| BenchFault::new("the kernel tells no VmRSS"))?;
    Ok(kilobytes * 1_024.0 / 1e6)
}

/// No keeper is reached.
struct Nobody;

#[async_trait]
impl KeeperLink for Nobody {
    async fn call(
        &self,
        _keeper: HostId,
        _request: Request,
        within: Duration,
    ) -> Result<Response, LinkFault> {
        tokio::time::sleep(within).await;
        Err(LinkFault::TimedOut)
    }
}
