//! A person takes a lease back: when that is refused, and what becomes of its case (protocol 7.6).

mod fleet;

use fleet::*;
use ledger::command::{Command, Outcome};
use ledger::rules;
use vocabulary::{CaseId, ReceiptKind};

const AGENT: [(&str, Seen); 1] = [("b2", Seen::AgentDown)];
const WELL: [(&str, Seen); 1] = [("b2", Seen::Well)];

fn revoke(case: CaseId) -> Command {
    Command::Revoke { case, order: order("it is off") }
}

#[test]
fn law_l3_no_lease_is_revoked_while_its_healer_may_still_be_at_the_remedy() {
    let mut fleet = Fleet::healing();
    let (case, fence, _) = fleet.begun("b2", Seen::AgentDown, "c2");
    // Its time limit is ten seconds; a healer that stood still and lives may have begun the call later.
    fleet.wait_renewing(40, "c2", case, fence);
    assert_eq!(fleet.stage(case), "remedy");
    let early = refusal(&fleet.send("a1", revoke(case)));
    assert!(early.contains("it may still be under way"), "{early}");
    fleet.wait(31);
    assert_eq!((fleet.stage(case), fleet.ledger.budgets()[0].used), ("orphaned", 1));
    assert_eq!(fleet.send("a1", revoke(case)), Outcome::Done);
    assert_eq!((fleet.stage(case), fleet.ledger.budgets()[0].used), ("escalated", 0));
}

#[test]
fn law_l3_nor_while_the_healer_before_may_be_whatever_the_next_one_has_found() {
    let mut fleet = Fleet::healing();
    let (case, _, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.wait(31);
    let fence = fleet.leased(case, "a2");
    let found = receipt(remedy, fence, ReceiptKind::Unknown);
    assert_eq!(fleet.send("a2", Command::Inspected { case, fence, found }), Outcome::Done);
    let early = refusal(&fleet.send("a1", revoke(case)));
    assert!(early.contains("it may still be under way"), "{early}");
    fleet.wait(10);
    assert_eq!(fleet.send("a1", revoke(case)), Outcome::Done);
}

#[test]
fn law_c5_under_the_first_rules_no_lease_is_revoked() {
    let mut fleet = Fleet::healing_under_the_first_rules();
    assert_eq!(revoke(CaseId(1)).since(), rules::SECOND);
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.receive(("c2", case, fence), remedy, ReceiptKind::Unknown);
    fleet.wait_renewing(15 * 60, "c2", case, fence);
    assert!(matches!(fleet.send("a1", revoke(case)), Outcome::Refused(_)));
    assert_eq!(fleet.ledger.budgets()[0].used, 1);
}

#[test]
fn a_revoked_lease_counts_no_more_and_its_case_stays_a_persons() {
    let mut fleet = Fleet::healing();
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.receive(("c2", case, fence), remedy, ReceiptKind::Unknown);
    fleet.wait_renewing(15 * 60, "c2", case, fence);
    assert_eq!((fleet.stage(case), fleet.ledger.budgets()[0].used), ("escalated", 1));
    assert_eq!(fleet.send("a1", revoke(case)), Outcome::Done);
    assert_eq!((fleet.stage(case), fleet.ledger.budgets()[0].used), ("escalated", 0));
    assert_eq!(
        refusal(&fleet.send("a1", revoke(case))),
        "the case is escalated",
        "there is no lease"
    );
    let late = fleet.receive(("c2", case, fence), remedy, ReceiptKind::Done);
    assert_eq!(late, Outcome::Done, "what it tells is not lost");
    assert_eq!(fleet.stage(case), "escalated");
}

#[test]
fn under_a_revoked_fence_nothing_is_committed() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    let fence = fleet.leased(case, "c2");
    fleet.wait(6);
    assert_eq!(fleet.send("a1", revoke(case)), Outcome::Done);
    assert_eq!(fleet.stage(case), "open", "nothing was begun: it is healed under another lease");
    let began = refusal(&fleet.intend(("c2", case, fence), &AGENT));
    assert_eq!(began, "the case is open", "law RV1");
    assert!(matches!(fleet.send("c2", Command::Renew { case, fence }), Outcome::Refused(_)));
    let next = fleet.leased(case, "a3");
    assert!(next > fence, "law L2");
    assert!(refusal(&fleet.intend(("c2", case, fence), &AGENT)).contains("the case's fence is"));
}

#[test]
fn a_lease_revoked_while_its_remedy_is_being_proven_leaves_the_case_to_a_person() {
    let mut fleet = Fleet::healing();
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.receive(("c2", case, fence), remedy, ReceiptKind::Done);
    assert_eq!(fleet.send("a1", revoke(case)), Outcome::Done);
    assert_eq!((fleet.stage(case), fleet.ledger.budgets()[0].used), ("escalated", 0));
    assert!(matches!(fleet.verify(("c2", case, fence), &WELL), Outcome::Refused(_)), "law RV1");
}
