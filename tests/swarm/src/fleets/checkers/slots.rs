//! Law FL2: leave to reboot is given only where nothing keeps a lease from being granted: no brake, no stop, no case of the host or of what it
//! stands in, no ramp's step or group's floor that is reached, no voter too many, and three times an hour at most.
//! Law FL3: a host has at most one slot; while it holds it it has no lease, and nothing begins on it; a lease takes the slot's place only where
//! its client has said that it is back, or after 15 minutes of trouble.
//! Law FL4: a slot that ends as seen well was given back, by a host that lives and is in no case; none ends without a word in the audit.
//! Law G1: one that was given back ends soon where its host is well and all who watch it can say so.
//! Not here: budgets, starts and halts (see `budgets`), windows (see `maintenance`).

use std::collections::{BTreeMap, BTreeSet};

use ledger::audit::{Record, SlotEnd, What};
use ledger::bindings::FleetLockId;
use ledger::case::{Case, FrozenScopes};
use ledger::slots::Slot;
use vocabulary::{CaseId, Fence, GroupName, HostId, Moment, Scope, Span, VerdictKind};

use super::super::picture::{Picture, Seen};
use super::Checker;

/// An hour of the ledger is never shorter than this: its leader's clock may be fast, and so for a reboot's 15 minutes.
const HOUR: Span = Span::minutes(50);
const REBOOT: Span = Span::minutes(12);

/// What ended so lately may still be what a round saw (protocol 3.2).
const AFTERMATH: Span = Span::seconds(7);

/// The rounds on it and the entry, of a ledger that may take two seconds for each, and whatever the leader does before.
const ROUNDS_TAKE: Span = Span::seconds(30);

/// Protocol 6.12.
const GRANTS_IN_AN_HOUR: usize = 3;

/// Who may reboot, by the audit alone, and how things were at the picture before: what stands in both stood in between.
#[derive(Default)]
pub struct Slots {
    held: BTreeMap<FleetLockId, Held>,
    granted: Vec<(Moment, HostId)>,
    /// Since when no machine of this name has an agent that lives.
    dead: BTreeMap<HostId, Moment>,
    /// Since when each slot that was given back could have ended, under which leader.
    due: BTreeMap<Fence, (Moment, Option<HostId>)>,
    before: Before,
}

struct Held {
    host: Option<HostId>,
    fence: Fence,
    /// Since when its host is in trouble under it.
    troubled: Option<Moment>,
}

#[derive(Default)]
struct Before {
    ill: BTreeSet<(HostId, CaseId)>,
    stopped: BTreeSet<GroupName>,
    returned: BTreeSet<Fence>,
    /// How many hosts of each group were unhealthy.
    unhealthy: BTreeMap<GroupName, u32>,
    ramp: Option<u32>,
}

/// What a grant is about.
#[derive(Clone, Copy)]
struct Grant<'a> {
    client: &'a FleetLockId,
    host: Option<HostId>,
    group: &'a GroupName,
    fence: Fence,
}

impl Checker for Slots {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        picture.records.iter().try_for_each(|record| self.read(picture, record))?;
        self.of_audit(picture)?;
        picture.slots.iter().try_for_each(|(client, slot)| alone(picture, client, slot))?;
        self.note(picture);
        self.of_due(picture)
    }
}

impl Slots {
    fn read(&mut self, picture: &Picture, record: &Record) -> Result<(), String> {
        match &record.what {
            What::SlotGranted { client, host, group, fence } => {
                let grant = Grant { client, host: *host, group, fence: *fence };
                self.of_grant(picture, grant).map_err(|why| format!("law FL2: {why}"))?;
                self.granted.extend(host.map(|host| (picture.at, host)));
                let held = Held { host: *host, fence: *fence, troubled: None };
                self.held.insert(client.clone(), held);
            }
            What::SlotOver { client, fence, end } => {
                return self.of_end(picture, (client, *fence), end);
            }
            What::Intended { case, .. } => {
                let own = picture.cases.iter().find(|own| own.id == *case);
                let host = own.and_then(|own| own.host());
                let holds = |held: &&Held| held.host.is_some() && held.host == host;
                if let Some(held) = self.held.values().find(holds) {
                    let slot = held.fence;
                    return Err(format!("law FL3: case {case} is tried under reboot slot {slot}"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn of_grant(&self, picture: &Picture, grant: Grant<'_>) -> Result<(), String> {
        let client = grant.client;
        if picture.was_braked && picture.is_braked {
            return Err(format!("{client} may reboot under a brake"));
        }
        let is_stopped = |groups: &BTreeSet<GroupName>| groups.contains(grant.group);
        if is_stopped(&self.before.stopped) && is_stopped(&picture.stopped) {
            return Err(format!("{client} may reboot in stopped group {}", grant.group));
        }
        if let Some(host) = grant.host {
            self.of_host(picture, (grant, host))?;
        }
        self.of_ramp(picture, client)?;
        self.of_floor(picture, grant)
    }

    fn of_host(&self, picture: &Picture, (grant, host): (Grant<'_>, HostId)) -> Result<(), String> {
        let client = grant.client;
        if let Some(case) = self.stands(picture, host, |_| true) {
            return Err(format!("{client} may reboot, and case {case} is open on it"));
        }
        let own = |held: &Held| held.host == Some(host);
        if self.held.values().any(own) {
            return Err(format!("{client} may reboot, and its host holds another slot"));
        }
        let is_late = |(at, of): &&(Moment, HostId)| *of == host && picture.at.since(*at) < HOUR;
        if self.granted.iter().filter(is_late).count() >= GRANTS_IN_AN_HOUR {
            return Err(format!("{client} may reboot over {GRANTS_IN_AN_HOUR} times an hour"));
        }
        let slot =
            picture.slots.iter().map(|(_, slot)| slot).find(|slot| slot.fence == grant.fence);
        let seen = picture.hosts.iter().find(|seen| seen.id == host);
        if let (Some(slot), Some(seen)) = (slot, seen)
            && !counts_where_it_stands(slot, seen)
        {
            return Err(format!("{client} counts elsewhere than its host stands"));
        }
        self.of_voters(picture, (client, host))
    }

    /// Whoever holds a slot, or is in a case that says that it is away, is no voter to count on.
    fn of_voters(
        &self,
        picture: &Picture,
        (client, host): (&FleetLockId, HostId),
    ) -> Result<(), String> {
        let voters = &picture.voters;
        if voters.len() < 2 || !voters.contains(&host) {
            return Ok(());
        }
        let is_away = |case: &Case| !matches!(case.kind, VerdictKind::Unfit(_));
        let is_lost = |voter: &&HostId| {
            let holds = |held: &Held| held.host == Some(**voter);
            **voter != host
                && (self.held.values().any(holds)
                    || self.stands(picture, **voter, is_away).is_some())
        };
        let lost = voters.iter().filter(is_lost).count() + 1;
        if lost * 2 >= voters.len() {
            let all = voters.len();
            return Err(format!("{client} may reboot, and {lost} of {all} voters may be away"));
        }
        Ok(())
    }

    fn of_ramp(&self, picture: &Picture, client: &FleetLockId) -> Result<(), String> {
        let (Some(was), Some(is)) = (self.before.ramp, picture.ramp) else {
            return Ok(());
        };
        let fleet = picture.budgets.iter().find(|line| line.scope == Scope::Fleet);
        match fleet.filter(|line| line.used > was.max(is)) {
            Some(line) => Err(format!("{client} may reboot as {} in a ramp of {is}", line.used)),
            None => Ok(()),
        }
    }

    /// Of the unhealthy as many as were so before count, and of those that may reboot whoever is in no case.
    fn of_floor(&self, picture: &Picture, grant: Grant<'_>) -> Result<(), String> {
        let is_own = |scope: &Scope| matches!(scope, Scope::Group(group) if group == grant.group);
        let line = picture.budgets.iter().find(|line| is_own(&line.scope));
        let (Some(floor), Some(line)) = (picture.floors.get(grant.group), line) else {
            return Ok(());
        };
        let was = self.before.unhealthy.get(grant.group).copied().unwrap_or_default();
        let is_well = |host: HostId| !picture.cases.iter().any(|case| is_open_on(case, host));
        let away = picture.slots.iter().filter(|(_, slot)| slot.group == *grant.group);
        let away = away.filter(|(_, slot)| slot.host.is_none_or(is_well)).count();
        let gone = was.min(line.unhealthy) as usize + away;
        if (line.hosts as usize).saturating_sub(gone) < *floor as usize {
            let (client, group) = (grant.client, grant.group);
            return Err(format!("{client} may reboot, and under {floor} of {group} serve"));
        }
        Ok(())
    }

    fn of_end(
        &mut self,
        picture: &Picture,
        (client, fence): (&FleetLockId, Fence),
        end: &SlotEnd,
    ) -> Result<(), String> {
        let Some(held) = self.held.remove(client).filter(|held| held.fence == fence) else {
            return Err(format!("law FL4: slot {fence} of {client} ends, and was never granted"));
        };
        let is_returned = self.before.returned.contains(&fence);
        match (end, held.host) {
            (SlotEnd::Well { .. }, Some(host)) => {
                let dead = self.dead.get(&host);
                if !is_returned {
                    return Err(format!("law FL4: {client} is back, and has not said so"));
                }
                if dead.is_some_and(|since| picture.at.since(*since) > AFTERMATH) {
                    return Err(format!("law FL4: {client} is seen well, and is dead"));
                }
                match self.stands(picture, host, |_| true) {
                    Some(case) => Err(format!("law FL4: {client} is seen well in case {case}")),
                    None => Ok(()),
                }
            }
            (SlotEnd::Well { .. }, None) => {
                Err(format!("law FL4: {client} is seen well, and nobody knows its host"))
            }
            (SlotEnd::Told, Some(_)) => {
                Err(format!("law FL4: the word of {client} ends the slot of a host that is known"))
            }
            (SlotEnd::Healing { case }, _) => {
                let is_over = held.troubled.is_some_and(|since| picture.at.since(since) >= REBOOT);
                if is_returned || is_over {
                    return Ok(());
                }
                Err(format!("law FL3: {client} reboots, and is healed in case {case}"))
            }
            (SlotEnd::Told, None) | (SlotEnd::Retired | SlotEnd::Revoked { .. }, _) => Ok(()),
        }
    }

    /// What the audit has told of is what is held.
    fn of_audit(&self, picture: &Picture) -> Result<(), String> {
        let held = self.held.iter().map(|(client, held)| (client, held.fence));
        let told: BTreeMap<&FleetLockId, Fence> = held.collect();
        let is = picture.slots.iter().map(|(client, slot)| (client, slot.fence));
        let is: BTreeMap<&FleetLockId, Fence> = is.collect();
        if told != is {
            return Err(format!("law FL4: the audit tells of slots {told:?}, held are {is:?}"));
        }
        Ok(())
    }

    fn note(&mut self, picture: &Picture) {
        for held in self.held.values_mut() {
            let says_so = |case: &Case, host| {
                let is_trouble =
                    !matches!(case.kind, VerdictKind::Unsettled | VerdictKind::Unfit(_));
                is_trouble && is_open_on(case, host)
            };
            let is_troubled =
                held.host.is_some_and(|host| picture.cases.iter().any(|case| says_so(case, host)));
            if is_troubled {
                held.troubled.get_or_insert(picture.at);
            }
        }
        for seen in &picture.hosts {
            let mut own = picture.hosts.iter().filter(|other| other.id == seen.id);
            if own.all(|own| own.boot.is_none()) {
                self.dead.entry(seen.id).or_insert(picture.at);
            } else {
                self.dead.remove(&seen.id);
            }
        }
        let is_returned = |(_, slot): &&(FleetLockId, Slot)| slot.returned.is_some();
        let unhealthy = picture.budgets.iter().filter_map(|line| match &line.scope {
            Scope::Group(group) => Some((group.clone(), line.unhealthy)),
            _ => None,
        });
        self.before = Before {
            ill: picture.hosts.iter().flat_map(|seen| cases_over(picture, seen)).collect(),
            stopped: picture.stopped.clone(),
            returned: picture
                .slots
                .iter()
                .filter(is_returned)
                .map(|(_, slot)| slot.fence)
                .collect(),
            unhealthy: unhealthy.collect(),
            ramp: picture.ramp,
        };
    }

    /// Law G1.
    fn of_due(&mut self, picture: &Picture) -> Result<(), String> {
        let now = (picture.at, picture.leader);
        let due = picture.slots.iter().filter(|(_, slot)| is_due(picture, slot));
        let since = |slot: &Slot| {
            let was = self.due.get(&slot.fence).copied();
            (slot.fence, was.filter(|(_, leader)| *leader == now.1).unwrap_or(now))
        };
        self.due = due.map(|(_, slot)| since(slot)).collect();
        let is_late = |(_, slot): &&(FleetLockId, Slot)| {
            let since = self.due.get(&slot.fence);
            since.is_some_and(|(since, _)| picture.at.since(*since) > ROUNDS_TAKE)
        };
        match picture.slots.iter().find(is_late) {
            Some((client, _)) => {
                Err(format!("law G1: {client} is back and well, and its slot does not end"))
            }
            None => Ok(()),
        }
    }

    /// A case of this host or of what it stands in that was open before, and still is.
    fn stands(
        &self,
        picture: &Picture,
        host: HostId,
        is_meant: impl Fn(&Case) -> bool,
    ) -> Option<CaseId> {
        let mut cases = picture.cases.iter().filter(|case| !case.is_closed());
        let was = |case: &Case| self.before.ill.contains(&(host, case.id));
        cases.find(|case| was(case) && is_meant(case)).map(|case| case.id)
    }
}

/// Law FL3, of what is held now.
fn alone(picture: &Picture, client: &FleetLockId, slot: &Slot) -> Result<(), String> {
    let Some(host) = slot.host else {
        return Ok(());
    };
    let other = picture.slots.iter().find(|(of, own)| of != client && own.host == Some(host));
    if let Some((other, _)) = other {
        return Err(format!("law FL3: {client} and {other} are one host, and both hold a slot"));
    }
    let is_leased = |case: &Case| case.host() == Some(host) && case.counted_lease().is_some();
    match picture.cases.iter().find(|case| is_leased(case)) {
        Some(case) => Err(format!("law FL3: {client} holds a slot, and case {} a lease", case.id)),
        None => Ok(()),
    }
}

/// Given back by a host of which nothing else is known, that is well and that all of its observers can find so.
fn is_due(picture: &Picture, slot: &Slot) -> bool {
    let host = slot.host.filter(|_| slot.returned.is_some());
    let Some(seen) = host.and_then(|host| picture.hosts.iter().find(|seen| seen.id == host)) else {
        return false;
    };
    let observers = picture.seating.observers(&seen.id).len();
    let leads = |host: &Seen| picture.leader == Some(host.id) && !host.is_held_up && host.is_heard;
    let is_plain = !seen.is_lying && !seen.is_held_up && seen.is_seen_well();
    is_plain
        && observers >= 2
        && seen.able == observers
        && picture.hosts.iter().any(leads)
        && cases_over(picture, seen).is_empty()
}

fn counts_where_it_stands(slot: &Slot, seen: &Seen) -> bool {
    let own = FrozenScopes { domain: seen.domain.clone(), group: seen.group.clone() }.all();
    slot.group == seen.group
        && slot.scopes.len() == own.len()
        && own.iter().all(|scope| slot.scopes.contains(scope))
}

fn is_open_on(case: &Case, host: HostId) -> bool {
    !case.is_closed() && case.host() == Some(host)
}

/// Every open case of a host, of its rack or of its zone.
fn cases_over(picture: &Picture, seen: &Seen) -> Vec<(HostId, CaseId)> {
    let is_over = |case: &&std::sync::Arc<Case>| match &case.subject {
        Scope::Host(host) => *host == seen.id,
        Scope::Rack(rack) => *rack == seen.domain,
        Scope::Zone(zone) => *zone == seen.domain.zone(),
        Scope::Group(_) | Scope::Fleet => false,
    };
    let open = picture.cases.iter().filter(|case| !case.is_closed());
    open.filter(is_over).map(|case| (seen.id, case.id)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ledger::case::Stage;

    use super::super::album::{breach, first, healed, host, is_caught, rebooted};
    use super::*;

    fn is_grant(what: &What) -> bool {
        matches!(what, What::SlotGranted { client, .. } if client.as_str() == "updater@b2")
    }

    fn is_end(what: &What) -> bool {
        matches!(what, What::SlotOver { .. })
    }

    /// The album with whatever is bent from the picture before the grant to `b2` on.
    fn bent(change: impl Fn(&mut Picture)) -> Vec<Picture> {
        let mut album = rebooted();
        let (at, _) = first(&album, is_grant);
        album[at - 1..].iter_mut().for_each(change);
        album
    }

    /// The same, with another end of the slot of `b2`.
    fn ended(end: impl Fn(&SlotEnd) -> SlotEnd) -> Vec<Picture> {
        let mut album = rebooted();
        let (at, place) = first(&album, is_end);
        let What::SlotOver { end: own, .. } = &mut album[at].records[place].what else {
            panic!("an end");
        };
        *own = end(own);
        album
    }

    fn is_red(album: &[Picture], law: &str) -> bool {
        is_caught(&mut Slots::default(), album, law)
    }

    /// A case, as of the other album, of this host.
    fn case_of(host: HostId) -> Arc<Case> {
        let album = healed();
        let (at, _) = first(&album, |what| matches!(what, What::Intended { .. }));
        Arc::new(Case { subject: Scope::Host(host), ..Case::clone(&album[at].cases[0]) })
    }

    #[test]
    fn slots_that_are_taken_and_given_back_as_they_should_be_break_nothing() {
        assert_eq!(breach(&mut Slots::default(), &rebooted()), None);
    }

    #[test]
    fn law_fl2_a_slot_under_a_brake_in_a_stopped_group_beyond_a_ramp_or_a_floor_is_caught() {
        let braked = bent(|picture| (picture.was_braked, picture.is_braked) = (true, true));
        assert!(is_red(&braked, "law FL2: updater@b2 may reboot under a brake"));
        let stopped = bent(|picture| picture.stopped.extend([picture.hosts[0].group.clone()]));
        assert!(is_red(&stopped, "law FL2: updater@b2 may reboot in stopped group"));
        let narrow = bent(|picture| picture.ramp = Some(1));
        assert!(is_red(&narrow, "law FL2: updater@b2 may reboot as 2 in a ramp"));
        let wide = bent(|picture| picture.ramp = Some(2));
        assert!(!is_red(&wide, "law FL2"));
        let floor = |least| {
            bent(move |picture| {
                picture.floors = [(picture.hosts[0].group.clone(), least)].into();
            })
        };
        assert!(is_red(&floor(5), "law FL2: updater@b2 may reboot, and under 5"));
        assert!(!is_red(&floor(4), "law FL2"));
    }

    #[test]
    fn law_fl2_a_slot_of_a_host_with_a_case_or_in_a_dark_rack_is_caught() {
        let ill = bent(|picture| {
            let id = host(picture, "b2").id;
            picture.cases.push(case_of(id));
        });
        assert!(is_red(&ill, "law FL2: updater@b2 may reboot, and case"));
        let dark = bent(|picture| {
            let rack = Scope::Rack(host(picture, "b2").domain.clone());
            let case = Case { subject: rack, ..Case::clone(&case_of(HostId([1; 16]))) };
            picture.cases.push(Arc::new(case));
        });
        assert!(is_red(&dark, "law FL2: updater@b2 may reboot, and case"));
    }

    #[test]
    fn law_fl2_a_second_slot_a_fourth_in_the_hour_one_elsewhere_and_one_voter_too_many_are_caught()
    {
        let mut album = rebooted();
        let (at, place) = first(&album, is_grant);
        let again = album[at].records[place].clone();
        album[at].records.insert(place, again.clone());
        assert!(is_red(&album, "law FL2: updater@b2 may reboot, and its host holds another"));

        let mut album = rebooted();
        let (last, ended) = first(&album, is_end);
        let end = album[last].records[ended].clone();
        let turns = [end.clone(), again.clone(), end.clone(), again.clone(), end, again];
        album[last].records.splice(ended..=ended, turns);
        assert!(is_red(&album, "law FL2: updater@b2 may reboot over 3 times"));

        let moved =
            bent(|picture| host(picture, "b2").group = GroupName::new("db").expect("a name"));
        assert!(is_red(&moved, "law FL2: updater@b2 counts elsewhere"));
        let voting = bent(|picture| picture.voters[1] = host(picture, "b2").id);
        assert!(is_red(&voting, "law FL2: updater@b2 may reboot, and 2 of 3 voters"));
    }

    #[test]
    fn law_fl3_a_remedy_a_lease_and_another_slot_beside_a_slot_are_caught() {
        let mut tried = rebooted();
        let (at, place) = first(&tried, is_grant);
        let mut intent = tried[at].records[place].clone();
        let case = case_of(host(&mut tried[at], "b2").id);
        let album = healed();
        let (from, of) = first(&album, |what| matches!(what, What::Intended { .. }));
        intent.what = album[from].records[of].what.clone();
        tried[at].records.insert(place + 1, intent);
        tried[at].cases.push(Arc::clone(&case));
        assert!(is_red(&tried, "law FL3: case 1 is tried under reboot slot"));

        assert!(case.counted_lease().is_some());
        tried[at].records.remove(place + 1);
        assert!(is_red(&tried, "law FL3: updater@b2 holds a slot, and case 1 a lease"));

        let own = Case { stage: Stage::Open, ..Case::clone(&case) };
        *tried[at].cases.last_mut().expect("it was put there") = Arc::new(own);
        assert!(!is_red(&tried[..=at], "law FL3"));

        let one_host = bent(|picture| {
            let id = host(picture, "b2").id;
            picture.slots.iter_mut().for_each(|(_, slot)| slot.host = Some(id));
        });
        assert!(is_red(&one_host, "law FL3: updater@a1 and updater@b2 are one host"));
    }

    #[test]
    fn law_fl3_a_lease_in_the_place_of_a_slot_is_caught_unless_it_was_given_back_or_long_in_trouble()
     {
        let healing = ended(|_| SlotEnd::Healing { case: CaseId(1) });
        assert!(!is_red(&healing, "law FL3"), "it was given back");
        let mut early = healing;
        for picture in &mut early {
            picture.slots.iter_mut().for_each(|(_, slot)| slot.returned = None);
        }
        assert!(is_red(&early, "law FL3: updater@b2 reboots, and is healed"));
        let (at, _) = first(&early, is_end);
        early[at..].iter_mut().for_each(|picture| picture.at = picture.at.after(REBOOT));
        assert!(!is_red(&early, "law FL3"));
    }

    #[test]
    fn law_fl4_ends_of_a_slot_that_are_untrue_or_untold_are_caught() {
        let told = ended(|_| SlotEnd::Told);
        assert!(is_red(&told, "law FL4: the word of updater@b2"));
        let mut early = rebooted();
        for picture in &mut early {
            picture.slots.iter_mut().for_each(|(_, slot)| slot.returned = None);
        }
        assert!(is_red(&early, "law FL4: updater@b2 is back, and has not said so"));
        let mut dead = rebooted();
        for picture in &mut dead {
            host(picture, "b2").boot = None;
        }
        assert!(is_red(&dead, "law FL4: updater@b2 is seen well, and is dead"));
        let mut silent = rebooted();
        let (at, place) = first(&silent, is_end);
        silent[at].records.remove(place);
        assert!(is_red(&silent, "law FL4: the audit tells of slots"));
    }

    #[test]
    fn law_g1_a_slot_that_was_given_back_and_does_not_end_is_caught() {
        let late = |seconds, is_blind: bool| {
            let mut album = rebooted();
            let (at, _) = first(&album, is_end);
            album.truncate(at);
            host(&mut album[at - 1], "b2").able -= usize::from(is_blind);
            let mut last = album[at - 1].clone();
            last.at = last.at.after(Span::seconds(seconds));
            last.records.clear();
            host(&mut last, "b2").able = host(&mut album[at - 2], "b2").able;
            album.push(last);
            album
        };
        assert!(is_red(&late(31, false), "law G1: updater@b2 is back and well"));
        assert!(!is_red(&late(25, false), "law G1"));
        assert!(!is_red(&late(31, true), "law G1"), "one of them could not tell meanwhile");
    }
}
