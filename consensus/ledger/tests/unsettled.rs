//! Doubts with neither verdict nor end: what makes a case of them, what follows from it, and how it ends.

mod fleet;

use fleet::*;
use ledger::Ledger;
use ledger::case::{Closure, Stage};
use ledger::command::{Command, Outcome};
use vocabulary::{CaseId, Grounds, HostId, Scope, Span, VerdictKind};

/// A host that is dead, and only so many of its observers ever reached it.
fn blind_to(fleet: &mut Fleet, name: &str, seeing: usize) -> Grounds {
    let grounds = fleet.round(&[(name, Seen::HostDown)]);
    fleet.blinded(grounds, seeing)
}

/// The case of a host whom two of eight observers find dead, and none of the others ever reached.
fn opened(fleet: &mut Fleet, name: &str) -> CaseId {
    let grounds = blind_to(fleet, name, 2);
    fleet.unsettled(name, 31, grounds).expect("nobody can settle it")
}

/// Only this observer speaks, and finds the host dead.
fn sole_word(fleet: &mut Fleet, name: &str, observer: HostId) -> Grounds {
    let mut grounds = fleet.round(&[(name, Seen::HostDown)]);
    grounds.attestations.retain(|word| word.observer == observer);
    grounds
}

#[test]
fn a_doubt_that_nobody_can_settle_is_a_case_that_says_which_voices_are_lacking() {
    let mut fleet = Fleet::healing();
    let young = blind_to(&mut fleet, "b2", 2);
    let refused = fleet.unsettled("b2", 29, young).expect_err("it is young");
    assert!(refused.contains("too soon since the first doubt of it: 1 s left"), "{refused}");
    let id = opened(&mut fleet, "b2");
    let case = fleet.case(id);
    assert_eq!(case.kind, VerdictKind::Unsettled);
    assert_eq!(
        case.unsettled_why(),
        Some("2 voices against it, 5 are needed (6 seats are vacant)")
    );
    assert_eq!(case.grounds.unanswered().count(), 8, "the blind got no answer either");
    assert_eq!((case.grounds.against.len(), case.grounds.vacant.len()), (2, 6));
}

#[test]
fn nothing_follows_from_it_for_itself_or_for_anybody_else() {
    let mut fleet = Fleet::nine();
    fleet.set_policy(&POLICY.replace("halt_above = \"none\"", "halt_above = 1"));
    for name in ["b2", "c2"] {
        opened(&mut fleet, name);
    }
    let offered = fleet.ledger.case_of_host(&fleet::id("b2")).expect("open").id;
    assert!(refusal(&fleet.offer(offered, "c3")).contains("no rule"));
    assert!(fleet.ledger.budgets().iter().all(|line| line.unhealthy == 0), "law W1");
    assert_eq!(fleet.ledger.surge_of(&doubts(&[("b2", 40), ("c2", 40), ("a2", 1)])), None);
    // Two unsettled hosts beside it, in a mesh that halts above one: the third is healed as if they were not there.
    let (case, _, _) = fleet.begun("a2", Seen::AgentDown, "c3");
    assert_eq!(fleet.stage(case), "remedy", "law W1");
}

#[test]
fn an_unsettled_keeper_does_not_hold_back_the_healing_of_another() {
    let mut fleet = Fleet::healing();
    opened(&mut fleet, "b1");
    let case = fleet.opened("c1", Seen::AgentDown);
    assert!(matches!(fleet.offer(case, "a2"), Outcome::Leased { .. }));
}

#[test]
fn a_person_is_called_once_after_five_minutes_and_told_why() {
    let mut fleet = Fleet::healing();
    let id = opened(&mut fleet, "b2");
    fleet.wait(299);
    assert_eq!(fleet.stage(id), "open");
    assert_eq!(fleet.ledger.deadlines().first().map(|deadline| deadline.case), Some(id));
    fleet.wait(1);
    let Stage::Escalated { why, .. } = &fleet.case(id).stage else {
        panic!("it is a person's now");
    };
    assert!(why.starts_with("doubted and not settled for 5 min 0 s: 2 voices against it"), "{why}");
    fleet.wait(600);
    let called = fleet.history(0).iter().filter(|what| *what == "Escalated").count();
    assert_eq!(called, 1);
}

#[test]
fn while_a_surge_stands_a_person_is_at_it_already() {
    let mut fleet = Fleet::healing();
    let id = opened(&mut fleet, "b2");
    let surge = Command::Surge { doubted: doubts(&[("a2", 1), ("a3", 1), ("c2", 1)]) };
    assert_eq!(fleet.send("a1", surge), Outcome::Done);
    fleet.wait(400);
    assert_eq!(fleet.stage(id), "open");
    fleet.send("a1", Command::Resume(order("the switch is back")));
    fleet.wait(1);
    assert_eq!(fleet.stage(id), "escalated", "it stands unsettled still");
}

#[test]
fn what_one_observer_says_opens_few_cases_and_calls_nobody() {
    let mut fleet = Fleet::healing();
    let liar = id("a1");
    let subjects: Vec<&str> = NINE.iter().copied().filter(|name| id(name) != liar).collect();
    let mut opened = Vec::new();
    for name in &subjects {
        let grounds = sole_word(&mut fleet, name, liar);
        opened.push(fleet.unsettled(name, 40, grounds));
    }
    let refused = opened.split_off(4);
    assert!(opened.iter().all(Result::is_ok), "{opened:?}");
    let is_bound = |refused: &Result<CaseId, String>| {
        refused.as_ref().is_err_and(|why| why.contains("one observer alone: 4"))
    };
    assert!(refused.iter().all(is_bound), "law W3: {refused:?}");
    fleet.wait(3_600);
    assert!(!fleet.history(0).iter().any(|what| what == "Escalated"), "law W3");
    // A second voice is no lie any more: the same case is a person's then.
    let grounds = blind_to(&mut fleet, subjects[0], 2);
    let told = doubts(&[(subjects[0], 40)]);
    assert_eq!(fleet.ledger.can_unsettle(&grounds, &told, &vocabulary::ModelVerifier), told);
    let again = fleet.unsettled(subjects[0], 40, grounds);
    assert_eq!(again, opened[0]);
    fleet.wait(1);
    assert_eq!(fleet.stage(again.expect("it stands")), "escalated");
}

#[test]
fn where_the_other_observers_are_in_trouble_the_word_of_the_last_ones_is_all_there_is() {
    let mut fleet = Fleet::of(["a1", "b1", "c1", "d2", "d3"].map(claims).into());
    fleet.set_policy(POLICY);
    assert_eq!(fleet.ledger.may_lie(&id("d3")), 1);
    fleet.opened("d2", Seen::AgentDown);
    assert_eq!(fleet.ledger.may_lie(&id("d3")), 0);
    let grounds = sole_word(&mut fleet, "d3", id("a1"));
    let case = fleet.unsettled("d3", 40, grounds).expect("one word of three");
    fleet.wait(300);
    assert_eq!(fleet.stage(case), "escalated");
}

#[test]
fn a_verdict_makes_the_same_case_its_own_even_when_a_person_was_called() {
    let mut fleet = Fleet::healing();
    let id = opened(&mut fleet, "b2");
    fleet.wait(301);
    assert_eq!(fleet.stage(id), "escalated");
    let (case, _, _) = fleet.begun("b2", Seen::AgentDown, "c3");
    assert_eq!(case, id, "one trouble, one case");
    let case = fleet.case(id);
    assert_eq!((case.kind.clone(), case.stage.word()), (VerdictKind::AgentDown, "remedy"));
    assert_eq!(case.rule.as_ref().map(|(name, _)| name.as_str()), Some("agent down"));
    assert!(case.stands_since > case.opened, "the verdict stands since it is one");
}

#[test]
fn it_ends_when_the_host_is_seen_well_and_comes_back_as_the_same_case_without_hold_off() {
    let mut fleet = Fleet::healing();
    let id = opened(&mut fleet, "b2");
    let recover = |fleet: &mut Fleet, seen| {
        let grounds = fleet.round(&[("b2", seen)]);
        fleet.send("a1", Command::Recovered { cases: vec![id], grounds });
    };
    recover(&mut fleet, Seen::HostDown);
    assert_eq!(fleet.stage(id), "open");
    recover(&mut fleet, Seen::Well);
    assert!(matches!(fleet.case(id).stage, Stage::Closed { how: Closure::Recovered, .. }));
    fleet.wait(60);
    assert_eq!(opened(&mut fleet, "b2"), id, "the same trouble");
    assert_eq!(fleet.case(id).held_off_until, fleet.case(id).opened);
    recover(&mut fleet, Seen::Well);
    let other = fleet.opened("b2", Seen::AgentDown);
    assert_ne!(other, id, "a verdict is no flip of what was never settled");
    assert_eq!(fleet.case(other).flips, 0);
}

#[test]
fn a_host_that_answers_some_and_not_others_is_unsettled_by_more_than_one_of_these() {
    let mut fleet = Fleet::healing();
    let partly = |fleet: &mut Fleet, failing: usize| {
        let dead = fleet.round(&[("b2", Seen::HostDown)]).attestations;
        let mut grounds = fleet.round(&[("b2", Seen::Well)]);
        for (word, dead) in grounds.attestations.iter_mut().zip(dead).take(failing) {
            word.grade = dead.grade;
            word.paths = dead.paths;
            *word = fleet.signed(word.clone());
        }
        grounds
    };
    let one = partly(&mut fleet, 1);
    let refused = fleet.unsettled("b2", 40, one).expect_err("one may be mistaken");
    assert!(refused.contains("1 observers got no answer from it, 2 must"), "{refused}");
    let three = partly(&mut fleet, 3);
    let id = fleet.unsettled("b2", 40, three).expect("three are not");
    assert_eq!(fleet.case(id).unsettled_why(), Some("it answered for itself"));
    for (failing, stage) in [(2, "open"), (1, "closed")] {
        let grounds = partly(&mut fleet, failing);
        fleet.send("a1", Command::Recovered { cases: vec![id], grounds });
        assert_eq!(fleet.stage(id), stage);
    }
}

#[test]
fn what_a_person_has_dismissed_is_left_alone_for_ten_minutes() {
    let mut fleet = Fleet::healing();
    let id = opened(&mut fleet, "b2");
    let dismissed =
        fleet.send("a1", Command::Dismiss { case: id, order: order("it is unplugged") });
    assert_eq!(dismissed, Outcome::Done);
    let grounds = blind_to(&mut fleet, "b2", 2);
    let refused = fleet.unsettled("b2", 60, grounds).expect_err("a person knows of it");
    assert!(refused.contains("since a person dismissed it"), "{refused}");
    fleet.wait(600);
    assert_ne!(opened(&mut fleet, "b2"), id, "another call");
}

#[test]
fn a_verdict_a_goodbye_and_a_case_that_stands_leave_nothing_unsettled() {
    let mut fleet = Fleet::healing();
    let whole = fleet.round(&[("b2", Seen::HostDown)]);
    let refused = fleet.unsettled("b2", 40, whole).expect_err("there is a verdict");
    assert!(refused.contains("they say HostDown"), "{refused}");
    let case = fleet.opened("b2", Seen::HostDown);
    let grounds = blind_to(&mut fleet, "b2", 2);
    let refused = fleet.unsettled("b2", 40, grounds).expect_err("a case stands");
    assert!(refused.contains(&format!("case {case} on it is open")), "{refused}");
    let other = opened(&mut fleet, "c2");
    assert_eq!(fleet.send("c2", Command::Left { boot: boot(1) }), Outcome::Done);
    assert_eq!(fleet.stage(other), "closed", "it lived to say so");
    let grounds = blind_to(&mut fleet, "c2", 2);
    fleet.unsettled("c2", 40, grounds).expect_err("it said goodbye");
    let grounds = blind_to(&mut fleet, "a2", 2);
    let command = Command::Unsettled { grounds, doubted: doubts(&[("a2", 40)]) };
    assert!(refusal(&fleet.send("a2", command)).contains("only a voter"));
}

#[test]
fn a_dark_domain_takes_its_unsettled_hosts_along() {
    let mut fleet = Fleet::healing();
    let id = opened(&mut fleet, "b2");
    let dark = ["b1", "b2", "b3"].map(|name| (name, Seen::HostDown));
    let finding = ledger::command::Finding { scope: zone("b"), kind: VerdictKind::DomainDown };
    let domain = fleet.findings(&dark, vec![finding], &[]).remove(0).expect("all are silent");
    let closed = Stage::Closed {
        how: Closure::MergedInto(domain),
        at: fleet.ledger.time(),
        at_wall: fleet.ledger.wall(),
    };
    assert_eq!(fleet.case(id).stage, closed);
    let grounds = blind_to(&mut fleet, "b3", 2);
    let refused = fleet.unsettled("b3", 40, grounds).expect_err("law V2");
    assert!(refused.contains(&format!("case {domain} on it is open")), "{refused}");
    assert_eq!(fleet.case(domain).subject, Scope::Zone(claims("b1").domain.zone()));
}

#[test]
fn the_policy_says_how_long_and_a_snapshot_keeps_it() {
    let mut fleet = Fleet::nine();
    let timers = "\n[timers]\nsettle_for = \"10s\"\nunsettled_for = \"60s\"\n";
    fleet.set_policy(&format!("{POLICY}{timers}"));
    let again = Ledger::from_bytes(&fleet.ledger.to_bytes()).expect("our own bytes");
    assert_eq!(again, fleet.ledger);
    assert_eq!(again.policy().timers.unsettled_for, Span::seconds(60));
    let grounds = blind_to(&mut fleet, "b2", 2);
    let id = fleet.unsettled("b2", 10, grounds).expect("so long is enough");
    fleet.wait(60);
    assert_eq!(fleet.stage(id), "escalated");
}

#[test]
fn the_first_rules_know_no_such_case_and_take_no_policy_that_speaks_of_it() {
    let mut fleet = Fleet::healing_under_the_first_rules();
    let grounds = blind_to(&mut fleet, "b2", 2);
    let refused = fleet.unsettled("b2", 40, grounds).expect_err("not known");
    assert!(refused.contains("rules 1 are in force"), "{refused}");
    let before = fleet.ledger.policy_shelf().version();
    for key in ["settle_for", "unsettled_for"] {
        let text = format!("{POLICY}\n[timers]\n{key} = \"60s\"\n");
        let command = Command::Policy { text, if_version: None, order: order("early") };
        let refused = refusal(&fleet.send("a1", command));
        assert!(refused.contains("this version opens no case for a doubt"), "{refused}");
    }
    assert_eq!(fleet.ledger.policy_shelf().version(), before);
}

/// Law V6: nobody is lost from sight while a surge holds the verdict on it back.
#[test]
fn what_a_surge_holds_back_is_shown_unsettled_and_judged_when_it_lifts() {
    let mut fleet = Fleet::healing();
    let surge = Command::Surge { doubted: doubts(&[("a2", 1), ("b2", 1), ("c2", 1)]) };
    assert_eq!(fleet.send("a1", surge), Outcome::Done);
    let held = ["a2", "b2"].map(|name| {
        let grounds = fleet.round(&[(name, Seen::HostDown)]);
        let told = doubts(&[(name, 40)]);
        let can = fleet.ledger.can_unsettle(&grounds, &told, &vocabulary::ModelVerifier);
        assert_eq!(can, told, "the leader proposes it");
        fleet.unsettled(name, 40, grounds).expect("law V6")
    });
    assert_eq!(fleet.case(held[0]).kind, VerdictKind::Unsettled);
    fleet.wait(600);
    fleet.send("a1", Command::Resume(order("they are dead")));
    fleet.wait(1);
    assert_eq!(fleet.opened("a2", Seen::HostDown), held[0], "one trouble, one case");
    assert_eq!(fleet.case(held[0]).kind, VerdictKind::HostDown);
    assert_eq!(held.map(|case| fleet.stage(case)), ["open"; 2], "a round comes first");
    fleet.wait(30);
    assert_eq!(fleet.stage(held[1]), "escalated", "none came");
}

/// Two others are judged with it; two of nine are no surge.
#[test]
fn a_host_that_was_unsettled_counts_to_a_surge_as_it_is_judged_if_its_case_is_young() {
    for (seconds, is_surge) in [(3, true), (40, false)] {
        let mut fleet = Fleet::healing();
        opened(&mut fleet, "b2");
        fleet.wait(seconds);
        let seen = ["a2", "b2", "c2"].map(|name| (name, Seen::AgentDown));
        assert!(fleet.verdicts(&seen).iter().all(Result::is_ok));
        assert_eq!(fleet.ledger.brake().surge.is_some(), is_surge, "after {seconds} s");
    }
}
