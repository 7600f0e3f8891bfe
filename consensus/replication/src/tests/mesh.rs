//! Keepers in one runtime, with links that can be cut and keepers that can be killed.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep, timeout};
use vocabulary::{Boot, HostId, LedgerIndex, Moment, StoreId, WallNote};
use wire::{Request, Response};

use super::toy::{Toy, host, verifier, word};
use crate::clock::Clock;
use crate::disk::{Disk, MemoryDisk};
use crate::link::{KeeperLink, LinkFault};
use crate::machine::Machine;
use crate::port::{LedgerPort, Loaded, Opening, PortFault, ProposeFault, Sender};
use crate::settings::Settings;
use crate::store::Store;

/// All keepers that run, and which links are silent.
#[derive(Default)]
pub(super) struct Mesh {
    doors: Mutex<BTreeMap<HostId, Keeper>>,
    cuts: Mutex<BTreeSet<(HostId, HostId)>>,
    slow: Mutex<BTreeMap<HostId, Duration>>,
    /// How many bytes of letters of Raft were sent to each keeper.
    sent: Mutex<BTreeMap<HostId, usize>>,
    bent: Mutex<BTreeSet<u8>>,
    old: Mutex<BTreeSet<u8>>,
    began: Mutex<Option<Instant>>,
}

#[derive(Clone)]
pub(super) struct Keeper {
    pub(super) port: LedgerPort<Toy>,
    pub(super) disk: MemoryDisk,
    is_alive: Arc<AtomicBool>,
}

/// A connection of that store's, in a life that no ledger knows yet.
pub(super) fn sender(host: HostId, store: u64) -> Sender {
    let boot = Boot { number: u64::MAX, nonce: 0 };
    Sender {
        host,
        boot,
        store: Some(StoreId(store)),
        is_voter: None,
        had_a_vote: false,
        is_told: false,
    }
}

struct Link {
    mesh: Arc<Mesh>,
    from: HostId,
    store: StoreId,
    is_alive: Arc<AtomicBool>,
}

struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> Moment {
        let passed = self.0.elapsed().as_millis();
        Moment::from_milliseconds(u64::try_from(passed).unwrap())
    }

    fn wall(&self) -> WallNote {
        WallNote(0)
    }
}

#[async_trait]
impl KeeperLink for Link {
    async fn call(
        &self,
        keeper: HostId,
        request: Request,
        within: Duration,
    ) -> Result<Response, LinkFault> {
        let travel = async {
            sleep(Duration::from_millis(1)).await;
            if let Request::Raft(bytes) = &request {
                *self.mesh.sent.lock().unwrap().entry(keeper).or_default() += bytes.len();
                sleep(self.mesh.takes(keeper, bytes.len())).await;
            }
            if !self.is_alive.load(Ordering::SeqCst) || self.mesh.is_cut(self.from, keeper) {
                return pending().await;
            }
            let port = self.mesh.keeper(keeper).map(|keeper| keeper.port);
            let port = port.ok_or_else(|| LinkFault::Unreachable("nobody listens".to_owned()))?;
            let response = match request {
                Request::Raft(bytes) => {
                    let from = self.mesh.sender(self.from, self.store);
                    Response::Raft(port.on_raft(&bytes, from).await)
                }
                Request::Standing => Response::Standing { has_leader: port.has_live_leader() },
                Request::StateAt { index } => Response::StateAt { digest: port.state_at(index) },
                other => panic!("keepers do not ask {other:?}"),
            };
            sleep(Duration::from_millis(1)).await;
            if self.mesh.is_cut(keeper, self.from) {
                return pending().await;
            }
            Ok(response)
        };
        timeout(within, travel).await.unwrap_or(Err(LinkFault::TimedOut))
    }
}

impl Mesh {
    /// Keepers 1 to `count`, founded, with a leader.
    pub(super) async fn founded(count: u8, settings: Settings) -> Arc<Self> {
        let mesh = Arc::new(Self::default());
        for number in 1..=count {
            let disk = MemoryDisk::default();
            mesh.start(number, disk, settings.clone()).await.unwrap();
        }
        let voters: BTreeMap<StoreId, HostId> =
            (1..=count).map(|number| (StoreId(u64::from(number)), host(number))).collect();
        mesh.keeper(host(1)).unwrap().port.initialise(voters).await.unwrap();
        mesh.leader().await;
        mesh
    }

    /// Starts a keeper on a disk; a disk that has a store keeps its id.
    pub(super) async fn start(
        self: &Arc<Self>,
        number: u8,
        disk: MemoryDisk,
        settings: Settings,
    ) -> Result<(), PortFault> {
        let under: Arc<dyn Disk> = Arc::new(disk.clone());
        self.start_over(number, disk, under, settings).await
    }

    /// The same with another disk between.
    pub(super) async fn start_over(
        self: &Arc<Self>,
        number: u8,
        disk: MemoryDisk,
        under: Arc<dyn Disk>,
        settings: Settings,
    ) -> Result<(), PortFault> {
        let began = *self.began.lock().unwrap().get_or_insert_with(Instant::now);
        let is_alive = Arc::new(AtomicBool::new(true));
        let offered = StoreId(u64::from(number));
        let store = Store::open(under, offered).await.map_err(PortFault::Store)?;
        let (from, is_its) = (host(number), is_alive.clone());
        let link = Link { mesh: self.clone(), from, store: store.id(), is_alive: is_its };
        let port = LedgerPort::open(Opening {
            host: host(number),
            loaded: Loaded::read(store, verifier(), self.toy(number)).await?,
            link: Arc::new(link),
            clock: Arc::new(TestClock(began)),
            settings,
        })
        .await?;
        let keeper = Keeper { port, disk, is_alive };
        self.doors.lock().unwrap().insert(host(number), keeper);
        Ok(())
    }

    /// Starts a keeper on an empty disk, under a fresh id.
    pub(super) async fn start_as(self: &Arc<Self>, number: u8, fresh: StoreId) {
        let disk = MemoryDisk::default();
        Store::open(Arc::new(disk.clone()), fresh).await.unwrap().close().await.unwrap();
        self.start(number, disk, Settings::default()).await.unwrap();
    }

    /// As SIGKILL: not a byte more is written or sent. The disk as it leaves it.
    pub(super) async fn kill(&self, number: u8) -> MemoryDisk {
        let keeper = self.doors.lock().unwrap().remove(&host(number)).unwrap();
        keeper.is_alive.store(false, Ordering::SeqCst);
        let left = keeper.disk.after_kill();
        keeper.port.shutdown().await.ok();
        left
    }

    /// As a power cut: of what was not synced a part is lost.
    pub(super) async fn lose_power(&self, number: u8, seed: u64) -> MemoryDisk {
        let left = self.keeper(host(number)).unwrap().disk.after_power_loss(seed);
        self.kill(number).await;
        left
    }

    /// From its next start on this keeper's machine takes words otherwise than the others'.
    pub(super) fn bend(&self, number: u8) {
        self.bent.lock().unwrap().insert(number);
    }

    /// From its next start on this keeper is of an older version, or is not.
    pub(super) fn age(&self, number: u8, is_old: bool) {
        let mut old = self.old.lock().unwrap();
        if is_old {
            old.insert(number);
        } else {
            old.remove(&number);
        }
    }

    fn toy(&self, number: u8) -> Toy {
        let mut toy = Toy::default();
        toy.is_old = self.old.lock().unwrap().contains(&number);
        toy.is_bent = self.bent.lock().unwrap().contains(&number);
        toy
    }

    pub(super) fn cut(&self, one: u8, other: u8) {
        let mut cuts = self.cuts.lock().unwrap();
        cuts.insert((host(one), host(other)));
        cuts.insert((host(other), host(one)));
    }

    /// Every kilobyte that is sent to this keeper takes so long.
    pub(super) fn slow(&self, to: u8, kilobyte_takes: Duration) {
        self.slow.lock().unwrap().insert(host(to), kilobyte_takes);
    }

    /// How many bytes of letters of Raft were sent to this keeper so far.
    pub(super) fn sent(&self, to: u8) -> usize {
        self.sent.lock().unwrap().get(&host(to)).copied().unwrap_or_default()
    }

    fn takes(&self, to: HostId, bytes: usize) -> Duration {
        let takes = self.slow.lock().unwrap().get(&to).copied().unwrap_or_default();
        takes * u32::try_from(bytes / 1_024).unwrap()
    }

    pub(super) fn mend(&self) {
        self.cuts.lock().unwrap().clear();
    }

    fn is_cut(&self, from: HostId, to: HostId) -> bool {
        self.cuts.lock().unwrap().contains(&(from, to))
    }

    pub(super) fn keeper(&self, host: HostId) -> Option<Keeper> {
        self.doors.lock().unwrap().get(&host).cloned()
    }

    pub(super) fn port(&self, number: u8) -> LedgerPort<Toy> {
        self.keeper(host(number)).unwrap().port
    }

    /// Who leads now, by its own word.
    pub(super) fn who_leads(&self) -> Option<u8> {
        let doors = self.doors.lock().unwrap();
        let leads = |keeper: &Keeper| keeper.port.leadership().borrow().am_leader;
        let found = doors.iter().find(|(_, keeper)| leads(keeper));
        found.map(|(host, _)| host.0[0])
    }

    /// A connection of that store's, as a host knows it that follows the ledger.
    fn sender(&self, from: HostId, store: StoreId) -> Sender {
        let doors = self.doors.lock().unwrap();
        let toys = doors.values().map(|keeper| keeper.port.watch().borrow().clone());
        let Some(toy) = toys.max_by_key(|toy| Machine::index(&**toy)) else {
            return sender(from, store.0);
        };
        let (voters, unknown) = (toy.voters(), sender(from, store.0));
        // Each store speaks in a life that no ledger knows yet: who leads must be found before it can be told.
        Sender {
            is_told: toy.store_of(&from) == Some(store),
            is_voter: (!voters.is_empty()).then(|| voters.contains(&from)),
            had_a_vote: toy.had_votes.contains(&from),
            ..unknown
        }
    }

    /// Waits until one keeper leads; its number.
    pub(super) async fn leader(&self) -> u8 {
        let look = async {
            loop {
                if let Some(number) = self.who_leads() {
                    return number;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(30), look).await.expect("somebody leads within 30 s")
    }

    /// Proposes to whoever leads until it is acknowledged.
    pub(super) async fn say(&self, said: &str) -> LedgerIndex {
        loop {
            let leader = self.leader().await;
            match self.port(leader).propose(word(said)).await {
                Ok((index, _)) => return index,
                Err(ProposeFault::NotLeader { .. } | ProposeFault::TimedOut) => {
                    sleep(Duration::from_millis(20)).await;
                }
                Err(fault) => panic!("{fault}"),
            }
        }
    }

    /// Waits until this keeper has applied up to there.
    pub(super) async fn applied(&self, number: u8, index: LedgerIndex) {
        let mut watch = self.port(number).watch();
        let reached = watch.wait_for(|toy| Machine::index(&**toy) >= index);
        timeout(Duration::from_secs(30), reached)
            .await
            .expect("it catches up within 30 s")
            .unwrap();
    }

    pub(super) fn said(&self, number: u8) -> Vec<String> {
        self.port(number).watch().borrow().said.clone()
    }
}
