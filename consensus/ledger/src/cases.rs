//! All cases, open and lately closed, with what is counted of them.
//!
//! Law K1: a host has at most one open case; so a subject has at most one live lease (law L1).
//! Law K2: the tally is that of the open cases, at any time.
//! Not here: how a case moves (each command's room).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{CaseId, HostId, LedgerTime, Scope};

use crate::case::Case;
use crate::tally::{Counts, Tally};

/// The cases; cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cases {
    /// The highest number ever given.
    last: CaseId,
    open: Arc<BTreeMap<CaseId, Arc<Case>>>,
    closed: Arc<BTreeMap<CaseId, Arc<Case>>>,
    /// Trouble up to this time is not counted as unhealthy any more (protocol 6.4).
    told_until: Option<LedgerTime>,
    #[serde(skip)]
    by_host: Arc<BTreeMap<HostId, CaseId>>,
    #[serde(skip)]
    tally: Arc<Tally>,
}

impl Cases {
    /// Most open cases (protocol 8); further findings are refused by name.
    pub const OPEN_MAX: usize = 10_000;
    /// Closed cases that can still be looked up; older ones are in the audit alone.
    pub const CLOSED_MAX: usize = 1_000;

    /// Any case that is still known.
    pub fn get(&self, id: CaseId) -> Option<&Arc<Case>> {
        self.open.get(&id).or_else(|| self.closed.get(&id))
    }

    /// The cases that are not closed, by number.
    pub fn open(&self) -> impl Iterator<Item = &Arc<Case>> {
        self.open.values()
    }

    /// The lately closed cases, by number.
    pub fn closed(&self) -> impl Iterator<Item = &Arc<Case>> {
        self.closed.values()
    }

    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// The open case on a host.
    pub fn of_host(&self, host: &HostId) -> Option<&Arc<Case>> {
        self.by_host.get(host).and_then(|id| self.open.get(id))
    }

    pub fn counts(&self, scope: &Scope) -> Counts {
        self.tally.of(scope)
    }

    /// A number that no case had before.
    pub fn draw(&mut self) -> CaseId {
        self.last = self.last.next();
        self.last
    }

    /// The number that was drawn last.
    pub fn last(&self) -> CaseId {
        self.last
    }

    /// Puts a case in the place of what stood under its number.
    pub fn put(&mut self, case: Case) {
        let id = case.id;
        assert!(id <= self.last, "law K1: a case's number was drawn for it");
        let tally = Arc::make_mut(&mut self.tally);
        let by_host = Arc::make_mut(&mut self.by_host);
        if let Some(before) = Arc::make_mut(&mut self.open).remove(&id) {
            tally.remove(&before, self.told_until);
            before.host().map(|host| by_host.remove(&host));
        }
        if case.is_closed() {
            let closed = Arc::make_mut(&mut self.closed);
            closed.insert(id, Arc::new(case));
            if closed.len() > Self::CLOSED_MAX {
                closed.pop_first();
            }
            return;
        }
        tally.add(&case, self.told_until);
        let other = case.host().and_then(|host| by_host.insert(host, id));
        assert!(other.is_none(), "law L1: a host has at most one open case");
        if self.closed.contains_key(&id) {
            Arc::make_mut(&mut self.closed).remove(&id);
        }
        Arc::make_mut(&mut self.open).insert(id, Arc::new(case));
    }

    /// Up to when trouble is told, if a surge was ever lifted.
    pub fn told_until(&self) -> Option<LedgerTime> {
        self.told_until
    }

    /// From now on only newer trouble counts as unhealthy (protocol 6.4).
    pub fn tell_until(&mut self, now: LedgerTime) {
        self.told_until = Some(now);
        self.derive();
    }

    /// Whether the tally is what the open cases say (law K2).
    pub fn is_tally_true(&self) -> bool {
        let mut again = self.clone();
        again.derive();
        again == *self
    }

    /// Works out again what is not kept in snapshots.
    pub fn derive(&mut self) {
        let mut tally = Tally::default();
        let mut by_host = BTreeMap::new();
        for case in self.open.values() {
            tally.add(case, self.told_until);
            if let Some(host) = case.host() {
                by_host.insert(host, case.id);
            }
        }
        self.tally = Arc::new(tally);
        self.by_host = Arc::new(by_host);
    }
}
