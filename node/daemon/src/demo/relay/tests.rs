//! What agents see of a relay in each of its modes.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;

use super::*;

/// As long as an observer waits for a knock.
const PATIENCE: Duration = Duration::from_millis(400);

/// What a knock on the second channel brings.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Bytes(Vec<u8>),
    Nothing,
    Refused,
    Silence,
}

/// An agent's two sockets on one port: echoes datagrams, answers connections with its name.
struct Target {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Target {
    async fn start(name: &'static str) -> Self {
        let address = ports::free().expect("a free port");
        Self::at(address, name).await
    }

    async fn at(address: SocketAddr, name: &'static str) -> Self {
        let datagrams = UdpSocket::bind(address).await.expect("bound");
        let listener = TcpListener::bind(address).await.expect("bound");
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut buffer = [0; 2_048];
            while let Ok((length, from)) = datagrams.recv_from(&mut buffer).await {
                let _ = datagrams.send_to(&buffer[..length], from).await;
            }
        });
        tasks.spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let _ = client.write_all(name.as_bytes()).await;
            }
        });
        Self { address, _tasks: tasks }
    }
}

async fn knock(address: SocketAddr) -> Heard {
    let mut stream = match timeout(PATIENCE, TcpStream::connect(address)).await {
        Err(_) => return Heard::Silence,
        Ok(Err(_)) => return Heard::Refused,
        Ok(Ok(stream)) => stream,
    };
    let mut bytes = Vec::new();
    match timeout(PATIENCE, stream.read_to_end(&mut bytes)).await {
        Ok(Ok(1..)) => Heard::Bytes(bytes),
        _ => Heard::Nothing,
    }
}

async fn dialler() -> UdpSocket {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("bound")
}

/// The echo of a few bytes, or nothing.
async fn echo(dialler: &UdpSocket, relay: &Relay) -> Option<Vec<u8>> {
    dialler.send_to(b"ping", relay.address()).await.expect("sent");
    let mut buffer = [0; 64];
    let (length, from) =
        timeout(PATIENCE, dialler.recv_from(&mut buffer)).await.ok()?.expect("received");
    assert_eq!(from, relay.address(), "answers come from where one dialled");
    Some(buffer[..length].to_vec())
}

async fn relay_in(mode: Mode, target: SocketAddr) -> Relay {
    let relay = Relay::to(target).await.expect("a relay");
    relay.set(mode).await.expect("the mode holds");
    relay
}

#[tokio::test]
async fn an_open_relay_carries_both_channels_both_ways() {
    let target = Target::start("hale").await;
    let relay = relay_in(Mode::Open, target.address).await;
    assert_eq!(knock(relay.address()).await, Heard::Bytes(b"hale".into()));
    let (one, two) = (dialler().await, dialler().await);
    assert_eq!(echo(&one, &relay).await, Some(b"ping".into()));
    assert_eq!(echo(&two, &relay).await, Some(b"ping".into()));
}

#[tokio::test]
async fn a_silent_relay_neither_answers_nor_accepts_nor_refuses_however_often_one_knocks() {
    let target = Target::start("hale").await;
    let relay = relay_in(Mode::Open, target.address).await;
    let dialler = dialler().await;
    assert!(echo(&dialler, &relay).await.is_some());
    relay.set(Mode::Silent).await.expect("holds");
    for _ in 0..3 {
        assert_eq!(knock(relay.address()).await, Heard::Silence);
    }
    assert_eq!(echo(&dialler, &relay).await, None);
}

#[tokio::test]
async fn a_relay_that_was_silent_carries_again_on_the_same_port_and_forgets_what_queued() {
    let target = Target::start("hale").await;
    let relay = relay_in(Mode::Open, target.address).await;
    for _ in 0..3 {
        relay.set(Mode::Silent).await.expect("holds");
        assert_eq!(knock(relay.address()).await, Heard::Silence);
        relay.set(Mode::Open).await.expect("holds");
        assert_eq!(knock(relay.address()).await, Heard::Bytes(b"hale".into()));
    }
    assert_eq!(echo(&dialler().await, &relay).await, Some(b"ping".into()));
}

#[tokio::test]
async fn a_relay_of_a_dead_agent_refuses_and_serves_its_next_life_on_the_same_port() {
    let target = Target::start("first").await;
    let address = target.address;
    let relay = relay_in(Mode::Open, address).await;
    let dialler = dialler().await;
    assert!(echo(&dialler, &relay).await.is_some());
    drop(target);
    relay.set(Mode::Refusing).await.expect("holds");
    assert_eq!(knock(relay.address()).await, Heard::Refused);
    assert_eq!(echo(&dialler, &relay).await, None);
    relay.set(Mode::Silent).await.expect("holds");
    let heard = knock(relay.address()).await;
    assert_eq!(heard, Heard::Silence, "its host is gone as well");
    relay.set(Mode::Refusing).await.expect("holds");
    assert_eq!(knock(relay.address()).await, Heard::Refused);

    let _second = Target::at(address, "second").await;
    relay.set(Mode::Open).await.expect("holds");
    assert_eq!(knock(relay.address()).await, Heard::Bytes(b"second".into()));
    assert_eq!(
        echo(&dialler, &relay).await,
        Some(b"ping".into()),
        "a way outlives the agent at its end"
    );
}

#[tokio::test]
async fn an_agent_that_is_frozen_behind_an_open_relay_accepts_and_says_nothing() {
    // A listener that nobody serves: the kernel accepts, as it does for a stopped process.
    let address = ports::free().expect("a free port");
    let _frozen = TcpListener::bind(address).await.expect("bound");
    let relay = relay_in(Mode::Open, address).await;
    assert_eq!(knock(relay.address()).await, Heard::Nothing);
}

#[tokio::test]
async fn a_connection_that_is_open_when_the_silence_falls_stalls_and_ends_with_it() {
    let address = ports::free().expect("a free port");
    let frozen = TcpListener::bind(address).await.expect("bound");
    let relay = relay_in(Mode::Open, address).await;
    let mut client = TcpStream::connect(relay.address()).await.expect("accepted");
    let (mut served, _) = frozen.accept().await.expect("carried");
    relay.set(Mode::Silent).await.expect("holds");
    served.write_all(b"late").await.expect("taken by the kernel");
    let mut buffer = [0; 8];
    assert!(timeout(PATIENCE, client.read(&mut buffer)).await.is_err(), "nothing passes");
    relay.set(Mode::Open).await.expect("holds");
    let ended = timeout(PATIENCE, client.read(&mut buffer)).await;
    assert!(matches!(ended, Ok(Ok(0) | Err(_))), "{ended:?}");
}

#[tokio::test]
async fn more_sources_than_a_relay_remembers_are_all_served_and_the_oldest_way_is_made_anew() {
    let target = Target::start("hale").await;
    let relay = relay_in(Mode::Open, target.address).await;
    let first = dialler().await;
    assert!(echo(&first, &relay).await.is_some());
    for _ in 0..70 {
        assert!(echo(&dialler().await, &relay).await.is_some());
    }
    assert!(echo(&first, &relay).await.is_some());
}
