//! Under mode "approve" nothing begins without a person's word for that very rung, and what a person denies is a person's (protocol 6.8).

mod fleet;

use fleet::*;
use ledger::command::{Command, Outcome, Refused};
use ledger::view::Step;
use vocabulary::{CaseId, ReceiptKind};

/// [`POLICY`] with a person's word before each rung.
fn asking() -> String {
    POLICY.replace("mode = \"act\"", "mode = \"approve\"")
}

fn fleet_that_asks() -> Fleet {
    let mut fleet = Fleet::nine();
    fleet.set_policy(&asking());
    fleet
}

/// The verdict is proposed by `a1`, as all of this fleet are.
fn waiting(fleet: &mut Fleet) -> CaseId {
    let case = fleet.opened("b2", Seen::AgentDown);
    fleet.wait(6);
    case
}

fn approval(fleet: &Fleet, case: CaseId) -> Command {
    let shown = fleet.ledger.shown(fleet.case(case));
    Command::Approve { case, shown, order: order("go on") }
}

fn approve(fleet: &mut Fleet, case: CaseId) {
    let command = approval(fleet, case);
    assert_eq!(fleet.send("b1", command), Outcome::Done);
}

fn deny(fleet: &mut Fleet, case: CaseId) -> Outcome {
    fleet.send("b1", Command::Deny { case, order: order("it is being moved") })
}

fn asks(outcome: &Outcome) -> Option<u32> {
    match outcome {
        Outcome::Refused(Refused::Approval { rung, .. }) => Some(*rung),
        _ => None,
    }
}

#[test]
fn law_ap1_no_lease_is_granted_before_a_person_has_said_yes() {
    let mut fleet = fleet_that_asks();
    let case = waiting(&mut fleet);
    assert_eq!(asks(&fleet.offer(case, "c2")), Some(1));
    let holds = fleet.ledger.holds(case);
    assert_eq!((holds.len(), holds[0].step), (1, Step::Lease));
    assert_eq!(
        holds[0].rule.to_string(),
        "rule \"agent down\" waits for a person's word before rung 1, `/bin/start`: `hale approve 1 --verdict AgentDown --rung 1 --if-version 1 --why ...` or \
         `hale deny 1 --why ...`, the former at another keeper's host than a1"
    );
    approve(&mut fleet, case);
    let fence = fleet.leased(case, "c2");
    let outcome = fleet.intend(("c2", case, fence), &[("b2", Seen::AgentDown)]);
    remedy(&outcome);
}

#[test]
fn law_ap1_one_word_begins_one_remedy_and_the_next_rung_waits_for_another() {
    let mut fleet = fleet_that_asks();
    let case = waiting(&mut fleet);
    approve(&mut fleet, case);
    let fence = fleet.leased(case, "c2");
    let begun = remedy(&fleet.intend(("c2", case, fence), &[("b2", Seen::AgentDown)]));
    fleet.receive(("c2", case, fence), begun, ReceiptKind::Done);
    fleet.wait_renewing(31, "c2", case, fence);
    assert_eq!((fleet.stage(case), fleet.case(case).rung), ("open", 1), "its proof never came");
    assert_eq!(asks(&fleet.offer(case, "c2")), Some(2));
    approve(&mut fleet, case);
    fleet.leased(case, "c2");
}

#[test]
fn law_ap1_a_word_is_over_after_its_time_and_a_lease_without_one_goes_back() {
    let mut fleet = fleet_that_asks();
    let case = waiting(&mut fleet);
    approve(&mut fleet, case);
    fleet.wait(14 * 60);
    let fence = fleet.leased(case, "c2");
    fleet.wait_renewing(59, "c2", case, fence);
    assert_eq!(fleet.stage(case), "leased");
    fleet.wait_renewing(1, "c2", case, fence);
    assert_eq!(fleet.stage(case), "open");
    assert_eq!(asks(&fleet.offer(case, "c2")), Some(1));
}

#[test]
fn law_ap1_a_word_is_for_one_kind_of_trouble_one_rung_and_one_policy() {
    let mut fleet = fleet_that_asks();
    let case = waiting(&mut fleet);
    approve(&mut fleet, case);
    assert!(fleet.ledger.can_offer(case, id("c2")).is_ok());
    fleet.opened("b2", Seen::HostDown);
    fleet.wait(11);
    assert_eq!(asks(&fleet.offer(case, "c2")), Some(1), "it is another kind by now");
    approve(&mut fleet, case);
    fleet.set_policy(&asking().replace("/bin/reboot", "/bin/cycle"));
    assert_eq!(asks(&fleet.offer(case, "c2")), Some(1), "another policy runs something else");
}

#[test]
fn law_ap1_a_word_for_what_is_not_so_any_more_is_refused() {
    let mut fleet = fleet_that_asks();
    let case = waiting(&mut fleet);
    let seen = approval(&fleet, case);
    fleet.opened("b2", Seen::HostDown);
    assert_eq!(refusal(&fleet.send("b1", seen)), "the case is in other trouble by now");
    let seen = approval(&fleet, case);
    fleet.set_policy(&asking().replace("/bin/reboot", "/bin/cycle"));
    assert_eq!(fleet.send("b1", seen), Outcome::Refused(Refused::PolicyVersion(2)));
    let Command::Approve { mut shown, order, .. } = approval(&fleet, case) else {
        panic!("it is one")
    };
    shown.rung = 1;
    assert_eq!(
        refusal(&fleet.send("b1", Command::Approve { case, shown, order })),
        "the case is at rung 1 of its ladder by now"
    );
}

#[test]
fn law_ap1_a_word_from_before_another_kind_of_trouble_stays_void_when_that_is_over() {
    let mut fleet = fleet_that_asks();
    let case = waiting(&mut fleet);
    approve(&mut fleet, case);
    fleet.opened("b2", Seen::HostDown);
    fleet.opened("b2", Seen::AgentDown);
    fleet.wait(6);
    assert_eq!(asks(&fleet.offer(case, "c2")), Some(1));
}

#[test]
fn law_ap1_a_lease_that_ran_out_is_taken_over_to_inspect_and_for_nothing_else() {
    let mut fleet = fleet_that_asks();
    let case = waiting(&mut fleet);
    approve(&mut fleet, case);
    let fence = fleet.leased(case, "c2");
    let begun = remedy(&fleet.intend(("c2", case, fence), &[("b2", Seen::AgentDown)]));
    fleet.wait(31);
    assert_eq!(fleet.stage(case), "orphaned");
    let fence = fleet.leased(case, "c3");
    fleet.wait(1);
    assert_eq!(fleet.stage(case), "remedy", "it is inspected without another word");
    let found = receipt(begun, fence, ReceiptKind::Refused);
    fleet.send("c3", Command::Inspected { case, fence, found });
    assert_eq!(fleet.stage(case), "leased", "it never ran: the word is not spent");
    fleet.wait_renewing(10, "c3", case, fence);
    remedy(&fleet.intend(("c3", case, fence), &[("b2", Seen::AgentDown)]));
}

#[test]
fn law_ap1_a_lease_under_which_nothing_was_begun_is_not_taken_over_without_a_word() {
    let mut fleet = fleet_that_asks();
    let case = waiting(&mut fleet);
    approve(&mut fleet, case);
    fleet.leased(case, "c2");
    fleet.wait(31);
    assert_eq!(fleet.stage(case), "orphaned");
    fleet.set_policy(&asking().replace("/bin/reboot", "/bin/cycle"));
    assert_eq!(asks(&fleet.offer(case, "c3")), Some(1));
    assert_eq!(fleet.ledger.stuck().len(), 1, "a person is asked");
    approve(&mut fleet, case);
    fleet.leased(case, "c3");

    let mut fleet = fleet_that_asks();
    let case = waiting(&mut fleet);
    approve(&mut fleet, case);
    fleet.leased(case, "c2");
    fleet.wait(31);
    assert_eq!(deny(&mut fleet, case), Outcome::Done);
    assert!(fleet.case(case).counted_lease().is_none());
}

#[test]
fn law_ap1_a_remedy_that_was_refused_spends_no_word() {
    let mut fleet = fleet_that_asks();
    let case = waiting(&mut fleet);
    approve(&mut fleet, case);
    let fence = fleet.leased(case, "c2");
    let begun = remedy(&fleet.intend(("c2", case, fence), &[("b2", Seen::AgentDown)]));
    fleet.receive(("c2", case, fence), begun, ReceiptKind::Refused);
    fleet.wait_renewing(1, "c2", case, fence);
    remedy(&fleet.intend(("c2", case, fence), &[("b2", Seen::AgentDown)]));
}

#[test]
fn law_ap2_neither_who_found_the_trouble_nor_who_is_in_it_carries_the_word() {
    let mut fleet = fleet_that_asks();
    let case = fleet.opened("b1", Seen::AgentDown);
    fleet.wait(6);
    let command = approval(&fleet, case);
    for (through, why) in [
        (
            "a1",
            "not permitted: the keeper whose agent was asked proposed this verdict; order it at another keeper's host",
        ),
        (
            "b1",
            "not permitted: the case is about the host whose agent was asked; order it at another keeper's host",
        ),
    ] {
        assert_eq!(refusal(&fleet.send(through, command.clone())), why);
    }
    assert_eq!(fleet.send("c1", command), Outcome::Done);
}

#[test]
fn law_ap2_whoever_proposes_another_kind_of_trouble_is_its_party() {
    let mut fleet = fleet_that_asks();
    let case = waiting(&mut fleet);
    let grounds = fleet.round(&[("b2", Seen::HostDown)]);
    let findings = vec![ledger::command::Finding {
        scope: vocabulary::Scope::Host(id("b2")),
        kind: vocabulary::VerdictKind::HostDown,
    }];
    fleet.send("b1", Command::Verdicts { grounds, findings, doubted: vec![] });
    assert_eq!(fleet.case(case).kind, vocabulary::VerdictKind::HostDown);
    let command = approval(&fleet, case);
    assert!(matches!(
        fleet.send("b1", command.clone()),
        Outcome::Refused(Refused::NotPermitted(_))
    ));
    assert_eq!(fleet.send("a1", command), Outcome::Done);
}

#[test]
fn law_ap2_whoever_tells_the_same_verdict_again_is_no_party() {
    let mut fleet = fleet_that_asks();
    let case = waiting(&mut fleet);
    fleet.wait(10);
    let grounds = fleet.round(&[("b2", Seen::AgentDown)]);
    let findings = vec![ledger::command::Finding {
        scope: vocabulary::Scope::Host(id("b2")),
        kind: vocabulary::VerdictKind::AgentDown,
    }];
    fleet.send("b1", Command::Verdicts { grounds, findings, doubted: vec![] });
    let command = approval(&fleet, case);
    assert!(matches!(
        fleet.send("a1", command.clone()),
        Outcome::Refused(Refused::NotPermitted(_))
    ));
    assert_eq!(fleet.send("b1", command), Outcome::Done);
}

#[test]
fn whom_a_person_has_allowed_goes_first_and_whom_nobody_has_waits_for_its_proof() {
    let mut fleet = fleet_that_asks();
    let cases = ["b2", "c2"].map(|name| {
        fleet.wait(60);
        fleet.opened(name, Seen::AgentDown)
    });
    fleet.wait(6);
    assert_eq!(fleet.ledger.stuck().len(), 2);
    approve(&mut fleet, cases[1]);
    assert!(fleet.ledger.stuck().is_empty(), "the other one follows what comes of this");
    let first = fleet.ledger.holds(cases[0]).remove(0).rule;
    assert_eq!(first, Refused::Canary { case: cases[1], is_elsewhere: false });
    fleet.leased(cases[1], "c3");
}

#[test]
fn whom_a_person_has_allowed_and_who_cannot_go_keeps_nobody_waiting() {
    let mut fleet = fleet_that_asks();
    let cases = ["b2", "c2"].map(|name| {
        fleet.wait(60);
        fleet.opened(name, Seen::AgentDown)
    });
    fleet.wait(6);
    approve(&mut fleet, cases[0]);
    let (scope, lasts) = (vocabulary::Scope::Host(id("b2")), vocabulary::Span::minutes(10));
    let plan = ledger::maintenance::Plan { scope, lasts, schedule: None };
    fleet.send("b1", Command::Maintain { plan, order: order("a new disk") });
    let stuck = fleet.ledger.stuck();
    assert_eq!(stuck.len(), 1, "{stuck:?}");
    assert_eq!(stuck[0].0.id, cases[1], "that person is asked for the other one");
}

#[test]
fn whom_a_person_has_allowed_waits_for_nobody_elsewhere_who_waits_for_a_person() {
    let quick =
        asking().replace("at_most = 3", "at_most = 1").replace("in_flight = 1", "in_flight = 2");
    let mut fleet = Fleet::of(
        [
            ("a1", "a", "1"),
            ("b1", "b", "1"),
            ("c1", "c", "1"),
            ("b2", "b", "2"),
            ("b3", "b", "2"),
            ("c2", "c", "2"),
            ("c3", "c", "3"),
        ]
        .map(|(name, zone, rack)| claims_in(name, zone, rack))
        .into(),
    );
    fleet.set_policy(&quick);
    let failed = waiting(&mut fleet);
    approve(&mut fleet, failed);
    let fence = fleet.leased(failed, "c3");
    let begun = remedy(&fleet.intend(("c3", failed, fence), &[("b2", Seen::AgentDown)]));
    fleet.receive(("c3", failed, fence), begun, ReceiptKind::Done);
    fleet.wait_renewing(31, "c3", failed, fence);
    fleet.wait(2);
    let [same_rack, elsewhere] = ["b3", "c2"].map(|name| {
        fleet.wait(60);
        fleet.opened(name, Seen::AgentDown)
    });
    fleet.wait(6);
    let holds = |fleet: &Fleet, case| fleet.ledger.holds(case).remove(0).rule;
    let first = Refused::Canary { case: elsewhere, is_elsewhere: true };
    assert_eq!(holds(&fleet, same_rack), first);
    let command = approval(&fleet, same_rack);
    assert_eq!(fleet.send("c1", command), Outcome::Done);
    fleet.leased(same_rack, "c3");
}

#[test]
fn law_ap3_what_is_denied_is_a_persons_and_its_lease_is_over() {
    let mut fleet = fleet_that_asks();
    let case = waiting(&mut fleet);
    approve(&mut fleet, case);
    let fence = fleet.leased(case, "c2");
    assert_eq!(deny(&mut fleet, case), Outcome::Done);
    assert_eq!(fleet.stage(case), "escalated");
    assert!(fleet.case(case).counted_lease().is_none());
    let outcome = fleet.intend(("c2", case, fence), &[("b2", Seen::AgentDown)]);
    assert_eq!(outcome, Outcome::Refused(Refused::Stage("escalated".into())));
    let history = fleet.history(0);
    let ends: Vec<&str> = history.iter().rev().take(3).map(String::as_str).collect();
    assert_eq!(ends, ["Escalated", "LeaseOver", "Denied"]);
}

#[test]
fn what_has_begun_is_neither_approved_nor_denied() {
    let mut fleet = fleet_that_asks();
    let case = waiting(&mut fleet);
    approve(&mut fleet, case);
    let fence = fleet.leased(case, "c2");
    remedy(&fleet.intend(("c2", case, fence), &[("b2", Seen::AgentDown)]));
    let begun = Outcome::Refused(Refused::Stage("remedy".into()));
    assert_eq!(deny(&mut fleet, case), begun);
    let command = approval(&fleet, case);
    assert_eq!(fleet.send("b1", command), begun);
}

#[test]
fn a_rule_that_acts_is_denied_but_waits_for_nobody() {
    let mut fleet = Fleet::healing();
    let case = waiting(&mut fleet);
    let command = approval(&fleet, case);
    assert_eq!(
        refusal(&fleet.send("b1", command)),
        "not permitted: rule \"agent down\" waits for nobody's approval"
    );
    assert_eq!(deny(&mut fleet, case), Outcome::Done);
    assert_eq!(fleet.stage(case), "escalated");
}

#[test]
fn a_person_is_called_once_nothing_but_that_persons_word_is_awaited() {
    let mut fleet = fleet_that_asks();
    let case = fleet.opened("b2", Seen::HostDown);
    let waits = |fleet: &Fleet| {
        let stuck = fleet.ledger.stuck();
        stuck
            .iter()
            .map(|(case, rule)| (case.id, asks(&Outcome::Refused(rule.clone()))))
            .collect::<Vec<_>>()
    };
    assert_eq!(waits(&fleet), [], "the verdict must stand for a while first");
    fleet.wait(10);
    assert_eq!(waits(&fleet), [(case, Some(1))]);
    approve(&mut fleet, case);
    assert_eq!(waits(&fleet), []);
}

#[test]
fn law_ap1_a_word_ends_with_its_trouble_also_where_the_host_falls_again() {
    let mut fleet = fleet_that_asks();
    let case = waiting(&mut fleet);
    approve(&mut fleet, case);
    let grounds = fleet.round(&[("b2", Seen::Well)]);
    fleet.send("a1", Command::Recovered { cases: vec![case], grounds });
    assert_eq!(fleet.stage(case), "closed");
    assert_eq!(fleet.opened("b2", Seen::AgentDown), case, "a host that flips is one case");
    fleet.wait(11);
    assert_eq!(asks(&fleet.offer(case, "c2")), Some(1));
}

#[test]
fn nothing_is_remembered_of_a_case_that_is_closed() {
    let mut fleet = fleet_that_asks();
    let case = waiting(&mut fleet);
    approve(&mut fleet, case);
    // What is kept for approvals is nobody's to read.
    let is_remembered = |fleet: &Fleet| {
        !format!("{:?}", fleet.ledger).contains("Approvals { proposers: {}, given: {} }")
    };
    assert!(is_remembered(&fleet));
    let seen_to = Command::Dismiss { case, order: order("seen to") };
    assert_eq!(fleet.send("b1", seen_to), Outcome::Done);
    assert!(!is_remembered(&fleet));
}
