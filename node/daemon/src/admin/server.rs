//! The admin socket's door: connections with their limits, paths, and who may pass.
//!
//! Law W1: nobody asks or orders who is not on the list.
//! Not here: what is answered (see `render`), what an order does (see `orders`), how much room there is (see `room`).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Extension, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde::Deserialize;
use tokio::net::UnixStream;
use tokio::task::JoinSet;

use super::answer::{
    AddOrder, ApproveOrder, BindOrder, Body, DenyOrder, DismissOrder, EndOrder, ExemptOrder,
    FoundOrder, MaintainOrder, PauseOrder, PolicyOrder, Refusal, ReleaseOrder, ReloadOrder,
    ReportOrder, ResumeOrder, RetireOrder, RevokeOrder, RevokeSlotOrder, RollbackOrder, TrustOrder,
    VotesOrder,
};
use super::mind::{Local, Mind};
use super::orders::{self, Carried};
use super::peer::{Leave, Peer};
use super::render::{self, Scene};
use super::room::{Place, Room};
use super::socket::Socket;
use crate::config::Admin;
use crate::moments;

/// A policy of the largest size, quoted as JSON, four times over.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// How long a peer may take for the head of its request.
const HEAD_WITHIN: Duration = Duration::from_secs(5);

/// How long one answer may take; the mind gives up on a proposal before that.
const ANSWER_WITHIN: Duration = Duration::from_secs(12);

/// How long a connection lives; a follower dials again.
const CONNECTION_WITHIN: Duration = Duration::from_secs(60);

/// What every request is served with.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) mind: Arc<dyn Mind>,
    admin: Arc<Admin>,
    agent_uid: u32,
}

/// Every question's parameters; each path reads its own.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    all: bool,
    retired: bool,
    since: u64,
    version: Option<u64>,
}

/// How an order is meant.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct How {
    dry_run: bool,
}

/// Serves until it is dropped; its connections end with it.
pub async fn serve(socket: Socket, admin: Admin, mind: Arc<dyn Mind>) {
    let door =
        Door { mind, admin: Arc::new(admin), agent_uid: rustix::process::geteuid().as_raw() };
    let mut room = Room::new();
    let router = router(door.clone());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.listener.accept() => match accepted {
                Ok((stream, _)) => {
                    if let Some((peer, place)) = admit(&door, &room, &stream) {
                        let router = router.clone().layer(Extension(peer));
                        connections.spawn(converse(stream, router, place));
                    }
                    room.pace().await;
                }
                // Out of file descriptors, most likely: what is open must end first.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Law W4; without room the connection is closed without a word.
fn admit(door: &Door, room: &Room, stream: &UnixStream) -> Option<(Peer, Place)> {
    let credentials = stream.peer_cred().ok()?;
    let peer = Peer { uid: credentials.uid(), gid: credentials.gid() };
    Some((peer, room.take(door.leave(peer), peer.uid)?))
}

async fn converse(stream: UnixStream, router: Router, place: Place) {
    let paced = from_fn(move |request: Request, next: Next| {
        let place = place.clone();
        async move {
            place.pace().await;
            next.run(request).await
        }
    });
    let router = router.layer(paced);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // A peer that breaks off has its reasons; there is nobody to tell.
    let _ = tokio::time::timeout(CONNECTION_WITHIN, connection).await;
}

fn router(door: Door) -> Router {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/hosts", get(hosts))
        .route("/v1/cases", get(cases))
        .route("/v1/leases", get(leases))
        .route("/v1/fleetlock", get(fleetlock))
        .route("/v1/fleetlock/bind", post(order::<BindOrder>))
        .route("/v1/fleetlock/revoke", post(order::<RevokeSlotOrder>))
        .route("/v1/keepers", get(keepers))
        .route("/v1/keeper/votes", post(order::<VotesOrder>))
        .route("/v1/certs", get(certs))
        .route("/v1/explain/{what}", get(explain))
        .route("/v1/audit", get(audit))
        .route("/v1/policy", get(policy).post(order::<PolicyOrder>))
        .route("/v1/policy/rollback", post(order::<RollbackOrder>))
        .route("/v1/pause", post(order::<PauseOrder>))
        .route("/v1/resume", post(order::<ResumeOrder>))
        .route("/v1/host/retire", post(order::<RetireOrder>))
        .route("/v1/host/add", post(order::<AddOrder>))
        .route("/v1/host/exempt", post(order::<ExemptOrder>))
        .route("/v1/case/dismiss", post(order::<DismissOrder>))
        .route("/v1/case/approve", post(order::<ApproveOrder>))
        .route("/v1/case/deny", post(order::<DenyOrder>))
        .route("/v1/maintenance", get(maintenance).post(order::<MaintainOrder>))
        .route("/v1/maintenance/end", post(order::<EndOrder>))
        .route("/v1/lease/revoke", post(order::<RevokeOrder>))
        .route("/v1/release", post(order::<ReleaseOrder>))
        .route("/v1/authorities", post(order::<TrustOrder>))
        .route("/v1/agent/reload", post(order::<ReloadOrder>))
        .route("/v1/report", post(order::<ReportOrder>))
        .route("/v1/init", post(order::<FoundOrder>))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_path)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(door)
}

type Parameters = Result<Query<Asked>, QueryRejection>;
type Received = Result<Bytes, BytesRejection>;

async fn status(door: State<Door>, peer: Extension<Peer>) -> Response {
    door.tell(*peer, |scene| Ok(render::status(scene))).await
}

async fn hosts(door: State<Door>, peer: Extension<Peer>, asked: Parameters) -> Response {
    let ask = |asked: Asked| move |scene: &Scene<'_>| Ok(render::hosts(scene, asked.retired));
    match asked {
        Ok(Query(asked)) => door.tell(*peer, ask(asked)).await,
        Err(why) => door.malformed(why),
    }
}

async fn cases(door: State<Door>, peer: Extension<Peer>, asked: Parameters) -> Response {
    let ask = |asked: Asked| move |scene: &Scene<'_>| Ok(render::cases(scene, asked.all));
    match asked {
        Ok(Query(asked)) => door.tell(*peer, ask(asked)).await,
        Err(why) => door.malformed(why),
    }
}

async fn leases(door: State<Door>, peer: Extension<Peer>) -> Response {
    door.tell(*peer, |scene| Ok(render::leases(scene))).await
}

async fn fleetlock(door: State<Door>, peer: Extension<Peer>) -> Response {
    door.tell(*peer, |scene| Ok(render::clients(scene))).await
}

async fn keepers(door: State<Door>, peer: Extension<Peer>) -> Response {
    door.tell(*peer, |scene| Ok(render::keepers(scene))).await
}

async fn maintenance(door: State<Door>, peer: Extension<Peer>) -> Response {
    door.tell(*peer, |scene| Ok(render::maintenance(scene))).await
}

async fn certs(door: State<Door>, peer: Extension<Peer>) -> Response {
    door.tell(*peer, |scene| Ok(render::certs(scene))).await
}

async fn explain(door: State<Door>, peer: Extension<Peer>, what: Path<String>) -> Response {
    door.tell(*peer, move |scene| render::explain(scene, &what)).await
}

async fn audit(door: State<Door>, peer: Extension<Peer>, asked: Parameters) -> Response {
    let ask = |asked: Asked| move |scene: &Scene<'_>| Ok(render::audit(scene, asked.since));
    match asked {
        Ok(Query(asked)) => door.tell(*peer, ask(asked)).await,
        Err(why) => door.malformed(why),
    }
}

async fn policy(door: State<Door>, peer: Extension<Peer>, asked: Parameters) -> Response {
    let ask = |asked: Asked| move |scene: &Scene<'_>| render::policy(scene, asked.version);
    match asked {
        Ok(Query(asked)) => door.tell(*peer, ask(asked)).await,
        Err(why) => door.malformed(why),
    }
}

async fn order<O: Carried>(
    door: State<Door>,
    peer: Extension<Peer>,
    how: Result<Query<How>, QueryRejection>,
    body: Received,
) -> Response {
    match how {
        Ok(Query(how)) => door.take::<O>(*peer, how, body).await,
        Err(why) => door.malformed(why),
    }
}

async fn no_such_path(door: State<Door>) -> Response {
    let sentence = "no such path or method; docs/operating names them all, with their schemas";
    door.refuse(StatusCode::NOT_FOUND, Refusal::new("NoSuch", sentence))
}

impl Door {
    fn leave(&self, peer: Peer) -> Leave {
        peer.leave(&self.admin, self.agent_uid)
    }

    /// Answers a question. Worked out beside the agent's loop: the largest mesh takes a while to write down.
    async fn tell<B, A>(&self, peer: Peer, ask: A) -> Response
    where
        B: Body + Send + 'static,
        A: FnOnce(&Scene<'_>) -> Result<B, Refusal> + Send + 'static,
    {
        if self.leave(peer) < Leave::Ask {
            return self.forbid(peer, "ask", "read_users or read_groups");
        }
        self.mind.refresh().await;
        let (mind, local) = (Arc::clone(&self.mind), self.mind.local().await);
        let worked = tokio::task::spawn_blocking(move || {
            let (view, me) = (mind.view(), mind.me());
            let at = (mind.standing(), moments::now_exact());
            let scene = Scene::new(&view, &local, &me, at);
            match ask(&scene) {
                Ok(body) => json(StatusCode::OK, &scene.answer(body)),
                Err(refusal) => json(StatusCode::NOT_FOUND, &scene.answer(refusal)),
            }
        });
        worked.await.unwrap_or_else(|why| {
            let sentence =
                format!("this is a bug of hale: the answer could not be worked out ({why})");
            self.refuse(StatusCode::INTERNAL_SERVER_ERROR, Refusal::new("Bug", sentence))
        })
    }

    /// Carries an order out.
    async fn take<O: Carried>(&self, peer: Peer, how: How, body: Received) -> Response {
        if self.leave(peer) < Leave::Order {
            return self.forbid(peer, "order", "write_users or write_groups");
        }
        let order = match body {
            Ok(body) => serde_json::from_slice(&body),
            Err(why) => return self.malformed(why),
        };
        let order: O = match order {
            Ok(order) => order,
            Err(why) => return self.malformed(why),
        };
        let who = peer.who(self.mind.me().host.as_str());
        let carried = orders::carry(order, (&self.mind, who), how.dry_run);
        match tokio::time::timeout(ANSWER_WITHIN, carried).await {
            Ok(Ok(ordered)) => self.scene(|scene| json(StatusCode::OK, &scene.answer(ordered))),
            Ok(Err(unfulfilled)) => self.refuse(unfulfilled.status, unfulfilled.refusal),
            Err(_) => {
                let within = ANSWER_WITHIN.as_secs();
                let sentence = match how.dry_run {
                    true => {
                        format!("no answer within {within} s; it was a dry run, nothing is done")
                    }
                    false => O::unanswered(within),
                };
                self.refuse(StatusCode::GATEWAY_TIMEOUT, Refusal::new("Unknown", sentence))
            }
        }
    }

    fn forbid(&self, peer: Peer, verb: &str, keys: &str) -> Response {
        let Peer { uid, gid } = peer;
        let sentence = format!(
            "user {uid} of group {gid} may not {verb} here: be named in {keys} of [admin] in this host's hale.toml"
        );
        self.refuse(StatusCode::FORBIDDEN, Refusal::new("NotPermitted", sentence))
    }

    fn malformed(&self, why: impl std::fmt::Display) -> Response {
        self.refuse(StatusCode::BAD_REQUEST, Refusal::new("Malformed", why.to_string()))
    }

    fn refuse(&self, status: StatusCode, refusal: Refusal) -> Response {
        self.scene(|scene| json(status, &scene.answer(refusal)))
    }

    fn scene<T>(&self, tell: impl FnOnce(&Scene<'_>) -> T) -> T {
        let (view, me) = (self.mind.view(), self.mind.me());
        let at = (self.mind.standing(), moments::now_exact());
        tell(&Scene::new(&view, &Local::default(), &me, at))
    }
}

fn json(status: StatusCode, answer: &impl serde::Serialize) -> Response {
    let body =
        serde_json::to_vec(answer).expect("law J1: answers hold no type that JSON has no word for");
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
