//! When which host came into doubt: no intent while its neighbourhood is still falling (protocol 7.4).
//!
//! Law Z1: a host counts as a new doubt once in ten minutes, so that one that flips cannot stall its neighbours (law G2).
//! Not here: what is concluded from doubts (see `verdicts`), whether they are too many (see `surge`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{HostId, LedgerTime, Span};

use crate::case::Case;
use crate::command::{Doubted, Refused};
use crate::ledger::Ledger;

/// Since when hosts are, or lately were, in doubt; at most one note for each host of the roster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Doubts(BTreeMap<HostId, LedgerTime>);

/// protocol 7.4: a host counts once in this time.
const COUNTS_ONCE_IN: Span = Span::minutes(10);

impl Doubts {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Ledger {
    /// Takes note of the hosts that the leader says are in doubt.
    pub(crate) fn note_doubts(&mut self, doubted: &[Doubted]) {
        let now = self.state.time;
        let is_new = |doubt: &&Doubted| {
            doubt.age < COUNTS_ONCE_IN
                && self.state.roster.get(&doubt.host).is_some()
                && !self.state.doubts.0.contains_key(&doubt.host)
        };
        let new: Vec<Doubted> = doubted.iter().filter(is_new).copied().collect();
        if new.is_empty() {
            return;
        }
        let doubts = &mut Arc::make_mut(&mut self.state.doubts).0;
        for doubt in new {
            doubts.insert(doubt.host, now.before(doubt.age));
        }
    }

    /// Whether it came into doubt within the last ten minutes.
    pub(crate) fn is_lately_doubted(&self, host: &HostId) -> bool {
        self.state.doubts.0.contains_key(host)
    }

    /// protocol 7.4: how long it must still be quiet around the subject.
    pub(crate) fn quiet_hold(&self, case: &Case) -> Option<Refused> {
        let (host, scopes) = (case.host()?, case.scopes.as_ref()?);
        let (now, wait) = (self.state.time, self.timers().quiet_for);
        // A host counts once for its neighbours; for itself each new verdict counts.
        let own = self.state.doubts.0.get(&host).copied();
        let own = own.map_or(case.stands_since, |own| own.max(case.stands_since));
        let left = wait.less(now.since(own));
        if left > Span::ZERO {
            let what = "since the host itself came into doubt".into();
            return Some(Refused::TooSoon { what, left });
        }
        let zone = scopes.domain.zone();
        let is_near = |other: &HostId| {
            let entry = self.state.roster.get(other);
            entry.is_some_and(|entry| entry.claims.domain.zone() == zone)
        };
        let near = self.state.doubts.0.iter();
        let last = near.filter(|(other, _)| is_near(other)).map(|(_, at)| *at).max()?;
        let left = wait.less(now.since(last));
        (left > Span::ZERO).then(|| Refused::TooSoon {
            what: format!("since the last new doubt in zone {zone}"),
            left,
        })
    }

    /// Law Z1: forgets what counts no more.
    pub(crate) fn forget_doubts(&mut self) {
        let now = self.state.time;
        let is_old = |at: &LedgerTime| now.since(*at) >= COUNTS_ONCE_IN;
        if self.state.doubts.0.values().any(is_old) {
            Arc::make_mut(&mut self.state.doubts).0.retain(|_, at| !is_old(at));
        }
    }
}
