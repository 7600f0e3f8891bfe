//! Reboot slots: whose hosts are looked at once they were given back, what a round that saw them well comes to, and whom a person is
//! called for (protocol 6.12).
//!
//! Law G1: a slot that was given back is looked at again until the ledger ends it, or its host is known to be away.
//! Law PG5: each leader calls a person once for each slot that is held for too long to be a reboot's, whether or not healing waits for it.
//! Not here: which slot a round may end (the ledger says), and rounds (see `detection::rounds`).

use std::collections::BTreeSet;

use detection::verdict::Conclusions;
use ledger::Ledger;
use ledger::bindings::FleetLockId;
use ledger::command::Command;
use ledger::slots::{OVERDUE_AFTER, Slot};
use vocabulary::{Fence, Grounds, HostId, Moment, Scope};

use crate::calls::Purpose;
use crate::event::Page;
use crate::lead::Matter;
use crate::leading::{PROPOSAL_WITHIN, subject_in_words};
use crate::mind::Agent;

/// Hosts that are looked at for a slot each time: a round ends as many as one command may.
const LOOKED_AT_MAX: usize = Command::FINDINGS_MAX;

/// The hosts that have said that they are back.
pub(crate) fn said_back(ledger: &Ledger) -> impl Iterator<Item = HostId> {
    ledger.slots_returned().take(LOOKED_AT_MAX).map(|(_, host, _)| host)
}

/// The slots for which a person was called, while they are held.
#[derive(Debug, Default)]
pub(crate) struct Overdue(BTreeSet<Fence>);

impl Overdue {
    /// Law PG5.
    pub fn due(&mut self, ledger: &Ledger) -> Vec<Page> {
        let overdue: Vec<(&FleetLockId, &Slot)> = ledger.slots_overdue().collect();
        self.0.retain(|fence| overdue.iter().any(|(_, slot)| slot.fence == *fence));
        let news = overdue.into_iter().filter(|(_, slot)| self.0.insert(slot.fence));
        news.map(|(client, slot)| page(ledger, client, slot)).collect()
    }
}

fn page(ledger: &Ledger, client: &FleetLockId, slot: &Slot) -> Page {
    let host = slot.host.map_or_else(
        || "no known host".to_owned(),
        |host| subject_in_words(ledger, &Scope::Host(host)),
    );
    let case = slot.host.and_then(|host| ledger.case_of_host(&host));
    let why = match (slot.returned, case) {
        (None, _) => "it was not given back",
        (Some(_), Some(_)) => "it was given back, and a case is open on its host",
        (Some(_), None) => "it was given back, and its host is not seen well",
    };
    let line = format!(
        "reboot slot {} of FleetLock client {client} ({host}) has counted in the budgets for {OVERDUE_AFTER}: {why}; `hale leases` shows it, \
         `hale fleetlock revoke CLIENT --why ...` ends it",
        slot.fence
    );
    Page { case: case.map(|case| case.id), line }
}

impl Agent {
    /// A set of rounds has ended.
    pub(crate) fn end_slots(
        &mut self,
        now: Moment,
        ledger: &Ledger,
        (grounds, conclusions): (&Grounds, &Conclusions),
    ) {
        let index = grounds.anchor.index;
        let well = ledger
            .slots_returned()
            .filter(|(_, host, returned)| index >= *returned && conclusions.is_verified_well(host))
            .map(|(client, ..)| client.clone());
        let clients: Vec<FleetLockId> = well.take(Command::FINDINGS_MAX).collect();
        let matter = Matter::Slots(index);
        if !clients.is_empty() && self.lead.begin(matter) {
            let command = Command::EndSlots { clients, grounds: grounds.clone() };
            self.propose(now, Purpose::Lead(matter), command, PROPOSAL_WITHIN);
        }
    }
}
