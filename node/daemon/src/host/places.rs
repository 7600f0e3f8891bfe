//! Where each host is reached from here: the configuration's word before the roster's.

use std::collections::BTreeMap;

use vocabulary::{Address, HostId};

/// The addresses that this host dials and knocks at.
#[derive(Debug, Default)]
pub struct Places {
    /// From `[[reach]]` of the configuration; never changed by what others say.
    fixed: BTreeMap<HostId, Address>,
    /// From the roster: one per host of the mesh.
    known: BTreeMap<HostId, Address>,
}

impl Places {
    /// The configuration's own.
    pub fn new(fixed: BTreeMap<HostId, Address>) -> Self {
        Self { fixed, known: BTreeMap::new() }
    }

    /// What the roster says; the address to use if it is news.
    pub fn learn(&mut self, host: HostId, address: Address) -> Option<Address> {
        let is_news = self.known.insert(host, address) != Some(address);
        (is_news && !self.fixed.contains_key(&host)).then_some(address)
    }

    /// Where to reach a host.
    pub fn of(&self, host: &HostId) -> Option<Address> {
        self.fixed.get(host).or_else(|| self.known.get(host)).copied()
    }
}
