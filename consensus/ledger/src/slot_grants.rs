//! May a FleetLock client reboot?
//!
//! Law FL2: a slot is granted only where no limit and no stop keeps a lease from being granted to whoever stands there: brake, window, stop,
//! budget, starts, halt, floor, ramp, a dark rack or zone, the keepers; with it every scope is within its limit (law B1), and it counts as
//! a start (law SD1). A voter that is away in any way counts as lost, and whom nobody knows as any voter that has no client.
//! Not here: how a slot ends (see `slots`), which host a client is (see `bindings`).

use std::sync::Arc;

use vocabulary::{Fence, GroupName, HostId, Scope, Span};

use crate::audit::What;
use crate::bindings::{FleetLockId, foreign};
use crate::case::FrozenScopes;
use crate::command::{Outcome, Refused};
use crate::ledger::Ledger;
use crate::rules;
use crate::slots::Slot;

/// Slots held at once; at the bound none is granted.
pub const SLOTS_MAX: usize = 1_024;

/// Slots that one host, or one client without a host, is granted in one hour: an update, its rollback, and one more.
pub const GRANTS_OF_ONE_MAX: usize = 3;

const HOUR: Span = Span::minutes(60);

/// Where a slot would count.
struct Seat {
    host: Option<HostId>,
    group: GroupName,
    scopes: Vec<Scope>,
}

impl Ledger {
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
            self.put_binding(client, Some(own), said);
        }
        let before = self.state.fence;
        let fence = before.next();
        assert!(fence > before, "law L2: fences only rise");
        self.state.fence = fence;
        self.remember_slot_start(client, &seat.scopes);
        self.put_slot(client, seat, fence);
        Ok(Outcome::Leased { fence })
    }

    fn put_slot(&mut self, client: &FleetLockId, seat: Seat, fence: Fence) {
        let Seat { host, group, scopes } = seat;
        let granted =
            What::SlotGranted { client: client.clone(), host, group: group.clone(), fence };
        self.record(granted);
        let slot = Slot {
            fence,
            host,
            group,
            scopes: scopes.clone(),
            granted: self.state.time,
            granted_wall: self.state.wall,
            returned: None,
            troubled: None,
        };
        Arc::make_mut(&mut self.state.added.slots).put(client.clone(), slot);
        for scope in &scopes {
            assert!(
                self.in_flight(scope) <= self.in_flight_limit(scope),
                "law B1: a grant leaves in flight at most the limit in every scope"
            );
        }
    }

    /// RecursiveLock: who asks again means to reboot still.
    fn keep_slot(&mut self, client: &FleetLockId) -> Outcome {
        self.change_slot(client, |slot| slot.returned = None);
        let slot = self.slot_of(client);
        slot.map_or(Outcome::Done, |slot| Outcome::Leased { fence: slot.fence })
    }

    /// Where a slot for this client would count; `None` where it holds one.
    fn seat_for(
        &self,
        by: HostId,
        (client, group): (&FleetLockId, &str),
    ) -> Result<Option<Seat>, Refused> {
        self.since_rules(rules::SECOND)?;
        let host = self.client_brought_by(by, client)?;
        if self.slot_of(client).is_some() {
            return Ok(None);
        }
        let seat = self.seat_of(host, group)?;
        match self.slot_holds(client, &seat).into_iter().next() {
            Some(hold) => Err(hold),
            None => Ok(Some(seat)),
        }
    }

    /// Law FL1: which host the client is, or will be once it holds a slot.
    pub(crate) fn client_brought_by(
        &self,
        by: HostId,
        client: &FleetLockId,
    ) -> Result<Option<HostId>, Refused> {
        let is_keeper = self.member(by)?.claims.roles.keeper;
        // A slot of nobody known was brought by a keeper, and no other host may touch it.
        let is_foreign = self.slot_of(client).is_some_and(|slot| slot.host != Some(by));
        match self.host_of_client(client) {
            bound if is_keeper => Ok(bound),
            _ if self.may_bring(by, client) && !is_foreign => Ok(Some(by)),
            _ => Err(foreign()),
        }
    }

    /// Where a slot of this host counts, or of a client that is none and names this group.
    fn seat_of(&self, host: Option<HostId>, group: &str) -> Result<Seat, Refused> {
        if let Some(known) = host {
            let scopes = FrozenScopes::of(&self.member(known)?.claims);
            return Ok(Seat { host, group: scopes.group.clone(), scopes: scopes.all().into() });
        }
        let is_known =
            |group: &GroupName| self.derived.census.total(&Scope::Group(group.clone())) > 0;
        let known = GroupName::new(group).ok().filter(is_known);
        let unknown = || Refused::UnknownGroup { group: group.chars().take(80).collect() };
        let group = known.ok_or_else(unknown)?;
        let scopes = vec![Scope::Fleet, Scope::Group(group.clone())];
        Ok(Seat { host, group, scopes })
    }

    /// Every rule that keeps a slot from being granted, in the order it is told.
    fn slot_holds(&self, client: &FleetLockId, seat: &Seat) -> Vec<Refused> {
        let Seat { host, group, scopes } = seat;
        let mut holds = Vec::new();
        holds.extend(self.state.brakes.standing().map(Refused::Brake));
        if let Some(host) = host {
            holds.extend(self.host_holds(host, client));
        }
        holds.extend(self.stop_of(group));
        holds.extend(self.grants_hold(client, host.as_ref()));
        if self.state.added.slots.count() >= SLOTS_MAX {
            holds.push(Refused::Bound(format!("reboot slots held at once: {SLOTS_MAX}")));
        }
        holds.extend(scopes.iter().filter_map(|scope| self.budget_hold(scope, 0)));
        holds.extend(self.begun_hold());
        holds.extend(scopes.iter().flat_map(|scope| self.start_holds(scope)));
        holds.extend(scopes.iter().filter_map(|scope| self.halt_hold(scope)));
        let gone = self.state.cases.counts(&Scope::Group(group.clone())).unhealthy;
        holds.extend(self.floor_hold_of(group, gone.saturating_add(1)));
        holds.extend(self.ramp_hold(0));
        holds.extend(self.voter_hold(host.as_ref()));
        holds
    }

    fn host_holds(&self, host: &HostId, client: &FleetLockId) -> Vec<Refused> {
        let mut holds = Vec::new();
        let case = self.state.cases.of_host(host);
        holds.extend(case.map(|case| Refused::CaseOpen(case.id)));
        let home = self.state.roster.get(host).map(|entry| &entry.claims.domain);
        let dark = home.and_then(|home| self.domain_case_over(home));
        holds.extend(dark.map(|case| Refused::CaseOpen(case.id)));
        let other = self.slot_of_host(host);
        holds.extend(other.map(|(client, _)| Refused::SlotHeld { client: client.to_string() }));
        holds.extend(self.maintenance_hold_of(host));
        if self.host_of_client(client).is_none() {
            holds.extend(self.ids_hold(host));
        }
        holds
    }

    /// Who reboots again and again uses up the hour in which others are healed.
    fn grants_hold(&self, client: &FleetLockId, host: Option<&HostId>) -> Option<Refused> {
        let is_own = |of: &FleetLockId| {
            of == client || host.is_some_and(|host| self.host_of_client(of) == Some(*host))
        };
        let granted = self.state.added.slots.granted.iter().rev();
        let mut own = granted.filter(|(.., of)| is_own(of)).map(|(at, ..)| *at);
        let left = HOUR.less(self.state.time.since(own.nth(GRANTS_OF_ONE_MAX - 1)?));
        let what = format!("for another slot, there were {GRANTS_OF_ONE_MAX} within the hour");
        (left > Span::ZERO).then_some(Refused::TooSoon { what, left })
    }

    /// Law FL2: unlike before a remedy nobody looks once more, so a voter counts as lost that may be.
    fn voter_hold(&self, host: Option<&HostId>) -> Option<Refused> {
        let may_be_one = match host {
            Some(host) => self.carriers().any(|voter| voter == host),
            None => self.is_any_voter_without_client(),
        };
        // Whoever runs a single keeper has chosen that its ledger is away with it.
        if !may_be_one || self.carriers().count() == 1 {
            return None;
        }
        let gone = self.gone();
        let is_lost = |voter: &&HostId| {
            Some(*voter) != host
                && (gone.contains(voter)
                    || self.is_lately_doubted(voter)
                    || self.slot_of_host(voter).is_some())
        };
        let lost = self.carriers().filter(is_lost).count();
        self.beyond_majority(lost.saturating_add(self.strangers()))
    }

    /// Slots of nobody known that may be a voter's.
    pub(crate) fn strangers(&self) -> usize {
        if !self.is_any_voter_without_client() {
            return 0;
        }
        self.slots().filter(|(_, slot)| slot.host.is_none()).count()
    }

    fn is_any_voter_without_client(&self) -> bool {
        let is_bound = |voter: &HostId| self.bindings().any(|(_, host)| host == voter);
        self.carriers().any(|voter| !is_bound(voter))
    }
}
