//! Where each host is reached from here: the configuration's word before the roster's, and that before the host's own.

use std::collections::BTreeMap;

use vocabulary::{Address, HostId};

use crate::transport::settings::HOSTS_MAX;

/// The addresses that this host dials and knocks at.
#[derive(Debug, Default)]
pub struct Places {
    /// From `[[reach]]` of the configuration; never changed by what others say.
    fixed: BTreeMap<HostId, Address>,
    /// From the roster: one per host of the mesh.
    known: BTreeMap<HostId, Address>,
    /// From hellos, at most [`HOSTS_MAX`]: until the mesh is founded there is no other.
    said: BTreeMap<HostId, Address>,
}

impl Places {
    /// The configuration's own.
    pub fn new(fixed: BTreeMap<HostId, Address>) -> Self {
        Self { fixed, known: BTreeMap::new(), said: BTreeMap::new() }
    }

    /// What the roster says; the address to use if it is news.
    pub fn learn(&mut self, host: HostId, address: Address) -> Option<Address> {
        let is_news = self.known.insert(host, address) != Some(address);
        (is_news && !self.fixed.contains_key(&host)).then_some(address)
    }

    /// What a host says of itself.
    pub fn hear(&mut self, host: HostId, address: Address) {
        if self.said.len() < HOSTS_MAX || self.said.contains_key(&host) {
            self.said.insert(host, address);
        }
    }

    /// Where to reach a host.
    pub fn of(&self, host: &HostId) -> Option<Address> {
        [&self.fixed, &self.known, &self.said]
            .into_iter()
            .find_map(|places| places.get(host))
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_host_says_where_it_is_against_the_roster_and_nobody_against_the_configuration() {
        let host = HostId([1; 16]);
        let address = |port| Address::from(([127, 0, 0, 1], port));
        let mut places = Places::new(BTreeMap::new());
        places.hear(host, address(1));
        assert_eq!(places.of(&host), Some(address(1)));
        assert_eq!(places.learn(host, address(2)), Some(address(2)), "it is news");
        assert_eq!(places.learn(host, address(2)), None);
        places.hear(host, address(3));
        assert_eq!(places.of(&host), Some(address(2)));
        let mut places = Places::new([(host, address(4))].into());
        assert_eq!(places.learn(host, address(2)), None, "the transport keeps the configuration's");
        assert_eq!(places.of(&host), Some(address(4)));
    }
}
