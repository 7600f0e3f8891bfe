//! How much may begin in an hour and in a day (protocol 6.1; laws SD1, SD2).

mod fleet;

use fleet::*;
use ledger::Ledger;
use ledger::command::Refused;
use ledger::policy::Policy;
use vocabulary::{ReceiptKind, Scope, Span};

const HOUR: u64 = 60 * 60;

fn limited(limit: &str) -> String {
    POLICY.replace("fleet = { in_flight = 2,", &format!("fleet = {{ in_flight = 2, {limit},"))
}

/// A remedy that was begun on this host and proven.
fn healed(fleet: &mut Fleet, host: &str, healer: &str) {
    let (case, fence, remedy) = fleet.begun(host, Seen::AgentDown, healer);
    fleet.proven((healer, case, fence), remedy, host);
}

#[test]
fn as_many_remedies_as_the_hour_allows_and_no_more() {
    let mut fleet = Fleet::healing();
    fleet.set_policy(&limited("per_hour = 1"));
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "a2");
    fleet.receive(("a2", case, fence), remedy, ReceiptKind::Done);
    let second = fleet.opened("c2", Seen::AgentDown);
    assert!(refusal(&fleet.offer(second, "a3")).contains("1 of 1 remedies began"));
    fleet.wait(HOUR);
    assert_eq!(fleet.ledger.can_offer(second, id("a3")), Ok(()));
}

/// Law SD1.
#[test]
fn as_many_remedies_as_the_day_allows_and_a_start_counts_for_a_day_and_at_most_a_quarter_of_an_hour()
 {
    let mut fleet = Fleet::healing();
    fleet.set_policy(&limited("per_day = 1"));
    healed(&mut fleet, "b2", "a2");
    let began = fleet.ledger.time();
    let second = fleet.opened("c2", Seen::AgentDown);
    let Err(Refused::PerDay { scope, used, limit, left }) =
        fleet.ledger.can_offer(second, id("a3"))
    else {
        panic!("it is held by the day: {:?}", fleet.ledger.holds(second));
    };
    assert_eq!((scope, used, limit), (Scope::Fleet, 1, 1));
    assert!(left <= Span::minutes(24 * 60 + 15) && left > Span::minutes(23 * 60 + 59), "{left}");
    let told = refusal(&fleet.offer(second, "a3"));
    assert!(told.contains("fleet: 1 of 1 remedies began within the day; one is free in"), "{told}");
    let held = |fleet: &Fleet| fleet.ledger.can_offer(second, id("a3")).is_err();
    while held(&fleet) {
        fleet.wait(60);
    }
    let counted = fleet.ledger.time().since(began);
    assert!(
        counted > Span::minutes(24 * 60 - 2) && counted <= Span::minutes(24 * 60 + 16),
        "{counted}"
    );
    assert_eq!(fleet.ledger.budgets()[0].begun_in_a_day, 0);
}

/// Law SD1: whichever policy was in force, so that each scope of it counts its own.
#[test]
fn what_began_under_another_policy_counts_as_long_as_days_are_bounded() {
    let of_zones =
        POLICY.replace("zone = { in_flight = 2,", "zone = { in_flight = 2, per_day = 1,");
    for (before, counts) in [(limited("per_day = 9"), true), (POLICY.to_owned(), false)] {
        let mut fleet = Fleet::healing();
        fleet.set_policy(&before);
        healed(&mut fleet, "b2", "a2");
        fleet.wait(2 * HOUR);
        fleet.set_policy(&of_zones);
        let lines = fleet.ledger.budgets();
        let of_zone = |name: &str| {
            let line = lines.iter().find(|line| line.scope == zone(name));
            line.map(|line| (line.begun, line.begun_in_a_day, line.per_day))
        };
        assert_eq!(of_zone("b"), Some((0, u32::from(counts), Some(1))));
        assert_eq!(of_zone("c"), Some((0, 0, Some(1))));
        let [same, other] = ["b3", "c2"].map(|host| fleet.opened(host, Seen::AgentDown));
        let held = matches!(fleet.ledger.can_offer(same, id("a2")), Err(Refused::PerDay { .. }));
        assert_eq!(held, counts);
        assert_eq!(fleet.ledger.can_offer(other, id("a2")), Ok(()));
        let stuck: Vec<_> = fleet.ledger.stuck().iter().map(|(case, _)| case.id).collect();
        assert_eq!(
            stuck,
            if counts { vec![same] } else { vec![] },
            "a person is called for a spent day"
        );
    }
}

/// A limit that is lowered is free once as many have ended as are beyond it.
#[test]
fn what_is_told_to_end_is_what_frees_one_under_a_lowered_limit() {
    let mut fleet = Fleet::healing();
    fleet.set_policy(&limited("per_day = 9, per_hour = 9"));
    for (host, healer) in [("b2", "a2"), ("b3", "a2"), ("c2", "a2")] {
        healed(&mut fleet, host, healer);
        fleet.wait(10 * 60);
    }
    let case = fleet.opened("c3", Seen::AgentDown);
    for limit in ["per_hour", "per_day"] {
        fleet.set_policy(
            &limited(&format!("{limit} = 2")).replace("per_hour = 2", "per_hour = 2, per_day = 9"),
        );
        let Err(Refused::PerHour { used, left, .. } | Refused::PerDay { used, left, .. }) =
            fleet.ledger.can_offer(case, id("a2"))
        else {
            panic!("{limit} holds it: {:?}", fleet.ledger.holds(case));
        };
        assert_eq!(used, 3);
        let day = if limit == "per_hour" { 0 } else { 23 * 60 };
        let minutes = left.as_milliseconds() / 60_000;
        assert!(
            (day + 38..day + 60).contains(&minutes),
            "{limit}: the second to end frees one, {left}"
        );
    }
}

/// Law C5.
#[test]
fn days_are_known_from_rules_2_on_and_a_snapshot_keeps_them() {
    let text = limited("per_day = 3");
    let faults = Policy::read_under(1, "policy.toml", &text).expect_err("rules 1 know no days");
    assert!(faults[0].to_string().contains("counts no days"), "{faults:?}");
    let mut fleet = Fleet::healing();
    fleet.set_policy(&text);
    healed(&mut fleet, "b2", "a2");
    let read = Ledger::from_bytes(&fleet.ledger.to_bytes()).expect("sound");
    assert_eq!(read, fleet.ledger);
    let line = &read.budgets()[0];
    assert_eq!((line.begun, line.begun_in_a_day, line.per_day), (1, 1, Some(3)));
}
