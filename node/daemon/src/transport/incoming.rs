//! What the transport tells the agent's loop, through one bounded channel.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;
use vocabulary::{Address, Boot, Claims, HostId, PublicKey, Roles, StoreId};
use wire::{Datagram, HelloRefusal, Request, Response};

use super::fault::Parting;
use crate::poison::Input;

/// One thing that came from the mesh. Who it came from is what the connection's certificate says (law TR1).
#[derive(Debug)]
pub enum Incoming {
    /// Small and lossy.
    Datagram {
        /// By its certificate.
        from: HostId,
        /// What it says.
        datagram: Datagram,
        /// As it came, to be held while it is handled (protocol 1.9).
        input: Input,
        /// When it was fetched from the connection.
        at: Instant,
    },
    /// A request that the role table permits; it wants an answer.
    Request {
        /// By its certificate.
        from: HostId,
        /// What its certificate claims.
        claims: Arc<Claims>,
        /// What the hello of this very connection has said.
        presented: Presented,
        /// What it asks.
        request: Request,
        /// As it came, likewise.
        input: Input,
        /// For the answer; dropped unused, it tells the asker that there is none.
        reply: Reply,
    },
    /// A host, or a new life of one, is connected and admitted.
    Connected(Box<Peer>),
    /// No connection to the host stands any more.
    Closed {
        /// Which host.
        host: HostId,
        /// In which life it was connected.
        boot: Boot,
        /// Why.
        why: Parting,
    },
    /// A host that we dialled does not admit us; our boot may be too low (protocol 1.2).
    Refused {
        /// Who refuses, by its certificate.
        by: HostId,
        /// What its certificate lets it be: a keeper's word on boots is the ledger's (protocol 1.2).
        roles: Roles,
        /// Why.
        refusal: HelloRefusal,
    },
    /// A host that dialled us was refused for its boot, and was there to hear it: that life lives, though the ledger knows another
    /// (protocol 1.2).
    TurnedAway {
        /// Who, by its certificate.
        host: HostId,
        /// The life that it says it is in.
        boot: Boot,
    },
}

/// Which life and which store a connection is of, as its hello has said: another one of the same host may say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The life.
    pub boot: Boot,
    /// A keeper's store.
    pub store: Option<StoreId>,
}

/// A connected host, as its certificate and its hello present it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// By its certificate.
    pub host: HostId,
    /// What its certificate claims.
    pub claims: Arc<Claims>,
    /// The key in its certificate.
    pub key: PublicKey,
    /// The life it says it is in.
    pub boot: Boot,
    /// Where it says it is reached.
    pub address: Address,
    /// The store it says it keeps.
    pub store: Option<StoreId>,
    /// The version of the wire that both sides speak.
    pub version: u16,
}

/// The way back to whoever asked.
#[derive(Debug)]
pub struct Reply {
    pub(super) to_stream: mpsc::Sender<Response>,
}

/// Nobody waits for the answer any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unwanted;

/// Responses of one stream that wait to be written; a follower that is slower than this holds its feeder back.
pub(super) const RESPONSES_MAX: usize = 4;

impl Reply {
    /// For a question of this host's own, and where its answer comes.
    pub(crate) fn own() -> (Self, mpsc::Receiver<Response>) {
        let (to_stream, answered) = mpsc::channel(1);
        (Self { to_stream }, answered)
    }

    /// The one answer.
    pub fn send(self, response: Response) {
        // Room is certain for the first; if nobody waits any more, nothing is lost.
        let _ = self.to_stream.try_send(response);
    }

    /// One of many answers, for [`Request::Follow`] alone; waits while the follower is slow.
    pub async fn push(&mut self, response: Response) -> Result<(), Unwanted> {
        self.to_stream.send(response).await.map_err(|_| Unwanted)
    }

    /// Whether anybody still waits.
    pub fn is_wanted(&self) -> bool {
        !self.to_stream.is_closed()
    }

    /// Returns once nobody waits any more.
    pub async fn unwanted(&self) {
        self.to_stream.closed().await;
    }
}
