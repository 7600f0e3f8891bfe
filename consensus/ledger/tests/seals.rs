//! Who vouches for the audit (protocol 8.1; laws AS1 to AS4).

mod fleet;

use fleet::*;
use ledger::Ledger;
use ledger::audit::{Audit, Checkpoint, Seal, SealFault};
use ledger::command::{Command, Outcome};
use ledger::rules;
use ledger::sealing::{SEAL_EVERY, ToSign};
use vocabulary::{
    Digest, HostName, ModelSigner, ModelVerifier, Signature, Signer, StoreId, model_authority,
    model_chain, model_chain_for,
};

fn signer(name: &str) -> ModelSigner {
    ModelSigner::new(&HostName::new(name).expect("sound"))
}

/// This host signs this.
fn signed(name: &str, ToSign { place, message }: &ToSign) -> Command {
    Command::Seal {
        place: *place,
        certificate: model_chain(&claims(name)),
        signature: signer(name).sign(message),
    }
}

/// The first of these voters opens the newest place, the others sign what is open then.
fn seal(fleet: &mut Fleet, voters: &[&str]) -> Checkpoint {
    let open = fleet.ledger.to_open().expect("there is news");
    for name in voters {
        let asked = fleet.ledger.to_sign(&id(name)).unwrap_or(open.clone());
        assert_eq!(asked, open);
        assert_eq!(fleet.send(name, signed(name, &asked)), Outcome::Done);
    }
    open.place
}

/// So many records, one of each entry.
fn records(fleet: &mut Fleet, count: u64) {
    let first = fleet.ledger.audit().head().number;
    for number in first + 1..=first + count {
        let is_paused = fleet.ledger.brake().pause.is_some();
        let order = order("a drill");
        let command = if is_paused { Command::Resume(order) } else { Command::Pause(order) };
        assert_eq!(fleet.send("a1", command), Outcome::Done);
        assert_eq!(fleet.ledger.audit().head().number, number);
    }
}

fn judged(seal: &Seal) -> Result<usize, SealFault> {
    seal.judge(&[model_authority()], &ModelVerifier).map(|signers| signers.len())
}

#[test]
fn law_as1_a_place_is_sealed_once_most_voters_have_signed_it_and_the_rest_may_still_do_so() {
    let mut fleet = Fleet::nine();
    let head = fleet.ledger.audit().head();
    assert_eq!((fleet.ledger.seal(), fleet.ledger.unsealed()), (None, head.number));
    assert_eq!(fleet.ledger.to_sign(&id("a1")), None, "nothing is open");
    assert_eq!(seal(&mut fleet, &["a1"]), head);
    assert_eq!(fleet.ledger.seal(), None, "one of three is no majority");
    assert!(fleet.ledger.is_being_sealed() && fleet.ledger.to_open().is_none());
    assert_eq!(fleet.ledger.to_sign(&id("a1")), None);
    assert_eq!(fleet.ledger.to_sign(&id("a2")), None, "it has no vote");
    let asked = fleet.ledger.to_sign(&id("b1")).expect("it has not signed");
    assert_eq!(fleet.send("b1", signed("b1", &asked)), Outcome::Done);
    let sealed = fleet.ledger.seal().expect("two of three").clone();
    assert_eq!((sealed.place, judged(&sealed)), (head, Ok(2)));
    assert_eq!((fleet.ledger.unsealed(), fleet.ledger.to_open()), (0, None));
    let asked = fleet.ledger.to_sign(&id("c1")).expect("the third may, too");
    assert_eq!(fleet.send("c1", signed("c1", &asked)), Outcome::Done);
    assert_eq!(fleet.ledger.seal().map(judged), Some(Ok(3)));
    assert_eq!(fleet.send("c1", signed("c1", &asked)), Outcome::Done, "twice is once");
    assert_eq!(fleet.ledger.seal().map(|seal| seal.signatures.len()), Some(3));
    assert_eq!(Ledger::from_bytes(&fleet.ledger.to_bytes()).as_ref(), Ok(&fleet.ledger));
    assert_eq!(fleet.ledger.audit().head(), head, "a seal is about the audit, not in it");
}

#[test]
fn law_as2_whatever_else_is_signed_is_refused_by_its_rule() {
    let mut fleet = Fleet::nine();
    let open = fleet.ledger.to_open().expect("there is news");
    let mut says = |by: &str, command: Command| {
        let told = refusal(&fleet.send(by, command));
        told.trim_start_matches("not permitted: ").to_owned()
    };
    let no_voter = says("a2", signed("a2", &open));
    assert!(no_voter.contains("or is none of its voters"), "{no_voter}");
    let anothers = says("b1", signed("a1", &open));
    assert!(anothers.contains("another host's"), "{anothers}");
    let mut altered = signed("a1", &open);
    if let Command::Seal { signature, .. } = &mut altered {
        *signature = Signature([7; 32], [7; 32]);
    }
    let altered = says("a1", altered);
    assert!(altered.contains("is not by its certificate's key"), "{altered}");
    let turned = ModelSigner::rotated(&HostName::new("a1").expect("sound"), 1);
    let unknown = Command::Seal {
        place: open.place,
        certificate: model_chain_for(&claims("a1"), &turned),
        signature: turned.sign(&open.message),
    };
    assert!(says("a1", unknown).contains("is not by its certificate's key"), "not in the roster");
    let forged =
        ToSign { place: Checkpoint { digest: Digest([9; 32]), ..open.place }, ..open.clone() };
    assert!(
        says("a1", signed("a1", &forged)).contains("of the audit is not 0909"),
        "another history"
    );
    let far = ToSign { place: Checkpoint { number: 9_999, ..open.place }, ..open.clone() };
    assert!(says("a1", signed("a1", &far)).contains("record 9999 of the audit is not"));
    let place = seal(&mut fleet, &["a1", "b1"]);
    records(&mut fleet, 1);
    let earlier = ToSign { place: Checkpoint { number: place.number - 1, ..place }, ..open };
    let told = refusal(&fleet.send("a1", signed("a1", &earlier)));
    assert!(told.contains(&format!("is sealed: a seal stands at {}", place.number)), "{told}");
}

#[test]
fn while_a_place_is_open_another_is_only_opened_far_behind_it() {
    let mut fleet = Fleet::nine();
    let first = seal(&mut fleet, &["a1"]);
    records(&mut fleet, SEAL_EVERY - 1);
    assert!(fleet.ledger.is_being_sealed() && fleet.ledger.to_open().is_none());
    records(&mut fleet, 1);
    assert!(!fleet.ledger.is_being_sealed(), "two voters were silent for long");
    let open = fleet.ledger.to_open().expect("far enough");
    assert_eq!(fleet.send("b1", signed("b1", &open)), Outcome::Done);
    let asked = fleet.ledger.to_sign(&id("a1")).expect("another place");
    assert_eq!((asked.place, open.place.number), (open.place, first.number + SEAL_EVERY));
    assert_eq!(fleet.send("a1", signed("a1", &asked)), Outcome::Done);
    assert_eq!(fleet.ledger.seal().map(|seal| seal.place), Some(open.place));
}

/// Law AS4.
#[test]
fn a_seal_names_the_voters_as_of_its_place() {
    let mut fleet = keepers(Fleet::nine());
    let open = fleet.ledger.to_open().expect("there is news");
    assert_eq!(fleet.send("b1", signed_by_keeper("b1", &open)), Outcome::Done);
    let (add, remove) = (vec![id("a2")], vec![id("a1")]);
    let moved = Command::MoveVotes { add, remove, order: order("moved") };
    assert_eq!(fleet.send("b1", moved), Outcome::Done);
    assert!(!fleet.ledger.is_being_sealed(), "what was signed named other voters");
    let late = refusal(&fleet.send("c1", signed_by_keeper("c1", &open)));
    assert!(late.contains("votes have moved since record"), "{late}");
    let next = fleet.ledger.to_open().expect("there is news");
    for name in ["b1", "a2"] {
        assert_eq!(fleet.send(name, signed_by_keeper(name, &next)), Outcome::Done);
    }
    let sealed = fleet.ledger.seal().expect("two of three");
    assert_eq!((sealed.place, judged(sealed)), (next.place, Ok(2)));
    assert_eq!(sealed.voters, fleet.ledger.voters());
}

/// All of these hosts may vote.
fn keepers(mut fleet: Fleet) -> Fleet {
    for name in NINE {
        let enrolled = fleet.send(name, Command::Enrol(model_chain(&keeper(name))));
        assert_eq!(enrolled, Outcome::Done);
    }
    fleet.wait(EPOCH_SECONDS);
    tells_of_a_store(&mut fleet, "a2");
    fleet
}

fn keeper(name: &str) -> vocabulary::Claims {
    let mut claims = claims(name);
    claims.roles.keeper = true;
    claims
}

fn signed_by_keeper(name: &str, ToSign { place, message }: &ToSign) -> Command {
    let certificate = model_chain(&keeper(name));
    Command::Seal { place: *place, certificate, signature: signer(name).sign(message) }
}

fn tells_of_a_store(fleet: &mut Fleet, name: &str) {
    let address = "[::1]:4433".parse().expect("sound");
    let store = Some(StoreId(9));
    let told = Command::Boot { boot: boot(1), address, store };
    assert_eq!(fleet.send(name, told), Outcome::Done);
}

#[test]
fn law_as3_nothing_falls_out_before_it_is_sealed_but_for_the_bound() {
    let mut fleet = Fleet::nine();
    let most = Audit::RECORDS_MAX as u64;
    records(&mut fleet, most / 2);
    let place = seal(&mut fleet, &["a1", "b1"]);
    records(&mut fleet, most + 200);
    let first = |fleet: &Fleet| fleet.ledger.audit().checkpoint().number;
    let fallen = first(&fleet);
    assert!(
        fallen > 0 && fallen <= place.number && place.number - fallen < 64,
        "{fallen} of {place:?}"
    );
    let kept = fleet.ledger.audit().since(0).count();
    assert!(kept > Audit::RECORDS_MAX + 64, "{kept} records wait for their seal");
    seal(&mut fleet, &["b1", "c1"]);
    let kept = fleet.ledger.audit().since(0).count();
    assert!(kept <= Audit::RECORDS_MAX + 64, "{kept}");
    let sealed = first(&fleet);
    records(&mut fleet, 2 * most);
    assert!(first(&fleet) > sealed + most / 2, "nobody signs: the state stays bounded");
    assert_eq!(Ledger::from_bytes(&fleet.ledger.to_bytes()).as_ref(), Ok(&fleet.ledger));
}

/// Law C5.
#[test]
fn under_the_first_rules_nothing_is_sealed_and_the_oldest_records_fall_out_as_ever() {
    let hosts = ["a1", "b1", "c1"].map(claims).to_vec();
    let mut fleet = Fleet::under(rules::FIRST, hosts);
    assert_eq!(fleet.ledger.to_open(), None);
    let place = fleet.ledger.audit().head();
    let message = Seal::message(&cluster(), place, fleet.ledger.voters());
    let told = refusal(&fleet.send("a1", signed("a1", &ToSign { place, message })));
    assert!(told.contains("known from rules 2 on"), "{told}");
    records(&mut fleet, Audit::RECORDS_MAX as u64 + 128);
    assert!(fleet.ledger.audit().checkpoint().number >= 64);
}

#[test]
fn law_as1_a_seal_that_was_altered_in_any_part_vouches_for_nothing() {
    let mut fleet = Fleet::nine();
    seal(&mut fleet, &["a1", "b1", "c1"]);
    let sealed = fleet.ledger.seal().expect("all have signed").clone();
    assert_eq!(judged(&sealed), Ok(3));
    let altered = |change: &dyn Fn(&mut Seal)| {
        let mut other = sealed.clone();
        change(&mut other);
        judged(&other)
    };
    let is_unsigned =
        |judged: Result<usize, SealFault>| matches!(judged, Err(SealFault::Signature(_)));
    assert!(is_unsigned(altered(&|seal| seal.place.number += 1)));
    assert!(is_unsigned(altered(&|seal| seal.place.digest = Digest([1; 32]))));
    assert!(is_unsigned(altered(&|seal| seal.voters.push(id("a2")))));
    assert!(is_unsigned(altered(&|seal| seal.signatures[1].signature.0[0] ^= 1)));
    let few = altered(&|seal| seal.signatures.truncate(1));
    assert_eq!(few, Err(SealFault::Few { signed: 1, voters: 3 }));
    let none = altered(&|seal| (seal.signatures, seal.voters) = (Vec::new(), Vec::new()));
    assert_eq!(none, Err(SealFault::Few { signed: 0, voters: 0 }));
    let twice = altered(&|seal| seal.signatures[1] = seal.signatures[0].clone());
    assert_eq!(twice, Err(SealFault::Stranger(sealed.signatures[0].by)));
    let stranger = altered(&|seal| seal.signatures[0].by = id("a2"));
    assert_eq!(stranger, Err(SealFault::Stranger(id("a2"))));
    let other =
        altered(&|seal| seal.cluster = vocabulary::ClusterName::new("prod").expect("sound"));
    assert!(matches!(other, Err(SealFault::Foreign(_))));
    let no_keeper = altered(&|seal| {
        let mut claims = claims("a1");
        claims.roles.keeper = false;
        let of_a1 = seal.signatures.iter_mut().find(|signed| signed.by == id("a1"));
        of_a1.expect("it has signed").certificate = model_chain(&claims);
    });
    assert_eq!(no_keeper, Err(SealFault::Foreign(id("a1"))));
    let other_authority = sealed.judge(&[b"another".to_vec()], &ModelVerifier);
    assert!(matches!(other_authority, Err(SealFault::Certificate(..))));
}

/// Finding of a review: a place that was opened for voters who came back.
#[test]
fn law_as2_a_place_that_was_open_before_the_newest_seal_never_comes_back() {
    let mut fleet = keepers(Fleet::nine());
    let old = fleet.ledger.to_open().expect("there is news");
    assert_eq!(fleet.send("a1", signed_by_keeper("a1", &old)), Outcome::Done);
    let moves = |add: &[&str], remove: &[&str]| {
        let ids = |names: &[&str]| names.iter().map(|name| id(name)).collect();
        Command::MoveVotes { add: ids(add), remove: ids(remove), order: order("moved") }
    };
    assert_eq!(fleet.send("a1", moves(&[], &["b1", "c1"])), Outcome::Done);
    let alone = fleet.ledger.to_open().expect("others vote");
    assert_eq!(fleet.send("a1", signed_by_keeper("a1", &alone)), Outcome::Done);
    assert_eq!(fleet.ledger.seal().map(|seal| seal.place), Some(alone.place));
    tells_of_a_store(&mut fleet, "b1");
    tells_of_a_store(&mut fleet, "c1");
    assert_eq!(fleet.send("a1", moves(&["b1", "c1"], &[])), Outcome::Done);
    assert!(!fleet.ledger.is_being_sealed() && fleet.ledger.to_sign(&id("b1")).is_none());
    let late = refusal(&fleet.send("b1", signed_by_keeper("b1", &old)));
    assert!(late.contains("is sealed: a seal stands at"), "{late}");
    let next = fleet.ledger.to_open().expect("there is news");
    for name in ["c1", "b1"] {
        assert_eq!(fleet.send(name, signed_by_keeper(name, &next)), Outcome::Done);
    }
    assert_eq!(fleet.ledger.seal().map(|seal| seal.place), Some(next.place));
}

#[test]
fn law_as2_only_who_votes_now_signs_and_only_its_own_certificate_is_kept() {
    let mut fleet = keepers(Fleet::nine());
    let open = seal(&mut fleet, &[]);
    let open = ToSign { place: open, ..fleet.ledger.to_open().expect("there is news") };
    let mut long = signed_by_keeper("a1", &open);
    if let Command::Seal { certificate, .. } = &mut long {
        certificate.0.extend(vec![vec![7]; 100]);
    }
    assert_eq!(fleet.send("a1", long), Outcome::Done);
    assert_eq!(fleet.send("c1", signed_by_keeper("c1", &open)), Outcome::Done);
    let sealed = fleet.ledger.seal().expect("two of three");
    assert!(sealed.signatures.iter().all(|signed| signed.certificate.0.len() == 1));
    let (add, remove) = (vec![id("a2")], vec![id("b1")]);
    let moved = Command::MoveVotes { add, remove, order: order("moved") };
    assert_eq!(fleet.send("a1", moved), Outcome::Done);
    assert_eq!(fleet.ledger.to_sign(&id("b1")), None, "it has no vote any more");
    let late = refusal(&fleet.send("b1", signed_by_keeper("b1", &open)));
    assert!(late.contains("or is none of its voters"), "{late}");
}

#[test]
fn law_as2_a_record_far_behind_the_newest_is_opened_by_nobody() {
    let mut fleet = Fleet::nine();
    let early = fleet.ledger.to_open().expect("there is news");
    records(&mut fleet, SEAL_EVERY);
    let told = refusal(&fleet.send("c1", signed("c1", &early)));
    assert!(told.contains("is left behind"), "{told}");
    assert_eq!(fleet.ledger.unsigned().count(), 3);
    seal(&mut fleet, &["c1"]);
    let missing: Vec<_> = fleet.ledger.unsigned().copied().collect();
    assert_eq!(missing, [id("a1"), id("b1")]);
}

/// While one authority follows another: a majority under one of them is enough, and what is open when they change is opened anew.
#[test]
fn law_as1_signers_of_another_authority_do_not_count_and_take_nothing_from_the_others() {
    let mut fleet = Fleet::nine();
    let open = seal(&mut fleet, &["a1"]);
    let authorities = vec![model_authority(), b"the next one".to_vec()];
    let trust = Command::Authorities { authorities, order: order("one follows another") };
    assert_eq!(fleet.send("a1", trust), Outcome::Done);
    assert!(!fleet.ledger.is_being_sealed(), "{open:?} was opened under the first alone");
    seal(&mut fleet, &["a1", "b1", "c1"]);
    let mut sealed = fleet.ledger.seal().expect("all").clone();
    assert_eq!(sealed.authorities.len(), 2);
    sealed.signatures[0].certificate.0[0][40] ^= 1;
    assert_eq!(judged(&sealed), Ok(2));
    sealed.signatures[1].certificate.0[0][40] ^= 1;
    assert!(matches!(judged(&sealed), Err(SealFault::Certificate(..))));
}
