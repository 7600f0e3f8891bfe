//! The start of a host's agent: everything is checked before anything is begun, and each fault is one line with its own
//! exit code (CLI: 78 configuration, 77 permission, 71 port or system, 74 disk); 76 where the mesh has another life of the host.
//!
//! Law D3 (see `life`): nothing is half-started.
//! Not here: what is started, on whatever world (see `life`), and what the agent does then (see `shell`).

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actuators::CommandActuator;
use agent::LifeEnd;
use replication::{Clock, tasks};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use super::clock::HostClock;
use super::folder::{Folder, FolderFault};
use super::life::{self, LifeFault, LifeSettings, World};
use super::pager::GuardedCommand;
use super::renewing::Renewing;
use crate::admin::mind::Mind;
use crate::admin::socket::{Socket, SocketFault};
use crate::command_line::{CommandFault, Exit};
use crate::config::{Config, LogFormat, LogLevel};
use crate::fleetlock::Listener;
use crate::identity::{Identity, IdentityFiles};
use crate::poison::{Quarantine, hook};
use crate::second_channel::{Doorbell, TcpKnock};
use crate::selfwatch::MemoryBounds;
use crate::transport::{StartFault, TransportSettings, UdpSockets, system_seed};

/// Words to leave that wait for the loop: the second one ends it, and a third says nothing new.
const LEAVES_MAX: usize = 2;

/// Lives of one process: the first, and one above what the mesh knows; a third where a clone was faster. Beyond that two
/// machines drive one another's number up.
const LIVES_MAX: usize = 3;

/// A thread that reads or writes a file, or asks a resolver, has this much longer: what it was to write lies on the disk whole, or
/// is fetched anew (law KE1 in `keeping`).
const HELD_UP_AT_MOST: Duration = Duration::from_millis(500);

/// Runs the agent of one host until it is told to end.
pub fn run(config: &Config) -> Result<(), CommandFault> {
    run_by(config, &(Arc::new(HostClock) as Arc<dyn Clock>))
}

/// The same by a clock that is lent to it.
pub fn run_by(config: &Config, clock: &Arc<dyn Clock>) -> Result<(), CommandFault> {
    log_as(config.log.format, config.log.level);
    let files = identity_files(config);
    let identity = Identity::load(&files, crate::moments::now()).map_err(|fault| {
        let exit = if fault.is_permission() { Exit::Permission } else { Exit::Configuration };
        CommandFault::new(exit, fault)
    })?;
    let folder = Arc::new(Folder::open(&config.storage).map_err(folder_fault)?);
    // A store that was on the disk before this process began may be as old as a boot number that the mesh has passed.
    let had_store = folder.store().exists();
    let identity = Arc::new(identity);
    hook::arm(folder.poison());
    for _ in 0..LIVES_MAX {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|why| CommandFault::new(Exit::System, format!("no runtime: {why}")))?;
        let ended = runtime.block_on(live(config, &identity, (&folder, clock)));
        // Dropped, it would wait for every thread that a file system or a resolver holds up.
        runtime.shutdown_timeout(HELD_UP_AT_MOST);
        match ended? {
            None => return Ok(()),
            Some(end) => {
                life::judge(end, &*folder, had_store).map_err(|fault| life_fault(config, fault))?
            }
        }
    }
    let why =
        format!("the mesh has refused {LIVES_MAX} lives of this host, each for a higher boot");
    Err(CommandFault::new(Exit::Superseded, why))
}

fn identity_files(config: &Config) -> IdentityFiles {
    IdentityFiles {
        certificate: config.identity.certificate.clone(),
        key: config.identity.key.clone(),
        authority: config.identity.authority.clone(),
        cluster: None,
    }
}

async fn live(
    config: &Config,
    identity: &Arc<Identity>,
    (folder, clock): (&Arc<Folder>, &Arc<dyn Clock>),
) -> Result<Option<LifeEnd>, CommandFault> {
    let program = std::env::current_exe().map_err(|why| {
        CommandFault::new(Exit::System, format!("cannot find this very program: {why}"))
    })?;
    let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
    let signals = (signal(terminate).map_err(no_signals)?, signal(interrupt).map_err(no_signals)?);
    let hangup = signal(SignalKind::hangup()).map_err(no_signals)?;
    let socket = Socket::bind(&config.admin).map_err(socket_fault)?;
    let bell = Doorbell::open(config.agent.bind).map_err(|why| port_fault(config, &why))?;
    let fleetlock = fleetlock(config, identity).await?;
    let world = world(config, (folder, clock), program);
    let opened = life::open(identity, settings(config, folder), world).await;
    let opened = opened.map_err(|fault| life_fault(config, fault))?;
    let (stop, presence) = (CancellationToken::new(), opened.presence());
    tasks::spawn(bell.answer(presence.boot, stop.clone()));
    let (mut life, looping) = opened.begin(leaves(signals, stop.clone()));
    let bounds = MemoryBounds { ceiling: config.limits.memory_max };
    let own = life.watch(Arc::clone(clock), bounds).map_err(|why| {
        CommandFault::new(Exit::System, format!("no thread for the self-watch: {why}"))
    })?;
    let mind = Arc::clone(&life.mind);
    let credentials = life.credentials.clone();
    let pulse = Arc::clone(&life.pulses.renewing);
    let (renewer, renewing) = Renewing::of(identity_files(config), credentials, own.clone(), pulse);
    mind.reads_through(renewer);
    let renewing = tasks::spawn(life.pulses.renewing.of_task(renewing.run(hangup)));
    let clients =
        fleetlock.map(|door| tasks::spawn(door.serve(Arc::clone(&mind) as Arc<dyn Mind>)));
    let serving = crate::admin::server::serve(socket, config.admin.clone(), mind);
    let admin = tasks::spawn(life.pulses.admin.of_task(serving));
    let (host, bind) = (&identity.claims().host, config.agent.bind);
    tracing::info!(%host, boot = presence.boot.number, %bind, "agent is up");
    let end = looping.run().await;
    // What ends from here on ends by intent.
    own.over();
    stop.cancel();
    admin.abort();
    renewing.abort();
    // The next life binds the same path and port.
    let _ = admin.await;
    if let Some(clients) = clients {
        clients.abort();
        let _ = clients.await;
    }
    life.close().await;
    if own.orders().borrow().end {
        let why = "it held more memory than limits.memory_max lets it, for no reason that it could mend: it ends to be started anew";
        return Err(CommandFault::new(Exit::Exhausted, why));
    }
    Ok(end)
}

/// Law FL1: whoever reaches it is taken for this host, but on a keeper's.
async fn fleetlock(config: &Config, identity: &Identity) -> Result<Option<Listener>, CommandFault> {
    let Some(listen) = config.fleetlock.listen else {
        return Ok(None);
    };
    let is_keeper = identity.claims().roles.keeper;
    if !is_keeper && !listen.ip().is_loopback() {
        let why = format!(
            "fleetlock.listen: {listen}, expected a loopback address: on a host that is no keeper whoever asks there is taken for this host"
        );
        return Err(CommandFault::new(Exit::Configuration, why));
    }
    let opened = Listener::open(listen).await.map_err(|why| {
        let exit = match why.kind() {
            io::ErrorKind::PermissionDenied => Exit::Permission,
            _ => Exit::System,
        };
        CommandFault::new(exit, format!("cannot listen at {listen} (fleetlock.listen): {why}"))
    });
    opened.map(Some)
}

fn settings(config: &Config, folder: &Folder) -> LifeSettings {
    let quarantine = Quarantine::read(&folder.poison());
    quarantine.sentences().for_each(|sentence| tracing::warn!("{sentence}"));
    LifeSettings {
        advertise: config.agent.advertise,
        seeds: config.agent.seeds.clone().into(),
        reach: config.reach.clone(),
        client: config.fleetlock.client.clone(),
        transport: TransportSettings {
            connections_max: usize::try_from(config.limits.connections_max).unwrap_or(usize::MAX),
            quarantine: Arc::new(quarantine),
            ..TransportSettings::seeded(system_seed())
        },
    }
}

/// The real one. `program` is the binary that has the verb `guard`.
fn world(
    config: &Config,
    (folder, clock): (&Arc<Folder>, &Arc<dyn Clock>),
    program: PathBuf,
) -> World {
    World {
        sockets: Arc::new(UdpSockets::new(config.agent.bind)),
        second_channel: Arc::new(TcpKnock),
        home: folder.clone(),
        clock: Arc::clone(clock),
        actuator: Arc::new(CommandActuator::new(program.clone())),
        pager: Arc::new(GuardedCommand::of(program)),
    }
}

/// Each SIGTERM or SIGINT is one word to leave.
fn leaves(signals: (Signal, Signal), stop: CancellationToken) -> mpsc::Receiver<()> {
    let (leave, leaves) = mpsc::channel(LEAVES_MAX);
    let (mut terminate, mut interrupt) = signals;
    tasks::spawn(async move {
        loop {
            let heard = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                heard = terminate.recv() => heard,
                heard = interrupt.recv() => heard,
            };
            if heard.is_none() {
                return;
            }
            // A third word while two wait says nothing new.
            leave.try_send(()).ok();
        }
    });
    leaves
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

fn life_fault(config: &Config, fault: LifeFault) -> CommandFault {
    match fault {
        LifeFault::Transport(fault) => start_fault(config, &fault),
        LifeFault::Home(fault) => folder_fault(fault),
        LifeFault::Store { .. } => CommandFault::new(Exit::Disk, fault),
        LifeFault::Raft(fault) => CommandFault::new(Exit::Disk, fault),
        LifeFault::Watch(why) => CommandFault::new(Exit::Configuration, why),
        LifeFault::Superseded(why) => CommandFault::new(Exit::Superseded, why),
    }
}

fn folder_fault(fault: FolderFault) -> CommandFault {
    let exit = match &fault {
        FolderFault::Unusable { why, .. } if why.kind() == io::ErrorKind::PermissionDenied => {
            Exit::Permission
        }
        FolderFault::Unusable { .. } => Exit::Disk,
        FolderFault::Aside(_) => Exit::Disk,
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
