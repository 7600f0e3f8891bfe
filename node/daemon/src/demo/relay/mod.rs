//! Stands between two agents and carries what one dials of the other: UDP, and TCP for the second channel (protocol 2.4).
//!
//! Agents of the demo never reach each other but through relays, so the demo can do to a link or a host what a broken switch
//! or a power cut does, without any right on the machine's network.
//!
//! Law W1: a silent relay neither accepts nor refuses: datagrams vanish, and so do connection requests.
//! Law W2: a refusing relay says what the kernel of a living host says for a dead agent: connection refused.
//! Not here: when a link is cut (see `links`).

mod connections;
mod datagrams;

use std::io;
use std::net::SocketAddr;

use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::ports;

/// How many other programs may take our port between the search and the bind before we give up.
const BINDS_MAX: u32 = 20;

/// What a relay does with what it is handed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Carries everything both ways.
    Open,
    /// The host or the link is gone: nothing comes back, not even a refusal.
    Silent,
    /// The host lives and its agent does not: its kernel refuses connections, and datagrams go nowhere.
    Refusing,
}

/// One relay, for one agent that dials and one that is dialled. Its tasks end when it is dropped.
pub struct Relay {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    changes: mpsc::Sender<Change>,
    _tasks: JoinSet<()>,
}

/// A new mode for the side that carries connections, and whom to tell when it holds.
struct Change {
    mode: Mode,
    holds: oneshot::Sender<io::Result<()>>,
}

/// A relay on its way to a new mode; `None`: it is there already.
#[must_use]
pub struct Turning(Option<oneshot::Receiver<io::Result<()>>>);

impl Relay {
    /// A relay to `target` on a free port; it begins as the relay of a host whose agent does not run yet.
    pub async fn to(target: SocketAddr) -> io::Result<Self> {
        let (address, datagrams) = bound().await?;
        let (mode, seen) = watch::channel(Mode::Refusing);
        // One at a time: whoever changes the mode waits until it holds.
        let (changes, asked) = mpsc::channel(1);
        let mut tasks = JoinSet::new();
        tasks.spawn(datagrams::carry(datagrams, target, seen.clone()));
        tasks.spawn(connections::carry(address, target, seen, asked));
        Ok(Self { address, mode, changes, _tasks: tasks })
    }

    /// Where the dialling agent reaches the other one.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Turns datagrams at once and connections as soon as may be; the answer tells when the mode holds for both.
    pub async fn turn(&self, mode: Mode) -> Turning {
        if *self.mode.borrow() == mode {
            return Turning(None);
        }
        self.mode.send_replace(mode);
        let (holds, held) = oneshot::channel();
        // If the relay has ended, so has the other end of `held`.
        let _ = self.changes.send(Change { mode, holds }).await;
        Turning(Some(held))
    }

    /// Returns when the new mode holds for datagrams and connections alike.
    pub async fn set(&self, mode: Mode) -> io::Result<()> {
        self.turn(mode).await.held().await
    }
}

impl Turning {
    /// Returns when the new mode holds.
    pub async fn held(self) -> io::Result<()> {
        let Some(held) = self.0 else { return Ok(()) };
        let ended = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the relay has ended");
        held.await.map_err(ended)?
    }
}

/// A free port whose UDP side is held from now on; the TCP side is bound when the relay first opens.
async fn bound() -> io::Result<(SocketAddr, UdpSocket)> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..BINDS_MAX {
        let address = ports::free()?;
        match UdpSocket::bind(address).await {
            Ok(socket) => return Ok((address, socket)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests;
