//! A dialler whose first words get lost.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, Endpoint, EndpointConfig, Runtime as _, TokioRuntime, UdpPoller};

use crate::fleet::loopback;

/// What is sent gets lost as long as this says so.
pub type IsMute = Arc<AtomicBool>;

struct Mute {
    inner: Arc<dyn AsyncUdpSocket>,
    is_mute: IsMute,
}

/// An endpoint that is mute at first; it has no client configuration yet.
pub fn endpoint() -> (Endpoint, IsMute) {
    let is_mute = IsMute::new(AtomicBool::new(true));
    let socket = UdpSocket::bind(loopback(0)).expect("binds");
    let inner = TokioRuntime.wrap_udp_socket(socket).expect("a socket");
    let socket = Arc::new(Mute { inner, is_mute: is_mute.clone() });
    let (config, runtime) = (EndpointConfig::default(), Arc::new(TokioRuntime));
    let endpoint = Endpoint::new_with_abstract_socket(config, None, socket, runtime);
    (endpoint.expect("made"), is_mute)
}

impl AsyncUdpSocket for Mute {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.inner).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        if self.is_mute.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.inner.try_send(transmit)
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.inner.poll_recv(context, buffers, meta)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn max_receive_segments(&self) -> usize {
        self.inner.max_receive_segments()
    }
}

impl fmt::Debug for Mute {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a mute socket")
    }
}
