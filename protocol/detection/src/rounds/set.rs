//! One set of rounds under one anchor, from the first question to its end.

use std::collections::{BTreeMap, BTreeSet};

use vocabulary::{Anchor, Attestation, Epoch, Grounds, HostId, Moment, SelfAnswer};

use super::{Effect, SET_WITHIN, WAIT_FOR_OTHERS, WishId};

/// A set that is under way.
#[derive(Debug)]
pub(super) struct Set {
    pub anchor: Anchor,
    pub ends: Moment,
    pub epoch: Epoch,
    started: Moment,
    subjects: BTreeMap<HostId, Vec<WishId>>,
    /// Who was asked about whom; nobody else's word is taken.
    asked: BTreeSet<(HostId, HostId)>,
    /// Of these, whose answer the set waits for: hosts that are not in doubt themselves.
    awaited: BTreeSet<(HostId, HostId)>,
    /// Who may bear witness for whom, beside the subject.
    witnesses: BTreeMap<HostId, BTreeSet<HostId>>,
    attestations: Vec<Attestation>,
    /// One for each subject and question.
    answers: BTreeMap<(HostId, HostId), SelfAnswer>,
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
            witnesses: BTreeMap::new(),
            attestations: Vec::new(),
            answers: BTreeMap::new(),
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

    pub fn subjects(&self) -> impl Iterator<Item = &HostId> {
        self.subjects.keys()
    }

    pub fn begin(&mut self, subject: HostId, wishes: Vec<WishId>) {
        self.subjects.insert(subject, wishes);
        self.witnesses.insert(subject, BTreeSet::new());
    }

    pub fn ask(&mut self, from: HostId, subject: HostId, is_awaited: bool) {
        self.asked.insert((from, subject));
        if is_awaited {
            self.awaited.insert((from, subject));
        }
    }

    /// Whether the witness has to be asked; it may be asked already, for itself or for another.
    pub fn ask_witness(&mut self, witness: HostId, subject: HostId) -> bool {
        self.witnesses.entry(subject).or_default().insert(witness);
        let is_new = self.asked.insert((witness, witness));
        if is_new {
            self.awaited.insert((witness, witness));
        }
        is_new
    }

    pub fn is_asked(&self, anchor: &Anchor, subject: &HostId) -> bool {
        self.anchor == *anchor && self.subjects.contains_key(subject)
    }

    pub fn attested(
        &mut self,
        observer: HostId,
        attestation: Attestation,
        answer: Option<SelfAnswer>,
    ) {
        let key = (observer, attestation.subject);
        if !self.asked.contains(&key) {
            return;
        }
        // protocol 3.1: two different ones are both void; that is the ledger's finding, so both are kept, and no third.
        let said = self.attestations.iter().filter(|other| (other.observer, other.subject) == key);
        if said.count() < 2 {
            self.attestations.push(attestation);
        }
        self.awaited.remove(&key);
        if let Some(answer) = answer.filter(|answer| answer.subject == key.1) {
            self.answers.insert(key, answer);
        }
    }

    pub fn answered(&mut self, answer: SelfAnswer) {
        let key = (answer.subject, answer.subject);
        if self.asked.contains(&key) {
            self.awaited.remove(&key);
            self.answers.insert(key, answer);
        }
    }

    pub fn silent(&mut self, from: HostId, subject: HostId) {
        self.awaited.remove(&(from, subject));
    }

    pub fn is_over(&self, now: Moment) -> bool {
        self.awaited.is_empty() || now >= self.ends
    }

    /// Subjects that did not answer and none of whose witnesses signed anything.
    pub fn without_witness(&self) -> Vec<HostId> {
        let spoke: BTreeSet<HostId> = self
            .answers
            .values()
            .map(|answer| answer.subject)
            .chain(self.attestations.iter().map(|attestation| attestation.observer))
            .collect();
        let lacks = |(subject, witnesses): &(&HostId, &BTreeSet<HostId>)| {
            !spoke.contains(*subject) && witnesses.is_disjoint(&spoke)
        };
        self.witnesses.iter().filter(lacks).map(|(subject, _)| *subject).collect()
    }

    pub fn ended(self) -> Effect {
        Effect::Ended {
            subjects: self.subjects.keys().copied().collect(),
            wishes: self.subjects.into_values().flatten().collect(),
            grounds: Box::new(Grounds {
                anchor: self.anchor,
                epoch: self.epoch,
                attestations: self.attestations,
                answers: self.answers.into_values().collect(),
            }),
        }
    }
}
