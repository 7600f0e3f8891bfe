//! The agents: real processes of one binary, each in the namespace of its host.
//!
//! Law N5: a mesh is calm only when a keeper's own answer says so: fresh, no case, no brake, every host well in the
//! life that was last begun.
//! Not here: what is measured (see `bench`), and what must come of it (see `cluster`).

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon::admin::answer::{Answer, AuditPage, Body, Hosts, Status};
use daemon::admin::client::Client;
use daemon::authority::{self, Term};
use daemon::demo::folder::Folder;
use daemon::demo::process::Process;
use rustix::process::Signal;
use tokio::process::Command;
use tokio::time::{self, Instant};
use vocabulary::ClusterName;

use crate::network::{Network, Port, Trouble};
use crate::plan::{CLUSTER, Files, KEEPERS_COUNT, Place, Planned};

/// All is over in an hour; the smallest term is a day.
const CERTIFICATE_DAYS: u32 = 1;

/// Thirty agents that start at once on a busy machine.
const LISTENS_WITHIN: Duration = Duration::from_secs(60);

/// Thirty enrolments, one epoch per 5 s, thirty full sets of connections.
const CALM_WITHIN: Duration = Duration::from_secs(240);

/// An agent on this machine answers within this.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What went wrong, as a sentence.
#[derive(Debug)]
pub struct LabFault(String);

/// Agents, network and files; in the order in which they must go.
pub struct Fleet {
    agents: Vec<Option<Process>>,
    lives: Vec<u64>,
    keepers: usize,
    network: Network,
    folder: Folder,
    program: PathBuf,
}

/// How large a mesh is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Hosts in all.
    pub hosts: usize,
    /// Keepers among them: the first ones.
    pub keepers: usize,
}

impl Fleet {
    /// Makes network and files, starts every agent, founds the mesh with [`KEEPERS_COUNT`] keepers and waits until it is calm.
    pub async fn raise(name: &str, count: usize, program: &Path) -> Result<Self, LabFault> {
        Self::raise_sized(name, Size { hosts: count, keepers: KEEPERS_COUNT }, program).await
    }

    /// The same with another number of keepers.
    pub async fn raise_sized(name: &str, size: Size, program: &Path) -> Result<Self, LabFault> {
        let Size { hosts: count, keepers } = size;
        eprintln!("{name}: raising {count} hosts");
        let mut fleet = Self {
            agents: (0..count).map(|_| None).collect(),
            lives: vec![0; count],
            keepers,
            network: Network::up(name, count)?,
            folder: Folder::make().map_err(LabFault::of("make a folder"))?,
            program: program.into(),
        };
        match fleet.begin().await {
            Ok(()) => Ok(fleet),
            Err(fault) => Err(fleet.kept(fault)),
        }
    }

    async fn begin(&mut self) -> Result<(), LabFault> {
        let cluster = ClusterName::new(CLUSTER).map_err(LabFault::of("name the mesh"))?;
        authority::init(&cluster, &self.authority(), Term::from_now(CERTIFICATE_DAYS))
            .map_err(LabFault::of("found the authority"))?;
        for place in 0..self.count() {
            self.furnish(place)?;
            self.start(place)?;
        }
        for place in 0..self.count() {
            self.listens(place).await?;
        }
        self.found().await?;
        self.calm().await.map(drop)
    }

    /// The folder of all files, for whatever else belongs to it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How many hosts it has.
    pub fn count(&self) -> usize {
        self.agents.len()
    }

    /// The process of a host's agent.
    pub fn process(&self, place: Place) -> Result<u32, LabFault> {
        let running = self.agents[place].as_ref().filter(|agent| !agent.has_ended());
        let running = running.map(Process::id);
        running.ok_or_else(|| LabFault(format!("the agent of h{place} has ended")))
    }

    /// Starts a host's agent.
    pub fn start(&mut self, place: Place) -> Result<(), LabFault> {
        let files = self.files(place);
        // nsenter becomes the agent, so that the process id is the agent's.
        let mut namespace = std::ffi::OsString::from("--net=");
        namespace.push(self.network.namespace_file(place));
        let config = files.config();
        let arguments = [
            &namespace,
            OsStr::new("--"),
            self.program.as_os_str(),
            OsStr::new("agent"),
            OsStr::new("--config"),
            config.as_os_str(),
        ];
        let agent = Process::start(Path::new("nsenter"), &arguments, &files.log(), async {});
        self.agents[place] = Some(agent.map_err(LabFault::of("start an agent"))?);
        self.lives[place] += 1;
        Ok(())
    }

    /// SIGKILL; returns as soon as it is sent.
    pub fn kill(&self, place: Place) -> Result<(), LabFault> {
        self.signal(place, Signal::KILL)
    }

    /// A signal to a host's agent, if it has one; returns as soon as it is sent.
    pub fn signal(&self, place: Place, signal: Signal) -> Result<(), LabFault> {
        let agent = self.agents[place].as_ref();
        let sent = agent.map_or(Ok(()), |agent| agent.signal(signal));
        sent.map_err(LabFault::of("signal an agent"))
    }

    /// SIGTERM, and its next life as soon as this one has ended, as a service manager would.
    pub async fn restart(&mut self, place: Place) -> Result<(), LabFault> {
        self.signal(place, Signal::TERM)?;
        self.start_again(place).await
    }

    /// What is wrong with the network from now on.
    pub fn spoil(&self, trouble: &Trouble) -> Result<(), LabFault> {
        self.network.spoil(trouble)
    }

    /// Starts the agent of a host that was killed, or told to end.
    pub async fn start_again(&mut self, place: Place) -> Result<(), LabFault> {
        if let Some(agent) = self.agents[place].take() {
            agent.ended().await;
        }
        self.start(place)?;
        self.listens(place).await
    }

    /// Silences a host or lets it be heard again.
    pub fn set(&self, place: Place, port: Port) -> Result<(), LabFault> {
        self.network.set(place, port)
    }

    /// Waits until the mesh is calm (law N5); the place of its leader.
    pub async fn calm(&self) -> Result<Place, LabFault> {
        let until = Instant::now() + CALM_WITHIN;
        loop {
            match self.is_calm().await {
                Ok(leader) => return Ok(leader),
                Err(unrest) if Instant::now() > until => {
                    let within = CALM_WITHIN.as_secs();
                    return Err(LabFault(format!("not calm within {within} s: {unrest}")));
                }
                Err(_) => time::sleep(LOOK_EVERY).await,
            }
        }
    }

    async fn is_calm(&self) -> Result<Place, LabFault> {
        let unrest = |why: String| Err(LabFault(why));
        let leader = self.leader().await?;
        let status: Answer<Status> = self.ask(leader, "/v1/status").await?;
        if !status.fresh {
            return unrest(format!("h{leader} has no majority"));
        }
        if status.data.cases_open > 0 || status.data.brake.is_on {
            let why = status.data.brake.why.unwrap_or_default();
            return unrest(format!("{} cases are open {why}", status.data.cases_open));
        }
        let hosts: Answer<Hosts> = self.ask(leader, "/v1/hosts").await?;
        let is_well = |place: &Place| {
            let (name, life) = (Planned(*place).name(), Some(self.lives[*place]));
            let mut hosts = hosts.data.hosts.iter();
            hosts.any(|host| {
                host.name == name
                    && host.boot == life
                    && host.state == "ok"
                    && host.doubted_by.is_empty()
            })
        };
        match (0..self.count()).find(|place| !is_well(place)) {
            Some(place) => unrest(format!("h{place} is not well")),
            None => Ok(leader),
        }
    }

    /// Who leads, as the first keeper says that knows it.
    pub async fn leader(&self) -> Result<Place, LabFault> {
        let mut last = LabFault::new("no keeper knows a leader");
        for keeper in 0..self.keepers {
            match self.ask::<Status>(keeper, "/v1/status").await {
                Ok(status) => {
                    let named = status.data.keepers.leader;
                    let places = 0..self.keepers;
                    let mut places = places.filter(|place| named == Some(Planned(*place).name()));
                    if let Some(leader) = places.next() {
                        return Ok(leader);
                    }
                }
                Err(fault) => last = fault,
            }
        }
        Err(last)
    }

    /// What the audit has above this number, as this host's agent knows it.
    pub async fn audit(&self, place: Place, above: u64) -> Result<AuditPage, LabFault> {
        let page = self.ask(place, &format!("/v1/audit?since={above}")).await?;
        Ok(page.data)
    }

    /// Asks a host's agent what any operator may ask.
    pub async fn ask<B: Body>(&self, place: Place, path: &str) -> Result<Answer<B>, LabFault> {
        let client = Client::new(self.files(place).socket()).within(ANSWERS_WITHIN);
        let asked = client.ask(path).await;
        asked.map_err(|fault| LabFault(format!("h{place}: {fault}")))
    }

    /// Kills every agent and returns when none runs; network and files go with the fleet.
    pub async fn end(mut self) -> Result<(), LabFault> {
        for place in 0..self.count() {
            self.kill(place)?;
        }
        for agent in &mut self.agents {
            if let Some(agent) = agent.take() {
                agent.ended().await;
            }
        }
        Ok(())
    }

    /// The fault, with the place of the logs that may explain it; they stay.
    pub fn kept(mut self, fault: LabFault) -> LabFault {
        LabFault(format!("{fault}; logs in {}", self.keep().display()))
    }

    /// Its files stay when it goes; where.
    pub fn keep(&mut self) -> &Path {
        self.folder.keep();
        self.folder.path()
    }

    /// A host's files.
    pub fn files(&self, place: Place) -> Files {
        Planned(place).files(self.folder.path())
    }

    /// The folder of the authority.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority")
    }

    fn furnish(&self, place: Place) -> Result<(), LabFault> {
        let (host, files) = (Planned(place), self.files(place));
        let claims = host.claims_beside(self.keepers).map_err(LabFault::of("name a host"))?;
        let term = Term::from_now(CERTIFICATE_DAYS);
        authority::issue(&claims, &self.authority(), &files.folder, term)
            .map_err(LabFault::of("issue a certificate"))?;
        fs::create_dir(files.storage()).map_err(LabFault::of("make a folder"))?;
        fs::write(files.config(), host.config_text(self.keepers))
            .map_err(LabFault::of("write a host's file"))
    }

    async fn listens(&self, place: Place) -> Result<(), LabFault> {
        let until = Instant::now() + LISTENS_WITHIN;
        while let Err(fault) = self.ask::<Status>(place, "/v1/status").await {
            let has_ended = self.process(place).is_err();
            if has_ended || Instant::now() > until {
                let log = fs::read_to_string(self.files(place).log()).unwrap_or_default();
                let last = log.lines().last().unwrap_or_default();
                return Err(LabFault(format!("{fault}; it last said: {last}")));
            }
            time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// `hale init`, as an operator would, until the other keepers can be reached.
    async fn found(&self) -> Result<(), LabFault> {
        let keepers: Vec<String> = (0..self.keepers).map(|at| Planned(at).name()).collect();
        let until = Instant::now() + LISTENS_WITHIN;
        loop {
            let mut hale = Command::new(&self.program);
            hale.args(["init", "--keepers", &keepers.join(","), "--socket"])
                .arg(self.files(0).socket());
            let done = hale.output().await.map_err(LabFault::of("run hale init"))?;
            if done.status.success() {
                return Ok(());
            }
            if Instant::now() > until {
                let said = String::from_utf8_lossy(&done.stderr);
                return Err(LabFault(format!("hale init refused: {}", said.trim())));
            }
            time::sleep(LOOK_EVERY).await;
        }
    }
}

impl LabFault {
    /// What went wrong.
    pub fn new(why: &str) -> Self {
        Self(why.to_owned())
    }

    /// What was being done, for `map_err`.
    pub fn of<E: fmt::Display>(doing: &'static str) -> impl Fn(E) -> Self {
        move |why| Self(format!("could not {doing}: {why}"))
    }
}

impl fmt::Display for LabFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
