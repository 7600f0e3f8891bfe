//! Which rules are in force, who may raise them, and what that changes (protocol 1.6).

mod fleet;

use fleet::*;
use ledger::audit::What;
use ledger::command::{Command, Entry, Outcome, Proposed};
use ledger::{Ledger, rules, verify_chain};
use vocabulary::{ModelVerifier, Span, WallNote};

fn raise(fleet: &mut Fleet, by: &str, rules: u32) -> Outcome {
    fleet.send(by, Command::Rules { rules })
}

#[test]
fn a_new_ledger_is_under_the_first_rules_until_a_voter_raises_them_once() {
    let mut fleet = Fleet::healing_under_the_first_rules();
    assert_eq!(fleet.ledger.rules(), rules::FIRST);
    let told = fleet.ledger.audit().head().number;
    assert!(refusal(&raise(&mut fleet, "a2", rules::SECOND)).contains("only a voter"));
    assert_eq!(fleet.ledger.rules(), rules::FIRST);
    for _ in 0..2 {
        assert_eq!(raise(&mut fleet, "b1", rules::SECOND), Outcome::Done);
        assert_eq!(fleet.ledger.rules(), rules::SECOND);
    }
    let records: Vec<_> = fleet.ledger.audit_since(told).cloned().collect();
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0].what, What::RulesRaised { rules: rules::SECOND });
    assert_eq!(verify_chain(&records), Ok(()));
}

#[test]
fn rules_never_fall_and_never_rise_to_what_is_not_known() {
    let mut fleet = Fleet::healing();
    assert!(refusal(&raise(&mut fleet, "a1", rules::FIRST)).contains("never fall"));
    assert!(refusal(&raise(&mut fleet, "a1", rules::NEWEST + 1)).contains("not known here"));
    assert_eq!(fleet.ledger.rules(), rules::NEWEST);
}

/// What this version answers to it is never a keeper's answer: the keeper stops before the entry (protocol 1.6).
#[test]
fn an_entry_of_a_voter_that_raises_the_rules_beyond_what_is_known_is_named_and_no_other_is() {
    let fleet = Fleet::healing();
    let of = |by: &str, rules: u32| {
        let commands = vec![
            Proposed { by: id(by), command: Command::Tick },
            Proposed { by: id(by), command: Command::Rules { rules } },
        ];
        fleet.ledger.unknown_rules(&Entry { elapsed: Span::ZERO, wall: WallNote(0), commands })
    };
    assert_eq!(of("a1", rules::NEWEST + 1), Some(rules::NEWEST + 1));
    assert_eq!(of("a1", u32::MAX), Some(u32::MAX));
    assert_eq!(of("a1", rules::NEWEST), None);
    assert_eq!(of("a2", rules::NEWEST + 1), None, "it is no voter: every version refuses it alike");
    assert_eq!(of("x9", rules::NEWEST + 1), None, "nor is a stranger");
}

#[test]
fn rules_raised_amid_a_life_are_raised_at_that_entry_on_every_keeper_and_live_on_in_snapshots() {
    let mut fleet = Fleet::healing_under_the_first_rules();
    let case = fleet.opened("b2", Seen::AgentDown);
    let middle = fleet.log.len();
    raise(&mut fleet, "c1", rules::SECOND);
    fleet.leased(case, "c2");
    let mut other = Ledger::new();
    for (place, (index, entry)) in fleet.log.iter().enumerate() {
        assert_eq!(other.rules() == rules::SECOND, place > middle);
        other.apply(*index, entry, &ModelVerifier);
        other = Ledger::from_bytes(&other.to_bytes()).expect("our own bytes");
    }
    assert_eq!(other, fleet.ledger);
}
