//! A keeper's life on one disk: what was acknowledged, and what a start on any disk then serves.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use ledger::Ledger;
use replication::{Clock, KeeperLink, LedgerPort, LinkFault, Loaded, Opening, Settings, Store};
use tokio::runtime::{Builder, Runtime};
use vocabulary::{HostId, LedgerIndex, ModelVerifier, Moment, StoreId, WallNote};
use wire::{Request, Response};

use crate::fleet::{Fleet, id};
use crate::scratch::Scratch;

/// The store that lives.
pub(crate) const OWN: StoreId = StoreId(7);

/// What a start offers to an empty disk: a store that bears it was drawn up anew.
pub(crate) const OFFERED: StoreId = StoreId(99);

/// What a start gives to whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) store: StoreId,
    state: Vec<u8>,
    members: Vec<(StoreId, HostId, bool)>,
}

/// What a disk holds at the end of a life, and what every start on it served on the way there.
pub(crate) struct Life {
    /// After it was closed in order, and as a kill left it.
    pub(crate) images: [Vec<u8>; 2],
    /// What each of them serves.
    pub(crate) served: [Served; 2],
    /// What was acknowledged before, step by step.
    pub(crate) earlier: Vec<Served>,
    /// What a follower of this keeper is sent: its newest entries.
    pub(crate) piece: Vec<u8>,
}

/// The one life; bytes are tried on its disk.
pub(crate) static LIFE: LazyLock<Life> = LazyLock::new(|| runtime().block_on(live()));

/// A snapshot after so few entries, so that the life holds one, and a log that was cut behind it.
fn settings() -> Settings {
    Settings { snapshot_every: 12, entries_kept: 4, ..Settings::default() }
}

/// Starts on this disk as an agent does; what it serves, or why it does not.
pub(crate) fn start(bytes: Vec<u8>) -> Result<Served, String> {
    runtime().block_on(started(bytes))
}

fn runtime() -> Runtime {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime without a thread or a socket needs nothing")
}

async fn started(bytes: Vec<u8>) -> Result<Served, String> {
    let port = open(Arc::new(Scratch::holding(bytes)), OFFERED).await?;
    match port.fault().borrow().clone() {
        Some(fault) => Err(fault.to_string()),
        None => Ok(served(&port)),
    }
}

async fn open(disk: Arc<Scratch>, offered: StoreId) -> Result<LedgerPort, String> {
    let store = Store::open(disk, offered).await.map_err(|fault| fault.to_string())?;
    let loaded = Loaded::read(store, Arc::new(ModelVerifier), Ledger::new()).await;
    let opening = Opening {
        host: id("a1"),
        loaded: loaded.map_err(|fault| fault.to_string())?,
        link: Arc::new(Nobody),
        clock: Arc::new(Still),
        settings: settings(),
    };
    LedgerPort::open(opening).await.map_err(|fault| fault.to_string())
}

fn served(port: &LedgerPort) -> Served {
    let members = port.members().into_iter();
    Served {
        store: port.store(),
        state: port.watch().borrow().to_bytes(),
        members: members.map(|(store, (host, votes))| (store, host, votes)).collect(),
    }
}

/// One keeper founds a ledger of nine hosts; everything that is acknowledged is on its disk.
async fn live() -> Life {
    let disk = Arc::new(Scratch::default());
    let port = open(Arc::clone(&disk), OWN).await.expect("an empty disk");
    let mut earlier = vec![serves(disk.image()).await];
    port.initialise([(OWN, id("a1"))].into()).await.expect("it was never founded");
    while !port.leadership().borrow().am_leader {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for (_, entry) in Fleet::healing().log {
        for proposed in entry.commands {
            port.propose(proposed).await.expect("a keeper alone is a majority");
            earlier.push(serves(disk.image()).await);
        }
    }
    let piece = newest(&port).await;
    let killed = disk.image();
    port.shutdown().await.expect("its disk serves");
    let closed = disk.image();
    let served = [serves(closed.clone()).await, serves(killed.clone()).await];
    Life { images: [closed, killed], served, earlier, piece }
}

async fn newest(port: &LedgerPort) -> Vec<u8> {
    let upto = port.watch().borrow().index();
    let mut feed = port.follow(LedgerIndex(upto.0.saturating_sub(2)), None);
    feed.next().await.expect("it has been applied").to_bytes()
}

async fn serves(image: Vec<u8>) -> Served {
    started(image).await.expect("nothing was done to this disk")
}

/// No other keeper is there.
struct Nobody;

#[async_trait]
impl KeeperLink for Nobody {
    async fn call(&self, _: HostId, _: Request, _: Duration) -> Result<Response, LinkFault> {
        Err(LinkFault::Unreachable("there is no other keeper".to_owned()))
    }
}

/// Time stands still (law FZ1).
struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment::default()
    }

    fn wall(&self) -> WallNote {
        WallNote(0)
    }
}
