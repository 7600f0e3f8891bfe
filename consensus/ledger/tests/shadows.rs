//! Under mode "shadow" what would have begun is put down, and nothing begins (protocol 6.10).

mod fleet;

use fleet::*;
use ledger::command::{Command, Outcome, Refused};
use vocabulary::CaseId;

fn shadow() -> String {
    POLICY.replace("mode = \"act\"", "mode = \"shadow\"")
}

fn fleet_in_shadow() -> Fleet {
    let mut fleet = Fleet::nine();
    fleet.set_policy(&shadow());
    fleet
}

fn put_down(fleet: &Fleet) -> usize {
    fleet.history(0).iter().filter(|what| *what == "Shadowed").count()
}

fn is_put_down(fleet: &Fleet, case: CaseId) -> bool {
    matches!(fleet.ledger.can_offer(case, id("c2")), Err(Refused::Shadowed { .. }))
}

#[test]
fn law_sh1_nothing_is_leased_and_law_sh2_what_would_be_is_put_down_once() {
    let mut fleet = fleet_in_shadow();
    let case = fleet.opened("b2", Seen::AgentDown);
    assert_eq!(fleet.offer(case, "c2"), Outcome::Done);
    assert_eq!((fleet.stage(case), put_down(&fleet)), ("open", 1));
    assert!(fleet.case(case).counted_lease().is_none());
    assert_eq!(
        refusal(&fleet.offer(case, "c2")),
        "rule \"agent down\" is in shadow: it would have begun rung 1, `/bin/start`, and begins nothing"
    );
    assert_eq!(put_down(&fleet), 1);
    assert!(fleet.ledger.stuck().is_empty(), "nobody is called for what would not begin");
}

#[test]
fn what_would_have_waited_waits() {
    let mut fleet = fleet_in_shadow();
    let case = fleet.opened("b2", Seen::HostDown);
    assert!(matches!(fleet.offer(case, "c2"), Outcome::Refused(Refused::TooSoon { .. })));
    fleet.send("b1", Command::Pause(order("a look")));
    fleet.wait(11);
    assert!(matches!(fleet.offer(case, "c2"), Outcome::Refused(Refused::Brake(_))));
    assert_eq!(put_down(&fleet), 0);
}

#[test]
fn law_sh2_another_bout_or_another_policy_is_put_down_anew() {
    let mut fleet = fleet_in_shadow();
    let case = fleet.opened("b2", Seen::AgentDown);
    fleet.offer(case, "c2");
    fleet.opened("b2", Seen::HostDown);
    fleet.wait(11);
    assert!(!is_put_down(&fleet, case));
    fleet.offer(case, "c2");
    fleet.set_policy(&shadow().replace("/bin/reboot", "/bin/cycle"));
    assert!(!is_put_down(&fleet, case));
    fleet.offer(case, "c2");
    assert_eq!(put_down(&fleet), 3);
    fleet.set_policy(POLICY);
    fleet.wait(1);
    fleet.leased(case, "c2");
}

#[test]
fn law_sh1_a_lease_from_before_begins_nothing_once_its_rule_is_in_shadow_and_what_has_begun_is_verified()
 {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    let fence = fleet.leased(case, "c2");
    fleet.set_policy(&shadow());
    let outcome = fleet.intend(("c2", case, fence), &[("b2", Seen::AgentDown)]);
    assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    fleet.wait(1);
    assert_eq!(fleet.stage(case), "open", "its lease goes back: nothing can begin under it");

    let mut fleet = Fleet::healing();
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.set_policy(&shadow());
    fleet.proven(("c2", case, fence), remedy, "b2");
}

#[test]
fn law_sh1_what_is_orphaned_is_taken_over_to_inspect_and_casts_no_shadow() {
    let mut fleet = Fleet::healing();
    let (case, _, _) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.set_policy(&shadow());
    fleet.wait(31);
    assert_eq!(fleet.stage(case), "orphaned");
    fleet.leased(case, "c3");
    assert_eq!(put_down(&fleet), 0);
}
