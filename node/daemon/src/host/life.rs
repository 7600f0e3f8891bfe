//! One life of a host's agent, on whatever it is lent of the world: the real one in `start`, a virtual one in tests.
//!
//! Law D3: nothing is half-started: the agent says its first word of its own, and answers the first question, after the last
//! check; connections that others have begun by then end with it if that fails.
//! Law LF1: a life touches the world through its [`World`] alone, so that a test may hold all of it in its hand.
//! Not here: the real world's sockets, files and signals (see `start`), what the agent does (see `shell`).

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actuators::Actuator;
use agent::{Agent, LifeEnd};
use detection::watch::{RawSettings, Settings as WatchSettings};
use ledger::Ledger;
use ledger::bindings::FleetLockId;
use replication::{Clock, Follower, LedgerPort, Loaded, Opening, PortFault, Queue, tasks};
use tokio::sync::mpsc;
use vocabulary::{Address, HostId, HostName, StoreId};

use super::chronicle::Chronicle;
use super::credentials::Credentials;
use super::door::{Door, Line};
use super::folder::FolderFault;
use super::follow;
use super::hands::{Ended, Hands};
use super::home::Home;
use super::inquiry::Inquirer;
use super::keeping::{self, Keeping};
use super::mind::{HostMind, OwnSigner};
use super::pager::{Pager, PagerDoor};
use super::places::Places;
use super::raising;
use super::schedules;
use super::seeds::Seeds;
use super::shell::{Ears, Parts, Shell};
use super::store;
use super::watched::{self, Pulses, Works};
use crate::config::Seed;
use crate::identity::{Identity, RingVerifier};
use crate::second_channel::SecondChannel;
use crate::selfwatch::{MemoryBounds, SelfWatch, Sentry};
use crate::transport::{
    Bound, Incoming, Presence, Sockets, StartFault, Transport, TransportSettings,
};

/// Ends of calls that wait for the loop; the calls themselves are bounded by the mind.
const ENDS_MAX: usize = 4_096;

/// The ledger's store and the rest are closed within this after the goodbye.
const CLOSE_WITHIN: Duration = Duration::from_millis(800);

/// No host boots so often: who knows such a boot was lied to.
const BOOT_END: u64 = 1 << 63;

/// All that a life touches of the world.
#[derive(Clone)]
pub struct World {
    /// Its packets.
    pub sockets: Arc<dyn Sockets>,
    /// How it knocks at others.
    pub second_channel: Arc<dyn SecondChannel>,
    /// What outlives it.
    pub home: Arc<dyn Home>,
    /// CLOCK_BOOTTIME, and the wall clock for notes.
    pub clock: Arc<dyn Clock>,
    /// Its hands.
    pub actuator: Arc<dyn Actuator>,
    /// Its way to a person.
    pub pager: Arc<dyn PagerDoor>,
}

/// What a life is told.
#[derive(Clone)]
pub struct LifeSettings {
    /// Where others reach it.
    pub advertise: Address,
    /// Whom it asks first.
    pub seeds: Arc<[Seed]>,
    /// Hosts that are reached from here at another address than they advertise.
    pub reach: BTreeMap<HostName, Address>,
    /// The FleetLock client of this host, if it has one.
    pub client: Option<FleetLockId>,
    /// The figures of the transport, and all of this life's luck in its seed.
    pub transport: TransportSettings,
}

/// A life whose every check has passed; its agent has not begun.
pub struct Opened {
    identity: Arc<Identity>,
    settings: LifeSettings,
    world: World,
    watch: WatchSettings,
    kept: Option<Ledger>,
    presence: Presence,
    transport: Transport,
    incoming: mpsc::Receiver<Incoming>,
    port: Option<LedgerPort<Ledger>>,
}

/// What the rest of the process may hold of a life.
pub struct Life {
    /// How it presents itself.
    pub presence: Presence,
    /// The running host as its admin socket sees it.
    pub mind: Arc<HostMind>,
    /// Its identity in force, and the way in which another takes its place.
    pub credentials: Credentials,
    transport: Transport,
    port: Option<LedgerPort<Ledger>>,
    keeping: Keeping,
    /// For the tasks that only a real process has.
    pub(super) pulses: Pulses,
    own: SelfWatch,
    sentry: Option<Sentry>,
}

/// The loop of a life, which somebody must run.
pub struct LifeLoop {
    shell: Shell,
    ears: Ears,
}

/// Opens all that can fail because of the world. What fails most often fails before anything is written or sent, and the boot
/// is raised last of all: a number that was never lived is a riddle to whoever reads the audit.
pub async fn open(
    identity: &Arc<Identity>,
    settings: LifeSettings,
    world: World,
) -> Result<Opened, LifeFault> {
    let watch = RawSettings::default().check().map_err(|why| LifeFault::Watch(why.to_string()))?;
    let (figures, sockets) = (settings.transport.clone(), Arc::clone(&world.sockets));
    let bound =
        Bound::open(figures, Arc::clone(identity), sockets).map_err(LifeFault::Transport)?;
    let seed = settings.transport.seed;
    let kept = keeping::read(&*world.home, &identity.claims().cluster);
    let offered = StoreId(low(number(&seed, 16)).max(1));
    let store = store::open(identity, &*world.home, offered, kept.as_ref()).await?;
    let boot = world.home.begin_boot(number(&seed, 0)).map_err(LifeFault::Home)?;
    let store_id = store.as_ref().map(|(id, _)| *id);
    let presence = Presence { boot, address: settings.advertise, store: store_id };
    let (transport, incoming) = bound.start(presence).map_err(LifeFault::Transport)?;
    let port = match store {
        Some((_, loaded)) => Some(open_port(&transport, loaded, &world.clock).await?),
        None => None,
    };
    let identity = Arc::clone(identity);
    Ok(Opened { identity, settings, world, watch, kept, presence, transport, incoming, port })
}

impl Opened {
    /// How this life presents itself.
    pub fn presence(&self) -> Presence {
        self.presence
    }

    /// Puts the agent together; it lives as soon as its loop runs. `leave`: one word asks it to say goodbye, a second one
    /// ends it at once.
    pub fn begin(self, leave: mpsc::Receiver<()>) -> (Life, LifeLoop) {
        let agent = Agent::new(self.mind_settings());
        let door = Door::new(self.transport.clone(), self.port.clone(), self.follower());
        let pulses = Pulses::new();
        follow::start(&door, &self.world.home, &pulses);
        raising::start(&door, &pulses.raising);
        schedules::start(&door, &pulses.schedules);
        let home = Arc::clone(&self.world.home);
        let keeping = Keeping::start(door.state(), home, &pulses.keeping);
        let (ends, ended) = mpsc::channel(ENDS_MAX);
        let waiting = Queue::of_channel("ends of calls", &ends);
        let hands = self.hands(&door, ends);
        let (inquirer, inquiries) = Inquirer::new();
        let mut sentry = Sentry::new();
        let own = sentry.watched();
        let works = Works {
            transport: &self.transport,
            port: self.port.as_ref(),
            pager: &hands.pager,
            queues: [waiting, inquirer.queue()],
            pulses: &pulses,
        };
        watched::show(sentry.board(), works);
        tasks::spawn(watched::keep(own.clone(), door.clone(), self.transport.clone()));
        let known = (door.clone(), inquirer, self.transport.clone(), own.clone());
        let credentials = Credentials::new(Arc::clone(&self.identity), self.transport.clone());
        let renewals = credentials.renewals();
        let mind = Arc::new(HostMind::new(credentials.clone(), self.presence, known));
        let kept = Arc::new(self.kept.unwrap_or_default());
        let chronicle = Chronicle::of(self.identity.claims().clone(), kept);
        let clock = self.world.clock;
        let shell = Shell::new(Parts { agent, hands, clock, chronicle, own: own.clone() });
        let ears = Ears {
            incoming: self.incoming,
            ends: ended,
            inquiries,
            state: door.state(),
            leading: door.leading(),
            renewals,
            leave,
            orders: own.orders(),
        };
        let (presence, transport, port) = (self.presence, self.transport, self.port);
        let sentry = Some(sentry);
        let life =
            Life { presence, mind, credentials, transport, port, keeping, pulses, own, sentry };
        (life, LifeLoop { shell, ears })
    }

    /// The ledger as this host follows it, from what it has kept on.
    fn follower(&self) -> Follower {
        let (empty, verifier) = (Ledger::new(), Arc::new(RingVerifier));
        match &self.kept {
            Some(kept) => Follower::resumed(empty, verifier, kept.clone()),
            None => Follower::new(empty, verifier),
        }
    }

    fn mind_settings(&self) -> agent::Settings {
        let identity = &self.identity;
        agent::Settings {
            me: identity.host(),
            cluster: identity.claims().cluster.clone(),
            chain: identity.chain().clone(),
            boot: self.presence.boot,
            address: self.presence.address,
            store: self.presence.store,
            client: self.settings.client.clone(),
            signer: Arc::new(OwnSigner(Arc::clone(identity))),
            verifier: Arc::new(RingVerifier),
            membership: detection::membership::Settings::default(),
            watch: self.watch,
            ledger: Arc::new(self.kept.clone().unwrap_or_default()),
            seed: low(number(&self.settings.transport.seed, 8)),
        }
    }

    fn hands(&self, door: &Door, ends: mpsc::Sender<Ended>) -> Hands {
        let cluster = &self.identity.claims().cluster;
        let id = |name: &HostName| HostId::derive(cluster, name);
        let reach = self.settings.reach.iter();
        let fixed: BTreeMap<_, _> = reach.map(|(name, address)| (id(name), *address)).collect();
        for (host, address) in &fixed {
            self.transport.set_address(*host, *address);
        }
        let mut places = Places::new(fixed);
        // Where its own checks knock; others learn it from the roster.
        places.hear(id(&self.identity.claims().host), self.settings.advertise);
        Hands {
            transport: self.transport.clone(),
            door: door.clone(),
            second_channel: Arc::clone(&self.world.second_channel),
            places: Arc::new(Mutex::new(places)),
            actuator: Arc::clone(&self.world.actuator),
            pager: Pager::start(Arc::clone(&self.world.pager)),
            seeds: Seeds::new(&self.settings.seeds),
            ends,
        }
    }
}

impl LifeLoop {
    /// Runs until the agent has said goodbye, was told to end twice, or the mesh has another life of this host; says which.
    pub async fn run(self) -> Option<LifeEnd> {
        self.shell.run(self.ears).await
    }
}

impl Life {
    /// Has it watched by a thread of its own; a life in a test's virtual time is not.
    pub fn watch(&mut self, clock: Arc<dyn Clock>, bounds: MemoryBounds) -> io::Result<SelfWatch> {
        if let Some(sentry) = self.sentry.take() {
            sentry.begin(clock, bounds)?;
        }
        Ok(self.own.clone())
    }

    /// After its loop has ended: takes leave of the network and of the disk.
    pub async fn close(self) {
        self.own.over();
        self.transport.close().await;
        self.keeping.end().await;
        if let Some(port) = self.port
            && tokio::time::timeout(CLOSE_WITHIN, port.shutdown()).await.is_err()
        {
            tracing::warn!(
                "the ledger's store did not close in time; what was acknowledged is on disk"
            );
        }
        tracing::info!("agent has left");
    }
}

/// protocol 1.2: a life that the mesh has passed is over; whether another may begin. `had_store`: a store was there before the
/// first of these lives, and so may be as old as a boot number that the mesh has passed.
pub fn judge(end: LifeEnd, home: &dyn Home, had_store: bool) -> Result<(), LifeFault> {
    match end {
        LifeEnd::Another(known) => Err(LifeFault::Superseded(format!(
            "another machine lives under this host's name, in boot {}: a clone, or a snapshot that was restored; \
             stop one of the two, or, if there is only this one and its disk was lost, put a higher number into {}",
            known.number,
            home.boot_place()
        ))),
        LifeEnd::TooLow(known) if known.number >= BOOT_END => Err(LifeFault::Superseded(format!(
            "the mesh knows boot {} of this host, which no host reaches: retire it and enrol it under another name",
            known.number
        ))),
        // The store is as old as the number beside it: it may have forgotten votes and entries that others count on.
        LifeEnd::TooLow(known) if had_store => Err(LifeFault::Superseded(format!(
            "this disk was set back: the mesh knows boot {} of this host, and {} may have lost what it has acknowledged. \
             It must not vote; move it away",
            known.number,
            home.store_place()
        ))),
        LifeEnd::TooLow(known) => {
            tracing::warn!(
                boot = known.number,
                "this disk is older than what the mesh knows of this host: it begins a new life above that boot"
            );
            home.raise_to(known.number).map_err(LifeFault::Home)
        }
    }
}

async fn open_port(
    transport: &Transport,
    loaded: Loaded<Ledger>,
    clock: &Arc<dyn Clock>,
) -> Result<LedgerPort<Ledger>, LifeFault> {
    let opening = Opening {
        host: transport.host(),
        loaded,
        link: Arc::new(Line(transport.clone())),
        clock: Arc::clone(clock),
        settings: replication::Settings::default(),
    };
    LedgerPort::open(opening).await.map_err(LifeFault::Raft)
}

/// Sixteen bytes of the seed as a number.
fn number(seed: &[u8; 32], from: usize) -> u128 {
    seed.iter().skip(from).take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

fn low(number: u128) -> u64 {
    u64::try_from(number & u128::from(u64::MAX)).expect("the low half fits")
}

/// Why a life cannot begin, or none may follow it. Nothing was sent; the boot number is raised only where Raft alone failed.
#[derive(Debug)]
pub enum LifeFault {
    /// Port or certificate cannot be used.
    Transport(StartFault),
    /// The ledger's store cannot be opened.
    Store {
        /// Where it is.
        place: String,
        /// What it said.
        why: String,
    },
    /// The boot number cannot be raised.
    Home(FolderFault),
    /// Raft does not start on what the store holds.
    Raft(PortFault),
    /// The figures of watching contradict one another.
    Watch(String),
    /// The mesh has another life of this host, and this one must not go on.
    Superseded(String),
}

impl fmt::Display for LifeFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(fault) => write!(out, "{fault}"),
            Self::Store { place, why } => {
                write!(out, "cannot open the ledger's store {place}: {why}")
            }
            Self::Home(fault) => write!(out, "{fault}"),
            Self::Raft(fault) => write!(out, "{fault}"),
            Self::Watch(why) | Self::Superseded(why) => write!(out, "{why}"),
        }
    }
}

impl std::error::Error for LifeFault {}
