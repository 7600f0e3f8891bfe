//! The same transport over sockets in memory, in virtual time: a run can be had again, packet by packet.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use daemon::transport::{Incoming, Parting, Presence, Sockets, Transport, TransportSettings};
use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep};
use vocabulary::{Address, Digest, HostId};
use wire::{Datagram, Request, Response};

use crate::fleet::{Fleet, PLAIN, boot};

/// All sockets and the one network between them.
#[derive(Clone, Debug, Default)]
struct Hub(Arc<Mutex<Network>>);

#[derive(Debug, Default)]
struct Network {
    inboxes: BTreeMap<SocketAddr, Inbox>,
    cut: BTreeSet<SocketAddr>,
    next_port: u16,
    started: Option<Instant>,
    /// (microsecond, from, to, length) of every packet.
    trace: Vec<(u128, SocketAddr, SocketAddr, usize)>,
}

#[derive(Debug, Default)]
struct Inbox {
    packets: VecDeque<(SocketAddr, Vec<u8>)>,
    reader: Option<Waker>,
}

/// The sockets of one host.
#[derive(Debug)]
struct HostSockets {
    hub: Hub,
    address: SocketAddr,
}

#[derive(Debug)]
struct MemorySocket {
    hub: Hub,
    address: SocketAddr,
}

/// One way through the network, for every packet.
const LATENCY: Duration = Duration::from_millis(1);

impl Hub {
    fn open(&self, address: SocketAddr) -> Arc<dyn AsyncUdpSocket> {
        let mut network = self.0.lock().expect("no panic");
        network.inboxes.insert(address, Inbox::default());
        let hub = self.clone();
        Arc::new(MemorySocket { hub, address })
    }

    fn carry(&self, from: SocketAddr, to: SocketAddr, packet: Vec<u8>) {
        let mut network = self.0.lock().expect("no panic");
        let started = *network.started.get_or_insert_with(Instant::now);
        let at = started.elapsed().as_micros();
        network.trace.push((at, from, to, packet.len()));
        if network.cut.contains(&from) || network.cut.contains(&to) {
            return;
        }
        drop(network);
        let hub = self.clone();
        tokio::spawn(async move {
            sleep(LATENCY).await;
            let mut network = hub.0.lock().expect("no panic");
            if let Some(inbox) = network.inboxes.get_mut(&to) {
                inbox.packets.push_back((from, packet));
                inbox.reader.take().into_iter().for_each(Waker::wake);
            }
        });
    }

    fn cut(&self, address: SocketAddr) {
        self.0.lock().expect("no panic").cut.insert(address);
    }

    fn mend(&self) {
        self.0.lock().expect("no panic").cut.clear();
    }
}

impl Sockets for HostSockets {
    fn listening(&self) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        Ok(self.hub.open(self.address))
    }

    fn ephemeral(&self, _towards: Address) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let mut network = self.hub.0.lock().expect("no panic");
        network.next_port += 1;
        let port = 40_000 + network.next_port;
        drop(network);
        Ok(self.hub.open(SocketAddr::new(self.address.ip(), port)))
    }

    fn name(&self) -> String {
        self.address.to_string()
    }
}

impl AsyncUdpSocket for MemorySocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit) -> io::Result<()> {
        let packet = transmit.contents.to_vec();
        self.hub.carry(self.address, transmit.destination, packet);
        Ok(())
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut network = self.hub.0.lock().expect("no panic");
        let inbox = network.inboxes.entry(self.address).or_default();
        let Some((from, packet)) = inbox.packets.pop_front() else {
            inbox.reader = Some(context.waker().clone());
            return Poll::Pending;
        };
        buffers[0][..packet.len()].copy_from_slice(&packet);
        meta[0].addr = from;
        meta[0].len = packet.len();
        meta[0].stride = packet.len();
        Poll::Ready(Ok(1))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Drop for MemorySocket {
    fn drop(&mut self) {
        if let Ok(mut network) = self.hub.0.lock() {
            network.inboxes.remove(&self.address);
        }
    }
}

#[derive(Debug)]
struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn at(host: u8) -> SocketAddr {
    ([10, 0, 0, host], 7_400).into()
}

fn join(hub: &Hub, fleet: &Fleet, host: u8, seed: u8) -> (Transport, Receiver<Incoming>) {
    let name = format!("h{host}");
    let presence = Presence { boot: boot(1), address: at(host), store: None };
    let sockets = HostSockets { hub: hub.clone(), address: at(host) };
    let mut settings = TransportSettings::seeded([seed; 32]);
    settings.seed[0] = host;
    let identity = fleet.identity(&name, PLAIN);
    Transport::start(settings, identity, presence, Arc::new(sockets)).expect("starts")
}

/// Serves a host's requests and notes what becomes of its connections.
fn live(mut incoming: Receiver<Incoming>) -> Arc<Mutex<Vec<String>>> {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let written = notes.clone();
    tokio::spawn(async move {
        while let Some(event) = incoming.recv().await {
            match event {
                Incoming::Request { reply, .. } => reply.send(Response::Alive { boot: boot(1) }),
                Incoming::Connected(peer) => note(&written, format!("{} comes", peer.claims.host)),
                Incoming::Closed { host, why, .. } => note(&written, format!("{host:?} {why:?}")),
                Incoming::Datagram { .. }
                | Incoming::Refused { .. }
                | Incoming::TurnedAway { .. } => {}
            }
        }
    });
    notes
}

fn note(notes: &Mutex<Vec<String>>, line: String) {
    notes.lock().expect("no panic").push(line);
}

/// Four hosts that keep each other warm for four virtual minutes; one is cut off for two of them.
fn story(fleet: &Fleet, seed: u8) -> (Digest, usize, Vec<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let hub = Hub::default();
    let notes = runtime.block_on(async {
        let hosts: Vec<_> = (1..=4).map(|host| join(&hub, fleet, host, seed)).collect();
        let ids: Vec<HostId> = hosts.iter().map(|(transport, _)| transport.host()).collect();
        let mut transports = Vec::new();
        let mut all = Vec::new();
        for (transport, incoming) in hosts {
            for (number, id) in (1..).zip(&ids) {
                transport.set_address(*id, at(number));
            }
            transport.keep_warm(ids.iter().copied().collect());
            all.push(live(incoming));
            transports.push(transport);
        }
        for second in 0..240_u64 {
            match second {
                30 => hub.cut(at(4)),
                150 => hub.mend(),
                _ => {}
            }
            let number = second;
            for (transport, to) in transports.iter().zip(ids.iter().cycle().skip(1)) {
                transport.send_datagram(*to, &Datagram::Probe { number, seated: true });
            }
            let within = Duration::from_millis(900);
            let _ = transports[0].request(ids[1], Request::Probe, within).await;
            if second == 200 {
                let fresh = transports[1].fresh_dial(ids[2], 7, within).await;
                assert!(fresh.is_ok(), "{fresh:?}");
            }
            sleep(Duration::from_secs(1)).await;
        }
        for transport in &transports {
            assert_eq!(transport.connected().len(), 3, "the mesh is whole again");
        }
        all[0].lock().expect("no panic").clone()
    });
    drop(runtime);
    let network = hub.0.lock().expect("no panic");
    let lines = format!("{:?}", network.trace);
    (Digest::of(&[lines.as_bytes()]), network.trace.len(), notes)
}

#[test]
fn the_same_seed_gives_the_same_packets_at_the_same_times() {
    let fleet = Fleet::new("prod");
    let (first, packets, notes) = story(&fleet, 1);
    assert_eq!(story(&fleet, 1), (first, packets, notes.clone()));
    assert_ne!(story(&fleet, 2).0, first, "another seed is another run");
    let lost = format!("{:?} {:?}", fleet.id("h4"), Parting::Silent);
    assert!(notes.contains(&lost), "{notes:?}");
    assert_eq!(notes.last().map(String::as_str), Some("h4 comes"), "{notes:?}");
    assert!(packets > 1_000, "only {packets} packets");
}

/// What host 1 sends to host 2 in one minute, in IP bytes, while each probes the other every `every` and answers.
fn spent_in_a_minute(fleet: &Fleet, every: Option<Duration>) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let hub = Hub::default();
    let counted = runtime.block_on(async {
        let (one, incoming) = join(&hub, fleet, 1, 1);
        let (two, at_two) = join(&hub, fleet, 2, 1);
        one.set_address(two.host(), at(2));
        one.keep_warm([two.host()].into());
        probe(one.clone(), two.host(), incoming, every);
        probe(two.clone(), one.host(), at_two, every);
        sleep(Duration::from_secs(60)).await;
        let before = hub.0.lock().expect("no panic").trace.len();
        sleep(Duration::from_secs(60)).await;
        assert!(one.is_connected(two.host()));
        before
    });
    drop(runtime);
    let network = hub.0.lock().expect("no panic");
    let sent = network.trace.iter().skip(counted).filter(|packet| packet.1 == at(1));
    // 20 bytes of IPv4 and 8 of UDP around each.
    sent.map(|packet| packet.3 + 28).sum()
}

fn probe(
    transport: Transport,
    to: HostId,
    mut incoming: Receiver<Incoming>,
    every: Option<Duration>,
) {
    let probing = transport.clone();
    tokio::spawn(async move {
        let mut number = 0;
        while let Some(every) = every {
            sleep(every).await;
            number += 1;
            probing.send_datagram(to, &Datagram::Probe { number, seated: true });
        }
    });
    tokio::spawn(async move {
        while let Some(event) = incoming.recv().await {
            if let Incoming::Datagram { from, datagram: Datagram::Probe { number, .. }, .. } = event
            {
                let reply =
                    Datagram::ProbeReply { number, boot: boot(u64::MAX), next_slot_ms: 3_000 };
                transport.send_datagram(from, &reply);
            }
        }
    });
}

#[test]
fn a_calm_mesh_costs_what_the_protocol_promises() {
    let fleet = Fleet::new("prod");
    let asleep = spent_in_a_minute(&fleet, None);
    assert!(asleep <= 150, "a warm connection at rest sends {asleep} bytes a minute");
    // protocol 2.2: ten observers and ten subjects, each probed every 3 s; here one of each.
    let seat = spent_in_a_minute(&fleet, Some(Duration::from_secs(3)));
    let per_second = seat * 10 / 60;
    assert!(
        per_second <= 720,
        "the probes of a full set of seats send {per_second} bytes a second"
    );
}

#[test]
fn hosts_that_start_together_dial_each_pair_once() {
    const HOSTS: u8 = 12;
    let fleet = Fleet::new("prod");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let hub = Hub::default();
    let dials: u64 = runtime.block_on(async {
        let hosts: Vec<_> = (1..=HOSTS).map(|host| join(&hub, &fleet, host, 1)).collect();
        let ids: Vec<HostId> = hosts.iter().map(|(transport, _)| transport.host()).collect();
        let mut transports = Vec::new();
        for (transport, incoming) in hosts {
            for (number, id) in (1..).zip(&ids) {
                transport.set_address(*id, at(number));
            }
            transport.keep_warm(ids.iter().copied().collect());
            live(incoming);
            transports.push(transport);
        }
        sleep(Duration::from_secs(5)).await;
        for transport in &transports {
            assert_eq!(transport.connected().len(), usize::from(HOSTS) - 1);
        }
        transports.iter().map(|transport| transport.figures().dials).sum()
    });
    assert_eq!(dials, 66, "a start of all hosts is not a storm");
}
