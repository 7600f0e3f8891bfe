//! Agents that die, start anew, and dial each other at the same time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use daemon::identity::Identity;
use daemon::transport::{CallFault, Incoming, Parting, TransportSettings, system_seed};
use tokio::sync::oneshot;
use tokio::time::timeout;
use vocabulary::HostId;
use wire::{Datagram, Request, Response};

use crate::fleet::{Fleet, KEEPER, Node, PATIENCE, PLAIN, boot, loopback, start};

/// An agent in a runtime of its own, which can die without a word.
struct Mortal {
    address: SocketAddr,
    die: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Mortal {
    fn start(identity: Arc<Identity>, boot: u64, bind: SocketAddr) -> Self {
        let (die, death) = oneshot::channel();
        let (say, hear) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let settings = TransportSettings::seeded(system_seed());
                let node = start(settings, identity, boot, bind).serve();
                say.send(node.address).expect("is awaited");
                let _ = death.await;
            });
        });
        let address = hear.recv().expect("starts");
        Self { address, die, thread }
    }

    /// As SIGKILL does it: the socket is gone, nobody was told.
    fn kill(self) {
        self.die.send(()).expect("is alive");
        self.thread.join().expect("without a panic");
    }
}

/// A host to which this one is connected, killed and started again unnoticed.
async fn begun_anew(a: &Node, identity: Arc<Identity>) -> (HostId, Mortal) {
    let b = Mortal::start(identity.clone(), 1, loopback(0));
    let address = b.address;
    let host = a.transport.introduce(address).await.expect("is admitted");
    b.kill();
    (host, Mortal::start(identity, 2, address))
}

#[tokio::test]
async fn a_restarted_agent_is_noticed_by_its_stateless_reset_at_the_next_packet() {
    let fleet = Fleet::new("prod");
    let mut a = fleet.start("a", PLAIN);
    let identity = fleet.identity("b", PLAIN);
    let b = Mortal::start(identity.clone(), 1, loopback(0));
    let address = b.address;
    let host = a.transport.introduce(address).await.expect("is admitted");
    assert_eq!(a.connected().await.boot, boot(1));
    b.kill();
    let again = Mortal::start(identity, 2, address);
    let probe = Datagram::Probe { number: 1, seated: true };
    a.transport.send_datagram(host, &probe);
    assert_eq!(a.closed().await, (host, Parting::Restarted));
    // A question that only the old life could have heard is asked again of the new one.
    assert_eq!(a.ask(host).await, Ok(Response::Alive { boot: boot(1) }));
    assert_eq!(a.connected().await.boot, boot(2));
    again.kill();
}

#[tokio::test]
async fn a_request_caught_by_a_restart_is_asked_again_of_the_new_life() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN);
    let (host, again) = begun_anew(&a, fleet.identity("b", PLAIN)).await;
    assert_eq!(a.ask(host).await, Ok(Response::Alive { boot: boot(1) }));
    again.kill();
}

/// Its old life may have committed it: whoever asks must look before it is repeated.
#[tokio::test]
async fn a_command_caught_by_a_restart_is_not_told_again_to_the_new_life() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN);
    let (host, again) = begun_anew(&a, fleet.identity("b", KEEPER)).await;
    let propose = Request::Propose(vec![1]);
    let answer = a.transport.request(host, propose, PATIENCE).await;
    assert_eq!(answer, Err(CallFault::Lost(Parting::Restarted)));
    again.kill();
}

#[tokio::test]
async fn a_new_life_that_dials_takes_the_place_of_the_old_one() {
    let fleet = Fleet::new("prod");
    let mut a = fleet.start("a", PLAIN);
    let old = fleet.start("b", PLAIN);
    old.transport.introduce(a.address).await.expect("is admitted");
    assert_eq!(a.connected().await.boot, boot(1));
    let new = fleet.start_with("b", PLAIN, 2, |_| {});
    new.transport.introduce(a.address).await.expect("is admitted");
    assert_eq!(a.connected().await.boot, boot(2));
    assert_eq!(a.transport.connected(), [new.host()]);
    let ghost = old.transport.introduce(a.address).await;
    let refusal = wire::HelloRefusal::BootTooLow(boot(2));
    assert_eq!(ghost, Err(CallFault::Refused(refusal)));
}

#[tokio::test]
async fn hosts_that_dial_each_other_at_once_speak_on_one_connection() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN).serve();
    let b = fleet.start("b", PLAIN).serve();
    let (one, two) =
        tokio::join!(a.transport.introduce(b.address), b.transport.introduce(a.address),);
    assert_eq!((one, two), (Ok(b.transport.host()), Ok(a.transport.host())));
    assert_eq!(a.transport.connected().len(), 1);
    assert_eq!(b.transport.connected().len(), 1);
    let patience = PATIENCE;
    let ask = |from: &daemon::transport::Transport, to| {
        let from = from.clone();
        async move { from.request(to, wire::Request::Probe, patience).await }
    };
    let (there, back) =
        tokio::join!(ask(&a.transport, b.transport.host()), ask(&b.transport, a.transport.host()),);
    assert!(there.is_ok() && back.is_ok(), "{there:?} {back:?}");
}

#[tokio::test]
async fn a_seed_that_is_connected_already_keeps_its_connection_and_what_is_under_way_on_it() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN);
    let mut b = fleet.start("b", PLAIN);
    let host = a.transport.introduce(b.address).await.expect("is admitted");
    let asking = tokio::spawn({
        let transport = a.transport.clone();
        async move {
            let patience = PATIENCE;
            transport.request(host, wire::Request::Probe, patience).await
        }
    });
    let reply = loop {
        if let Incoming::Request { reply, .. } = b.next().await {
            break reply;
        }
    };
    assert_eq!(a.transport.introduce(b.address).await, Ok(host));
    reply.send(Response::Noted);
    let answer = asking.await.expect("without a panic");
    assert_eq!(answer, Ok(Response::Noted));
    assert!(b.incoming.try_recv().is_err(), "nothing was said of a second one");
}

#[tokio::test]
async fn a_warm_host_is_dialled_again_until_it_is_back() {
    let fleet = Fleet::new("prod");
    let mut a = fleet.start("a", PLAIN);
    let identity = fleet.identity("b", PLAIN);
    let b = Mortal::start(identity.clone(), 1, loopback(0));
    let (address, host) = (b.address, identity.host());
    a.transport.set_address(host, address);
    a.transport.keep_warm([host].into());
    assert_eq!(a.connected().await.boot, boot(1));
    b.kill();
    let again = Mortal::start(identity, 2, address);
    let probe = Datagram::Probe { number: 1, seated: true };
    a.transport.send_datagram(host, &probe);
    assert_eq!(a.connected().await.boot, boot(2));
    again.kill();
}

#[tokio::test]
async fn an_agent_that_stops_in_good_order_says_so() {
    let fleet = Fleet::new("prod");
    let mut a = fleet.start("a", PLAIN);
    let b = fleet.start("b", PLAIN);
    let host = a.transport.introduce(b.address).await.expect("is admitted");
    b.transport.close().await;
    assert_eq!(a.closed().await, (host, Parting::Left));
    assert_eq!(b.ask(a.host()).await, Err(CallFault::Closing));
}

/// The loop of `a` stands still behind a full queue, so that it cannot be told of `b` until `b` has given up.
#[tokio::test]
async fn a_connection_whose_admission_was_given_up_is_told_of_and_is_gone_when_it_ends() {
    let fleet = Fleet::new("prod");
    let soon = |settings: &mut TransportSettings| settings.connect_within = Duration::from_secs(1);
    let mut a = fleet.start_with("a", PLAIN, 1, soon);
    let loud = ["x", "y", "z"].map(|name| fleet.start(name, PLAIN));
    for node in &loud {
        node.knows(&a);
        node.transport.introduce(a.address).await.expect("is admitted");
    }
    let fills = async {
        let probe = Datagram::Probe { number: 1, seated: true };
        while a.transport.figures().datagrams_dropped == 0 {
            for node in &loud {
                let _ = node.transport.send_datagram(a.host(), &probe);
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, fills).await.expect("its queue is full, but for what is kept for keepers");
    let keepers = (0..9).map(|number| fleet.start(&format!("k{number}"), KEEPER));
    let keepers: Vec<_> = keepers.collect();
    for keeper in &keepers {
        keeper.transport.introduce(a.address).await.expect("is admitted");
    }
    for keeper in keepers.iter().flat_map(|keeper| [keeper; 16]) {
        let (transport, to) = (keeper.transport.clone(), a.host());
        tokio::spawn(async move { transport.request(to, Request::Probe, PATIENCE).await });
    }
    let full = async {
        while a.transport.figures().busy == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, full).await.expect("its queue is full");
    let b = fleet.start_with("b", PLAIN, 1, soon);
    b.transport.introduce(a.address).await.expect_err("nobody answers its hello");
    let gives_up = async {
        while a.transport.figures().handshakes_failed == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, gives_up).await.expect("the admission is given up");
    while a.connected().await.host != b.host() {}
    assert_eq!(a.closed().await.0, b.host());
    assert!(!a.transport.is_connected(b.host()), "the pool has forgotten it");
}
