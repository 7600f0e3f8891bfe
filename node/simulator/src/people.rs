//! What persons order in a fleet, and at which keeper.
//!
//! Not here: what becomes of an order (see `keepers`, and the ledger's rooms).

use std::sync::Arc;

use ledger::bindings::FleetLockId;
use ledger::command::{Command, Order};
use ledger::maintenance::Plan;
use vocabulary::{Scope, Span};

use crate::fault::Whom;
use crate::fleet::{Fleet, Happening};
use crate::host::Place;
use crate::keepers::{Ask, ORDER_WITHIN};

impl Fleet {
    pub(crate) fn order_pause(&mut self, why: String) {
        self.order(&Command::Pause(order(why)));
    }

    pub(crate) fn order_resume(&mut self, why: String) {
        self.order(&Command::Resume(order(why)));
    }

    pub(crate) fn order_release_of(&mut self, place: Place) {
        self.order_release(Scope::Host(self.hosts[place].id));
    }

    pub(crate) fn order_release(&mut self, subject: Scope) {
        self.order(&Command::Free { subject, order: order("seen to".into()) });
    }

    pub(crate) fn order_policy(&mut self, text: String) {
        self.order(&set_policy(&text));
    }

    /// As that person sees it now, at a keeper that does not lead: whoever leads may have proposed the verdict (law AP2).
    pub(crate) fn order_approval(&mut self, place: Place) {
        let ledger = Arc::clone(self.ledger());
        let Some(case) = ledger.case_of_host(&self.hosts[place].id) else {
            return;
        };
        let (case, shown) = (case.id, ledger.shown(case));
        let command = Command::Approve { case, shown, order: order("seen to".into()) };
        let leader = self.keepers.leader;
        let at = self.keepers_that_run().find(|place| Some(*place) != leader);
        self.order_at(at, &command);
    }

    pub(crate) fn order_maintenance(&mut self, place: Place, lasts: Span) {
        let plan = Plan { scope: Scope::Host(self.hosts[place].id), lasts, schedule: None };
        self.order(&Command::Maintain { plan, order: order("worked on".into()) });
    }

    pub(crate) fn order_denial(&mut self, place: Place) {
        let case = self.ledger().case_of_host(&self.hosts[place].id).map(|case| case.id);
        if let Some(case) = case {
            self.order(&Command::Deny { case, order: order("not this one".into()) });
        }
    }

    /// Of whatever client.
    pub(crate) fn order_revocations(&mut self) {
        let clients: Vec<FleetLockId> =
            self.ledger().slots().map(|(client, _)| client.clone()).collect();
        self.note(format!("revoke {} reboot slots", clients.len()));
        for client in clients {
            self.order(&Command::RevokeSlot { client, order: order("it is not rebooting".into()) });
        }
    }

    /// Of these to those.
    pub(crate) fn order_votes(&mut self, from: &[Whom], to: &[Whom]) {
        let (from, to) = (self.who(from), self.who(to));
        self.note(format!("votes move from {} to {}", self.named(&from), self.named(&to)));
        let ids = |places: Vec<Place>| places.into_iter().map(|place| self.hosts[place].id);
        let (remove, add) = (ids(from).collect(), ids(to).collect());
        self.order(&Command::MoveVotes { add, remove, order: order("moved".into()) });
    }

    /// A person asks at the first keeper whose agent runs: orders are taken nowhere else.
    fn order(&mut self, command: &Command) {
        let at = self.keepers_that_run().next();
        self.order_at(at, command);
    }

    fn keepers_that_run(&self) -> impl Iterator<Item = Place> {
        let takes = |place: &Place| {
            let host = &self.hosts[*place];
            host.is_running() && host.claims.roles.keeper
        };
        (0..self.hosts.len()).filter(takes)
    }

    fn order_at(&mut self, at: Option<Place>, command: &Command) {
        let Some(by) = at else {
            return;
        };
        let ask = Ask {
            by,
            command: wire::encode(command),
            asker: None,
            until: self.now.after(ORDER_WITHIN),
        };
        self.queue.put(self.now, Happening::Proposal(ask));
    }
}

pub(crate) fn set_policy(text: &str) -> Command {
    Command::Policy {
        text: text.to_owned(),
        if_version: None,
        order: order("the script's policy".into()),
    }
}

fn order(why: String) -> Order {
    Order { who: "ops".into(), why }
}
