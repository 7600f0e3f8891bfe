//! The first words on every connection: without them nobody is admitted, whatever TLS says.
//!
//! In TLS 1.3 the dialler is done before the acceptor has looked at its certificate: only a welcome tells it that it is in.

use quinn::{Connection, ConnectionError, SendStream, StoppedError};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use vocabulary::{Boot, Claims, ClusterName};
use wire::frame;
use wire::{Framed, Hello, HelloRefusal, VersionRange, Welcome};

use super::book::Book;
use super::fault::CallFault;
use super::settings::{HELLO_BYTES_MAX, Presence, REFUSAL_LINGERS};
use super::tls;
use crate::poison::trial::{self, Place};
use crate::poison::{Input, Kind, Quarantine};

/// What the acceptor says.
pub(super) type Answer = Result<Welcome, HelloRefusal>;

/// As the dialler: says who we are in this life, and waits to be let in.
pub(super) async fn greet(
    connection: &Connection,
    hello: &Hello,
    quarantine: &Quarantine,
) -> Result<Welcome, CallFault> {
    let (mut send, mut receive) = connection.open_bi().await.map_err(CallFault::of_handshake)?;
    send.write_all(&frame::seal(hello)).await?;
    let _ = send.finish();
    let bytes = receive.read_to_end(HELLO_BYTES_MAX).await?;
    let (answer, _) = open::<Answer>(connection, bytes, quarantine)?;
    let welcome = answer.map_err(CallFault::Refused)?;
    if hello.versions.contains(welcome.version) {
        Ok(welcome)
    } else {
        Err(CallFault::Garbled(wire::Fault::Version(welcome.version)))
    }
}

/// As the acceptor: the dialler's hello, as it came beside it (protocol 1.9), and the way to answer it.
pub(super) async fn listen(
    connection: &Connection,
    quarantine: &Quarantine,
) -> Result<(Hello, Input, SendStream), CallFault> {
    let (send, mut receive) = connection.accept_bi().await.map_err(CallFault::of_handshake)?;
    let bytes = receive.read_to_end(HELLO_BYTES_MAX).await?;
    let (hello, input) = open(connection, bytes, quarantine)?;
    Ok((hello, input, send))
}

/// protocol 1.9: a hello is input like any other.
fn open<T: DeserializeOwned + Framed>(
    connection: &Connection,
    bytes: Vec<u8>,
    quarantine: &Quarantine,
) -> Result<(T, Input), CallFault> {
    let from = tls::peer(connection).ok().map(|(claims, _)| claims.id());
    let input = quarantine.admit(Kind::Hello, from, bytes).ok_or(CallFault::Quarantined)?;
    let _held = input.clone().hold();
    trial::stumble(Place::Hello);
    let opened = frame::open(&input.bytes, HELLO_BYTES_MAX);
    opened.map(|opened| (opened, input)).map_err(CallFault::Garbled)
}

/// Lets the dialler in, or tells it why not and gives it a moment to read that; whether a refused one was there to hear it.
pub(super) async fn answer(send: &mut SendStream, answer: &Answer) -> Result<bool, CallFault> {
    send.write_all(&frame::seal(answer)).await?;
    let _ = send.finish();
    if answer.is_ok() {
        return Ok(true);
    }
    let heard = timeout(REFUSAL_LINGERS, send.stopped()).await;
    Ok(match heard {
        // It has acknowledged every byte, or hung up after the last: both are a living process.
        Ok(Ok(_)) => true,
        Ok(Err(StoppedError::ConnectionLost(ConnectionError::ApplicationClosed(_)))) => true,
        Ok(Err(_)) | Err(_) => false,
    })
}

/// Our hello in this life.
pub(super) fn ours(cluster: &ClusterName, versions: VersionRange, presence: &Presence) -> Hello {
    Hello {
        versions,
        cluster: cluster.clone(),
        boot: presence.boot,
        address: presence.address,
        store: presence.store,
    }
}

/// Our welcome, in the newest version that both speak, unless something speaks against the dialler.
pub(super) fn judge(
    hello: &Hello,
    claims: &Claims,
    versions: VersionRange,
    (book, presence): (&Book, &Presence),
) -> Result<Welcome, HelloRefusal> {
    let host = claims.id();
    if hello.cluster != claims.cluster {
        return Err(HelloRefusal::Cluster);
    }
    let version = hello.versions.common(versions).ok_or(HelloRefusal::Versions(versions))?;
    admissible(host, hello.boot, book)?;
    Ok(Welcome { version, boot: presence.boot, address: presence.address, store: presence.store })
}

/// What the roster says against this host in this life (protocol 1.2, 1.7).
pub(super) fn admissible(
    host: vocabulary::HostId,
    boot: Boot,
    book: &Book,
) -> Result<(), HelloRefusal> {
    if book.is_denied(host) {
        return Err(HelloRefusal::Retired);
    }
    match book.is_too_old(host, boot) {
        Some(known) => Err(HelloRefusal::BootTooLow(known)),
        None => Ok(()),
    }
}
