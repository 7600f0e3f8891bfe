//! Signed words: what one host says of another, of itself, or of a check, and what is concluded from many of them.

use std::collections::BTreeSet;

use detection::fitness::{Asked, VerifiedWords};
use detection::verdict::{VerifiedGrounds, conclude};
use ledger::Ledger;
use vocabulary::{
    Attestation, CheckFrom, CheckGrounds, CheckWord, Grounds, HostId, Label, SelfAnswer,
};

use crate::{spelling, world};

/// The first byte says which words are to be read, the second who lies; the rest are the words.
pub fn attestation(bytes: &[u8]) {
    let [kind, liar, words @ ..] = bytes else {
        return;
    };
    match kind % 7 {
        0 => drop(spelling::read::<Attestation>(words)),
        1 => drop(spelling::read::<SelfAnswer>(words)),
        2 => drop(spelling::read::<CheckWord>(words)),
        3 => as_they_come(words),
        4 => of_nine_keys(words),
        5 => of_one_liar(words, world::host(*liar)),
        _ => on_a_check(words, world::host(*liar)),
    }
}

/// Laws Q3 and Q5 of `verdict::grounds`: whoever was heard has signed it.
fn as_they_come(words: &[u8]) {
    let Some(grounds) = spelling::read::<Grounds>(words) else {
        return;
    };
    let ledger = world::checking();
    let verified = VerifiedGrounds::verify(&grounds, &world::court(&ledger));
    let spoken = world::spoken(&grounds);
    for host in ledger.roster().present().map(|(host, _)| *host) {
        assert!(
            !verified.has_spoken(&host) || spoken.contains_key(&host),
            "law Q5: {host:?} has signed nothing"
        );
        for (observer, _) in verified.sights(&host) {
            let of = spoken.get(observer);
            assert!(of.is_some_and(|of| of.contains(&host)), "law Q3: {observer:?} did not say so");
        }
    }
    conclude(world::court(&ledger).fleet, &verified, &BTreeSet::new());
}

/// Whatever hosts sign, verdicts keep their laws, which `conclude` counts itself (laws V1, V2, V4, Q0).
fn of_nine_keys(words: &[u8]) {
    let Some(mut grounds) = spelling::read::<Grounds>(words) else {
        return;
    };
    let ledger = world::checking();
    world::lend(&mut grounds, ledger.anchor());
    let court = world::court(&ledger);
    let verified = VerifiedGrounds::verify(&grounds, &court);
    let concluded = conclude(court.fleet, &verified, &BTreeSet::new());
    grounds.attestations.reverse();
    grounds.answers.reverse();
    let turned = VerifiedGrounds::verify(&grounds, &court);
    let again = conclude(court.fleet, &turned, &BTreeSet::new());
    assert_eq!(
        concluded, again,
        "law Q0: in whatever order words come, the conclusion is the same"
    );
}

/// Law V4: nine hosts tolerate one liar; it brings nobody down and makes nobody well but itself.
fn of_one_liar(words: &[u8], liar: HostId) {
    let Some(mut grounds) = spelling::read::<Grounds>(words) else {
        return;
    };
    let ledger = world::checking();
    grounds.attestations.iter_mut().for_each(|word| word.observer = liar);
    grounds.answers.iter_mut().for_each(|word| word.subject = liar);
    world::lend(&mut grounds, ledger.anchor());
    let court = world::court(&ledger);
    let verified = VerifiedGrounds::verify(&grounds, &court);
    let concluded = conclude(court.fleet, &verified, &BTreeSet::new());
    assert_eq!(concluded.verdicts().next(), None, "law V4: one host brings nobody down");
    assert_eq!(concluded.domains, [], "law V4: one host brings no domain down");
    for host in others(&ledger, liar) {
        assert!(!concluded.is_well(&host), "law V4: one host ends no doubt of another");
        assert!(!concluded.is_verified_well(&host), "law V4: one host proves no remedy");
        assert!(!concluded.is_adverse(&host), "law V4: one host ends no soak");
    }
}

/// Laws FT1 and FT3 of `fitness`: by one author's words no other host is unfit; and whatever nine keys sign, its laws hold.
fn on_a_check(words: &[u8], liar: HostId) {
    let Some(mut grounds) = spelling::read::<CheckGrounds>(words) else {
        return;
    };
    let ledger = world::checking();
    judged(&ledger, &mut grounds);
    grounds.words.iter_mut().for_each(|word| word.author = liar);
    for (host, is_unfit) in judged(&ledger, &mut grounds) {
        assert!(!is_unfit || host == liar, "law FT3: one host makes no other unfit");
    }
}

/// Who is unfit by these words, signed by whoever they name; its own laws are asserted by the room.
fn judged(ledger: &Ledger, grounds: &mut CheckGrounds) -> Vec<(HostId, bool)> {
    world::lend_words(grounds, ledger.anchor());
    let court = world::court(ledger);
    let verified = VerifiedWords::verify(grounds, &court);
    let gone = BTreeSet::new();
    let check = Label::new("api").expect("three letters are a label");
    let judge = |subject: HostId| {
        let asked = Asked { subject, check: check.clone(), from: CheckFrom::Both, gone: &gone };
        (subject, verified.judge(court.fleet, &asked).verdict.is_ok())
    };
    ledger.roster().present().map(|(host, _)| judge(*host)).collect()
}

fn others(ledger: &Ledger, liar: HostId) -> impl Iterator<Item = HostId> {
    let hosts = ledger.roster().present().map(|(host, _)| *host);
    hosts.filter(move |host| *host != liar)
}
