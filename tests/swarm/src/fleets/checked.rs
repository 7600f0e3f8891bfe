//! A check of the policy, and ports that fail it: drawn beside a plan, so that what was drawn before stays as it was.
//!
//! Law D2 (see `drawing`): what fails in the calm no more is well before its end.
//! Not here: what is owed where a check fails (see `checkers`).

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::drawing::Luck;
use super::plan::{Act, Plan};

/// Of a hundred plans so many have a check.
const PERCENT: usize = 25;

/// Chance of its own.
const APART: u64 = 0x6368_6563_6b73;

/// The port that is looked at.
const PORT: u16 = 8_080;

/// The same plan, now and then with a check and with ports that fail it.
pub(super) fn put(mut plan: Plan) -> Plan {
    let mut luck = Luck(ChaCha8Rng::seed_from_u64(plan.seed ^ APART));
    if !luck.is(PERCENT) {
        return plan;
    }
    plan.policy.push_str(&check(&mut luck));
    for _ in 0..luck.from(1, 4) {
        let act = port(&mut luck, &plan);
        let at = luck.from(0, plan.acts.len());
        plan.acts.insert(at, act);
    }
    plan
}

fn check(luck: &mut Luck) -> String {
    let from = luck.one(&["peers", "peers", "both", "self"]);
    let groups = luck.one(&["", "", "groups = [\"web\"]\n"]);
    let (every, fails, recovers) = (luck.from(1, 4), luck.from(1, 4), luck.from(1, 3));
    format!(
        "[[check]]\nname = \"service\"\nkind = \"tcp\"\nport = {PORT}\nfrom = \"{from}\"\nevery = \"{every}s\"
timeout = \"900ms\"\nfails_after = {fails}\nrecovers_after = {recovers}\n{groups}"
    )
}

/// Long enough to be found, as often as not.
fn port(luck: &mut Luck, plan: &Plan) -> Act {
    let host = &plan.hosts[luck.from(0, plan.hosts.len() - 1)].name;
    let how = luck.one(&["refuses", "refuses", "silent", "hangs", "serves"]);
    let to = luck.one(&["", "", "", " to peers", " to itself"]);
    let wait_ms = luck.from(100, 40_000) as u64;
    let order = format!("port {PORT} on {host} {how}{to}");
    Act { order, undo: Some(format!("port {PORT} on {host} serves")), wait_ms }
}
