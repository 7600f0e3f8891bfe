//! FleetLock over HTTP: a door through which Zincati and scripts with curl take reboot slots from the budgets that bound healing
//! (protocol 6.12; <https://coreos.github.io/zincati/development/fleetlock/protocol/>).
//!
//! Law FH1: 200 to `pre-reboot` means that the slot stands in the ledger; 200 to `steady-state` that none does any more. All else is a refusal
//! with its kind and a sentence.
//! Law FH2: connections, bodies and times are bounded; what is beyond waits in the kernel, or is closed without a word.
//! Rooms: [`question`] what a client says, `answer` what it is told.
//! Not here: who may have a slot, and when it ends (see `ledger::slots`).

mod answer;
pub mod question;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use ledger::bindings::FleetLockId;
use ledger::command::{Command, Outcome, Refused};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use self::answer::Told;
use self::question::{BODY_BYTES_MAX, Question};
use crate::admin::mind::Mind;
use crate::bucket::{Bucket, Rate};

/// Connections at a time: each client has one, for one question. More are closed.
const CONNECTIONS_MAX: usize = 256;

/// Connections that are taken: the clients of the largest mesh come within five minutes. More wait in the kernel's queue.
const ACCEPTED: Rate = Rate { per_second: 200, at_once: 256 };

/// What this door may ask of the ledger: less than half of what a host may propose, its own healing among it. More waits.
const PROPOSED: Rate = Rate { per_second: 8, at_once: 32 };

/// How long a client may take for the head of its request.
const HEAD_WITHIN: Duration = Duration::from_secs(5);

/// How long a connection lives; Zincati's own limit is half an hour.
const CONNECTION_WITHIN: Duration = Duration::from_secs(60);

/// How long a client that gives its slot back waits for the rounds that see its host well; it is to ask again after that.
const WELL_WITHIN: Duration = Duration::from_secs(20);

/// How often it is looked whether they have.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The wait after a failed accept, for want of file descriptors say, which no retry in a loop would mend.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// The open door; nobody is answered yet.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    well_within: Duration,
}

/// What every request is served with.
#[derive(Clone)]
struct Door {
    mind: Arc<dyn Mind>,
    well_within: Duration,
    proposed: Arc<Mutex<Bucket>>,
}

impl Door {
    /// Waits until one proposal more is within the rate.
    async fn pace(&self) {
        let wait = {
            let mut proposed = self.proposed.lock().unwrap_or_else(PoisonError::into_inner);
            proposed.wait(Instant::now())
        };
        if wait > Duration::ZERO {
            sleep(wait).await;
        }
    }
}

impl Listener {
    /// Listens for clients.
    pub async fn open(at: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(at).await?;
        Ok(Self { listener, well_within: WELL_WITHIN })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until it is dropped; its connections end with it.
    pub async fn serve(self, mind: Arc<dyn Mind>) {
        let proposed = Arc::new(Mutex::new(Bucket::full(PROPOSED, Instant::now())));
        let router = router(Door { mind, well_within: self.well_within, proposed });
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut accepted_at = Bucket::full(ACCEPTED, Instant::now());
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                            let router = router.clone();
                            connections.spawn(async move {
                                let _place = place;
                                converse(stream, router).await;
                            });
                        }
                        let wait = accepted_at.wait(Instant::now());
                        if wait > Duration::ZERO {
                            sleep(wait).await;
                        }
                    }
                    Err(fault) => {
                        tracing::warn!(%fault, "the FleetLock listener cannot accept a connection");
                        sleep(ACCEPT_AGAIN_AFTER).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

async fn converse(stream: TcpStream, router: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // One question on one connection: their rate is that of the connections.
        .keep_alive(false)
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // A client that breaks off has its reasons; there is nobody to tell.
    let _ = timeout(CONNECTION_WITHIN, connection).await;
}

fn router(door: Door) -> Router {
    Router::new()
        .route("/v1/pre-reboot", post(pre_reboot).fallback(only_post))
        .route("/v1/steady-state", post(steady_state).fallback(only_post))
        .fallback(no_such_path)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(door)
}

type Received = Result<Bytes, BytesRejection>;

async fn pre_reboot(door: State<Door>, head: HeaderMap, body: Received) -> Response {
    let told = match Question::read(&head, body) {
        Ok(question) => take(&door, question).await,
        Err(fault) => fault.into(),
    };
    told.into_response()
}

async fn steady_state(door: State<Door>, head: HeaderMap, body: Received) -> Response {
    let told = match Question::read(&head, body) {
        Ok(question) => give_back(&door, question.client).await,
        Err(fault) => fault.into(),
    };
    told.into_response()
}

async fn only_post() -> Response {
    Told::ONLY_POST.into_response()
}

async fn no_such_path() -> Response {
    Told::NO_SUCH_PATH.into_response()
}

/// `RecursiveLock`.
async fn take(door: &Door, question: Question) -> Told {
    let mind = &door.mind;
    let Question { client, group } = question;
    if let Some(told) = Told::not_ready(&mind.view()) {
        return told;
    }
    mind.refresh().await;
    // Every client asks again every few minutes: what is refused as things stand costs the ledger no entry.
    if mind.standing().has_majority
        && let Err(refused) = mind.view().can_take_slot(mind.me().id(), (&client, &group))
    {
        return Told::refused(&refused);
    }
    door.pace().await;
    match mind.propose(Command::TakeSlot { client, group }).await {
        Ok(Outcome::Leased { .. }) => Told::DONE,
        Ok(Outcome::Refused(refused)) => Told::refused(&refused),
        Ok(other) => Told::unexpected(&other),
        Err(why) => Told::not_committed(why),
    }
}

/// `UnlockIfHeld`.
async fn give_back(door: &Door, client: FleetLockId) -> Told {
    let mind = &door.mind;
    if let Some(told) = Told::not_ready(&mind.view()) {
        return told;
    }
    door.pace().await;
    // A slot that is granted while this is under way is not what is given back.
    let command = Command::ReturnSlot { client: client.clone(), before: mind.view().next_fence() };
    let fence = match mind.propose(command).await {
        Ok(Outcome::Done) => return Told::DONE,
        Ok(Outcome::Leased { fence }) => fence,
        Ok(Outcome::Refused(refused)) => return Told::refused(&refused),
        Ok(other) => return Told::unexpected(&other),
        Err(why) => return Told::not_committed(why),
    };
    let until = Instant::now() + door.well_within;
    loop {
        mind.refresh().await;
        let view = mind.view();
        let is_held = view.slot_of(&client).is_some_and(|slot| slot.fence == fence);
        // Of a view that may be old nobody knows.
        if mind.standing().has_majority && !is_held {
            return Told::DONE;
        }
        if Instant::now() >= until {
            let host = view.host_of_client(&client);
            let case = host.and_then(|host| view.case_of_host(&host));
            return Told::not_well(case.map(|case| Refused::CaseOpen(case.id)));
        }
        sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests;
