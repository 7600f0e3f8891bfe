//! The host as a member: SWIM's packets out and in, and what its peers say of their own health (protocol 4).
//!
//! Not here: any conclusion. Membership is a hint (see `detection::membership`).

use std::collections::BTreeSet;

use detection::health::Health;
use detection::membership::{Effect as Said, Event as Heard};
use vocabulary::{Boot, HostId, Moment};
use wire::Datagram;

use crate::event::Effect;
use crate::mind::Agent;

/// Most hosts whose connections are kept warm: observers, subjects and two keepers (ARCHITECTURE 5).
const WARM_MAX: usize = 64;

/// Keepers to whom every host keeps a way (protocol 1.5).
const KEEPERS_WARM: usize = 2;

impl Agent {
    /// Lets the membership room take an event in and does what it says.
    pub(crate) fn gossip(&mut self, now: Moment, event: Heard) {
        for said in self.membership.handle(now, event) {
            match said {
                Said::Send { to, bytes } => {
                    self.emit(Effect::SendDatagram { to, datagram: Datagram::Gossip(bytes) });
                }
                Said::HealthHeard { record } => {
                    self.health.insert(record.host, record);
                }
                Said::Alone => self.emit(Effect::Redial),
                Said::Up { .. } | Said::Down { .. } | Said::Joined | Said::Renewed { .. } => {}
            }
        }
    }

    /// A host has been admitted: it is introduced to membership, and its boot, which it named itself, to the observer.
    pub(crate) fn connected(&mut self, now: Moment, host: HostId, boot: Boot) {
        self.gossip(now, Heard::Introduce { host, boot });
        self.see_boot(now, host, boot);
    }

    /// What this host gossips of itself follows from its doubts and from how late its loop is.
    pub(crate) fn tell_health(&mut self, now: Moment) {
        let doubts = self.watch.doubts(now).into_iter().map(|note| note.subject);
        let health = Health::new([], doubts, self.look.late(now) > detection::look::LATE_MAX);
        self.gossip(now, Heard::HealthChanged { health });
    }

    /// Observers, subjects and two keepers, in the order of their worth.
    pub(crate) fn warm_hosts(&self) -> Vec<HostId> {
        let seating = self.ledger.seating();
        let mut seen = BTreeSet::from([self.me]);
        let mut warm: Vec<HostId> = seating
            .subjects(&self.me)
            .iter()
            .chain(seating.observers(&self.me))
            .copied()
            .filter(|host| seen.insert(*host))
            .collect();
        let keepers = self
            .ledger
            .voters()
            .iter()
            .copied()
            .filter(|host| seen.insert(*host))
            .take(KEEPERS_WARM);
        warm.splice(0..0, keepers);
        warm.truncate(WARM_MAX);
        warm
    }
}
