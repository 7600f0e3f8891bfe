//! Leases on a line each: who holds which, what it counts in, and what ends it.

use ledger::case::{Case, Lease};
use vocabulary::Scope;

use super::{Scene, cases, fleetlock};
use crate::admin::answer::{LeaseLine, Leases};

/// Every lease and slot that counts.
pub fn leases(scene: &Scene<'_>) -> Leases {
    let counted = scene.ledger.cases().filter_map(|case| Some((case, case.counted_lease()?)));
    let mut leases: Vec<LeaseLine> =
        counted.map(|(case, lease)| line(scene, case, lease)).collect();
    leases.sort_by_key(|line| line.case);
    let slots = fleetlock::slots(scene);
    let nothing = (leases.is_empty() && slots.is_empty()).then(|| nothing(scene));
    Leases { leases, slots, nothing }
}

fn line(scene: &Scene<'_>, case: &Case, lease: &Lease) -> LeaseLine {
    let is_fleet = |scope: &Scope| *scope == Scope::Fleet;
    let scopes = lease.scopes.all().into_iter().filter(|scope| !is_fleet(scope));
    LeaseLine {
        case: case.id.0,
        subject: scene.subject(&case.subject),
        lease: cases::lease_seen(scene, lease),
        stage: case.stage.word().to_owned(),
        counts_in: scopes.map(|scope| scene.subject(&scope)).collect(),
        awaits: cases::awaits(scene, case),
    }
}

fn nothing(scene: &Scene<'_>) -> String {
    if !scene.ledger.is_founded() {
        return "there is no ledger yet, so there are no leases: found it once with `hale init --keepers a,b,c`"
            .to_owned();
    }
    match scene.ledger.cases().count() {
        0 => "nothing is under repair and no case is open".to_owned(),
        open => format!(
            "nothing is under repair, and {}: `hale cases` shows what each waits for",
            if open == 1 { "1 case is open".to_owned() } else { format!("{open} cases are open") }
        ),
    }
}
