//! What the transport has been told of hosts: where they are, which are retired, which boots are too old.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use vocabulary::{Address, Boot, HostId};

use super::settings::HOSTS_MAX;

/// Addresses, denials and boots, each at most [`HOSTS_MAX`].
#[derive(Debug, Default)]
pub(super) struct Book {
    /// From configuration and roster: what the daemon has set holds.
    set: BTreeMap<HostId, Address>,
    /// From hellos, where nothing was set.
    said: BTreeMap<HostId, Address>,
    /// How many hosts were set at each address, whatever its port.
    homes: BTreeMap<IpAddr, usize>,
    denied: BTreeSet<HostId>,
    boots: BTreeMap<HostId, Boot>,
}

impl Book {
    pub(super) fn set_address(&mut self, host: HostId, address: Address) {
        self.unset_address(host);
        bounded(&mut self.set, host, address);
        if self.set.contains_key(&host) {
            *self.homes.entry(address.ip().to_canonical()).or_default() += 1;
        }
    }

    pub(super) fn unset_address(&mut self, host: HostId) {
        let Some(home) = self.set.remove(&host).map(|address| address.ip().to_canonical()) else {
            return;
        };
        if let Some(hosts) = self.homes.get_mut(&home) {
            *hosts -= 1;
            if *hosts == 0 {
                self.homes.remove(&home);
            }
        }
    }

    /// Whether a host was set at this address: at this very one, for a neighbour of its network is none of the mesh.
    pub(super) fn is_home(&self, address: IpAddr) -> bool {
        self.homes.contains_key(&address.to_canonical())
    }

    /// What a peer says of itself.
    pub(super) fn hear_address(&mut self, host: HostId, address: Address) {
        bounded(&mut self.said, host, address);
    }

    pub(super) fn address(&self, host: HostId) -> Option<Address> {
        self.set.get(&host).or_else(|| self.said.get(&host)).copied()
    }

    /// Retired for good (protocol 1.3). A tombstone is never refused for want of room: the roster bounds them.
    pub(super) fn deny(&mut self, host: HostId) {
        self.denied.insert(host);
    }

    pub(super) fn is_denied(&self, host: HostId) -> bool {
        self.denied.contains(&host)
    }

    /// The ledger knows this boot: an older one is not admitted (protocol 1.2).
    pub(super) fn require_boot(&mut self, host: HostId, boot: Boot) {
        let known = self.boots.get(&host).map_or(0, |known| known.number);
        if boot.number >= known {
            bounded(&mut self.boots, host, boot);
        }
    }

    /// The boot that the host would have to reach, if this one is too old.
    pub(super) fn is_too_old(&self, host: HostId, boot: Boot) -> Option<Boot> {
        let known = self.boots.get(&host).copied();
        known.filter(|known| boot.number < known.number)
    }
}

/// At the bound a new host is not written down; the mesh is larger than this version supports.
fn bounded<V>(map: &mut BTreeMap<HostId, V>, host: HostId, value: V) {
    if map.len() < HOSTS_MAX || map.contains_key(&host) {
        map.insert(host, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_holds_against_what_a_host_says_of_itself() {
        let host = HostId([1; 16]);
        let address = |port| Address::from(([127, 0, 0, 1], port));
        let mut book = Book::default();
        book.hear_address(host, address(1));
        assert_eq!(book.address(host), Some(address(1)));
        book.set_address(host, address(2));
        book.hear_address(host, address(3));
        assert_eq!(book.address(host), Some(address(2)));
        book.unset_address(host);
        assert_eq!(book.address(host), Some(address(3)));
    }

    #[test]
    fn a_network_address_is_home_while_a_host_is_set_there() {
        let address = |last, port| Address::from(([192, 0, 2, last], port));
        let (one, other) = (HostId([1; 16]), HostId([2; 16]));
        let mut book = Book::default();
        book.hear_address(one, address(1, 1));
        assert!(!book.is_home(address(1, 1).ip()), "it only says so");
        book.set_address(one, address(1, 1));
        book.set_address(one, address(1, 1));
        book.set_address(other, address(1, 2));
        book.unset_address(one);
        assert!(book.is_home(address(1, 7).ip()));
        book.set_address(other, address(3, 2));
        assert!(!book.is_home(address(1, 2).ip()), "it has moved");
        book.unset_address(other);
        book.unset_address(other);
        assert!(!book.is_home(address(3, 2).ip()));
    }

    #[test]
    fn a_neighbour_in_the_network_of_a_host_is_at_home_nowhere_and_a_mapped_address_is_its_own() {
        let parse = |text: &str| -> IpAddr { text.parse().expect("an address") };
        let mut book = Book::default();
        book.set_address(HostId([1; 16]), Address::new(parse("2001:db8::1"), 1));
        book.set_address(HostId([2; 16]), Address::new(parse("192.0.2.1"), 1));
        assert!(book.is_home(parse("2001:db8::1")) && !book.is_home(parse("2001:db8::2")));
        assert!(book.is_home(parse("::ffff:192.0.2.1")));
    }

    #[test]
    fn the_required_boot_only_rises() {
        let host = HostId([1; 16]);
        let boot = |number| Boot { number, nonce: 0 };
        let mut book = Book::default();
        book.require_boot(host, boot(5));
        book.require_boot(host, boot(3));
        assert_eq!(book.is_too_old(host, boot(4)), Some(boot(5)));
        assert_eq!(book.is_too_old(host, boot(5)), None);
    }
}
