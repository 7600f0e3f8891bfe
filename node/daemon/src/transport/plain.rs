//! A UDP port for one dial: a packet at a time, and no room for more.
//!
//! quinn's own socket takes 64 packets that the kernel has joined into one read, and 32 such reads at once: 3 MB of buffer
//! for each port. That is right for the one port of an agent; a fresh dial (protocol 2.3) exchanges some ten packets, and
//! thirty of them may be under way.
//! Not here: opening the port (see `sockets`).

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

/// The port. One task at a time may wait until it can send: that of its one connection.
#[derive(Debug)]
pub(super) struct PlainSocket(UdpSocket);

/// Waits until the port can send.
#[derive(Debug)]
struct Writable(Arc<PlainSocket>);

impl PlainSocket {
    /// On a port that does not block; within a tokio runtime.
    pub(super) fn new(port: std::net::UdpSocket) -> io::Result<Self> {
        UdpSocket::from_std(port).map(Self)
    }
}

impl AsyncUdpSocket for PlainSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Writable(self))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        match self.0.try_send_to(transmit.contents, transmit.destination) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
            // As quinn's own: a packet that the system refuses is a lost packet, and QUIC knows what to do about it.
            _ => Ok(()),
        }
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buffer), Some(meta)) = (buffers.first_mut(), metas.first_mut()) else {
            return Poll::Ready(Ok(0));
        };
        let mut packet = ReadBuf::new(buffer);
        let from = ready!(self.0.poll_recv_from(context, &mut packet))?;
        let len = packet.filled().len();
        *meta = RecvMeta { addr: from, len, stride: len, ecn: None, dst_ip: None };
        Poll::Ready(Ok(1))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl UdpPoller for Writable {
    fn poll_writable(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.0.poll_send_ready(context)
    }
}
