//! An agent's UDP sockets, in memory.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use daemon::transport::Sockets;
use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};
use vocabulary::Address;

use crate::network::{Inbox, Network};

/// The sockets of one machine.
pub(crate) struct MemorySockets {
    pub network: Network,
    pub address: SocketAddr,
}

struct MemorySocket {
    network: Network,
    address: SocketAddr,
    inbox: Arc<Inbox>,
}

impl MemorySockets {
    fn open(&self, address: SocketAddr) -> Arc<dyn AsyncUdpSocket> {
        let network = self.network.clone();
        let inbox = network.open(address);
        Arc::new(MemorySocket { network, address, inbox })
    }
}

impl Sockets for MemorySockets {
    fn listening(&self) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        Ok(self.open(self.address))
    }

    fn ephemeral(&self, _towards: Address) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let port = self.network.free_port();
        Ok(self.open(SocketAddr::new(self.address.ip(), port)))
    }

    fn name(&self) -> String {
        self.address.to_string()
    }
}

impl AsyncUdpSocket for MemorySocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit) -> io::Result<()> {
        self.network.send(self.address, transmit.destination, transmit.contents);
        Ok(())
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let Some((from, packet)) = self.inbox.take(context.waker()) else {
            return Poll::Pending;
        };
        buffers[0][..packet.len()].copy_from_slice(&packet);
        meta[0].addr = from;
        meta[0].len = packet.len();
        meta[0].stride = packet.len();
        Poll::Ready(Ok(1))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Drop for MemorySocket {
    fn drop(&mut self) {
        self.network.close(self.address, &self.inbox);
    }
}

#[derive(Debug)]
struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for MemorySockets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "sockets of {}", self.address)
    }
}

impl fmt::Debug for MemorySocket {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "socket at {}", self.address)
    }
}
