//! Carries datagrams as a home router does: one socket towards the target for each source address.
//!
//! The target tells dialling agents apart by the relay's sockets, and its answers find their way back by them.
//! A source that comes back after its way was given up gets a new one, which QUIC takes for a change of address.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use lru::LruCache;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{self, Instant};

use super::Mode;

/// An agent dials another from one port, and afresh from one more per doubt; beyond this the way used longest ago is given up.
const WAYS_MAX: NonZeroUsize = NonZeroUsize::new(64).unwrap();

/// Longer than QUIC lets a connection be idle, so that no living connection loses its way.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// How often idle ways are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// Larger than what QUIC sends on any path (its search ends at 1,452 bytes); what is longer is dropped, as a small link would.
const DATAGRAM_BYTES_MAX: usize = 4_096;

/// The way of one source address to the target and back.
struct Way {
    upstream: Arc<UdpSocket>,
    back: JoinHandle<()>,
    used: Instant,
}

/// Runs until its task is ended.
pub(super) async fn carry(socket: UdpSocket, target: SocketAddr, mode: watch::Receiver<Mode>) {
    let socket = Arc::new(socket);
    let mut ways: LruCache<SocketAddr, Way> = LruCache::new(WAYS_MAX);
    let mut sweep = time::interval(SWEEP_EVERY);
    let mut buffer = [0; DATAGRAM_BYTES_MAX + 1];
    loop {
        tokio::select! {
            received = socket.recv_from(&mut buffer) => {
                let Ok((length, source)) = received else { continue };
                if *mode.borrow() == Mode::Silent || length > DATAGRAM_BYTES_MAX {
                    continue;
                }
                if let Ok(way) = way(&mut ways, source, target, (&socket, &mode)).await {
                    // A refused datagram is lost, as in any network.
                    let _ = way.send(&buffer[..length]).await;
                }
            }
            _ = sweep.tick() => give_up_idle(&mut ways),
        }
    }
}

async fn way(
    ways: &mut LruCache<SocketAddr, Way>,
    source: SocketAddr,
    target: SocketAddr,
    (socket, mode): (&Arc<UdpSocket>, &watch::Receiver<Mode>),
) -> io::Result<Arc<UdpSocket>> {
    if let Some(way) = ways.get_mut(&source) {
        way.used = Instant::now();
        return Ok(way.upstream.clone());
    }
    let upstream = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    upstream.connect(target).await?;
    let upstream = Arc::new(upstream);
    let back = carry_back(upstream.clone(), socket.clone(), source, mode.clone());
    let way = Way { upstream: upstream.clone(), back: tokio::spawn(back), used: Instant::now() };
    // What falls out ends its task as it is dropped.
    drop(ways.push(source, way));
    Ok(upstream)
}

async fn carry_back(
    upstream: Arc<UdpSocket>,
    socket: Arc<UdpSocket>,
    source: SocketAddr,
    mode: watch::Receiver<Mode>,
) {
    let mut buffer = [0; DATAGRAM_BYTES_MAX + 1];
    loop {
        // An error is the target's kernel saying that its agent is dead: the next agent there uses the same way.
        let Ok(length) = upstream.recv(&mut buffer).await else {
            continue;
        };
        if *mode.borrow() != Mode::Silent && length <= DATAGRAM_BYTES_MAX {
            let _ = socket.send_to(&buffer[..length], source).await;
        }
    }
}

fn give_up_idle(ways: &mut LruCache<SocketAddr, Way>) {
    while let Some((_, way)) = ways.peek_lru() {
        if way.used.elapsed() < IDLE_MAX {
            return;
        }
        drop(ways.pop_lru());
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.back.abort();
    }
}
