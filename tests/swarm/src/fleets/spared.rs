//! Keepers without a vote, voters that are away for long, and persons who move votes: drawn beside a plan, so that what was drawn before
//! stays as it was.
//!
//! Law D2 (see `drawing`): of the voters one at most is away for so long that its vote moves; no spare lies, is copied or loses its disk.
//! Not here: what a vote may never do (see `checkers`).

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::drawing::Luck;
use super::plan::{Act, Plan, Spot};

/// Of a hundred plans so many have spares.
const PERCENT: usize = 40;

/// Chance of its own.
const APART: u64 = 0x7370_6172_6573;

/// By then the vote of whoever is lost has moved, if it does.
const AWAY_MS: (usize, usize) = (640_000, 900_000);

/// The same plan, now and then with spares.
pub(super) fn put(mut plan: Plan) -> Plan {
    let mut luck = Luck(ChaCha8Rng::seed_from_u64(plan.seed ^ APART));
    if !luck.is(PERCENT) {
        return plan;
    }
    let fit: Vec<String> = plan
        .hosts
        .iter()
        .filter(|spot| is_fit(&plan, spot))
        .map(|spot| spot.name.clone())
        .collect();
    for _ in 0..luck.from(1, 3) {
        let Some(name) = fit.get(luck.from(0, fit.len())) else {
            continue;
        };
        if !plan.spares.contains(name) {
            plan.spares.push(name.clone());
        }
    }
    if plan.spares.is_empty() {
        return plan;
    }
    let voters: Vec<String> =
        plan.hosts.iter().filter(|spot| spot.is_keeper).map(|spot| spot.name.clone()).collect();
    if luck.is(50) {
        let lost = &voters[luck.from(0, voters.len() - 1)];
        let away = away(&mut luck, lost);
        plan.acts.insert(luck.from(0, plan.acts.len()), away);
    }
    for _ in 0..luck.from(0, 2) {
        let from = &voters[luck.from(0, voters.len() - 1)];
        let to = &plan.spares[luck.from(0, plan.spares.len() - 1)];
        let (from, to) = if luck.is(75) { (from, to) } else { (to, from) };
        let order = format!("move-votes {from} to {to}");
        let act = Act { order, undo: None, wait_ms: luck.wait() };
        plan.acts.insert(luck.from(0, plan.acts.len()), act);
    }
    plan
}

fn is_fit(plan: &Plan, spot: &Spot) -> bool {
    let is_barred = |act: &&Act| {
        let word = act.order.split_whitespace().next().unwrap_or_default();
        matches!(word, "lie" | "clone" | "lose") && act.names(&spot.name)
    };
    !spot.is_keeper && !plan.acts.iter().any(|act| is_barred(&act))
}

fn away(luck: &mut Luck, voter: &str) -> Act {
    let (word, undo) = match luck.from(0, 4) {
        0 => ("silence", Some(format!("unsilence {voter}"))),
        1 => ("poweroff", None),
        2 => ("leave", None),
        _ => ("kill", None),
    };
    let order = format!("{word} {voter}");
    Act { order, undo, wait_ms: luck.from(AWAY_MS.0, AWAY_MS.1) as u64 }
}
