//! Racks that have become a dark zone are one case: which keeps its number, what ends with it, how it comes back.

mod fleet;

use fleet::*;
use ledger::case::{Closure, Stage};
use ledger::command::{Command, Finding, Outcome};
use ledger::rules;
use vocabulary::{CaseId, Claims, Domain, HostId, Scope, VerdictKind};

/// Zone `b` has two racks of two and `b5`, alone in its own; zones `a` and `c` have three hosts each.
const HOSTS: [(&str, &str); 11] = [
    ("a1", "a-1"),
    ("a2", "a-1"),
    ("a3", "a-2"),
    ("b1", "b-1"),
    ("b2", "b-1"),
    ("b3", "b-2"),
    ("b4", "b-2"),
    ("b5", "b-3"),
    ("c1", "c-1"),
    ("c2", "c-1"),
    ("c3", "c-2"),
];

fn hosts() -> Vec<Claims> {
    HOSTS.iter().map(|(name, rack)| claims_in(name, &name[..1], rack)).collect()
}

/// The same without the host that is alone in its rack.
fn racks_of_two() -> Fleet {
    Fleet::of(hosts().into_iter().filter(|host| host.host.as_str() != "b5").collect())
}

fn rack(name: &str) -> Scope {
    let place = hosts().into_iter().map(|host| host.domain);
    Scope::Rack(place.filter(|place: &Domain| place.rack.as_str() == name).last().expect("a rack"))
}

/// The leader's verdict from a round in which these alone are looked at, and are silent.
fn dark(fleet: &mut Fleet, name: &str, hosts: &[&str], doubted: &[(&str, u64)]) -> CaseId {
    dark_beside(fleet, name, (hosts, &[]), doubted)
}

/// The same while others are silent too, and looked at.
fn dark_beside(
    fleet: &mut Fleet,
    name: &str,
    (hosts, others): (&[&str], &[&str]),
    doubted: &[(&str, u64)],
) -> CaseId {
    let seen: Vec<_> = hosts.iter().chain(others).map(|name| (*name, Seen::HostDown)).collect();
    dark_in(fleet, name, &seen, doubted)
}

/// The leader's verdict on this rack from a round in which no others are looked at than these, so that no others answer.
fn dark_in(
    fleet: &mut Fleet,
    name: &str,
    seen: &[(&str, Seen)],
    doubted: &[(&str, u64)],
) -> CaseId {
    let mut grounds = fleet.round(seen);
    let is_looked_at = |host: &HostId| seen.iter().any(|(name, _)| id(name) == *host);
    grounds.answers.retain(|answer| is_looked_at(&answer.subject));
    let findings = vec![Finding { scope: rack(name), kind: VerdictKind::DomainDown }];
    let command = Command::Verdicts { grounds, findings, doubted: doubts(doubted) };
    let Outcome::Findings(outcomes) = fleet.send("a1", command) else {
        panic!("verdicts are answered by findings");
    };
    *outcomes[0].as_ref().expect("the whole rack is silent")
}

fn goodbye(fleet: &mut Fleet, name: &str) {
    let boot = fleet.ledger.roster().get(&id(name)).and_then(|entry| entry.boot);
    let boot = boot.expect("it lives");
    assert_eq!(fleet.send(name, Command::Left { boot }), Outcome::Done);
}

/// These are seen well, and those are silent still.
fn well(fleet: &mut Fleet, case: CaseId, (hosts, silent): (&[&str], &[&str])) -> Outcome {
    let seen = hosts.iter().map(|name| (*name, Seen::Well));
    let seen: Vec<_> = seen.chain(silent.iter().map(|name| (*name, Seen::HostDown))).collect();
    let grounds = fleet.round(&seen);
    fleet.send("a1", Command::Recovered { cases: vec![case], grounds })
}

fn is_part_of(fleet: &Fleet, case: CaseId, whole: CaseId) -> bool {
    matches!(&fleet.case(case).stage, Stage::Closed { how: Closure::MergedInto(into), .. } if *into == whole)
}

#[test]
fn racks_that_have_become_a_dark_zone_are_one_case_under_the_oldest_number() {
    let mut fleet = racks_of_two();
    let first = dark(&mut fleet, "b-2", &["b3", "b4"], &[]);
    assert_eq!(fleet.case(first).subject, rack("b-2"));
    let told = fleet.ledger.audit().head().number;
    fleet.wait(3_600);
    let second = dark(&mut fleet, "b-1", &["b1", "b2"], &[]);
    let case = fleet.case(first).clone();
    assert_eq!((case.subject.clone(), case.members_count), (zone("b"), 4));
    assert_eq!(case.members.len(), 4);
    assert_eq!(case.opened, fleet.ledger.time(), "the zone's verdict is of this hour");
    assert!(matches!(&case.stage, Stage::Escalated { .. }), "a person's");
    assert!(is_part_of(&fleet, second, first), "{:?}", fleet.case(second).stage);
    assert_eq!(fleet.ledger.cases().count(), 1);
    let history = fleet.history(told);
    assert_eq!(history, ["Verdict", "Escalated", "Closed", "Verdict", "Escalated"]);
}

#[test]
fn under_the_first_rules_racks_stay_what_they_are() {
    let few = hosts().into_iter().filter(|host| host.host.as_str() != "b5").collect();
    let mut fleet = Fleet::under(rules::FIRST, few);
    let first = dark(&mut fleet, "b-2", &["b3", "b4"], &[]);
    dark(&mut fleet, "b-1", &["b1", "b2"], &[]);
    assert_eq!(fleet.case(first).subject, rack("b-2"));
    assert_eq!(fleet.ledger.cases().count(), 2);
}

#[test]
fn a_surge_that_holds_nobody_else_is_part_of_such_a_zone_and_its_brake_is_lifted() {
    let all = [("b1", 1), ("b2", 1), ("b3", 1), ("b4", 1)];
    for (beside, is_over) in [(("b4", 1), true), (("c3", 1), false)] {
        let mut fleet = racks_of_two();
        let doubted = [all[0], all[1], all[2], beside];
        let surge = Command::Surge { doubted: doubts(&doubted) };
        assert_eq!(fleet.send("a1", surge), Outcome::Done);
        let surge = fleet.ledger.brake().surge.expect("four of ten").case;
        let first = dark(&mut fleet, "b-2", &["b3", "b4"], &all);
        assert!(fleet.ledger.brake().surge.is_some(), "a rack is not all of it");
        dark(&mut fleet, "b-1", &["b1", "b2"], &all);
        assert_eq!(is_part_of(&fleet, surge, first), is_over);
        assert_eq!(fleet.ledger.brake().standing().is_none(), is_over);
    }
}

#[test]
fn a_rack_that_the_round_at_hand_sees_well_is_no_part_of_a_dark_zone() {
    let mut fleet = racks_of_two();
    let first = dark(&mut fleet, "b-2", &["b3", "b4"], &[]);
    let seen = [("b1", Seen::HostDown), ("b2", Seen::HostDown), ("b3", Seen::Well)];
    let second = dark_in(&mut fleet, "b-1", &seen, &[]);
    assert_eq!(fleet.case(first).subject, rack("b-2"));
    assert_eq!(fleet.case(second).subject, rack("b-1"));
}

#[test]
fn a_rack_that_is_coming_back_is_no_part_of_a_dark_zone_until_all_of_it_is_silent_again() {
    let mut fleet = racks_of_two();
    let first = dark(&mut fleet, "b-2", &["b3", "b4"], &[]);
    well(&mut fleet, first, (&["b3"], &["b4"]));
    let second = dark(&mut fleet, "b-1", &["b1", "b2"], &[]);
    assert_eq!(fleet.case(first).subject, rack("b-2"), "b3 was seen well");
    assert_eq!(dark(&mut fleet, "b-2", &["b3", "b4"], &[]), first);
    assert_eq!(fleet.case(first).subject, zone("b"));
    assert!(is_part_of(&fleet, second, first));
    // Its hosts come back one by one, and what was seen well before does not count for the zone.
    well(&mut fleet, first, (&["b1", "b2", "b3"], &["b4"]));
    assert_eq!(fleet.stage(first), "escalated");
    well(&mut fleet, first, (&["b4"], &[]));
    assert_eq!(fleet.stage(first), "closed");
}

#[test]
fn a_domain_that_comes_back_waits_for_nobody_who_said_goodbye() {
    for is_first in [true, false] {
        let mut fleet = racks_of_two();
        let case = dark(&mut fleet, "b-2", &["b3", "b4"], &[]);
        if is_first {
            goodbye(&mut fleet, "b4");
            assert_eq!(fleet.stage(case), "escalated", "of b3 nobody knows");
        }
        well(&mut fleet, case, (&["b3"], &["b4"]));
        if !is_first {
            assert_eq!(fleet.stage(case), "escalated", "of b4 nobody knows");
            goodbye(&mut fleet, "b4");
        }
        assert_eq!(fleet.stage(case), "closed");
    }
}

#[test]
fn a_domain_that_comes_back_waits_for_no_name_of_two_machines() {
    let mut fleet = racks_of_two();
    let case = dark(&mut fleet, "b-2", &["b3", "b4"], &[]);
    well(&mut fleet, case, (&["b3"], &["b4"]));
    assert_eq!(fleet.stage(case), "escalated", "of b4 nobody knows");
    fleet.twin("b4");
    assert_eq!(fleet.stage(case), "closed");
}

#[test]
fn a_host_alone_in_its_rack_counts_by_the_round_at_hand_or_by_an_unsettled_doubt() {
    let others = ["b1", "b2", "b3", "b4"];
    let mut fleet = Fleet::of(hosts());
    let first = dark(&mut fleet, "b-2", &["b3", "b4"], &[]);
    dark(&mut fleet, "b-1", &["b1", "b2"], &[]);
    assert_eq!(fleet.case(first).subject, rack("b-2"), "nobody knows of b5");
    // A round looks at it beside a rack that is known already.
    dark_beside(&mut fleet, "b-1", (&["b1", "b2"], &["b5"]), &[]);
    assert_eq!(fleet.case(first).subject, zone("b"));
    assert_eq!(fleet.case(first).members_count, 5);

    let mut fleet = Fleet::of(hosts());
    let first = dark(&mut fleet, "b-2", &["b3", "b4"], &[]);
    dark(&mut fleet, "b-1", &["b1", "b2"], &[]);
    let silent: Vec<_> = others.iter().chain(&["b5"]).map(|name| (*name, Seen::HostDown)).collect();
    let grounds = fleet.round(&silent);
    let alone = fleet.unsettled("b5", 40, grounds).expect("no verdict is borne on it");
    assert_eq!(fleet.case(first).subject, zone("b"));
    assert!(is_part_of(&fleet, alone, first));
}
