//! Checks that fail on hosts that answer: what makes a case of them, what follows from it, and how it ends.

mod fleet;

use std::collections::BTreeSet;

use detection::fitness::UnfitVerdict;
use fleet::*;
use ledger::Ledger;
use ledger::case::{Closure, Stage};
use ledger::command::{Command, Finding, Outcome, Refused};
use vocabulary::{CaseId, CheckGrounds, Grade, Label, Scope, Span, VerdictKind};

const UNKNOWN: Option<Grade> = Some(Grade::Unknown);
const FAILED: [Grade; 1] = [Grade::Failed];
const WELL: [Grade; 1] = [Grade::Ok];

fn api() -> VerdictKind {
    VerdictKind::Unfit(Label::new("api").expect("sound"))
}

/// All observers of a host that answers find its check failed.
fn failing(fleet: &mut Fleet, name: &str) -> CheckGrounds {
    fleet.check_round(name, UNKNOWN, &FAILED)
}

fn well(fleet: &mut Fleet, name: &str) -> CheckGrounds {
    fleet.check_round(name, Some(Grade::Ok), &WELL)
}

fn opened(fleet: &mut Fleet, name: &str) -> CaseId {
    let grounds = failing(fleet, name);
    fleet.unfit(name, grounds).expect("the grounds bear it")
}

fn closed_as(fleet: &Fleet, case: CaseId) -> Option<Closure> {
    match &fleet.case(case).stage {
        Stage::Closed { how, .. } => Some(how.clone()),
        _ => None,
    }
}

#[test]
fn a_check_that_a_quorum_finds_failed_is_a_case_that_says_who_found_it() {
    let mut fleet = Fleet::checking("peers");
    let id = opened(&mut fleet, "b2");
    let case = fleet.case(id);
    assert_eq!((&case.kind, case.stage.word()), (&api(), "open"));
    assert_eq!(case.grounds.against, fleet.ledger.seating().observers(&fleet::id("b2")));
    assert_eq!(case.grounds.sights.len(), 9, "eight observers and the host itself");
    let by = fleet.ledger.unfit_by(&fleet::id("b2"), &case.grounds);
    assert_eq!(by, UnfitVerdict { by_peers: true, by_itself: false });
    assert_eq!(fleet.history(0).last().map(String::as_str), Some("Verdict"));
}

#[test]
fn its_own_word_is_a_case_where_the_policy_asks_for_it_alone() {
    let mut fleet = Fleet::checking("self");
    let grounds = fleet.check_round("b2", Some(Grade::Failed), &[]);
    let id = fleet.unfit("b2", grounds).expect("its own word");
    assert_eq!(fleet.case(id).grounds.against, [fleet::id("b2")]);
    let by = fleet.ledger.unfit_by(&fleet::id("b2"), &fleet.case(id).grounds);
    assert_eq!(by, UnfitVerdict { by_peers: false, by_itself: true });

    let mut fleet = Fleet::checking("peers");
    let grounds = fleet.check_round("b2", Some(Grade::Failed), &[]);
    let refused = fleet.unfit("b2", grounds).expect_err("nobody asked it");
    assert!(refused.contains("0 observers find it failed, 7 are needed"), "{refused}");
}

#[test]
fn law_fc1_without_fresh_words_of_a_quorum_and_of_the_host_itself_there_is_no_case() {
    let mut fleet = Fleet::checking("peers");
    let silent = fleet.check_round("b2", None, &FAILED);
    let refused = fleet.unfit("b2", silent).expect_err("it did not answer");
    assert!(refused.contains("that is for the check reach"), "{refused}");
    let two_well = [Grade::Ok, Grade::Ok, Grade::Failed];
    let grounds = fleet.check_round("b2", UNKNOWN, &two_well);
    let refused = fleet.unfit("b2", grounds).expect_err("two find it well");
    assert!(refused.contains("2 observers find it serving, 1 may be mistaken"), "{refused}");
    let stale = failing(&mut fleet, "b2");
    fleet.wait(6);
    let refused = fleet.unfit("b2", stale).expect_err("six seconds old");
    assert!(refused.contains("entry"), "{refused}");
    let mut forged = failing(&mut fleet, "b2");
    forged.words.iter_mut().for_each(|word| word.grade = Grade::Ok);
    assert!(fleet.unfit("b2", forged).is_err(), "no word counts whose signature is another's");
}

#[test]
fn only_a_voter_asks_it_and_only_under_rules_that_know_it() {
    let mut fleet = Fleet::checking("peers");
    let grounds = failing(&mut fleet, "b2");
    let findings = vec![unfit_finding("b2")];
    let ask = Command::Unfit { grounds: grounds.clone(), findings };
    assert!(refusal(&fleet.send("a2", ask.clone())).contains("only a voter"));
    let many = vec![unfit_finding("b2"); 33];
    let bound = fleet.send("a1", Command::Unfit { grounds, findings: many });
    assert!(matches!(bound, Outcome::Refused(Refused::Bound(_))), "{bound:?}");

    let mut old = Fleet::healing_under_the_first_rules();
    let text = checking("peers");
    let set = Command::Policy { text, if_version: None, order: order("a check") };
    assert!(refusal(&old.send("a1", set)).contains("known from rules 2 on"));
    assert!(refusal(&old.send("a1", ask)).contains("known from rules 2 on"));
    assert_eq!(old.ledger.checks_of(&id("b2")), [] as [&ledger::policy::Check; 0]);
}

#[test]
fn a_check_that_the_policy_has_not_on_the_hosts_group_is_nobodys() {
    let mut fleet = Fleet::checking("peers");
    fleet.set_policy(&format!("{}groups = [\"db\"]\n", checking("peers")));
    let grounds = failing(&mut fleet, "b2");
    let refused = fleet.unfit("b2", grounds).expect_err("it is a web host");
    assert!(refused.contains("the policy has no check api on this host's group"), "{refused}");
}

#[test]
fn it_ends_as_recovered_when_a_newer_round_finds_the_check_well() {
    let mut fleet = Fleet::checking("both");
    let early = well(&mut fleet, "b2");
    let id = opened(&mut fleet, "b2");
    assert!(fleet.fit(id, early).is_err(), "that round is older than the case");
    let half = fleet.check_round("b2", UNKNOWN, &WELL);
    let refused = fleet.fit(id, half).expect_err("its own word is missing");
    assert!(refused.contains("they do not find api well"), "{refused}");
    let grounds = well(&mut fleet, "b2");
    assert_eq!(fleet.ledger.can_fit(&[id], &grounds, &vocabulary::ModelVerifier), [id]);
    assert_eq!(fleet.fit(id, grounds), Ok(id));
    assert_eq!(closed_as(&fleet, id), Some(Closure::Recovered));
    assert!(fleet.ledger.budgets().iter().all(|line| line.unhealthy == 0));
}

#[test]
fn a_round_from_before_the_last_that_found_it_unfit_does_not_end_it() {
    let mut fleet = Fleet::checking("peers");
    let id = opened(&mut fleet, "b2");
    let between = well(&mut fleet, "b2");
    assert_eq!(opened(&mut fleet, "b2"), id);
    let refused = fleet.fit(id, between).expect_err("it was unfit since");
    assert!(refused.contains("entry"), "{refused}");
}

#[test]
fn the_same_check_that_fails_again_soon_is_the_same_case_and_another_trouble_is_not() {
    let mut fleet = Fleet::checking("peers");
    let id = opened(&mut fleet, "b2");
    let grounds = well(&mut fleet, "b2");
    fleet.fit(id, grounds).expect("well");
    assert_eq!(opened(&mut fleet, "b2"), id);
    assert_eq!(fleet.case(id).flips, 1);
    let grounds = well(&mut fleet, "b2");
    fleet.fit(id, grounds).expect("well");
    let down = fleet.opened("b2", Seen::AgentDown);
    assert!(down > id, "its agent is other trouble");
    assert_eq!(fleet.case(down).flips, 0);
}

#[test]
fn law_fc3_nothing_follows_from_it_but_that_its_host_counts_as_unhealthy() {
    let mut fleet = Fleet::checking("peers");
    let id = opened(&mut fleet, "b1");
    assert!(refusal(&fleet.offer(id, "c3")).contains("no rule"));
    fleet.wait(3_600);
    assert_eq!(fleet.stage(id), "open", "nobody is called");
    assert_eq!(fleet.ledger.budgets()[0].unhealthy, 1);
    // It is a voter, and another voter is healed all the same; by it, too.
    let case = fleet.opened("c1", Seen::AgentDown);
    assert!(matches!(fleet.offer(case, "b1"), Outcome::Leased { .. }));
}

#[test]
fn law_fc3_a_check_that_fails_everywhere_is_no_surge_and_neither_surge_nor_pause_hides_it() {
    let mut fleet = Fleet::checking("peers");
    for name in &NINE[1..] {
        opened(&mut fleet, name);
    }
    assert_eq!(fleet.ledger.brake().surge, None);
    assert_eq!(fleet.ledger.surge_of(&doubts(&[("a1", 1)])), None);
    fleet.send("a1", Command::Pause(order("look")));
    opened(&mut fleet, "a1");
    let surge = Command::Surge { doubted: doubts(&[("a2", 1), ("a3", 1), ("b2", 1)]) };
    assert_eq!(fleet.send("a1", surge), Outcome::Done, "doubts of reach are one as ever");
}

#[test]
fn law_fc2_beside_another_case_in_a_dark_domain_and_after_a_goodbye_none_is_opened() {
    let mut fleet = Fleet::checking("self");
    let own = |fleet: &mut Fleet, name: &str| fleet.check_round(name, Some(Grade::Failed), &[]);
    let down = fleet.opened("b2", Seen::AgentDown);
    let grounds = own(&mut fleet, "b2");
    assert_eq!(fleet.unfit("b2", grounds), Err(Refused::CaseOpen(down).to_string()));
    fleet.send("c2", Command::Left { boot: boot(1) });
    let grounds = own(&mut fleet, "c2");
    assert!(fleet.unfit("c2", grounds).is_err_and(|no| no.contains("said goodbye")));
    fleet.twin("c3");
    let grounds = own(&mut fleet, "c3");
    assert!(fleet.unfit("c3", grounds).is_err_and(|no| no.contains("is open")));
    assert_eq!(fleet.ledger.gone(), BTreeSet::from(["b2", "c2", "c3"].map(fleet::id)));

    let mut fleet = Fleet::checking("self");
    let grounds = own(&mut fleet, "b3");
    let unfit = fleet.unfit("b3", grounds).expect("its own word");
    let dark = ["b1", "b2", "b3"].map(|name| (name, Seen::HostDown));
    let finding = Finding { scope: zone("b"), kind: VerdictKind::DomainDown };
    let domain = fleet.findings(&dark, vec![finding], &[]).remove(0).expect("a dark zone");
    assert_eq!(closed_as(&fleet, unfit), Some(Closure::MergedInto(domain)));
    let grounds = own(&mut fleet, "b3");
    assert_eq!(fleet.unfit("b3", grounds), Err(Refused::CaseOpen(domain).to_string()));
    assert_eq!(fleet.ledger.gone(), BTreeSet::from(["b1", "b2", "b3"].map(fleet::id)));
}

#[test]
fn law_fc2_a_verdict_on_its_host_takes_the_case_over_and_is_healed_without_a_hold_off() {
    let mut fleet = Fleet::checking("peers");
    let id = opened(&mut fleet, "b2");
    for _ in 0..3 {
        let grounds = well(&mut fleet, "b2");
        fleet.fit(id, grounds).expect("well");
        assert_eq!(opened(&mut fleet, "b2"), id);
    }
    let failed_since = fleet.case(id).opened;
    fleet.wait(600);
    assert_eq!(fleet.opened("b2", Seen::AgentDown), id);
    let case = fleet.case(id);
    assert_eq!((&case.kind, case.flips), (&VerdictKind::AgentDown, 0));
    assert!(case.opened >= failed_since.after(Span::seconds(600)), "this trouble is news");
    assert_eq!(case.rule.as_ref().map(|(name, _)| name.as_str()), Some("agent down"));
    assert!(matches!(fleet.offer(id, "c2"), Outcome::Leased { .. }));
    let grounds = well(&mut fleet, "b2");
    let refused = fleet.fit(id, grounds).expect_err("it is about the agent now");
    assert!(refused.contains("no check ends a case AgentDown"), "{refused}");
}

#[test]
fn law_fc2_a_doubt_that_nobody_settles_takes_it_over_and_calls_a_person_in_time() {
    let mut fleet = Fleet::checking("peers");
    let id = opened(&mut fleet, "b2");
    let grounds = well(&mut fleet, "b2");
    fleet.fit(id, grounds).expect("well");
    assert_eq!(opened(&mut fleet, "b2"), id, "it came and went");
    let grounds = fleet.round(&[("b2", Seen::HostDown)]);
    let grounds = fleet.blinded(grounds, 2);
    let told =
        fleet.ledger.can_unsettle(&grounds, &doubts(&[("b2", 31)]), &vocabulary::ModelVerifier);
    assert_eq!(told.len(), 1);
    assert_eq!(fleet.unsettled("b2", 31, grounds), Ok(id));
    assert_eq!((&fleet.case(id).kind, fleet.case(id).flips), (&VerdictKind::Unsettled, 0));
    fleet.wait(301);
    assert_eq!(fleet.stage(id), "escalated", "law G1");
}

#[test]
fn a_failed_check_asks_for_no_ticks_since_nothing_of_it_waits_for_ledger_time() {
    let mut fleet = Fleet::checking("peers");
    fleet.wait(3_600);
    let before = fleet.ledger.tick_every();
    opened(&mut fleet, "b2");
    assert_eq!((before, fleet.ledger.tick_every()), (None, None));
}

#[test]
fn law_fc4_that_its_host_is_reached_ends_it_never() {
    let mut fleet = Fleet::checking("peers");
    let id = opened(&mut fleet, "b2");
    let grounds = fleet.round(&[("b2", Seen::Well)]);
    let outcome = fleet.send("a1", Command::Recovered { cases: vec![id], grounds });
    assert!(matches!(&outcome, Outcome::Findings(of) if of[0].is_err()), "{outcome:?}");
    assert_eq!(fleet.stage(id), "open");
}

#[test]
fn law_fc1_a_policy_without_the_check_ends_its_cases_and_one_that_keeps_it_does_not() {
    let mut fleet = Fleet::checking("peers");
    let id = opened(&mut fleet, "b2");
    fleet.set_policy(&checking("peers").replace("8080", "8081"));
    assert_eq!(fleet.stage(id), "open");
    fleet.set_policy(&format!("{}groups = [\"db\"]\n", checking("peers")));
    let by = Closure::ByPerson("ops: the policy has this check no more on its host".into());
    assert_eq!(closed_as(&fleet, id), Some(by));
    fleet.set_policy(&checking("peers"));
    let grounds = failing(&mut fleet, "b2");
    let refused = fleet.unfit("b2", grounds).expect_err("a person has ended it");
    assert!(refused.contains("since a person dismissed it"), "{refused}");
    fleet.wait(600);
    assert!(opened(&mut fleet, "b2") > id);
}

#[test]
fn a_host_that_leaves_takes_its_failed_check_into_the_ticket() {
    let mut fleet = Fleet::checking("peers");
    let id = opened(&mut fleet, "b2");
    fleet.send("b2", Command::Left { boot: boot(1) });
    fleet.wait(15 * 60 - 1);
    assert_eq!(fleet.stage(id), "open");
    fleet.wait(2);
    let ticket = fleet.ledger.case_of_host(&fleet::id("b2")).expect("a ticket").clone();
    assert_eq!(ticket.kind, VerdictKind::Left);
    assert_eq!(closed_as(&fleet, id), Some(Closure::MergedInto(ticket.id)));
    fleet.boot("b2", 2);
    assert_eq!(closed_as(&fleet, ticket.id), Some(Closure::Recovered));
}

#[test]
fn a_leader_tells_what_is_news_and_nothing_twice() {
    let mut fleet = Fleet::checking("both");
    let news = |fleet: &Fleet, grounds: &CheckGrounds| {
        let findings = [unfit_finding("b2")];
        fleet.ledger.can_unfit(grounds, &findings, &vocabulary::ModelVerifier).len()
    };
    let grounds = failing(&mut fleet, "b2");
    assert_eq!(news(&fleet, &grounds), 1);
    fleet.unfit("b2", grounds).expect("unfit");
    let grounds = failing(&mut fleet, "b2");
    assert_eq!(news(&fleet, &grounds), 0);
    let one_well = fleet.check_round("b2", UNKNOWN, &[Grade::Ok, Grade::Failed]);
    assert_eq!(news(&fleet, &one_well), 0, "by the same word, whoever may be mistaken");
    let both = fleet.check_round("b2", Some(Grade::Failed), &FAILED);
    assert_eq!(news(&fleet, &both), 1, "by its own word too, now");
    let before = fleet.history(0).len();
    fleet.unfit("b2", both).expect("unfit");
    let again = fleet.check_round("b2", Some(Grade::Failed), &FAILED);
    fleet.unfit("b2", again).expect("unfit");
    assert_eq!(fleet.history(0).len(), before + 1, "the history has it once");
}

#[test]
fn seats_of_hosts_that_are_gone_are_vacant() {
    let mut fleet = Fleet::checking("peers");
    fleet.opened("c1", Seen::AgentDown);
    fleet.send("c2", Command::Left { boot: boot(1) });
    let mut grounds = failing(&mut fleet, "b2");
    let gone = [id("c1"), id("c2")];
    grounds.words.retain(|word| !gone.contains(&word.author));
    let case = fleet.unfit("b2", grounds).expect("six of six");
    let vacant: BTreeSet<_> = fleet.case(case).grounds.vacant.iter().copied().collect();
    assert_eq!(vacant, BTreeSet::from(gone));
}

#[test]
fn the_checks_on_a_host_are_those_of_its_group_and_outlive_a_snapshot() {
    let mut fleet = Fleet::checking("peers");
    opened(&mut fleet, "b2");
    let again = Ledger::from_bytes(&fleet.ledger.to_bytes()).expect("our own bytes");
    assert_eq!(again, fleet.ledger);
    let names = |ledger: &Ledger, host: &str| {
        let checks = ledger.checks_of(&id(host));
        checks.iter().map(|check| check.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(&again, "b2"), ["api"]);
    assert_eq!(names(&again, "nobody"), [] as [&str; 0]);
}

#[test]
fn a_burial_closes_it_and_a_person_may() {
    let mut fleet = Fleet::checking("peers");
    let buried = opened(&mut fleet, "b2");
    fleet.send("a1", Command::Retire { host: id("b2"), order: order("sold") });
    assert_eq!(closed_as(&fleet, buried), Some(Closure::Retired));
    let dismissed = opened(&mut fleet, "b3");
    let dismiss = Command::Dismiss { case: dismissed, order: order("known") };
    assert_eq!(fleet.send("a1", dismiss), Outcome::Done);
    assert_eq!(
        fleet.ledger.case_of_host(&id("b3")).map(|case| case.subject.clone()),
        None::<Scope>
    );
}
