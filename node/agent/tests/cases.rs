//! What a mind does about trouble that no remedy answers: nobody leads, or two machines live under one name.

#[path = "../../../consensus/ledger/tests/fleet/mod.rs"]
mod fleet;
mod minds;

use agent::{Agent, AskId, CallEnd, CallId, Effect, Event, LifeEnd, Page};
use fleet::{Fleet, POLICY, Seen, boot, doubts, id, order, zone};
use ledger::Ledger;
use ledger::bindings::FleetLockId;
use ledger::command::{Command, Finding, Outcome};
use ledger::slots::OVERDUE_AFTER;
use minds::{advanced, mind};
use vocabulary::{Boot, CaseId, Moment, ReceiptKind, Span, VerdictKind};
use wire::{DoubtNote, Request};

fn at(seconds: u64) -> Moment {
    Moment::from_milliseconds(1_000_000 + seconds * 1_000)
}

/// Lets time go by and gathers the calls for a person.
fn pages(agent: &mut Agent, from: u64, until: u64) -> Vec<(u64, Page)> {
    let mut called = Vec::new();
    for second in from..until {
        for effect in agent.handle(at(second), Event::DeadlineReached) {
            if let Effect::Page(page) = effect {
                called.push((second, page));
            }
        }
    }
    called
}

#[test]
fn a_keeper_without_a_leader_calls_a_person_once_and_nobody_else_does() {
    let mut keeper = mind(Fleet::healing().ledger, "a1", boot(1));
    let called = pages(&mut keeper, 0, 300);
    let [(30, Page { case: None, line })] = called.as_slice() else {
        panic!("once, after half a minute: {called:?}");
    };
    assert!(line.contains("keeper a1 has known of no leader for 30 s"), "{line}");
    assert_eq!(keeper.view(at(300)).leaderless, Some(Span::seconds(300)));
    keeper.handle(at(301), Event::LeadershipChanged { leader: Some(id("b1")) });
    assert_eq!(keeper.view(at(302)).leaderless, None);

    let mut plain = mind(Fleet::healing().ledger, "a2", boot(1));
    assert_eq!(pages(&mut plain, 0, 300), []);
    assert_eq!(
        plain.view(at(299)).leaderless,
        Some(Span::seconds(299)),
        "it shows it all the same"
    );

    let mut unfounded = mind(Ledger::new(), "a1", boot(1));
    assert_eq!(pages(&mut unfounded, 0, 300), [], "there is nobody to lead yet");
}

#[test]
fn a_keeper_is_woken_for_its_call() {
    let mut keeper = mind(Fleet::healing().ledger, "a1", boot(1));
    keeper.handle(at(0), Event::DeadlineReached);
    let mut now = at(0);
    while let Some(next) = keeper.next_deadline().filter(|next| *next <= at(31)) {
        now = now.max(next);
        let effects = keeper.handle(now, Event::DeadlineReached);
        if effects.iter().any(|effect| matches!(effect, Effect::Page(_))) {
            assert_eq!(now, at(30));
            return;
        }
    }
    panic!("nothing woke it");
}

fn proposed(effects: &[Effect]) -> Option<(CallId, Command)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Propose { id, command, .. } => Some((*id, command.clone())),
        _ => None,
    })
}

#[test]
fn the_second_machine_says_that_it_is_one_and_ends() {
    let fleet = Fleet::healing();
    let twin = Boot { nonce: 99, ..boot(1) };
    for answered in [true, false] {
        let mut agent = mind(fleet.ledger.clone(), "b2", twin);
        agent.handle(at(0), Event::DeadlineReached);
        let effects = agent.handle(at(0), advanced(&fleet.ledger));
        let (call, command) = proposed(&effects).expect("its last word");
        assert_eq!(command, Command::OtherLife { host: id("b2"), boot: twin });
        let is_end = |effect: &Effect| *effect == Effect::EndLife(LifeEnd::Another(boot(1)));
        assert!(!effects.iter().any(is_end), "not before");
        let index = fleet.ledger.index();
        let end = if answered {
            CallEnd::Committed { index, outcome: Outcome::Done }
        } else {
            CallEnd::Failed
        };
        let effects = agent.handle(at(2), Event::Ended { id: call, end });
        assert!(effects.iter().any(is_end), "whatever came of it");
    }
    let old = Fleet::healing_under_the_first_rules().ledger;
    let mut agent = mind(old.clone(), "b2", twin);
    agent.handle(at(0), Event::DeadlineReached);
    let effects = agent.handle(at(0), advanced(&old));
    assert_eq!(proposed(&effects), None);
    assert!(effects.contains(&Effect::EndLife(LifeEnd::Another(boot(1)))), "as ever");
}

#[test]
fn a_keeper_tells_of_a_life_that_it_turned_away_and_of_a_lost_disk_it_does_not() {
    let mut fleet = Fleet::healing();
    fleet.boot("b2", 3);
    let turned = |agent: &mut Agent, second, boot| {
        let effects = agent.handle(at(second), Event::TurnedAway { host: id("b2"), boot });
        proposed(&effects).map(|(_, command)| command)
    };
    let mut keeper = mind(fleet.ledger.clone(), "a1", boot(1));
    keeper.handle(at(0), Event::DeadlineReached);
    let lost = Boot { number: 2, nonce: 5 };
    assert_eq!(turned(&mut keeper, 1, lost), None);
    let told = Command::OtherLife { host: id("b2"), boot: boot(1) };
    assert_eq!(turned(&mut keeper, 2, boot(1)), Some(told.clone()));
    assert_eq!(turned(&mut keeper, 3, boot(1)), None, "law N4");
    assert_eq!(turned(&mut keeper, 40, boot(1)), Some(told));
    let mut plain = mind(fleet.ledger.clone(), "a2", boot(1));
    plain.handle(at(0), Event::DeadlineReached);
    assert_eq!(turned(&mut plain, 1, boot(1)), None, "law U1: no host speaks of another");
}

#[test]
fn a_keeper_tells_of_a_life_that_it_turned_away_before_the_ledger_knew_the_newer_one() {
    let mut fleet = Fleet::healing();
    let mut keeper = mind(fleet.ledger.clone(), "a1", boot(1));
    keeper.handle(at(0), Event::DeadlineReached);
    let turned = keeper.handle(at(1), Event::TurnedAway { host: id("b2"), boot: boot(1) });
    assert_eq!(proposed(&turned), None, "the ledger knows no other life yet");
    fleet.boot("c2", 2);
    assert_eq!(proposed(&keeper.handle(at(2), advanced(&fleet.ledger))), None);
    fleet.boot("b2", 2);
    let told = Command::OtherLife { host: id("b2"), boot: boot(1) };
    let known = keeper.handle(at(3), advanced(&fleet.ledger));
    assert_eq!(proposed(&known).map(|(_, command)| command), Some(told));
    assert_eq!(proposed(&keeper.handle(at(60), advanced(&fleet.ledger))), None, "once");
}

#[test]
fn what_either_of_two_machines_doubts_brings_nobody_into_doubt() {
    let doubts_heard = |fleet: Fleet| {
        let mut leader = mind(fleet.ledger, "a1", boot(1));
        leader.handle(at(0), Event::LeadershipChanged { leader: Some(id("a1")) });
        for (number, observer) in ["c2", "c3"].into_iter().enumerate() {
            let notes = vec![DoubtNote { subject: id("b2"), boot: boot(1), age_ms: 500 }];
            let request = Request::Doubts(notes);
            let ask = AskId(number as u64 + 1);
            leader.handle(at(1), Event::Asked { id: ask, from: id(observer), request });
        }
        leader.view(at(1)).doubted.len()
    };
    assert_eq!(doubts_heard(Fleet::healing()), 1);
    let mut fleet = Fleet::healing();
    fleet.twin("c2");
    assert_eq!(doubts_heard(fleet), 0, "law U2: one honest voice is left");
}

#[test]
fn a_zone_that_falls_silent_under_a_surge_calls_a_person_once_it_is_lifted() {
    let mut fleet = Fleet::healing();
    let surge = Command::Surge { doubted: doubts(&[("a2", 1), ("c2", 1), ("c3", 1)]) };
    assert_eq!(fleet.send("a1", surge), Outcome::Done);
    let dark = ["b1", "b2", "b3"].map(|name| (name, Seen::HostDown));
    let finding = Finding { scope: zone("b"), kind: VerdictKind::DomainDown };
    let dark = fleet.findings(&dark, vec![finding], &[]).remove(0).expect("all are silent");
    let surge = fleet.ledger.brake().surge.expect("three of nine").case;
    let mut leader = mind(fleet.ledger.clone(), "a1", boot(1));
    let called = |leader: &mut Agent, second: u64, event: Event| -> Vec<CaseId> {
        let effects = leader.handle(at(second), event).into_iter();
        let at_once = effects.filter_map(|effect| match effect {
            Effect::Page(page) => page.case,
            _ => None,
        });
        let at_once: Vec<CaseId> = at_once.collect();
        let later = pages(leader, second + 1, second + 9).into_iter();
        at_once.into_iter().chain(later.filter_map(|(_, page)| page.case)).collect()
    };
    leader.handle(at(0), Event::LeadershipChanged { leader: Some(id("a1")) });
    let stands = advanced(&fleet.ledger);
    assert_eq!(called(&mut leader, 1, stands), [surge], "a person is at it");
    fleet.send("a1", Command::Resume(order("the switch is back")));
    let lifted = advanced(&fleet.ledger);
    assert_eq!(called(&mut leader, 10, lifted), [dark], "it is silent still");
    fleet.wait(1);
    assert_eq!(called(&mut leader, 20, advanced(&fleet.ledger)), [], "each case once");
}

/// A leader under a surge of zone b alone, who hears two observers doubt most of it; and the surge.
fn under_a_surge_of_one_zone() -> (Fleet, Agent, CaseId) {
    let mut fleet = Fleet::healing();
    let surge = Command::Surge { doubted: doubts(&[("b1", 1), ("b2", 1), ("b3", 1)]) };
    assert_eq!(fleet.send("a1", surge), Outcome::Done);
    let surge = fleet.ledger.brake().surge.expect("three of nine").case;
    let mut leader = mind(fleet.ledger.clone(), "a1", boot(1));
    leader.handle(at(0), Event::LeadershipChanged { leader: Some(id("a1")) });
    for (number, observer) in ["a2", "c2"].into_iter().enumerate() {
        let note = |name| DoubtNote { subject: id(name), boot: boot(1), age_ms: 500 };
        let request = Request::Doubts(["b1", "b2"].map(note).to_vec());
        let ask = AskId(number as u64 + 1);
        leader.handle(at(0), Event::Asked { id: ask, from: id(observer), request });
    }
    (fleet, leader, surge)
}

fn cases(called: Vec<(u64, Page)>) -> Vec<CaseId> {
    called.into_iter().filter_map(|(_, page)| page.case).collect()
}

fn page_of(effect: &Effect) -> Option<&Page> {
    match effect {
        Effect::Page(page) => Some(page),
        _ => None,
    }
}

/// What the leader calls for as it hears of this ledger and in the seconds after.
fn told(leader: &mut Agent, ledger: &Ledger, (from, until): (u64, u64)) -> Vec<CaseId> {
    let at_once = leader.handle(at(from), advanced(ledger)).into_iter();
    let at_once = at_once.filter_map(|effect| page_of(&effect)?.case);
    let at_once: Vec<CaseId> = at_once.collect();
    at_once.into_iter().chain(cases(pages(leader, from + 1, until))).collect()
}

fn zone_b_is_dark(fleet: &mut Fleet) -> CaseId {
    let dark = ["b1", "b2", "b3"].map(|name| (name, Seen::HostDown));
    let finding = Finding { scope: zone("b"), kind: VerdictKind::DomainDown };
    let doubted = [("b1", 3), ("b2", 3), ("b3", 3)];
    fleet.findings(&dark, vec![finding], &doubted).remove(0).expect("all are silent")
}

#[test]
fn a_surge_that_is_a_zone_about_to_be_a_case_calls_with_it_and_the_brake_waits_for_nothing() {
    let (mut fleet, mut leader, _) = under_a_surge_of_one_zone();
    assert!(fleet.ledger.brake().surge.is_some());
    assert_eq!(told(&mut leader, &fleet.ledger, (1, 3)), [], "the zone may be dark as a whole");
    let zone = zone_b_is_dark(&mut fleet);
    assert_eq!(told(&mut leader, &fleet.ledger, (3, 30)), [zone], "one trouble, one call");
}

#[test]
fn a_surge_whose_zone_is_no_case_in_time_calls_and_is_that_zones_call_if_it_becomes_one() {
    let (mut fleet, mut leader, surge) = under_a_surge_of_one_zone();
    assert_eq!(told(&mut leader, &fleet.ledger, (1, 6)), [surge], "law PG2");
    let zone = zone_b_is_dark(&mut fleet);
    assert_eq!(told(&mut leader, &fleet.ledger, (6, 30)), [], "a person was called for this");
    let mut other = mind(fleet.ledger.clone(), "c1", boot(1));
    other.handle(at(30), Event::LeadershipChanged { leader: Some(id("c1")) });
    assert_eq!(told(&mut other, &fleet.ledger, (31, 40)), [zone], "law PG1: each leader once");
}

/// Leads from here on over this fleet.
fn leader_of(fleet: &Fleet) -> Agent {
    let mut leader = mind(fleet.ledger.clone(), "a1", boot(1));
    leader.handle(at(0), Event::LeadershipChanged { leader: Some(id("a1")) });
    leader
}

#[test]
fn law_pg3_a_halt_that_lasts_calls_a_person_once_for_all_whom_it_holds_back() {
    let mut fleet = Fleet::healing();
    fleet.set_policy(&POLICY.replacen("halt_above = \"none\"", "halt_above = 1", 1));
    let first = fleet.opened("b2", Seen::AgentDown);
    fleet.opened("c2", Seen::AgentDown);
    let mut leader = leader_of(&fleet);
    assert_eq!(told(&mut leader, &fleet.ledger, (1, 300)), [], "it may pass");
    let called = pages(&mut leader, 300, 900);
    let [(301, page)] = called.as_slice() else {
        panic!("once, when its patience ends: {called:?}");
    };
    assert_eq!(page.case, Some(first));
    assert!(page.line.contains("2 hosts are unhealthy and above 1 healing halts"), "{}", page.line);
    assert!(page.line.ends_with("; 1 more wait for it"), "{}", page.line);
}

#[test]
fn law_pg3_a_stopped_group_calls_for_whom_it_holds_back() {
    let mut fleet = Fleet::healing();
    fleet.set_policy(&fleet::replacing());
    for _ in 0..2 {
        let (case, fence, remedy) = fleet.begun("b2", Seen::HostDown, "c3");
        fleet.receive(("c3", case, fence), remedy, ReceiptKind::Done);
        fleet.wait_renewing(30, "c3", case, fence);
    }
    let waiting = fleet.opened("c2", Seen::HostDown);
    let mut leader = leader_of(&fleet);
    let stopped = told(&mut leader, &fleet.ledger, (1, 2));
    assert_eq!(stopped.len(), 1, "the case that stopped it");
    let called = pages(&mut leader, 2, 900);
    let [(_, page)] = called.as_slice() else {
        panic!("once: {called:?}");
    };
    assert_eq!(page.case, Some(waiting));
    assert!(page.line.contains("`hale release --group web"), "{}", page.line);
}

#[test]
fn law_pg4_what_waits_for_a_word_calls_at_once_one_case_at_a_time_and_each_rung_anew() {
    let mut fleet = Fleet::nine();
    fleet.set_policy(&POLICY.replace("mode = \"act\"", "mode = \"approve\""));
    let cases = ["b2", "c2"].map(|name| {
        fleet.wait(60);
        fleet.opened(name, Seen::AgentDown)
    });
    let mut leader = leader_of(&fleet);
    let at_once = leader.handle(at(1), advanced(&fleet.ledger));
    let called: Vec<&Page> = at_once.iter().filter_map(page_of).collect();
    let [page] = called.as_slice() else {
        panic!("at once: {called:?}");
    };
    assert_eq!(pages(&mut leader, 2, 900), [], "and once");
    assert_eq!(page.case, Some(cases[0]));
    assert!(
        page.line.contains("`/bin/start`: `hale approve 1 --verdict AgentDown --rung 1"),
        "{}",
        page.line
    );
    assert!(page.line.ends_with("; 1 more wait for such a word"), "{}", page.line);

    let deny = |case| Command::Deny { case, order: order("not this one") };
    fleet.send("b1", deny(cases[0]));
    assert_eq!(
        told(&mut leader, &fleet.ledger, (901, 1_800)),
        [cases[1], cases[0]],
        "the next, and what is that person's now"
    );

    let approve = |ledger: &Ledger| {
        let shown = ledger.shown(ledger.case(cases[1]).expect("it is open"));
        Command::Approve { case: cases[1], shown, order: order("go on") }
    };
    let command = approve(&fleet.ledger);
    assert_eq!(fleet.send("b1", command), Outcome::Done);
    let fence = fleet.leased(cases[1], "c3");
    fleet.wait(6);
    let begun = fleet.intend(("c3", cases[1], fence), &[("c2", Seen::AgentDown)]);
    fleet.receive(("c3", cases[1], fence), fleet::remedy(&begun), ReceiptKind::Done);
    assert_eq!(told(&mut leader, &fleet.ledger, (1_801, 1_810)), []);
    fleet.wait_renewing(31, "c3", cases[1], fence);
    assert_eq!(told(&mut leader, &fleet.ledger, (1_811, 2_700)), [cases[1]], "the next rung");

    for pauses in 0..3 {
        fleet.send("b1", Command::Pause(order("a look")));
        let at = 3_000 + pauses * 10;
        assert_eq!(told(&mut leader, &fleet.ledger, (at, at + 5)), []);
        fleet.send("b1", Command::Resume(order("seen")));
        assert_eq!(told(&mut leader, &fleet.ledger, (at + 5, at + 10)), [], "it was asked");
    }
    let command = approve(&fleet.ledger);
    assert_eq!(fleet.send("b1", command), Outcome::Done);
    assert_eq!(told(&mut leader, &fleet.ledger, (4_000, 4_010)), []);
    fleet.wait(15 * 60);
    assert_eq!(told(&mut leader, &fleet.ledger, (4_011, 4_020)), [cases[1]], "it ran out unused");
}

#[test]
fn law_pg1_a_quarantined_host_with_a_second_machine_is_a_call_of_its_own() {
    let mut fleet = Fleet::healing();
    fleet.set_policy(&POLICY.replace("at_most = 3", "at_most = 1"));
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.receive(("c2", case, fence), remedy, ReceiptKind::Done);
    fleet.wait_renewing(30, "c2", case, fence);
    fleet.wait(1);
    assert_eq!(fleet.stage(case), "quarantined");
    let mut leader = leader_of(&fleet);
    assert_eq!(told(&mut leader, &fleet.ledger, (1, 60)), [case]);
    fleet.twin("b2");
    assert_eq!(told(&mut leader, &fleet.ledger, (61, 120)), [case]);
}

#[test]
fn law_pg3_leases_that_no_term_ends_call_for_whom_they_hold_back_and_those_that_end_do_not() {
    let mut fleet = Fleet::healing();
    fleet.set_policy(&POLICY.replace("fleet = { in_flight = 2", "fleet = { in_flight = 1"));
    let (lost, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    let waiting = fleet.opened("a2", Seen::AgentDown);
    assert_eq!(told(&mut leader_of(&fleet), &fleet.ledger, (1, 900)), [], "its lease ends");
    fleet.receive(("c2", lost, fence), remedy, ReceiptKind::Unknown);
    fleet.wait_renewing(15 * 60, "c2", lost, fence);
    let mut leader = leader_of(&fleet);
    assert_eq!(told(&mut leader, &fleet.ledger, (1, 2)), [lost], "it is a person's");
    assert_eq!(told(&mut leader, &fleet.ledger, (2, 900)), [waiting]);
    let revoke = Command::Revoke { case: lost, order: order("it is off") };
    assert_eq!(fleet.send("a1", revoke), Outcome::Done);
    assert_eq!(told(&mut leader_of(&fleet), &fleet.ledger, (1, 900)), [lost], "nothing waits");
}

#[test]
fn law_pg5_a_slot_that_is_held_for_too_long_calls_once_though_nothing_waits_for_it() {
    let mut fleet = Fleet::healing();
    let client = FleetLockId::new("c988").expect("sound");
    let taken = Command::TakeSlot { client: client.clone(), group: "web".into() };
    assert!(matches!(fleet.send("b2", taken), Outcome::Leased { .. }));
    let mut leader = leader_of(&fleet);
    assert_eq!(pages(&mut leader, 1, 5), []);
    fleet.wait(OVERDUE_AFTER.as_milliseconds() / 1_000);
    let at_once = leader.handle(at(6), advanced(&fleet.ledger));
    let called: Vec<&Page> = at_once.iter().filter_map(page_of).collect();
    let [page] = called.as_slice() else {
        panic!("at once: {called:?}");
    };
    let line = "reboot slot 1 of FleetLock client c988 (b2) has counted in the budgets for 1 h 0 min: it was not given back; \
                `hale leases` shows it, `hale fleetlock revoke CLIENT --why ...` ends it";
    assert_eq!((page.case, page.line.as_str()), (None, line));
    assert_eq!(pages(&mut leader, 7, 900), [], "and once");
}

#[test]
fn the_leader_looks_at_a_host_that_says_it_is_back_until_its_slot_is_over() {
    let mut fleet = Fleet::healing();
    let client = FleetLockId::new("c988").expect("sound");
    let taken = Command::TakeSlot { client: client.clone(), group: "web".into() };
    assert!(matches!(fleet.send("b2", taken), Outcome::Leased { .. }));
    let looks = |leader: &mut Agent, ledger: &Ledger, from: u64| {
        let mut effects = leader.handle(at(from), advanced(ledger));
        for second in from + 1..from + 4 {
            effects.extend(leader.handle(at(second), Event::DeadlineReached));
        }
        let is_of_b2 = |effect: &&Effect| matches!(effect, Effect::Call { request: Request::Look { subject, .. }, .. } if *subject == id("b2"));
        effects.iter().filter(is_of_b2).count()
    };
    let mut leader = leader_of(&fleet);
    assert_eq!(looks(&mut leader, &fleet.ledger, 1), 0, "it may be rebooting");
    let before = fleet.ledger.next_fence();
    fleet.send("b2", Command::ReturnSlot { client, before });
    assert!(looks(&mut leader, &fleet.ledger, 10) > 0);
}
