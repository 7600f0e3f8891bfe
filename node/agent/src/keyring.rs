//! With which of its own keys does this host sign (protocol 1.3)?
//!
//! Law K1: a key signs only once it has stood in the committed roster for [`KNOWN_FOR`]: rounds that were anchored before the
//! roster had it are over by then, and whoever checks has seen it too. Until then the key before it goes on signing.
//! Law K2: a host never signs with a key that the roster has dropped while it holds one that the roster has.
//! Not here: how the roster comes to know a key (see [`enrol`](crate::enrol)), and where keys are read from (the shell).

use std::fmt;
use std::sync::Arc;

use detection::roster::Entry;
use vocabulary::{CertificateChain, LedgerIndex, Moment, PublicKey, Signer, Span};

use crate::mind::Agent;

/// Twice the age that an attestation may have (protocol 8): no round that began without the key still runs.
pub const KNOWN_FOR: Span = Span::seconds(10);

/// Keys held at once: the two that may speak, and the one that is about to.
const KEYS_MAX: usize = 3;

/// A certificate of this host that has just come into use, and its key.
#[derive(Clone)]
pub struct Renewed {
    /// The certificate.
    pub chain: CertificateChain,
    /// Its key.
    pub signer: Arc<dyn Signer>,
}

/// This host's keys.
pub(crate) struct Keyring {
    /// Oldest first; never empty, at most [`KEYS_MAX`].
    held: Vec<Held>,
    signs: PublicKey,
    /// The committed state by which the only key was last looked at: until there is another, nothing can turn.
    seen: Option<LedgerIndex>,
}

struct Held {
    chain: CertificateChain,
    signer: Arc<dyn Signer>,
    key: PublicKey,
    /// Since when the roster has it, by this host's own clock.
    known_since: Option<Moment>,
}

impl Keyring {
    /// The key with which this life begins: there is no other to sign with.
    pub fn new(first: Renewed) -> Self {
        let first = Held::new(first);
        Self { signs: first.key, held: vec![first], seen: None }
    }

    /// Takes another key in. One that is held already becomes the newest again.
    pub fn put(&mut self, renewed: Renewed) {
        let mut new = Held::new(renewed);
        if let Some(at) = self.held.iter().position(|held| held.key == new.key) {
            new.known_since = self.held.remove(at).known_since;
        }
        self.held.push(new);
        // At the bound the oldest goes that does not sign; whoever turns its key so fast waits for the roster.
        if self.held.len() > KEYS_MAX {
            let spare = self.held.iter().position(|held| held.key != self.signs).unwrap_or(0);
            self.held.remove(spare);
        }
    }

    /// Another key to sign with from now on, if laws K1 and K2 name one.
    pub fn turn(&mut self, now: Moment, entry: Option<&Entry>) -> Option<Arc<dyn Signer>> {
        let known = |key: &PublicKey| {
            entry.is_some_and(|entry| entry.keys.iter().any(|(_, own)| own == key))
        };
        for held in &mut self.held {
            let since = held.known_since.unwrap_or(now);
            held.known_since = known(&held.key).then_some(since);
        }
        let chosen = self.chosen(now)?;
        if self.held[chosen].key == self.signs {
            return None;
        }
        self.held.drain(..chosen);
        self.signs = self.held[0].key;
        Some(Arc::clone(&self.held[0].signer))
    }

    /// Whether this state can tell nothing new: there is one key, and it was looked at by it before.
    pub fn has_seen(&mut self, index: LedgerIndex) -> bool {
        let before = self.seen.replace(index);
        self.held.len() == 1 && before == Some(index)
    }

    /// Who signs in this host's name now, and the certificate of that key.
    pub fn signs(&self) -> (&CertificateChain, &dyn Signer) {
        let signs = self.held.iter().find(|held| held.key == self.signs);
        let held = signs.unwrap_or(&self.held[0]);
        (&held.chain, &*held.signer)
    }

    /// When a key will have stood long enough.
    pub fn next_deadline(&self) -> Option<Moment> {
        if self.held.len() == 1 {
            return None;
        }
        let newer = self.held.iter().rev().take_while(|held| held.key != self.signs);
        newer.filter_map(|held| held.known_since).map(|since| since.after(KNOWN_FOR)).min()
    }

    fn chosen(&self, now: Moment) -> Option<usize> {
        let stood =
            |held: &Held| held.known_since.is_some_and(|since| now >= since.after(KNOWN_FOR));
        let signs = |held: &Held| held.key == self.signs && held.known_since.is_some();
        let is_known = |held: &Held| held.known_since.is_some();
        self.held
            .iter()
            .rposition(stood)
            .or_else(|| self.held.iter().position(signs))
            .or_else(|| self.held.iter().rposition(is_known))
    }
}

impl Agent {
    /// protocol 1.3: the ledger is told of the new certificate; its key has its time.
    pub(crate) fn renewed(&mut self, renewed: Renewed) {
        let ends = self.verifier.end(&renewed.chain);
        self.enrolment.renewed(renewed.chain.clone(), renewed.signer.public_key(), ends);
        self.keyring.put(renewed);
    }

    /// Laws K1 and K2, after every event.
    pub(crate) fn turn_key(&mut self, now: Moment) {
        let index = self.ledger.index();
        if self.keyring.has_seen(index) {
            return;
        }
        let entry = self.ledger.roster().get(&self.me);
        if let Some(signer) = self.keyring.turn(now, entry) {
            self.look.sign_with(Arc::clone(&signer));
            self.checks.sign_with(Arc::clone(&signer));
            self.reply.sign_with(signer);
        }
    }
}

impl Held {
    fn new(Renewed { chain, signer }: Renewed) -> Self {
        Self { key: signer.public_key(), chain, signer, known_since: None }
    }
}

impl fmt::Debug for Renewed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Renewed({:?})", self.signer.public_key())
    }
}

#[cfg(test)]
mod tests {
    use vocabulary::{
        Claims, LedgerIndex, ModelSigner, ModelVerifier, Verifier, model_authority, model_chain_for,
    };

    use super::*;

    fn claims() -> Claims {
        Claims::from_uri("hale://prod/eu/a/r1/a1?group=web").expect("sound")
    }

    fn signer(rotations: u64) -> Arc<dyn Signer> {
        Arc::new(ModelSigner::rotated(&claims().host, rotations))
    }

    fn renewed(rotations: u64) -> Renewed {
        let key = ModelSigner::rotated(&claims().host, rotations);
        Renewed { chain: model_chain_for(&claims(), &key), signer: signer(rotations) }
    }

    /// A roster that has these keys.
    fn entry(rotations: &[u64]) -> Entry {
        let key = |rotations: &u64| (LedgerIndex(*rotations), signer(*rotations).public_key());
        let mut entry = Entry::enrolled(claims(), signer(0).public_key(), LedgerIndex(0));
        entry.keys = rotations.iter().map(key).collect();
        entry
    }

    fn at(seconds: u64) -> Moment {
        Moment::from_milliseconds(1_000_000 + seconds * 1_000)
    }

    fn turned(keyring: &mut Keyring, seconds: u64, has: &[u64]) -> Option<PublicKey> {
        keyring.turn(at(seconds), Some(&entry(has))).map(|signer| signer.public_key())
    }

    #[test]
    fn a_new_key_signs_once_the_roster_has_had_it_for_a_while() {
        let mut keyring = Keyring::new(renewed(0));
        keyring.put(renewed(1));
        assert_eq!(turned(&mut keyring, 0, &[0]), None);
        assert_eq!(keyring.next_deadline(), None, "nothing is awaited but the roster");
        assert_eq!(turned(&mut keyring, 5, &[0, 1]), None, "law K1");
        assert_eq!(keyring.next_deadline(), Some(at(15)));
        assert_eq!(turned(&mut keyring, 14, &[0, 1]), None, "law K1");
        assert_eq!(turned(&mut keyring, 15, &[0, 1]), Some(signer(1).public_key()));
        assert_eq!(turned(&mut keyring, 99, &[0, 1]), None, "it is said once");
        assert_eq!(keyring.next_deadline(), None);
    }

    #[test]
    fn whoever_signs_shows_the_certificate_of_that_key() {
        let mut keyring = Keyring::new(renewed(0));
        keyring.put(renewed(1));
        let is_own = |keyring: &Keyring| {
            let (chain, signer) = keyring.signs();
            let (_, key) = ModelVerifier.claims(&[model_authority()], chain).expect("certified");
            assert_eq!(key, signer.public_key());
            key
        };
        assert_eq!(is_own(&keyring), signer(0).public_key(), "law K1");
        turned(&mut keyring, 0, &[0, 1]);
        assert_eq!(turned(&mut keyring, 10, &[0, 1]), Some(signer(1).public_key()));
        assert_eq!(is_own(&keyring), signer(1).public_key());
    }

    #[test]
    fn a_key_that_the_roster_does_not_take_never_signs() {
        let mut keyring = Keyring::new(renewed(0));
        keyring.put(renewed(1));
        for seconds in 0..100 {
            assert_eq!(turned(&mut keyring, seconds, &[0]), None);
        }
        assert_eq!(keyring.turn(at(200), None).map(|signer| signer.public_key()), None);
    }

    #[test]
    fn a_key_that_the_roster_has_dropped_gives_way_at_once() {
        let mut keyring = Keyring::new(renewed(0));
        keyring.put(renewed(1));
        assert_eq!(turned(&mut keyring, 0, &[0, 1]), None);
        keyring.put(renewed(2));
        let next = turned(&mut keyring, 1, &[1, 2]);
        assert_eq!(
            next,
            Some(signer(2).public_key()),
            "law K2: both are young, the newest stays longest"
        );
        assert_eq!(turned(&mut keyring, 60, &[1, 2]), None);
    }

    #[test]
    fn a_key_that_comes_back_is_the_newest_again_and_few_are_held() {
        let mut keyring = Keyring::new(renewed(0));
        for rotations in [1, 2, 3, 4, 5, 3] {
            keyring.put(renewed(rotations));
            assert!(keyring.held.len() <= KEYS_MAX);
        }
        assert_eq!(keyring.held[0].key, signer(0).public_key(), "the one that signs is kept");
        assert_eq!(keyring.held[2].key, signer(3).public_key());
    }
}
