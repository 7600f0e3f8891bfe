//! What is told to whom, and how often: rounds of gossip, within two budgets (see `purse` and `fuse`), and the goodbye.

use foca::Member;
use rand_core::Rng;

use super::Membership;
use super::identity::Identity;
use super::settings::{own_record_told, records_told_on};
use super::sought::Sought;
use crate::health::HealthRecord;

/// From so many untold updates on, health records get packets of their own: about 29 updates fill one.
const CROWDED_UPDATES: usize = 16;

/// Rounds of gossip with which we say goodbye: three members each, who tell it on.
const FAREWELLS: usize = 2;

impl Membership {
    /// Where there are records alone the purse is asked; `settle` has this tried again, so that no member waits for it (law SW21).
    pub(super) fn spread(&mut self) {
        let (now, is_muted) = (self.port.now, !self.fuse.holds(self.port.now));
        let is_records_alone = is_muted || self.foca.updates_backlog() == 0;
        if is_records_alone && !self.purse.holds(now) {
            return;
        }
        let before = self.port.effects.len();
        if is_muted {
            self.tell_records();
        } else {
            self.tell_company();
        }
        let sent = self.port.effects.get(before..).unwrap_or_default();
        if is_records_alone {
            self.purse.spend(now, sent);
        }
        self.fuse.spend(now, sent);
    }

    /// Membership updates fill a packet first, so that health records need packets of their own when there are many.
    fn tell_company(&mut self) {
        self.gather_company();
        let outcome = self.foca.gossip(&mut self.port);
        self.check(outcome);
        if self.foca.updates_backlog() >= CROWDED_UPDATES {
            let outcome = self.foca.broadcast(&mut self.port);
            self.check(outcome);
        }
        self.port.company.clear();
    }

    /// A storm of members that come and go starves no word about who is in trouble (protocol 4).
    fn tell_records(&mut self) {
        if self.foca.custom_broadcast_backlog() > 0 {
            self.gather_company();
            let outcome = self.foca.broadcast(&mut self.port);
            self.check(outcome);
            self.port.company.clear();
        }
    }

    /// The connected members in an order of chance.
    pub(super) fn gather_company(&mut self) {
        let members = self.foca.iter_members().map(Member::id);
        let sought = Sought::new(&self.linked);
        let linked = members.filter(|member| sought.holds(&member.host));
        let mut company: Vec<Identity> = linked.copied().collect();
        for last in (1..company.len()).rev() {
            let other = usize::try_from(self.luck.next_u64() % (last as u64 + 1)).unwrap_or(last);
            company.swap(last, other);
        }
        self.port.company = company;
    }

    pub(super) fn leave(&mut self) {
        self.gather_company();
        let outcome = self.foca.leave_cluster(&mut self.port);
        self.check(outcome);
        for _ in 1..FAREWELLS {
            let outcome = self.foca.gossip(&mut self.port);
            self.check(outcome);
        }
        self.has_left = true;
    }

    /// foca tells what it is given as often as its configuration says at that moment.
    pub(super) fn tell(&mut self, record: &HealthRecord) {
        let hosts = self.settings.hosts;
        let is_ours = record.host == self.foca.identity().host;
        let max_transmissions =
            if is_ours { own_record_told(hosts) } else { records_told_on(hosts) };
        let usual = self.settings.foca();
        let outcome = self.foca.set_config(foca::Config { max_transmissions, ..usual.clone() });
        self.check(outcome);
        let outcome = self.foca.add_broadcast(&record.to_bytes());
        self.check(outcome.map(|_| ()));
        let outcome = self.foca.set_config(usual);
        self.check(outcome);
    }
}
