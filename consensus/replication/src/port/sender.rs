//! Whose letters are looked at (protocol 1.4).
//!
//! Law R6: nothing is taken from a host that does not carry the ledger, whatever its certificate says. A vote is asked by
//! members' stores alone, and by the committed store of a host to which the ledger has given a vote (protocol 1.10). Entries
//! come from a store that is a member or that its host has committed; from another one only in a life of its host that the
//! ledger here does not know yet, since a keeper that is behind may not know whom the others have elected.
//! Law R10: no letter and no answer to one raises the term by more than [`TERM_STEP_MAX`], or that of an empty store beyond
//! [`FIRST_TERM_MAX`]: a term once written is never lowered, and nobody is elected beyond the largest.
//! Law R9: nothing is taken from a life of a host other than the one that it has committed, unless it is a newer one, nor from a
//! store that the letter's own connection does not name.

use openraft::RaftMetrics;
use vocabulary::{Boot, HostId, StoreId};
use wire::codec::STATE_BYTES_MAX;

use crate::letter::{Body, Letter};
use crate::raft::{Member, SNAPSHOT_CHUNK_BYTES};
use crate::warden::host_of;

/// Elections that a keeper can have missed: three months of one every half second. Whoever would spend all terms that there are
/// needs a million million letters.
pub(crate) const TERM_STEP_MAX: u64 = 1 << 24;

/// An empty store knows no term, and must find to one that is in use, however high. Beyond this one there are as many again.
const FIRST_TERM_MAX: u64 = 1 << 62;

/// Who sent a letter, as the very connection says that brought it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// By its certificate.
    pub host: HostId,
    /// By its hello.
    pub boot: Boot,
    /// By its hello; a host that is no keeper names none.
    pub store: Option<StoreId>,
    /// Whether the ledger that this host follows counts it among its voters; `None` while it follows none. What a founded
    /// store's own members say counts beside it.
    pub is_voter: Option<bool>,
    /// Whether it had a vote until the ledger that this host follows moved it: until the stores have followed, it may lead.
    pub had_a_vote: bool,
    /// Whether the ledger that this host follows has this store of it, in this life or one before: who cannot commit a new life before
    /// somebody leads must be elected first.
    pub is_told: bool,
}

/// What is known here of a sender.
pub(super) struct Known<'a> {
    pub(super) own: u64,
    pub(super) metrics: &'a RaftMetrics<u64, Member>,
    /// The life of the sender's host that the ledger has, with its store.
    pub(super) committed: Option<(Boot, Option<StoreId>)>,
}

impl Known<'_> {
    /// Why a letter is not even looked at.
    pub(super) fn objection(&self, letter: &Letter, from: Sender) -> Option<String> {
        let Letter { to, from: store, body } = letter;
        if *to != self.own {
            return Some(format!("it is for store {to}, this is {}", self.own));
        }
        if !body.is_one_history() {
            return Some("its entries are not of one history".to_owned());
        }
        if let Some(why) = self.objection_to_a_term(body.term()) {
            return Some(why);
        }
        if let Some(why) = self.objection_to_an_image(body) {
            return Some(why);
        }
        if from.store != Some(StoreId(*store)) {
            let said = from.store.map_or_else(|| "none".to_owned(), |said| said.to_string());
            return Some(format!("it is of store {store}, its connection's hello says {said}"));
        }
        if let Some(why) = self.objection_to_a_life(from.boot) {
            return Some(why);
        }
        if !self.carries(from) {
            return Some("its host is none of those that carry this ledger".to_owned());
        }
        match host_of(self.metrics, *store) {
            Some(host) if host != from.host => {
                Some(format!("store {store} belongs to another host"))
            }
            Some(_) => None,
            None if matches!(body, Body::Vote(_)) && self.is_founded() => {
                (!self.is_given_a_vote(*store, from)).then(|| format!("store {store} is no member"))
            }
            None => self.objection_to_a_stranger(*store, from),
        }
    }

    /// protocol 1.4: a life that is over, or another machine's under the same name, says nothing here, whatever its store.
    fn objection_to_a_life(&self, boot: Boot) -> Option<String> {
        let (committed, _) = self.committed?;
        let is_over = boot.number < committed.number;
        let is_another = boot.number == committed.number && boot.nonce != committed.nonce;
        (is_over || is_another).then(|| {
            format!("it is of its host's boot {}, committed is {}", boot.number, committed.number)
        })
    }

    /// Law R10.
    fn objection_to_a_term(&self, term: u64) -> Option<String> {
        let known = self.metrics.current_term;
        let first = if self.is_founded() { 0 } else { FIRST_TERM_MAX };
        (term > known.saturating_add(TERM_STEP_MAX).max(first))
            .then(|| format!("it is of term {term}, known is {known}"))
    }

    /// The hosts that carry a ledger are those of its members, whichever stores they have by now (law R4), and those to which the ledger
    /// that this host follows has given a vote since: a store that was away may know none of them.
    fn carries(&self, from: Sender) -> bool {
        if !self.is_founded() {
            return from.is_voter.unwrap_or(true) || from.had_a_vote;
        }
        if from.is_voter == Some(true) || from.had_a_vote {
            return true;
        }
        let mut members = self.metrics.membership_config.nodes();
        members.any(|(_, member)| member.host == from.host)
    }

    /// openraft 0.9 would make room for a chunk at any place, and put a snapshot of a later term in the place of entries that are
    /// applied here, and so committed.
    fn objection_to_an_image(&self, body: &Body) -> Option<String> {
        let Body::Image(image) = body else {
            return None;
        };
        let (bytes, end) = (image.data.len(), image.offset.saturating_add(image.data.len() as u64));
        if bytes > SNAPSHOT_CHUNK_BYTES || end > STATE_BYTES_MAX as u64 {
            return Some(format!("a chunk of {bytes} bytes that ends at {end} is of no snapshot"));
        }
        let (given, applied) = (image.meta.last_log_id?, self.metrics.last_applied?);
        (given.index <= applied.index && given > applied)
            .then(|| format!("its snapshot up to {given} is not of the history up to {applied}"))
    }

    /// Whether the ledger gives the sender a vote, by this very store, although Raft has not told so here: if nobody but those who know
    /// each other so little is left, they would else elect nobody.
    fn is_given_a_vote(&self, store: u64, from: Sender) -> bool {
        (from.is_voter == Some(true) || from.had_a_vote)
            && from.is_told
            && from.store == Some(StoreId(store))
    }

    fn objection_to_a_stranger(&self, store: u64, from: Sender) -> Option<String> {
        let (life, committed) = self.committed?;
        let is_that_life = from.boot == life;
        (is_that_life && committed != Some(StoreId(store))).then(|| {
            format!(
                "store {store} is no member, and not the one of its host's boot {}",
                life.number
            )
        })
    }

    fn is_founded(&self) -> bool {
        self.metrics.membership_config.membership().voter_ids().count() > 0
    }
}
