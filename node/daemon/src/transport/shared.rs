//! The one state behind every handle and task of the transport; its lock is never held over an `await`.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard};

use quinn::Endpoint;
use replication::{Pulse, tasks};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use vocabulary::{Address, Claims, ClusterName, HostId, StoreId};
use wire::{Hello, HelloRefusal};

use super::allowance::{Allowance, Allowances};
use super::book::Book;
use super::dial::Dial;
use super::distrust::Complaints;
use super::fault::{CallFault, Close};
use super::figures::{Counters, count};
use super::handshakes::Handshakes;
use super::hello;
use super::incoming::{Incoming, Peer};
use super::knocks::Knocks;
use super::link::{self, Link};
use super::luck::Luck;
use super::pool::{Admission, Admitted, Newcomer, Pool};
use super::quic::Quic;
use super::redial::Redials;
use super::settings::{
    EVENTS_OF_KEEPERS, FRESH_DIALS_MAX, FRESH_LIVES, FRESH_SERVED_MAX, Presence, REQUESTS_MAX,
    REQUESTS_OF_PLAIN_MAX, SPARE_LINGERS, TransportSettings,
};
use super::sockets::Sockets;
use crate::bucket::Bucket;
use crate::identity::Identity;

/// What all tasks of one transport share.
#[derive(Debug)]
pub(super) struct Shared {
    pub settings: TransportSettings,
    pub host: HostId,
    pub cluster: ClusterName,
    pub endpoint: Endpoint,
    pub sockets: Arc<dyn Sockets>,
    pub luck: Luck,
    pub events: mpsc::Sender<Incoming>,
    pub counters: Counters,
    /// Places for requests that are being served.
    pub requests: Semaphore,
    /// Of these, those of hosts that are no keepers.
    pub requests_of_plain: Semaphore,
    /// Places for handshakes that others have begun.
    pub handshakes: Handshakes,
    /// Places for dials from a socket of their own.
    pub fresh_dials: Semaphore,
    /// Places for others' dials of that kind.
    pub fresh_served: Semaphore,
    /// Of the task that accepts and of the one that dials.
    pub pulses: [Arc<Pulse>; 2],
    /// Bytes of requests that are not whole yet, of all hosts that are no keepers.
    pub reading: AtomicUsize,
    /// Something that the keeping of warm connections depends on has changed.
    pub warm_changed: Notify,
    pub closing: CancellationToken,
    state: Mutex<State>,
}

/// What changes.
pub(super) struct State {
    pub presence: Presence,
    pub identity: Arc<Identity>,
    pub quic: Quic,
    pub pool: Pool<Arc<Link>>,
    pub book: Book,
    /// Which certificates that do not hold were told of lately.
    pub complaints: Complaints,
    pub dials: BTreeMap<HostId, Dial>,
    pub redials: Redials,
    /// Of cold dials for datagrams.
    pub budget: Bucket,
    pub allowances: Allowances,
    pub knocks: Knocks,
}

/// What a new connection's hello said, beside the link itself.
pub(super) struct Said {
    pub is_dialled_by_us: bool,
    pub address: Address,
    pub store: Option<StoreId>,
}

impl Shared {
    pub(super) fn new(
        parts: (TransportSettings, Arc<dyn Sockets>, Luck),
        endpoint: Endpoint,
        events: mpsc::Sender<Incoming>,
        state: State,
    ) -> Self {
        let (settings, sockets, luck) = parts;
        Self {
            host: state.identity.host(),
            cluster: state.identity.claims().cluster.clone(),
            settings,
            endpoint,
            sockets,
            luck,
            events,
            counters: Counters::default(),
            requests: Semaphore::new(REQUESTS_MAX),
            requests_of_plain: Semaphore::new(REQUESTS_OF_PLAIN_MAX),
            handshakes: Handshakes::default(),
            fresh_dials: Semaphore::new(FRESH_DIALS_MAX),
            fresh_served: Semaphore::new(FRESH_SERVED_MAX),
            pulses: [Pulse::of_worker(), Pulse::of_worker()],
            reading: AtomicUsize::new(0),
            warm_changed: Notify::new(),
            closing: CancellationToken::new(),
            state: Mutex::new(state),
        }
    }

    /// The state; a panic of another task while it held the lock leaves nothing half done that matters here.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// How much this host may have of us.
    pub(super) fn allowance(&self, claims: &Claims) -> Arc<Allowance> {
        self.lock().allowances.of(claims, Instant::now())
    }

    /// Counts what was not read since it has ended this agent before (protocol 1.9).
    pub(super) fn note_refused<T>(&self, read: Result<T, CallFault>) -> Result<T, CallFault> {
        if matches!(read, Err(CallFault::Quarantined)) {
            count(&self.counters.quarantined);
        }
        read
    }

    pub(super) fn hello(&self) -> Hello {
        hello::ours(&self.cluster, self.settings.versions, &self.lock().presence)
    }

    /// Gives a connection its place among the standing ones and starts to take what comes on it, once the agent's loop knows of it.
    /// Whoever stops waiting for that leaves no connection behind that nobody attends to.
    pub(super) async fn admit(
        self: &Arc<Self>,
        link: Arc<Link>,
        said: Said,
    ) -> Result<(), HelloRefusal> {
        let admitted = {
            let mut state = self.lock();
            // The roster may have buried the host since its hello was judged.
            if state.book.is_denied(link.host) {
                return Err(HelloRefusal::Retired);
            }
            let newcomer = Newcomer {
                boot: link.boot,
                is_dialled_by_us: said.is_dialled_by_us,
                hold: link.hold.clone(),
                connection: link.clone(),
            };
            let admitted = match state.pool.admit(link.host, newcomer) {
                Admission::Admitted(admitted) => admitted,
                Admission::Older(newest) => return Err(HelloRefusal::BootTooLow(newest)),
                Admission::Full => return Err(HelloRefusal::Busy),
            };
            if !said.address.ip().is_unspecified() && said.address.port() != 0 {
                state.book.hear_address(link.host, said.address);
            }
            state.settle_dial(link.host, &Ok(link.clone()), &self.counters);
            admitted
        };
        let (announced, is_announced) = oneshot::channel();
        let shared = self.clone();
        tasks::spawn(async move {
            let (number, is_news) = (admitted.number, admitted.is_news);
            shared.clear_away(admitted).await;
            if is_news {
                shared.announce(&link, said).await;
            }
            // Whoever waited for it may be gone.
            let _ = announced.send(());
            shared.attend(link, number).await;
        });
        // It is dropped unsent only at the end of the whole transport.
        let _ = is_announced.await;
        Ok(())
    }

    async fn clear_away(&self, admitted: Admitted<Arc<Link>>) {
        for link in admitted.replaced {
            link.close(Close::Replaced);
        }
        for host in admitted.evicted {
            count(&self.counters.evicted);
            self.part(host, Close::Evicted).await;
        }
        if let Some(spare) = admitted.spare {
            let closing = self.closing.clone();
            tasks::spawn(async move {
                tokio::select! {
                    biased;
                    () = closing.cancelled() => {}
                    _ = spare.connection.closed() => {}
                    () = sleep(SPARE_LINGERS) => spare.close(Close::Replaced),
                }
            });
        }
    }

    /// Ends all connections of a host that were taken out of the pool, and says once that they are gone.
    pub(super) async fn part(&self, links: Vec<Arc<Link>>, close: Close) {
        links.iter().for_each(|link| link.close(close));
        if let Some(link) = links.first() {
            self.tell(link.closed()).await;
        }
    }

    async fn announce(&self, link: &Link, said: Said) {
        let peer = Peer {
            host: link.host,
            claims: link.claims.clone(),
            key: link.key,
            boot: link.boot,
            address: said.address,
            store: said.store,
            version: link.version,
        };
        self.tell(Incoming::Connected(Box::new(peer))).await;
    }

    /// Takes what comes on a standing connection until it ends, and says so where it was the host's last.
    async fn attend(self: Arc<Self>, link: Arc<Link>, number: u64) {
        link::run(&self, &link).await;
        let is_last = self.lock().pool.remove(link.host, number);
        self.warm_changed.notify_one();
        if is_last {
            self.tell(link.closed()).await;
        }
    }

    /// Serves a connection made by a peer's fresh dial (protocol 2.3): it never enters the pool.
    pub(super) async fn attend_fresh(self: Arc<Self>, link: Arc<Link>) {
        let places = (self.fresh_served.try_acquire(), link.allowance.fresh.try_acquire());
        let (Ok(_place), Ok(_own)) = places else {
            count(&self.counters.busy);
            return link.close(Close::Done);
        };
        if timeout(FRESH_LIVES, link::run(&self, &link)).await.is_err() {
            link.close(Close::Done);
        }
    }

    /// Puts an event before the agent's loop, if there is room; `is_kept`: it may have the room that is kept (law TR11).
    pub(super) fn offer(&self, event: Incoming, is_kept: bool) -> bool {
        let kept = if is_kept { 0 } else { EVENTS_OF_KEEPERS };
        self.events.capacity() > kept && self.events.try_send(event).is_ok()
    }

    /// Tells the agent's loop what it must not miss; waits while the loop is behind.
    pub(super) async fn tell(&self, event: Incoming) {
        // Without a receiver the agent is gone, and its transport with it.
        let _ = self.events.send(event).await;
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "State({} hosts connected)", self.pool.len())
    }
}
