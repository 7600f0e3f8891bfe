//! FleetLock clients and reboot slots on a line each: who may reboot, since when, and what ends that.

use std::collections::BTreeSet;

use ledger::bindings::FleetLockId;
use ledger::slots::{OVERDUE_AFTER, REBOOT_WITHIN, Slot};
use vocabulary::{Scope, Span, VerdictKind};

use super::{Scene, wall};
use crate::admin::answer::{ClientLine, Clients, SlotLine};

/// Every client that is bound or holds a slot.
pub fn clients(scene: &Scene<'_>) -> Clients {
    let bound = scene.ledger.bindings().map(|(client, _)| client);
    let holding = scene.ledger.slots().map(|(client, _)| client);
    let all: BTreeSet<&FleetLockId> = bound.chain(holding).collect();
    let clients: Vec<ClientLine> = all.into_iter().map(|client| of(scene, client)).collect();
    let nothing = clients.is_empty().then(|| {
        "no FleetLock client is bound to a host, and none holds a slot: `hale fleetlock bind CLIENT HOST --why ...` binds one".to_owned()
    });
    Clients { clients, nothing }
}

/// Every slot that counts.
pub(super) fn slots(scene: &Scene<'_>) -> Vec<SlotLine> {
    scene.ledger.slots().map(|(client, slot)| line(scene, client, slot)).collect()
}

/// Slots that are held for long, each as one sentence for `hale status`: a host that is to reboot has done so by then.
pub(super) fn notes(scene: &Scene<'_>) -> Vec<String> {
    let held = |slot: &Slot| scene.wall_ms.saturating_sub(slot.granted_wall.0);
    let old =
        scene.ledger.slots().filter(|(_, slot)| held(slot) >= OVERDUE_AFTER.as_milliseconds());
    let note = |(client, slot): (&FleetLockId, &Slot)| {
        let host = slot.host.map_or_else(|| "no known host".to_owned(), |host| scene.name(&host));
        format!(
            "FleetLock client {client} ({host}) has held a reboot slot for {}, which counts in the budgets: `hale fleetlock revoke \
             CLIENT --why ...` ends that",
            Span::milliseconds(held(slot))
        )
    };
    old.map(note).collect()
}

fn of(scene: &Scene<'_>, client: &FleetLockId) -> ClientLine {
    let slot = scene.ledger.slots().find(|(of, _)| *of == client);
    let host = scene.ledger.host_of_client(client);
    ClientLine {
        client: client.to_string(),
        host: host.map(|host| scene.name(&host)),
        slot: slot.map(|(client, slot)| line(scene, client, slot)),
    }
}

fn line(scene: &Scene<'_>, client: &FleetLockId, slot: &Slot) -> SlotLine {
    let scopes = slot.scopes.iter().filter(|scope| **scope != Scope::Fleet);
    SlotLine {
        client: client.to_string(),
        host: slot.host.map(|host| scene.name(&host)),
        fence: slot.fence.0,
        granted: wall(slot.granted_wall),
        is_given_back: slot.returned.is_some(),
        counts_in: scopes.map(|scope| scene.subject(scope)).collect(),
        awaits: awaits(scene, slot),
    }
}

fn awaits(scene: &Scene<'_>, slot: &Slot) -> String {
    let case = slot.host.and_then(|host| scene.ledger.case_of_host(&host));
    let is_let_be =
        case.is_some_and(|case| !case.is_unfit() && case.kind != VerdictKind::Unsettled);
    match (case, slot.returned) {
        (Some(case), Some(_)) => {
            format!("it is given back, and case {} on its host is open", case.id)
        }
        (Some(case), None) if is_let_be => format!(
            "it reboots: case {} is not acted on for {REBOOT_WITHIN} from its first verdict",
            case.id
        ),
        (Some(case), None) => format!("it is not given back, and case {} is open", case.id),
        (None, Some(_)) => "it is given back, and its host is to be seen well".to_owned(),
        (None, None) => {
            "it may reboot; ends when it is given back, or by `hale fleetlock revoke CLIENT --why ...`"
                .to_owned()
        }
    }
}
