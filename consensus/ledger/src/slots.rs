//! Reboot slots: leave to reboot, held by a FleetLock client and counted in the very budgets that bound healing; and how they end
//! (protocol 6.12).
//!
//! Law FL3: a host holds at most one slot, and no lease beside it. For so long a reboot may take nothing begins on it; after that, and once its
//! client has said that it is back, a lease may take the slot's place.
//! Law FL4: a slot ends once its client has given it back and a later round proves its host well by its observers' voices, with no case
//! open on it; once healing takes it over; with its host; or by a person. Of a client that is bound to no host nobody can see more: its
//! word ends it. Time ends none: a person is called for one that is [`OVERDUE_AFTER`] old.
//! Law FL5: counts and names are those of the slots that are held, at any time.
//! Not here: who may have one (see `slot_grants`), which host a client is (see `bindings`), HTTP (see `daemon`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{
    Fence, Grounds, GroupName, HostId, LedgerIndex, LedgerTime, Scope, Span, Verifier, WallNote,
};

use crate::audit::{SlotEnd, What};
use crate::bindings::FleetLockId;
use crate::case::Case;
use crate::command::{Command, Order, Outcome, Refused};
use crate::ledger::Ledger;
use crate::rules;

/// A host that holds a slot is let be for so long from its first verdict on: it may be rebooting, as it said it would.
pub const REBOOT_WITHIN: Span = Span::minutes(15);

/// No reboot takes so long, in ledger time: a person is called.
pub const OVERDUE_AFTER: Span = Span::minutes(60);

/// Leave to reboot one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Its number, drawn as a lease's is.
    pub fence: Fence,
    /// Which host is to reboot; `None` where the client is bound to none.
    pub host: Option<HostId>,
    /// The group that it counts in: the host's, else the one that the client named.
    pub group: GroupName,
    /// Where it counts, frozen at the grant (law B2).
    pub scopes: Vec<Scope>,
    /// When it was granted.
    pub granted: LedgerTime,
    /// The same for people.
    pub granted_wall: WallNote,
    /// The entry in which its client gave it back, if it has: rounds that end it hang on this one or a later one.
    pub returned: Option<LedgerIndex>,
    /// Since when its host has been in trouble under it, whatever that trouble was called since.
    pub troubled: Option<LedgerTime>,
}

/// One grant of the last hour: when, where it counts, to whom.
pub(crate) type Granted = (LedgerTime, Vec<Scope>, FleetLockId);

/// The slots that are held, and those that were granted lately; cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Slots {
    held: BTreeMap<FleetLockId, Slot>,
    /// Those of the last hour, oldest first: they count as starts (law SD1).
    pub granted: VecDeque<Granted>,
    #[serde(skip)]
    counts: BTreeMap<Scope, u32>,
    #[serde(skip)]
    by_host: BTreeMap<HostId, FleetLockId>,
}

impl Slots {
    pub fn is_empty(&self) -> bool {
        self.held.is_empty() && self.granted.is_empty()
    }

    pub fn get(&self, client: &FleetLockId) -> Option<&Slot> {
        self.held.get(client)
    }

    pub fn count(&self) -> usize {
        self.held.len()
    }

    /// Works out again what is not kept in snapshots.
    pub fn derive(&mut self) {
        self.counts = BTreeMap::new();
        self.by_host = BTreeMap::new();
        for (client, slot) in &self.held {
            for scope in &slot.scopes {
                *self.counts.entry(scope.clone()).or_default() += 1;
            }
            slot.host.map(|host| self.by_host.insert(host, client.clone()));
        }
    }

    /// Law FL5.
    pub fn is_derived_true(&self) -> bool {
        let mut again = self.clone();
        again.derive();
        again == *self
    }

    pub fn put(&mut self, client: FleetLockId, slot: Slot) {
        self.held.insert(client, slot);
        self.derive();
    }

    fn remove(&mut self, client: &FleetLockId) -> Option<Slot> {
        let slot = self.held.remove(client);
        self.derive();
        slot
    }
}

impl Ledger {
    /// The slots that are held, by client; at most [`crate::slot_grants::SLOTS_MAX`].
    pub fn slots(&self) -> impl Iterator<Item = (&FleetLockId, &Slot)> {
        self.state.added.slots.held.iter()
    }

    /// The slot that a client holds.
    pub fn slot_of(&self, client: &FleetLockId) -> Option<&Slot> {
        self.state.added.slots.get(client)
    }

    /// The slot that a host holds, and its client.
    pub fn slot_of_host(&self, host: &HostId) -> Option<(&FleetLockId, &Slot)> {
        let slots = &self.state.added.slots;
        slots.by_host.get(host).and_then(|client| slots.held.get_key_value(client))
    }

    /// The slots that a round may end: given back, of hosts without a case that nobody knows to be away.
    pub fn slots_returned(&self) -> impl Iterator<Item = (&FleetLockId, HostId, LedgerIndex)> {
        self.slots().filter_map(|(client, slot)| {
            let (host, returned) = (slot.host?, slot.returned?);
            let is_away = self.case_of_host(&host).is_some()
                || self.left_since(&host).is_some()
                || self.is_in_the_dark(&host);
            (!is_away).then_some((client, host, returned))
        })
    }

    /// The slots that are held for too long to be a reboot's.
    pub fn slots_overdue(&self) -> impl Iterator<Item = (&FleetLockId, &Slot)> {
        let now = self.time();
        self.slots().filter(move |(_, slot)| now.since(slot.granted) >= OVERDUE_AFTER)
    }

    /// A client wants to reboot no more; whoever holds none is told that it is done. One that was granted since it was asked stays: the
    /// question may have been under way for long.
    pub(crate) fn return_slot(
        &mut self,
        by: HostId,
        client: &FleetLockId,
        before: Fence,
    ) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        self.client_brought_by(by, client)?;
        let Some(slot) = self.slot_of(client) else {
            return Ok(Outcome::Done);
        };
        let (fence, is_newer) = (slot.fence, slot.fence >= before);
        match (slot.host, slot.returned) {
            _ if is_newer => {}
            (None, _) => {
                self.end_slot(client, SlotEnd::Told);
                return Ok(Outcome::Done);
            }
            (Some(_), Some(_)) => {}
            (Some(_), None) => {
                let index = self.state.index;
                self.change_slot(client, |slot| slot.returned = Some(index));
            }
        }
        Ok(Outcome::Leased { fence })
    }

    /// The leader has seen these clients' hosts well (law FL4); the others stay.
    pub(crate) fn end_slots(
        &mut self,
        clients: &[FleetLockId],
        grounds: &Grounds,
        verifier: &dyn Verifier,
    ) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        if clients.len() > Command::FINDINGS_MAX {
            let bound = format!("slots of one round: {}", Command::FINDINGS_MAX);
            return Err(Refused::Bound(bound));
        }
        let judged = self.judge(grounds, None, verifier)?;
        self.note_duplicates(grounds, verifier);
        let is_well = |(client, host, returned): &(&FleetLockId, HostId, LedgerIndex)| {
            clients.contains(client)
                && judged.anchor.index >= *returned
                && judged.conclusions.is_verified_well(host)
        };
        let well = self.slots_returned().filter(is_well);
        let well: Vec<FleetLockId> = well.map(|(client, ..)| client.clone()).collect();
        for client in &well {
            self.end_slot(client, SlotEnd::Well { anchor: judged.anchor });
        }
        if well.is_empty() {
            return Err(Refused::Grounds("they do not see any of them well".into()));
        }
        Ok(Outcome::Done)
    }

    /// A person takes a slot back (`hale fleetlock revoke`).
    pub(crate) fn revoke_slot(
        &mut self,
        by: HostId,
        client: &FleetLockId,
        order: &Order,
    ) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        self.ordered(by, order)?;
        if self.slot_of(client).is_none() {
            return Err(Refused::Nothing);
        }
        let Order { who, why } = order.clone();
        self.end_slot(client, SlotEnd::Revoked { who, why });
        Ok(Outcome::Done)
    }

    /// How many leases and slots count in this scope.
    pub(crate) fn in_flight(&self, scope: &Scope) -> u32 {
        let slots = self.state.added.slots.counts.get(scope).copied().unwrap_or_default();
        self.state.cases.counts(scope).in_flight.saturating_add(slots)
    }

    /// Slots of this group that no case counts as unhealthy.
    pub(crate) fn away_of(&self, group: &GroupName) -> u32 {
        let is_away = |(_, slot): &(&FleetLockId, &Slot)| {
            let is_counted = slot.host.is_some_and(|host| self.state.cases.is_unhealthy(&host));
            slot.group == *group && !is_counted
        };
        u32::try_from(self.slots().filter(is_away).count()).unwrap_or(u32::MAX)
    }

    /// Law FL3.
    pub(crate) fn slot_hold(&self, case: &Case) -> Option<Refused> {
        let (client, slot) = self.slot_of_host(&case.host()?)?;
        let now = self.state.time;
        let left = REBOOT_WITHIN.less(now.since(slot.troubled.unwrap_or(now)));
        let what =
            format!("since its first verdict, FleetLock client {client} said that it reboots");
        let is_awaited = slot.returned.is_none() && left > Span::ZERO;
        is_awaited.then_some(Refused::TooSoon { what, left })
    }

    /// Law FL3: the lease of this case counts in the place of its host's slot from now on.
    pub(crate) fn heal_in_place_of_a_slot(&mut self, case: &Case) {
        let slot = case.host().and_then(|host| self.slot_of_host(&host));
        if let Some(client) = slot.map(|(client, _)| client.clone()) {
            self.end_slot(&client, SlotEnd::Healing { case: case.id });
        }
    }

    /// How many slots count there of which the lease of this case would take the place: one or none (law FL3).
    pub(crate) fn own_slots_in(&self, case: &Case, scope: &Scope) -> u32 {
        let slot = case.host().and_then(|host| self.slot_of_host(&host));
        u32::from(slot.is_some_and(|(_, slot)| slot.scopes.contains(scope)))
    }

    /// Since when hosts that hold a slot are in trouble.
    pub(crate) fn note_troubled_slots(&mut self) {
        let is_new = |(_, slot): &(&FleetLockId, &Slot)| {
            slot.troubled.is_none() && slot.host.is_some_and(|host| self.is_in_trouble(&host))
        };
        let new: Vec<FleetLockId> = self.slots().filter(is_new).map(|(of, _)| of.clone()).collect();
        let now = self.state.time;
        for client in new {
            self.change_slot(&client, |slot| slot.troubled = Some(now));
        }
    }

    /// Its host is retired.
    pub(crate) fn forget_slots(&mut self, host: &HostId) {
        if let Some(client) = self.slot_of_host(host).map(|(client, _)| client.clone()) {
            self.end_slot(&client, SlotEnd::Retired);
        }
    }

    pub(crate) fn change_slot(&mut self, client: &FleetLockId, change: impl FnOnce(&mut Slot)) {
        let slots = Arc::make_mut(&mut self.state.added.slots);
        if let Some(slot) = slots.held.get_mut(client) {
            change(slot);
        }
    }

    fn end_slot(&mut self, client: &FleetLockId, end: SlotEnd) {
        if let Some(slot) = Arc::make_mut(&mut self.state.added.slots).remove(client) {
            self.record(What::SlotOver { client: client.clone(), fence: slot.fence, end });
        }
    }
}
