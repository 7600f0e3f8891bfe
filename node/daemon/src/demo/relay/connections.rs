//! Carries TCP connections, or refuses them, or lets their requests vanish.
//!
//! The kernel answers a connection request for a listener by itself, so a listener that merely stops accepting still accepts.
//! Only a listener whose queue is full drops requests without a word. So a silent relay keeps its one listener, makes the queue
//! of it as short as can be, and fills it with connections of its own.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::net::SocketFlags;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time;

use super::{Change, Mode};

/// Enough for every agent to knock at once.
const QUEUE_OPEN: i32 = 128;

/// The kernel keeps one request more than this, so one connection of ours fills it.
const QUEUE_SILENT: i32 = 0;

/// On loopback a request that is answered at all is answered at once; one that waits so long was dropped.
const DROPPED_AFTER: Duration = Duration::from_millis(150);

/// Connections that may lie in the queue when it is shortened, and a few to spare.
const FILLERS_MAX: usize = 2 * QUEUE_OPEN as usize;

/// Second channels last for a knock; beyond this the newest is turned away.
const CARRIED_MAX: usize = 256;

/// Longer than any knock.
const CARRIED_FOR_MAX: Duration = Duration::from_secs(10);

/// The relay's side towards the dialling agent.
enum Door {
    Open(TcpListener),
    Full {
        listener: TcpListener,
        /// Held so that the queue stays full.
        _fillers: Vec<TcpStream>,
    },
    Closed,
}

/// Runs until its task is ended.
pub(super) async fn carry(
    address: SocketAddr,
    target: SocketAddr,
    mode: watch::Receiver<Mode>,
    mut changes: mpsc::Receiver<Change>,
) {
    let mut door = Door::Closed;
    let mut carried = JoinSet::new();
    loop {
        tokio::select! {
            change = changes.recv() => {
                let Some(Change { mode, holds }) = change else { return };
                let held = door.turn(address, mode).await;
                // Whoever asked may have stopped waiting.
                let _ = holds.send(held);
            }
            client = door.accept() => {
                while carried.try_join_next().is_some() {}
                if let (Ok(client), true) = (client, carried.len() < CARRIED_MAX) {
                    carried.spawn(carry_one(client, target, mode.clone()));
                }
            }
        }
    }
}

impl Door {
    async fn turn(&mut self, address: SocketAddr, mode: Mode) -> io::Result<()> {
        // Whatever was there is taken, so that a failure leaves the door closed and never half silent.
        let listener = match std::mem::replace(self, Self::Closed) {
            Self::Open(listener) | Self::Full { listener, .. } => Some(listener),
            Self::Closed => None,
        };
        *self = match mode {
            Mode::Refusing => Self::Closed,
            Mode::Open => Self::Open(reopened(address, listener)?),
            Mode::Silent => Self::filled(address, listener).await?,
        };
        Ok(())
    }

    /// law W1: full until a request of our own is dropped.
    async fn filled(address: SocketAddr, listener: Option<TcpListener>) -> io::Result<Self> {
        let listener = listener.map_or_else(|| listen(address), Ok)?;
        rustix::net::listen(&listener, QUEUE_SILENT)?;
        let mut fillers = Vec::new();
        while fillers.len() < FILLERS_MAX {
            match time::timeout(DROPPED_AFTER, TcpStream::connect(address)).await {
                Ok(filler) => fillers.push(filler?),
                Err(_dropped) => {
                    return Ok(Self::Full { listener, _fillers: fillers });
                }
            }
        }
        Err(io::Error::other(format!(
            "the listener on {address} took {FILLERS_MAX} connections and would not be full"
        )))
    }

    async fn accept(&self) -> io::Result<TcpStream> {
        match self {
            Self::Open(listener) => listener.accept().await.map(|(client, _)| client),
            Self::Full { .. } | Self::Closed => std::future::pending().await,
        }
    }
}

/// What lay in the queue of a silent listener is older than the silence: it is dropped, not carried.
fn reopened(address: SocketAddr, listener: Option<TcpListener>) -> io::Result<TcpListener> {
    let Some(listener) = listener else {
        return listen(address);
    };
    rustix::net::listen(&listener, QUEUE_OPEN)?;
    // Asked of the kernel itself: the listener does not block, so an empty queue is an error at once.
    while let Ok(stale) = rustix::net::accept_with(&listener, SocketFlags::CLOEXEC) {
        drop(stale);
    }
    Ok(listener)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE_OPEN.unsigned_abs())
}

async fn carry_one(mut client: TcpStream, target: SocketAddr, mut mode: watch::Receiver<Mode>) {
    let both_ways = async {
        // An agent that died just now: the client sees its connection end without a byte.
        let mut upstream = TcpStream::connect(target).await?;
        tokio::io::copy_bidirectional(&mut client, &mut upstream).await
    };
    tokio::select! {
        _ = time::timeout(CARRIED_FOR_MAX, both_ways) => return,
        _ = mode.wait_for(|mode| *mode == Mode::Silent) => {}
    }
    // A cable that is cut says nothing to either end; the connection ends when the silence does.
    let _ = mode.wait_for(|mode| *mode != Mode::Silent).await;
}
