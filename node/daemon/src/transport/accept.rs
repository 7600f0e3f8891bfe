//! Connections that others begin: bounded, proven, greeted, admitted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use quinn::crypto::rustls::HandshakeData;
use quinn::{Connection, Incoming as Knock};
use replication::tasks;
use tokio::time::{Instant, timeout};
use wire::HelloRefusal;
use wire::version::FIRST;

use super::fault::{CallFault, Close};
use super::figures::count;
use super::hello;
use super::incoming::Incoming;
use super::knocks::Knocked;
use super::link::Link;
use super::settings::{HANDSHAKES_MAX, REFUSAL_LINGERS};
use super::shared::{Said, Shared};
use super::tls;

/// Runs until the endpoint closes.
pub(super) async fn accept(shared: Arc<Shared>) {
    let _life = shared.pulses[0].life();
    while let Some(knock) = shared.endpoint.accept().await {
        let under_way = HANDSHAKES_MAX - shared.handshakes.available_permits();
        // Who may not be asked for a proof any more has given one.
        let is_proven = knock.remote_address_validated() || !knock.may_retry();
        let from = (knock.remote_address().ip(), is_proven);
        let knocked = match under_way >= HANDSHAKES_MAX {
            true => Knocked::Ignore,
            false => shared.lock().knocks.judge(Instant::now(), from, under_way),
        };
        match knocked {
            Knocked::Open => drop(tasks::spawn(open_door(shared.clone(), knock))),
            // Only who really is at the address comes back with the token.
            Knocked::Prove => drop(knock.retry()),
            Knocked::Ignore => {
                count(&shared.counters.handshakes_ignored);
                knock.ignore();
            }
        }
    }
}

async fn open_door(shared: Arc<Shared>, knock: Knock) {
    let Ok(place) = shared.handshakes.try_acquire() else {
        count(&shared.counters.handshakes_ignored);
        return knock.ignore();
    };
    let from = knock.remote_address();
    let within = shared.settings.connect_within + REFUSAL_LINGERS;
    let let_in = timeout(within, let_in(&shared, knock)).await;
    drop(place);
    match let_in {
        Ok(Ok(None)) => {}
        Ok(Ok(Some(fresh))) => shared.clone().attend_fresh(fresh).await,
        Ok(Err(fault)) => {
            shared.counters.handshakes_failed.fetch_add(1, Ordering::Relaxed);
            shared.note_failed(
                SocketAddr::new(from.ip(), 0),
                "a connection was not admitted",
                &fault,
            );
        }
        Err(_) => {
            count(&shared.counters.handshakes_failed);
            tracing::debug!(%from, "a connection was not admitted: it took too long");
        }
    }
}

/// From the first packet to admission; a connection of a fresh dial is handed back, to be served by itself.
async fn let_in(shared: &Arc<Shared>, knock: Knock) -> Result<Option<Arc<Link>>, CallFault> {
    let connection =
        knock.accept().map_err(CallFault::of_handshake)?.await.map_err(CallFault::of_handshake)?;
    let peer = tls::peer(&connection).map_err(|why| CallFault::Untrusted(why.to_string()))?;
    let host = peer.0.id();
    if host == shared.host {
        connection.close(Close::Stranger.into(), b"");
        return Err(CallFault::Stranger(host));
    }
    let heard = hello::listen(&connection).await;
    let (hello, mut send) = heard.inspect_err(|_| {
        connection.close(Close::NoHello.into(), b"");
    })?;
    let answer = {
        let state = shared.lock();
        let versions = shared.settings.versions;
        hello::judge(&hello, &peer.0, versions, (&state.book, &state.presence))
    };
    let (is_fresh, allowance) = (is_fresh(&connection), shared.allowance(&peer.0));
    // Without a welcome nothing is agreed on, and nothing will be said.
    let version = answer.as_ref().map_or(FIRST, |welcome| welcome.version);
    let link = Arc::new(Link::new(connection, peer, (hello.boot, version), allowance));
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

/// Whether the dialler has named the protocol of fresh dials.
fn is_fresh(connection: &Connection) -> bool {
    connection
        .handshake_data()
        .and_then(|any| any.downcast::<HandshakeData>().ok())
        .and_then(|handshake| handshake.protocol)
        .is_some_and(|protocol| protocol == tls::FRESH)
}
