//! Reboot slots that were given back: whose hosts are looked at, and what a round that saw them well comes to (protocol 6.12).
//!
//! Law G1: a slot that was given back is looked at again until the ledger ends it, or a case is open on its host.
//! Not here: which slot a round may end (the ledger says), and rounds (see `detection::rounds`).

use detection::verdict::Conclusions;
use ledger::Ledger;
use ledger::bindings::FleetLockId;
use ledger::command::Command;
use vocabulary::{Grounds, HostId, Moment};

use crate::calls::Purpose;
use crate::lead::Matter;
use crate::leading::PROPOSAL_WITHIN;
use crate::mind::Agent;

/// Hosts that are looked at for a slot each time: a round ends as many as one command may.
const LOOKED_AT_MAX: usize = Command::FINDINGS_MAX;

/// The hosts that have said that they are back.
pub(crate) fn said_back(ledger: &Ledger) -> impl Iterator<Item = HostId> {
    ledger.slots_returned().take(LOOKED_AT_MAX).map(|(_, host, _)| host)
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
            .filter(|(_, host, returned)| index >= *returned && conclusions.is_well(host))
            .map(|(client, ..)| client.clone());
        let clients: Vec<FleetLockId> = well.take(Command::FINDINGS_MAX).collect();
        let matter = Matter::Slots(index);
        if !clients.is_empty() && self.lead.begin(matter) {
            let command = Command::EndSlots { clients, grounds: grounds.clone() };
            self.propose(now, Purpose::Lead(matter), command, PROPOSAL_WITHIN);
        }
    }
}
