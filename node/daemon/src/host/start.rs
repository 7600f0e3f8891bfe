//! The start of a host's agent: everything is checked before anything is begun, and each fault is one line with its own
//! exit code (CLI: 78 configuration, 77 permission, 71 port or system, 74 disk); 76 where the mesh has another life of the host.
//!
//! Law D3: nothing is half-started: the first packet is sent after the last check.
//! Not here: what the agent does then (see `shell`).

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actuators::CommandActuator;
use agent::{Agent, LifeEnd};
use ledger::Ledger;
use replication::{FileDisk, Follower, LedgerPort, Loaded, Opening, Store, StoreFault};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use vocabulary::{HostId, HostName, StoreId};

use super::chronicle::Chronicle;
use super::clock::HostClock;
use super::door::{Door, Line};
use super::folder::{Folder, FolderFault};
use super::follow;
use super::hands::Hands;
use super::inquiry::Inquirer;
use super::pager::Pager;
use super::places::Places;
use super::shell::{Ears, Shell};
use crate::admin::socket::{Socket, SocketFault};
use crate::command_line::{CommandFault, Exit};
use crate::config::{Config, LogFormat, LogLevel};
use crate::identity::{Identity, IdentityFiles, RingVerifier};
use crate::second_channel::{Doorbell, TcpKnock};
use crate::transport::{
    Bound, Incoming, Presence, StartFault, Transport, TransportSettings, UdpSockets, system_seed,
};

/// Ends of calls that wait for the loop; the calls themselves are bounded by the mind.
const ENDS_MAX: usize = 4_096;

/// Lives of one process: the first, and one above what the mesh knows; a third where a clone was faster. Beyond that two
/// machines drive one another's number up.
const LIVES_MAX: usize = 3;

/// No host boots so often: who knows such a boot was lied to.
const BOOT_END: u64 = 1 << 63;

/// The ledger's store and the rest are closed within this after the goodbye.
const CLOSE_WITHIN: Duration = Duration::from_millis(800);

/// Runs the agent of one host until it is told to end.
pub fn run(config: &Config) -> Result<(), CommandFault> {
    log_as(config.log.format, config.log.level);
    let files = IdentityFiles {
        certificate: config.identity.certificate.clone(),
        key: config.identity.key.clone(),
        authority: config.identity.authority.clone(),
        cluster: None,
    };
    let identity = Identity::load(&files, crate::moments::now()).map_err(|fault| {
        let exit = if fault.is_permission() { Exit::Permission } else { Exit::Configuration };
        CommandFault::new(exit, fault)
    })?;
    let folder = Folder::open(&config.storage).map_err(folder_fault)?;
    // A store that was on the disk before this process began may be as old as a boot number that the mesh has passed.
    let had_store = folder.store().exists();
    let identity = Arc::new(identity);
    for _ in 0..LIVES_MAX {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|why| CommandFault::new(Exit::System, format!("no runtime: {why}")))?;
        match runtime.block_on(live(config, &identity, &folder))? {
            None => return Ok(()),
            Some(end) => judge(end, &folder, had_store)?,
        }
    }
    Err(superseded(format!(
        "the mesh has refused {LIVES_MAX} lives of this host, each for a higher boot"
    )))
}

/// protocol 1.2: a life that the mesh has passed is over; whether another may begin.
fn judge(end: LifeEnd, folder: &Folder, had_store: bool) -> Result<(), CommandFault> {
    match end {
        LifeEnd::Another(known) => Err(superseded(format!(
            "another machine lives under this host's name, in boot {}: a clone, or a snapshot that was restored; \
             stop one of the two, or, if there is only this one and its disk was lost, put a higher number into {}",
            known.number,
            folder.boot_file().display()
        ))),
        LifeEnd::TooLow(known) if known.number >= BOOT_END => Err(superseded(format!(
            "the mesh knows boot {} of this host, which no host reaches: retire it and enrol it under another name",
            known.number
        ))),
        // The store is as old as the number beside it: it may have forgotten votes and entries that others count on.
        LifeEnd::TooLow(known) if had_store => Err(superseded(format!(
            "this disk was set back: the mesh knows boot {} of this host, and {} may have lost what it has acknowledged. \
             It must not vote; move it away",
            known.number,
            folder.store().display()
        ))),
        LifeEnd::TooLow(known) => {
            tracing::warn!(
                boot = known.number,
                "this disk is older than what the mesh knows of this host: it begins a new life above that boot"
            );
            folder.raise_to(known.number).map_err(folder_fault)
        }
    }
}

fn superseded(why: String) -> CommandFault {
    CommandFault::new(Exit::Superseded, why)
}

async fn live(
    config: &Config,
    identity: &Arc<Identity>,
    folder: &Folder,
) -> Result<Option<LifeEnd>, CommandFault> {
    let seed = system_seed();
    let program = std::env::current_exe().map_err(|why| {
        CommandFault::new(Exit::System, format!("cannot find this very program: {why}"))
    })?;
    let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
    let signals = (signal(terminate).map_err(no_signals)?, signal(interrupt).map_err(no_signals)?);
    let watch = watch_settings()?;
    let Open { socket, bell, presence, transport, incoming, port } =
        open(config, identity, (folder, &seed)).await?;
    let agent = Agent::new(mind_settings(identity, presence, (watch, &seed)));
    let stop = CancellationToken::new();
    tokio::spawn(bell.answer(presence.boot, stop.clone()));
    let follower = Follower::new(Ledger::new(), Arc::new(RingVerifier));
    let door = Door::new(transport.clone(), port.clone(), follower);
    follow::start(&door);
    let (ends, ended) = mpsc::channel(ENDS_MAX);
    let hands = hands(config, identity, (&transport, &door, program), ends);
    let (inquirer, inquiries) = Inquirer::new();
    let known = (door.clone(), inquirer, transport.clone());
    let mind = Arc::new(super::mind::HostMind::new(identity, presence, known));
    let admin = tokio::spawn(crate::admin::server::serve(socket, config.admin.clone(), mind));
    let ears = Ears {
        incoming,
        ends: ended,
        inquiries,
        state: door.state(),
        leading: door.leading(),
        terminate: signals.0,
        interrupt: signals.1,
    };
    let (host, bind) = (&identity.claims().host, config.agent.bind);
    tracing::info!(%host, boot = presence.boot.number, %bind, "agent is up");
    let chronicle = Chronicle::of(identity.claims().clone());
    let end = Shell::new(agent, hands, (HostClock, chronicle)).run(ears).await;
    stop.cancel();
    admin.abort();
    // The next life binds the same path.
    let _ = admin.await;
    close(&transport, port).await;
    Ok(end)
}

/// All that can fail because of the world, opened.
struct Open {
    socket: Socket,
    bell: Doorbell,
    presence: Presence,
    transport: Transport,
    incoming: mpsc::Receiver<Incoming>,
    port: Option<LedgerPort<Ledger>>,
}

/// law D3: what fails most often fails before anything is written or sent, and the boot is raised last of all: a number that
/// was never lived is a riddle to whoever reads the audit.
async fn open(
    config: &Config,
    identity: &Arc<Identity>,
    (folder, seed): (&Folder, &[u8; 32]),
) -> Result<Open, CommandFault> {
    let socket = Socket::bind(&config.admin).map_err(socket_fault)?;
    let bell = Doorbell::open(config.agent.bind).map_err(|why| port_fault(config, &why))?;
    let sockets = Arc::new(UdpSockets::new(config.agent.bind));
    let settings = TransportSettings {
        connections_max: usize::try_from(config.limits.connections_max).unwrap_or(usize::MAX),
        ..TransportSettings::seeded(*seed)
    };
    let bound = Bound::open(settings, Arc::clone(identity), sockets)
        .map_err(|fault| start_fault(config, &fault))?;
    let store = open_store(identity, folder, seed).await?;
    let boot = folder.begin_boot(number(seed, 0)).map_err(folder_fault)?;
    let store_id = store.as_ref().map(|(id, _)| *id);
    let presence = Presence { boot, address: config.agent.advertise, store: store_id };
    let (transport, incoming) =
        bound.start(presence).map_err(|fault| start_fault(config, &fault))?;
    let port = match store {
        Some((_, loaded)) => Some(open_port(&transport, loaded).await?),
        None => None,
    };
    Ok(Open { socket, bell, presence, transport, incoming, port })
}

async fn close(transport: &Transport, port: Option<LedgerPort<Ledger>>) {
    transport.close().await;
    if let Some(port) = port
        && tokio::time::timeout(CLOSE_WITHIN, port.shutdown()).await.is_err()
    {
        tracing::warn!(
            "the ledger's store did not close in time; what was acknowledged is on disk"
        );
    }
    tracing::info!("agent has left");
}

/// Only a host whose certificate says keeper has a store; all that is in it is read and checked before anything is sent.
async fn open_store(
    identity: &Identity,
    folder: &Folder,
    seed: &[u8; 32],
) -> Result<Option<(StoreId, Loaded<Ledger>)>, CommandFault> {
    if !identity.claims().roles.keeper {
        return Ok(None);
    }
    let path = folder.store();
    let fault = |why: String| {
        CommandFault::new(
            Exit::Disk,
            format!("cannot open the ledger's store {}: {why}", path.display()),
        )
    };
    let disk = FileDisk::open(&path).map_err(|why| fault(why.to_string()))?;
    let offered = StoreId(low(number(seed, 16)).max(1));
    let opened = Store::open(Arc::new(disk), offered).await;
    let store = opened.map_err(|why: StoreFault| fault(why.to_string()))?;
    let id = store.id();
    let loaded = Loaded::read(store, Arc::new(RingVerifier), Ledger::new()).await;
    loaded.map(|loaded| Some((id, loaded))).map_err(|why| fault(why.to_string()))
}

async fn open_port(
    transport: &Transport,
    loaded: Loaded<Ledger>,
) -> Result<LedgerPort<Ledger>, CommandFault> {
    let opening = Opening {
        host: transport.host(),
        loaded,
        link: Arc::new(Line(transport.clone())),
        clock: Arc::new(HostClock),
        settings: replication::Settings::default(),
    };
    LedgerPort::open(opening).await.map_err(|fault| CommandFault::new(Exit::Disk, fault))
}

fn hands(
    config: &Config,
    identity: &Identity,
    (transport, door, program): (&Transport, &Door, PathBuf),
    ends: mpsc::Sender<(agent::CallId, agent::CallEnd)>,
) -> Hands {
    let cluster = &identity.claims().cluster;
    let id = |name: &HostName| HostId::derive(cluster, name);
    let fixed: BTreeMap<_, _> =
        config.reach.iter().map(|(name, address)| (id(name), *address)).collect();
    for (host, address) in &fixed {
        transport.set_address(*host, *address);
    }
    Hands {
        transport: transport.clone(),
        door: door.clone(),
        second_channel: Arc::new(TcpKnock),
        places: Arc::new(Mutex::new(Places::new(fixed))),
        actuator: Arc::new(CommandActuator::new(program.clone())),
        pager: Pager::start(program),
        seeds: config.agent.seeds.clone().into(),
        ends,
    }
}

fn mind_settings(
    identity: &Arc<Identity>,
    presence: Presence,
    (watch, seed): (detection::watch::Settings, &[u8; 32]),
) -> agent::Settings {
    agent::Settings {
        me: identity.host(),
        cluster: identity.claims().cluster.clone(),
        chain: identity.chain().clone(),
        boot: presence.boot,
        address: presence.address,
        store: presence.store,
        signer: Arc::new(super::mind::OwnSigner(Arc::clone(identity))),
        verifier: Arc::new(RingVerifier),
        membership: detection::membership::Settings::default(),
        watch,
        ledger: Arc::new(Ledger::new()),
        seed: low(number(seed, 8)),
    }
}

fn watch_settings() -> Result<detection::watch::Settings, CommandFault> {
    let checked = detection::watch::RawSettings::default().check();
    checked.map_err(|fault| CommandFault::new(Exit::Configuration, fault))
}

fn log_as(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    // Libraries say little of use to an operator below a warning. openraft's replication tells of a keeper that does not answer
    // with every heartbeat, ten lines a second, and its core with every vote: that a keeper is gone, observers and the ledger say
    // once; that a store has failed, and so Raft with it, `replication` says itself.
    let filter = EnvFilter::new(format!(
        "warn,daemon={level},agent={level},replication={level},openraft=error,openraft::replication=off,openraft::core::raft_core=off"
    ));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // Fails only where a test has set another one; that one stays.
    let _ = match format {
        LogFormat::Readable => lines.with_ansi(false).with_target(false).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
}

fn folder_fault(fault: FolderFault) -> CommandFault {
    let exit = match &fault {
        FolderFault::Unusable { why, .. } if why.kind() == io::ErrorKind::PermissionDenied => {
            Exit::Permission
        }
        FolderFault::Unusable { .. } => Exit::Disk,
        FolderFault::Held(_) => Exit::System,
        FolderFault::BootFile { .. } => Exit::Configuration,
    };
    CommandFault::new(exit, fault)
}

fn socket_fault(fault: SocketFault) -> CommandFault {
    let exit = match &fault {
        SocketFault::Unusable { why, .. } if why.kind() == io::ErrorKind::PermissionDenied => {
            Exit::Permission
        }
        SocketFault::Unusable { .. } | SocketFault::Held(_) | SocketFault::NoSocket(_) => {
            Exit::System
        }
    };
    CommandFault::new(exit, fault)
}

fn port_fault(config: &Config, why: &io::Error) -> CommandFault {
    let exit = match why.kind() {
        io::ErrorKind::PermissionDenied => Exit::Permission,
        _ => Exit::System,
    };
    let bind = config.agent.bind;
    CommandFault::new(
        exit,
        format!("cannot listen at {bind} (agent.bind): {why}; is another agent running?"),
    )
}

fn start_fault(config: &Config, fault: &StartFault) -> CommandFault {
    match fault {
        StartFault::Socket { why, .. } => port_fault(config, why),
        StartFault::Tls(why) => {
            CommandFault::new(Exit::Configuration, format!("the certificate cannot be used: {why}"))
        }
    }
}

fn no_signals(why: io::Error) -> CommandFault {
    CommandFault::new(Exit::System, format!("cannot listen for signals: {why}"))
}

/// Sixteen bytes of the seed as a number.
fn number(seed: &[u8; 32], from: usize) -> u128 {
    seed.iter().skip(from).take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

fn low(number: u128) -> u64 {
    u64::try_from(number & u128::from(u64::MAX)).expect("the low half fits")
}
