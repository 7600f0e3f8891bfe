//! A QUIC client that begins handshakes and ends none: it hears the request to prove its address, and nothing else.

use std::net::{Ipv4Addr, SocketAddr};

use quinn::Endpoint;

use crate::muffled::{self, Muffle};
use crate::stranger::client_config;

struct HalfDeaf;

/// One at this address of this machine, without a certificate.
pub fn half_deaf(from: Ipv4Addr) -> Endpoint {
    let mut endpoint = muffled::endpoint(SocketAddr::from((from, 0)), HalfDeaf);
    endpoint.set_default_client_config(client_config(None));
    endpoint
}

impl Muffle for HalfDeaf {
    /// RFC 9000 17.2.5: a long header of type 3.
    fn hears(&self, first: u8) -> bool {
        first & 0xf0 == 0xf0
    }
}
