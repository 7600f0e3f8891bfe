//! The last resort where most voters are lost for good: this host's store becomes the only voter, while its agent does not run
//! (protocol 1.11).
//!
//! Law RC3: nothing is written unless it is forced, with a reason; who did it and why is the first that the ledger takes then, and all
//! healing is stopped with it.
//! Not here: how a store comes to vote alone (see `replication::recovering`).

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::command::{Command, Order, Proposed};
use ledger::{Ledger, rules};
use replication::recovering::{RecoverFault, Remains};
use replication::{FileDisk, Store, StoreFault};
use vocabulary::{HostId, StoreId, WallNote};

use super::folder::STORE;
use crate::identity::RingVerifier;
use crate::moments;

/// What the store of this host knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// This host.
    pub host: String,
    /// The other voters.
    pub others: Vec<String>,
    /// Its last entry.
    pub upto: u64,
    /// When that was, by its leader's clock.
    pub wall: WallNote,
}

/// Why nothing is known of it, or nothing was done; nothing was written.
#[derive(Debug)]
pub enum Fault {
    /// No store lies there.
    Nothing(PathBuf),
    /// Another process has it.
    InUse(PathBuf),
    /// It cannot be opened.
    Disk(PathBuf, std::io::Error),
    /// The store says no.
    Store(RecoverFault),
}

/// Reads the store in this folder, and makes it the only voter where that is forced, by whom and why.
pub async fn recover(
    storage: &Path,
    forced: Option<impl FnOnce(&str) -> Order>,
) -> Result<Findings, Fault> {
    let path = storage.join(STORE);
    if !path.exists() {
        return Err(Fault::Nothing(path));
    }
    let disk = FileDisk::open(&path).map_err(|why| match why.kind() {
        std::io::ErrorKind::WouldBlock => Fault::InUse(path.clone()),
        _ => Fault::Disk(path.clone(), why),
    })?;
    let store = Store::open(Arc::new(disk), UNUSED).await.map_err(refused)?;
    let remains = Remains::read(store, Arc::new(RingVerifier), Ledger::new()).await;
    let remains = remains.map_err(Fault::Store)?;
    let findings = findings(&remains);
    if let Some(order) = forced {
        let commands = commands(&remains, order(&findings.host));
        let wall = WallNote(moments::now_exact());
        remains.vote_alone(commands, wall).await.map_err(Fault::Store)?;
    }
    Ok(findings)
}

/// A store that is there keeps its id.
const UNUSED: StoreId = StoreId(u64::MAX);

fn refused(why: StoreFault) -> Fault {
    Fault::Store(RecoverFault::Store(why))
}

fn findings(remains: &Remains<Ledger>) -> Findings {
    let ledger = &remains.machine;
    let name = |host: &HostId| {
        let entry = ledger.roster().get_even_retired(host);
        entry.map_or_else(|| host.to_string(), |entry| entry.claims.host.to_string())
    };
    let others = remains.voters.values().filter(|host| **host != remains.host);
    Findings {
        host: name(&remains.host),
        others: others.map(name).collect(),
        upto: ledger.index().0,
        wall: ledger.wall(),
    }
}

/// Law RC3; and the others have no vote any more, so that their stores are not asked for, should they come back.
fn commands(remains: &Remains<Ledger>, order: Order) -> Vec<Proposed> {
    let (by, ledger) = (remains.host, &remains.machine);
    let remove: Vec<HostId> = ledger.voters().iter().copied().filter(|host| *host != by).collect();
    let knows_votes = ledger.rules() >= rules::SECOND && !remove.is_empty();
    let moved =
        knows_votes.then(|| Command::MoveVotes { add: Vec::new(), remove, order: order.clone() });
    let commands = [Command::Pause(order)].into_iter().chain(moved);
    commands.map(|command| Proposed { by, command }).collect()
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing(path) => write!(
                out,
                "{}: there is no store: recover on the host of a keeper, as the user that its agent runs as",
                path.display()
            ),
            Self::InUse(path) => {
                write!(out, "{}: an agent runs with it: stop that agent first", path.display())
            }
            Self::Disk(path, why) => write!(out, "{}: {why}", path.display()),
            Self::Store(why) => write!(out, "{why}"),
        }
    }
}

impl std::error::Error for Fault {}
