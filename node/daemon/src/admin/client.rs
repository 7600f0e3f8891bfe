//! Asks an agent at its admin socket, and orders things of it.
//!
//! Not here: what is asked (see `command_line`), what may be asked (see `server`).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep};

use super::answer::{Answer, Body, Refusal};

/// Largest answer that is read: every host of the largest mesh on its line, with room.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How long an order may take: the agent itself gives up on a proposal before that.
const WITHIN: Duration = Duration::from_secs(15);

/// For how long a place in the agent's line of callers is waited for: others may flood it.
const PLACE_WITHIN: Duration = Duration::from_secs(5);

/// How often it is tried meanwhile.
const PLACE_AGAIN_AFTER: Duration = Duration::from_millis(5);

/// One agent's admin socket.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
    within: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum ClientFault {
    /// Nobody listens at the socket.
    NoAgent {
        /// Where.
        socket: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// The socket may not be opened by this user.
    NotPermitted {
        /// Where.
        socket: PathBuf,
    },
    /// The agent's line of callers stayed full; nothing was asked.
    Crowded {
        /// Where.
        socket: PathBuf,
    },
    /// The agent says no, and by which rule; nothing has moved.
    Refused(Refusal),
    /// No majority of the keepers answers the agent; of an order nobody knows whether it was committed.
    NoMajority(Refusal),
    /// Nobody knows whether the order was committed.
    Unknown(Refusal),
    /// No answer within the time; of an order nobody knows whether it was committed.
    TimedOut(Duration),
    /// What came is not an answer of hale.
    Garbled(String),
}

impl Client {
    /// The agent at this socket.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into(), within: WITHIN }
    }

    /// The same, with another patience.
    #[must_use]
    pub fn within(self, within: Duration) -> Self {
        Self { within, ..self }
    }

    /// Where it asks.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Asks, `/v1/status` for example.
    pub async fn ask<B: Body>(&self, path: &str) -> Result<Answer<B>, ClientFault> {
        self.answered(Method::GET, path, Bytes::new()).await
    }

    /// Orders, `/v1/pause` for example.
    pub async fn order<B: Body>(
        &self,
        path: &str,
        order: &impl Serialize,
    ) -> Result<Answer<B>, ClientFault> {
        let body = serde_json::to_vec(order).map_err(garbled)?;
        self.answered(Method::POST, path, body.into()).await
    }

    /// [`Client::ask`] for a thread that is no task.
    pub fn ask_and_wait<B: Body>(&self, path: &str) -> Result<Answer<B>, ClientFault> {
        runtime()?.block_on(self.ask(path))
    }

    /// [`Client::order`] for a thread that is no task.
    pub fn order_and_wait<B: Body>(
        &self,
        path: &str,
        order: &impl Serialize,
    ) -> Result<Answer<B>, ClientFault> {
        runtime()?.block_on(self.order(path, order))
    }

    async fn answered<B: Body>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Answer<B>, ClientFault> {
        let asked = tokio::time::timeout(self.within, self.exchange(method, path, body));
        let (status, body) = asked.await.map_err(|_| ClientFault::TimedOut(self.within))??;
        if status.is_success() {
            let answer: Answer<B> = serde_json::from_slice(&body).map_err(garbled)?;
            return if answer.schema == B::SCHEMA {
                Ok(answer)
            } else {
                let (schema, wanted) = (answer.schema, B::SCHEMA);
                Err(ClientFault::Garbled(format!("schema {schema}, expected {wanted}")))
            };
        }
        let refused: Answer<Refusal> = serde_json::from_slice(&body)
            .map_err(|why| ClientFault::Garbled(format!("status {status}, {why}")))?;
        Err(match status {
            StatusCode::SERVICE_UNAVAILABLE => ClientFault::NoMajority(refused.data),
            StatusCode::GATEWAY_TIMEOUT => ClientFault::Unknown(refused.data),
            _ => ClientFault::Refused(refused.data),
        })
    }

    /// An agent whose line of callers is full is there, and takes them at a bounded rate: whoever comes then waits for a place.
    async fn connect(&self) -> io::Result<UnixStream> {
        let end = Instant::now() + PLACE_WITHIN;
        loop {
            match UnixStream::connect(&self.socket).await {
                Err(full) if full.kind() == io::ErrorKind::WouldBlock && Instant::now() < end => {
                    sleep(PLACE_AGAIN_AFTER).await;
                }
                connected => return connected,
            }
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), ClientFault> {
        let stream = self.connect().await.map_err(|why| self.unconnected(why))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(garbled)?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "hale")
            .header("content-type", "application/json")
            .body(Full::new(body))
            .map_err(garbled)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(garbled)?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
            let body = body.collect().await.map_err(garbled)?;
            Ok((status, body.to_bytes()))
        };
        tokio::pin!(exchange);
        // The connection is driven beside the exchange and dies with it: no task is left behind.
        let driven = async {
            let _ = connection.await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            ended = &mut exchange => ended,
            () = driven => unreachable!("it never ends by itself"),
        }
    }

    fn unconnected(&self, why: io::Error) -> ClientFault {
        let socket = self.socket.clone();
        match why.kind() {
            io::ErrorKind::PermissionDenied => ClientFault::NotPermitted { socket },
            io::ErrorKind::WouldBlock => ClientFault::Crowded { socket },
            _ => ClientFault::NoAgent { socket, why },
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, ClientFault> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(garbled)
}

fn garbled(why: impl fmt::Display) -> ClientFault {
    ClientFault::Garbled(why.to_string())
}

impl fmt::Display for ClientFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAgent { socket, why } => write!(
                out,
                "no agent at {} ({why}): is `hale agent` running, and is this its socket (--socket, HALE_SOCKET)?",
                socket.display()
            ),
            Self::NotPermitted { socket } => write!(
                out,
                "{} may not be opened by this user: ask as root, as the agent's user, or be named in [admin] of its hale.toml",
                socket.display()
            ),
            Self::Crowded { socket } => write!(
                out,
                "the agent at {} has had no place for a caller for {} s, so nothing was asked: somebody floods its socket; try again",
                socket.display(),
                PLACE_WITHIN.as_secs()
            ),
            Self::Refused(refusal) => write!(out, "{}: {}", refusal.name, refusal.sentence),
            Self::NoMajority(refusal) | Self::Unknown(refusal) => {
                write!(out, "{}", refusal.sentence)
            }
            Self::TimedOut(within) => write!(
                out,
                "no answer within {} s; an order may yet have been committed: look before you repeat it",
                within.as_secs()
            ),
            Self::Garbled(why) => {
                write!(out, "what came from the socket is no answer of hale: {why}")
            }
        }
    }
}

impl std::error::Error for ClientFault {}
