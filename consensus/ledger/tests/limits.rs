//! Budgets, floors, halts and brakes: what holds a case back, and what frees it (protocol 6; laws B1, B2, P1).

mod fleet;

use fleet::*;
use ledger::command::{Command, Outcome, Refused};
use ledger::view::{Hold, Step};
use vocabulary::{CaseId, ReceiptKind};

const WELL: [(&str, Seen); 1] = [("b2", Seen::Well)];

#[test]
fn budgets_count_in_every_scope_and_the_next_to_end_frees_one() {
    let mut fleet = Fleet::healing();
    fleet.set_policy(&POLICY.replace("fleet = { in_flight = 2", "fleet = { in_flight = 1"));
    let [first, second] = fleet.of_two_kinds();
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
    let [first, second] = fleet.of_two_kinds();
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
    let outcome = fleet.intend(("a2", first, fence), &[("b2", Seen::AgentDown)]);
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
fn under_a_brake_nothing_begins_and_what_has_begun_goes_on() {
    let mut fleet = Fleet::healing();
    let waiting = fleet.opened("c2", Seen::HostDown);
    fleet.wait(5);
    let held = fleet.leased(waiting, "a2");
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c3");
    assert_eq!(fleet.send("a1", Command::Pause(order("look"))), Outcome::Done);
    let seen = [("c2", Seen::HostDown)];
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
