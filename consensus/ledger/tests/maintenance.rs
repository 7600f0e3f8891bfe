//! While a window of maintenance is open nothing begins on whom it covers (protocol 6.9).

mod fleet;

use fleet::*;
use ledger::Ledger;
use ledger::command::{Command, Outcome, Refused};
use ledger::maintenance::{Plan, Schedule};
use vocabulary::{CaseId, GroupName, Scope, Span};

fn plan(scope: Scope, minutes: u64) -> Plan {
    Plan { scope, lasts: Span::minutes(minutes), schedule: None }
}

fn nightly(scope: Scope) -> Plan {
    let schedule = Schedule { cron: "0 2 * * *".into(), time_zone: "Europe/Berlin".into() };
    Plan { schedule: Some(schedule), ..plan(scope, 60) }
}

fn ordered(fleet: &mut Fleet, plan: Plan) -> Outcome {
    fleet.send("b1", Command::Maintain { plan, order: order("a new kernel") })
}

fn opened(fleet: &mut Fleet, scope: Scope, minutes: u64) -> u64 {
    match ordered(fleet, plan(scope, minutes)) {
        Outcome::Window { window } => window,
        other => panic!("{other:?}"),
    }
}

fn holds(ledger: &Ledger, case: CaseId) -> Option<u64> {
    match ledger.can_offer(case, id("c2")) {
        Err(Refused::Maintenance { window, .. }) => Some(window),
        _ => None,
    }
}

#[test]
fn law_mw1_nothing_begins_on_whom_an_open_window_covers_and_others_are_healed() {
    let of_web = Scope::Group(GroupName::new("web").expect("sound"));
    let rack =
        Fleet::nine().ledger.roster().get(&id("b2")).map(|entry| entry.claims.domain.clone());
    let rack = Scope::Rack(rack.expect("it belongs"));
    for scope in [Scope::Host(id("b2")), rack, zone("b"), of_web.clone(), Scope::Fleet] {
        let mut fleet = Fleet::healing();
        let covers_all = [&of_web, &Scope::Fleet].contains(&&scope);
        let window = opened(&mut fleet, scope, 10);
        let [inside, outside] = fleet.of_two_kinds();
        fleet.wait(6);
        assert_eq!(holds(&fleet.ledger, inside), Some(window));
        assert_eq!(holds(&fleet.ledger, outside).is_some(), covers_all);
    }
}

#[test]
fn law_mw1_a_lease_that_was_held_begins_nothing_and_what_has_begun_is_verified() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    let fence = fleet.leased(case, "c2");
    opened(&mut fleet, zone("b"), 10);
    fleet.wait(6);
    let refused = fleet.intend(("c2", case, fence), &[("b2", Seen::AgentDown)]);
    assert!(matches!(refused, Outcome::Refused(Refused::Maintenance { .. })), "{refused:?}");

    let mut fleet = Fleet::healing();
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    opened(&mut fleet, zone("b"), 10);
    fleet.proven(("c2", case, fence), remedy, "b2");
}

#[test]
fn a_lease_that_runs_out_in_a_window_with_nothing_begun_under_it_is_taken_over_by_nobody() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    fleet.leased(case, "c2");
    let window = opened(&mut fleet, Scope::Fleet, 60);
    fleet.wait(20 * 60);
    assert_eq!(fleet.stage(case), "open");
    assert_eq!(holds(&fleet.ledger, case), Some(window));
    let end = Command::EndMaintenance { window, order: order("it is done") };
    assert_eq!(fleet.send("b1", end), Outcome::Done);
    fleet.leased(case, "c3");
    assert_eq!(fleet.case(case).takeovers, 0);
}

#[test]
fn law_mw2_a_window_ends_with_its_time_and_healing_goes_on() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    let window = opened(&mut fleet, zone("b"), 1);
    fleet.wait(59);
    assert_eq!(holds(&fleet.ledger, case), Some(window));
    fleet.wait(1);
    assert_eq!(holds(&fleet.ledger, case), None);
    assert_eq!(fleet.ledger.windows().count(), 0);
    assert_eq!(fleet.history(0).iter().filter(|what| *what == "MaintenanceEnded").count(), 1);
    fleet.leased(case, "c2");
}

#[test]
fn law_mw2_a_schedule_opens_each_of_its_times_once_and_for_what_is_left_of_it() {
    let mut fleet = Fleet::healing();
    assert_eq!(ordered(&mut fleet, nightly(zone("b"))), Outcome::Window { window: 1 });
    let case = fleet.opened("b2", Seen::AgentDown);
    assert_eq!(holds(&fleet.ledger, case), None, "it is planned, not open");
    let occurs = |at, minutes| Command::Occurs { window: 1, at, left: Span::minutes(minutes) };
    for (by, command, outcome) in [
        ("c2", occurs(100, 60), None),
        ("a1", occurs(100, 600), Some(Outcome::Done)),
        ("b1", occurs(100, 60), Some(Outcome::Refused(Refused::Nothing))),
        ("b1", occurs(99, 60), Some(Outcome::Refused(Refused::Nothing))),
        ("b1", occurs(101, 60), Some(Outcome::Refused(Refused::Nothing))),
    ] {
        let given = fleet.send(by, command);
        let is_so =
            outcome.as_ref().map_or(matches!(given, Outcome::Refused(_)), |own| *own == given);
        assert!(is_so, "{by}: {given:?}");
    }
    assert_eq!(holds(&fleet.ledger, case), Some(1));
    fleet.wait(60 * 60);
    assert_eq!(
        holds(&fleet.ledger, case),
        None,
        "no longer than its length, whatever a leader says"
    );
    assert_eq!(fleet.send("b1", occurs(200, 30)), Outcome::Done);
    fleet.wait(30 * 60 - 1);
    assert_eq!(holds(&fleet.ledger, case), Some(1));
    fleet.wait(1);
    assert_eq!(holds(&fleet.ledger, case), None);
    assert_eq!(fleet.ledger.windows().count(), 1, "the next night comes");
}

#[test]
fn a_person_ends_a_window_for_good() {
    let mut fleet = Fleet::healing();
    assert_eq!(ordered(&mut fleet, nightly(zone("b"))), Outcome::Window { window: 1 });
    let end = |window| Command::EndMaintenance { window, order: order("it is done") };
    assert_eq!(fleet.send("b1", end(1)), Outcome::Done);
    assert_eq!(fleet.send("b1", end(1)), Outcome::Refused(Refused::Nothing));
    assert_eq!(opened(&mut fleet, zone("b"), 5), 2, "numbers are never given twice");
}

#[test]
fn whoever_works_on_a_host_is_not_called_for_it_until_the_window_is_over() {
    let quiet = POLICY.replace("mode = \"act\"", "mode = \"observe\"");
    let mut fleet = Fleet::nine();
    fleet.set_policy(&quiet);
    let case = fleet.opened("b2", Seen::AgentDown);
    opened(&mut fleet, Scope::Host(id("b2")), 20);
    fleet.wait(20 * 60 - 1);
    assert_eq!(fleet.stage(case), "open", "it has been down for longer than agent_down_for");
    fleet.wait(2);
    assert_eq!(fleet.stage(case), "escalated");
}

#[test]
fn what_is_no_sound_plan_is_refused_by_name() {
    let mut fleet = Fleet::healing();
    let scheduled = |cron: &str| {
        let schedule = Schedule { cron: cron.into(), time_zone: "UTC".into() };
        Plan { schedule: Some(schedule), ..plan(Scope::Fleet, 60) }
    };
    for (plan, why) in [
        (plan(zone("z"), 10), "malformed: no host of the mesh is in that scope"),
        (
            plan(Scope::Fleet, 0),
            "malformed: a window of 0 ms: it lasts from 1 min 0 s to 168 h 0 min",
        ),
        (
            plan(Scope::Fleet, 7 * 24 * 60 + 1),
            "malformed: a window of 168 h 1 min: it lasts from 1 min 0 s to 168 h 0 min",
        ),
        (
            plan(Scope::Host(vocabulary::HostId([9; 16])), 10),
            "no such host in the roster: it enrols itself first",
        ),
        (scheduled(""), "malformed: a schedule and its time zone have 1 to 64 plain letters each"),
        (
            scheduled("0 2 * * *\n"),
            "malformed: a schedule and its time zone have 1 to 64 plain letters each",
        ),
    ] {
        assert_eq!(refusal(&ordered(&mut fleet, plan)), why);
    }
    for _ in 0..256 {
        opened(&mut fleet, Scope::Fleet, 10);
    }
    let full = ordered(&mut fleet, plan(Scope::Fleet, 10));
    assert_eq!(refusal(&full), "a bound is reached, windows of maintenance: 256");
}

#[test]
fn windows_are_the_same_after_a_snapshot() {
    let mut fleet = Fleet::healing();
    ordered(&mut fleet, nightly(zone("b")));
    opened(&mut fleet, zone("c"), 10);
    assert_eq!(Ledger::from_bytes(&fleet.ledger.to_bytes()), Ok(fleet.ledger.clone()));
}
