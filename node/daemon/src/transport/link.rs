//! One admitted connection: who is at its other end, and the task that takes what comes from there.
//!
//! Rule for faults of form: an unreadable datagram is dropped and an unreadable request's stream is reset, the
//! connection stays; after [`STRIKES_MAX`] of them it is closed. A refused or unserved request is no fault of form.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use quinn::Connection;
use replication::tasks;
use tokio::time::Instant;
use vocabulary::{Boot, Claims, HostId, PublicKey, StoreId, Verifier as _};
use wire::{DATAGRAM_BYTES_MAX, Datagram, Framed, frame};

use super::allowance::Allowance;
use super::fault::{Close, Parting, StreamEnd};
use super::figures::count;
use super::incoming::{Incoming, Presented};
use super::serve;
use super::settings::STRIKES_MAX;
use super::shared::Shared;
use super::tls;
use crate::identity::RingVerifier;
use crate::poison::Kind;

/// A connection whose peer is known and admitted, and whose version is agreed on.
#[derive(Debug)]
pub(super) struct Link {
    pub host: HostId,
    pub claims: Arc<Claims>,
    pub key: PublicKey,
    pub boot: Boot,
    /// The store that its hello has named.
    pub store: Option<StoreId>,
    /// What both hellos have agreed on (law W5).
    pub version: u16,
    /// When the certificate ends that it has shown, in seconds of the Unix epoch.
    pub ends: Option<u64>,
    pub connection: Connection,
    pub hold: Arc<()>,
    /// How much its host may have of us, on all its connections.
    pub allowance: Arc<Allowance>,
    parting: OnceLock<Parting>,
    strikes: AtomicU32,
}

impl Link {
    pub(super) fn new(
        connection: Connection,
        (claims, key): (Claims, PublicKey),
        (Presented { boot, store }, version): (Presented, u16),
        allowance: Arc<Allowance>,
    ) -> Self {
        Self {
            host: claims.id(),
            claims: Arc::new(claims),
            key,
            boot,
            store,
            version,
            ends: tls::chain(&connection).and_then(|chain| RingVerifier.end(&chain)),
            connection,
            hold: Arc::new(()),
            allowance,
            parting: OnceLock::new(),
            strikes: AtomicU32::new(0),
        }
    }

    /// Whether the peer understands a frame of ours.
    pub(super) fn speaks(&self, frame: &[u8]) -> bool {
        frame::version(frame).is_some_and(|since| since <= self.version)
    }

    /// Which life and store are at its other end.
    pub(super) fn presented(&self) -> Presented {
        Presented { boot: self.boot, store: self.store }
    }

    /// Ends the connection, with the reason for both sides.
    pub(super) fn close(&self, close: Close) {
        let parting = match close {
            Close::Left => Parting::Left,
            Close::Replaced => Parting::Replaced,
            Close::Evicted => Parting::Evicted,
            Close::Denied => Parting::Denied,
            Close::Misbehaved => Parting::Misbehaved,
            Close::Done => Parting::Done,
            Close::Refused | Close::Stranger | Close::NoHello => {
                Parting::Broken("not admitted".into())
            }
        };
        let _ = self.parting.set(parting);
        self.connection.close(close.into(), b"");
    }

    /// Why the connection ended, in our own words where we ended it.
    fn parting(&self) -> Parting {
        self.parting.get().cloned().unwrap_or_else(|| {
            let reason = self.connection.close_reason();
            reason.map_or(Parting::Done, Parting::from)
        })
    }

    /// The event that says that it was the last of its host.
    pub(super) fn closed(&self) -> Incoming {
        Incoming::Closed { host: self.host, boot: self.boot, why: self.parting() }
    }

    pub(super) fn is_open(&self) -> bool {
        self.connection.close_reason().is_none()
    }

    /// One more fault of form.
    pub(super) fn strike(&self, shared: &Shared) {
        count(&shared.counters.garbled);
        if self.strikes.fetch_add(1, Ordering::Relaxed) + 1 > STRIKES_MAX && self.is_open() {
            count(&shared.counters.misbehaved);
            tracing::warn!(host = %self.claims.host, "a peer sends what is no message; its connection is closed");
            self.close(Close::Misbehaved);
        }
    }
}

/// A link for one errand: as long as this lives, the link does not make room for another (law TR4).
#[derive(Debug)]
pub(super) struct Held {
    pub link: Arc<Link>,
    pub hold: Arc<()>,
}

impl Held {
    pub(super) fn new(link: &Arc<Link>) -> Self {
        Self { link: link.clone(), hold: link.hold.clone() }
    }
}

/// Takes what comes until the connection ends.
pub(super) async fn run(shared: &Arc<Shared>, link: &Arc<Link>) {
    loop {
        tokio::select! {
            biased;
            stream = link.connection.accept_bi() => match stream {
                Ok((send, receive)) if !link.allowance.stream(Instant::now()) => {
                    count(&shared.counters.excessive);
                    serve::give_up((send, receive), StreamEnd::TooMany);
                }
                Ok(stream) => {
                    let serving = serve::serve(shared.clone(), link.clone(), stream);
                    tasks::spawn(serving);
                }
                Err(_) => return,
            },
            datagram = link.connection.read_datagram() => match datagram {
                Ok(bytes) => take(shared, link, &bytes),
                Err(_) => return,
            },
        }
    }
}

fn take(shared: &Shared, link: &Link, bytes: &Bytes) {
    if !link.allowance.datagram(Instant::now()) {
        return count(&shared.counters.excessive);
    }
    let quarantine = &shared.settings.quarantine;
    let Some(input) = quarantine.admit(Kind::Datagram, Some(link.host), bytes.clone()) else {
        return count(&shared.counters.quarantined);
    };
    let opened = {
        let _held = input.clone().hold();
        frame::open::<Datagram>(bytes, DATAGRAM_BYTES_MAX)
    };
    let Some(datagram) = opened.ok().filter(|datagram| datagram.since() <= link.version) else {
        return link.strike(shared);
    };
    shared.lock().pool.heard(link.host);
    let event = Incoming::Datagram { from: link.host, datagram, input, at: Instant::now() };
    match shared.offer(event, false) {
        true => count(&shared.counters.datagrams_received),
        // Small and lossy: what the agent cannot take now is stale when it can.
        false => count(&shared.counters.datagrams_dropped),
    }
}
