//! Which checks fail for whom, as each host last told the leader?
//!
//! Law FD3, FD4: see `rounds`.

use std::collections::{BTreeMap, BTreeSet};

use vocabulary::{CheckFrom, HostId, Moment, Span};

use super::Key;
use crate::verdict::tolerated;

/// Hosts repeat what fails every 2 s; three lost in a row mean that the host itself is in trouble.
pub const FORGOTTEN_AFTER: Span = Span::seconds(6);

/// What all hosts said.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// One list of each host: bounded by the roster, and each by what one host may tell.
    lists: BTreeMap<HostId, (Moment, BTreeSet<Key>)>,
    /// The same by check.
    by: BTreeMap<Key, BTreeSet<HostId>>,
}

impl Notes {
    /// Law FD4. Returned is whether it says anything else than before.
    pub fn replace(&mut self, now: Moment, by: HostId, keys: BTreeSet<Key>) -> bool {
        if let Some((heard, standing)) = self.lists.get_mut(&by)
            && *standing == keys
        {
            *heard = now;
            return false;
        }
        let had_any = self.leave(&by);
        if keys.is_empty() {
            return had_any;
        }
        for key in &keys {
            self.by.entry(key.clone()).or_default().insert(by);
        }
        self.lists.insert(by, (now, keys));
        true
    }

    /// Returned is whether anybody's word was forgotten.
    pub fn expire(&mut self, now: Moment) -> bool {
        let is_old = |(host, (heard, _)): (&HostId, &(Moment, BTreeSet<Key>))| {
            (now.since(*heard) >= FORGOTTEN_AFTER).then_some(*host)
        };
        let old: Vec<HostId> = self.lists.iter().filter_map(is_old).collect();
        old.iter().filter(|host| self.leave(host)).count() > 0
    }

    pub fn next_expiry(&self) -> Option<Moment> {
        self.lists.values().map(|(heard, _)| heard.after(FORGOTTEN_AFTER)).min()
    }

    pub fn keys(&self) -> Vec<Key> {
        self.by.keys().cloned().collect()
    }

    pub fn by(&self, key: &Key) -> Vec<HostId> {
        self.by.get(key).into_iter().flatten().copied().collect()
    }

    /// Law FD3.
    pub fn are_enough(&self, key: &Key, (observers, from): (&[HostId], CheckFrom)) -> bool {
        let Some(by) = self.by.get(key) else {
            return false;
        };
        let peers = by.iter().filter(|host| observers.binary_search(host).is_ok()).count();
        from.asks_peers() && peers > tolerated(observers.len())
            || from.asks_the_host() && by.contains(&key.0)
    }

    fn leave(&mut self, host: &HostId) -> bool {
        let Some((_, keys)) = self.lists.remove(host) else {
            return false;
        };
        for key in keys {
            if let Some(by) = self.by.get_mut(&key) {
                by.remove(host);
                if by.is_empty() {
                    self.by.remove(&key);
                }
            }
        }
        true
    }
}
