//! What is wrong with the ledger's service, as an agent sees it, and stores that are being filled.
//!
//! Law D1: a store that was lost has no vote until its host holds the whole ledger again and has committed the new one
//! (protocol 1.4).
//! Not here: how entries are decided (see `keepers`).

use std::collections::BTreeSet;

use vocabulary::{Moment, Span};

use crate::fault::ServiceTrouble;
use crate::fleet::Fleet;
use crate::host::Place;

/// How bad the service is; by default as good as can be.
#[derive(Debug, Default)]
pub(crate) struct Service {
    /// Every entry takes so much longer.
    pub slower: Span,
    /// Nobody is elected before this.
    pub leaderless_until: Moment,
    loses_permille: u32,
    /// Keepers whose store is lost or being filled.
    unfilled: BTreeSet<Place>,
}

impl Service {
    pub fn lose_store(&mut self, place: Place) {
        self.unfilled.insert(place);
    }

    /// Law D1.
    pub fn has_vote(&self, place: Place) -> bool {
        !self.unfilled.contains(&place)
    }
}

impl Fleet {
    pub(crate) fn trouble_service(&mut self, trouble: ServiceTrouble) {
        match trouble {
            ServiceTrouble::Slow(by) => self.keepers.service.slower = by,
            ServiceTrouble::Leaderless(span) => {
                self.keepers.service.leaderless_until = self.now.after(span);
                self.keepers.lose_leader();
            }
            ServiceTrouble::LosesAnswers(permille) => {
                self.keepers.service.loses_permille = permille;
            }
        }
    }

    /// Whether what the ledger would say never comes.
    pub(crate) fn is_answer_lost(&mut self) -> bool {
        let share = u64::from(self.keepers.service.loses_permille);
        share > 0 && self.network.draw(1_000) < share
    }

    /// Law D1: the leader makes voters of new stores that have caught up.
    pub(crate) fn fill_stores(&mut self) {
        if self.keepers.service.unfilled.is_empty() || self.keepers.leader.is_none() {
            return;
        }
        let unfilled = self.keepers.service.unfilled.iter();
        let filled: Vec<Place> =
            unfilled.copied().filter(|place| self.is_filled(*place, 0)).collect();
        for place in filled {
            self.keepers.service.unfilled.remove(&place);
            self.note(format!("the new store of {} votes", self.hosts[place].name()));
        }
    }

    /// Whether its host has committed the store that it has, and holds the whole ledger but for so many entries.
    pub(crate) fn is_filled(&self, place: Place, lag: u64) -> bool {
        let host = &self.hosts[place];
        let ledger = &self.keepers.ledger;
        let is_known = ledger.roster().get(&host.id).is_some_and(|entry| {
            entry.store == host.store(place) && entry.boot == host.life.as_ref().map(|own| own.boot)
        });
        let holds_all = host
            .life
            .as_ref()
            .is_some_and(|life| life.upto.0.saturating_add(lag) >= ledger.index().0);
        is_known && holds_all && host.is_running()
    }
}
