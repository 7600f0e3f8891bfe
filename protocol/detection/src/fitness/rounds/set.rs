//! One set of rounds on checks under one anchor, from the first question to its end.

use std::collections::{BTreeMap, BTreeSet};

use vocabulary::{Anchor, CheckGrounds, CheckWord, Epoch, HostId, Moment};

use super::{Effect, Key, SET_WITHIN};

/// A set that is under way.
#[derive(Debug)]
pub(super) struct Set {
    pub ends: Moment,
    anchor: Anchor,
    epoch: Epoch,
    /// Of each check who was asked and has not answered; nobody else's word is taken.
    awaited: BTreeMap<Key, BTreeSet<HostId>>,
    words: Vec<CheckWord>,
}

impl Set {
    pub fn new(now: Moment, anchor: Anchor, epoch: Epoch) -> Self {
        let ends = now.after(SET_WITHIN);
        Self { ends, anchor, epoch, awaited: BTreeMap::new(), words: Vec::new() }
    }

    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.awaited.keys()
    }

    pub fn ask(&mut self, from: HostId, key: &Key) {
        self.awaited.entry(key.clone()).or_default().insert(from);
    }

    pub fn is_asked(&self, anchor: &Anchor, key: &Key) -> bool {
        self.anchor == *anchor && self.awaited.contains_key(key)
    }

    pub fn said(&mut self, word: CheckWord) {
        if self.silent(word.author, &(word.subject, word.check.clone())) {
            self.words.push(word);
        }
    }

    /// Whether it was waited for.
    pub fn silent(&mut self, from: HostId, key: &Key) -> bool {
        self.awaited.get_mut(key).is_some_and(|hosts| hosts.remove(&from))
    }

    /// Law FD2.
    pub fn is_over(&self, now: Moment) -> bool {
        now >= self.ends || self.awaited.values().all(BTreeSet::is_empty)
    }

    pub fn ended(self) -> Effect {
        Effect::Ended {
            keys: self.awaited.into_keys().collect(),
            grounds: Box::new(CheckGrounds {
                anchor: self.anchor,
                epoch: self.epoch,
                words: self.words,
            }),
        }
    }
}
