//! What one sender alone says of another host, until a second one says the same.
//!
//! Law SW11: what others say of a host against what is known of it (that it is down, under another name, at a higher
//! incarnation) stands only when two senders have said it, or one and our own look.
//! At most [`WORDS_MAX`] words are held of one host, one of each sender: the oldest makes room. One liar has one place, so
//! that it can never keep two honest ones out. A word is worth nothing after [`HELD_FOR`], or once the host itself speaks.
//! Not here: which words need a second sender (see `sieve`), and when to look (see `looks`).

use std::collections::BTreeMap;

use foca::{Incarnation, Member, State};
use vocabulary::{HostId, Moment, Span};

use super::identity::Identity;

/// Words about one host: two honest senders beside one liar.
const WORDS_MAX: usize = 3;

/// How long a word waits for a second one. In the largest mesh a member is probed once a minute by whomever its turn comes
/// to: so long the second accuser may need, several times over.
const HELD_FOR: Span = Span::minutes(5);

/// All words that wait. Of known hosts only, so that there are at most [`WORDS_MAX`] for each member.
#[derive(Debug, Default)]
pub(super) struct Hearsay(BTreeMap<HostId, Vec<Word>>);

#[derive(Debug)]
struct Word {
    by: HostId,
    at: Moment,
    update: Member<Identity>,
}

impl Hearsay {
    /// Weighs a word: what of it stands now that this sender has said it too, if anything does.
    pub fn weigh(
        &mut self,
        now: Moment,
        by: HostId,
        update: &Member<Identity>,
    ) -> Option<Member<Identity>> {
        let words = self.0.entry(update.id().host).or_default();
        words.retain(|word| word.by != by && now.since(word.at) < HELD_FOR);
        let agreed = words.iter().find_map(|word| agree(&word.update, update));
        if words.len() >= WORDS_MAX {
            words.remove(0);
        }
        words.push(Word { by, at: now, update: update.clone() });
        agreed
    }

    /// Who else says that this host is down, under which name: what our own look may agree with.
    pub fn accused(&self, now: Moment, host: &HostId) -> Option<Identity> {
        let words = self.0.get(host)?.iter();
        let mut down = words.filter(|word| now.since(word.at) < HELD_FOR && is_down(&word.update));
        down.next_back().map(|word| *word.update.id())
    }

    /// Under which name somebody has seen this host, if under a higher one than this.
    pub fn renamed(&self, now: Moment, known: &Identity) -> Option<Identity> {
        let words = self.0.get(&known.host)?.iter();
        let mut names =
            words.filter(|word| now.since(word.at) < HELD_FOR && word.update.id() > known);
        names.next_back().map(|word| *word.update.id())
    }

    /// The host has spoken for itself, or is forgotten.
    pub fn forget(&mut self, host: &HostId) {
        self.0.remove(host);
    }

    /// How many words are held.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}

/// What two words have in common.
fn agree(one: &Member<Identity>, other: &Member<Identity>) -> Option<Member<Identity>> {
    if is_down(one) && is_down(other) && one.id() == other.id() {
        return Some(other.clone());
    }
    let least = if rank(one) < rank(other) { one } else { other };
    // That the lesser of two names, or incarnations, was reached is what both say.
    let is_known_anyway = is_down(one) && is_down(other);
    (!is_known_anyway).then(|| Member::new(*least.id(), least.incarnation(), State::Alive))
}

fn rank(update: &Member<Identity>) -> (Identity, Incarnation) {
    (*update.id(), update.incarnation())
}

fn is_down(update: &Member<Identity>) -> bool {
    update.state() == State::Down
}
