//! Hosts that take leave to reboot, and do so or do not: drawn beside a plan, so that what was drawn before stays as it was.
//!
//! Law D2 (see `drawing`): a slot that stands in the calm ends there, given back, healed or revoked.
//! Not here: what a slot may never be (see `checkers`), how the calm ends it (see `plan`).

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::drawing::Luck;
use super::plan::{Act, Plan};

/// Of a hundred plans in so many somebody reboots.
const PERCENT: usize = 35;

/// Chance of its own.
const APART: u64 = 0x7265_626f_6f74;

/// The same plan, now and then with hosts that take slots.
pub(super) fn put(mut plan: Plan) -> Plan {
    let mut luck = Luck(ChaCha8Rng::seed_from_u64(plan.seed ^ APART));
    if !luck.is(PERCENT) {
        return plan;
    }
    for _ in 0..luck.from(1, 4) {
        let mut at = 0;
        for order in story(&mut luck, &plan) {
            at = luck.from(at, plan.acts.len());
            plan.acts.insert(at, Act { order, undo: None, wait_ms: luck.wait() });
            at += 1;
        }
    }
    plan
}

/// What one host, or two at once, or a rack of them, does from the first question on, in order.
fn story(luck: &mut Luck, plan: &Plan) -> Vec<String> {
    let spot = |luck: &mut Luck| &plan.hosts[luck.from(0, plan.hosts.len() - 1)];
    let first = spot(luck);
    let whom = match luck.from(0, 9) {
        0 => format!("rack={}", first.rack),
        1 | 2 => format!("{} {}", first.name, spot(luck).name),
        _ => first.name.clone(),
    };
    let away: &[&str] = match luck.from(0, 9) {
        0..=2 => &["restart"],
        3 | 4 => &["poweroff", "start"],
        5 => &["kill", "start"],
        6 => &["leave", "start"],
        7 => &["poweroff"],
        8 => &["kill"],
        _ => &[],
    };
    let mut orders = vec![format!("take-slot {whom}")];
    orders.extend(away.iter().map(|word| format!("{word} {whom}")));
    if luck.is(60) {
        orders.push(format!("return-slot {whom}"));
    }
    if luck.is(10) {
        orders.push("revoke-slots".to_owned());
    }
    orders
}
