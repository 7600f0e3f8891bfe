//! Are strangers refused with a reason, and is whatever they and a certified peer send survived?

use std::net::{SocketAddr, UdpSocket};

use cluster::figures;
use cluster::mesh::{Mesh, plain, play, until};
use cluster::stranger::{StrangeAgent, certified, client, greet, say};
use daemon::demo::plan::{CLUSTER, HOSTS, HOSTS_COUNT};
use daemon::demo::stage::Calm;
use ledger::audit::What;
use ledger::command::Command;
use quinn::{Connection, ConnectionError, VarInt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vocabulary::VerdictKind;
use wire::frame::{self, DATAGRAM_BYTES_MAX, RAFT_BYTES_MAX, STREAM_BYTES_MAX};
use wire::message::Unavailable;
use wire::{HelloRefusal, Request, Response};

/// The TLS alert `certificate_required`, as QUIC counts it.
const CERTIFICATE_REQUIRED: u64 = 0x100 + 116;

/// Ours for a connection that was closed after too many faults of form.
const MISBEHAVED: u32 = 5;

/// How often all of it is sent.
const ROUNDS: usize = 5;

/// After so many rounds what is bounded is full, on a busy machine too.
const FULL_AFTER: usize = 3;

/// What all of it may cost an agent.
const COST_KB_MAX: u64 = 16 * 1_024;

/// What the rounds after that may cost an agent; each sends it some 11 MB.
const GROWTH_KB_MAX: u64 = 2 * 1_024;

#[test]
fn strangers_and_whatever_is_sent_change_nothing_and_a_death_is_healed_as_ever() {
    play(async |mut mesh| {
        let before = mesh.calm().await;
        let processes = mesh.processes().await;
        mesh.has_newest_rules().await;
        a_certified_peer_asks_for_rules(&mesh).await;
        let strangers = strangers_are_refused_with_a_reason(&mesh).await;
        nothing_came_of_it(&mut mesh, &before, &processes).await;
        let mut memory = vec![memory_kb(&processes)];
        let mut held = Vec::new();
        for _ in 0..ROUNDS {
            garbage_is_sent_to_every_port(&mesh).await;
            a_certified_peer_says_what_is_no_message(&mesh).await;
            held.extend(a_certified_peer_sends_without_end(&mesh).await);
            memory.push(memory_kb(&processes));
        }
        nothing_came_of_it(&mut mesh, &before, &processes).await;
        for ((calm, full), last) in memory[0].iter().zip(&memory[FULL_AFTER]).zip(&memory[ROUNDS]) {
            assert!(*last < calm + COST_KB_MAX, "garbage costs an agent too much: {memory:?} kB");
            assert!(*last < full + GROWTH_KB_MAX, "an agent grows with garbage: {memory:?} kB");
        }
        assert!(strangers.iter().all(StrangeAgent::runs), "they go on asking all the while");
        let victim = plain(&before);
        mesh.stage.fleet.kill(victim).await.expect("killed");
        mesh.healed(victim, VerdictKind::AgentDown, &before).await;
        drop(held);
    });
}

/// The same lives of the same six hosts, and not one case.
async fn nothing_came_of_it(mesh: &mut Mesh, before: &Calm, processes: &[u32]) {
    let after = mesh.calm().await;
    assert_eq!(after.boots, before.boots, "the hosts and their lives");
    assert_eq!(mesh.processes().await, processes, "no agent has ended");
    assert_eq!(mesh.opened(before), [], "no case");
    let enrolled = |what: &What| matches!(what, What::Enrolled { .. });
    let mut records = mesh.stage.history.since(before.head);
    assert!(!records.any(|record| enrolled(&record.what)), "nobody has joined");
}

/// An agent with the right cluster's name and a member's own under another authority; one of another cluster; a client without a
/// certificate; one with a certificate of ours that says another cluster's name.
async fn strangers_are_refused_with_a_reason(mesh: &Mesh) -> [StrangeAgent; 2] {
    let all: Vec<SocketAddr> = addresses(mesh);
    let agent = |folder: &str, cluster: &str, name: &'static str| {
        StrangeAgent::start(&mesh.folder.join(folder), cluster, name, all.clone())
    };
    let strangers = [agent("impostor", CLUSTER, "c2"), agent("other", "other", "z1")];
    for stranger in &strangers {
        until("its log says why it is alone", async || {
            stranger.log().contains("a certificate was not believed")
        })
        .await;
    }
    let ours = certified(&mesh.folder, "z2", false);
    for address in all {
        let nobody = greet(&client(None), address, CLUSTER).await;
        let Err(ConnectionError::ConnectionClosed(close)) = nobody.map(drop) else {
            panic!("a client without a certificate was not shown out");
        };
        assert_eq!(u64::from(close.error_code), CERTIFICATE_REQUIRED);
        let (_, answer) = greet(&client(Some(&ours)), address, "other").await.expect("answered");
        assert_eq!(answer, Err(HelloRefusal::Cluster));
    }
    strangers
}

/// Law RU1: the leader alone asks for rules, and asks itself; whoever else does is not even answered by the ledger.
async fn a_certified_peer_asks_for_rules(mesh: &Mesh) {
    let rules = wire::encode(&Command::Rules { rules: ledger::rules::NEWEST });
    let forbidden = frame::seal(&Response::Unavailable(Unavailable::Forbidden));
    let connections = [certified(&mesh.folder, "z6", false), certified(&mesh.folder, "z7", true)];
    for folder in connections {
        let answers = addresses(mesh).into_iter().map(async |address| {
            let connection = welcomed(&client(Some(&folder)), address).await;
            say(&connection, &frame::seal(&Request::Propose(rules.clone()))).await
        });
        let mut refused = 0;
        for answer in answers {
            refused += usize::from(answer.await == Ok(forbidden.clone()));
        }
        // Those that carry no ledger say that it is not theirs.
        assert_eq!(refused, HOSTS.iter().filter(|host| host.is_keeper).count());
    }
}

/// Random datagrams of every length, handshakes without a certificate, and more connections to the second channel than are
/// answered at once.
async fn garbage_is_sent_to_every_port(mesh: &Mesh) {
    const DATAGRAMS: usize = 1_000;
    const HANDSHAKES: usize = 40;
    const CONNECTIONS: usize = 300;
    let mut noise = Noise(7);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("binds");
    for address in addresses(mesh) {
        for number in 0..DATAGRAMS {
            let mut packet = noise.bytes(number * 9 % 9_000);
            if let Some(first) = packet.first_mut() {
                // Long and short headers of QUIC, and neither.
                *first = (*first & 0x3f) | [0x00, 0x40, 0x80, 0xc0][number % 4];
            }
            // The kernel may drop what the agent has no room for.
            let _ = socket.send_to(&packet, address);
        }
        // More handshakes at once than are begun with whoever has not proven his address.
        let nobody = client(None);
        let dial = || nobody.connect(address, "hale").expect("an address");
        let handshakes: Vec<_> = std::iter::repeat_with(dial).take(HANDSHAKES).collect();
        for handshake in handshakes {
            let _ = handshake.await;
        }
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut stream = TcpStream::connect(address).await.expect("accepted");
            // It answers, closes and never reads: a reset may be faster than we are.
            let _ = stream.write_all(&noise.bytes(2_000)).await;
            open.push(stream);
        }
        for mut stream in open {
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    }
}

async fn a_certified_peer_says_what_is_no_message(mesh: &Mesh) {
    let (plain, keeper) =
        (certified(&mesh.folder, "z3", false), certified(&mesh.folder, "z4", true));
    let mut noise = Noise(11);
    for address in addresses(mesh) {
        let connection = welcomed(&client(Some(&plain)), address).await;
        assert_eq!(say(&connection, &noise.bytes(300)).await, Err(Some(1)), "garbled");
        assert_eq!(say(&connection, &[]).await, Err(Some(1)), "garbled");
        let large = noise.bytes(STREAM_BYTES_MAX + 1);
        assert_eq!(say(&connection, &large).await, Err(Some(2)), "too large");
        let raft = frame::seal(&Request::Raft(noise.bytes(100)));
        let forbidden = frame::seal(&Response::Unavailable(Unavailable::Forbidden));
        assert_eq!(say(&connection, &raft).await, Ok(forbidden));
        // What is sound is still served.
        let answer = say(&connection, &frame::seal(&Request::Probe)).await.expect("answered");
        let answer = frame::open::<Response>(&answer, STREAM_BYTES_MAX).expect("an answer");
        assert!(matches!(answer, Response::Alive { .. }), "{answer:?}");
        // The datagrams that are no message end the connection, and not the agent.
        let longest = connection.max_datagram_size().expect("datagrams");
        until("its connection is closed", async || {
            for _ in 0..8 {
                let length = [1, DATAGRAM_BYTES_MAX, longest][noise.below(3)].min(longest);
                let _ = connection.send_datagram(noise.bytes(length).into());
            }
            connection.close_reason().is_some()
        })
        .await;
        let ended = connection.closed().await;
        let ConnectionError::ApplicationClosed(close) = ended else { panic!("{ended:?}") };
        assert_eq!(close.error_code, VarInt::from_u32(MISBEHAVED));
        let connection = welcomed(&client(Some(&keeper)), address).await;
        let large = noise.bytes(RAFT_BYTES_MAX + 1);
        assert_eq!(say(&connection, &large).await, Err(Some(2)), "too large for a keeper, too");
        let raft = frame::seal(&Request::Raft(noise.bytes(1_000)));
        let _ = say(&connection, &raft).await;
    }
}

/// As many streams as it is given, each with nearly all that one may hold, and never an end: they are held until the story ends.
async fn a_certified_peer_sends_without_end(
    mesh: &Mesh,
) -> Vec<(Connection, Vec<quinn::SendStream>)> {
    const STREAMS: usize = 8;
    let folder = certified(&mesh.folder, "z5", false);
    let mut held = Vec::new();
    for address in addresses(mesh) {
        let endpoint = client(Some(&folder));
        let connection = welcomed(&endpoint, address).await;
        let mut streams = Vec::new();
        for _ in 0..STREAMS {
            let (mut send, _) = connection.open_bi().await.expect("a stream");
            let _ = send.write_all(&vec![7; STREAM_BYTES_MAX - 1]).await;
            streams.push(send);
        }
        held.push((connection, streams));
    }
    held
}

async fn welcomed(endpoint: &quinn::Endpoint, to: SocketAddr) -> Connection {
    let (connection, answer) = greet(endpoint, to, CLUSTER).await.expect("answered");
    answer.expect("welcome");
    connection
}

fn addresses(mesh: &Mesh) -> Vec<SocketAddr> {
    (0..HOSTS_COUNT).map(|place| mesh.stage.fleet.address(place)).collect()
}

fn memory_kb(processes: &[u32]) -> Vec<u64> {
    processes.iter().copied().map(figures::memory_kb).collect()
}

/// xorshift: the same bytes in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below")
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}
