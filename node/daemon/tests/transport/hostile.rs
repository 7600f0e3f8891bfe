//! Garbage, floods and broken promises; afterwards the transport still serves the sound.

use std::net::UdpSocket;

use daemon::transport::system_seed;
use wire::message::Unavailable;
use wire::{Request, Response, frame};

use crate::fleet::{Fleet, PATIENCE, PLAIN, boot};
use crate::raw;

#[tokio::test]
async fn garbage_at_the_socket_is_survived() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN);
    let b = fleet.start("b", PLAIN).serve();
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("binds");
    for length in [0, 1, 7, 21, 60, 1_199, 1_200, 1_400, 9_000] {
        for first in [0x00, 0x40, 0x80, 0xc0, 0xff] {
            let mut packet: Vec<u8> = system_seed().repeat(300)[..length].to_vec();
            if let Some(byte) = packet.first_mut() {
                *byte = first;
            }
            stranger.send_to(&packet, b.address).expect("is sent");
        }
    }
    let host = a.transport.introduce(b.address).await.expect("is admitted");
    assert_eq!(a.ask(host).await, Ok(Response::Alive { boot: boot(1) }));
}

#[tokio::test]
async fn unreadable_requests_end_their_stream_and_too_many_end_the_connection() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN).serve();
    fleet.identity("x", PLAIN);
    let endpoint = raw::client(Some(&raw::issued(&fleet, "x")));
    let (connection, _) = raw::greet(&endpoint, a.address, &fleet).await.expect("is admitted");
    let alive = frame::seal(&Response::Alive { boot: boot(1) });

    assert_eq!(raw::say(&connection, b"no message").await, Err(Some(1)));
    assert_eq!(raw::say(&connection, &[]).await, Err(Some(1)));
    assert_eq!(raw::say(&connection, &vec![0; 300 * 1024]).await, Err(Some(2)));
    let mut other_version = frame::seal(&Request::Probe);
    other_version[0] = 9;
    assert_eq!(raw::say(&connection, &other_version).await, Err(Some(1)));
    // After all that the same connection still serves what is sound.
    assert_eq!(raw::say(&connection, &frame::seal(&Request::Probe)).await, Ok(alive));
    let raft = frame::seal(&Request::Raft(vec![1]));
    let forbidden = frame::seal(&Response::Unavailable(Unavailable::Forbidden));
    assert_eq!(raw::say(&connection, &raft).await, Ok(forbidden));

    for _ in 0..20 {
        let garbage = vec![0xff; 40];
        let _ = connection.send_datagram(garbage.into());
    }
    let ended = connection.closed().await;
    let quinn::ConnectionError::ApplicationClosed(close) = ended else {
        panic!("{ended:?}");
    };
    assert_eq!(close.error_code, 5_u32.into());
    let figures = a.transport.figures();
    assert_eq!((figures.misbehaved, figures.forbidden), (1, 1));
}

/// Connections that this transport's QUIC still has to do with.
fn open(transport: &daemon::transport::Transport) -> usize {
    let queues = transport.queues();
    let open = queues.iter().find(|queue| queue.name.starts_with("connections"));
    (open.expect("it is watched").used)()
}

#[tokio::test]
async fn handshakes_whose_first_word_is_that_they_are_over_leave_nothing_behind() {
    const HANDSHAKES: u64 = 4;
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN);
    for _ in 0..HANDSHAKES {
        let (endpoint, is_mute) = raw::mute_client();
        let connecting = endpoint.connect(a.address, "hale").expect("an address");
        // Its hello is lost, and is said again after a second only; before that it is given up, which is all that is heard of it.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        is_mute.store(false, std::sync::atomic::Ordering::SeqCst);
        drop(connecting);
        endpoint.wait_idle().await;
    }
    let figures = || a.transport.figures();
    let ended = async {
        while figures().handshakes_failed < HANDSHAKES || open(&a.transport) > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let ended = tokio::time::timeout(PATIENCE, ended).await;
    let (failed, open) = (figures().handshakes_failed, open(&a.transport));
    assert!(ended.is_ok(), "{failed} handshakes ended, {open} connections are left");
}

/// Handshakes that stop half way have all the time there is, a minute, until it is crowded.
#[tokio::test]
async fn when_many_handshakes_of_strangers_are_under_way_those_that_come_have_a_second() {
    const CALM: usize = 64;
    let fleet = Fleet::new("prod");
    let a = fleet.start_with("a", PLAIN, 1, |settings| {
        settings.connect_within = std::time::Duration::from_mins(1);
    });
    // TLS is done and no hello ever comes.
    fleet.identity("x", PLAIN);
    let endpoint = raw::client(Some(&raw::issued(&fleet, "x")));
    let mut halves = Vec::new();
    let crowded = async {
        while a.transport.figures().handshakes_failed < 8 {
            if let Ok(half) = endpoint.connect(a.address, "hale").expect("an address").await {
                halves.push(half);
            }
        }
    };
    tokio::time::timeout(PATIENCE, crowded).await.expect("those beyond it are over soon");
    let stand = halves.iter().filter(|half| half.close_reason().is_none()).count();
    assert!(stand >= CALM, "those that came before it keep their time: {stand}");
}

#[tokio::test]
async fn whoever_asks_more_than_one_host_may_is_told_so_and_served_again_later() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN).serve();
    fleet.identity("x", PLAIN);
    let endpoint = raw::client(Some(&raw::issued(&fleet, "x")));
    let (connection, _) = raw::greet(&endpoint, a.address, &fleet).await.expect("is admitted");
    let probe = frame::seal(&Request::Probe);
    let alive = frame::seal(&Response::Alive { boot: boot(1) });
    let floods = async {
        while a.transport.figures().excessive == 0 {
            let asks = (0..16).map(|_| {
                let (connection, probe) = (connection.clone(), probe.clone());
                tokio::spawn(async move { raw::say(&connection, &probe).await })
            });
            for asked in asks.collect::<Vec<_>>() {
                drop(asked.await.expect("without a panic"));
            }
        }
    };
    tokio::time::timeout(PATIENCE, floods).await.expect("it is too much");
    let again = async {
        while raw::say(&connection, &probe).await.as_ref() != Ok(&alive) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, again).await.expect("it is served again");
}

#[tokio::test]
async fn a_stranger_who_never_says_hello_is_shown_out_and_never_seen_by_the_agent() {
    let fleet = Fleet::new("prod");
    let mut a = fleet.start_with("a", PLAIN, 1, |settings| {
        settings.connect_within = std::time::Duration::from_millis(20);
    });
    fleet.identity("x", PLAIN);
    let endpoint = raw::client(Some(&raw::issued(&fleet, "x")));
    let connecting = endpoint.connect(a.address, "hale").expect("an address");
    let connection = connecting.await.expect("TLS is sound");
    connection.closed().await;
    assert!(a.incoming.try_recv().is_err());
    assert_eq!(a.transport.figures().handshakes_failed, 1);
}

#[tokio::test]
async fn a_peer_gets_sixteen_streams_and_the_rest_wait_on_its_side() {
    let fleet = Fleet::new("prod");
    let mut a = fleet.start("a", PLAIN);
    fleet.identity("x", PLAIN);
    let endpoint = raw::client(Some(&raw::issued(&fleet, "x")));
    let (connection, _) = raw::greet(&endpoint, a.address, &fleet).await.expect("is admitted");
    a.connected().await;
    let waker = std::task::Waker::noop();
    let mut context = std::task::Context::from_waker(waker);
    let mut open = Vec::new();
    let more = loop {
        let mut next = Box::pin(connection.open_bi());
        match std::future::Future::poll(next.as_mut(), &mut context) {
            std::task::Poll::Ready(stream) => open.push(stream.expect("the connection stands")),
            std::task::Poll::Pending => break next,
        }
        assert!(open.len() <= 16, "one peer has {} streams", open.len());
    };
    assert!(open.len() >= 8, "one peer has only {} streams", open.len());
    for (send, _) in &mut open {
        send.reset(5_u32.into()).expect("is open");
    }
    assert!(more.await.is_ok(), "the next one comes when others end");
}

#[tokio::test]
async fn whoever_has_to_prove_its_address_first_is_let_in_all_the_same() {
    let fleet = Fleet::new("prod");
    let a = fleet.start("a", PLAIN);
    let b = fleet.start("b", PLAIN).serve();
    let host = a.transport.introduce(b.address).await.expect("is admitted");
    // Far more in a second than are let in without a proof.
    for nonce in 0..40 {
        let answer = a.transport.fresh_dial(host, nonce, PATIENCE).await;
        let answer = answer.map(|(boot, answered)| (boot, answered.response));
        assert_eq!(answer, Ok((boot(1), Response::Alive { boot: boot(1) })), "dial {nonce}");
    }
}
