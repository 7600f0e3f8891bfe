//! The founding of the ledger, once for ever (protocol 1.4): `hale init --keepers a,b,c` on one of the keepers.
//!
//! Law F1: nothing else ever initialises Raft; where a ledger exists, the founding is refused.
//! Not here: what is founded (see `ledger::founding`).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ledger::command::{Command, Outcome};
use replication::InitialiseFault;
use vocabulary::{CertificateChain, HostId, HostName, StoreId};

use super::door::Door;
use crate::admin::mind::NotCommitted;
use crate::identity::Identity;
use crate::transport::Presence;

/// From the first vote to the committed founding; an election takes 1.2 s at most on sound disks.
const FOUNDED_WITHIN: Duration = Duration::from_secs(15);

/// Voters that make sense: odd, so that a majority is never half (glossary: 1, 3, 5 or 7).
const VOTERS: [usize; 4] = [1, 3, 5, 7];

/// Why a ledger is not founded. Nothing has moved unless it says otherwise.
#[derive(Debug, PartialEq, Eq)]
pub enum FoundFault {
    /// This host's certificate does not make it a keeper.
    NotAKeeper,
    /// This host is not among those named.
    NotNamed(HostName),
    /// So many keepers are named.
    Count(usize),
    /// One is named twice.
    Twice(HostName),
    /// It is not connected, or its certificate does not make it a keeper.
    NotConnected(HostName),
    /// A ledger exists.
    Exists,
    /// This host carries none, and knows of one: others carry it, or did.
    Known,
    /// Raft refuses; whether it was founded is unknown.
    Raft(String),
    /// The keepers vote, but the first entry was not committed in time: repeat the command, it is finished then.
    Unfinished,
}

/// Founds the ledger with these first voters.
pub async fn found(
    door: &Door,
    (identity, presence): (&Arc<Identity>, Presence),
    keepers: Vec<HostName>,
) -> Result<Outcome, FoundFault> {
    let port = door.port().ok_or(FoundFault::NotAKeeper)?;
    if port.watch().borrow().founding().is_some() {
        return Err(FoundFault::Exists);
    }
    if door.state().borrow().founding().is_some() {
        return Err(FoundFault::Known);
    }
    check(&keepers)?;
    let mut voters = Vec::new();
    for name in &keepers {
        voters.push(voter(door, (identity, presence), name)?);
    }
    if !voters.iter().any(|voter| voter.host == identity.host()) {
        return Err(FoundFault::NotNamed(identity.claims().host.clone()));
    }
    let ids = voters.iter().map(|voter| (voter.store, voter.host)).collect();
    match port.initialise(ids).await {
        // Raft stands but the founding entry may be missing: the command below finishes what was begun.
        Ok(()) | Err(InitialiseFault::AlreadyFounded) => {}
        Err(InitialiseFault::NotAmongVoters) => return Err(FoundFault::NotAKeeper),
        Err(why) => return Err(FoundFault::Raft(format!("{why:?}"))),
    }
    let command = Command::Found {
        cluster: identity.claims().cluster.clone(),
        authorities: identity.authorities().to_vec(),
        keepers: voters.into_iter().map(|voter| voter.chain).collect(),
    };
    let committed = door.propose(command, FOUNDED_WITHIN).await;
    committed.map(|(_, outcome)| outcome).ok_or(FoundFault::Unfinished)
}

/// One first voter, by its certificate and its hello.
struct Voter {
    host: HostId,
    store: StoreId,
    chain: CertificateChain,
}

fn voter(
    door: &Door,
    (identity, presence): (&Arc<Identity>, Presence),
    name: &HostName,
) -> Result<Voter, FoundFault> {
    if *name == identity.claims().host {
        let store = presence.store.ok_or(FoundFault::NotAKeeper)?;
        return Ok(Voter { host: identity.host(), store, chain: identity.chain().clone() });
    }
    let missing = || FoundFault::NotConnected(name.clone());
    let peer = door.keeper_named(name.as_str()).ok_or_else(missing)?;
    let chain = door.certificate(peer.host).ok_or_else(missing)?;
    Ok(Voter { host: peer.host, store: peer.store.ok_or_else(missing)?, chain })
}

fn check(keepers: &[HostName]) -> Result<(), FoundFault> {
    if !VOTERS.contains(&keepers.len()) {
        return Err(FoundFault::Count(keepers.len()));
    }
    let mut sorted = keepers.to_vec();
    sorted.sort();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(FoundFault::Twice(pair[0].clone())),
        None => Ok(()),
    }
}

impl fmt::Display for FoundFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAKeeper => write!(
                out,
                "this host's certificate does not make it a keeper; run it on one of the keepers"
            ),
            Self::NotNamed(me) => {
                write!(out, "{me}, where this runs, is not among the keepers named")
            }
            Self::Count(count) => {
                write!(out, "{count} keepers are named, expected 1, 3, 5 or 7")
            }
            Self::Twice(name) => write!(out, "keeper {name} is named twice"),
            Self::NotConnected(name) => write!(
                out,
                "keeper {name} is not connected to this host, or its certificate does not make it a keeper; \
                 is its agent up, and are its seeds right?"
            ),
            Self::Exists => write!(out, "a ledger exists already; it is founded once for ever"),
            Self::Known => write!(
                out,
                "this host knows of a ledger of this cluster, which others carry or carried: it is founded once for ever. \
                 Where one of its keepers' disks is left, `hale keeper recover` there carries it on. Only where all of them are lost for good: stop the agents of all keepers, move ledger.kept (and \
                 ledger.redb) in their storage folders away, start them, and found it anew"
            ),
            Self::Raft(why) => write!(out, "the keepers' Raft was not founded: {why}"),
            Self::Unfinished => write!(
                out,
                "the keepers vote, but the founding was not committed in time; repeat the command to finish it"
            ),
        }
    }
}

impl std::error::Error for FoundFault {}

impl From<FoundFault> for NotCommitted {
    fn from(fault: FoundFault) -> Self {
        let why = fault.to_string();
        let name = match fault {
            FoundFault::Exists | FoundFault::Known => "AlreadyFounded",
            FoundFault::NotAKeeper => "NotAKeeper",
            FoundFault::NotNamed(_) | FoundFault::Count(_) | FoundFault::Twice(_) => "Malformed",
            // It may be connected in a moment.
            FoundFault::NotConnected(_) => return Self::NoLeader(why),
            FoundFault::Raft(_) | FoundFault::Unfinished => return Self::Unknown(why),
        };
        Self::Refused { name, why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_change_by_itself_is_called_a_want_of_a_majority() {
        let name = HostName::new("b1").expect("a name");
        let refused = |fault: FoundFault| match NotCommitted::from(fault) {
            NotCommitted::Refused { name, .. } => name,
            other => panic!("{other:?}"),
        };
        assert_eq!(check(&[name.clone(), name.clone()]), Err(FoundFault::Count(2)));
        let thrice = [name.clone(), name.clone(), name.clone()];
        assert_eq!(check(&thrice), Err(FoundFault::Twice(name.clone())));
        for (fault, rule) in [
            (FoundFault::Exists, "AlreadyFounded"),
            (FoundFault::Known, "AlreadyFounded"),
            (FoundFault::NotAKeeper, "NotAKeeper"),
            (FoundFault::NotNamed(name.clone()), "Malformed"),
            (FoundFault::Count(2), "Malformed"),
            (FoundFault::Twice(name.clone()), "Malformed"),
        ] {
            assert_eq!(refused(fault), rule);
        }
        let absent = NotCommitted::from(FoundFault::NotConnected(name));
        assert!(matches!(absent, NotCommitted::NoLeader(_)), "{absent:?}");
        let unfinished = NotCommitted::from(FoundFault::Unfinished);
        assert!(matches!(unfinished, NotCommitted::Unknown(_)), "{unfinished:?}");
    }
}
