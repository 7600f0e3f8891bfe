//! When is a damaged store set aside, and when is it left for a person?

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use ledger::command::{Command, Entry, Outcome, Proposed};
use replication::{Disk, DiskFault, FaultyDisk, MemoryDisk};
use vocabulary::{Boot, Claims, LedgerIndex, Span, WallNote};

use super::*;
use crate::authority::{self, Term};
use crate::host::folder::FolderFault;
use crate::identity::IdentityFiles;

/// A home in memory whose store can be put aside.
#[derive(Default)]
struct Kept {
    store: Mutex<MemoryDisk>,
    refuses: Mutex<Option<DiskFault>>,
    aside: Mutex<Vec<MemoryDisk>>,
}

impl Home for Kept {
    fn begin_boot(&self, nonce: u128) -> Result<Boot, FolderFault> {
        Ok(Boot { number: 1, nonce })
    }

    fn raise_to(&self, _: u64) -> Result<(), FolderFault> {
        Ok(())
    }

    fn store(&self) -> io::Result<Arc<dyn Disk>> {
        let disk = FaultyDisk::over(Arc::new(self.store.lock().unwrap().clone()));
        if let Some(fault) = *self.refuses.lock().unwrap() {
            disk.fail(fault, 0);
        }
        Ok(Arc::new(disk))
    }

    fn set_store_aside(&self) -> Result<String, FolderFault> {
        let damaged = std::mem::take(&mut *self.store.lock().unwrap());
        self.aside.lock().unwrap().push(damaged);
        Ok("aside".to_owned())
    }

    fn kept(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn keep(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn set_kept_aside(&self) -> io::Result<String> {
        Ok("aside".to_owned())
    }

    fn may_block(&self) -> bool {
        false
    }

    fn has_store(&self) -> bool {
        true
    }

    fn boot_place(&self) -> String {
        "boot".to_owned()
    }

    fn store_place(&self) -> String {
        "store".to_owned()
    }
}

/// Three hosts under one authority.
fn identities(folder: &Path) -> Vec<Identity> {
    let names = ["k1", "k2", "k3"];
    let claims = names.map(|name| {
        let uri = format!("hale://prod/eu/a/r1/{name}?group=web&roles=keeper");
        Claims::from_uri(&uri).unwrap()
    });
    let authority = folder.join("authority");
    authority::init(&claims[0].cluster, &authority, Term::from_now(2)).unwrap();
    let identity = |claims: &Claims| {
        let into = folder.join(claims.host.as_str());
        authority::issue(claims, &authority, &into, Term::from_now(1)).unwrap();
        let files = IdentityFiles {
            certificate: into.join("host.pem"),
            key: into.join("host.key"),
            authority: into.join("authority.pem"),
            cluster: None,
        };
        Identity::load(&files, crate::moments::now()).unwrap()
    };
    claims.iter().map(identity).collect()
}

/// The ledger whose voters these are.
fn ledger_of(voters: &[Identity]) -> Ledger {
    let found = Command::Found {
        cluster: voters[0].claims().cluster.clone(),
        authorities: voters[0].authorities().to_vec(),
        keepers: voters.iter().map(|voter| voter.chain().clone()).collect(),
    };
    let commands = vec![Proposed { by: voters[0].host(), command: found }];
    let entry = Entry { elapsed: Span::ZERO, wall: WallNote(0), commands };
    let mut ledger = Ledger::new();
    assert_eq!(ledger.apply(LedgerIndex(1), &entry, &RingVerifier), [Outcome::Done]);
    ledger
}

fn garbled() -> Kept {
    let home = Kept::default();
    let disk = home.store.lock().unwrap().clone();
    disk.write(0, &[0x5A; 9_000]).unwrap();
    home
}

const FIRST: StoreId = StoreId(11);
const OTHER: StoreId = StoreId(12);

async fn open_at(home: &Kept, who: &Identity, kept: Option<&Ledger>) -> Result<StoreId, String> {
    let opened = open(who, home, OTHER, kept).await;
    opened.map(|store| store.expect("it is a keeper").0).map_err(|why| why.to_string())
}

#[tokio::test]
async fn a_damaged_store_is_set_aside_where_another_host_carries_the_ledger_too() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = identities(folder.path());
    let kept = ledger_of(&hosts);
    let home = garbled();
    assert_eq!(open_at(&home, &hosts[0], Some(&kept)).await, Ok(OTHER), "a new one");
    let aside = home.aside.lock().unwrap().clone();
    assert_eq!(aside.len(), 1);
    assert_eq!(aside[0].image(), [0x5A; 9_000], "it is as it was");
    assert_eq!(open_at(&home, &hosts[0], Some(&kept)).await, Ok(OTHER), "and the new one is sound");
    assert_eq!(home.aside.lock().unwrap().len(), 1);
}

/// protocol 1.6.
#[tokio::test]
async fn a_store_whose_state_was_not_the_others_is_set_aside_as_a_damaged_one() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = identities(folder.path());
    let kept = ledger_of(&hosts);
    let home = Kept::default();
    let disk = Arc::new(home.store.lock().unwrap().clone());
    let store = Store::open(disk, FIRST).await.unwrap();
    store.diverged("after entry 1000".to_owned()).await;
    drop(store);
    let alone = ledger_of(&hosts[..1]);
    let why = open_at(&home, &hosts[0], Some(&alone)).await.unwrap_err();
    assert!(why.contains("the state is not the others'"), "{why}");
    assert_eq!(open_at(&home, &hosts[0], Some(&kept)).await, Ok(OTHER), "a new one");
    assert_eq!(home.aside.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_only_voters_store_and_one_of_which_nothing_is_known_are_left_for_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = identities(folder.path());
    let alone = ledger_of(&hosts[..1]);
    for (kept, says) in
        [(Some(&alone), "the ledger's only voter"), (None, "does not know whether another one")]
    {
        let home = garbled();
        let why = open_at(&home, &hosts[0], kept).await.unwrap_err();
        assert!(why.contains(says), "{why}");
        assert!(home.aside.lock().unwrap().is_empty());
        assert_eq!(home.store.lock().unwrap().image(), [0x5A; 9_000]);
    }
    // Another one carries it: a host that is no voter itself has nothing that the voter lacks.
    assert_eq!(open_at(&garbled(), &hosts[1], Some(&alone)).await, Ok(OTHER));
}

#[tokio::test]
async fn a_disk_that_refuses_costs_the_start_and_not_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = identities(folder.path());
    let kept = ledger_of(&hosts);
    let home = Kept::default();
    let sound = open(&hosts[0], &home, FIRST, Some(&kept)).await;
    drop(sound.expect("an empty disk becomes a store"));
    *home.refuses.lock().unwrap() = Some(DiskFault::Reads);
    open_at(&home, &hosts[0], Some(&kept)).await.expect_err("it cannot be read now");
    assert!(home.aside.lock().unwrap().is_empty());
    *home.refuses.lock().unwrap() = None;
    assert_eq!(open_at(&home, &hosts[0], Some(&kept)).await, Ok(FIRST), "the same store as before");
}
