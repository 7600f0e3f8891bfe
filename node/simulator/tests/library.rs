//! What each scenario of the library comes to: who was judged, that nobody healthy was, and that all is well at the end.

use simulator::library::{self, LIBRARY, Scenario};
use simulator::script::Script;
use simulator::tally::{Tally, Whole};
use simulator::{Fault, Fleet, Setup, Tally as Came, Whom};
use vocabulary::{Label, Scope, Span, VerdictKind};

/// Plays it; what nothing may break is asked of all of them.
fn played(script: &Script, name: &str) -> Came {
    let played = script.play().unwrap_or_else(|fault| panic!("{name}: {fault}"));
    let trace = played.trace();
    let tally = played.tally;
    assert_eq!(played.breaches, [], "{name} breaks laws:\n{trace}");
    assert_eq!(tally.verdicts_false, 0, "{name} condemns the healthy:\n{trace}");
    assert_eq!(tally.remedies_on_well, 0, "{name} heals the healthy:\n{trace}");
    tally
}

fn tally(name: &str) -> Tally {
    let scenario = library::named(name).expect("it is in the library");
    let script = scenario.script().unwrap_or_else(|fault| panic!("{name}: {fault}"));
    played(&script, name)
}

fn is_whole_again(tally: &Tally, within: Span) {
    match tally.whole {
        Whole::After(span) => assert!(span <= within, "{span} is too long"),
        Whole::Always | Whole::NotYet => panic!("{:?}", tally.whole),
    }
}

fn is_found_within(tally: &Tally, span: Span) {
    assert_eq!(tally.troubles_found, tally.troubles);
    let times = tally.time_to_verdict.expect("found");
    assert!(times.p50 <= times.max && times.max <= span, "{times:?}");
}

/// Kind, hosts and number of every verdict, in order.
fn judged(tally: &Tally) -> Vec<(VerdictKind, String)> {
    let of = |judged: &simulator::tally::Judged| (judged.kind.clone(), judged.hosts.join(" "));
    tally.verdicts.iter().map(of).collect()
}

#[test]
fn a_dead_machine_is_found_and_power_cycled_once() {
    let tally = tally("host-death");
    assert_eq!(judged(&tally), [(VerdictKind::HostDown, "a2".into())]);
    is_found_within(&tally, Span::seconds(3));
    assert_eq!((tally.remedies_begun, tally.escalated), (1, 0));
    assert!(tally.in_flight.iter().all(|line| line.most == 1), "{:?}", tally.in_flight);
    is_whole_again(&tally, Span::minutes(1));
}

#[test]
fn a_lost_zone_is_one_case_and_nothing_is_done_to_its_hosts() {
    let tally = tally("zone-loss");
    assert_eq!(judged(&tally), [(VerdictKind::DomainDown, "b1 b2 b3 b4".into())]);
    is_found_within(&tally, Span::seconds(4));
    assert_eq!((tally.troubles, tally.remedies_begun, tally.escalated), (4, 0, 1));
    is_whole_again(&tally, Span::seconds(130));
}

/// A second has rounds for fifty of its 52 hosts.
#[test]
fn a_lost_zone_of_more_hosts_than_a_second_has_rounds_for_is_one_case_and_one_call() {
    let mut fleet = Fleet::new(Setup::grid(156, 3, 1).settled()).expect("it is sound");
    fleet.run(Span::seconds(5));
    fleet.begin_trace();
    fleet.strike(Fault::PowerOff(vec![Whom::NthZone(3)]));
    fleet.run(Span::seconds(6));
    let trace: Vec<String> = fleet.trace().iter().map(|line| line.text.clone()).collect();
    let trace = trace.join("\n");
    let cases: Vec<_> = fleet.ledger().cases().collect();
    let [case] = cases.as_slice() else {
        panic!("one case: {trace}");
    };
    assert!(matches!(case.subject, Scope::Zone(_)), "{trace}");
    assert_eq!((&case.kind, case.members_count), (&VerdictKind::DomainDown, 52));
    let called = trace.matches("a person is called").count();
    assert_eq!(called, 1, "{trace}");
    let tally = fleet.tally();
    assert!(judged(&tally).iter().all(|(kind, _)| *kind == VerdictKind::DomainDown));
    is_found_within(&tally, Span::seconds(5));
    assert_eq!(fleet.breaches(), []);
}

#[test]
fn a_partitioned_rack_is_one_case_and_no_host_of_it_is_condemned() {
    let tally = tally("rack-partition");
    assert_eq!(judged(&tally), [(VerdictKind::DomainDown, "a3 a4".into())]);
    assert_eq!((tally.remedies_begun, tally.escalated), (0, 1));
    is_whole_again(&tally, Span::seconds(70));
}

#[test]
fn one_way_cut_between_two_hosts_condemns_nobody() {
    let tally = tally("one-way-cut");
    assert_eq!(judged(&tally), []);
    assert_eq!((tally.troubles, tally.remedies_begun, tally.escalated), (0, 0, 0));
    assert_eq!(tally.whole, Whole::Always);
}

#[test]
fn a_lossy_switch_and_a_slow_fleet_hide_no_death_and_invent_none() {
    for (name, span) in [("lossy-switch", 5), ("slow-fleet", 6)] {
        let tally = tally(name);
        assert_eq!(judged(&tally), [(VerdictKind::AgentDown, "a2".into())], "{name}");
        is_found_within(&tally, Span::seconds(span));
        assert_eq!((tally.remedies_begun, tally.escalated), (1, 0), "{name}");
        is_whole_again(&tally, Span::minutes(1));
    }
}

#[test]
fn a_rolling_restart_is_no_trouble() {
    let tally = tally("rolling-restart");
    assert_eq!(judged(&tally), []);
    assert_eq!((tally.troubles, tally.remedies_begun, tally.escalated), (0, 0, 0));
    assert_eq!(tally.whole, Whole::Always);
}

#[test]
fn a_bad_deploy_gets_a_remedy_for_three_of_five_hosts_one_after_the_other_and_then_a_person() {
    let tally = tally("bad-deploy");
    assert_eq!((tally.troubles, tally.verdicts_true, tally.escalated), (5, 5, 3));
    assert_eq!(tally.remedies_begun, 3);
    assert!(tally.in_flight.iter().all(|line| line.most <= 1));
    is_whole_again(&tally, Span::minutes(8));
}

#[test]
fn a_flapping_host_is_judged_each_time_and_held_off() {
    let tally = tally("flapping-host");
    assert!(judged(&tally).iter().all(|(_, hosts)| hosts == "a2"), "{:?}", judged(&tally));
    assert_eq!((tally.troubles, tally.remedies_begun), (5, 0));
    is_whole_again(&tally, Span::minutes(2));
}

#[test]
fn a_storm_waits_for_a_person_and_is_healed_one_at_a_time() {
    let tally = tally("storm-and-recovery");
    assert_eq!(tally.notices.get(&VerdictKind::Surge), Some(&1));
    assert_eq!((tally.troubles, tally.remedies_begun), (5, 5));
    assert!(tally.in_flight.iter().all(|line| line.most == 1), "{:?}", tally.in_flight);
    is_whole_again(&tally, Span::minutes(5));
}

#[test]
fn a_stuck_service_is_shown_and_healed_by_nobody_and_is_over_once_it_serves() {
    let tally = tally("stuck-service");
    let unfit = VerdictKind::Unfit(Label::new("service").expect("a name"));
    assert_eq!(tally.notices, [(unfit, 1)].into());
    assert_eq!((judged(&tally), tally.troubles), (vec![], 0), "its agent lives");
    assert_eq!((tally.remedies_begun, tally.escalated), (0, 0));
    is_whole_again(&tally, Span::seconds(90));
}

#[test]
fn law_b1_every_scenario_is_played_on_another_fleet_under_another_seed() {
    for scenario in LIBRARY {
        let script = scenario.script().expect("it is sound").reseeded(11);
        let script = script.with_hosts(Setup::grid(6, 3, 0).hosts);
        let script = script.unwrap_or_else(|fault| panic!("{}: {fault}", scenario.name));
        let tally = played(&script, scenario.name);
        assert_eq!(tally.hosts, 6);
        assert_ne!(tally.whole, Whole::NotYet, "{}: {tally:?}", scenario.name);
    }
}

#[test]
fn each_scenario_says_in_one_line_what_it_shows() {
    for Scenario { name, text, .. } in LIBRARY {
        let scenario = library::named(name).expect("by its name");
        assert!(text.starts_with("# "), "{name}");
        assert!((30..160).contains(&scenario.about().len()), "{name}: {}", scenario.about());
        assert!(scenario.about().ends_with('.'), "{name}");
    }
}
