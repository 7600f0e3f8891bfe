//! Three keepers: each a thread with the runtime, the QUIC transport, the store and the Raft that an agent has.
//!
//! Law BL3: whatever one keeper says to another goes over the daemon's own transport, on loopback, under mutual TLS.
//! Not here: the agent around a keeper: who lives, doubts and heals is said by whoever measures.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc as threads;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use daemon::identity::{Identity, RingVerifier};
use daemon::transport::{
    CallFault, Incoming, Presence, Transport, TransportSettings, UdpSockets, system_seed,
};
use ledger::Ledger;
use replication::{
    Clock, KeeperLink, LedgerPort, LinkFault, Loaded, Opening, Sender, Settings, Store,
};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use vocabulary::{HostId, Moment, StoreId, WallNote};
use wire::{Request, Response};

use crate::disk::{CountedDisk, Counts};
use crate::fault::BenchFault;
use crate::hosts::{BOOT, Hosts, is_keeper};

/// A first election, with dials and certificates, on a busy machine.
const LEADS_WITHIN: Duration = Duration::from_secs(30);

/// The keepers and what they count.
pub struct Keepers {
    /// In the order of their numbers.
    pub all: Vec<Keeper>,
    /// Moves ledger time without waiting for it.
    pub clock: Arc<FreeClock>,
    /// Of all three disks together.
    pub counts: Arc<Counts>,
}

/// One keeper.
pub struct Keeper {
    /// Who.
    pub host: HostId,
    /// Its number among the hosts.
    pub number: usize,
    /// Its ledger.
    pub port: LedgerPort<Ledger>,
    /// Its thread: what runs here runs where its agent would.
    pub handle: Handle,
    /// Its store's file.
    pub file: PathBuf,
    transport: Transport,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<(), BenchFault>>,
}

/// The leader's clock: it runs as the machine's does, and whoever prepares a measurement may set it on.
#[derive(Debug)]
pub struct FreeClock {
    began: Instant,
    ahead_ms: AtomicU64,
}

impl FreeClock {
    /// Of a new ledger.
    pub fn new() -> Self {
        Self { began: Instant::now(), ahead_ms: AtomicU64::new(0) }
    }

    /// Sets it on.
    pub fn pass(&self, span: Duration) {
        let ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        self.ahead_ms.fetch_add(ms, Ordering::Relaxed);
    }

    fn milliseconds(&self) -> u64 {
        let passed = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        passed.saturating_add(self.ahead_ms.load(Ordering::Relaxed))
    }
}

impl Clock for FreeClock {
    fn now(&self) -> Moment {
        Moment::from_milliseconds(self.milliseconds())
    }

    fn wall(&self) -> WallNote {
        WallNote(self.milliseconds())
    }
}

impl Keepers {
    /// Starts the keepers among these hosts, each with a store in this folder; they are not founded.
    pub fn raise(hosts: &Hosts, folder: &Path) -> Result<Self, BenchFault> {
        let (clock, counts) = (Arc::new(FreeClock::new()), Arc::new(Counts::default()));
        let numbers = (0..hosts.all().len()).filter(|number| is_keeper(*number));
        let all = numbers
            .map(|number| {
                let folder = folder.join(format!("keeper-{number}"));
                std::fs::create_dir(&folder).map_err(BenchFault::of("make a folder"))?;
                let identity = hosts.identity(number, &folder)?;
                let file = folder.join("ledger.redb");
                Keeper::begin((number, identity), file, (&clock, &counts))
            })
            .collect::<Result<Vec<_>, BenchFault>>()?;
        for one in &all {
            for other in all.iter().filter(|other| other.host != one.host) {
                let address = other.transport.local_address();
                let address = address.map_err(BenchFault::of("ask for a keeper's address"))?;
                one.transport.set_address(other.host, address);
            }
            one.transport.keep_warm(all.iter().map(|keeper| keeper.host).collect());
        }
        Ok(Self { all, clock, counts })
    }

    /// Founds the ledger's Raft and waits until one of them leads.
    pub async fn found(&self) -> Result<(), BenchFault> {
        let voters: BTreeMap<StoreId, HostId> =
            self.all.iter().map(|keeper| (keeper.port.store(), keeper.host)).collect();
        let founded = self.all[0].port.initialise(voters).await;
        founded.map_err(BenchFault::of("found the ledger"))?;
        self.leader().await.map(drop)
    }

    /// Who leads; waits for it.
    pub async fn leader(&self) -> Result<&Keeper, BenchFault> {
        let look = async {
            loop {
                let leads = |keeper: &&Keeper| keeper.port.leadership().borrow().am_leader;
                if let Some(leader) = self.all.iter().find(leads) {
                    return leader;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(LEADS_WITHIN, look).await.map_err(|_| {
            BenchFault::new(format!("no keeper leads within {} s", LEADS_WITHIN.as_secs()))
        })
    }

    /// Stops them; their files stay.
    pub fn end(self) -> Result<(), BenchFault> {
        self.all.into_iter().try_for_each(Keeper::end)
    }
}

impl Keeper {
    fn begin(
        (number, identity): (usize, Arc<Identity>),
        file: PathBuf,
        (clock, counts): (&Arc<FreeClock>, &Arc<Counts>),
    ) -> Result<Self, BenchFault> {
        let (host, opened) = (identity.host(), file.clone());
        let (clock, counts) = (Arc::clone(clock), Arc::clone(counts));
        let (told, begun) = threads::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name(format!("keeper-{number}"));
        let life = move || -> Result<(), BenchFault> {
            let runtime = Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(BenchFault::of("begin a keeper"))?;
            runtime.block_on(async {
                let (port, transport) = open(identity, &opened, (clock, counts)).await?;
                // Whoever asked has gone only where the bench ends.
                let _ = told.send((port.clone(), transport.clone(), Handle::current()));
                let _ = stopped.await;
                port.shutdown().await.map_err(BenchFault::of("stop a keeper"))?;
                transport.close().await;
                Ok(())
            })
        };
        let thread = thread.spawn(life).map_err(BenchFault::of("begin a keeper"))?;
        match begun.recv() {
            Ok((port, transport, handle)) => {
                Ok(Self { host, number, port, handle, file, transport, stop, thread })
            }
            Err(_) => Err(ended(thread).err().unwrap_or(BenchFault::new("a keeper has ended"))),
        }
    }

    fn end(self) -> Result<(), BenchFault> {
        // It may have ended by itself; why is said now.
        let _ = self.stop.send(());
        ended(self.thread)
    }
}

fn ended(thread: JoinHandle<Result<(), BenchFault>>) -> Result<(), BenchFault> {
    thread.join().unwrap_or_else(|_| Err(BenchFault::new("a keeper's thread has panicked")))
}

/// As an agent does: store, state, transport, Raft.
async fn open(
    identity: Arc<Identity>,
    file: &Path,
    (clock, counts): (Arc<FreeClock>, Arc<Counts>),
) -> Result<(LedgerPort<Ledger>, Transport), BenchFault> {
    let host = identity.host();
    let disk = Arc::new(CountedDisk::open(file, counts)?);
    let offered = StoreId(u64::from_le_bytes(first_eight(&host)) | 1);
    let store = Store::open(disk, offered).await.map_err(BenchFault::of("open a store"))?;
    let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let presence = |address| Presence { boot: BOOT, address, store: Some(store.id()) };
    let (settings, sockets) =
        (TransportSettings::seeded(system_seed()), Arc::new(UdpSockets::new(bind)));
    let (transport, incoming) = Transport::start(settings, identity, presence(bind), sockets)
        .map_err(BenchFault::of("open a port"))?;
    let address = transport.local_address().map_err(BenchFault::of("ask for an address"))?;
    transport.set_presence(presence(address));
    let loaded = Loaded::read(store, Arc::new(RingVerifier), Ledger::new()).await;
    let opening = Opening {
        host,
        loaded: loaded.map_err(BenchFault::of("read a store"))?,
        link: Arc::new(Line(transport.clone())),
        clock,
        settings: Settings::default(),
    };
    let port = LedgerPort::open(opening).await.map_err(BenchFault::of("start Raft"))?;
    tokio::spawn(serve(incoming, port.clone()));
    Ok((port, transport))
}

fn first_eight(host: &HostId) -> [u8; 8] {
    *host.0.first_chunk().expect("an id has 16 bytes")
}

/// Answers what keepers ask each other.
async fn serve(mut incoming: mpsc::Receiver<Incoming>, port: LedgerPort<Ledger>) {
    while let Some(event) = incoming.recv().await {
        let Incoming::Request { from, presented, request, reply, .. } = event else {
            continue;
        };
        let port = port.clone();
        let sender = Sender {
            host: from,
            boot: presented.boot,
            store: presented.store,
            is_voter: None,
            had_a_vote: false,
            is_told: false,
        };
        tokio::spawn(async move {
            match request {
                Request::Raft(bytes) => {
                    reply.send(Response::Raft(port.on_raft(&bytes, sender).await));
                }
                Request::Standing => {
                    reply.send(Response::Standing { has_leader: port.has_live_leader() });
                }
                Request::StateAt { index } => {
                    reply.send(Response::StateAt { digest: port.state_at(index) });
                }
                // Nobody else asks here.
                _ => drop(reply),
            }
        });
    }
}

/// The daemon's transport as a keeper's line to the others.
struct Line(Transport);

#[async_trait]
impl KeeperLink for Line {
    async fn call(
        &self,
        keeper: HostId,
        request: Request,
        within: Duration,
    ) -> Result<Response, LinkFault> {
        self.0.request(keeper, request, within).await.map_err(|fault| match fault {
            CallFault::TooLate => LinkFault::TimedOut,
            fault => LinkFault::Broken(fault.to_string()),
        })
    }
}
