//! The hosts that belong to the mesh, with their keys and claims, as the ledger has committed them.
//!
//! Law R1: the epoch rises at each change of who belongs or what they claim, and at nothing else: boots and addresses
//! move no seat.
//! Law R2: a retired host stays as a tombstone for good (protocol 1.3).
//! Law R3: a host's lot is drawn once, and stays its own for good.
//! Not here: who may change it (see `ledger`), who seems alive (see `membership`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{
    Address, Boot, Claims, ClusterName, Epoch, HostId, LedgerIndex, PublicKey, StoreId,
};

/// Most hosts of one mesh (protocol 8).
pub const HOSTS_MAX: usize = 50_000;

/// Most keys that speak for one host at a time: the old and the new one of a rotation (protocol 1.3).
pub const KEYS_MAX: usize = 2;

/// Who belongs to the mesh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// Whose roster it is.
    pub cluster: ClusterName,
    /// Rises at each change (law R1).
    pub epoch: Epoch,
    /// All hosts that ever belonged; [`Entry::is_retired`] tells tombstones.
    /// Shared, so that a copy of the roster for one boot does not copy every host.
    hosts: BTreeMap<HostId, Arc<Entry>>,
    /// Of those that have one. The ledger's first layout does not know them: it keeps them behind the roster.
    #[serde(skip)]
    lots: Arc<BTreeMap<HostId, Lot>>,
}

/// What decides with its id where a host sits (law S4 of `seats`): drawn as it enrols, so that nobody chooses a name for its seats. Hosts
/// that came before lots were drawn have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot(pub u64);

/// One host's entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What its certificate claims.
    pub claims: Claims,
    /// Its keys and the index from which each speaks; newest last, at most [`KEYS_MAX`].
    pub keys: Vec<(LedgerIndex, PublicKey)>,
    /// The highest boot committed for it; `None` until its agent has spoken.
    pub boot: Option<Boot>,
    /// Where its agent said it is reached, in that boot.
    pub address: Option<Address>,
    /// The store of a keeper, in that boot (protocol 1.4).
    pub store: Option<StoreId>,
    /// The epoch at which keys or claims last changed (protocol 3.2).
    pub changed: Epoch,
    /// Retired for good.
    pub is_retired: bool,
}

impl Roster {
    /// An empty roster at epoch 0.
    pub fn new(cluster: ClusterName) -> Self {
        Self { cluster, epoch: Epoch(0), hosts: BTreeMap::new(), lots: Arc::default() }
    }

    /// A host that belongs now; tombstones are not found.
    pub fn get(&self, host: &HostId) -> Option<&Entry> {
        self.get_even_retired(host).filter(|entry| !entry.is_retired)
    }

    /// A host that belongs or once belonged.
    pub fn get_even_retired(&self, host: &HostId) -> Option<&Entry> {
        self.hosts.get(host).map(Arc::as_ref)
    }

    /// All hosts that belong now, in the order of their ids.
    pub fn present(&self) -> impl Iterator<Item = (&HostId, &Entry)> {
        self.all().filter(|(_, entry)| !entry.is_retired)
    }

    /// How many belong now.
    pub fn present_count(&self) -> usize {
        self.present().count()
    }

    /// Every entry, tombstones among them.
    pub fn all(&self) -> impl Iterator<Item = (&HostId, &Entry)> {
        self.hosts.iter().map(|(host, entry)| (host, entry.as_ref()))
    }

    /// Sets who belongs or what they claim, and raises the epoch.
    pub fn put(&mut self, entry: Entry) {
        self.put_all([entry]);
    }

    /// The same for many, in one epoch (protocol 1.3).
    pub fn put_all(&mut self, entries: impl IntoIterator<Item = Entry>) {
        self.epoch = self.epoch.next();
        for mut entry in entries {
            entry.changed = self.epoch;
            self.hosts.insert(entry.claims.id(), Arc::new(entry));
        }
        assert!(self.hosts.len() <= 2 * HOSTS_MAX, "law R2: tombstones and hosts stay bounded");
    }

    /// Buries a host and raises the epoch; says whether it belonged.
    pub fn retire(&mut self, host: &HostId) -> bool {
        let Some(entry) = self.hosts.get_mut(host).filter(|entry| !entry.is_retired) else {
            return false;
        };
        self.epoch = self.epoch.next();
        let entry = Arc::make_mut(entry);
        entry.is_retired = true;
        entry.changed = self.epoch;
        true
    }

    /// Sets boot, address and store of a host that belongs; moves no seat (law R1).
    pub fn set_boot(
        &mut self,
        host: &HostId,
        boot: Boot,
        address: Address,
        store: Option<StoreId>,
    ) {
        if let Some(entry) = self.hosts.get_mut(host) {
            let entry = Arc::make_mut(entry);
            entry.boot = Some(boot);
            entry.address = Some(address);
            entry.store = store;
        }
    }

    /// Law R3: keeps what was drawn for a host that is about to enrol; whoever has a lot keeps it.
    pub fn draw(&mut self, host: HostId, lot: Lot) {
        Arc::make_mut(&mut self.lots).entry(host).or_insert(lot);
    }

    /// What was drawn for a host, if anything was.
    pub fn lot(&self, host: &HostId) -> Option<Lot> {
        self.lots.get(host).copied()
    }

    /// What was drawn for all hosts, tombstones among them: bounded like the roster.
    pub fn lots(&self) -> &Arc<BTreeMap<HostId, Lot>> {
        &self.lots
    }

    /// The same roster with these lots: as it comes back from a snapshot.
    #[must_use]
    pub fn with_lots(self, lots: Arc<BTreeMap<HostId, Lot>>) -> Self {
        Self { lots, ..self }
    }

    /// A host by its name.
    pub fn named(&self, name: &str) -> Option<(&HostId, &Entry)> {
        self.present().find(|(_, entry)| entry.claims.host.as_str() == name)
    }
}

impl Entry {
    /// A new host with one key that speaks from `index` on.
    pub fn enrolled(claims: Claims, key: PublicKey, index: LedgerIndex) -> Self {
        Self {
            claims,
            keys: vec![(index, key)],
            boot: None,
            address: None,
            store: None,
            changed: Epoch(0),
            is_retired: false,
        }
    }

    /// Whether this key speaks for the host at `index`.
    pub fn speaks(&self, key: &PublicKey, index: LedgerIndex) -> bool {
        self.keys.iter().any(|(from, own)| own == key && *from <= index)
    }
}
