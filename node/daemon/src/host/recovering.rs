//! The last resort where most voters are lost for good: this host's store becomes the only voter, while its agent does not run
//! (protocol 1.11).
//!
//! Law RC3: nothing is written unless it is forced, with a reason; who did it and why is the first that the ledger takes then, and all
//! healing is stopped with it.
//! Not here: how a store comes to vote alone (see `replication::recovering`).

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::command::{Command, Entry, Order, Outcome, Proposed};
use ledger::{Ledger, rules};
use replication::recovering::{RecoverFault, Remains};
use replication::{FileDisk, Store, StoreFault};
use vocabulary::{HostId, Span, StoreId, WallNote};

use super::folder::{KEPT, STORE};
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
    /// Why the others keep their votes in the ledger, if they do.
    pub votes_stay: Option<String>,
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
    // An empty file would be drawn up as a new store.
    if !std::fs::metadata(&path).is_ok_and(|file| file.len() > 0) {
        return Err(Fault::Nothing(path));
    }
    let disk = FileDisk::open(&path).map_err(|why| match why.kind() {
        std::io::ErrorKind::WouldBlock => Fault::InUse(path.clone()),
        _ => Fault::Disk(path.clone(), why),
    })?;
    let store = Store::open(Arc::new(disk), UNUSED).await.map_err(refused)?;
    let remains = Remains::read(store, Arc::new(RingVerifier), Ledger::new()).await;
    let remains = remains.map_err(Fault::Store)?;
    let mut findings = findings(&remains);
    if let Some(order) = forced {
        let wall = WallNote(moments::now_exact());
        let (commands, refused) = commands(&remains, order(&findings.host), wall);
        findings.votes_stay = refused;
        // First, so that a fault of it leaves the store as it was.
        set_kept_aside(storage)?;
        remains.vote_alone(commands, wall).await.map_err(Fault::Store)?;
    }
    Ok(findings)
}

/// What this host kept may be of entries that are lost with the other stores.
fn set_kept_aside(storage: &Path) -> Result<(), Fault> {
    let kept = storage.join(KEPT);
    match std::fs::rename(&kept, storage.join(format!("{KEPT}.recovered"))) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => Err(Fault::Disk(kept, why)),
        _ => Ok(()),
    }
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
        votes_stay: None,
    }
}

/// Law RC3; and the others have no vote any more, so that their stores are not asked for, should they come back: or why the ledger
/// would refuse that.
fn commands(
    remains: &Remains<Ledger>,
    order: Order,
    wall: WallNote,
) -> (Vec<Proposed>, Option<String>) {
    let (by, mut ledger) = (remains.host, Ledger::clone(&remains.machine));
    let remove: Vec<HostId> = ledger.voters().iter().copied().filter(|host| *host != by).collect();
    let add = if ledger.voters().contains(&by) { Vec::new() } else { vec![by] };
    let proposed = |command| Proposed { by, command };
    let pause = proposed(Command::Pause(order.clone()));
    if ledger.rules() < rules::SECOND {
        return (vec![pause], Some("rules 1 are in force, which know no other voters".to_owned()));
    }
    let moved = proposed(Command::MoveVotes { add, remove, order });
    let both = vec![pause.clone(), moved];
    let entry = Entry { elapsed: Span::ZERO, wall, commands: both.clone() };
    match &ledger.apply(ledger.index().next(), &entry, &RingVerifier)[..] {
        [_, Outcome::Refused(why)] => (vec![pause], Some(why.to_string())),
        _ => (both, None),
    }
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
