//! Connections that others begin: bounded, proven, greeted, admitted.
//!
//! Not here: which are begun at all (see `knocks`), and how many at once (see `handshakes`).

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use quinn::crypto::rustls::HandshakeData;
use quinn::{Connection, ConnectionError, Incoming as Knock};
use replication::tasks;
use tokio::time::{Instant, timeout};
use wire::HelloRefusal;
use wire::version::FIRST;

use super::fault::{CallFault, Close};
use super::figures::count;
use super::hello;
use super::incoming::{Incoming, Presented};
use super::knocks::{Knocked, Knocker};
use super::link::Link;
use super::quic;
use super::settings::{HANDSHAKE_CROWDED_WITHIN, REFUSAL_LINGERS};
use super::shared::{Said, Shared};
use super::tls;

/// Runs until the endpoint closes.
pub(super) async fn accept(shared: Arc<Shared>) {
    let _life = shared.pulses[0].life();
    while let Some(knock) = shared.endpoint.accept().await {
        shared.pulses[0].begin();
        // Who may not be asked for a proof any more has given one.
        let is_proven = knock.remote_address_validated() || !knock.may_retry();
        let from = knock.remote_address().ip();
        let under_way = shared.handshakes.under_way();
        let (knocked, home) = {
            let mut state = shared.lock();
            let home = (is_proven && state.book.is_home(from)).then_some(from);
            let knocker = Knocker { from, is_proven, is_known: home.is_some() };
            let has_room = shared.handshakes.has_room(home);
            let judged = has_room.then(|| state.knocks.judge(Instant::now(), knocker, under_way));
            (judged.unwrap_or(Knocked::Ignore), home)
        };
        match knocked {
            Knocked::Open => drop(tasks::spawn(open_door(shared.clone(), knock, home))),
            // Only who really is at the address comes back with the token.
            Knocked::Prove => drop(knock.retry()),
            Knocked::Ignore => {
                count(&shared.counters.handshakes_ignored);
                knock.ignore();
            }
        }
        shared.pulses[0].end();
    }
}

/// `home`: where the knocker is, if that is an address of the mesh.
async fn open_door(shared: Arc<Shared>, knock: Knock, home: Option<IpAddr>) {
    let Some(place) = shared.handshakes.take(home) else {
        count(&shared.counters.handshakes_ignored);
        return knock.ignore();
    };
    let from = knock.remote_address();
    let within = match place.is_crowded {
        true => HANDSHAKE_CROWDED_WITHIN,
        false => shared.settings.connect_within + REFUSAL_LINGERS,
    };
    let let_in = timeout(within, let_in(&shared, knock)).await;
    drop(place);
    match let_in {
        Ok(Ok(None)) => {}
        Ok(Ok(Some(fresh))) => shared.clone().attend_fresh(fresh).await,
        Ok(Err(fault)) => {
            shared.counters.handshakes_failed.fetch_add(1, Ordering::Relaxed);
            shared.note_failed_dialler(from, &fault);
        }
        Err(_) => {
            count(&shared.counters.handshakes_failed);
            tracing::debug!(%from, "a connection was not admitted: it took too long");
        }
    }
}

/// From the first packet to admission; a connection of a fresh dial is handed back, to be served by itself.
async fn let_in(shared: &Arc<Shared>, knock: Knock) -> Result<Option<Arc<Link>>, CallFault> {
    let connection = shake_hands(knock).await.map_err(CallFault::of_handshake)?;
    let peer = tls::peer(&connection).map_err(|why| CallFault::Untrusted(why.to_string()))?;
    let host = peer.0.id();
    if host == shared.host {
        connection.close(Close::Stranger.into(), b"");
        return Err(CallFault::Stranger(host));
    }
    let heard = hello::listen(&connection, &shared.settings.quarantine).await;
    let (hello, input, mut send) = shared.note_refused(heard).inspect_err(|_| {
        connection.close(Close::NoHello.into(), b"");
    })?;
    let answer = {
        let _held = input.hold();
        let state = shared.lock();
        let versions = shared.settings.versions;
        hello::judge(&hello, &peer.0, versions, (&state.book, &state.presence))
    };
    let (is_fresh, allowance) = (is_fresh(&connection), shared.allowance(&peer.0));
    // Without a welcome nothing is agreed on, and nothing will be said.
    let version = answer.as_ref().map_or(FIRST, |welcome| welcome.version);
    let presented = Presented { boot: hello.boot, store: hello.store };
    let link = Arc::new(Link::new(connection, peer, (presented, version), allowance));
    let answer = match answer {
        Ok(welcome) if !is_fresh => {
            let said = Said { is_dialled_by_us: false, address: hello.address, store: hello.store };
            let admitted = shared.admit(link.clone(), said).await;
            admitted.map(|()| welcome)
        }
        other => other,
    };
    let told = hello::answer(&mut send, &answer).await;
    match answer {
        Ok(_) => told.map(|_| is_fresh.then_some(link)),
        Err(refusal) => {
            link.close(Close::Refused);
            if let (HelloRefusal::BootTooLow(_), Ok(true)) = (&refusal, told) {
                shared.tell(Incoming::TurnedAway { host, boot: link.boot }).await;
            }
            Err(CallFault::Refused(refusal))
        }
    }
}

/// A connection whose first packet says that it is over is kept by quinn-proto (0.11.19) until it has been idle for long enough,
/// some 24 KiB: `Connection::handle_first_packet` sets no close timer, `handle_packet` does. Nothing is left to be said on it, and
/// RFC 9000 10.2 lets whoever is sure of that end it early: so its task is ended, and the endpoint forgets it.
async fn shake_hands(knock: Knock) -> Result<Connection, ConnectionError> {
    let (begun, driver) = quic::accept(knock);
    let ended = begun?.await;
    let is_by_peer = |why: &ConnectionError| {
        matches!(why, ConnectionError::ConnectionClosed(_) | ConnectionError::ApplicationClosed(_))
    };
    if let (Err(why), Some(driver)) = (&ended, driver)
        && is_by_peer(why)
    {
        driver.abort();
    }
    ended
}

/// Whether the dialler has named the protocol of fresh dials.
fn is_fresh(connection: &Connection) -> bool {
    connection
        .handshake_data()
        .and_then(|any| any.downcast::<HandshakeData>().ok())
        .and_then(|handshake| handshake.protocol)
        .is_some_and(|protocol| protocol == tls::FRESH)
}
