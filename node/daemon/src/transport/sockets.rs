//! Where the transport's packets go: a UDP port of the system, or whatever a test puts in its place.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use quinn::{AsyncUdpSocket, Runtime, TokioRuntime};
use socket2::{Domain, Protocol, Socket, Type};
use vocabulary::Address;

use super::drops;
use super::plain::PlainSocket;

/// Opens the sockets of one agent.
pub trait Sockets: Send + Sync + fmt::Debug + 'static {
    /// The one port of the agent; asked for once.
    fn listening(&self) -> io::Result<Arc<dyn AsyncUdpSocket>>;

    /// A socket with a port of its own, for a fresh dial (protocol 2.3).
    fn ephemeral(&self, towards: Address) -> io::Result<Arc<dyn AsyncUdpSocket>>;

    /// Where the agent listens, for messages.
    fn name(&self) -> String;

    /// Packets that were dropped at this port because nobody fetched them; none where nobody counts them.
    fn dropped(&self, _port: u16) -> u64 {
        0
    }
}

/// The system's UDP.
#[derive(Clone, Debug)]
pub struct UdpSockets {
    bind: Address,
}

/// Room for a burst of packets: the default of Linux, 208 KiB, loses some when a few hundred hosts speak at once.
const BUFFER_BYTES: usize = 1024 * 1024;

impl UdpSockets {
    /// Listens there; `[::]` takes both families.
    pub fn new(bind: Address) -> Self {
        Self { bind }
    }
}

impl Sockets for UdpSockets {
    fn listening(&self) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let port = open(self.bind)?;
        // The kernel gives what it allows; less is slower, not wrong.
        let _ = port.set_recv_buffer_size(BUFFER_BYTES);
        let _ = port.set_send_buffer_size(BUFFER_BYTES);
        TokioRuntime.wrap_udp_socket(port.into())
    }

    fn ephemeral(&self, towards: Address) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        // From the same interface as the agent's own port, where it is bound to one of the right family.
        let from = match (self.bind.ip(), towards.ip()) {
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => self.bind.ip(),
            (_, IpAddr::V4(_)) => Ipv4Addr::UNSPECIFIED.into(),
            (_, IpAddr::V6(_)) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let port = open(SocketAddr::new(from, 0))?;
        Ok(Arc::new(PlainSocket::new(port.into())?))
    }

    fn name(&self) -> String {
        self.bind.to_string()
    }

    fn dropped(&self, port: u16) -> u64 {
        drops::at(port)
    }
}

fn open(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}
