//! Requests, datagrams and followed streams between hosts that are what they should be.

use daemon::bucket::Rate;
use daemon::transport::{
    CallFault, Incoming, Parting, Presence, Presented, Sending, Transport, TransportSettings,
    UdpSockets, system_seed,
};
use tokio::time::timeout;
use vocabulary::LedgerIndex;
use wire::message::Unavailable;
use wire::{Datagram, Request, Response};

use crate::fleet::{Fleet, KEEPER, PATIENCE, PLAIN, boot, start};

#[tokio::test]
async fn a_request_dials_and_is_answered_and_says_who_asked() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN);
    let mut b = fleet.start("b", PLAIN);
    a.knows(&b);
    let asking = a.ask(b.host());
    let answering = async {
        loop {
            if let Incoming::Request { from, claims, presented, request, reply, .. } =
                b.next().await
            {
                assert_eq!((from, &*claims), (fleet.id("a"), &fleet.claims("a", PLAIN)));
                assert_eq!(presented, Presented { boot: boot(1), store: None });
                assert_eq!(request, Request::Probe);
                return reply.send(Response::Alive { boot: boot(7) });
            }
        }
    };
    let (answer, ()) = tokio::join!(asking, answering);
    assert_eq!(answer, Ok(Response::Alive { boot: boot(7) }));
}

#[tokio::test]
async fn the_acceptor_and_the_dialler_show_each_turn_and_rest_between_them() {
    let fleet = Fleet::new("prod");
    let (a, b) = (fleet.start("a", PLAIN), fleet.start("b", PLAIN).serve());
    let beats = |transport: &Transport| transport.tasks().map(|(_, pulse)| pulse.read());
    let before = beats(&b.transport);
    a.transport.introduce(b.address).await.expect("is admitted");
    let [acceptor, dialler] = beats(&b.transport);
    assert!(acceptor.count > before[0].count, "{acceptor:?}");
    assert!(dialler.count > 0, "{dialler:?}");
    for beat in [acceptor, dialler] {
        assert!(!beat.is_busy && !beat.is_gone, "{beat:?}");
    }
}

#[tokio::test]
async fn a_request_that_nobody_answers_or_nobody_hears_ends_with_its_own_fault() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN);
    let mut b = fleet.start("b", PLAIN);
    assert_eq!(a.ask(b.host()).await, Err(CallFault::NoAddress));
    a.knows(&b);
    let dropping = async {
        loop {
            if let Incoming::Request { reply, .. } = b.next().await {
                return drop(reply);
            }
        }
    };
    let (answer, ()) = tokio::join!(a.ask(fleet.id("b")), dropping);
    assert_eq!(answer, Err(CallFault::Rejected(4)));
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").expect("binds");
    let c = fleet.id("c");
    a.transport.set_address(c, silent.local_addr().expect("is bound"));
    let within = std::time::Duration::from_millis(50);
    let answer = a.transport.request(c, Request::Probe, within).await;
    assert_eq!(answer, Err(CallFault::TooLate));
}

#[tokio::test]
async fn the_first_datagram_to_a_host_arrives_though_it_had_to_be_dialled() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN);
    let mut b = fleet.start("b", PLAIN);
    let probe = Datagram::Probe { number: 3, seated: true };
    assert_eq!(a.transport.send_datagram(b.host(), &probe), Sending::Dropped);
    a.knows(&b);
    assert_eq!(a.transport.send_datagram(b.host(), &probe), Sending::Waiting);
    assert_eq!(b.datagram().await, (a.host(), probe.clone()));
    assert_eq!(b.transport.send_datagram(a.host(), &probe), Sending::Sent);
    let large = Datagram::Gossip(vec![0; 1_151]);
    assert_eq!(a.transport.send_datagram(b.host(), &large), Sending::Dropped);
    let largest = Datagram::Gossip(vec![1; 1_144]);
    assert_eq!(a.transport.send_datagram(b.host(), &largest), Sending::Sent);
    assert_eq!(b.datagram().await.1, largest);
}

#[tokio::test]
async fn cold_dials_for_datagrams_end_where_the_budget_does() {
    let fleet = Fleet::new("prod");
    let a = fleet.start_with("a", PLAIN, 1, |settings| {
        settings.cold_dials = Rate { per_second: 0, at_once: 1 };
    });
    let hosts = [fleet.start("b", PLAIN), fleet.start("c", PLAIN)];
    hosts.iter().for_each(|host| a.knows(host));
    let probe = Datagram::Probe { number: 1, seated: false };
    let sent = hosts.each_ref().map(|host| a.transport.send_datagram(host.host(), &probe));
    assert_eq!(sent, [Sending::Waiting, Sending::Dropped]);
}

#[tokio::test]
async fn a_follower_gets_every_answer_in_order_and_leaving_it_stops_the_feeder() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN);
    let mut b = fleet.start("b", KEEPER);
    a.knows(&b);
    let request = Request::Follow { from: LedgerIndex(1), audit: None };
    let following = a.transport.follow(b.host(), request, PATIENCE);
    let asked = async {
        loop {
            if let Incoming::Request { reply, .. } = b.next().await {
                return reply;
            }
        }
    };
    let (replies, mut reply) = tokio::join!(following, asked);
    let mut replies = replies.expect("is followed");
    let entry = |byte: u8| Response::Entries {
        leading: wire::Leading::default(),
        piece: Some(vec![byte; 100_000]),
    };
    let feeding = tokio::spawn(async move {
        for byte in 0..20 {
            reply.push(entry(byte)).await.expect("is followed");
        }
        reply.unwanted().await;
    });
    for byte in 0..20 {
        let answered = replies.next().await.expect("it goes on").expect("and is not over");
        assert_eq!(answered.response, entry(byte));
    }
    drop(replies);
    let fed = timeout(PATIENCE, feeding).await;
    fed.expect("the feeder learns of it").expect("without a panic");
}

#[tokio::test]
async fn what_the_certificate_does_not_permit_never_reaches_the_agent() {
    let fleet = Fleet::new("prod");
    let plain = fleet.start("plain", PLAIN);
    let keeper = fleet.start("keeper", KEEPER);
    let mut b = fleet.start("b", KEEPER);
    plain.knows(&b);
    keeper.knows(&b);
    for request in [Request::Raft(vec![1]), Request::Standing] {
        let answer = plain.transport.request(b.host(), request.clone(), PATIENCE).await;
        assert_eq!(answer, Ok(Response::Unavailable(Unavailable::Forbidden)));
        let asking = keeper.transport.request(b.host(), request.clone(), PATIENCE);
        let answering = async {
            loop {
                if let Incoming::Request { from, request: got, reply, .. } = b.next().await {
                    assert_eq!((from, got), (keeper.host(), request.clone()));
                    return reply.send(Response::Noted);
                }
            }
        };
        let (answer, ()) = tokio::join!(asking, answering);
        assert_eq!(answer, Ok(Response::Noted));
    }
    assert_eq!(b.transport.figures().forbidden, 2);
}

#[tokio::test]
async fn a_raft_message_may_be_large_and_nothing_else_may() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", KEEPER);
    let b = fleet.start("b", KEEPER).serve();
    let host = b.transport.host();
    a.transport.set_address(host, b.address);
    let large = vec![7; 3 << 20];
    let answer = a.transport.request(host, Request::Raft(large.clone()), PATIENCE).await;
    assert_eq!(answer, Ok(Response::Alive { boot: boot(1) }));
    let answer = a.transport.request(host, Request::Propose(large), PATIENCE).await;
    assert_eq!(answer, Err(CallFault::Garbled(wire::Fault::TooLarge)));
}

#[tokio::test]
async fn a_fresh_dial_comes_from_another_port_and_leaves_the_standing_connection_alone() {
    let fleet = Fleet::new("prod");
    let mut a = fleet.start("a", PLAIN);
    let b = fleet.start("b", PLAIN).serve();
    let host = a.transport.introduce(b.address).await.expect("is admitted");
    a.connected().await;
    let before = b.transport.figures();
    let answer = a.transport.fresh_dial(host, 9, PATIENCE).await;
    let answer = answer.map(|(boot, answered)| (boot, answered.response));
    assert_eq!(answer, Ok((boot(1), Response::Alive { boot: boot(1) })));
    assert_eq!(b.transport.figures().requests_received, before.requests_received + 1);
    assert!(a.transport.is_connected(host) && b.transport.is_connected(a.host()));
    assert_eq!(b.transport.connected().len(), 1);
    a.transport.close().await;
    let (gone, why) = a.closed().await;
    assert_eq!((gone, why), (host, Parting::Left));
}

/// Some sixteen requests of each of fifteen hosts wait for their answers: more than there are places for such hosts. Then they
/// send more datagrams than the loop, which is behind, has room for.
#[tokio::test]
async fn hosts_that_are_no_keepers_and_take_all_places_for_requests_leave_room_for_a_keeper() {
    let fleet = Fleet::new("prod");
    let mut a = fleet.start("a", PLAIN);
    let plain = (0..15).map(|number| fleet.start(&format!("p{number}"), PLAIN)).collect::<Vec<_>>();
    for node in &plain {
        node.knows(&a);
        node.transport.introduce(a.address).await.expect("is admitted");
    }
    let keeper = fleet.start("k", KEEPER);
    keeper.transport.introduce(a.address).await.expect("is admitted");
    for node in plain.iter().flat_map(|node| [node; 16]) {
        let (transport, to) = (node.transport.clone(), a.host());
        tokio::spawn(async move { transport.request(to, Request::Probe, PATIENCE).await });
    }
    let refused = async {
        while a.transport.figures().busy < 16 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, refused).await.expect("all places are taken");
    let dropped = async {
        while a.transport.figures().datagrams_dropped < 100 {
            for node in &plain {
                node.transport.send_datagram(a.host(), &Datagram::Gossip(vec![1]));
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    timeout(PATIENCE, dropped).await.expect("all that waits for the loop is there");
    let (asks, host, before) = (keeper.host(), a.host(), a.transport.figures());
    let asking = tokio::spawn(async move { keeper.ask(host).await });
    let judged = async {
        let judged = |figures: daemon::transport::Figures| figures.requests_received + figures.busy;
        while judged(a.transport.figures()) == judged(before) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, judged).await.expect("it has come, before the loop goes on");
    let mut unanswered = Vec::new();
    loop {
        if let Incoming::Request { from, reply, .. } = a.next().await {
            if from == asks {
                reply.send(Response::Noted);
                break;
            }
            unanswered.push(reply);
        }
    }
    assert_eq!(asking.await.expect("without a panic"), Ok(Response::Noted));
}

#[tokio::test]
async fn a_full_pool_lets_the_longest_unused_host_go() {
    let fleet = Fleet::new("prod");
    let mut a = fleet.start_with("a", PLAIN, 1, |settings| settings.pooled_max = 2);
    let hosts: Vec<_> = ["b", "c", "d"].map(|name| fleet.start(name, PLAIN).serve()).into();
    for host in &hosts {
        a.transport.introduce(host.address).await.expect("is admitted");
    }
    assert_eq!(a.closed().await, (fleet.id("b"), Parting::Evicted));
    assert_eq!(a.transport.connected().len(), 2);
    assert_eq!(a.transport.figures().evicted, 1);
}

#[tokio::test]
async fn an_agent_that_needs_all_its_connections_refuses_another_and_says_that_it_is_busy() {
    let fleet = Fleet::new("prod");
    let a = fleet.start_with("a", PLAIN, 1, |settings| settings.connections_max = 1);
    let b = fleet.start("b", PLAIN);
    let c = fleet.start("c", PLAIN);
    a.transport.keep_warm([b.host()].into());
    a.transport.introduce(b.address).await.expect("is admitted");
    let fault = c.transport.introduce(a.address).await;
    assert_eq!(fault, Err(CallFault::Refused(wire::HelloRefusal::Busy)));
}

#[tokio::test]
async fn an_agent_that_listens_on_both_families_is_reached_by_both_and_dials_both() {
    let fleet = Fleet::new("prod");
    let settings = || TransportSettings::seeded(system_seed());
    let any = "[::]:0".parse().expect("an address");
    let v6 = "[::1]:0".parse().expect("an address");
    let both = start(settings(), fleet.identity("both", PLAIN), 1, any).serve();
    let four = fleet.start("four", PLAIN).serve();
    let six = start(settings(), fleet.identity("six", PLAIN), 1, v6).serve();
    let port = both.address.port();
    let at_four = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let at_six = (std::net::Ipv6Addr::LOCALHOST, port).into();
    let host = both.transport.host();
    assert_eq!(four.transport.introduce(at_four).await, Ok(host));
    assert_eq!(six.transport.introduce(at_six).await, Ok(host));
    let dialled = both.transport.introduce(four.address).await;
    assert_eq!(dialled, Ok(four.transport.host()));
    both.transport.set_address(four.transport.host(), four.address);
    let fresh = both.transport.fresh_dial(four.transport.host(), 1, PATIENCE).await;
    assert!(fresh.is_ok(), "{fresh:?}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN);
    let presence = Presence { boot: boot(1), address: a.address, store: None };
    let sockets = std::sync::Arc::new(UdpSockets::new(a.address));
    let settings = TransportSettings::seeded(system_seed());
    let fault = Transport::start(settings, fleet.identity("b", PLAIN), presence, sockets);
    let said = fault.expect_err("is taken").to_string();
    let expected = format!("cannot listen on UDP {}: Address already in use", a.address);
    assert!(said.starts_with(&expected), "{said}");
}
