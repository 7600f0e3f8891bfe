//! Knocks from addresses where nobody is: what a forger sends who wants a host to begin handshakes.
//!
//! Not here: who is asked for a proof of an address, and when (see the daemon's `transport`).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::luck::Luck;

/// The first packets of so many handshakes, each from an address of its own. Three of four fail a look at bits that only whoever
/// has sealed the packet can choose, so that a host takes one of four for a knock.
pub(crate) fn knocks(seed: u64, count: u16) -> impl Iterator<Item = (SocketAddr, Vec<u8>)> {
    let mut luck = Luck::new(seed);
    (0..count).map(move |number| {
        let [high, low] = number.to_be_bytes();
        let nobody = IpAddr::from(Ipv4Addr::new(10, 255, high, low));
        (SocketAddr::new(nobody, 9), knock(&mut luck))
    })
}

/// RFC 9000 17.2.2: an Initial of version 1 with two drawn connection ids and no token, as long as one must be; all else is noise.
fn knock(luck: &mut Luck) -> Vec<u8> {
    let mut id = || luck.draw().to_be_bytes();
    let ids = [&[8][..], &id(), &[8], &id()].concat();
    let mut packet = [&[0xc0, 0, 0, 0, 1][..], &ids, &[0]].concat();
    let rest = u16::try_from(LENGTH - packet.len() - 2).expect("less than a datagram");
    packet.extend((0x4000 | rest).to_be_bytes());
    while packet.len() < LENGTH {
        packet.extend(id());
    }
    packet.truncate(LENGTH);
    packet
}

/// The least that a first packet may have.
const LENGTH: usize = 1_200;
