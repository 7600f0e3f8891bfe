//! The demo's hosts: their folder, certificates, relays and agents, and what can be done to them from outside.
//!
//! Law F1: an agent is dialled only through relays, and its relays refuse from the moment it is dead until it listens again.
//! Law F2: one thing at a time is done to one host, so that a kill of the story and a start by a remedy never mix.
//! Not here: why anything is done (see `acts`, `starter`).

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::{self, Instant};

use super::links::Links;
use super::plan::{CLUSTER, Files, HOSTS, HOSTS_COUNT, Place, Reached};
use super::ports;
use super::process::Process;
use crate::authority::{self, Term};

/// Longer than the 30 days before its end from which an agent warns of it.
const CERTIFICATE_DAYS: u32 = 90;

/// An agent that does not listen within this has a fault that more waiting would not mend.
const LISTENS_WITHIN: Duration = Duration::from_secs(10);

/// How often we look whether it listens: a knock on loopback costs microseconds.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How much of a log is told when an agent did not start: its last words, on a few lines.
const LAST_WORDS_BYTES: usize = 600;

/// Why a host of the demo could not be made or started; the sentence says where to look.
#[derive(Debug)]
pub struct FleetFault(String);

/// Six hosts.
pub struct Fleet {
    folder: PathBuf,
    program: PathBuf,
    addresses: [SocketAddr; HOSTS_COUNT],
    links: Arc<Links>,
    agents: [Mutex<Option<Process>>; HOSTS_COUNT],
}

impl Fleet {
    /// Makes folder, authority, certificates, relays and configurations; no agent runs yet.
    pub async fn lay(folder: &Path, program: &Path) -> Result<Self, FleetFault> {
        let mut addresses = [SocketAddr::from(([127, 0, 0, 1], 0)); HOSTS_COUNT];
        for address in &mut addresses {
            *address = ports::free().map_err(FleetFault::of("find a free port"))?;
        }
        let links = Links::between(&addresses).await.map_err(FleetFault::of("open the relays"))?;
        let fleet = Self {
            folder: folder.into(),
            program: program.into(),
            addresses,
            links: Arc::new(links),
            agents: Default::default(),
        };
        fleet.found_authority()?;
        for place in 0..HOSTS_COUNT {
            fleet.furnish(place)?;
        }
        Ok(fleet)
    }

    /// The links between the hosts.
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// Where a host's agent listens; those who dial it go through its relays.
    pub fn address(&self, place: Place) -> SocketAddr {
        self.addresses[place]
    }

    /// Where a host's files lie.
    pub fn files(&self, place: Place) -> Files {
        Files::of(&self.folder, &HOSTS[place])
    }

    /// Starts an agent that does not run, and returns its process id when it listens.
    pub async fn start(&self, place: Place) -> Result<u32, FleetFault> {
        let mut agent = self.agents[place].lock().await;
        self.start_in(&mut agent, place).await
    }

    /// Ends what is left of the agent, brings its host back to the network, and starts the agent anew.
    pub async fn start_anew(&self, place: Place) -> Result<u32, FleetFault> {
        let mut agent = self.agents[place].lock().await;
        end(agent.take(), Signal::KILL).await?;
        self.links
            .host_returns(place)
            .await
            .map_err(FleetFault::of("bring the host back to the network"))?;
        self.start_in(&mut agent, place).await
    }

    /// SIGKILL: the agent dies, its host lives on.
    pub async fn kill(&self, place: Place) -> Result<(), FleetFault> {
        let mut agent = self.agents[place].lock().await;
        end(agent.take(), Signal::KILL).await
    }

    /// SIGSTOP: the agent stands still and its kernel goes on accepting.
    pub async fn stop(&self, place: Place) -> Result<(), FleetFault> {
        self.signal(place, Signal::STOP).await
    }

    /// SIGCONT: a stopped agent goes on where it stood.
    pub async fn go_on(&self, place: Place) -> Result<(), FleetFault> {
        self.signal(place, Signal::CONT).await
    }

    async fn signal(&self, place: Place, signal: Signal) -> Result<(), FleetFault> {
        let agent = self.agents[place].lock().await;
        agent
            .as_ref()
            .map_or(Ok(()), |agent| agent.signal(signal).map_err(FleetFault::of("signal an agent")))
    }

    /// The process id of a host's agent, if one runs.
    pub async fn process_of(&self, place: Place) -> Option<u32> {
        let agent = self.agents[place].lock().await;
        let running = agent.as_ref().filter(|agent| !agent.has_ended());
        running.map(Process::id)
    }

    /// Ends every agent and returns when none runs.
    pub async fn end(&self) -> Result<(), FleetFault> {
        let mut last = Ok(());
        for agent in &self.agents {
            let ended = end(agent.lock().await.take(), Signal::KILL).await;
            last = last.and(ended);
        }
        last
    }

    async fn start_in(&self, agent: &mut Option<Process>, place: Place) -> Result<u32, FleetFault> {
        if let Some(running) = agent.as_ref().filter(|agent| !agent.has_ended()) {
            return Ok(running.id());
        }
        let files = self.files(place);
        let config = files.config();
        let arguments = [OsStr::new("agent"), OsStr::new("--config"), config.as_os_str()];
        let links = self.links.clone();
        let then = async move {
            // A relay that does not turn belongs to a fleet that is being dropped.
            let _ = links.agent_died(place).await;
        };
        let started = Process::start(&self.program, &arguments, &files.log(), then)
            .map_err(FleetFault::of("start an agent"))?;
        let id = started.id();
        self.listens(place, &started).await?;
        *agent = Some(started);
        Ok(id)
    }

    /// Returns when the agent accepts connections on its own address, and lets its relays carry.
    async fn listens(&self, place: Place, agent: &Process) -> Result<(), FleetFault> {
        let until = Instant::now() + LISTENS_WITHIN;
        while TcpStream::connect(self.addresses[place]).await.is_err() {
            if agent.has_ended() || Instant::now() > until {
                return Err(self.did_not_start(place));
            }
            time::sleep(LOOK_EVERY).await;
        }
        self.links.agent_lives(place).await.map_err(FleetFault::of("open the relays of a host"))
    }

    fn did_not_start(&self, place: Place) -> FleetFault {
        let log = self.files(place).log();
        let said = fs::read(&log).unwrap_or_default();
        let from = said.len().saturating_sub(LAST_WORDS_BYTES);
        FleetFault(format!(
            "the agent of {} did not start; the end of {}:\n{}",
            HOSTS[place].name,
            log.display(),
            String::from_utf8_lossy(&said[from..]).trim_end()
        ))
    }

    fn authority(&self) -> PathBuf {
        self.folder.join("authority")
    }

    fn found_authority(&self) -> Result<(), FleetFault> {
        let cluster = vocabulary::ClusterName::new(CLUSTER).map_err(FleetFault::of("name it"))?;
        authority::init(&cluster, &self.authority(), Term::from_now(CERTIFICATE_DAYS))
            .map(drop)
            .map_err(FleetFault::of("found the authority"))
    }

    fn furnish(&self, place: Place) -> Result<(), FleetFault> {
        let (files, host) = (self.files(place), HOSTS[place]);
        let claims = host.claims().map_err(FleetFault::of("name a host"))?;
        let term = Term::from_now(CERTIFICATE_DAYS);
        authority::issue(&claims, &self.authority(), files.folder(), term)
            .map_err(FleetFault::of("issue a certificate"))?;
        let write = || -> io::Result<()> {
            let mut private = fs::DirBuilder::new();
            private.mode(0o700).create(files.storage())?;
            fs::write(files.config(), files.config_text(&self.reached_from(place)))
        };
        write().map_err(FleetFault::of("write a host's files"))
    }

    fn reached_from(&self, place: Place) -> Reached {
        let relays: Vec<(Place, SocketAddr)> = self.links.from(place).collect();
        let keepers = relays.iter().filter(|(to, _)| HOSTS[*to].is_keeper);
        Reached {
            bind: self.addresses[place],
            seeds: keepers.map(|(_, address)| *address).collect(),
            relays: relays.iter().map(|(to, address)| (HOSTS[*to].name, *address)).collect(),
        }
    }
}

/// A stopped process is ended by SIGKILL as well; nothing else ends it.
async fn end(agent: Option<Process>, signal: Signal) -> Result<(), FleetFault> {
    let Some(agent) = agent else { return Ok(()) };
    agent.signal(signal).map_err(FleetFault::of("end an agent"))?;
    agent.ended().await;
    Ok(())
}

impl FleetFault {
    /// What was being done, for `map_err`.
    pub fn of<E: fmt::Display>(doing: &'static str) -> impl Fn(E) -> Self {
        move |why| Self(format!("could not {doing}: {why}"))
    }
}

impl fmt::Display for FleetFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for FleetFault {}
