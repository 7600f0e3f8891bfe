//! What the ledger keeps of the dates of certificates (law F6).

mod fleet;

use fleet::{Fleet, claims, id, order};
use ledger::command::{Command, Outcome};
use ledger::rules;
use vocabulary::{ModelSigner, model_chain_until};

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
    let hosts = ["a1", "b1", "c1"].map(claims).to_vec();
    let mut fleet = Fleet::under(rules::FIRST, hosts);
    let before = fleet.ledger.to_bytes();
    assert!(!fleet.ledger.lacks_certificate_end(&id("a1"), YEAR));
    assert_eq!(fleet.send("a1", enrol("a1", 0, YEAR)), Outcome::Done);
    assert_eq!(fleet.ledger.certificate_end(&id("a1")), None);
    assert_eq!(fleet.ledger.to_bytes().len(), before.len(), "nothing lies behind the state");
}
