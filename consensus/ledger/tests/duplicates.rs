//! Two machines under one name: what shows it, what neither of them can do any more, and how it ends.

mod fleet;

use detection::verdict::Void;
use fleet::*;
use ledger::case::{Closure, Stage};
use ledger::command::{Command, Outcome, Refused};
use vocabulary::{Boot, CaseId, Grounds, ReceiptKind, VerdictKind};

fn twin_of(known: Boot) -> Boot {
    Boot { nonce: 99, ..known }
}

fn duplicated(fleet: &mut Fleet, name: &str) -> CaseId {
    let known = fleet.ledger.roster().get(&id(name)).and_then(|entry| entry.boot).expect("booted");
    assert_eq!(fleet.twin(name), Outcome::Refused(Refused::Duplicate(known)));
    let case = fleet.ledger.case_of_host(&id(name)).expect("the case stands");
    assert_eq!(case.kind, VerdictKind::Duplicate);
    case.id
}

fn turned_away(fleet: &mut Fleet, by: &str, (host, boot): (&str, Boot)) -> Outcome {
    fleet.send(by, Command::OtherLife { host: id(host), boot })
}

#[test]
fn two_nonces_under_one_number_are_a_case_and_a_person_is_called_at_once() {
    let mut fleet = Fleet::healing();
    let id = duplicated(&mut fleet, "b2");
    let Stage::Escalated { why, counted: None, .. } = &fleet.case(id).stage else {
        panic!("it is a person's: {:?}", fleet.case(id).stage);
    };
    let told = "two machines live under its name, both in boot 1, by nonces 00000008 and 00000063";
    assert!(why.starts_with(told), "{why}");
    assert_eq!(duplicated(&mut fleet, "b2"), id, "one trouble, one case");
    let called = fleet.history(0).iter().filter(|what| *what == "Escalated").count();
    assert_eq!(called, 1, "and one call");
}

#[test]
fn a_life_that_was_committed_once_and_still_speaks_is_another_machine_and_a_lost_disk_is_not() {
    let mut fleet = Fleet::healing();
    assert_eq!(fleet.boot("b2", 5), Outcome::Done);
    let lost = Boot { number: 2, nonce: 1 };
    assert!(refusal(&turned_away(&mut fleet, "a1", ("b2", lost))).contains("lost disk"));
    assert_eq!(turned_away(&mut fleet, "a1", ("b2", boot(5))), Outcome::Refused(Refused::Nothing));
    let refused = turned_away(&mut fleet, "a2", ("b2", boot(1)));
    assert!(
        refusal(&refused).contains("only the host itself or a voter"),
        "one liar makes no duplicate: {refused:?}"
    );
    assert_eq!(fleet.ledger.cases().count(), 0);
    assert_eq!(turned_away(&mut fleet, "a1", ("b2", boot(1))), Outcome::Done);
    let case = fleet.ledger.case_of_host(&id("b2")).expect("the older life lives on");
    let Stage::Escalated { why, .. } = &case.stage else {
        panic!("it is a person's");
    };
    assert!(why.contains("one in boot 5 (0000000c), one in boot 1 (00000008)"), "{why}");
    let case = case.id;
    fleet.wait(299);
    assert_eq!(fleet.stage(case), "escalated");
    fleet.wait(1);
    assert_eq!(fleet.stage(case), "closed", "the older life has said its last word");
    assert_eq!(
        turned_away(&mut fleet, "b2", ("b2", boot(1))),
        Outcome::Done,
        "its own word counts"
    );
}

/// What this observer says is signed in its twin's life.
fn said_by_twin(fleet: &Fleet, mut grounds: Grounds, observer: &str) -> Grounds {
    for word in grounds.attestations.iter_mut().filter(|word| word.observer == id(observer)) {
        word.observer_boot = twin_of(word.observer_boot);
        *word = fleet.signed(word.clone());
    }
    grounds
}

#[test]
fn its_own_key_under_two_nonces_shows_it_and_a_forged_word_does_not() {
    let mut fleet = Fleet::healing();
    let mut forged = fleet.round(&[("b2", Seen::HostDown)]);
    let word = forged.attestations.iter_mut().find(|word| word.observer == id("c2"));
    let word = word.expect("c2 looked");
    word.observer_boot = twin_of(word.observer_boot);
    let verdicts = |grounds| Command::Verdicts { grounds, findings: vec![], doubted: vec![] };
    fleet.send("a1", verdicts(forged));
    assert_eq!(fleet.ledger.cases().count(), 0, "law U1");
    let grounds = fleet.round(&[("b2", Seen::HostDown)]);
    let grounds = said_by_twin(&fleet, grounds, "c2");
    fleet.send("a1", verdicts(grounds));
    assert!(fleet.ledger.is_duplicate(&id("c2")));
    let mut grounds = fleet.round(&[("b3", Seen::HostDown)]);
    let answer = grounds.answers.iter_mut().find(|answer| answer.subject == id("c3"));
    let answer = answer.expect("c3 answers for itself");
    answer.boot = twin_of(answer.boot);
    let signer = vocabulary::ModelSigner::new(&claims("c3").host);
    *answer = answer.clone().signed("test", &signer);
    fleet.send("a1", Command::Recovered { cases: vec![], grounds });
    assert!(fleet.ledger.is_duplicate(&id("c3")));
}

#[test]
fn neither_has_a_voice_and_their_seats_are_vacant() {
    let mut fleet = Fleet::healing();
    duplicated(&mut fleet, "c2");
    let case = fleet.opened("b2", Seen::HostDown);
    let kept = &fleet.case(case).grounds;
    assert_eq!((kept.against.len(), kept.vacant.as_slice()), (7, &[id("c2")][..]));
    let sight = kept.sights.iter().find(|sight| sight.observer == id("c2")).expect("it spoke");
    assert_eq!(sight.void, Some(Void::Duplicate));
}

#[test]
fn whatever_the_two_say_of_others_the_conclusions_are_the_same() {
    let mut fleet = Fleet::healing();
    duplicated(&mut fleet, "c2");
    let grounds = fleet.round(&[("b2", Seen::HostDown), ("a2", Seen::Well)]);
    let without = |grounds: &Grounds| {
        let mut grounds = grounds.clone();
        grounds.attestations.retain(|word| word.observer != id("c2"));
        grounds.answers.retain(|answer| answer.subject != id("c2"));
        grounds
    };
    let lied = {
        let mut grounds = grounds.clone();
        let of = |subject: &str| {
            let mut words = grounds.attestations.iter();
            words.position(|word| word.observer == id("c2") && word.subject == id(subject))
        };
        let (dead, alive) = (of("b2").expect("it looked"), of("a2").expect("it looked"));
        let paths = grounds.attestations[dead].paths.clone();
        grounds.attestations[dead].paths = grounds.attestations[alive].paths.clone();
        grounds.attestations[alive].paths = paths;
        for place in [dead, alive] {
            grounds.attestations[place] = fleet.signed(grounds.attestations[place].clone());
        }
        grounds
    };
    let concluded = |grounds: &Grounds| {
        let verifier = &vocabulary::ModelVerifier;
        let (_, conclusions) = fleet.ledger.concluded(grounds, verifier);
        conclusions
    };
    let silent = concluded(&without(&grounds));
    assert_eq!(concluded(&grounds), silent, "law U2");
    assert_eq!(concluded(&lied), silent, "law U2");
    assert!(silent.verdict(&id("b2")).is_ok() && silent.verdict(&id("a2")).is_err());
}

#[test]
fn a_lease_that_either_holds_is_not_renewed_and_its_receipt_counts_for_nothing() {
    let mut fleet = Fleet::healing();
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    duplicated(&mut fleet, "c2");
    let renewed = fleet.send("c2", Command::Renew { case, fence });
    assert!(refusal(&renewed).contains("two machines live under this host's name"));
    let received = fleet.receive(("c2", case, fence), remedy, ReceiptKind::Done);
    assert!(refusal(&received).contains("neither heals"));
    assert!(refusal(&fleet.offer(case, "c2")).contains("leased"));
    fleet.wait(31);
    assert_eq!(fleet.stage(case), "orphaned");
    assert!(refusal(&fleet.offer(case, "c2")).contains("an open case of its own"));
    assert!(matches!(fleet.offer(case, "c3"), Outcome::Leased { .. }), "another takes it over");
}

#[test]
fn whatever_case_the_host_had_becomes_it_and_no_verdict_replaces_it() {
    let mut fleet = Fleet::healing();
    let (case, ..) = fleet.begun("b2", Seen::AgentDown, "c3");
    assert_eq!(duplicated(&mut fleet, "b2"), case);
    let Stage::Escalated { counted: Some(_), .. } = &fleet.case(case).stage else {
        panic!("law B2: the end of its remedy is unknown: {:?}", fleet.case(case).stage);
    };
    let refused = fleet.verdicts(&[("b2", Seen::HostDown)]).remove(0).expect_err("refused");
    assert!(refused.contains(&format!("case {case} on it is open")), "{refused}");
    let grounds = fleet.round(&[("b2", Seen::Well)]);
    fleet.send("a1", Command::Recovered { cases: vec![case], grounds });
    assert_eq!(
        fleet.case(case).kind,
        VerdictKind::Duplicate,
        "that one of two is well ends nothing"
    );
}

#[test]
fn it_ends_when_a_life_above_both_stands_alone_for_five_minutes() {
    let mut fleet = Fleet::healing();
    let id = duplicated(&mut fleet, "b2");
    fleet.wait(600);
    assert_eq!(fleet.stage(id), "escalated", "both may still be there");
    assert_eq!(fleet.boot("b2", 2), Outcome::Done);
    fleet.wait(200);
    // The other machine speaks again: with the old number, then with the new one.
    assert!(matches!(fleet.boot("b2", 1), Outcome::Refused(Refused::BootTooLow(_))));
    fleet.wait(200);
    assert_eq!(fleet.stage(id), "escalated");
    duplicated(&mut fleet, "b2");
    fleet.wait(600);
    assert_eq!(fleet.stage(id), "escalated", "boot 2 is one of two lives again");
    assert_eq!(fleet.boot("b2", 3), Outcome::Done);
    fleet.wait(299);
    assert_eq!(fleet.stage(id), "escalated");
    assert!(fleet.ledger.tick_every().is_some(), "law X1: time alone is missing");
    fleet.wait(1);
    assert!(matches!(fleet.case(id).stage, Stage::Closed { how: Closure::Recovered, .. }));
    let case = fleet.opened("c3", Seen::HostDown);
    assert_eq!(fleet.case(case).grounds.vacant, [], "it has a voice again");
}

#[test]
fn a_person_ends_it_by_hand() {
    let mut fleet = Fleet::healing();
    let id = duplicated(&mut fleet, "b2");
    let dismissed = Command::Dismiss { case: id, order: order("the clone is off") };
    assert_eq!(fleet.send("a1", dismissed), Outcome::Done);
    assert!(!fleet.ledger.is_duplicate(&fleet::id("b2")));
    assert_ne!(duplicated(&mut fleet, "b2"), id, "unless it was not");
}

#[test]
fn the_first_rules_refuse_the_second_machine_and_say_no_more() {
    let mut fleet = Fleet::healing_under_the_first_rules();
    let before = fleet.ledger.audit().head();
    assert_eq!(fleet.twin("b2"), Outcome::Refused(Refused::Duplicate(boot(1))));
    let refused = turned_away(&mut fleet, "b2", ("b2", Boot { nonce: 99, ..boot(1) }));
    assert!(refusal(&refused).contains("rules 1 are in force"), "{refused:?}");
    let grounds = fleet.round(&[("b3", Seen::HostDown)]);
    let grounds = said_by_twin(&fleet, grounds, "c2");
    fleet.send("a1", Command::Recovered { cases: vec![], grounds });
    assert_eq!(fleet.ledger.cases().count(), 0);
    assert_eq!(fleet.ledger.audit().head(), before, "an entry does what it did then");
}
