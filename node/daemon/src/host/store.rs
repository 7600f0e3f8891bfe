//! The ledger's store at the start of a life: opened and read whole before anything is sent, or set aside where it is damaged.
//!
//! Law ST1: a damaged store is neither used nor deleted: it is set aside under another name, and its host begins with an empty
//! one under a new id, which has no vote until the leader has filled it (protocol 1.4, 1.8).
//! Law ST2: that is done only where another host is known to carry the ledger, too; the only copy is left for a person.
//! Not here: how the new store comes to its vote (see `replication::replacing`).

use std::sync::Arc;

use ledger::Ledger;
use replication::{Loaded, PortFault, Store, StoreFault};
use vocabulary::{HostId, StoreId};

use super::home::Home;
use super::life::LifeFault;
use crate::identity::{Identity, RingVerifier};

/// A keeper's open store and its id.
pub type OpenStore = (StoreId, Loaded<Ledger>);

/// Opens the store of a host whose certificate says keeper; others have none. `offered` becomes the id of a new one, `kept` is
/// what this host last knew of the ledger.
pub async fn open(
    identity: &Identity,
    home: &dyn Home,
    offered: StoreId,
    kept: Option<&Ledger>,
) -> Result<Option<OpenStore>, LifeFault> {
    if !identity.claims().roles.keeper {
        return Ok(None);
    }
    let why = match read(home, offered).await {
        Ok(store) => return Ok(Some(store)),
        Err(Unread::Damaged(why)) => why,
        Err(Unread::Refused(why)) => return Err(failed(home, why)),
    };
    if let Err(what_to_do) = may_set_aside(kept, identity.host()) {
        return Err(failed(home, format!("{why}; {what_to_do}")));
    }
    let place = home.set_store_aside().map_err(LifeFault::Home)?;
    tracing::error!(
        %why,
        "this keeper's store is damaged and lies at {place} now: this host begins with an empty one, \
         which has no vote until the leader has filled it"
    );
    match read(home, offered).await {
        Ok(store) => Ok(Some(store)),
        Err(Unread::Damaged(why) | Unread::Refused(why)) => Err(failed(home, why)),
    }
}

/// Why a store does not serve; in words for people.
enum Unread {
    /// What was kept is lost.
    Damaged(String),
    /// It may serve another time, or another version.
    Refused(String),
}

async fn read(home: &dyn Home, offered: StoreId) -> Result<OpenStore, Unread> {
    let disk = home.store().map_err(|why| Unread::Refused(why.to_string()))?;
    let store = Store::open(disk, offered).await.map_err(|why| unread(&why))?;
    let id = store.id();
    match Loaded::read(store, Arc::new(RingVerifier), Ledger::new()).await {
        Ok(loaded) => Ok((id, loaded)),
        Err(PortFault::Store(why)) => Err(unread(&why)),
        Err(why) => Err(Unread::Refused(why.to_string())),
    }
}

fn unread(why: &StoreFault) -> Unread {
    if why.is_damage() {
        Unread::Damaged(why.to_string())
    } else {
        Unread::Refused(why.to_string())
    }
}

/// law ST2; one line on what a person is to do otherwise.
fn may_set_aside(kept: Option<&Ledger>, me: HostId) -> Result<(), &'static str> {
    let voters = kept.map(Ledger::voters).unwrap_or_default();
    if voters.iter().any(|voter| *voter != me) {
        Ok(())
    } else if voters.is_empty() {
        Err(
            "this host does not know whether another one carries the ledger, too: if one does, move the file away and start again",
        )
    } else {
        Err(
            "this host is the ledger's only voter, so nobody else has it: bring the file back from a backup that is not older than \
             its last change, or, if there is none, found the mesh anew (see `When keepers are lost` in the operators' guide)",
        )
    }
}

fn failed(home: &dyn Home, why: String) -> LifeFault {
    LifeFault::Store { place: home.store_place(), why }
}

#[cfg(test)]
mod tests;
