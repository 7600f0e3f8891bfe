//! An endpoint whose socket loses what it is told to lose, on its way out or in.
//!
//! Shared by path with the stories of `tests/cluster`. Not here: what is lost (see `mute`, `half_deaf`).

use std::fmt::{Debug, Formatter, Result as Formatted};
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, Endpoint, EndpointConfig, Runtime as _, TokioRuntime, UdpPoller};

/// What gets lost.
pub trait Muffle: Send + Sync + 'static {
    /// Whether what is sent now goes out.
    fn sends(&self) -> bool {
        true
    }

    /// Whether what begins with this byte is heard.
    fn hears(&self, _first: u8) -> bool {
        true
    }
}

struct Muffled<M> {
    inner: Arc<dyn AsyncUdpSocket>,
    muffle: M,
}

/// One at this address of this machine; it has no client configuration yet.
pub fn endpoint(at: SocketAddr, muffle: impl Muffle) -> Endpoint {
    let socket = UdpSocket::bind(at).expect("binds");
    let inner = TokioRuntime.wrap_udp_socket(socket).expect("a socket");
    let (config, runtime) = (EndpointConfig::default(), Arc::new(TokioRuntime));
    let socket = Arc::new(Muffled { inner, muffle });
    Endpoint::new_with_abstract_socket(config, None, socket, runtime).expect("made")
}

impl<M: Muffle> AsyncUdpSocket for Muffled<M> {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.inner).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        match self.muffle.sends() {
            true => self.inner.try_send(transmit),
            false => Ok(()),
        }
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(self.inner.poll_recv(context, buffers, meta))?;
        for (meta, bytes) in meta.iter_mut().zip(buffers).take(count) {
            // What has no length is not looked at.
            if !bytes.first().is_some_and(|first| self.muffle.hears(*first)) {
                meta.len = 0;
            }
        }
        Poll::Ready(Ok(count))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn max_receive_segments(&self) -> usize {
        self.inner.max_receive_segments()
    }
}

impl<M> Debug for Muffled<M> {
    fn fmt(&self, out: &mut Formatter<'_>) -> Formatted {
        write!(out, "a muffled socket")
    }
}
