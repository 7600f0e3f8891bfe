//! What a policy changes: told before it is applied, warned of as it is, and taken back.

mod cases;
mod orders;
mod warnings;

use ledger::Ledger;
use ledger::command::Command;
use ledger::maintenance::Plan;
use ledger::policy::Policy;
use vocabulary::{Claims, Grade, GroupName, ReceiptKind, Scope, Span};

use super::fleet::{Fleet, NINE, POLICY, Seen, claims, id, order};
use crate::admin::answer::{CaseChange, CasesChanged, PolicyChange};
use crate::admin::mind::{Local, Standing};
use crate::admin::render::{self, Scene};

/// The third host of each zone is of group `db`, the others of group `web`.
pub fn of_two_groups() -> Fleet {
    let group = |name: &str| if name.ends_with('3') { "db" } else { "web" };
    let group = |name: &str| GroupName::new(group(name)).expect("sound");
    let claims = |name: &&str| Claims { group: group(name), ..claims(name) };
    Fleet::of(NINE.iter().map(claims).collect())
}

fn observing() -> String {
    POLICY.replace("\"act\"", "\"observe\"")
}

fn rule(name: &str, verdict: &str, groups: &str, mode: &str) -> String {
    format!(
        "[[rule]]\nname = \"{name}\"\nwhen = {{ verdict = \"{verdict}\" }}\ngroups = [{groups}]\nmode = \"{mode}\"\n\
         ladder = [{{ do = \"command\", class = \"gentle\", argv = [\"/bin/start\"] }}]\n\n"
    )
}

fn in_force(ledger: &Ledger) -> (u64, &Policy) {
    (ledger.policy_shelf().version(), ledger.policy())
}

/// Every warning, on a line each.
fn warned(fleet: &Fleet, text: &str) -> String {
    let policy = Policy::read("policy.toml", text).expect("sound");
    let PolicyChange { warnings, .. } =
        render::policy_warned(&fleet.ledger, in_force(&fleet.ledger), &policy);
    warnings.iter().map(|told| format!("{}: {}\n", told.name, told.sentence)).collect()
}

fn told<T>(fleet: &Fleet, tell: impl FnOnce(&Scene<'_>) -> T) -> T {
    let (local, me) = (Local::default(), claims("a1"));
    let standing = Standing { age: Span::ZERO, has_majority: true, leader: None, term: 1 };
    tell(&Scene::new(&fleet.ledger, &local, &me, (standing, 0)))
}

/// What this policy changes for this fleet, which has it from then on, a tick later.
fn changed(fleet: &mut Fleet, text: &str) -> PolicyChange {
    let mut before = Fleet::nine();
    before.ledger = fleet.ledger.clone();
    fleet.set_policy(text);
    fleet.send("a1", Command::Tick);
    told(&before, |before| told(fleet, |after| render::policy_change(before, after)))
}

fn cases_of(change: PolicyChange) -> CasesChanged {
    change.cases.expect("it is rehearsed")
}

/// A remedy whose end nobody has known for a while.
fn unknown() -> Fleet {
    let mut fleet = Fleet::healing();
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.receive(("c2", case, fence), remedy, ReceiptKind::Unknown);
    fleet.wait_renewing(5 * 60, "c2", case, fence);
    fleet
}

fn in_mode(mode: &str) -> String {
    POLICY.replace("\"act\"", &format!("{mode:?}"))
}

/// A lease under which nothing has begun.
fn leased() -> Fleet {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    fleet.leased(case, "c2");
    fleet
}

fn paused() -> Fleet {
    let mut fleet = super::socket::busy();
    fleet.send("a1", Command::Pause(order("a look")));
    fleet
}

fn in_a_window() -> Fleet {
    let mut fleet = Fleet::healing();
    let plan = Plan { scope: Scope::Host(id("b2")), lasts: Span::minutes(60), schedule: None };
    fleet.send("a1", Command::Maintain { plan, order: order("disks") });
    fleet.opened("b2", Seen::AgentDown);
    fleet
}

fn approved() -> Fleet {
    let mut fleet = Fleet::nine();
    fleet.set_policy(&in_mode("approve"));
    let case = fleet.opened("b2", Seen::AgentDown);
    let shown = fleet.ledger.shown(fleet.case(case));
    fleet.send("b1", Command::Approve { case, shown, order: order("go on") });
    fleet
}

/// Whose goodbye is half a minute old.
fn gone() -> Fleet {
    let mut fleet = Fleet::healing();
    let boot =
        fleet.ledger.roster().get(&id("b2")).and_then(|entry| entry.boot).expect("it has booted");
    fleet.send("b2", Command::Left { boot });
    fleet.wait(30);
    fleet
}

fn only(cases: &CasesChanged) -> &CaseChange {
    let [case] = &cases.changed[..] else { panic!("{cases:?}") };
    case
}

/// What it changes for the open cases.
fn after(mut fleet: Fleet, text: &str) -> CasesChanged {
    cases_of(changed(&mut fleet, text))
}

fn unfit() -> Fleet {
    let mut fleet = Fleet::checking("peers");
    let grounds = fleet.check_round("b2", Some(Grade::Ok), &[Grade::Failed]);
    fleet.unfit("b2", grounds).expect("its observers agree");
    fleet.opened("a2", Seen::AgentDown);
    fleet
}
