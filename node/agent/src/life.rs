//! Whether the mesh takes this life of the host, or knows another one (protocol 1.2).
//!
//! Law N2: one host's word ends no life, unless it is a keeper's: Raft is trusted to crash, not to lie (protocol 1.6). Of other
//! hosts two have to say so, and the highest number is passed over: one liar can neither end a life nor drive its number up.
//! Law N3: a life that was never committed gives way to a higher one. One that was committed does not: who is above it is
//! another machine under the same name.
//! Not here: raising the number, and what becomes of a keeper's store then (the shell's business).

use std::collections::BTreeMap;

use ledger::command::Refused;
use vocabulary::{Boot, HostId};

/// Hosts whose word is kept: two are enough, and all observers of a host are ten.
const WORDS_MAX: usize = 16;

/// Why this life is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifeEnd {
    /// The disk is older than the ledger: nobody knows this life yet, and the next one must begin above this boot.
    TooLow(Boot),
    /// Another machine lives under this host's name, in this boot: a clone, or a snapshot that was restored while its
    /// original runs.
    Another(Boot),
}

/// This life as the mesh sees it.
#[derive(Debug)]
pub(crate) struct Standing {
    boot: Boot,
    is_committed: bool,
    /// What hosts that are no keepers have said; at most [`WORDS_MAX`].
    words: BTreeMap<HostId, Boot>,
}

impl Standing {
    /// A life that nobody knows yet.
    pub fn new(boot: Boot) -> Self {
        Self { boot, is_committed: false, words: BTreeMap::new() }
    }

    /// The roster has this boot of the host.
    pub fn committed(&mut self, known: Boot) -> Option<LifeEnd> {
        self.is_committed |= known == self.boot;
        self.judge(known)
    }

    /// The ledger does not take this life.
    pub fn refused(&self, refused: &Refused) -> Option<LifeEnd> {
        match refused {
            Refused::BootTooLow(known) | Refused::Duplicate(known) => self.judge(*known),
            _ => None,
        }
    }

    /// A host does not admit this one, for it knows a higher boot (law N2).
    pub fn heard(&mut self, by: HostId, is_keeper: bool, known: Boot) -> Option<LifeEnd> {
        if is_keeper {
            return self.judge(known);
        }
        if self.is_committed {
            // Keepers are known to a life that was committed; hearsay is not needed.
            return None;
        }
        if self.words.len() < WORDS_MAX || self.words.contains_key(&by) {
            self.words.insert(by, known);
        }
        let mut known: Vec<Boot> = self.words.values().copied().collect();
        known.sort();
        known.pop();
        known.pop().and_then(|known| self.judge(known))
    }

    /// Law N3.
    fn judge(&self, known: Boot) -> Option<LifeEnd> {
        let is_other = known.nonce != self.boot.nonce;
        if known.number > self.boot.number && !self.is_committed {
            Some(LifeEnd::TooLow(known))
        } else if known.number >= self.boot.number && is_other {
            Some(LifeEnd::Another(known))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEPER: bool = true;
    const OTHER: bool = false;

    fn boot(number: u64) -> Boot {
        Boot { number, nonce: u128::from(number) + 7 }
    }

    fn host(number: u8) -> HostId {
        HostId([number; 16])
    }

    #[test]
    fn a_life_that_nobody_knows_gives_way_to_what_the_ledger_or_a_keeper_says() {
        let mut life = Standing::new(boot(3));
        let too_low = Some(LifeEnd::TooLow(boot(9)));
        assert_eq!(life.refused(&Refused::BootTooLow(boot(9))), too_low);
        assert_eq!(life.committed(boot(9)), too_low);
        assert_eq!(life.heard(host(1), KEEPER, boot(9)), too_low);
        assert_eq!(life.committed(boot(2)), None, "the life before");
        assert_eq!(life.refused(&Refused::UnknownHost), None);
    }

    #[test]
    fn one_liar_neither_ends_a_life_nor_drives_its_number_up() {
        let mut life = Standing::new(boot(3));
        for _ in 0..5 {
            assert_eq!(life.heard(host(1), OTHER, boot(u64::MAX)), None, "law N2");
        }
        assert_eq!(life.heard(host(2), OTHER, boot(9)), Some(LifeEnd::TooLow(boot(9))));
        assert_eq!(life.heard(host(3), OTHER, boot(9)), Some(LifeEnd::TooLow(boot(9))));
        assert_eq!(life.committed(boot(3)), None);
        for liar in 1..9 {
            assert_eq!(life.heard(host(liar), OTHER, boot(u64::MAX)), None, "it is committed");
        }
    }

    #[test]
    fn a_life_that_was_committed_knows_another_machine_when_it_sees_one() {
        let mut life = Standing::new(boot(3));
        assert_eq!(life.committed(boot(3)), None);
        let another = Some(LifeEnd::Another(boot(4)));
        assert_eq!(life.committed(boot(4)), another, "law N3");
        assert_eq!(life.heard(host(1), KEEPER, boot(4)), another);
        let twin = Boot { nonce: 1, ..boot(5) };
        let fresh = Standing::new(boot(5));
        assert_eq!(fresh.refused(&Refused::Duplicate(twin)), Some(LifeEnd::Another(twin)));
    }

    #[test]
    fn however_many_speak_few_are_kept() {
        let mut life = Standing::new(boot(3));
        for number in 0..200 {
            life.heard(host(number), OTHER, boot(2));
        }
        assert_eq!(life.words.len(), WORDS_MAX);
    }
}
