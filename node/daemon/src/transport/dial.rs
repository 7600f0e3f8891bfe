//! Dials: one at a time per host, within bounds and within a budget for hosts that are not kept warm.
//!
//! Law TR6: whoever answers at an address, the connection belongs to the host that its certificate names.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use quinn::{ClientConfig, Connection, Endpoint};
use replication::tasks;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use vocabulary::{Address, Boot, HostId};
use wire::{Request, Welcome};

use super::call::{self, Answered};
use super::fault::{CallFault, Close};
use super::figures::{Counters, count};
use super::hello;
use super::incoming::{Incoming, Presented};
use super::link::{Held, Link};
use super::quic;
use super::settings::{DATAGRAMS_PER_DIAL_MAX, DIALS_MAX, WAITERS_PER_DIAL_MAX};
use super::shared::{Said, Shared, State};
use super::tls;

/// QUIC wants a server name; ours is the same for all and looked at by none.
const SERVER_NAME: &str = "hale";

type Waited = Result<Held, CallFault>;

/// A dial under way, and who waits for it.
#[derive(Debug, Default)]
pub(super) struct Dial {
    waiters: Vec<oneshot::Sender<Waited>>,
    datagrams: VecDeque<Bytes>,
}

/// Why a dial is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// A call waits for its answer.
    Call,
    /// The host is kept warm.
    Warm,
    /// A datagram for a host that is not connected: it must fit the budget.
    Datagram,
}

impl State {
    /// Begins a dial unless one is under way already.
    pub(super) fn begin_dial(
        &mut self,
        shared: &Arc<Shared>,
        host: HostId,
        errand: Errand,
    ) -> Result<&mut Dial, CallFault> {
        if shared.closing.is_cancelled() {
            return Err(CallFault::Closing);
        }
        if self.book.is_denied(host) {
            return Err(CallFault::Denied);
        }
        let address = self.book.address(host).ok_or(CallFault::NoAddress)?;
        if !self.dials.contains_key(&host) {
            if self.dials.len() >= DIALS_MAX {
                return Err(CallFault::Busy("dials under way"));
            }
            if errand == Errand::Datagram && !self.budget.take(Instant::now()) {
                return Err(CallFault::Busy("budget of cold dials"));
            }
            tasks::spawn(dial(shared.clone(), host, address));
        }
        Ok(self.dials.entry(host).or_default())
    }

    /// Tells everybody who waits for this host how it went, and sends what was kept back.
    pub(super) fn settle_dial(
        &mut self,
        host: HostId,
        result: &Result<Arc<Link>, CallFault>,
        counters: &Counters,
    ) {
        let Some(dial) = self.dials.get_mut(&host) else {
            return;
        };
        for datagram in dial.datagrams.drain(..) {
            let is_sent = match result {
                Ok(link) => {
                    link.speaks(&datagram) && link.connection.send_datagram(datagram).is_ok()
                }
                Err(_) => false,
            };
            count(if is_sent { &counters.datagrams_sent } else { &counters.datagrams_unsent });
        }
        for waiter in dial.waiters.drain(..) {
            // Whoever gave up waiting does not need it.
            let _ = waiter.send(result.as_ref().map(Held::new).map_err(Clone::clone));
        }
    }

    /// Whether this host's connections should speak before they fall asleep.
    fn client_config(&self, host: Option<HostId>) -> ClientConfig {
        match host {
            Some(host) if self.pool.warm().contains(&host) => self.quic.warm.clone(),
            _ => self.quic.cold.clone(),
        }
    }
}

impl Dial {
    /// Keeps a datagram until the dial has come to something; the oldest is the stalest.
    pub(super) fn keep(&mut self, datagram: Bytes, counters: &Counters) {
        if self.datagrams.len() >= DATAGRAMS_PER_DIAL_MAX {
            self.datagrams.pop_front();
            count(&counters.datagrams_unsent);
        }
        self.datagrams.push_back(datagram);
    }

    fn wait(&mut self) -> Result<oneshot::Receiver<Waited>, CallFault> {
        if self.waiters.len() >= WAITERS_PER_DIAL_MAX {
            return Err(CallFault::Busy("calls that wait for one dial"));
        }
        let (waiter, wait) = oneshot::channel();
        self.waiters.push(waiter);
        Ok(wait)
    }
}

/// The standing connection to a host, dialled if there is none.
pub(super) async fn standing(shared: &Arc<Shared>, host: HostId) -> Waited {
    let wait = {
        let mut state = shared.lock();
        if let Some(link) = state.pool.speak(host).filter(|link| link.is_open()) {
            return Ok(Held::new(link));
        }
        state.begin_dial(shared, host, Errand::Call)?.wait()?
    };
    wait.await.unwrap_or(Err(CallFault::Closing))
}

async fn dial(shared: Arc<Shared>, host: HostId, address: Address) {
    let result = reach(&shared, Some(host), address).await;
    {
        let mut state = shared.lock();
        state.settle_dial(host, &result, &shared.counters);
        state.dials.remove(&host);
    }
    shared.warm_changed.notify_one();
}

/// Dials, greets and takes the connection in; with a host named, only that host will do.
pub(super) async fn reach(
    shared: &Arc<Shared>,
    expected: Option<HostId>,
    address: Address,
) -> Result<Arc<Link>, CallFault> {
    count(&shared.counters.dials);
    let within = shared.settings.connect_within;
    let result = tokio::select! {
        biased;
        () = shared.closing.cancelled() => Err(CallFault::Closing),
        reached = timeout(within, reach_in_time(shared, expected, address)) => {
            reached.unwrap_or(Err(CallFault::TooLate))
        }
    };
    if let Err(fault) = &result {
        shared.counters.dials_failed.fetch_add(1, Ordering::Relaxed);
        shared.note_failed_dial(address, fault);
    }
    result
}

async fn reach_in_time(
    shared: &Arc<Shared>,
    expected: Option<HostId>,
    address: Address,
) -> Result<Arc<Link>, CallFault> {
    let config = shared.lock().client_config(expected);
    let connection = connect(&shared.endpoint, config, address).await?;
    if let Some(link) = standing_already(shared, &connection) {
        // Without our hello it is no connection for the other side: nothing is replaced, nothing under way is lost.
        connection.close(Close::Done.into(), b"");
        return Ok(link);
    }
    let (link, welcome) = greeted(shared, connection, expected).await?;
    let said = Said { is_dialled_by_us: true, address: welcome.address, store: welcome.store };
    let link = Arc::new(link);
    if let Err(refusal) = shared.admit(link.clone(), said).await {
        link.close(Close::Refused);
        return Err(CallFault::Refused(refusal));
    }
    Ok(link)
}

/// The link to the host that has just been reached, if it stands already: a seed that we know, or one that was faster.
fn standing_already(shared: &Shared, connection: &Connection) -> Option<Arc<Link>> {
    let host = tls::peer(connection).ok()?.0.id();
    let mut state = shared.lock();
    state.pool.speak(host).filter(|link| link.is_open()).cloned()
}

async fn connect(
    endpoint: &Endpoint,
    config: ClientConfig,
    address: Address,
) -> Result<Connection, CallFault> {
    endpoint
        .connect_with(config, address, SERVER_NAME)
        .map_err(|why| CallFault::NotDialled(why.to_string()))?
        .await
        .map_err(CallFault::of_handshake)
}

/// Law TR6: reads who is there, says who we are, and is let in.
async fn greeted(
    shared: &Shared,
    connection: Connection,
    expected: Option<HostId>,
) -> Result<(Link, Welcome), CallFault> {
    let peer = tls::peer(&connection).map_err(|why| CallFault::Untrusted(why.to_string()))?;
    let host = peer.0.id();
    if host == shared.host || expected.is_some_and(|expected| expected != host) {
        connection.close(Close::Stranger.into(), b"");
        return Err(CallFault::Stranger(host));
    }
    let greeted = hello::greet(&connection, &shared.hello(), &shared.settings.quarantine).await;
    let greeted = shared.note_refused(greeted);
    let welcome = match greeted {
        Ok(welcome) => welcome,
        Err(fault) => {
            connection.close(Close::Refused.into(), b"");
            if let CallFault::Refused(refusal) = &fault {
                let (roles, refusal) = (peer.0.roles, refusal.clone());
                shared.tell(Incoming::Refused { by: host, roles, refusal }).await;
            }
            return Err(fault);
        }
    };
    let admissible = hello::admissible(host, welcome.boot, &shared.lock().book);
    if let Err(refusal) = admissible {
        connection.close(Close::Denied.into(), b"");
        return Err(CallFault::Refused(refusal));
    }
    let allowance = shared.allowance(&peer.0);
    let presented = Presented { boot: welcome.boot, store: welcome.store };
    let link = Link::new(connection, peer, (presented, welcome.version), allowance);
    Ok((link, welcome))
}

/// Asks one host one thing over a new connection from a new port (protocol 2.3); says which life answered.
pub(super) async fn fresh(
    shared: &Arc<Shared>,
    host: HostId,
    request: &Request,
) -> Result<(Boot, Answered), CallFault> {
    let _place =
        shared.fresh_dials.try_acquire().map_err(|_| CallFault::Busy("fresh dials under way"))?;
    let (address, identity, config) = {
        let state = shared.lock();
        if state.book.is_denied(host) {
            return Err(CallFault::Denied);
        }
        let address = state.book.address(host).ok_or(CallFault::NoAddress)?;
        (address, state.identity.clone(), state.quic.fresh.clone())
    };
    count(&shared.counters.dials);
    let endpoint = shared
        .sockets
        .ephemeral(address)
        .and_then(|socket| quic::endpoint(&identity, &shared.luck, socket, None))
        .map_err(|why| CallFault::NotDialled(why.to_string()))?;
    let connection = connect(&endpoint, config, address).await?;
    let (link, welcome) = greeted(shared, connection, Some(host)).await?;
    let answered = call::ask(&shared.settings.quarantine, &link, request).await;
    link.close(Close::Done);
    Ok((welcome.boot, shared.note_refused(answered)?))
}
