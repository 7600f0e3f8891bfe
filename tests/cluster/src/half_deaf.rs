//! A QUIC client that begins handshakes and ends none: it hears the request to prove its address, and nothing else.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, Endpoint, EndpointConfig, Runtime as _, TokioRuntime, UdpPoller};

use crate::stranger::client_config;

struct HalfDeaf(Arc<dyn AsyncUdpSocket>);

/// One at this address of this machine, without a certificate.
pub fn half_deaf(from: Ipv4Addr) -> Endpoint {
    let socket = UdpSocket::bind((from, 0)).expect("binds");
    let socket = TokioRuntime.wrap_udp_socket(socket).expect("a socket");
    let (config, runtime) = (EndpointConfig::default(), Arc::new(TokioRuntime));
    let socket = Arc::new(HalfDeaf(socket));
    let mut endpoint =
        Endpoint::new_with_abstract_socket(config, None, socket, runtime).expect("made");
    endpoint.set_default_client_config(client_config(None));
    endpoint
}

impl AsyncUdpSocket for HalfDeaf {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.0).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.0.try_send(transmit)
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(self.0.poll_recv(context, buffers, meta))?;
        for (meta, bytes) in meta.iter_mut().zip(buffers).take(count) {
            // RFC 9000 17.2.5: a long header of type 3. What has no length is not looked at.
            let is_retry = bytes.first().is_some_and(|first| first & 0xf0 == 0xf0);
            meta.len = if is_retry { meta.len.min(meta.stride) } else { 0 };
        }
        Poll::Ready(Ok(count))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    fn max_receive_segments(&self) -> usize {
        self.0.max_receive_segments()
    }
}

impl fmt::Debug for HalfDeaf {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a half-deaf socket")
    }
}
