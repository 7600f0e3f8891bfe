//! Trouble that comes again is new trouble: it waits as the first did, and no leave from before carries over.

mod fleet;

use fleet::*;
use ledger::case::{Closure, Stage};
use ledger::command::{Command, Finding, Outcome, Refused};
use vocabulary::{CaseId, Fence, ReceiptKind, Scope, Span, VerdictKind};

const DOWN: [(&str, Seen); 1] = [("b2", Seen::AgentDown)];
const WELL: [(&str, Seen); 1] = [("b2", Seen::Well)];

/// The case of `b2`, doubted and told so, healed once by `c2`, seen well and soaking.
fn soaking(fleet: &mut Fleet) -> (CaseId, Fence) {
    let finding = Finding { scope: Scope::Host(id("b2")), kind: VerdictKind::AgentDown };
    let found = fleet.findings(&DOWN, vec![finding], &[("b2", 1)]).remove(0);
    let case = found.expect("the grounds bear it");
    let fence = fleet.leased(case, "c2");
    fleet.wait(6);
    let remedy = remedy(&fleet.intend(("c2", case, fence), &DOWN));
    fleet.receive(("c2", case, fence), remedy, ReceiptKind::Done);
    fleet.boot("b2", 2);
    assert_eq!(fleet.verify(("c2", case, fence), &WELL), Outcome::Done);
    assert_eq!(fleet.stage(case), "verifying", "it soaks");
    (case, fence)
}

#[test]
fn voices_against_it_in_the_soak_end_it_though_no_verdict_stands() {
    let mut fleet = Fleet::healing();
    let (case, fence) = soaking(&mut fleet);
    let mut grounds = fleet.round(&DOWN);
    grounds.attestations.truncate(2);
    let outcome = fleet.send("c2", Command::Verify { case, fence, grounds });
    assert_eq!(outcome, Outcome::Done);
    assert_eq!((fleet.stage(case), fleet.case(case).rung), ("open", 1));
}

#[test]
fn a_single_voice_against_it_ends_no_soak() {
    let mut fleet = Fleet::healing();
    let (case, fence) = soaking(&mut fleet);
    let mut grounds = fleet.round(&DOWN);
    grounds.attestations.truncate(1);
    fleet.send("c2", Command::Verify { case, fence, grounds });
    assert_eq!((fleet.stage(case), fleet.case(case).rung), ("verifying", 0), "law V4");
}

#[test]
fn after_a_soak_that_failed_the_next_rung_waits_for_its_own_trouble_to_stand() {
    let mut fleet = Fleet::healing();
    let (case, fence) = soaking(&mut fleet);
    fleet.wait(1);
    assert_eq!(fleet.verify(("c2", case, fence), &DOWN), Outcome::Done);
    let now = fleet.ledger.time();
    assert_eq!(fleet.case(case).stands_since, now);
    assert_eq!(fleet.case(case).rounds_upheld, 0);
    let fence = fleet.leased(case, "c3");
    let early = fleet.intend(("c3", case, fence), &DOWN);
    let Outcome::Refused(Refused::TooSoon { what, left }) = &early else {
        panic!("{early:?}");
    };
    assert!(what.contains("came into doubt") && *left >= Span::seconds(3), "{what}: {left:?}");
    fleet.wait(5);
    let outcome = fleet.intend(("c3", case, fence), &DOWN);
    assert!(matches!(outcome, Outcome::Intended { .. }), "{outcome:?}");
}

#[test]
fn leases_that_were_held_when_the_brake_fell_begin_one_at_a_time_when_it_lifts() {
    let mut fleet = Fleet::healing();
    let [first, second] = fleet.of_two_kinds();
    let [one, two] = [(first, "a2"), (second, "a3")].map(|(case, by)| fleet.leased(case, by));
    fleet.send("a1", Command::Pause(order("look")));
    fleet.wait(6);
    assert_eq!(fleet.send("a1", Command::Resume(order("seen"))), Outcome::Done);
    let both = [("b2", Seen::AgentDown), ("c2", Seen::HostDown)];
    let outcome = fleet.intend(("a2", first, one), &both);
    assert!(matches!(outcome, Outcome::Intended { .. }), "{outcome:?}");
    let held = fleet.intend(("a3", second, two), &both);
    assert_eq!(held, Outcome::Refused(Refused::Ramp { used: 1, limit: 1 }));
}

#[test]
fn a_person_s_case_ends_by_itself_once_the_end_of_its_remedy_is_known_and_its_host_is_well() {
    let mut fleet = Fleet::healing();
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.receive(("c2", case, fence), remedy, ReceiptKind::Unknown);
    fleet.wait_renewing(15 * 60, "c2", case, fence);
    assert_eq!(fleet.stage(case), "escalated");
    fleet.boot("b2", 2);
    assert!(!fleet.case(case).may_recover(), "nobody knows what may still come");
    let late = fleet.receive(("c2", case, fence), remedy, ReceiptKind::Done);
    assert_eq!(late, Outcome::Done);
    let grounds = fleet.round(&WELL);
    fleet.send("a1", Command::Recovered { cases: vec![case], grounds });
    assert!(matches!(fleet.case(case).stage, Stage::Closed { how: Closure::Recovered, .. }));
    assert_eq!(fleet.ledger.budgets()[0].used, 0, "law B2");
}
