//! `hale.toml`: what one host must know before it can ask the mesh anything.
//!
//! Law K1: who the host is and where it stands is in its certificate, never here.
//! Law K2: a [`Config`] that exists is within every range of its reference page.
//! Not here: what the mesh may do (see the ledger's policy), and whether files, folders and ports are usable: that is
//! found out at start, on the host that starts.

mod form;
mod keys;
mod read;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub use form::Seed;
use ledger::bindings::FleetLockId;
use ledger::document::{DOCUMENT_BYTES_MAX, Fault, FaultKind};
use vocabulary::HostName;

/// One host's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where the agent listens, how it is reached, whom it asks first.
    pub agent: Agent,
    /// Which files prove who it is.
    pub identity: Identity,
    /// The folder that must survive a restart.
    pub storage: PathBuf,
    /// The socket for people and programs of this host.
    pub admin: Admin,
    /// The door for FleetLock clients.
    pub fleetlock: FleetLock,
    /// How much of the host it may take.
    pub limits: Limits,
    /// What it writes about itself.
    pub log: Log,
    /// Hosts that are reached from here at another address than they advertise; UDP and the TCP second channel alike.
    pub reach: BTreeMap<HostName, SocketAddr>,
}

/// Where the agent listens, how it is reached, whom it asks first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// UDP for QUIC, and the same TCP port for the second channel.
    pub bind: SocketAddr,
    /// What the others dial; its port is the one they knock at, too.
    pub advertise: SocketAddr,
    /// Asked for the mesh at start, and whenever no member is known.
    pub seeds: Vec<Seed>,
}

/// Which files prove who the host is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The host's certificate, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// The certificates of the cluster's authorities, PEM.
    pub authority: PathBuf,
}

/// The socket for people and programs of this host; root and the agent's own user may always do both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Its path.
    pub socket: PathBuf,
    /// Who may ask.
    pub read: Peers,
    /// Who may order; whoever may order may ask.
    pub write: Peers,
}

/// Local users and groups, by number: names may mean another tomorrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peers {
    /// User ids.
    pub users: Vec<u32>,
    /// Group ids.
    pub groups: Vec<u32>,
}

/// The door for FleetLock clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetLock {
    /// Where it listens, if it does.
    pub listen: Option<SocketAddr>,
    /// The id of this host's own client, if its agent is to bind one.
    pub client: Option<FleetLockId>,
}

/// How much of the host the agent may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most hosts connected at once.
    pub connections_max: u32,
    /// Most memory that it may hold, in bytes.
    pub memory_max: u64,
}

/// What the agent writes about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// How.
    pub format: LogFormat,
    /// How much.
    pub level: LogLevel,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Readable,
    /// One JSON object a line.
    Json,
}

/// How much the log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// What failed and needs a person.
    Error,
    /// And what may soon.
    Warn,
    /// And what was done.
    Info,
    /// And why.
    Debug,
    /// And every packet.
    Trace,
}

/// Reads a host's configuration; relative paths in it are taken from the folder that it lies in.
pub fn load(path: &Path) -> Result<Config, Vec<Fault>> {
    let (name, text) = text_of(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    Config::read(&name, &text, folder)
}

/// The text of a document and the name by which faults call it.
pub fn text_of(path: &Path) -> Result<(String, String), Vec<Fault>> {
    let name = path.display().to_string();
    let unreadable = |why: String| vec![Fault::of_file(&name, FaultKind::Unreadable, why)];
    let file = std::fs::File::open(path).map_err(|why| unreadable(why.to_string()))?;
    // One byte more than the longest, so that the reader sees that it is too long and nobody reads a disk to its end.
    let mut bytes = Vec::new();
    file.take(DOCUMENT_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|why| unreadable(why.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|why| {
        let at = why.utf8_error().valid_up_to();
        unreadable(format!("not text: byte {at} is not UTF-8"))
    })?;
    Ok((name, text))
}

#[cfg(test)]
mod tests;
