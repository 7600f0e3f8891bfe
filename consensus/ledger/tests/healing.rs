//! From case to closure: lease, intent, receipt, proof; and everything that says no on the way.

mod fleet;

use fleet::*;
use ledger::case::{Closure, Stage};
use ledger::command::{Command, Outcome, Refused};
use ledger::policy::Rung;
use ledger::verify_chain;
use ledger::view::{Hold, Step};
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
fn budgets_count_in_every_scope_and_the_next_to_end_frees_one() {
    let mut fleet = Fleet::healing();
    fleet.set_policy(&POLICY.replace("fleet = { in_flight = 2", "fleet = { in_flight = 1"));
    let [first, second] = ["b2", "c2"].map(|name| fleet.opened(name, Seen::AgentDown));
    let fence = fleet.leased(first, "a2");
    let refused = refusal(&fleet.offer(second, "a3"));
    assert!(refused.contains("fleet: 1 of 1 in flight"), "{refused}");
    let holds = fleet.ledger.holds(second);
    assert_eq!(holds.len(), 1);
    assert_eq!(holds[0].step, Step::Lease);
    let line = fleet.ledger.budgets().remove(0);
    assert_eq!((line.used, line.limit, line.unhealthy), (1, 1, 2));
    assert!(line.next_free.is_some());
    let release = Command::Release { case: first, fence, why: "it leaves".into() };
    assert_eq!(fleet.send("a2", release), Outcome::Done);
    assert!(matches!(fleet.offer(second, "a3"), Outcome::Leased { .. }));
}

#[test]
fn a_lowered_limit_stops_grants_and_nothing_else() {
    let mut fleet = Fleet::healing();
    let [first, second] = ["b2", "c2"].map(|name| fleet.opened(name, Seen::AgentDown));
    let fences = [fleet.leased(first, "a2"), fleet.leased(second, "a3")];
    fleet.set_policy(&POLICY.replace("fleet = { in_flight = 2", "fleet = { in_flight = 1"));
    let fence = fences[1];
    let renewed = fleet.send("a3", Command::Renew { case: second, fence });
    assert_eq!(renewed, Outcome::Leased { fence });
    let third = fleet.opened("b3", Seen::AgentDown);
    let holds = fleet.ledger.holds(third);
    let spent = |hold: &Hold| hold.rule.to_string().contains("fleet: 2 of 1 in flight");
    assert!(holds.iter().any(spent), "{holds:?}");
}

#[test]
fn a_halt_is_of_the_moment_and_stops_lease_and_intent() {
    let mut fleet = Fleet::healing();
    let halting = POLICY.replace(
        "fleet = { in_flight = 2, halt_above = \"none\"",
        "fleet = { in_flight = 2, halt_above = 1",
    );
    fleet.set_policy(&halting);
    let first = fleet.opened("b2", Seen::AgentDown);
    let fence = fleet.leased(first, "a2");
    let second = fleet.opened("c2", Seen::AgentDown);
    assert!(refusal(&fleet.offer(second, "a3")).contains("above 1 healing halts"));
    fleet.wait(6);
    let both = [("b2", Seen::AgentDown), ("c2", Seen::AgentDown)];
    let halted = fleet.intend(("a2", first, fence), &both);
    assert!(refusal(&halted).contains("2 hosts are unhealthy"));
    let grounds = fleet.round(&[("c2", Seen::Well)]);
    let cases = vec![second];
    fleet.send("a1", Command::Recovered { cases, grounds });
    let outcome = fleet.intend(("a2", first, fence), &AGENT);
    assert!(matches!(outcome, Outcome::Intended { .. }), "{outcome:?}");
}

#[test]
fn a_floor_keeps_hosts_that_may_serve_and_not_those_that_are_dead() {
    let hung = POLICY.replace("AgentDown", "HostHung").replace("\"gentle\"", "\"disruptive\"");
    let floor = hung
        .replace("any_group = { in_flight = 2", "any_group = { in_flight = 2, floor = \"100%\"");
    let mut fleet = Fleet::nine();
    fleet.set_policy(&floor);
    let serves = fleet.opened("b2", Seen::HostHung);
    assert!(refusal(&fleet.offer(serves, "a2")).contains("only 8 hosts"));
    let dead = fleet.opened("c2", Seen::HostDown);
    fleet.wait(10);
    assert!(matches!(fleet.offer(dead, "a2"), Outcome::Leased { .. }));
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
fn healing_never_takes_the_keepers_majority() {
    let mut fleet = Fleet::healing();
    let first = fleet.opened("b1", Seen::AgentDown);
    assert_eq!(fleet.ledger.can_offer(first, id("a2")), Ok(()));
    let second = fleet.opened("c1", Seen::AgentDown);
    for case in [first, second] {
        let refused = refusal(&fleet.offer(case, "a2"));
        assert!(refused.contains("of the other keepers 1 is in trouble"), "{refused}");
    }
}

#[test]
fn as_many_remedies_as_the_hour_allows_and_no_more() {
    let mut fleet = Fleet::healing();
    fleet.set_policy(
        &POLICY.replace("fleet = { in_flight = 2,", "fleet = { in_flight = 2, per_hour = 1,"),
    );
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "a2");
    fleet.receive(("a2", case, fence), remedy, ReceiptKind::Done);
    let second = fleet.opened("c2", Seen::AgentDown);
    assert!(refusal(&fleet.offer(second, "a3")).contains("1 of 1 remedies began"));
    fleet.wait(3_600);
    assert_eq!(fleet.ledger.can_offer(second, id("a3")), Ok(()));
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
fn under_a_brake_nothing_begins_and_what_has_begun_goes_on() {
    let mut fleet = Fleet::healing();
    let waiting = fleet.opened("c2", Seen::AgentDown);
    let held = fleet.leased(waiting, "a2");
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c3");
    assert_eq!(fleet.send("a1", Command::Pause(order("look"))), Outcome::Done);
    let seen = [("c2", Seen::AgentDown)];
    let braked = refusal(&fleet.intend(("a2", waiting, held), &seen));
    assert!(braked.contains("paused by ops: look"), "{braked}");
    let healer = ("c3", case, fence);
    assert_eq!(fleet.receive(healer, remedy, ReceiptKind::Done), Outcome::Done);
    fleet.boot("b2", 2);
    assert_eq!(fleet.verify(healer, &WELL), Outcome::Done);
}

#[test]
fn after_a_brake_healing_goes_one_two_four_at_a_time() {
    let mut fleet = Fleet::healing();
    let wide = POLICY.replace("in_flight = 2", "in_flight = 9");
    fleet.set_policy(&wide);
    let nothing = fleet.send("a1", Command::Resume(order("nothing stands")));
    assert_eq!(nothing, Outcome::Refused(Refused::Nothing));
    let cases: Vec<CaseId> = ["a2", "b2", "c2", "a3"]
        .map(|name| (name, Seen::AgentDown))
        .chunks(1)
        .map(|seen| fleet.verdicts(seen).remove(0).expect("a case"))
        .collect();
    let surge = fleet.ledger.brake().surge.expect("four at once are a surge");
    assert_eq!(fleet.send("a1", Command::Resume(order("seen"))), Outcome::Done);
    assert_eq!(fleet.stage(surge.case), "closed");
    assert!(fleet.ledger.brake().standing().is_none());
    let fence = fleet.leased(cases[0], "b3");
    let second = refusal(&fleet.offer(cases[1], "c3"));
    assert!(second.contains("allows 1 at once"), "{second}");
    fleet.wait(6);
    let outcome = fleet.intend(("b3", cases[0], fence), &[("a2", Seen::AgentDown)]);
    let remedy = remedy(&outcome);
    let healer = ("b3", cases[0], fence);
    fleet.receive(healer, remedy, ReceiptKind::Done);
    fleet.boot("a2", 2);
    fleet.verify(healer, &[("a2", Seen::Well)]);
    fleet.wait(3);
    fleet.verify(healer, &[("a2", Seen::Well)]);
    assert_eq!(fleet.stage(cases[0]), "closed");
    fleet.wait(1);
    assert_eq!(fleet.ledger.brake().ramp.expect("goes on").limit, 2);
    fleet.leased(cases[1], "b3");
    fleet.leased(cases[2], "c3");
    let fourth = refusal(&fleet.offer(cases[3], "b3"));
    assert!(fourth.contains("allows 2 at once"), "{fourth}");
    fleet.wait(600);
    assert!(fleet.ledger.brake().ramp.is_none_or(|ramp| ramp.limit == 4), "its time was over");
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
