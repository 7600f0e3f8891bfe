//! The mesh as one agent sees it: who is connected, what comes from them, and how to ask them.
//!
//! Laws TR1 to TR11 stand in the rooms below: a peer is who its certificate says (`tls`); one connection per host is
//! spoken on (`pool`); newer lives replace older ones (`pool`); everything is bounded (`settings`, `knocks`, `handshakes`, `allowance`); what a certificate
//! does not permit never reaches the agent (`serve`); a connection belongs to whom its certificate names (`dial`).
//! Not here: what any message means, and which hosts there are; the daemon says both.

mod accept;
mod allowance;
mod book;
mod call;
mod dial;
mod distrust;
mod drops;
pub mod fault;
pub mod figures;
mod handshakes;
mod hello;
pub mod incoming;
mod knocks;
mod link;
mod luck;
mod plain;
mod pool;
mod quic;
mod redial;
mod serve;
pub mod settings;
mod shared;
pub mod sockets;
mod tls;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quinn::AsyncUdpSocket;
use replication::{Pulse, Queue, tasks};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use vocabulary::{Address, Boot, CertificateChain, HostId, HostName};
use wire::{DATAGRAM_BYTES_MAX, Datagram, Request, Response, frame};

pub use call::{Answered, Replies};
pub use fault::{CallFault, Parting, Side, StartFault};
pub use figures::Figures;
pub use incoming::{Incoming, Peer, Presented, Reply, Unwanted};
pub use luck::system_seed;
pub use settings::{Presence, TransportSettings};
pub use sockets::{Sockets, UdpSockets};

use crate::bucket::Bucket;
use crate::identity::Identity;
use allowance::Allowances;
use book::Book;
use dial::Errand;
use distrust::Complaints;
use fault::Close;
use figures::count;
use knocks::Knocks;
use luck::Luck;
use pool::{Bounds, Pool};
use quic::Quic;
use redial::Redials;
use settings::{EVENTS_MAX, FRESH_SERVED_MAX, HANDSHAKES_MAX, LEAVING_WITHIN, REQUESTS_MAX};
use shared::{Shared, State};

/// A handle on the transport; cheap to clone. Its tasks live until [`Transport::close`].
#[derive(Clone, Debug)]
pub struct Transport(Arc<Shared>);

/// What became of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// It is on its way, for all that a datagram is worth.
    Sent,
    /// It waits for a dial that has just begun or is under way.
    Waiting,
    /// It was dropped: no address, no budget for a dial, retired, too large, of a version that the host's agent does not
    /// speak, or the connection has just ended.
    Dropped,
}

impl Transport {
    /// Opens the sockets and starts; what comes is read from the receiver, which must be read all the time.
    /// To be called within a tokio runtime.
    pub fn start(
        settings: TransportSettings,
        identity: Arc<Identity>,
        presence: Presence,
        sockets: Arc<dyn Sockets>,
    ) -> Result<(Self, mpsc::Receiver<Incoming>), StartFault> {
        Bound::open(settings, identity, sockets)?.start(presence)
    }

    /// The host that this transport speaks for.
    pub fn host(&self) -> HostId {
        self.0.host
    }

    /// Where it listens.
    pub fn local_address(&self) -> std::io::Result<Address> {
        self.0.endpoint.local_addr()
    }

    /// Sends a datagram on the standing connection; without one it waits for a dial, where the budget allows one.
    pub fn send_datagram(&self, to: HostId, datagram: &Datagram) -> Sending {
        let sealed = Bytes::from(frame::seal(datagram));
        let sending = if sealed.len() > DATAGRAM_BYTES_MAX {
            Sending::Dropped
        } else {
            self.send_sealed(to, sealed)
        };
        match sending {
            Sending::Sent => count(&self.0.counters.datagrams_sent),
            Sending::Dropped => count(&self.0.counters.datagrams_unsent),
            Sending::Waiting => {}
        }
        sending
    }

    fn send_sealed(&self, to: HostId, sealed: Bytes) -> Sending {
        let mut state = self.0.lock();
        if let Some(link) = state.pool.speak(to).filter(|link| link.is_open()) {
            let is_sent = link.speaks(&sealed) && link.connection.send_datagram(sealed).is_ok();
            return if is_sent { Sending::Sent } else { Sending::Dropped };
        }
        match state.begin_dial(&self.0, to, Errand::Datagram) {
            Ok(dial) => {
                dial.keep(sealed, &self.0.counters);
                Sending::Waiting
            }
            Err(_) => Sending::Dropped,
        }
    }

    /// Asks a host and waits for its answer, dialling first where needed; all of it within the time given. A question that its former
    /// life has not answered is asked again of its new one; a command is not: the former life may have committed it.
    pub async fn ask(
        &self,
        to: HostId,
        request: Request,
        within: Duration,
    ) -> Result<Answered, CallFault> {
        let asking = async {
            match self.request_once(to, &request).await {
                Err(CallFault::Lost(Parting::Restarted))
                    if !matches!(request, Request::Propose(_)) =>
                {
                    self.request_once(to, &request).await
                }
                other => other,
            }
        };
        timeout(within, asking).await.unwrap_or(Err(CallFault::TooLate))
    }

    /// The same for whoever only compares what was answered, and so need not hold it.
    pub async fn request(
        &self,
        to: HostId,
        request: Request,
        within: Duration,
    ) -> Result<Response, CallFault> {
        self.ask(to, request, within).await.map(|answered| answered.response)
    }

    async fn request_once(&self, to: HostId, request: &Request) -> Result<Answered, CallFault> {
        let held = dial::standing(&self.0, to).await?;
        count(&self.0.counters.requests_sent);
        let answered = call::ask(&self.0.settings.quarantine, &held.link, request).await;
        self.0.note_refused(answered)
    }

    /// Asks a host for many answers ([`Request::Follow`]); the time given is for the asking, not for the answers.
    pub async fn follow(
        &self,
        to: HostId,
        request: Request,
        within: Duration,
    ) -> Result<Replies, CallFault> {
        let asking = async {
            let held = dial::standing(&self.0, to).await?;
            count(&self.0.counters.requests_sent);
            call::follow(&self.0.settings.quarantine, &held.link, &request, held.hold).await
        };
        timeout(within, asking).await.unwrap_or(Err(CallFault::TooLate))
    }

    /// Asks a host to sign that it lives, over a new connection from a new source port (protocol 2.3). Says which life
    /// let us in beside what it answered. The standing connection is left as it is.
    pub async fn fresh_dial(
        &self,
        to: HostId,
        nonce: u128,
        within: Duration,
    ) -> Result<(Boot, Answered), CallFault> {
        timeout(within, dial::fresh(&self.0, to, &Request::Ask { nonce }))
            .await
            .unwrap_or(Err(CallFault::TooLate))
    }

    /// Connects to whoever of this cluster is at an address, a seed's, and says who it is.
    pub async fn introduce(&self, address: Address) -> Result<HostId, CallFault> {
        let link = dial::reach(&self.0, None, address).await?;
        Ok(link.host)
    }

    /// Where a host is, from configuration or roster; this holds against what the host says of itself.
    pub fn set_address(&self, host: HostId, address: Address) {
        self.0.lock().book.set_address(host, address);
        self.0.warm_changed.notify_one();
    }

    /// Forgets what [`Transport::set_address`] has set.
    pub fn unset_address(&self, host: HostId) {
        self.0.lock().book.unset_address(host);
    }

    /// These hosts are kept connected, redialled when they are not, and never evicted. Replaces the set before it;
    /// of more than `connections_max` only so many are kept.
    pub fn keep_warm(&self, mut hosts: BTreeSet<HostId>) {
        hosts.remove(&self.0.host);
        let mut state = self.0.lock();
        state.redials.retain(&hosts);
        let smaller = hosts.iter().filter(|host| **host < self.0.host);
        let new = smaller.filter(|host| !state.pool.warm().contains(host));
        for host in new.copied().collect::<Vec<_>>() {
            state.redials.let_first(host, Instant::now());
        }
        state.pool.keep_warm(hosts);
        drop(state);
        self.0.warm_changed.notify_one();
    }

    /// The host is retired: its connections end now and it is not admitted again (protocol 1.7).
    pub async fn deny(&self, host: HostId) {
        let links = {
            let mut state = self.0.lock();
            state.book.deny(host);
            state.pool.expel(host)
        };
        self.0.part(links, Close::Denied).await;
    }

    /// The ledger knows this boot of the host: an older one is not admitted any more (protocol 1.2), and what connections stand
    /// of it end now (protocol 1.4). Whoever still lives in it dials again and is told why it is not let in.
    pub fn require_boot(&self, host: HostId, boot: Boot) {
        let older = {
            let mut state = self.0.lock();
            state.book.require_boot(host, boot);
            state.pool.older(host, boot)
        };
        // Each takes itself out of the pool, as whenever a connection ends.
        older.iter().for_each(|link| link.close(Close::Replaced));
    }

    /// How this agent presents itself from the next hello on.
    pub fn set_presence(&self, presence: Presence) {
        self.0.lock().presence = presence;
    }

    /// Takes another certificate of the same host into use, for all connections from now on.
    pub fn renew(&self, identity: Arc<Identity>) -> Result<(), StartFault> {
        if identity.host() != self.0.host {
            return Err(StartFault::Tls("it is another host's".into()));
        }
        let quic = Quic::new(&identity, &self.0.settings, &self.0.luck)?;
        self.0.endpoint.set_server_config(Some(quic.server.clone()));
        let mut state = self.0.lock();
        state.quic = quic;
        state.identity = identity;
        Ok(())
    }

    /// Whether a connection to the host stands.
    pub fn is_connected(&self, host: HostId) -> bool {
        self.0.lock().pool.is_connected(host)
    }

    /// The version of the wire that the standing connection to the host speaks (protocol 1.6).
    pub fn version(&self, host: HostId) -> Option<u16> {
        self.0.lock().pool.peek(host).map(|link| link.version)
    }

    /// The hosts to which a connection stands, by id.
    pub fn connected(&self) -> Vec<HostId> {
        self.0.lock().pool.hosts()
    }

    /// The certificates of a connected host: for the founding, which enrols hosts that no ledger knows yet.
    pub fn certificate(&self, host: HostId) -> Option<CertificateChain> {
        let mut state = self.0.lock();
        let link = state.pool.speak(host)?;
        tls::chain(&link.connection)
    }

    /// Packets that were lost on this host so far: the kernel had no room for them, or the agent's queue.
    pub fn dropped(&self) -> u64 {
        let port = self.0.endpoint.local_addr().map(|address| address.port());
        let kernel = port.map_or(0, |port| self.0.sockets.dropped(port));
        let queue = self.0.counters.datagrams_dropped.load(std::sync::atomic::Ordering::Relaxed);
        kernel.saturating_add(queue)
    }

    /// When the certificates of the connected hosts end, in seconds of the Unix epoch: those that were shown in their
    /// handshakes; a host that has taken another since shows it to whoever connects next.
    pub fn endings(&self) -> BTreeMap<HostId, u64> {
        let state = self.0.lock();
        let ending = |host: HostId| Some((host, state.pool.peek(host)?.ends?));
        state.pool.hosts().into_iter().filter_map(ending).collect()
    }

    /// Hosts that send more than any host may, and what.
    pub fn flooders(&self) -> Vec<(HostName, &'static str)> {
        self.0.lock().allowances.flooders(Instant::now())
    }

    /// Input that is not taken any more (protocol 1.9), one sentence each.
    pub fn quarantined(&self) -> Vec<String> {
        self.0.settings.quarantine.sentences().map(str::to_owned).collect()
    }

    /// Tasks that live as long as the transport, for the self-watch.
    pub fn tasks(&self) -> [(&'static str, Arc<Pulse>); 2] {
        let [acceptor, dialler] = &self.0.pulses;
        [
            ("the acceptor of connections", Arc::clone(acceptor)),
            ("the dialler of warm hosts", Arc::clone(dialler)),
        ]
    }

    /// Lets go of every host that is not kept warm and has nothing under way, for the sake of memory.
    pub async fn let_go(&self) {
        let gone = self.0.lock().pool.let_go();
        for links in gone {
            count(&self.0.counters.evicted);
            self.0.part(links, Close::Evicted).await;
        }
    }

    /// Events that wait for the loop, and the places of requests and handshakes, for the self-watch.
    pub fn queues(&self) -> Vec<Queue> {
        let places = |name, bound, free: fn(&Shared) -> usize| {
            let shared = Arc::downgrade(&self.0);
            let used =
                move || shared.upgrade().map_or(0, |shared| bound - free(&shared).min(bound));
            Queue { name, bound, used: Box::new(used) }
        };
        let open = Arc::downgrade(&self.0);
        let open = move || open.upgrade().map_or(0, |shared| shared.endpoint.open_connections());
        vec![
            Queue::of_channel("events for the loop", &self.0.events),
            Queue {
                name: "connections, with those that begin or end",
                bound: self.0.settings.connections_max + HANDSHAKES_MAX + FRESH_SERVED_MAX,
                used: Box::new(open),
            },
            places("requests under way", REQUESTS_MAX, |shared| {
                shared.requests.available_permits()
            }),
            places("handshakes under way", HANDSHAKES_MAX, |shared| {
                HANDSHAKES_MAX.saturating_sub(shared.handshakes.under_way())
            }),
        ]
    }

    /// What was counted since the start.
    pub fn figures(&self) -> Figures {
        self.0.counters.read()
    }

    /// Takes leave of everybody and stops; returns when they have been told, or soon after.
    pub async fn close(&self) {
        self.0.closing.cancel();
        self.0.endpoint.close(Close::Left.into(), b"");
        let _ = timeout(LEAVING_WITHIN, self.0.endpoint.wait_idle()).await;
    }
}

/// A transport that has its port and has neither sent nor read a packet; dropped, it lets go of the port.
pub struct Bound {
    settings: TransportSettings,
    identity: Arc<Identity>,
    sockets: Arc<dyn Sockets>,
    luck: Luck,
    quic: Quic,
    socket: Arc<dyn AsyncUdpSocket>,
}

impl Bound {
    /// Opens the port, and checks that certificate and key can be used. To be called within a tokio runtime.
    pub fn open(
        settings: TransportSettings,
        identity: Arc<Identity>,
        sockets: Arc<dyn Sockets>,
    ) -> Result<Self, StartFault> {
        let luck = Luck::new(&settings.seed);
        let quic = Quic::new(&identity, &settings, &luck)?;
        let socket = sockets.listening().map_err(|why| refused(&sockets, why))?;
        Ok(Self { settings, identity, sockets, luck, quic, socket })
    }

    /// Begins to speak, in this life.
    pub fn start(
        self,
        presence: Presence,
    ) -> Result<(Transport, mpsc::Receiver<Incoming>), StartFault> {
        let Self { settings, identity, sockets, luck, quic, socket } = self;
        let endpoint = quic::endpoint(&identity, &luck, socket, Some(quic.server.clone()))
            .map_err(|why| refused(&sockets, why))?;
        let (events, receiver) = mpsc::channel(EVENTS_MAX);
        let bounds = Bounds {
            pooled_max: settings.pooled_max.max(1),
            hosts_max: settings.connections_max.max(1),
        };
        let state = State {
            presence,
            pool: Pool::new(identity.host(), bounds),
            identity,
            quic,
            book: Book::default(),
            complaints: Complaints::default(),
            dials: BTreeMap::new(),
            redials: Redials::default(),
            budget: Bucket::full(settings.cold_dials, Instant::now()),
            allowances: Allowances::new(),
            knocks: Knocks::new(Instant::now()),
        };
        let parts = (settings, sockets, luck);
        let shared = Arc::new(Shared::new(parts, endpoint, events, state));
        tasks::spawn(accept::accept(shared.clone()));
        tasks::spawn(redial::keep_warm(shared.clone()));
        Ok((Transport(shared), receiver))
    }
}

fn refused(sockets: &Arc<dyn Sockets>, why: std::io::Error) -> StartFault {
    StartFault::Socket { address: sockets.name(), why }
}
