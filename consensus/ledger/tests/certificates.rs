//! What the ledger keeps of the dates of certificates, and who vouches for them (laws F6, F7).

mod fleet;

use fleet::{Fleet, claims, id, order};
use ledger::command::{Command, Outcome};
use ledger::rules;
use vocabulary::{ModelSigner, model_authority, model_chain, model_chain_until};

const YEAR: u64 = 365 * 86_400;

/// The certificate of a host for its key after so many rotations, until this second.
fn enrol(name: &str, rotations: u64, until: u64) -> Command {
    let claims = claims(name);
    let signer = ModelSigner::rotated(&claims.host, rotations);
    Command::Enrol(model_chain_until(&claims, &signer, until))
}

#[test]
fn law_f6_the_end_of_the_certificate_enrolled_last_is_known_until_its_host_is_retired() {
    let mut fleet = Fleet::nine();
    let host = id("a2");
    assert_eq!(fleet.ledger.certificate_end(&host), None, "it was enrolled without a date");
    assert!(fleet.ledger.lacks_certificate_end(&host, YEAR));
    let epoch = fleet.ledger.roster().epoch;
    assert_eq!(fleet.send("a2", enrol("a2", 0, YEAR)), Outcome::Done);
    assert_eq!(fleet.ledger.certificate_end(&host), Some(YEAR));
    assert!(!fleet.ledger.lacks_certificate_end(&host, YEAR));
    fleet.wait(6);
    assert_eq!(fleet.ledger.roster().epoch, epoch, "dates move no seat");
    assert_eq!(fleet.send("a2", enrol("a2", 1, 2 * YEAR)), Outcome::Done);
    assert_eq!(fleet.ledger.certificate_end(&host), Some(2 * YEAR), "with another key, too");
    let refused = fleet.send("a3", enrol("a2", 1, 9 * YEAR));
    assert!(matches!(refused, Outcome::Refused(_)));
    assert_eq!(fleet.ledger.certificate_end(&host), Some(2 * YEAR), "nobody else says so");
    let bytes = fleet.ledger.to_bytes();
    let read = ledger::Ledger::from_bytes(&bytes).expect("a state");
    assert_eq!(read.certificate_end(&host), Some(2 * YEAR));
    let retire = Command::Retire { host, order: order("it was sold") };
    assert_eq!(fleet.send("a1", retire), Outcome::Done);
    assert_eq!(fleet.ledger.certificate_end(&host), None);
}

#[test]
fn law_c5_under_the_first_rules_no_date_is_kept_or_asked_for() {
    let hosts = || ["a1", "b1", "c1"].map(claims).to_vec();
    let mut fleet = Fleet::under(rules::FIRST, hosts());
    let mut as_then = Fleet::under(rules::FIRST, hosts());
    assert!(!fleet.ledger.lacks_certificate_end(&id("a1"), YEAR));
    assert_eq!(fleet.send("a1", enrol("a1", 0, YEAR)), Outcome::Done);
    assert_eq!(fleet.ledger.certificate_end(&id("a1")), None);
    let undated = Command::Enrol(model_chain(&claims("a1")));
    assert_eq!(as_then.send("a1", undated), Outcome::Done);
    assert_eq!(fleet.ledger.to_bytes(), as_then.ledger.to_bytes(), "law C5");
}

fn trust(authorities: &[&[u8]]) -> Command {
    let authorities = authorities.iter().map(|authority| authority.to_vec()).collect();
    Command::Authorities { authorities, order: order("one follows another") }
}

#[test]
fn law_f7_one_authority_follows_another_with_both_beside_each_other_in_between() {
    let (mut fleet, old, new) = (Fleet::nine(), model_authority(), b"its successor".as_slice());
    let refused = |outcome: Outcome| fleet::refusal(&outcome);
    let why = refused(fleet.send("a1", trust(&[new])));
    assert!(why.contains("none of these authorities vouches today"), "law F7: {why}");
    for wrong in [vec![], vec![old.as_slice(); 5], vec![old.as_slice(), &[]]] {
        let why = refused(fleet.send("a1", trust(&wrong)));
        assert!(why.contains("1 to 4 authority certificates"), "{why}");
    }
    assert_eq!(fleet.send("a1", trust(&[&old, new])), Outcome::Done);
    assert_eq!(fleet.send("a2", enrol("a2", 1, YEAR)), Outcome::Done, "the old one vouches on");
    let head = fleet.ledger.audit().head();
    assert_eq!(fleet.send("a1", trust(&[&old, new])), Outcome::Done);
    assert_eq!(fleet.ledger.audit().head(), head, "the same is no news");
    assert_eq!(fleet.send("a1", trust(&[new])), Outcome::Done);
    let founding = fleet.ledger.founding().expect("founded");
    assert_eq!(founding.authorities, [new.to_vec()]);
    let why = refused(fleet.send("a3", enrol("a3", 1, YEAR)));
    assert!(why.contains("no authority of this cluster"), "{why}");
    assert!(fleet.ledger.roster().get(&id("a3")).is_some(), "law F7: who is in stays in");
}

#[test]
fn law_c5_under_the_first_rules_authorities_do_not_change() {
    let mut fleet = Fleet::under(rules::FIRST, ["a1", "b1", "c1"].map(claims).to_vec());
    let before = fleet.ledger.founding().cloned();
    let outcome = fleet.send("a1", trust(&[&model_authority(), b"its successor"]));
    assert!(fleet::refusal(&outcome).contains("rules 2"), "{outcome:?}");
    assert_eq!(fleet.ledger.founding().cloned(), before);
    let newer = [trust(&[]), Command::Rules { rules: 2 }];
    assert!(newer.iter().all(|command| command.since() == rules::SECOND));
    assert_eq!(Command::Tick.since(), rules::FIRST);
}
