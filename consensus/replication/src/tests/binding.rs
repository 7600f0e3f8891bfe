//! The ledger itself on a keeper's disk, and on a host that is no keeper.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ledger::Ledger;
use ledger::command::{Command, Order, Outcome, Proposed, Refused};
use tokio::time::sleep;
use vocabulary::model_keys::{ModelVerifier, model_authority, model_chain};
use vocabulary::{Claims, HostId, Moment, StoreId, WallNote};
use wire::{Request, Response};

use crate::clock::Clock;
use crate::disk::MemoryDisk;
use crate::follower::Follower;
use crate::link::{KeeperLink, LinkFault};
use crate::port::{LedgerPort, Loaded, Opening};
use crate::settings::Settings;
use crate::store::Store;

struct NoLink;

#[async_trait]
impl KeeperLink for NoLink {
    async fn call(&self, _: HostId, _: Request, _: Duration) -> Result<Response, LinkFault> {
        Err(LinkFault::Unreachable("there is only one keeper".to_owned()))
    }
}

struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Moment {
        Moment::from_milliseconds(0)
    }

    fn wall(&self) -> WallNote {
        WallNote(0)
    }
}

async fn keeper(host: HostId, disk: &MemoryDisk) -> LedgerPort {
    let store = Store::open(Arc::new(disk.clone()), StoreId(1)).await.unwrap();
    let opening = Opening {
        host,
        loaded: Loaded::read(store, Arc::new(ModelVerifier), Ledger::new()).await.unwrap(),
        link: Arc::new(NoLink),
        clock: Arc::new(StoppedClock),
        settings: Settings { snapshot_every: 10, entries_kept: 2, ..Settings::default() },
    };
    LedgerPort::open(opening).await.unwrap()
}

async fn leads(port: &LedgerPort) {
    let mut led = port.leadership();
    led.wait_for(|led| led.am_leader).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_ledger_is_founded_kept_over_restarts_and_followed() {
    let uri = "hale://prod/eu/a/r1/k1?group=web&roles=keeper+healer";
    let claims = Claims::from_uri(uri).unwrap();
    let host = HostId::derive(&claims.cluster, &claims.host);

    let by = |command| Proposed { by: host, command };
    let order = |why: &str| Order { who: "ops".to_owned(), why: why.to_owned() };
    let disk = MemoryDisk::default();
    let port = keeper(host, &disk).await;
    let voters = BTreeMap::from([(port.store(), host)]);
    port.initialise(voters).await.unwrap();
    leads(&port).await;

    let early = port.propose(by(Command::Pause(order("too early")))).await;
    assert_eq!(early.unwrap().1, Outcome::Refused(Refused::NotFounded));
    let found = Command::Found {
        cluster: claims.cluster.clone(),
        authorities: vec![model_authority()],
        keepers: vec![model_chain(&claims)],
    };
    assert_eq!(port.propose(by(found)).await.unwrap().1, Outcome::Done);
    for round in 0..15 {
        let pause = Command::Pause(order(&format!("pause {round}")));
        port.propose(by(pause)).await.unwrap();
        let resume = Command::Resume(order("go on"));
        port.propose(by(resume)).await.unwrap();
    }
    sleep(Duration::from_secs(1)).await;

    let mut follower: Follower = Follower::new(Ledger::new(), Arc::new(ModelVerifier));
    let (from, audit) = follower.wanted();
    let mut feed = port.follow(from, audit);
    let last = port.read_index().await.unwrap();
    while follower.upto() < last {
        follower.take(&feed.next().await.unwrap().to_bytes()).unwrap();
    }
    let before = port.watch().borrow().clone();
    assert_eq!(*follower.watch().borrow(), before);
    assert!(before.is_founded());

    port.shutdown().await.unwrap();
    let again = keeper(host, &disk).await;
    assert_eq!(*again.watch().borrow(), before, "from snapshot and log, before anyone leads");
    leads(&again).await;
    again.propose(by(Command::Pause(order("still here")))).await.unwrap();
    assert!(again.read_index().await.unwrap() > last);
}
