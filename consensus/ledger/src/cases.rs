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
use crate::register::{Kind, Register};
use crate::tally::{Counts, Tally, unhealthy};

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
    register: Register,
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
        self.register.of_host(host).and_then(|id| self.open.get(&id))
    }

    /// The open cases of whole racks and zones, by number.
    pub fn domains(&self) -> impl Iterator<Item = &Arc<Case>> {
        self.register.domains().filter_map(|id| self.open.get(&id))
    }

    /// The open cases of a kind, by number.
    pub fn of_kind(&self, kind: &Kind) -> impl Iterator<Item = &Arc<Case>> {
        self.register.of_kind(kind).filter_map(|id| self.open.get(&id))
    }

    /// Those of them whose lease counts.
    pub fn leased_of_kind(&self, kind: &Kind) -> impl Iterator<Item = &Arc<Case>> {
        self.register.leased_of_kind(kind).filter_map(|id| self.open.get(&id))
    }

    /// The open cases whose lease counts.
    pub fn leased(&self) -> impl Iterator<Item = &Arc<Case>> {
        self.register.leased().filter_map(|id| self.open.get(&id))
    }

    /// Whether a host's own case counts it as unhealthy.
    pub fn is_unhealthy(&self, host: &HostId) -> bool {
        let case = self.of_host(host);
        case.is_some_and(|case| !unhealthy(case, self.told_until).is_empty())
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
        let before = Arc::make_mut(&mut self.open).remove(&id);
        if let Some(before) = &before {
            tally.remove(before, self.told_until);
        }
        self.register.put(before.as_deref(), &case);
        if case.is_closed() {
            let closed = Arc::make_mut(&mut self.closed);
            closed.insert(id, Arc::new(case));
            if closed.len() > Self::CLOSED_MAX {
                closed.pop_first();
            }
            return;
        }
        tally.add(&case, self.told_until);
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

    /// Whether tally and register are what the open cases say (laws K2, K3).
    pub fn is_derived_true(&self) -> bool {
        let mut again = self.clone();
        again.derive();
        again == *self
    }

    /// Works out again what is not kept in snapshots.
    pub fn derive(&mut self) {
        let mut tally = Tally::default();
        let mut register = Register::default();
        for case in self.open.values() {
            tally.add(case, self.told_until);
            register.add(case);
        }
        self.tally = Arc::new(tally);
        self.register = register;
    }
}
