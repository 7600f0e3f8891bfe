//! Reboot slots of FleetLock clients (protocol 6.12; laws FL1 to FL4).

mod fleet;

use fleet::*;
use ledger::Ledger;
use ledger::bindings::{FleetLockId, IDS_OF_A_HOST_MAX};
use ledger::command::{Command, Outcome, Refused};
use ledger::slot_grants::GRANTS_OF_ONE_MAX;
use ledger::slots::{OVERDUE_AFTER, REBOOT_WITHIN};
use vocabulary::{CaseId, Fence, HostId, Scope, VerdictKind};

fn client(name: &str) -> FleetLockId {
    FleetLockId::new(name).expect("sound")
}

fn take(name: &str) -> Command {
    Command::TakeSlot { client: client(name), group: "web".into() }
}

fn give_back(name: &str) -> Command {
    Command::ReturnSlot { client: client(name), before: Fence(u64::MAX) }
}

fn bind(name: &str, host: Option<HostId>) -> Command {
    Command::BindClient { client: client(name), host, order: Some(order("its machine id")) }
}

/// Hosts of which each has a client of its own, by its name and `-id`; all may be out at once.
fn bound(policy: &str) -> Fleet {
    let mut fleet = Fleet::nine();
    fleet.set_policy(policy);
    for name in NINE {
        let bound = bind(&format!("{name}-id"), Some(id(name)));
        assert_eq!(fleet.send("a1", bound), Outcome::Done);
    }
    fleet
}

fn ends(fleet: &mut Fleet, names: &[&str], seen: Seen) -> Outcome {
    let subjects: Vec<(&str, Seen)> = names.iter().map(|name| (*name, seen)).collect();
    let grounds = fleet.round(&subjects);
    let clients = names.iter().map(|name| client(&format!("{name}-id"))).collect();
    fleet.send("a1", Command::EndSlots { clients, grounds })
}

fn used(fleet: &Fleet, scope: &Scope) -> (u32, u32) {
    let lines = fleet.ledger.budgets();
    let line = lines.iter().find(|line| line.scope == *scope).expect("it has hosts");
    (line.used, line.begun)
}

#[test]
fn law_fl2_slots_and_leases_are_counted_in_the_same_budgets() {
    let mut fleet = bound(POLICY);
    fence(&fleet.send("a1", take("a2-id")));
    assert_eq!(used(&fleet, &Scope::Fleet), (1, 1));
    // The fleet has two: one is left for healing.
    let [first, second] = fleet.of_two_kinds();
    fleet.leased(first, "a3");
    let holds = |fleet: &Fleet, case| match fleet.ledger.can_offer(case, id("a3")) {
        Err(Refused::Budget { scope, used, limit }) => Some((scope, used, limit)),
        _ => None,
    };
    assert_eq!(holds(&fleet, second), Some((Scope::Fleet, 2, 2)));
    let full = fleet.send("a1", take("c3-id"));
    assert_eq!(full, Outcome::Refused(Refused::Budget { scope: Scope::Fleet, used: 2, limit: 2 }));
    // Whoever holds one keeps it under its fence, however often it asks (RecursiveLock).
    let again = fleet.send("b1", take("a2-id"));
    assert_eq!(fence(&again), fleet.ledger.slot_of_host(&id("a2")).expect("held").1.fence);
    assert_eq!(used(&fleet, &Scope::Fleet), (2, 1));
    assert_eq!(Ledger::from_bytes(&fleet.ledger.to_bytes()).expect("sound"), fleet.ledger);
}

#[test]
fn law_fl2_nothing_that_holds_healing_lets_a_reboot_through() {
    let refused = |policy: &str, before: fn(&mut Fleet), name: &str| {
        let mut fleet = bound(policy);
        before(&mut fleet);
        let head = fleet.ledger.anchor().audit;
        let told = refusal(&fleet.send("a1", take(name)));
        assert_eq!(fleet.ledger.anchor().audit, head, "law C1: a refusal moves nothing");
        told
    };
    let pause = |fleet: &mut Fleet| {
        fleet.send("a1", Command::Pause(order("a storm")));
    };
    assert!(refused(POLICY, pause, "b2-id").contains("the brake is on"));
    let case = |fleet: &mut Fleet| {
        fleet.opened("b2", Seen::HostDown);
    };
    assert!(refused(POLICY, case, "b2-id").contains("case 1 on it is open"));
    let keeper = |fleet: &mut Fleet| {
        fleet.opened("b1", Seen::HostDown);
    };
    assert!(
        refused(POLICY, keeper, "c1-id")
            .contains("of the other keepers 1 is in trouble or may be rebooting")
    );
    let halting = POLICY.replace(
        "fleet = { in_flight = 2, halt_above = \"none\" }",
        "fleet = { in_flight = 2, halt_above = 1 }",
    );
    let two = |fleet: &mut Fleet| {
        fleet.opened("b2", Seen::HostDown);
        fleet.opened("c2", Seen::AgentDown);
    };
    assert!(refused(&halting, two, "a2-id").contains("2 hosts are unhealthy"));
    let floor =
        POLICY.replace("any_group = { in_flight = 2 }", "any_group = { in_flight = 2, floor = 8 }");
    let first = |fleet: &mut Fleet| {
        fence(&fleet.send("a1", take("c2-id")));
    };
    assert!(refused(&floor, first, "b2-id").contains("only 7 hosts of the group"));
    let hourly =
        POLICY.replace("fleet = { in_flight = 2,", "fleet = { in_flight = 2, per_hour = 1,");
    assert!(refused(&hourly, first, "b2-id").contains("1 of 1 remedies began within the hour"));
    let stateful = POLICY
        .replace("any_group = { in_flight = 2 }", "any_group = { in_flight = 2, stateful = true }");
    assert!(refused(&stateful, first, "b2-id").contains("group web: 1 of 1 in flight"));
    let rack = |fleet: &mut Fleet| {
        let plan = ledger::maintenance::Plan {
            scope: Scope::Rack(claims("b2").domain),
            lasts: vocabulary::Span::minutes(10),
            schedule: None,
        };
        fleet.send("a1", Command::Maintain { plan, order: order("a switch") });
    };
    assert!(refused(POLICY, rack, "b2-id").contains("is in maintenance"));
}

#[test]
fn law_fl2_a_host_whose_case_counts_as_no_trouble_serves_no_more_for_that() {
    let floor = "any_group = { in_flight = 2, floor = 8 }";
    let mut fleet = bound(&POLICY.replace("any_group = { in_flight = 2 }", floor));
    fence(&fleet.send("a1", take("b2-id")));
    assert_eq!(fleet.send("b2", Command::Left { boot: boot(1) }), Outcome::Done);
    fleet.wait(16 * 60);
    assert_eq!(fleet.ledger.cases().count(), 1, "its goodbye is a ticket");
    let refused = refusal(&fleet.send("a1", take("c2-id")));
    assert!(refused.contains("only 7 hosts of the group"), "{refused}");
}

#[test]
fn law_fl2_healing_waits_for_whoever_may_be_rebooting() {
    let hourly =
        POLICY.replace("fleet = { in_flight = 2,", "fleet = { in_flight = 2, per_hour = 1,");
    let mut fleet = bound(&hourly);
    fence(&fleet.send("a1", take("c2-id")));
    let case = fleet.opened("b2", Seen::AgentDown);
    let hold = fleet.ledger.can_offer(case, id("a3"));
    assert!(matches!(hold, Err(Refused::PerHour { used: 1, limit: 1, .. })), "{hold:?}");
    let mut fleet = bound(POLICY);
    fence(&fleet.send("a1", take("b1-id")));
    let case = fleet.opened("c1", Seen::AgentDown);
    let hold = fleet.ledger.can_offer(case, id("a3"));
    assert_eq!(hold, Err(Refused::Keepers { used: 1, limit: 1 }));
}

#[test]
fn law_fl3_a_host_that_said_it_reboots_is_let_be_until_it_is_overdue_and_healed_in_the_place_of_its_slot()
 {
    let one = POLICY.replace("fleet = { in_flight = 2,", "fleet = { in_flight = 1,");
    let mut fleet = bound(&one);
    fence(&fleet.send("a1", take("b2-id")));
    let case = fleet.opened("b2", Seen::AgentDown);
    let told = |fleet: &Fleet| match fleet.ledger.can_offer(case, id("a3")) {
        Err(Refused::TooSoon { what, .. }) => what.contains("client b2-id said that it reboots"),
        _ => false,
    };
    assert!(told(&fleet));
    let seconds = REBOOT_WITHIN.as_milliseconds() / 1_000;
    fleet.wait(seconds - 20);
    // Whatever its trouble is called since, it is the same reboot.
    assert_eq!(fleet.verdicts(&[("b2", Seen::HostDown)]), [Ok(case)]);
    assert!(told(&fleet));
    fleet.wait(30);
    assert_eq!(used(&fleet, &Scope::Fleet), (1, 1), "time alone frees nothing");
    fleet.leased(case, "a3");
    assert_eq!(used(&fleet, &Scope::Fleet), (1, 1));
    assert_eq!(fleet.ledger.slots().count(), 0);
    assert!(fleet.history(0).contains(&"SlotOver".to_owned()));
}

#[test]
fn law_fl3_a_host_whose_client_said_that_it_is_back_is_healed_as_any_other() {
    let mut fleet = bound(POLICY);
    fence(&fleet.send("a1", take("b2-id")));
    fence(&fleet.send("b2", give_back("b2-id")));
    let case = fleet.opened("b2", Seen::AgentDown);
    fleet.leased(case, "a3");
}

/// The limit was lowered under two slots: what a lease would take the place of is one of them, and the other is one too many.
#[test]
fn law_b1_a_lease_in_the_place_of_a_slot_is_within_a_limit_that_was_lowered() {
    let mut fleet = bound(POLICY);
    for name in ["b2", "c2"] {
        fence(&fleet.send("a1", take(&format!("{name}-id"))));
    }
    fleet.set_policy(&POLICY.replace("fleet = { in_flight = 2,", "fleet = { in_flight = 1,"));
    fence(&fleet.send("a1", give_back("b2-id")));
    let case = fleet.opened("b2", Seen::AgentDown);
    let held = Refused::Budget { scope: Scope::Fleet, used: 1, limit: 1 };
    assert_eq!(fleet.offer(case, "a3"), Outcome::Refused(held));
    let revoke = Command::RevokeSlot { client: client("c2-id"), order: order("it hangs") };
    assert_eq!(fleet.send("a1", revoke), Outcome::Done);
    fleet.leased(case, "a3");
    assert_eq!(used(&fleet, &Scope::Fleet).0, 1);
}

/// An update that bricks every host: each says goodbye, and none comes back.
#[test]
fn law_fl4_a_host_that_says_goodbye_and_stays_away_keeps_its_slot() {
    let mut fleet = bound(POLICY);
    for name in ["b2", "c2"] {
        fence(&fleet.send("a1", take(&format!("{name}-id"))));
        assert_eq!(fleet.send(name, Command::Left { boot: boot(1) }), Outcome::Done);
    }
    fleet.wait(OVERDUE_AFTER.as_milliseconds() / 1_000);
    let kinds: Vec<_> = fleet.ledger.cases().map(|case| case.kind.clone()).collect();
    assert_eq!(kinds, [VerdictKind::Left, VerdictKind::Left]);
    let full = fleet.send("a1", take("a2-id"));
    assert!(matches!(full, Outcome::Refused(Refused::Budget { used: 2, .. })), "{full:?}");
    assert_eq!(fleet.ledger.slots_overdue().count(), 2);
}

#[test]
fn law_fl4_a_slot_ends_once_it_is_given_back_and_the_host_is_seen_well() {
    let mut fleet = bound(POLICY);
    let first = fence(&fleet.send("a1", take("b2-id")));
    // Nobody has given it back; what was asked before it was granted gives nothing back.
    let late = Command::ReturnSlot { client: client("b2-id"), before: first };
    assert_eq!(fleet.send("a1", late), Outcome::Leased { fence: first });
    let early = ends(&mut fleet, &["b2"], Seen::Well);
    assert!(matches!(early, Outcome::Refused(Refused::Grounds(_))));
    // The host goes down, comes back, and says so: its case is closed first.
    let case = fleet.opened("b2", Seen::AgentDown);
    fence(&fleet.send("a1", give_back("b2-id")));
    assert!(matches!(ends(&mut fleet, &["b2"], Seen::Well), Outcome::Refused(_)));
    assert_eq!(fleet.ledger.slots_returned().count(), 0, "a case is open");
    fleet.boot("b2", 2);
    let grounds = fleet.round(&[("b2", Seen::Well)]);
    fleet.send("a1", Command::Recovered { cases: vec![case], grounds });
    assert_eq!(fleet.ledger.slots_returned().count(), 1);
    let unwell = ends(&mut fleet, &["b2"], Seen::AgentDown);
    assert!(matches!(unwell, Outcome::Refused(Refused::Grounds(_))));
    // That it answers somebody is its own word.
    let mut own = fleet.round(&[("b2", Seen::Well)]);
    own.attestations.clear();
    let own = Command::EndSlots { clients: vec![client("b2-id")], grounds: own };
    assert!(matches!(fleet.send("a1", own), Outcome::Refused(Refused::Grounds(_))));
    assert_eq!(ends(&mut fleet, &["b2"], Seen::Well), Outcome::Done);
    assert_eq!(used(&fleet, &Scope::Fleet).0, 0);
    // UnlockIfHeld: who holds none is told that it is done.
    assert_eq!(fleet.send("a1", give_back("b2-id")), Outcome::Done);
}

#[test]
fn law_fl4_a_round_from_before_it_was_given_back_ends_nothing_and_taking_it_again_is_no_giving_back()
 {
    let mut fleet = bound(POLICY);
    fence(&fleet.send("a1", take("b2-id")));
    let before = fleet.round(&[("b2", Seen::Well)]);
    fence(&fleet.send("a1", give_back("b2-id")));
    let stale = Command::EndSlots { clients: vec![client("b2-id")], grounds: before };
    assert!(matches!(fleet.send("a1", stale), Outcome::Refused(Refused::Grounds(_))));
    fence(&fleet.send("a1", take("b2-id")));
    assert!(matches!(ends(&mut fleet, &["b2"], Seen::Well), Outcome::Refused(_)));
    assert_eq!(used(&fleet, &Scope::Fleet), (1, 1));
    // Only a voter of the ledger says that a host is well.
    fence(&fleet.send("a1", give_back("b2-id")));
    let grounds = fleet.round(&[("b2", Seen::Well)]);
    let by_another = Command::EndSlots { clients: vec![client("b2-id")], grounds };
    assert!(matches!(fleet.send("a2", by_another), Outcome::Refused(Refused::NotPermitted(_))));
}

#[test]
fn law_fl4_a_slot_ends_with_its_host_or_by_a_person() {
    let mut fleet = bound(POLICY);
    fence(&fleet.send("a1", take("b2-id")));
    fleet.send("a1", Command::Retire { host: id("b2"), order: order("sold") });
    assert_eq!(fleet.ledger.slots().count(), 0);
    assert_eq!(fleet.ledger.host_of_client(&client("b2-id")), None);
    fence(&fleet.send("a1", take("c2-id")));
    let revoke = || Command::RevokeSlot { client: client("c2-id"), order: order("it hangs") };
    assert!(matches!(fleet.send("a2", revoke()), Outcome::Refused(Refused::NotPermitted(_))));
    assert_eq!(fleet.send("b1", revoke()), Outcome::Done);
    assert_eq!(fleet.send("b1", revoke()), Outcome::Refused(Refused::Nothing));
    assert_eq!(used(&fleet, &Scope::Fleet).0, 0);
}

#[test]
fn an_unknown_client_counts_in_the_group_that_it_names_and_in_the_fleet() {
    let mut fleet = Fleet::healing();
    let stray = fleet.send("a1", Command::TakeSlot { client: client("x"), group: "db".into() });
    assert_eq!(stray, Outcome::Refused(Refused::UnknownGroup { group: "db".into() }));
    for odd in ["", "Web", "web/1"] {
        let taken = Command::TakeSlot { client: client("x"), group: odd.into() };
        assert!(matches!(fleet.send("a1", taken), Outcome::Refused(Refused::UnknownGroup { .. })));
    }
    fence(&fleet.send("a1", take("x")));
    let group = Scope::Group(claims("a1").group);
    assert_eq!(used(&fleet, &Scope::Fleet), (1, 1));
    assert_eq!(used(&fleet, &group), (1, 1));
    assert_eq!(used(&fleet, &zone("a")), (0, 0));
    // Nobody can look at it: its word ends it, by way of a keeper as it was taken.
    assert!(matches!(fleet.send("b2", give_back("x")), Outcome::Refused(Refused::NotPermitted(_))));
    assert!(matches!(fleet.send("b2", take("x")), Outcome::Refused(Refused::NotPermitted(_))));
    assert_eq!(fleet.send("b1", give_back("x")), Outcome::Done);
    assert_eq!(used(&fleet, &Scope::Fleet), (0, 1));
}

#[test]
fn law_fl2_an_unknown_client_may_be_any_keeper_that_has_none_whatever_group_it_names() {
    let mut hosts: Vec<_> = NINE.iter().map(|name| claims(name)).collect();
    for host in &mut hosts {
        if host.roles.keeper {
            host.group = vocabulary::GroupName::new("core").expect("sound");
        }
    }
    let mut fleet = Fleet::of(hosts);
    fleet.set_policy(POLICY);
    fence(&fleet.send("a1", take("x")));
    let lost = Outcome::Refused(Refused::Keepers { used: 1, limit: 1 });
    assert_eq!(fleet.send("a1", take("y")), lost);
    for name in ["a1", "b1", "c1"] {
        assert_eq!(fleet.send("a1", take(&format!("{name}-id"))), lost, "unknown as well");
        fleet.send("a1", bind(&format!("{name}-id"), Some(id(name))));
    }
    fence(&fleet.send("a1", take("y")));
}

#[test]
fn law_fl2_a_keeper_that_is_away_in_any_way_counts_as_lost() {
    let lost = |before: fn(&mut Fleet)| {
        let mut fleet = bound(POLICY);
        before(&mut fleet);
        let taken = fleet.send("b1", take("c1-id"));
        assert_eq!(taken, Outcome::Refused(Refused::Keepers { used: 1, limit: 1 }));
    };
    lost(|fleet| {
        fleet.send("a1", Command::Left { boot: boot(1) });
    });
    lost(|fleet| {
        fleet.findings(&[("b2", Seen::Well)], Vec::new(), &[("a1", 1)]);
    });
    lost(|fleet| {
        let down = [("a1", Seen::HostDown), ("a2", Seen::HostDown), ("a3", Seen::HostDown)];
        let dark = ledger::command::Finding { scope: zone("a"), kind: VerdictKind::DomainDown };
        assert!(fleet.findings(&down, vec![dark], &[])[0].is_ok());
    });
    lost(|fleet| {
        fence(&fleet.send("b1", take("a1-id")));
    });
}

#[test]
fn a_lone_keeper_may_reboot() {
    let mut hosts: Vec<_> = NINE.iter().map(|name| claims(name)).collect();
    for host in &mut hosts[1..] {
        host.roles.keeper = false;
    }
    let mut fleet = Fleet::of(hosts);
    fleet.set_policy(POLICY);
    fleet.send("a1", bind("own", Some(id("a1"))));
    fence(&fleet.send("a1", take("own")));
}

#[test]
fn a_host_that_reboots_again_and_again_uses_up_nobodys_hour() {
    let mut fleet = bound(POLICY);
    for _ in 0..GRANTS_OF_ONE_MAX {
        fence(&fleet.send("a1", take("b2-id")));
        fence(&fleet.send("a1", give_back("b2-id")));
        assert_eq!(ends(&mut fleet, &["b2"], Seen::Well), Outcome::Done);
    }
    let again = fleet.send("b2", take("b2-id"));
    assert!(matches!(again, Outcome::Refused(Refused::TooSoon { .. })), "{again:?}");
    // Nor under another name.
    let again = fleet.send("b2", take("other"));
    assert!(matches!(again, Outcome::Refused(Refused::TooSoon { .. })), "{again:?}");
    fence(&fleet.send("a1", take("c2-id")));
}

#[test]
fn a_host_that_may_be_rebooting_stays_where_it_counts() {
    let mut fleet = bound(POLICY);
    fence(&fleet.send("a1", take("b2-id")));
    let moved = vocabulary::model_chain(&claims_in("b2", "b", "elsewhere"));
    let refused = fleet.send("b2", Command::Enrol(moved));
    assert_eq!(refused, Outcome::Refused(Refused::SlotHeld { client: "b2-id".into() }));
}

#[test]
fn law_fl1_a_host_brings_its_own_clients_and_a_keepers_those_of_all() {
    let mut fleet = Fleet::healing();
    fence(&fleet.send("b2", take("own")));
    assert_eq!(fleet.ledger.host_of_client(&client("own")), Some(id("b2")));
    for command in [take("own"), give_back("own")] {
        assert!(matches!(
            fleet.send("c2", command.clone()),
            Outcome::Refused(Refused::NotPermitted(_))
        ));
        fence(&fleet.send("c1", command));
    }
    // One slot of a host, whatever its clients are called; and no client changes its host with a slot in its hand.
    assert_eq!(
        fleet.send("b2", take("second")),
        Outcome::Refused(Refused::SlotHeld { client: "own".into() })
    );
    assert_eq!(fleet.ledger.host_of_client(&client("second")), None);
    for other in [Some(id("c3")), None] {
        let moved = fleet.send("a1", bind("own", other));
        assert_eq!(moved, Outcome::Refused(Refused::SlotHeld { client: "own".into() }));
    }
}

#[test]
fn law_fl1_who_a_client_is_says_the_host_itself_or_a_person() {
    let mut fleet = Fleet::healing();
    let own = |host| Command::BindClient { client: client("z"), host: Some(host), order: None };
    assert!(matches!(fleet.send("b2", own(id("c2"))), Outcome::Refused(Refused::NotPermitted(_))));
    assert_eq!(fleet.send("b2", own(id("b2"))), Outcome::Done);
    assert!(matches!(fleet.send("c2", own(id("c2"))), Outcome::Refused(Refused::NotPermitted(_))));
    assert!(matches!(
        fleet.send("a2", bind("z", None)),
        Outcome::Refused(Refused::NotPermitted(_))
    ));
    assert_eq!(fleet.send("a1", bind("z", Some(id("c2")))), Outcome::Done);
    assert_eq!(fleet.ledger.host_of_client(&client("z")), Some(id("c2")));
    assert_eq!(
        fleet.send("a1", bind("z", Some(HostId([9; 16])))),
        Outcome::Refused(Refused::UnknownHost)
    );
    assert_eq!(fleet.send("a1", bind("z", None)), Outcome::Done);
    assert_eq!(fleet.send("a1", bind("z", None)), Outcome::Refused(Refused::Nothing));
    for number in 0..IDS_OF_A_HOST_MAX {
        assert_eq!(fleet.send("a1", bind(&format!("n{number}"), Some(id("b3")))), Outcome::Done);
    }
    assert!(matches!(
        fleet.send("a1", bind("more", Some(id("b3")))),
        Outcome::Refused(Refused::Bound(_))
    ));
}

#[test]
fn an_id_is_a_short_text_without_control_characters() {
    for sound in ["c988d2509fdf4cdcbed39037c56406fb", "Node 1", "ä", &"x".repeat(128)] {
        assert_eq!(FleetLockId::new(sound).expect("sound").as_str(), sound);
    }
    for unsound in ["", "a\nb", "\u{7f}", &"x".repeat(129)] {
        assert!(FleetLockId::new(unsound).is_err(), "{unsound:?} passed");
    }
}

#[test]
fn under_the_first_rules_there_are_no_slots() {
    let mut fleet = Fleet::healing_under_the_first_rules();
    let refused = refusal(&fleet.send("a1", take("x")));
    assert!(refused.contains("rules 1 are in force"), "{refused}");
}

#[test]
fn a_slot_that_nobody_gives_back_is_told_to_a_person_as_soon_as_healing_waits_for_it() {
    let one = POLICY.replace("fleet = { in_flight = 2,", "fleet = { in_flight = 1,");
    let mut fleet = bound(&one);
    fence(&fleet.send("a1", take("a2-id")));
    let case: CaseId = fleet.opened("b2", Seen::AgentDown);
    assert_eq!(fleet.ledger.stuck().len(), 0);
    fleet.wait(3_600);
    let stuck: Vec<_> = fleet.ledger.stuck().iter().map(|(case, _)| case.id).collect();
    assert_eq!(stuck, [case]);
}
