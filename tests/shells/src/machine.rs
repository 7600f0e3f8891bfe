//! The machines of a world, and on each the life of an agent that can be ended, frozen and begun anew.
//!
//! Law W2 (see the crate): a kill drops every task of the agent; a freeze holds every one.
//! Not here: which of this happens when (see `world`).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agent::LifeEnd;
use daemon::admin::mind::Mind;
use daemon::config::Seed;
use daemon::host::credentials::Credentials;
use daemon::host::home::Home;
use daemon::host::life::{self, LifeSettings};
use daemon::host::mind::HostMind;
use daemon::identity::{Identity, Renewal};
use daemon::transport::TransportSettings;
use ledger::Ledger;
use replication::Clock;
use replication::tasks::Tether;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use tokio::sync::mpsc;
use tokio::time::Instant;
use vocabulary::{Claims, Digest, HostId, Moment, Span, WallNote};

use crate::desk::{Desk, Hands};
use crate::knock::Knocker;
use crate::laws::Laws;
use crate::memory::Memory;
use crate::network::{Door, Network, milliseconds};
use crate::papers::{DAWN, Papers};
use crate::sockets::MemorySockets;

/// Where every agent listens.
const PORT: u16 = 7_946;

/// Lives of one process, as in the daemon.
const LIVES_MAX: usize = 3;

/// Hosts asked first.
const SEEDS: usize = 3;

/// All machines and what they share.
pub(crate) struct Machines {
    pub seed: u64,
    pub began: Instant,
    pub network: Network,
    pub desk: Desk,
    pub all: Vec<Machine>,
    papers: Papers,
    laws: Mutex<Laws>,
}

/// One machine.
pub(crate) struct Machine {
    pub place: usize,
    pub claims: Claims,
    pub id: HostId,
    pub ip: IpAddr,
    pub memory: Memory,
    /// What lies in its certificate files, and how often that was issued.
    issued: Mutex<(u64, Arc<Identity>)>,
    inside: Mutex<Inside>,
}

#[derive(Default)]
pub(crate) struct Inside {
    is_off: bool,
    is_frozen: bool,
    lives: u64,
    running: Option<Running>,
    /// How the last process ended by itself.
    pub ended: Option<String>,
    pub last_unsound: Option<Instant>,
}

struct Running {
    tether: Tether,
    leave: mpsc::Sender<()>,
    begun: Option<Begun>,
}

/// An agent from when it has begun until it has said goodbye.
#[derive(Clone)]
struct Begun {
    mind: Arc<HostMind>,
    credentials: Credentials,
}

impl Machines {
    pub fn new(seed: u64, network: Network, hosts: Vec<Claims>) -> Arc<Self> {
        let papers = Papers::new(seed, &hosts.first().expect("a world of somebody").cluster);
        let all = hosts.into_iter().enumerate().map(|(place, claims)| Machine {
            place,
            id: claims.id(),
            issued: Mutex::new((1, Arc::new(papers.issue(&claims, (1, DAWN))))),
            claims,
            ip: ip_of(place),
            memory: Memory::default(),
            inside: Mutex::default(),
        });
        let all = all.collect();
        Arc::new(Self {
            seed,
            began: Instant::now(),
            network,
            desk: Desk::default(),
            all,
            papers,
            laws: Mutex::default(),
        })
    }

    /// Starts the agent where none runs and the machine is on.
    pub fn start(self: &Arc<Self>, place: usize) {
        let machine = &self.all[place];
        if machine.inside().is_off || machine.inside().running.is_some() {
            return;
        }
        let leaves = machine.begin_life();
        tokio::spawn(process(Arc::clone(self), place, leaves));
    }

    /// SIGKILL.
    pub fn kill(&self, place: usize) {
        let machine = &self.all[place];
        machine.memory.after_kill();
        self.end(machine);
    }

    /// The power goes, and with it the machine.
    pub fn power_off(&self, place: usize, seed: u64) {
        let machine = &self.all[place];
        machine.memory.after_power_loss(seed);
        machine.inside().is_off = true;
        self.end(machine);
    }

    /// The power is back; the agent starts with the machine.
    pub fn power_on(self: &Arc<Self>, place: usize) {
        self.all[place].inside().is_off = false;
        self.start(place);
    }

    /// SIGSTOP and SIGCONT.
    pub fn freeze(&self, place: usize, is_frozen: bool) {
        let machine = &self.all[place];
        let mut inside = machine.inside();
        if let Some(running) = &inside.running {
            if is_frozen {
                running.tether.freeze()
            } else {
                running.tether.thaw()
            }
            inside.is_frozen = is_frozen;
        }
        drop(inside);
        self.show_door(machine);
    }

    /// SIGTERM.
    pub fn leave(&self, place: usize) {
        if let Some(running) = &self.all[place].inside().running {
            // Two words wait already: it knows.
            running.leave.try_send(()).ok();
        }
    }

    /// A certificate with another key lies in the files from now on, and an agent that runs takes it into use, as on SIGHUP.
    pub async fn renew(&self, place: usize) {
        let machine = &self.all[place];
        let (nth, second) = (machine.issued().0 + 1, DAWN + self.began.elapsed().as_secs());
        let next = || self.papers.issue(&machine.claims, (nth, second));
        *machine.issued() = (nth, Arc::new(next()));
        if let Some((begun, tether)) = machine.begun() {
            let next = next();
            let taken = tether.spawn(async move { begun.credentials.take(next) }).await;
            let is_in_use = matches!(taken, Ok(Ok(Renewal::Other { has_other_key: true })));
            assert!(is_in_use, "{}: {taken:?}", machine.claims.host);
        }
    }

    /// The machine is made anew: whatever held it is gone, and its agent starts again.
    pub fn revive(self: &Arc<Self>, host: &HostId) {
        if let Some(machine) = self.all.iter().find(|machine| machine.id == *host) {
            self.kill(machine.place);
            self.power_on(machine.place);
        }
    }

    /// The ledger of whoever has come furthest.
    pub fn newest(&self) -> Arc<Ledger> {
        let views = self.all.iter().filter_map(Machine::view);
        views.max_by_key(|view| view.index()).unwrap_or_else(|| Arc::new(Ledger::new()))
    }

    /// Runs, and nothing stands between it and anybody.
    pub fn is_sound(&self, machine: &Machine) -> bool {
        let inside = machine.inside();
        let has_begun = inside.running.as_ref().is_some_and(|running| running.begun.is_some());
        has_begun && !inside.is_frozen && !self.network.is_hurt(machine.ip)
    }

    /// Since the world began.
    pub fn now(&self) -> Moment {
        Moment::from_milliseconds(milliseconds(self.began.elapsed()))
    }

    pub fn clock_of(&self, place: usize) -> HostClock {
        // No two machines were switched on at the same time.
        let ahead = Span::seconds(3_600 + 97 * place as u64);
        HostClock { began: self.began, ahead }
    }

    pub fn laws(&self) -> MutexGuard<'_, Laws> {
        self.laws.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, machine: &Machine) {
        let running = {
            let mut inside = machine.inside();
            inside.is_frozen = false;
            inside.running.take()
        };
        if let Some(running) = running {
            running.tether.cut();
        }
        self.show_door(machine);
    }

    fn show_door(&self, machine: &Machine) {
        let inside = machine.inside();
        let has_begun = inside.running.as_ref().is_some_and(|running| running.begun.is_some());
        let door = match (inside.is_off, inside.is_frozen, has_begun) {
            (true, _, _) => Door::Dark,
            (false, true, _) => Door::Accepts,
            (false, false, true) => Door::Answers,
            (false, false, false) => Door::Refuses,
        };
        self.network.set_door(machine.ip, door);
    }

    fn settings(&self, machine: &Machine) -> LifeSettings {
        let lives = machine.inside().lives;
        let words = [self.seed, machine.place as u64, lives].map(u64::to_le_bytes);
        let seed = Digest::of(&[b"a life", words.as_flattened()]).0;
        let seeds = (0..SEEDS.min(self.all.len()))
            .map(|place| Seed { host: ip_of(place).to_string(), port: PORT });
        LifeSettings {
            advertise: machine.address(),
            seeds: seeds.collect(),
            reach: Default::default(),
            client: None,
            transport: TransportSettings {
                wall_clock: Arc::new(WallClock(self.began)),
                ..TransportSettings::seeded(seed)
            },
        }
    }

    fn world_of(self: &Arc<Self>, machine: &Machine) -> life::World {
        let network = self.network.clone();
        let hands = Arc::new(Hands { machines: Arc::clone(self), healer: machine.place });
        let knocker = Knocker { network: network.clone(), from: machine.ip, agents_at: PORT };
        life::World {
            sockets: Arc::new(MemorySockets { network, address: machine.address() }),
            second_channel: Arc::new(knocker),
            home: Arc::new(machine.memory.clone()),
            clock: Arc::new(self.clock_of(machine.place)),
            actuator: hands.clone(),
            pager: hands,
        }
    }
}

impl Machine {
    pub fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its agent, while it runs, and the tether of its tasks.
    pub fn agent(&self) -> Option<(Arc<HostMind>, Tether)> {
        self.begun().map(|(begun, tether)| (begun.mind, tether))
    }

    /// The identity in its files.
    pub fn identity(&self) -> Arc<Identity> {
        Arc::clone(&self.issued().1)
    }

    /// The ledger as its agent knows it.
    pub fn view(&self) -> Option<Arc<Ledger>> {
        self.agent().map(|(mind, _)| mind.view())
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.ip, PORT)
    }

    fn begin_life(&self) -> mpsc::Receiver<()> {
        let (leave, leaves) = mpsc::channel(2);
        let mut inside = self.inside();
        inside.lives += 1;
        inside.running = Some(Running { tether: Tether::default(), leave, begun: None });
        leaves
    }

    fn begun(&self) -> Option<(Begun, Tether)> {
        let inside = self.inside();
        let running = inside.running.as_ref()?;
        Some((running.begun.clone()?, running.tether.clone()))
    }

    fn issued(&self) -> MutexGuard<'_, (u64, Arc<Identity>)> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, begun: Option<Begun>) {
        if let Some(running) = &mut self.inside().running {
            running.begun = begun;
        }
    }

    fn tether(&self) -> Option<Tether> {
        self.inside().running.as_ref().map(|running| running.tether.clone())
    }
}

/// One process of an agent, from its start to its end; whoever kills it has put the machine in order already.
async fn process(machines: Arc<Machines>, place: usize, mut leaves: mpsc::Receiver<()>) {
    let machine = &machines.all[place];
    let had_store = machine.memory.has_store();
    for _ in 0..LIVES_MAX {
        let Some(tether) = machine.tether() else { return };
        let life = tether.spawn(live(Arc::clone(&machines), place, leaves)).await;
        tether.cut();
        let why = match life {
            Err(fault) if fault.is_panic() => {
                machines.laws().breach(&format!("{}: an agent panics", machine.claims.host));
                "it panicked".to_owned()
            }
            Err(_) => return,
            Ok(Err(why)) => why,
            Ok(Ok(None)) => "it left".to_owned(),
            Ok(Ok(Some(end))) => match life::judge(end, &machine.memory, had_store) {
                Ok(()) => {
                    leaves = machine.begin_life();
                    continue;
                }
                Err(why) => why.to_string(),
            },
        };
        machine.inside().ended = Some(why);
        return machines.end(machine);
    }
    machine.inside().ended = Some("the mesh has refused all lives".to_owned());
    machines.end(machine);
}

async fn live(
    machines: Arc<Machines>,
    place: usize,
    leaves: mpsc::Receiver<()>,
) -> Result<Option<LifeEnd>, String> {
    let machine = &machines.all[place];
    let (settings, world) = (machines.settings(machine), machines.world_of(machine));
    let opened = life::open(&machine.identity(), settings, world).await;
    let (life, looping) = opened.map_err(|fault| fault.to_string())?.begin(leaves);
    let (mind, credentials) = (Arc::clone(&life.mind), life.credentials.clone());
    machine.show(Some(Begun { mind, credentials }));
    machines.show_door(machine);
    let end = looping.run().await;
    machine.show(None);
    machines.show_door(machine);
    life.close().await;
    Ok(end)
}

/// CLOCK_BOOTTIME of one machine.
#[derive(Clone, Copy)]
pub(crate) struct HostClock {
    began: Instant,
    ahead: Span,
}

impl Clock for HostClock {
    fn now(&self) -> Moment {
        Moment::from_milliseconds(milliseconds(self.began.elapsed())).after(self.ahead)
    }

    fn wall(&self) -> WallNote {
        WallNote(DAWN * 1_000 + milliseconds(self.began.elapsed()))
    }
}

/// The one wall clock of the world, for the dates of certificates.
#[derive(Debug)]
struct WallClock(Instant);

impl TimeProvider for WallClock {
    fn current_time(&self) -> Option<UnixTime> {
        let passed = std::time::Duration::from_secs(DAWN) + self.0.elapsed();
        Some(UnixTime::since_unix_epoch(passed))
    }
}

fn ip_of(place: usize) -> IpAddr {
    let (high, low) = (place / 250, place % 250 + 1);
    let byte = |number: usize| u8::try_from(number).expect("fewer than 64,000 machines");
    Ipv4Addr::new(10, 0, byte(high), byte(low)).into()
}
