//! The ledgers on which bytes are tried: nine hosts that live in one process, whose keys anybody may borrow.
//!
//! A mutation of signed words breaks their signatures, and nothing beyond the signature would ever be seen. So words are signed
//! anew by whoever they name as their author, where that is one of the nine: what is tried is what hosts with good keys may say.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use detection::verdict;
use ledger::Ledger;
use vocabulary::{
    Anchor, Attestation, CheckGrounds, Grounds, HostId, ModelSigner, ModelVerifier, SelfAnswer,
};

use crate::fleet::{Fleet, NINE, Seen, claims, cluster, id};

thread_local! {
    static FLEETS: LazyCell<[Ledger; 6]> = const { LazyCell::new(fleets) };
}

/// What the bytes may begin from: nobody has founded it; the first rules; nine hosts under a policy; with a check; with a remedy
/// that runs and a case on which nobody has a lease; without a policy.
fn fleets() -> [Ledger; 6] {
    let mut healing = Fleet::healing();
    healing.begun("b2", Seen::AgentDown, "c2");
    healing.opened("a3", Seen::AgentDown);
    let plain = [
        Fleet::healing_under_the_first_rules(),
        Fleet::healing(),
        Fleet::checking("both"),
        healing,
        Fleet::nine(),
    ];
    let [first, second, checking, healing, nine] = plain.map(|fleet| fleet.ledger);
    [Ledger::new(), first, second, checking, healing, nine]
}

/// The ledger of this number.
pub(crate) fn ledger(number: u8) -> Ledger {
    FLEETS.with(|fleets| fleets[usize::from(number) % fleets.len()].clone())
}

/// Nine hosts under a policy, with a check on each.
pub(crate) fn checking() -> Ledger {
    ledger(3)
}

/// Who belongs and who watches whom.
pub(crate) fn court(ledger: &Ledger) -> verdict::Court<'_> {
    let fleet = verdict::Fleet { roster: ledger.roster(), seating: ledger.seating() };
    verdict::Court { fleet, verifier: &ModelVerifier }
}

/// The one of the nine hosts that this number stands for.
pub(crate) fn host(number: u8) -> HostId {
    id(NINE[usize::from(number) % NINE.len()])
}

/// The key of this host, if it is one of the nine.
pub(crate) fn key(host: &HostId) -> Option<ModelSigner> {
    let name = NINE.iter().find(|name| id(name) == *host)?;
    Some(ModelSigner::new(&claims(name).host))
}

/// All words signed by the hosts they name, for this anchor.
pub(crate) fn lend(grounds: &mut Grounds, anchor: Anchor) {
    grounds.anchor = anchor;
    for word in &mut grounds.attestations {
        word.anchor = anchor;
        sign(word);
    }
    for word in &mut grounds.answers {
        if let Some(key) = key(&word.subject) {
            *word = word.clone().signed(cluster().as_str(), &key);
        }
    }
}

/// The same of words on checks.
pub(crate) fn lend_words(grounds: &mut CheckGrounds, anchor: Anchor) {
    grounds.anchor = anchor;
    for word in &mut grounds.words {
        word.anchor = anchor;
        if let Some(key) = key(&word.author) {
            *word = word.clone().signed(cluster().as_str(), &key);
        }
    }
}

/// Signed by the observer that it names, if that is one of the nine.
pub(crate) fn sign(word: &mut Attestation) {
    if let Some(key) = key(&word.observer) {
        *word = word.clone().signed(cluster().as_str(), &key);
    }
}

/// What was truly signed, by the names of the nine and not by whatever key a word brings along: who said something, and of whom.
pub(crate) fn spoken(grounds: &Grounds) -> BTreeMap<HostId, Vec<HostId>> {
    let mut spoken: BTreeMap<HostId, Vec<HostId>> = BTreeMap::new();
    for word in grounds.attestations.iter().filter(|word| is_signed(word)) {
        spoken.entry(word.observer).or_default().push(word.subject);
    }
    for word in grounds.answers.iter().filter(|word| is_answer_signed(word)) {
        spoken.entry(word.subject).or_default().push(word.subject);
    }
    spoken
}

fn is_signed(word: &Attestation) -> bool {
    let signed = key(&word.observer).map(|key| word.clone().signed(cluster().as_str(), &key));
    signed.is_some_and(|signed| signed == *word)
}

fn is_answer_signed(word: &SelfAnswer) -> bool {
    let signed = key(&word.subject).map(|key| word.clone().signed(cluster().as_str(), &key));
    signed.is_some_and(|signed| signed == *word)
}
