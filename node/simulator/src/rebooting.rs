//! FleetLock clients of virtual hosts: each host has one, `updater@` and its name, which asks its own agent for leave to reboot it and gives
//! that leave back (protocol 6.12).
//!
//! Law RB1: a client is bound to its host before it asks for its first slot, so that no slot is of a host that nobody knows.
//! Not here: who takes slots back (see `people`), HTTP and what a client is told (see `daemon`), what becomes of a slot (see the ledger's
//! rooms), the reboot itself (see `strike`).

use ledger::bindings::FleetLockId;
use ledger::command::Command;
use vocabulary::Fence;

use crate::fleet::{Fleet, Happening};
use crate::host::Place;
use crate::keepers::{Ask, ORDER_WITHIN};

impl Fleet {
    /// Its client wants to reboot it.
    pub(crate) fn take_slot(&mut self, place: Place) {
        let (client, host) = (self.client_of(place), self.hosts[place].id);
        // At a keeper's door stand the clients of others too: what it brings is its own where that was said.
        let bind = Command::BindClient { client: client.clone(), host: Some(host), order: None };
        if !self.is_bound(place, &client) {
            self.bring(place, &bind);
        }
        let group = self.hosts[place].claims.group.to_string();
        self.bring(place, &Command::TakeSlot { client, group });
    }

    /// Its client has rebooted it, or wants that no more: what was granted since then, as far as its agent knows, stays.
    pub(crate) fn return_slot(&mut self, place: Place) {
        let known = self.hosts[place].kept.as_ref();
        let before = known.map_or_else(Fence::default, |known| known.next_fence());
        let client = self.client_of(place);
        self.bring(place, &Command::ReturnSlot { client, before });
    }

    fn client_of(&self, place: Place) -> FleetLockId {
        let id = format!("updater@{}", self.hosts[place].claims.host);
        FleetLockId::new(&id).expect("a host's name is of plain letters, and shorter than an id")
    }

    fn is_bound(&self, place: Place, client: &FleetLockId) -> bool {
        let host = &self.hosts[place];
        let known = host.kept.as_ref();
        known.is_some_and(|known| known.host_of_client(client) == Some(host.id))
    }

    /// By the agent of its own host; where that does not run nobody is at the door.
    fn bring(&mut self, by: Place, command: &Command) {
        if !self.hosts[by].is_running() {
            return;
        }
        let until = self.now.after(ORDER_WITHIN);
        let ask = Ask { by, command: wire::encode(command), asker: None, until };
        self.queue.put(self.now, Happening::Proposal(ask));
    }
}
