//! Who has enrolled and waits for the next epoch: seats move for all of them at once (protocol 1.3).
//!
//! Law F4: enrolments make an epoch at the earliest 5 s of ledger time after the epoch before, whatever made that one.
//! Law F5: whoever waits belongs with the first entry that may make an epoch; no leader has to do anything for it but let
//! ledger time run.
//! Law F11: from the second rules on a lot is drawn for whoever comes (law S4 of `seats`), once: from the head of the audit with its own
//! enrolment, made at a millisecond of the leader's clock. Whoever chooses a name does not know it; who chooses the moment as well may
//! guess (see `docs/decisions/seats-by-lot.md`).
//! Not here: whether a certificate is sound (see `founding`).

use std::collections::BTreeMap;
use std::sync::Arc;

use detection::roster;
use serde::{Deserialize, Serialize};
use vocabulary::{Claims, Digest, HostId, LedgerTime, PublicKey, Span};

use crate::audit::What;
use crate::ledger::Ledger;
use crate::rules;

/// The hosts that wait, and since when the epoch has stood.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Enrolling {
    /// The newest certificate of each; with the roster at most [`roster::HOSTS_MAX`].
    waiting: BTreeMap<HostId, (Claims, PublicKey)>,
    /// When the epoch last rose.
    raised: LedgerTime,
}

/// protocol 1.3: at most one epoch in so long.
const EPOCH_STANDS: Span = Span::seconds(5);

impl Enrolling {
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn count(&self) -> usize {
        self.waiting.len()
    }

    pub fn get(&self, host: &HostId) -> Option<&(Claims, PublicKey)> {
        self.waiting.get(host)
    }
}

impl Ledger {
    /// Takes a checked certificate in; its host's newest word counts.
    pub(crate) fn await_epoch(&mut self, claims: Claims, key: PublicKey) {
        let enrolling = Arc::make_mut(&mut self.state.enrolling);
        enrolling.waiting.insert(claims.id(), (claims, key));
    }

    /// The host speaks with what the roster has of it: nothing of it waits any more.
    pub(crate) fn await_no_epoch(&mut self, host: &HostId) {
        if self.state.enrolling.get(host).is_some() {
            Arc::make_mut(&mut self.state.enrolling).waiting.remove(host);
        }
    }

    /// Law F5: runs at the end of each entry, before seats are dealt.
    pub(crate) fn enrol_waiting(&mut self) {
        let stood = self.state.time.since(self.state.enrolling.raised);
        if self.state.enrolling.is_empty() || stood < EPOCH_STANDS {
            return;
        }
        let waiting = std::mem::take(&mut Arc::make_mut(&mut self.state.enrolling).waiting);
        let may_enter: Vec<(Claims, PublicKey)> =
            waiting.into_values().filter(|(claims, key)| self.may_enter(claims, key)).collect();
        self.put_claims(may_enter);
    }

    /// Law F4: the epoch has risen in this entry.
    pub(crate) fn note_epoch(&mut self) {
        Arc::make_mut(&mut self.state.enrolling).raised = self.state.time;
    }

    /// Puts hosts into the roster, in one epoch.
    pub(crate) fn put_claims(&mut self, hosts: Vec<(Claims, PublicKey)>) {
        let entries: Vec<roster::Entry> =
            hosts.into_iter().map(|(claims, key)| self.entry_of(claims, key)).collect();
        if !entries.is_empty() {
            Arc::make_mut(&mut self.state.roster).put_all(entries);
            self.end_domains_that_are_back();
        }
    }

    /// What was refused on the day it asked is refused on the day it enters: the host sees that it is not there and asks again.
    fn may_enter(&self, claims: &Claims, key: &PublicKey) -> bool {
        if self.rules() >= rules::SECOND && !key.is_sound() {
            return false;
        }
        match self.state.roster.get_even_retired(&claims.id()) {
            None => self.needs_no_addition(claims).is_ok(),
            Some(entry) => !entry.is_retired && self.move_hold(entry, claims).is_none(),
        }
    }

    fn entry_of(&mut self, claims: Claims, key: PublicKey) -> roster::Entry {
        let (host, index) = (claims.id(), self.state.index);
        let name = claims.host.clone();
        self.forget_addition(&host);
        self.record(What::Enrolled { host, name, claims: claims.to_uri(), key });
        match self.state.roster.get(&host).cloned() {
            None => {
                self.draw_lot(host);
                roster::Entry::enrolled(claims, key, index)
            }
            Some(mut entry) => {
                entry.claims = claims;
                // protocol 1.3: up to two keys, each from its index on; the oldest falls silent.
                if entry.keys.iter().all(|(_, own)| *own != key) {
                    entry.keys.push((index, key));
                    let over = entry.keys.len().saturating_sub(roster::KEYS_MAX);
                    entry.keys.drain(..over);
                }
                entry
            }
        }
    }

    /// Law F11: right after its own record, which nobody could have laid before.
    fn draw_lot(&mut self, host: HostId) {
        if self.rules() >= rules::SECOND {
            let Digest(head) = self.state.audit.head().digest;
            let lot = head.first_chunk().expect("a digest has 32 bytes");
            let lot = u64::from_be_bytes(*lot);
            Arc::make_mut(&mut self.state.roster).draw(host, roster::Lot(lot));
        }
    }
}
