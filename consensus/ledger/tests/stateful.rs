//! Groups whose hosts hold data of their own (protocol 6.1; law SF1).

mod fleet;

use fleet::*;
use ledger::Ledger;
use ledger::command::{Command, Outcome, Refused};
use ledger::policy::Policy;
use vocabulary::{ReceiptKind, Scope};

/// All hosts of this fleet are of one group.
fn policy(is_stateful: bool) -> String {
    let any = format!("any_group = {{ in_flight = 2, stateful = {is_stateful} }}");
    let text = POLICY.replace("any_group = { in_flight = 2 }", &any);
    text.replace("class = \"disruptive\"", "class = \"destructive\"")
}

fn fleet(is_stateful: bool) -> Fleet {
    let mut fleet = Fleet::nine();
    fleet.set_policy(&policy(is_stateful));
    fleet
}

#[test]
fn law_sf1_one_host_of_a_stateful_group_is_under_repair_at_once() {
    for (is_stateful, limit) in [(false, 2), (true, 1)] {
        let mut fleet = fleet(is_stateful);
        let [first, second] = fleet.of_two_kinds();
        fleet.leased(first, "a3");
        let lines = fleet.ledger.budgets();
        let group = lines.iter().find(|line| matches!(line.scope, Scope::Group(_)));
        assert_eq!(group.map(|line| (line.used, line.limit)), Some((1, limit)));
        let refused = refusal_of(&fleet, second);
        assert_eq!(refused.contains("group web: 1 of 1 in flight"), is_stateful, "{refused}");
    }
}

fn refusal_of(fleet: &Fleet, case: vocabulary::CaseId) -> String {
    let holds = fleet.ledger.holds(case).into_iter();
    holds.map(|hold| hold.rule.to_string()).collect::<Vec<_>>().join("; ")
}

#[test]
fn law_sf1_what_is_destructive_waits_for_a_persons_word_there_and_what_is_not_does_not() {
    let mut fleet = fleet(true);
    let gentle = fleet.opened("a3", Seen::AgentDown);
    assert_eq!(fleet.ledger.can_offer(gentle, id("c2")), Ok(()));
    let mut fleet = self::fleet(true);
    let case = fleet.opened("b2", Seen::HostDown);
    fleet.wait(11);
    assert!(matches!(fleet.offer(case, "c2"), Outcome::Refused(Refused::Approval { rung: 1, .. })));
    let shown = fleet.ledger.shown(fleet.case(case));
    let approve = Command::Approve { case, shown, order: order("it has a replica") };
    assert_eq!(fleet.send("b1", approve), Outcome::Done);
    fleet.leased(case, "c2");
}

/// Leases that were granted before the group was stateful.
#[test]
fn law_sf1_of_leases_from_before_one_begins() {
    let mut fleet = fleet(false);
    let [first, second] = fleet.of_two_kinds();
    let fences = [fleet.leased(first, "a3"), fleet.leased(second, "a2")];
    fleet.set_policy(&policy(true).replace("destructive", "disruptive"));
    fleet.wait(6);
    let all = [("b2", Seen::AgentDown), ("c2", Seen::HostDown)];
    let begun = fleet.intend(("a3", first, fences[0]), &all);
    assert!(matches!(begun, Outcome::Intended { .. }), "{begun:?}");
    fleet.wait(6);
    let refused = fleet.intend(("a2", second, fences[1]), &all);
    assert!(matches!(refused, Outcome::Refused(Refused::Budget { limit: 1, .. })), "{refused:?}");
}

/// What is destructive on the second rung alone is asked for once the first has not helped.
#[test]
fn law_sf1_a_lease_goes_back_before_a_rung_that_wants_a_word() {
    let mut fleet = Fleet::nine();
    let two = "ladder = [\n  { do = \"command\", class = \"disruptive\", argv = [\"/bin/reset\"], time_limit = \"10s\", verify_within = \"30s\", soak = \"0s\" },\n";
    let text = policy(true).replace("for = \"10s\"", "for = \"0s\"");
    let at = text.rfind("ladder = [\n").expect("the last rule has a ladder");
    fleet.set_policy(&(text[..at].to_owned() + two + &text[at + "ladder = [\n".len()..]));
    let (case, fence, remedy) = fleet.begun("b2", Seen::HostDown, "c2");
    fleet.receive(("c2", case, fence), remedy, ReceiptKind::Done);
    fleet.wait_renewing(28, "c2", case, fence);
    fleet.wait(70);
    let Outcome::Refused(Refused::Approval { rung, .. }) = fleet.offer(case, "c2") else {
        panic!("{}: {}", fleet.stage(case), refusal_of(&fleet, case));
    };
    assert_eq!(rung, 2);
}

/// Law C5.
#[test]
fn stateful_groups_are_known_from_rules_2_on_and_a_snapshot_keeps_them() {
    let faults =
        Policy::read_under(1, "policy.toml", &policy(true)).expect_err("rules 1 know none");
    assert!(
        faults[0].to_string().contains("no special treatment of stateful groups"),
        "{faults:?}"
    );
    let fleet = fleet(true);
    let read = Ledger::from_bytes(&fleet.ledger.to_bytes()).expect("sound");
    assert!(read.policy().budget.any_group.stateful);
    assert_eq!(read, fleet.ledger);
}
