//! Whom a person has added, where the policy wants that (laws F8, F9; protocol 1.3).

mod fleet;

use fleet::{EPOCH_SECONDS, Fleet, POLICY, claims, id, order, refusal};
use ledger::Ledger;
use ledger::audit::What;
use ledger::command::{Command, Outcome, Refused};
use ledger::rules;
use vocabulary::{ModelSigner, model_chain, model_chain_for};

/// Only hosts that were added.
const ADDED: &str = "enrolment.hosts = \"added\"\n";

fn strict() -> Fleet {
    let mut fleet = Fleet::nine();
    fleet.set_policy(&format!("{ADDED}{POLICY}"));
    fleet
}

fn enrol(name: &str) -> Command {
    Command::Enrol(model_chain(&claims(name)))
}

fn add(name: &str, may_enrol: bool) -> Command {
    Command::AddHost { name: claims(name).host, may_enrol, order: order("it is ours") }
}

fn not_added(name: &str) -> Outcome {
    Outcome::Refused(Refused::NotAdded(claims(name).host))
}

fn belongs(fleet: &Fleet, name: &str) -> bool {
    fleet.ledger.roster().get(&id(name)).is_some()
}

#[test]
fn law_f8_a_certificate_alone_brings_nobody_in_until_a_person_has_added_its_host() {
    let mut fleet = strict();
    fleet.wait(EPOCH_SECONDS);
    let refused = fleet.send("d1", enrol("d1"));
    assert_eq!(refused, not_added("d1"));
    assert!(refusal(&refused).contains("`hale host add d1 --why ...`"), "{refused:?}");
    assert!(!fleet.ledger.may_enrol(&id("d1")));
    assert_eq!(fleet.send("b1", add("d1", true)), Outcome::Done, "by any keeper's socket");
    assert!(fleet.ledger.may_enrol(&id("d1")));
    assert_eq!(fleet.send("d2", enrol("d2")), not_added("d2"), "nobody else");
    assert_eq!(fleet.send("d1", enrol("d1")), Outcome::Done);
    assert!(belongs(&fleet, "d1"));
    assert_eq!(fleet.ledger.added().count(), 0, "law F9: it is spent");
}

#[test]
fn law_f8_who_is_in_stays_in_and_turns_its_key_and_the_default_asks_no_person() {
    let mut fleet = strict();
    let other = ModelSigner::rotated(&claims("a2").host, 1);
    let renewed = Command::Enrol(model_chain_for(&claims("a2"), &other));
    assert_eq!(fleet.send("a2", renewed), Outcome::Done);
    fleet.set_policy(POLICY);
    assert_eq!(fleet.send("d1", enrol("d1")), Outcome::Done);
}

#[test]
fn law_f8_who_waits_for_its_epoch_while_the_word_is_taken_back_or_asked_for_does_not_enter() {
    let mut fleet = Fleet::nine();
    fleet.set_policy(POLICY);
    assert_eq!(fleet.send("d2", enrol("d2")), Outcome::Done, "it waits");
    fleet.set_policy(&format!("{ADDED}{POLICY}"));
    assert_eq!(fleet.send("a1", add("d3", true)), Outcome::Done);
    assert_eq!(fleet.send("d3", enrol("d3")), Outcome::Done);
    assert_eq!(fleet.send("a1", add("d3", false)), Outcome::Done);
    fleet.wait(EPOCH_SECONDS);
    assert!(!belongs(&fleet, "d2") && !belongs(&fleet, "d3"));
    assert_eq!(fleet.send("d2", enrol("d2")), not_added("d2"));
}

#[test]
fn law_f9_an_addition_is_one_record_may_come_before_the_policy_and_is_taken_back_once() {
    let mut fleet = Fleet::nine();
    let told = fleet.ledger.audit().head().number;
    for _ in 0..2 {
        assert_eq!(fleet.send("a1", add("d1", true)), Outcome::Done);
    }
    assert_eq!(fleet.send("a1", add("a2", true)), Outcome::Done, "it belongs already");
    assert_eq!(fleet.send("a1", add("d1", false)), Outcome::Done);
    assert_eq!(fleet.send("a1", add("d1", false)), Outcome::Refused(Refused::Nothing));
    let said = fleet.ledger.audit_since(told).map(|record| match &record.what {
        What::HostAdded { host, may_enrol, who, .. } => (*host, *may_enrol, who.clone()),
        other => panic!("{other:?}"),
    });
    let who = order("").who;
    assert_eq!(said.collect::<Vec<_>>(), [(id("d1"), true, who.clone()), (id("d1"), false, who)]);
    let retire = Command::Retire { host: id("c3"), order: order("sold") };
    assert_eq!(fleet.send("a1", retire), Outcome::Done);
    assert_eq!(fleet.send("a1", add("c3", true)), Outcome::Refused(Refused::Retired));
    assert!(
        refusal(&fleet.send("d1", add("d2", true))).contains("no such host"),
        "nor by a stranger"
    );
    let mute = Command::AddHost { name: claims("d2").host, may_enrol: true, order: order("") };
    assert!(refusal(&fleet.send("a1", mute)).contains("why"), "nor without a reason");
}

#[test]
fn what_is_added_and_that_it_is_wanted_live_on_in_a_snapshot() {
    let mut fleet = strict();
    assert_eq!(fleet.send("a1", add("d1", true)), Outcome::Done);
    let read = Ledger::from_bytes(&fleet.ledger.to_bytes()).expect("our own bytes");
    assert_eq!(read, fleet.ledger);
    assert!(read.may_enrol(&id("d1")) && !read.may_enrol(&id("d2")));
}

#[test]
fn law_c5_under_the_first_rules_nobody_is_added_and_no_policy_wants_it() {
    let mut fleet = Fleet::healing_under_the_first_rules();
    assert!(refusal(&fleet.send("a1", add("d1", true))).contains("rules 1 are in force"));
    assert_eq!(add("d1", true).since(), rules::SECOND);
    for text in [ADDED, "[enrolment]\n", "[enrolment]\nhosts = \"certified\"\n"] {
        let policy = Command::Policy {
            text: format!("{text}[budget]\n"),
            if_version: None,
            order: order("strict"),
        };
        let refused = refusal(&fleet.send("a1", policy));
        assert!(refused.contains("this version takes every host"), "{text}: {refused}");
    }
    assert_eq!(fleet.ledger.policy_shelf().version(), 1);
    assert_eq!(fleet.send("d1", enrol("d1")), Outcome::Done);
}
