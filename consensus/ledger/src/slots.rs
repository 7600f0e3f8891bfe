//! Reboot slots: leave to reboot, asked by a FleetLock client and counted against the very budgets that bound healing (protocol 6.12).
//!
//! Law FL2: a slot is granted only where nothing keeps a lease from being granted to whoever stands there: brake, window, stop, budget,
//! starts, halt, floor, ramp, keepers; with it every scope is within its limit (law B1), and it counts as a start (law SD1).
//! Law FL3: on a host that holds a slot nothing begins, and it has no lease: for so long a reboot may take.
//! Law FL4: a slot ends once its client has given it back and a later round sees its host well, with no case open on it; once a verdict on its
//! host has stood for [`REBOOT_WITHIN`]; with its host; or by a person. Of a client that is bound to no host nobody can see more: its word
//! ends it.
//! Not here: which host a client is (see `bindings`), HTTP (see `daemon`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{
    Fence, Grounds, GroupName, HostId, LedgerIndex, LedgerTime, Scope, Span, Verifier, WallNote,
};

use crate::audit::{SlotEnd, What};
use crate::bindings::{FleetLockId, foreign};
use crate::case::{Case, FrozenScopes};
use crate::command::{Command, Order, Outcome, Refused};
use crate::ledger::Ledger;
use crate::rules;

/// A host that holds a slot is not healed before a verdict on it has stood for so long: it may be rebooting, as it said it would.
pub const REBOOT_WITHIN: Span = Span::minutes(15);

/// Slots held at once; at the bound none is granted.
pub const SLOTS_MAX: usize = 1_024;

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
}

/// The slots that are held, and those that were granted lately; cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Slots {
    held: BTreeMap<FleetLockId, Slot>,
    /// When one was granted within the last hour, and where: they count as starts (law SD1).
    pub granted: VecDeque<(LedgerTime, Vec<Scope>)>,
}

/// Where a slot would count.
struct Seat {
    host: Option<HostId>,
    group: GroupName,
    scopes: Vec<Scope>,
}

impl Slots {
    pub fn is_empty(&self) -> bool {
        self.held.is_empty() && self.granted.is_empty()
    }

    fn count_in(&self, scope: &Scope) -> u32 {
        let here = self.held.values().filter(|slot| slot.scopes.contains(scope)).count();
        u32::try_from(here).unwrap_or(u32::MAX)
    }
}

impl Ledger {
    /// The slots that are held, by client; at most [`SLOTS_MAX`].
    pub fn slots(&self) -> impl Iterator<Item = (&FleetLockId, &Slot)> {
        self.state.added.slots.held.iter()
    }

    /// The slot that a host holds, and its client.
    pub fn slot_of_host(&self, host: &HostId) -> Option<(&FleetLockId, &Slot)> {
        self.slots().find(|(_, slot)| slot.host == Some(*host))
    }

    /// The slots that a round may end: given back, of hosts without a case.
    pub fn slots_returned(&self) -> impl Iterator<Item = (&FleetLockId, HostId, LedgerIndex)> {
        self.slots().filter_map(|(client, slot)| {
            let (host, returned) = (slot.host?, slot.returned?);
            self.case_of_host(&host).is_none().then_some((client, host, returned))
        })
    }

    /// Whether this client, brought by that host, would have a slot: the very check that the grant makes.
    pub fn can_take_slot(
        &self,
        by: HostId,
        (client, group): (&FleetLockId, &str),
    ) -> Result<(), Refused> {
        self.seat_for(by, (client, group)).map(drop)
    }

    /// A client wants to reboot; whoever holds a slot is told so again, and keeps it.
    pub(crate) fn take_slot(
        &mut self,
        by: HostId,
        (client, group): (&FleetLockId, &str),
    ) -> Result<Outcome, Refused> {
        let Some(seat) = self.seat_for(by, (client, group))? else {
            return Ok(self.keep_slot(client));
        };
        if let Some(own) = seat.host.filter(|_| self.host_of_client(client).is_none()) {
            let said = ("the host itself".to_owned(), "it asked for a slot".to_owned());
            self.put_binding(client, Some(own), said)?;
        }
        let before = self.state.fence;
        let fence = before.next();
        assert!(fence > before, "law L2: fences only rise");
        self.state.fence = fence;
        self.remember_slot_start(&seat.scopes);
        let Seat { host, group, scopes } = seat;
        self.record(What::SlotGranted {
            client: client.clone(),
            host,
            group: group.clone(),
            fence,
        });
        let (granted, granted_wall) = (self.state.time, self.state.wall);
        let slot = Slot { fence, host, group, scopes, granted, granted_wall, returned: None };
        let scopes = slot.scopes.clone();
        Arc::make_mut(&mut self.state.added.slots).held.insert(client.clone(), slot);
        for scope in &scopes {
            assert!(
                self.in_flight(scope) <= self.in_flight_limit(scope),
                "law B1: a grant leaves in flight at most the limit in every scope"
            );
        }
        Ok(Outcome::Leased { fence })
    }

    /// RecursiveLock: who asks again means to reboot still.
    fn keep_slot(&mut self, client: &FleetLockId) -> Outcome {
        let slots = Arc::make_mut(&mut self.state.added.slots);
        let Some(slot) = slots.held.get_mut(client) else {
            return Outcome::Done;
        };
        slot.returned = None;
        Outcome::Leased { fence: slot.fence }
    }

    /// Where a slot for this client would count; `None` where it holds one.
    fn seat_for(
        &self,
        by: HostId,
        (client, group): (&FleetLockId, &str),
    ) -> Result<Option<Seat>, Refused> {
        self.since_rules(rules::SECOND)?;
        let host = self.client_brought_by(by, client)?;
        if self.state.added.slots.held.contains_key(client) {
            return Ok(None);
        }
        let seat = self.seat_of(host, group)?;
        match self.slot_holds(&seat).into_iter().next() {
            Some(hold) => Err(hold),
            None => Ok(Some(seat)),
        }
    }

    /// A client wants to reboot no more; whoever holds none is told that it is done.
    pub(crate) fn return_slot(
        &mut self,
        by: HostId,
        client: &FleetLockId,
    ) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        self.client_brought_by(by, client)?;
        let Some(slot) = self.state.added.slots.held.get(client) else {
            return Ok(Outcome::Done);
        };
        let fence = slot.fence;
        if slot.host.is_none() {
            self.end_slot(client, SlotEnd::Told);
            return Ok(Outcome::Done);
        }
        if slot.returned.is_none() {
            self.note_return(client);
        }
        Ok(Outcome::Leased { fence })
    }

    /// The leader has seen these clients' hosts well (law FL4).
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
        let is_well = |client: &&FleetLockId| {
            let mut returned = self.slots_returned();
            let slot = returned.find(|(of, ..)| of == client);
            slot.is_some_and(|(_, host, returned)| {
                judged.anchor.index >= returned && judged.conclusions.is_well(&host)
            })
        };
        let well: Vec<FleetLockId> = clients.iter().filter(is_well).cloned().collect();
        for client in &well {
            self.end_slot(client, SlotEnd::Well { anchor: judged.anchor });
        }
        match well.len() == clients.len() {
            true => Ok(Outcome::Done),
            false => Err(Refused::Grounds("they do not see them all well".into())),
        }
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
        if !self.state.added.slots.held.contains_key(client) {
            return Err(Refused::Nothing);
        }
        let Order { who, why } = order.clone();
        self.end_slot(client, SlotEnd::Revoked { who, why });
        Ok(Outcome::Done)
    }

    /// How many leases and slots count in this scope.
    pub(crate) fn in_flight(&self, scope: &Scope) -> u32 {
        let slots = self.state.added.slots.count_in(scope);
        self.state.cases.counts(scope).in_flight.saturating_add(slots)
    }

    /// Slots of hosts of this group that no case counts as unhealthy.
    pub(crate) fn away_of(&self, group: &GroupName) -> u32 {
        let is_away = |slot: &&Slot| {
            let has_case = slot.host.is_some_and(|host| self.state.cases.of_host(&host).is_some());
            slot.group == *group && !has_case
        };
        let away = self.state.added.slots.held.values().filter(is_away).count();
        u32::try_from(away).unwrap_or(u32::MAX)
    }

    /// Voters that may be rebooting, but for this one; a client that is bound to no host may be any voter of the group that it names.
    pub(crate) fn voters_away(&self, but: Option<&HostId>) -> usize {
        let voters = self.voters();
        let is_of_voters = |group: &GroupName| {
            voters.iter().any(|voter| {
                self.state.roster.get(voter).is_some_and(|entry| entry.claims.group == *group)
            })
        };
        let is_away = |slot: &&Slot| match slot.host {
            Some(host) => {
                voters.contains(&host) && Some(&host) != but && !self.is_in_trouble(&host)
            }
            None => is_of_voters(&slot.group),
        };
        self.state.added.slots.held.values().filter(is_away).count()
    }

    /// Law FL3.
    pub(crate) fn slot_hold(&self, case: &Case) -> Option<Refused> {
        let (client, _) = self.slot_of_host(&case.host()?)?;
        let left = REBOOT_WITHIN.less(self.state.time.since(case.stands_since));
        let what = format!("since the verdict: FleetLock client {client} said that it reboots");
        Some(Refused::TooSoon { what, left })
    }

    /// Law FL4: a verdict has stood for so long that this is no reboot.
    pub(crate) fn expire_slots(&mut self) {
        let now = self.state.time;
        let gone: Vec<(FleetLockId, SlotEnd)> = self
            .slots()
            .filter_map(|(client, slot)| {
                let host = slot.host.filter(|host| self.is_in_trouble(host))?;
                let case = self.state.cases.of_host(&host)?;
                let is_over = now.since(case.stands_since) >= REBOOT_WITHIN;
                is_over.then(|| (client.clone(), SlotEnd::Gone { case: case.id }))
            })
            .collect();
        for (client, end) in gone {
            self.end_slot(&client, end);
        }
    }

    /// Its host is retired.
    pub(crate) fn forget_slots(&mut self, host: &HostId) {
        if let Some(client) = self.slot_of_host(host).map(|(client, _)| client.clone()) {
            self.end_slot(&client, SlotEnd::Retired);
        }
    }

    pub(crate) fn holds_no_slot(&self, client: &FleetLockId) -> Result<(), Refused> {
        match self.state.added.slots.held.contains_key(client) {
            true => Err(Refused::SlotHeld { client: client.to_string() }),
            false => Ok(()),
        }
    }

    /// Law FL1: which host the client is, or will be once it holds a slot.
    fn client_brought_by(
        &self,
        by: HostId,
        client: &FleetLockId,
    ) -> Result<Option<HostId>, Refused> {
        let is_keeper = self.member(by)?.claims.roles.keeper;
        match self.host_of_client(client) {
            bound if is_keeper => Ok(bound),
            _ if self.may_bring(by, client) => Ok(Some(by)),
            _ => Err(foreign()),
        }
    }

    /// Where a slot of this host counts, or of a client that is none and names this group.
    fn seat_of(&self, host: Option<HostId>, group: &str) -> Result<Seat, Refused> {
        if let Some(known) = host {
            let scopes = FrozenScopes::of(&self.member(known)?.claims);
            return Ok(Seat { host, group: scopes.group.clone(), scopes: scopes.all().into() });
        }
        let known = GroupName::new(group)
            .ok()
            .filter(|group| self.derived.census.total(&Scope::Group(group.clone())) > 0);
        let group = known
            .ok_or_else(|| Refused::UnknownGroup { group: group.chars().take(80).collect() })?;
        let scopes = vec![Scope::Fleet, Scope::Group(group.clone())];
        Ok(Seat { host, group, scopes })
    }

    /// Law FL2: every rule that keeps a slot from being granted, in the order it is told.
    fn slot_holds(&self, Seat { host, group, scopes }: &Seat) -> Vec<Refused> {
        let mut holds = Vec::new();
        holds.extend(self.state.brakes.standing().map(Refused::Brake));
        if let Some(host) = host {
            let case = self.state.cases.of_host(host);
            holds.extend(case.map(|case| Refused::CaseOpen(case.id)));
            let other = self.slot_of_host(host);
            holds.extend(other.map(|(client, _)| Refused::SlotHeld { client: client.to_string() }));
            holds.extend(self.maintenance_hold_of(host));
        }
        holds.extend(self.stop_of(group));
        if self.slots().count() >= SLOTS_MAX {
            holds.push(Refused::Bound(format!("reboot slots held at once: {SLOTS_MAX}")));
        }
        holds.extend(scopes.iter().filter_map(|scope| self.budget_hold(scope)));
        holds.extend(self.begun_hold());
        holds.extend(scopes.iter().flat_map(|scope| self.start_holds(scope)));
        holds.extend(scopes.iter().filter_map(|scope| self.halt_hold(scope)));
        let gone = self.state.cases.counts(&Scope::Group(group.clone())).unhealthy;
        holds.extend(self.floor_hold_of(group, gone.saturating_add(1)));
        holds.extend(self.ramp_hold());
        holds.extend(self.keeper_hold_of_a_slot(*host, group));
        holds
    }

    fn keeper_hold_of_a_slot(&self, host: Option<HostId>, group: &GroupName) -> Option<Refused> {
        let voters = self.voters();
        let is_of_group = |voter: &HostId| {
            self.state.roster.get(voter).is_some_and(|entry| entry.claims.group == *group)
        };
        let may_be_one = match host {
            Some(host) => voters.contains(&host),
            None => voters.iter().any(is_of_group),
        };
        may_be_one.then(|| self.majority_hold(host.as_ref())).flatten()
    }

    fn note_return(&mut self, client: &FleetLockId) {
        let index = self.state.index;
        let slots = Arc::make_mut(&mut self.state.added.slots);
        if let Some(slot) = slots.held.get_mut(client) {
            slot.returned = Some(index);
        }
    }

    fn end_slot(&mut self, client: &FleetLockId, end: SlotEnd) {
        let slots = Arc::make_mut(&mut self.state.added.slots);
        if let Some(slot) = slots.held.remove(client) {
            self.record(What::SlotOver { client: client.clone(), fence: slot.fence, end });
        }
    }
}
