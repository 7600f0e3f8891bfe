//! From case to closure: lease, intent, receipt, proof; and everything that says no on the way.

mod fleet;

use fleet::*;
use ledger::case::{Closure, Stage};
use ledger::command::{Command, Outcome, Refused};
use ledger::policy::Rung;
use ledger::verify_chain;
use ledger::view::Step;
use vocabulary::{CaseId, Fence, ReceiptKind, RemedyId};

const AGENT: [(&str, Seen); 1] = [("b2", Seen::AgentDown)];
const WELL: [(&str, Seen); 1] = [("b2", Seen::Well)];

/// A receipt `Done` stands for the case of `b2`, healed by `c2`.
fn done(fleet: &mut Fleet) -> (CaseId, Fence, RemedyId) {
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    let outcome = fleet.receive(("c2", case, fence), remedy, ReceiptKind::Done);
    assert_eq!(outcome, Outcome::Done);
    (case, fence, remedy)
}

#[test]
fn the_whole_walk_of_one_case_stands_in_the_audit_in_order() {
    let mut fleet = Fleet::healing();
    let before = fleet.ledger.audit().head().number;
    let (case, fence, _) = done(&mut fleet);
    assert_eq!(fleet.stage(case), "verifying");
    fleet.boot("b2", 2);
    assert_eq!(fleet.verify(("c2", case, fence), &WELL), Outcome::Done);
    assert_eq!(fleet.stage(case), "verifying", "it soaks");
    fleet.wait(2);
    assert_eq!(fleet.verify(("c2", case, fence), &WELL), Outcome::Done);
    assert!(matches!(fleet.case(case).stage, Stage::Closed { how: Closure::Healed, .. }));
    assert_eq!(
        fleet.history(before),
        ["Verdict", "Granted", "Accepted", "Intended", "Received", "Booted", "Verified", "Closed"]
    );
    let records: Vec<_> = fleet.ledger.audit_since(0).cloned().collect();
    assert_eq!(verify_chain(&records), Ok(()));
    assert!(fleet.ledger.budgets().iter().all(|line| line.used == 0));
}

#[test]
fn an_offer_that_is_not_taken_in_time_lapses_and_its_fence_is_burnt() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    let first = fence(&fleet.offer(case, "c2"));
    let twice = fleet.offer(case, "c3");
    assert_eq!(twice, Outcome::Refused(Refused::Leased(first)));
    let other = fleet.send("c3", Command::Accept { case, fence: first });
    assert!(refusal(&other).contains("only the healer"));
    fleet.wait(5);
    assert_eq!(fleet.stage(case), "open");
    let late = fleet.send("c2", Command::Accept { case, fence: first });
    assert_eq!(late, Outcome::Refused(Refused::Stage("open".into())));
    assert!(fence(&fleet.offer(case, "c3")) > first, "law L2");
}

#[test]
fn a_healer_belongs_has_the_role_is_well_and_is_not_the_subject() {
    let mut fleet = Fleet::of(
        NINE.iter()
            .map(|name| {
                let mut claims = claims(name);
                claims.roles.healer = *name != "a3";
                claims
            })
            .collect(),
    );
    fleet.set_policy(POLICY);
    let case = fleet.opened("b2", Seen::AgentDown);
    fleet.verdicts(&[("c3", Seen::AgentDown)]).remove(0).expect("a second case");
    for (healer, why) in [
        ("b2", "no host heals itself"),
        ("a3", "names no healer"),
        ("c3", "an open case of its own"),
        ("d9", "does not belong"),
    ] {
        let refused = refusal(&fleet.offer(case, healer));
        assert!(refused.contains(why), "{refused}");
        assert!(fleet.ledger.can_offer(case, id(healer)).is_err());
    }
    assert_eq!(fleet.ledger.can_offer(case, id("c2")), Ok(()));
}

#[test]
fn without_an_acting_rule_there_is_no_lease() {
    let mut fleet = Fleet::nine();
    let case = fleet.opened("b2", Seen::AgentDown);
    assert_eq!(fleet.offer(case, "c2"), Outcome::Refused(Refused::NoRule));
    fleet.set_policy(&POLICY.replace("\"act\"", "\"observe\""));
    assert_eq!(fleet.offer(case, "c2"), Outcome::Refused(Refused::NoRule));
    fleet.set_policy(POLICY);
    assert_eq!(fleet.case(case).rule, Some(("agent down".into(), 2)));
    assert!(matches!(fleet.offer(case, "c2"), Outcome::Leased { .. }));
}

#[test]
fn law_p3_nothing_above_gentle_begins_on_a_host_that_is_proven_alive() {
    // A policy that was set under the first rules still stands when they are raised, even amid a lease.
    let mut fleet = Fleet::healing_under_the_first_rules();
    fleet.set_policy(&POLICY.replace("\"gentle\"", "\"disruptive\""));
    let case = fleet.opened("b2", Seen::AgentDown);
    let fence = fleet.leased(case, "a2");
    fleet.wait(6);
    let rules = Command::Rules { rules: ledger::rules::NEWEST };
    assert_eq!(fleet.send("a1", rules), Outcome::Done);
    let refused = refusal(&fleet.intend(("a2", case, fence), &AGENT));
    assert!(refused.contains("proven alive is not taken away by a disruptive remedy"), "{refused}");
    let given_back = Command::Release { case, fence, why: String::from("it may not begin") };
    assert_eq!(fleet.send("a2", given_back), Outcome::Done);
    fleet.wait(1);
    assert_eq!(
        fleet.stage(case),
        "escalated",
        "and a person is called, for no other remedy is left"
    );
}

#[test]
fn an_intent_waits_for_the_verdict_to_stand_and_for_quiet_around_the_host() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("c2", Seen::HostDown);
    let early = refusal(&fleet.offer(case, "a2"));
    assert!(early.contains("too soon since the verdict"), "{early}");
    fleet.wait(5);
    let fence = fleet.leased(case, "a2");
    let seen = [("c2", Seen::HostDown)];
    let waits = refusal(&fleet.intend(("a2", case, fence), &seen));
    assert!(waits.contains("since the verdict: 4 s left"), "{waits}");
    fleet.wait(3);
    fleet.findings(&seen, Vec::new(), &[("c3", 0)]);
    let near = refusal(&fleet.intend(("a2", case, fence), &seen));
    assert!(near.contains("last new doubt in zone eu/c: 4 s left"), "{near}");
    let left = fleet.ledger.holds(case)[0].left.expect("time frees it");
    fleet.wait(left.as_milliseconds() / 1_000);
    let outcome = fleet.intend(("a2", case, fence), &seen);
    assert!(matches!(outcome, Outcome::Intended { .. }), "{outcome:?}");
}

#[test]
fn a_doubt_in_another_zone_holds_nobody() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    let fence = fleet.leased(case, "c2");
    fleet.wait(6);
    fleet.findings(&AGENT, Vec::new(), &[("a3", 0)]);
    let outcome = fleet.intend(("c2", case, fence), &AGENT);
    assert!(matches!(outcome, Outcome::Intended { .. }), "{outcome:?}");
}

#[test]
fn a_neighbour_that_flips_counts_once() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    fleet.findings(&AGENT, Vec::new(), &[("b3", 0)]);
    let fence = fleet.leased(case, "c2");
    fleet.wait(6);
    fleet.findings(&AGENT, Vec::new(), &[("b3", 0)]);
    let outcome = fleet.intend(("c2", case, fence), &AGENT);
    assert!(matches!(outcome, Outcome::Intended { .. }), "{outcome:?}");
}

#[test]
fn the_last_look_is_anchored_after_the_lease_and_must_still_stand_against_the_host() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    fleet.wait(6);
    let before = fleet.round(&AGENT);
    let fence = fleet.leased(case, "c2");
    let command = Command::Intend { case, fence, grounds: before };
    let stale = fleet.send("c2", command);
    assert!(matches!(stale, Outcome::Refused(Refused::Stale { .. })), "{stale:?}");
    let well = refusal(&fleet.intend(("c2", case, fence), &WELL));
    assert!(well.contains("answered for itself"), "{well}");
    let moved = refusal(&fleet.intend(("c2", case, fence), &[("b2", Seen::HostDown)]));
    assert!(moved.contains("HostDown, not AgentDown"), "{moved}");
    assert_eq!(fleet.stage(case), "leased", "law C1");
}

#[test]
fn the_same_refusal_of_an_intent_is_put_down_once() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    let fence = fleet.leased(case, "c2");
    let before = fleet.ledger.audit().head().number;
    for _ in 0..3 {
        refusal(&fleet.intend(("c2", case, fence), &AGENT));
    }
    assert_eq!(fleet.history(before), ["IntentRefused"]);
}

#[test]
fn no_remedy_begins_when_the_margin_of_the_lease_is_not_left() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    let fence = fleet.leased(case, "c2");
    fleet.wait(22);
    let late = fleet.intend(("c2", case, fence), &AGENT);
    assert_eq!(late, Outcome::Refused(Refused::LeaseOver));
    let renewed = fleet.send("c2", Command::Renew { case, fence });
    assert_eq!(renewed, Outcome::Leased { fence });
    let outcome = fleet.intend(("c2", case, fence), &AGENT);
    assert!(matches!(outcome, Outcome::Intended { .. }), "{outcome:?}");
}

#[test]
fn few_observers_need_three_rounds_in_a_row_for_more_than_a_gentle_remedy() {
    let hosts = ["a1", "a2", "b1", "b2"].map(claims).to_vec();
    let mut hosts = hosts;
    hosts[2].roles.keeper = false;
    let mut fleet = Fleet::of(hosts);
    fleet.set_policy(&POLICY.replace("for = \"10s\"", "for = \"0s\""));
    let down = [("b2", Seen::HostDown)];
    let case = fleet.opened("b2", Seen::HostDown);
    let fence = fleet.leased(case, "a2");
    fleet.wait(6);
    let alone = fleet.intend(("a2", case, fence), &down);
    let why = "the verdict's round is too long ago to be the one before";
    assert_eq!(alone, Outcome::Refused(Refused::ThreeRounds { have: 1 }), "{why}");
    fleet.opened("b2", Seen::HostDown);
    let two = fleet.intend(("a2", case, fence), &down);
    assert_eq!(two, Outcome::Refused(Refused::ThreeRounds { have: 2 }));
    fleet.opened("b2", Seen::HostDown);
    let outcome = fleet.intend(("a2", case, fence), &down);
    assert!(matches!(outcome, Outcome::Intended { .. }), "{outcome:?}");
}

#[test]
fn a_step_of_the_ladder_that_is_not_proven_leads_to_the_next_and_then_to_a_person() {
    let mut fleet = Fleet::healing();
    let (case, fence, _) = done(&mut fleet);
    let give_up = |case, fence| Command::Unproven { case, fence, why: "no answer".into() };
    let early = refusal(&fleet.send("c2", give_up(case, fence)));
    assert!(early.contains("its proof may still come"), "{early}");
    fleet.wait_renewing(30, "c2", case, fence);
    assert_eq!(fleet.stage(case), "open", "its time was over");
    assert_eq!(fleet.case(case).rung, 1);
    assert_eq!(fleet.case(case).remedies[0].is_proven, Some(false));
    let rung: &Rung = fleet.ledger.rung_of(fleet.case(case)).expect("the next");
    assert_eq!(rung.command.argv, ["/bin/reboot"]);

    let fence = fleet.leased(case, "c3");
    let outcome = fleet.intend(("c3", case, fence), &AGENT);
    let healer = ("c3", case, fence);
    fleet.receive(healer, remedy(&outcome), ReceiptKind::Done);
    fleet.wait_renewing(30, "c3", case, fence);
    let Stage::Escalated { why, counted, .. } = &fleet.case(case).stage else {
        panic!("{:?}", fleet.case(case).stage);
    };
    assert!(why.contains("rung 2 was the last"), "{why}");
    assert_eq!(*counted, None, "its end is known");
    assert_eq!(fleet.ledger.holds(case)[0].step, Step::Person);
}

#[test]
fn a_host_that_is_well_without_the_rungs_own_proof_is_not_healed() {
    let mut fleet = Fleet::healing();
    let (case, fence, _) = done(&mut fleet);
    let unproven = refusal(&fleet.verify(("c2", case, fence), &WELL));
    assert!(unproven.contains("no higher one is known"), "{unproven}");
    fleet.boot("b2", 2);
    let down = refusal(&fleet.verify(("c2", case, fence), &AGENT));
    assert!(down.contains("do not see it well"), "{down}");
}

#[test]
fn a_proof_by_a_round_from_before_the_receipt_is_stale() {
    let mut fleet = Fleet::healing();
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.boot("b2", 2);
    let grounds = fleet.round(&WELL);
    fleet.receive(("c2", case, fence), remedy, ReceiptKind::Done);
    let command = Command::Verify { case, fence, grounds };
    let outcome = fleet.send("c2", command);
    assert!(matches!(outcome, Outcome::Refused(Refused::Stale { .. })), "{outcome:?}");
}

#[test]
fn a_lease_that_ran_out_counts_is_taken_over_under_a_higher_fence_and_inspected() {
    let mut fleet = Fleet::healing();
    let (case, old, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.wait(30);
    assert_eq!(fleet.stage(case), "orphaned");
    assert_eq!(fleet.ledger.budgets()[0].used, 1, "law B2");
    let new = fleet.leased(case, "a2");
    assert!(new > old);
    assert_eq!(fleet.stage(case), "remedy", "inspect, never repeat blindly");
    let stale = fleet.send("c2", Command::Renew { case, fence: old });
    assert_eq!(stale, Outcome::Refused(Refused::Fence { current: new }));

    let inspected =
        |kind| Command::Inspected { case, fence: new, found: receipt(remedy, new, kind) };
    assert_eq!(fleet.send("a2", inspected(ReceiptKind::Refused)), Outcome::Done);
    assert_eq!(fleet.stage(case), "leased");
    let soon = refusal(&fleet.intend(("a2", case, new), &AGENT));
    assert!(soon.contains("the healer before may still be at it"), "{soon}");
    fleet.wait(9);
    let outcome = fleet.intend(("a2", case, new), &AGENT);
    assert!(matches!(outcome, Outcome::Intended { .. }), "{outcome:?}");
}

#[test]
fn an_inspection_that_finds_it_done_goes_on_to_the_proof() {
    let mut fleet = Fleet::healing();
    let (case, _, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.wait(30);
    let fence = fleet.leased(case, "a2");
    let found = receipt(remedy, fence, ReceiptKind::Done);
    let command = Command::Inspected { case, fence, found };
    assert_eq!(fleet.send("a2", command), Outcome::Done);
    fleet.boot("b2", 2);
    fleet.verify(("a2", case, fence), &WELL);
    fleet.wait(3);
    fleet.verify(("a2", case, fence), &WELL);
    assert_eq!(fleet.stage(case), "closed");
}

#[test]
fn a_late_receipt_is_not_lost() {
    let mut fleet = Fleet::healing();
    let (case, old, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.wait(30);
    let fence = fleet.leased(case, "a2");
    let stranger = fleet.receive(("a3", case, old), remedy, ReceiptKind::Done);
    assert!(refusal(&stranger).contains("only the healer that began"));
    let late = fleet.receive(("c2", case, old), remedy, ReceiptKind::Done);
    assert_eq!(late, Outcome::Done);
    assert!(
        matches!(&fleet.case(case).stage, Stage::Verifying { lease, .. } if lease.fence == fence)
    );
    let again = fleet.receive(("c2", case, old), remedy, ReceiptKind::Done);
    assert_eq!(again, Outcome::Done, "told twice");
}

#[test]
fn an_end_that_stays_unknown_escalates_and_goes_on_counting_until_a_person_dismisses_it() {
    let mut fleet = Fleet::healing();
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    let unknown = fleet.receive(("c2", case, fence), remedy, ReceiptKind::Unknown);
    assert_eq!(unknown, Outcome::Done);
    assert_eq!(fleet.stage(case), "remedy");
    fleet.wait_renewing(15 * 60, "c2", case, fence);
    assert!(matches!(
        &fleet.case(case).stage,
        Stage::Escalated { counted: Some(lease), .. } if lease.fence == fence
    ));
    assert_eq!(fleet.ledger.budgets()[0].used, 1, "law B2");
    let dismiss = Command::Dismiss { case, order: order("it is off") };
    assert_eq!(fleet.send("a1", dismiss), Outcome::Done);
    assert_eq!(fleet.stage(case), "closed");
    assert_eq!(fleet.ledger.budgets()[0].used, 0);
}

#[test]
fn after_three_takeovers_a_person_is_called() {
    let mut fleet = Fleet::healing();
    let (case, _, _) = fleet.begun("b2", Seen::AgentDown, "c2");
    for healer in ["a2", "a3", "c3"] {
        fleet.wait(30);
        assert_eq!(fleet.stage(case), "orphaned");
        fleet.leased(case, healer);
    }
    fleet.wait(31);
    assert_eq!(fleet.stage(case), "escalated");
    assert_eq!(fleet.ledger.budgets()[0].used, 1, "its remedy's end is unknown");
}

#[test]
fn a_host_is_tried_so_often_and_then_a_person_is_called() {
    let mut fleet = Fleet::healing();
    fleet.set_policy(&POLICY.replace("at_most = 3", "at_most = 1"));
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.receive(("c2", case, fence), remedy, ReceiptKind::Refused);
    let spent = refusal(&fleet.intend(("c2", case, fence), &AGENT));
    assert!(spent.contains("1 of 1 attempts within 1 h 0 min are spent"), "{spent}");
    let release = Command::Release { case, fence, why: "spent".into() };
    fleet.send("c2", release);
    fleet.wait(1);
    assert_eq!(fleet.stage(case), "quarantined");
}

#[test]
fn a_rung_cools_down_on_its_host() {
    let mut fleet = Fleet::healing();
    let (case, fence, _) = done(&mut fleet);
    fleet.boot("b2", 2);
    fleet.verify(("c2", case, fence), &WELL);
    fleet.wait(3);
    fleet.verify(("c2", case, fence), &WELL);
    assert_eq!(fleet.stage(case), "closed");
    let next = fleet.opened("b2", Seen::AgentDown);
    assert_ne!(next, case, "a healed case is over");
    let cools = refusal(&fleet.offer(next, "c2"));
    assert!(cools.contains("rung 1 of \"agent down\" cools down"), "{cools}");
    fleet.wait(66);
    assert!(matches!(fleet.offer(next, "c2"), Outcome::Leased { .. }));
}

#[test]
fn an_agent_that_stays_down_without_a_rule_calls_a_person() {
    let mut fleet = Fleet::nine();
    let case = fleet.opened("b2", Seen::AgentDown);
    fleet.wait(299);
    assert_eq!(fleet.stage(case), "open");
    fleet.wait(1);
    assert_eq!(fleet.stage(case), "escalated");
    let grounds = fleet.round(&WELL);
    let cases = vec![case];
    fleet.send("a1", Command::Recovered { cases, grounds });
    assert_eq!(fleet.stage(case), "closed", "it was mended by hand");
}

#[test]
fn a_healer_that_only_looks_on_loses_its_lease_and_holds_no_budget_for_ever() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    let fence = fleet.leased(case, "c2");
    fleet.wait_renewing(299, "c2", case, fence);
    assert_eq!(fleet.stage(case), "leased");
    fleet.wait(1);
    assert_eq!(fleet.stage(case), "open", "law G2");
    assert_eq!(fleet.case(case).takeovers, 0);
}

#[test]
fn a_case_whose_looks_settle_nothing_is_a_persons_after_five_minutes() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    let fence = fleet.leased(case, "c2");
    fleet.wait(6);
    let outcome = fleet.intend(("c2", case, fence), &[("b2", Seen::HostHung)]);
    assert!(refusal(&outcome).contains("the grounds do not bear it"));
    fleet.wait_renewing(292, "c2", case, fence);
    assert_eq!(fleet.stage(case), "leased");
    fleet.wait(1);
    assert_eq!(fleet.stage(case), "escalated", "law G1");
    assert!(fleet.ledger.budgets().iter().all(|line| line.used == 0));
}

#[test]
fn a_healer_that_renews_and_never_says_what_came_of_it_ends_with_a_person() {
    let mut fleet = Fleet::healing();
    let (case, fence, _) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.wait_renewing(15 * 60 + 9, "c2", case, fence);
    assert_eq!(fleet.stage(case), "remedy");
    fleet.wait(1);
    assert_eq!(fleet.stage(case), "escalated");
}

#[test]
fn an_orphan_that_nobody_takes_over_ends_with_a_person() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    fleet.leased(case, "c2");
    fleet.wait(30);
    assert_eq!(fleet.stage(case), "orphaned");
    fleet.wait(15 * 60);
    assert_eq!(fleet.stage(case), "escalated");
    assert_eq!(fleet.ledger.budgets()[0].used, 0, "nothing was begun");
    assert!(!fleet.ledger.cases().any(|case| case.is_live()));
}
