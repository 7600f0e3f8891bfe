//! One set of rounds under one anchor, from the first question to its end.
//!
//! Law D8: what a host said before another joined the set bears no witness for that one: it said so before that trouble began, and
//! may be cut off with it by now (protocol 3.5). Who has been asked again and said nothing more leaves no verdict on the other, which is
//! then looked at in a set of its own, where nobody can have spoken before it.
//! Law D10: a set that its leader ends by more than [`AWAY_AFTER`] too late bears nothing: the leader was away, and so old are the words in
//! it. Ledger time cannot tell, since without a leader it stands still. Nor can the leader tell of a pause that its own clock does not count.

use std::collections::{BTreeMap, BTreeSet};

use vocabulary::{Anchor, Attestation, Epoch, Grounds, HostId, Moment, SelfAnswer};

use crate::seats::SEATS_MAX;
use crate::verdict::tolerated;

use super::fitting::{
    ANSWER_BYTES_MAX, ATTESTATION_BYTES_MAX, GROUNDS_BYTES_BORNE, GROUNDS_BYTES_MAX,
};
use super::{AWAY_AFTER, Effect, SET_WITHIN, WAIT_FOR_OTHERS, WishId};

/// A set that is under way.
#[derive(Debug)]
pub(super) struct Set {
    pub anchor: Anchor,
    pub ends: Moment,
    pub epoch: Epoch,
    started: Moment,
    subjects: BTreeMap<HostId, Joined>,
    /// Who was asked about whom; nobody else's word is taken.
    asked: BTreeSet<(HostId, HostId)>,
    /// Of these, whose answer the set waits for: hosts that are not in doubt themselves.
    awaited: BTreeSet<(HostId, HostId)>,
    /// When each host that has sent anything signed did so last; what others bring of it proves nothing of when.
    spoke: BTreeMap<HostId, Moment>,
    attestations: Vec<Attestation>,
    /// Hosts of which a word or an answer found no room.
    crowded_out: BTreeSet<HostId>,
    /// One for each subject and question.
    answers: BTreeMap<(HostId, HostId), SelfAnswer>,
    /// Of these two; never more than a set may bear.
    bytes: usize,
}

/// A subject of the set.
#[derive(Debug)]
struct Joined {
    at: Moment,
    wishes: Vec<WishId>,
    /// Who could bear witness for it, asked or not (protocol 3.5).
    mates: BTreeSet<HostId>,
    /// Of these, whose own word was asked for.
    witnesses: BTreeSet<HostId>,
}

impl Set {
    pub fn new(now: Moment, anchor: Anchor, epoch: Epoch) -> Self {
        Self {
            anchor,
            ends: now.after(SET_WITHIN),
            epoch,
            started: now,
            subjects: BTreeMap::new(),
            asked: BTreeSet::new(),
            awaited: BTreeSet::new(),
            spoke: BTreeMap::new(),
            attestations: Vec::new(),
            crowded_out: BTreeSet::new(),
            answers: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// protocol 3.7: the first subject waits at most this long for others to join.
    pub fn is_open(&self, now: Moment) -> bool {
        now < self.started.after(WAIT_FOR_OTHERS)
    }

    /// Somebody joins now.
    pub fn extend(&mut self, now: Moment) {
        assert!(self.is_open(now), "law G2: nobody holds a set of rounds open for longer");
        self.ends = now.after(SET_WITHIN);
    }

    /// How many words have come, or are awaited of those that are expected to speak and are not looked at themselves (law D12).
    pub fn promised(&self, speaks: impl Fn(&HostId) -> bool) -> usize {
        let awaited = self.awaited.iter().map(|(from, _)| from);
        let others = awaited.filter(|from| !self.subjects.contains_key(from) && speaks(from));
        self.attestations.len() + others.count()
    }

    pub fn subjects(&self) -> impl Iterator<Item = &HostId> {
        self.subjects.keys()
    }

    pub fn begin(&mut self, now: Moment, subject: HostId, wishes: Vec<WishId>) {
        let (mates, witnesses) = (BTreeSet::new(), BTreeSet::new());
        self.subjects.insert(subject, Joined { at: now, wishes, mates, witnesses });
    }

    pub fn ask(&mut self, from: HostId, subject: HostId, is_awaited: bool) {
        self.asked.insert((from, subject));
        if is_awaited {
            self.awaited.insert((from, subject));
        }
    }

    /// Who could bear witness for this subject.
    pub fn name_mates(&mut self, subject: &HostId, mates: impl Iterator<Item = HostId>) {
        if let Some(joined) = self.subjects.get_mut(subject) {
            joined.mates.extend(mates);
        }
    }

    /// Whether the witness has to be asked, for the first time or again (law D8); it may be asked already, for itself or another.
    pub fn ask_witness(&mut self, witness: HostId, subject: HostId) -> bool {
        if let Some(joined) = self.subjects.get_mut(&subject) {
            joined.witnesses.insert(witness);
        }
        let own = (witness, witness);
        let is_due = self.asked.insert(own) || self.spoke.contains_key(&witness);
        if is_due {
            self.awaited.insert(own);
        }
        is_due
    }

    pub fn is_asked(&self, anchor: &Anchor, subject: &HostId) -> bool {
        self.anchor == *anchor && self.subjects.contains_key(subject)
    }

    pub fn attested(
        &mut self,
        now: Moment,
        observer: HostId,
        (attestation, answer): (Attestation, Option<SelfAnswer>),
    ) {
        let key = (observer, attestation.subject);
        if !self.asked.contains(&key) {
            return;
        }
        self.awaited.remove(&key);
        self.spoke.insert(observer, now);
        let answer = answer.filter(|answer| answer.subject == key.1);
        let is_full = self.is_full();
        let is_heard = self.attestations.iter().any(|other| other.observer == observer);
        // protocol 3.1: two different ones are both void; that is the ledger's finding, so both are kept, and no third.
        let said = self.attestations.iter().filter(|other| (other.observer, other.subject) == key);
        let bytes = wire::encode(&attestation).len();
        if said.count() < 2 && !(is_full && is_heard) && self.bears(bytes, observer) {
            self.attestations.push(attestation);
        }
        // Up to f observers may have brought one that the subject never signed.
        let known = self.answers.values().filter(|known| known.subject == key.1).count();
        if let Some(answer) = answer.filter(|_| !is_full || known <= tolerated(SEATS_MAX)) {
            self.keep(key, answer);
        }
    }

    fn keep(&mut self, key: (HostId, HostId), answer: SelfAnswer) {
        if self.bears(wire::encode(&answer).len(), answer.subject) {
            self.answers.insert(key, answer);
        }
    }

    /// Law D12: takes the room that this host's words need, if there is as much.
    fn bears(&mut self, bytes: usize, of: HostId) -> bool {
        let fits = self.bytes + bytes <= GROUNDS_BYTES_BORNE;
        if fits {
            self.bytes += bytes;
        } else {
            self.crowded_out.insert(of);
        }
        fits
    }

    /// Law D12: whether what has come leaves room for no more than a word of each that is awaited and has not spoken, and an answer of
    /// each subject that has not answered. Then no second word of anybody is taken, so that nobody falls silent by it.
    fn is_full(&self) -> bool {
        if self.bytes < GROUNDS_BYTES_MAX / 2 {
            return false;
        }
        let awaited: BTreeSet<&HostId> = self.awaited.iter().map(|(from, _)| from).collect();
        let heard: BTreeSet<&HostId> =
            self.attestations.iter().map(|word| &word.observer).collect();
        let alive: BTreeSet<&HostId> =
            self.answers.values().map(|answer| &answer.subject).collect();
        let unheard = awaited.difference(&heard).count() * ATTESTATION_BYTES_MAX;
        let unanswered = self.subjects.keys().filter(|subject| !alive.contains(subject)).count();
        self.bytes + unheard + unanswered * ANSWER_BYTES_MAX >= GROUNDS_BYTES_MAX
    }

    pub fn answered(&mut self, now: Moment, answer: SelfAnswer) {
        let key = (answer.subject, answer.subject);
        if self.asked.contains(&key) {
            self.awaited.remove(&key);
            self.spoke.insert(key.0, now);
            self.keep(key, answer);
        }
    }

    pub fn silent(&mut self, from: HostId, subject: HostId) {
        self.awaited.remove(&(from, subject));
    }

    pub fn is_over(&self, now: Moment) -> bool {
        self.awaited.is_empty() || now >= self.ends
    }

    /// Law D10: of no use any more.
    pub fn is_too_late(&self, now: Moment) -> bool {
        now.since(self.ends) > AWAY_AFTER
    }

    /// Whoever is to be looked at in another set, and who waits for it.
    pub fn given_up(self) -> impl Iterator<Item = (HostId, Vec<WishId>)> {
        self.subjects.into_iter().map(|(subject, joined)| (subject, joined.wishes))
    }

    /// Subjects that did not answer and none of whose witnesses signed anything since they joined.
    pub fn without_witness(&self) -> Vec<HostId> {
        let answered: BTreeSet<HostId> =
            self.answers.values().map(|answer| answer.subject).collect();
        let lacks = |(subject, joined): &(&HostId, &Joined)| {
            !self.spoke.contains_key(subject)
                && !answered.contains(subject)
                && joined.witnesses.is_disjoint(&answered)
                && !joined.witnesses.iter().any(|host| self.has_spoken_since(host, joined.at))
        };
        self.subjects.iter().filter(lacks).map(|(subject, _)| *subject).collect()
    }

    fn has_spoken_since(&self, host: &HostId, at: Moment) -> bool {
        self.spoke.get(host).is_some_and(|spoke| *spoke >= at)
    }

    /// Law D8: those whose witnesses have all fallen silent since they joined. What was seen of them is judged in a later set.
    pub fn witnessed_too_early(&self) -> BTreeSet<HostId> {
        let is_early = |(_, joined): &(&HostId, &Joined)| {
            let mut mates = joined.mates.iter().filter_map(|mate| self.spoke.get(mate)).peekable();
            mates.peek().is_some() && mates.all(|spoke| *spoke < joined.at)
        };
        self.subjects.iter().filter(is_early).map(|(subject, _)| *subject).collect()
    }

    /// Law D12: nobody who spoke looks silent because no room was left for its word, or because that was about somebody of whom nothing is
    /// concluded here: then nothing is concluded of it either.
    fn without_conclusion(&self) -> BTreeSet<HostId> {
        let mut left_out = self.witnessed_too_early();
        let alive: BTreeSet<HostId> = self.answers.values().map(|answer| answer.subject).collect();
        loop {
            let kept = self.attestations.iter().filter(|word| !left_out.contains(&word.subject));
            let heard: BTreeSet<HostId> = kept.map(|word| word.observer).collect();
            let looks_silent = |host: &&HostId| {
                // An answer that others brought may be forged, and is no stay where a true one found no room.
                let is_silenced = self.spoke.contains_key(host) && !alive.contains(host);
                !heard.contains(host) && (is_silenced || self.crowded_out.contains(host))
            };
            let subjects = self.subjects.keys().filter(|host| !left_out.contains(*host));
            let more: Vec<HostId> = subjects.filter(looks_silent).copied().collect();
            if more.is_empty() {
                return left_out;
            }
            left_out.extend(more);
        }
    }

    pub fn ended(mut self) -> Effect {
        let left_out = self.without_conclusion();
        self.attestations.retain(|attestation| !left_out.contains(&attestation.subject));
        Effect::Ended {
            subjects: self.subjects.keys().copied().collect(),
            wishes: self.subjects.into_values().flat_map(|joined| joined.wishes).collect(),
            grounds: Box::new(Grounds {
                anchor: self.anchor,
                epoch: self.epoch,
                attestations: self.attestations,
                answers: self.answers.into_values().collect(),
            }),
        }
    }
}
