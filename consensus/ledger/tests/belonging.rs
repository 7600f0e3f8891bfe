//! Who belongs: founding, enrolment, boots, farewells, burials; and ledger time.

mod fleet;

use detection::roster::Lot;
use fleet::*;
use ledger::Ledger;
use ledger::case::Closure;
use ledger::command::{Command, Entry, Outcome, Proposed, Refused};
use ledger::rules;
use vocabulary::{
    LedgerIndex, ModelSigner, ModelVerifier, PublicKey, Signature, Signer, Span, VerdictKind,
    WallNote, model_authority, model_chain, model_chain_for,
};

fn founding(keepers: &[&str]) -> Command {
    Command::Found {
        cluster: cluster(),
        authorities: vec![model_authority()],
        keepers: keepers.iter().map(|name| model_chain(&claims(name))).collect(),
    }
}

fn alone(by: &str, command: Command) -> (Ledger, Outcome) {
    let mut ledger = Ledger::new();
    let entry = Entry {
        elapsed: Span::ZERO,
        wall: WallNote(0),
        commands: vec![Proposed { by: id(by), command }],
    };
    let outcome = ledger.apply(LedgerIndex(1), &entry, &ModelVerifier).remove(0);
    (ledger, outcome)
}

#[test]
fn a_ledger_that_nobody_has_founded_takes_nothing_else() {
    let (ledger, outcome) = alone("a1", Command::Enrol(model_chain(&claims("a1"))));
    assert_eq!(outcome, Outcome::Refused(Refused::NotFounded));
    assert!(!ledger.is_founded() && ledger.tick_every().is_none());
}

#[test]
fn a_ledger_is_founded_once_by_one_of_its_keepers_with_an_odd_number_of_them() {
    let (ledger, outcome) = alone("a1", founding(&["a1", "b1", "c1"]));
    assert_eq!(outcome, Outcome::Done);
    assert_eq!(ledger.voters(), [id("a1"), id("b1"), id("c1")]);
    assert_eq!(ledger.roster().present_count(), 3);

    for (by, keepers, why) in [
        ("a1", vec!["a1", "b1"], "1, 3, 5 or 7 voters"),
        ("a1", vec!["a1", "b1", "b1"], "named twice"),
        ("a1", vec!["a1", "b1", "c2"], "does not name it a keeper"),
        ("c2", vec!["a1", "b1", "c1"], "one of its first keepers"),
    ] {
        let (ledger, outcome) = alone(by, founding(&keepers));
        assert!(refusal(&outcome).contains(why), "{outcome:?}");
        assert!(!ledger.is_founded());
    }

    let mut fleet = Fleet::nine();
    let again = fleet.send("a1", founding(&["a1"]));
    assert_eq!(again, Outcome::Refused(Refused::AlreadyFounded));
}

#[test]
fn a_host_enrols_only_itself_and_only_with_a_certificate_of_the_authority() {
    let mut fleet = Fleet::nine();
    let other = fleet.send("a2", Command::Enrol(model_chain(&claims("d1"))));
    assert!(refusal(&other).contains("enrols only itself"));
    let mut forged = model_chain(&claims("d1"));
    forged.0[0][10] ^= 1;
    let outcome = fleet.send("d1", Command::Enrol(forged));
    assert!(refusal(&outcome).contains("no authority"), "{outcome:?}");
    let epoch = fleet.ledger.roster().epoch;
    fleet.wait(EPOCH_SECONDS);
    let own = fleet.send("d1", Command::Enrol(model_chain(&claims("d1"))));
    assert_eq!(own, Outcome::Done);
    assert_eq!(fleet.ledger.roster().epoch, epoch.next());
    assert_eq!(fleet.ledger.seating().epoch(), fleet.ledger.roster().epoch);
    assert_eq!(fleet.ledger.seating().observers(&id("d1")).len(), 9);
}

/// Protocol 1.3. The roster's epoch and who belongs, as every host sees them.
fn belong(fleet: &Fleet) -> (u64, usize) {
    (fleet.ledger.roster().epoch.0, fleet.ledger.roster().present_count())
}

#[test]
fn enrolments_are_gathered_and_make_one_epoch_in_five_seconds_at_most() {
    let mut fleet = Fleet::nine();
    assert_eq!(belong(&fleet), (2, 9), "one epoch for the founding, one for all who came with it");
    let newcomers = ["d2", "d3", "e2", "e3", "f2"];
    let enrol = |fleet: &mut Fleet, name: &str| {
        assert_eq!(fleet.send(name, Command::Enrol(model_chain(&claims(name)))), Outcome::Done);
    };
    fleet.wait(EPOCH_SECONDS);
    assert!(fleet.ledger.tick_every().is_none(), "nobody waits");
    enrol(&mut fleet, newcomers[0]);
    assert_eq!(belong(&fleet), (3, 10), "an epoch that has stood for long enough holds nobody up");
    for name in &newcomers[1..4] {
        enrol(&mut fleet, name);
        enrol(&mut fleet, name);
    }
    assert!(fleet.ledger.tick_every().is_some(), "ledger time runs for those who wait");
    fleet.wait(2);
    enrol(&mut fleet, newcomers[4]);
    assert_eq!(fleet.boot("f2", 1), Outcome::Refused(Refused::UnknownHost));
    fleet.wait(2);
    assert_eq!(belong(&fleet), (3, 10), "the epoch has stood for four seconds");
    fleet.wait(1);
    assert_eq!(belong(&fleet), (4, 14), "all of them at once");
    assert_eq!(fleet.ledger.seating().epoch(), fleet.ledger.roster().epoch);
    assert_eq!(fleet.boot("f2", 1), Outcome::Done);
    assert!(fleet.ledger.tick_every().is_none());
}

#[test]
fn an_epoch_made_by_anything_else_counts_as_well_and_whoever_waits_may_be_refused_at_last() {
    let mut fleet = Fleet::nine();
    fleet.wait(EPOCH_SECONDS);
    let retire = |name: &str| Command::Retire { host: id(name), order: order("sold") };
    fleet.send("a1", retire("c3"));
    let epoch = fleet.ledger.roster().epoch;
    let moved = Command::Enrol(model_chain(&claims_in("b2", "b", "another")));
    for (by, command) in [
        ("d2", Command::Enrol(model_chain(&claims("d2")))),
        (
            "a3",
            Command::Enrol(model_chain_for(
                &claims("a3"),
                &ModelSigner::rotated(&claims("a3").host, 1),
            )),
        ),
        ("b2", moved.clone()),
    ] {
        assert_eq!(fleet.send(by, command), Outcome::Done);
    }
    assert_eq!(fleet.ledger.roster().epoch, epoch, "burying a host has just made one");
    fleet.send("a1", retire("a3"));
    let case = fleet.opened("b2", Seen::AgentDown);
    fleet.wait(EPOCH_SECONDS);
    assert!(fleet.ledger.roster().get(&id("d2")).is_some());
    assert!(fleet.ledger.roster().get(&id("a3")).is_none(), "buried while it waited");
    let stands = fleet.ledger.roster().get(&id("b2")).expect("it belongs").claims.clone();
    assert_eq!(stands, claims("b2"), "a case was opened while it waited");
    assert_eq!(fleet.send("b2", moved), Outcome::Refused(Refused::CaseOpen(case)));
}

#[test]
fn two_keys_speak_for_a_host_and_a_third_silences_the_first() {
    let mut fleet = Fleet::nine();
    let host = claims("a2");
    let key = |rotations| ModelSigner::rotated(&host.host, rotations);
    for rotations in [1, 2] {
        let chain = model_chain_for(&host, &key(rotations));
        assert_eq!(fleet.send("a2", Command::Enrol(chain)), Outcome::Done);
        fleet.wait(EPOCH_SECONDS);
    }
    let entry = fleet.ledger.roster().get(&id("a2")).expect("it belongs").clone();
    let now = fleet.ledger.index();
    let speaks = |rotations| {
        use vocabulary::Signer;
        entry.speaks(&key(rotations).public_key(), now)
    };
    assert_eq!([0, 1, 2].map(speaks), [false, true, true]);
}

#[test]
fn a_host_with_an_open_case_does_not_move() {
    let mut fleet = Fleet::nine();
    let case = fleet.opened("b2", Seen::AgentDown);
    let moved = model_chain(&claims_in("b2", "b", "another"));
    let outcome = fleet.send("b2", Command::Enrol(moved.clone()));
    assert_eq!(outcome, Outcome::Refused(Refused::CaseOpen(case)));
    let grounds = fleet.round(&[("b2", Seen::Well)]);
    let cases = vec![case];
    fleet.send("a1", Command::Recovered { cases, grounds });
    assert_eq!(fleet.send("b2", Command::Enrol(moved)), Outcome::Done);
}

#[test]
fn a_boot_rises_only_and_one_number_is_one_machine() {
    let mut fleet = Fleet::nine();
    assert_eq!(fleet.boot("a2", 5), Outcome::Done);
    assert_eq!(fleet.boot("a2", 5), Outcome::Done, "told twice");
    let lower = Outcome::Refused(Refused::BootTooLow(boot(5)));
    assert_eq!(fleet.boot("a2", 4), lower);
    let mut clone = boot(5);
    clone.nonce += 1;
    let command =
        Command::Boot { boot: clone, address: "[::1]:1".parse().expect("sound"), store: None };
    let outcome = fleet.send("a2", command);
    assert_eq!(outcome, Outcome::Refused(Refused::Duplicate(boot(5))));
    let stranger = fleet.boot("d1", 1);
    assert_eq!(stranger, Outcome::Refused(Refused::UnknownHost));
}

#[test]
fn a_retired_host_never_comes_back_and_a_voter_is_not_retired() {
    let mut fleet = Fleet::nine();
    let retire = |name: &str| Command::Retire { host: id(name), order: order("sold") };
    assert_eq!(fleet.send("a1", retire("c3")), Outcome::Done);
    assert!(fleet.ledger.roster().get(&id("c3")).is_none());
    let retired = Outcome::Refused(Refused::Retired);
    let back = Command::Enrol(model_chain(&claims("c3")));
    assert_eq!(fleet.send("c3", back), retired);
    assert_eq!(fleet.boot("c3", 9), retired);
    assert_eq!(fleet.send("c3", retire("a2")), retired, "nor does it order");
    assert!(refusal(&fleet.send("a1", retire("b1"))).contains("voter"));
    assert!(fleet.ledger.seating().observers(&id("c3")).is_empty());
}

#[test]
fn retiring_a_host_closes_its_case_but_not_while_a_remedy_is_pending() {
    let mut fleet = Fleet::healing();
    let retire = Command::Retire { host: id("b2"), order: order("broken") };
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    let outcome = fleet.send("a1", retire.clone());
    assert_eq!(outcome, Outcome::Refused(Refused::CaseOpen(case)));
    let healer = ("c2", case, fence);
    fleet.receive(healer, remedy, vocabulary::ReceiptKind::Refused);
    assert_eq!(fleet.send("a1", retire), Outcome::Done);
    assert!(matches!(
        fleet.case(case).stage,
        ledger::case::Stage::Closed { how: Closure::Retired, .. }
    ));
}

#[test]
fn an_agent_that_said_goodbye_is_no_case_for_its_grace_and_then_a_ticket_until_it_is_back() {
    let mut fleet = Fleet::nine();
    let wrong = fleet.send("b2", Command::Left { boot: boot(9) });
    assert_eq!(wrong, Outcome::Refused(Refused::BootTooLow(boot(1))));
    let left = Command::Left { boot: boot(1) };
    assert_eq!(fleet.send("b2", left), Outcome::Done);
    assert!(fleet.ledger.left_since(&id("b2")).is_some());
    let verdict = fleet.verdicts(&[("b2", Seen::AgentDown)]).remove(0);
    assert!(verdict.expect_err("no case").contains("goodbye"));

    fleet.wait(15 * 60);
    let ticket = fleet.ledger.case_of_host(&id("b2")).expect("a ticket").clone();
    assert_eq!(ticket.kind, VerdictKind::Left);
    assert!(fleet.offer(ticket.id, "c2") != Outcome::Done, "no remedy follows");
    fleet.boot("b2", 2);
    assert_eq!(fleet.stage(ticket.id), "closed");
    assert!(fleet.ledger.left_since(&id("b2")).is_none());
}

#[test]
fn one_entry_adds_at_most_five_seconds() {
    let mut fleet = Fleet::nine();
    let before = fleet.ledger.time();
    fleet.entry(Span::minutes(60), Vec::new());
    assert_eq!(fleet.ledger.time().since(before), Span::seconds(5));
}

#[test]
fn a_calm_ledger_wants_no_ticks_and_one_with_a_case_does() {
    let mut fleet = Fleet::nine();
    assert!(fleet.ledger.tick_every().is_none());
    let case = fleet.opened("b2", Seen::AgentDown);
    assert!(fleet.ledger.tick_every().is_some());
    let grounds = fleet.round(&[("b2", Seen::Well)]);
    let cases = vec![case];
    fleet.send("a1", Command::Recovered { cases, grounds });
    assert_eq!(fleet.stage(case), "closed");
    assert!(fleet.ledger.tick_every().is_none());
}

#[test]
#[should_panic(expected = "law A2")]
fn an_entry_is_never_applied_twice() {
    let mut fleet = Fleet::nine();
    let (index, entry) = fleet.log[3].clone();
    fleet.ledger.apply(index, &entry, &ModelVerifier);
}

/// The lot of a host that enrols so many seconds after the mesh was founded.
fn lot_of(fleet: &mut Fleet, name: &str, seconds: u64) -> Option<Lot> {
    fleet.wait(seconds);
    assert_eq!(fleet.send(name, Command::Enrol(model_chain(&claims(name)))), Outcome::Done);
    assert!(fleet.ledger.roster().get(&id(name)).is_some(), "it has entered");
    fleet.ledger.roster().lot(&id(name))
}

#[test]
fn law_f11_a_lot_is_drawn_for_whoever_comes_hangs_on_the_moment_and_stays_its_own() {
    let mut fleet = Fleet::nine();
    let drawn = lot_of(&mut fleet, "d1", EPOCH_SECONDS);
    assert!(drawn.is_some());
    let other = lot_of(&mut Fleet::nine(), "d1", EPOCH_SECONDS + 1);
    assert_ne!(drawn, other, "a second later it is another one");
    assert_ne!(drawn, lot_of(&mut fleet, "d2", EPOCH_SECONDS), "of another host, too");
    let again = Command::Enrol(model_chain_for(
        &claims("d1"),
        &ModelSigner::rotated(&claims("d1").host, 1),
    ));
    fleet.wait(EPOCH_SECONDS);
    assert_eq!(fleet.send("d1", again), Outcome::Done);
    assert_eq!(fleet.ledger.roster().lot(&id("d1")), drawn, "law R3: with another key, too");
    let back = Ledger::from_bytes(&fleet.ledger.to_bytes()).expect("a state");
    assert!(back == fleet.ledger && back.seating() == fleet.ledger.seating());
    assert_eq!(back.roster().lot(&id("d1")), drawn);
}

#[test]
fn law_f11_under_the_first_rules_nothing_is_drawn() {
    let mut fleet = Fleet::under(rules::FIRST, NINE.iter().map(|name| claims(name)).collect());
    assert_eq!(lot_of(&mut fleet, "d1", EPOCH_SECONDS), None);
}

/// Whoever holds this key has signed everything with one signature.
struct Weak;

impl Signer for Weak {
    fn public_key(&self) -> PublicKey {
        let mut identity = [0; 32];
        identity[0] = 1;
        PublicKey(identity)
    }

    fn sign(&self, _: &[u8]) -> Signature {
        Signature(self.public_key().0, [0; 32])
    }
}

#[test]
fn law_f12_a_key_of_small_order_does_not_enrol_and_does_under_the_first_rules_as_ever() {
    let weak = Command::Enrol(model_chain_for(&claims("d1"), &Weak));
    let mut fleet = Fleet::nine();
    fleet.wait(EPOCH_SECONDS);
    let outcome = fleet.send("d1", weak.clone());
    assert!(refusal(&outcome).contains("small order"), "{outcome:?}");
    assert!(fleet.ledger.roster().get(&id("d1")).is_none());
    let mut fleet = Fleet::under(rules::FIRST, NINE.iter().map(|name| claims(name)).collect());
    fleet.wait(EPOCH_SECONDS);
    assert_eq!(fleet.send("d1", weak), Outcome::Done);
}

#[test]
fn law_f12_a_key_of_small_order_that_waits_as_the_rules_rise_does_not_enter() {
    let mut fleet = Fleet::under(rules::FIRST, NINE.iter().map(|name| claims(name)).collect());
    fleet.wait(EPOCH_SECONDS);
    for (name, signer) in
        [("d1", &ModelSigner::new(&claims("d1").host) as &dyn Signer), ("d2", &Weak)]
    {
        let enrol = Command::Enrol(model_chain_for(&claims(name), signer));
        assert_eq!(fleet.send(name, enrol), Outcome::Done, "d2 waits for the next epoch");
    }
    assert_eq!(fleet.send("a1", Command::Rules { rules: rules::SECOND }), Outcome::Done);
    fleet.wait(EPOCH_SECONDS);
    assert!(fleet.ledger.roster().get(&id("d1")).is_some());
    assert!(fleet.ledger.roster().get(&id("d2")).is_none());
}
