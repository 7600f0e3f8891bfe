//! Which ports of the loopback interface are free for relays and agents.
//!
//! Law O1: no port is given out twice by one process.
//! Law O2: none lies in the range from which the kernel serves outgoing connections: a listener that is closed for a while, since
//! its agent is dead, finds its port again.
//! Not here: holding a port; whoever asked binds it, and asks again where another program was faster.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

/// Below lie the ports that other programs are configured for.
const FIRST: u32 = 10_240;

/// Where the kernel's range begins when it does not say.
const EPHEMERAL_DEFAULT: u32 = 32_768;

/// How many ports are tried before we say that none is free; a machine with so many taken in a row has other trouble.
const TRIES_MAX: u32 = 2_000;

/// Counts up through the process, so that two fleets of one test run do not meet.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// An address of the loopback interface whose port is free for UDP and TCP alike at this moment.
pub fn free() -> io::Result<SocketAddr> {
    let end = ephemeral_begin();
    // Two processes begin at different places, so that they seldom race for one port.
    let offset = std::process::id().wrapping_mul(97);
    for _ in 0..TRIES_MAX {
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + offset.wrapping_add(count) % (end - FIRST);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port).unwrap_or(0)));
        if UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AddrInUse,
        format!("no port from {FIRST} to {end} is free on the loopback interface"),
    ))
}

fn ephemeral_begin() -> u32 {
    std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .filter(|begin| (FIRST + TRIES_MAX..=65_535).contains(begin))
        .unwrap_or(EPHEMERAL_DEFAULT)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn free_ports_are_all_different_and_below_the_range_of_outgoing_connections() {
        let given: BTreeSet<u16> = (0..50).map(|_| free().expect("some are").port()).collect();
        assert_eq!(given.len(), 50);
        let end = ephemeral_begin();
        assert!(given.iter().all(|port| u32::from(*port) < end));
    }
}
