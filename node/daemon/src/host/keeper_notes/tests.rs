//! Two real keepers over links in memory, one of which tells of another state than the other has.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ledger::command::{Command, Proposed};
use replication::{
    Clock, KeeperLink, LinkFault, Loaded, MemoryDisk, Opening, Sender, Settings, Store,
};
use tokio::time::sleep;
use vocabulary::{Boot, Digest, Moment, StoreId, WallNote};
use wire::{Request, Response};

use super::*;
use crate::admin::tests::fleet::{Fleet, id};
use crate::identity::RingVerifier;

/// Sooner than keepers do.
const EVERY: u64 = 5;

/// Longer than the others are asked for their state twice: that after the very first entry is asked for, too.
const LONG: Duration = Duration::from_secs(180);

/// One that no ledger knows yet.
const LIFE: Boot = Boot { number: 1, nonce: 1 };

type Ports = Arc<Mutex<BTreeMap<HostId, LedgerPort<Ledger>>>>;

struct Link {
    from: HostId,
    store: StoreId,
    ports: Ports,
}

#[async_trait]
impl KeeperLink for Link {
    async fn call(&self, to: HostId, asked: Request, _: Duration) -> Result<Response, LinkFault> {
        sleep(Duration::from_millis(1)).await;
        let port = self.ports.lock().unwrap().get(&to).cloned();
        let port = port.ok_or(LinkFault::TimedOut)?;
        Ok(match asked {
            Request::Raft(bytes) => {
                let store = Some(self.store);
                let sender = Sender {
                    host: self.from,
                    boot: LIFE,
                    store,
                    is_voter: None,
                    had_a_vote: false,
                    is_told: false,
                };
                Response::Raft(port.on_raft(&bytes, sender).await)
            }
            Request::Standing => Response::Standing { has_leader: port.has_live_leader() },
            // Not what it has.
            Request::StateAt { index } => {
                let digest = port.state_at(index).map(|_| Digest([0xB1; 32]));
                Response::StateAt { digest }
            }
            other => panic!("keepers do not ask {other:?}"),
        })
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment::from_milliseconds(0)
    }

    fn wall(&self) -> WallNote {
        WallNote(0)
    }
}

async fn keeper(ports: &Ports, host: HostId, number: u64) -> (LedgerPort<Ledger>, Store) {
    let disk = Arc::new(MemoryDisk::default());
    let store = Store::open(disk, StoreId(number)).await.unwrap();
    let loaded = Loaded::read(store.clone(), Arc::new(RingVerifier), Ledger::new()).await.unwrap();
    let link = Arc::new(Link { from: host, store: store.id(), ports: Arc::clone(ports) });
    let settings = Settings { compared_every: EVERY, ..Settings::default() };
    let clock = Arc::new(Still);
    let port = LedgerPort::open(Opening { host, loaded, link, clock, settings }).await.unwrap();
    ports.lock().unwrap().insert(host, port.clone());
    (port, store)
}

/// Until so many entries are there.
async fn fill(ports: &[&LedgerPort<Ledger>], by: HostId) {
    loop {
        for port in ports {
            let ticked = port.propose(Proposed { by, command: Command::Tick }).await;
            if ticked.is_ok_and(|(index, _)| index.0 > EVERY) {
                return;
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_keeper_says_that_it_has_no_vote_and_that_nobody_knows_whose_state_is_right() {
    let (ports, fleet) = (Ports::default(), Fleet::nine());
    let (a1, b1) = (id("a1"), id("b1"));
    let (first, _) = keeper(&ports, a1, 11).await;
    let (second, store) = keeper(&ports, b1, 12).await;
    let notes = |port: &LedgerPort<Ledger>, me| of(port, (me, &fleet.ledger));
    let without_vote =
        "this keeper has no vote yet: its store is a new one, which the leader fills";
    assert_eq!(notes(&first, a1), [without_vote]);
    assert_eq!(of(&first, (a1, &Ledger::new())), [""; 0], "a ledger that nobody has founded");
    let voters = BTreeMap::from([(StoreId(11), a1), (StoreId(12), b1)]);
    first.initialise(voters).await.unwrap();
    fill(&[&first, &second], a1).await;
    assert_eq!((notes(&first, a1), notes(&second, b1)), (Vec::new(), Vec::new()));
    sleep(LONG).await;
    let own = first.state_at(vocabulary::LedgerIndex(EVERY)).unwrap().to_string();
    let tie = format!(
        "after entry {EVERY} the keepers' states differ and no state has most of them (a1 has {own:.8}, b1 has b1b1b1b1): none of \
         them ends for that, a person must find out which is right"
    );
    assert_eq!(notes(&first, a1), [tie]);
    store.diverged("after entry 9 all others have another".to_owned()).await;
    let ended = &notes(&second, b1)[0];
    let why = "this keeper votes no more: the state is not the others' (after entry 9 all others have another); it follows the \
               others until its agent is started again";
    assert_eq!(ended, why);
}
