//! What follows in this host when the committed state has grown: seats, addresses, boots, its own end.
//!
//! Not here: how the state comes here (see `daemon`), and what each room makes of it.

use std::sync::Arc;

use detection::membership;
use ledger::Ledger;
use vocabulary::Moment;

use crate::event::Effect;
use crate::mind::Agent;

impl Agent {
    /// A host that comes back knows the state as it left it: seats and addresses stand before any keeper is reached.
    pub(crate) fn begin(&mut self, now: Moment) {
        self.has_begun = true;
        if self.ledger.is_founded() {
            self.take_ledger(now, None);
        }
    }

    pub(crate) fn ledger_advanced(&mut self, now: Moment, ledger: Arc<Ledger>) {
        let before = std::mem::replace(&mut self.ledger, ledger);
        self.take_ledger(now, Some(&before));
    }

    /// The committed state has grown: whatever follows from roster, seats and boots follows now.
    fn take_ledger(&mut self, now: Moment, before: Option<&Ledger>) {
        let is_other_roster =
            before.is_none_or(|before| !Arc::ptr_eq(before.roster(), self.ledger.roster()));
        let is_other_policy = before.is_none_or(|before| {
            before.policy_shelf().version() != self.ledger.policy_shelf().version()
        });
        if is_other_roster {
            // What was known before this life began says nothing about it: only what is committed since does (protocol 1.2).
            let own = before.and_then(|_| self.ledger.roster().get(&self.me)?.boot);
            let end = own.and_then(|known| self.standing.committed(known));
            self.end_life(now, end);
            // Law N5.
            if self.has_left {
                return;
            }
            self.locate(now, before);
            let roster = Arc::clone(self.ledger.roster());
            self.gossip(now, membership::Event::RosterChanged { roster });
            self.forget_strangers();
            self.take_fleet(now);
            self.tell_of_turned_away(now);
            self.emit_warm();
        }
        if is_other_roster || is_other_policy {
            self.take_seats(now);
            self.take_checks(now);
        }
        self.see_departures(now);
        if self.leads() {
            self.tell_rounds(now);
            self.move_vote(now);
        }
        self.page(now);
    }

    /// Addresses and boots as their hosts have committed them, where they are others than before.
    fn locate(&mut self, now: Moment, before: Option<&Ledger>) {
        let roster = Arc::clone(self.ledger.roster());
        let me = self.me;
        for (host, entry) in roster.present().filter(|(host, _)| **host != me) {
            let known = before.and_then(|before| before.roster().get(host));
            if let Some(address) = entry.address
                && known.is_none_or(|known| known.address != entry.address)
            {
                self.emit(Effect::Locate { host: *host, address });
            }
            if let Some(boot) = entry.boot
                && known.is_none_or(|known| known.boot != entry.boot)
                && self.watch.watches(host)
            {
                self.see_boot(now, *host, boot);
            }
        }
    }
}
