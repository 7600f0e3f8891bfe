//! What does a subject answer to those who look at it?
//!
//! Law A1: every probe is answered; signatures are rationed per asker, so that one asker silences nobody (law G2).
//! Law A2: an answer is signed for what was asked just now: a nonce or a round's anchor, never anything else.
//! Law A3: only the host's own observers enter its ingress list (protocol 2.7).
//! Not here: what observers make of the answers (see `watch`, `look`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use vocabulary::{
    Anchor, Answer, Attestation, Boot, ClusterName, HostId, Moment, SelfAnswer, Signature, Signer,
    Span,
};

/// How far back the ingress list looks (protocol 2.7): three probes of one observer at K = 10.
pub const INGRESS_FOR: Span = Span::seconds(10);

/// Signatures for one asker and second: a rack mate may relay for all ten observers of a round and dial itself.
pub const SIGNED_PER_ASKER: u32 = 16;

/// Signatures for all askers and second: a round of ten observers asks for thirty; 256 cost about 8 ms of a processor,
/// and sixteen askers must conspire to use them up.
pub const SIGNED_IN_ALL: u32 = 256;

/// Askers remembered within one second; beyond these [`SIGNED_IN_ALL`] is already spent.
const ASKERS_MAX: usize = 256;

/// Rounds whose answer is kept: the leader asks all of them within five seconds, one each second.
const ROUNDS_KEPT: usize = 8;

/// Both rations are counted anew after this.
const RATION_FOR: Span = Span::seconds(1);

/// In whose name is answered.
#[derive(Clone)]
pub struct Identity {
    /// The mesh.
    pub cluster: ClusterName,
    /// This host.
    pub host: HostId,
    /// This life.
    pub boot: Boot,
    /// Its key.
    pub signer: Arc<dyn Signer>,
}

/// What the subject is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its observers in the order of their seats, and the time between two looks of any of them.
    ObserversChanged {
        /// At most K.
        observers: Vec<HostId>,
        /// protocol 2.2: 0.3 s.
        step: Span,
    },
    /// A probe by datagram.
    Probed {
        /// By whom.
        from: HostId,
        /// To be echoed.
        number: u64,
    },
    /// A probe by stream; also a sign that the asker's packets arrive.
    ProbedByStream {
        /// By whom.
        from: HostId,
    },
    /// A nonce to be signed, from an observer or a relay.
    Asked {
        /// Who asks.
        from: HostId,
        /// What to sign.
        nonce: u128,
    },
    /// The leader's round looks at this host.
    LookedAt {
        /// The leader.
        from: HostId,
        /// What to sign.
        anchor: Anchor,
    },
}

/// What the subject answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// By datagram, to a probe.
    SendReply {
        /// To whom.
        to: HostId,
        /// From the probe.
        number: u64,
        /// This life.
        boot: Boot,
        /// When the observer should probe next.
        next_slot: Span,
    },
    /// On the stream, to a probe.
    Alive {
        /// This life.
        boot: Boot,
    },
    /// On the stream, to a question.
    Answered(Box<SelfAnswer>),
    /// On the stream: this asker, or all of them, have had their signatures of this second.
    Busy,
}

/// The subject's side of being watched.
pub struct Reply {
    identity: Identity,
    observers: Vec<HostId>,
    step: Span,
    /// Of each observer, when its last packet came; at most as many as there are seats.
    ingress: BTreeMap<HostId, Moment>,
    ration: Ration,
    /// Answers to the last rounds, oldest first; at most [`ROUNDS_KEPT`].
    rounds: VecDeque<SelfAnswer>,
}

struct Ration {
    since: Moment,
    of: BTreeMap<HostId, u32>,
    in_all: u32,
}

impl Identity {
    /// This host's own word, signed; the bytes name the cluster.
    pub fn sign(&self, to: Answer) -> SelfAnswer {
        let unsigned = SelfAnswer {
            subject: self.host,
            boot: self.boot,
            key: self.signer.public_key(),
            to,
            signature: Signature([0; 32], [0; 32]),
        };
        unsigned.signed(self.cluster.as_str(), &*self.signer)
    }
}

impl Reply {
    /// Nobody watches yet.
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            observers: Vec::new(),
            step: Span::milliseconds(300),
            ingress: BTreeMap::new(),
            ration: Ration::new(Moment::default()),
            rounds: VecDeque::new(),
        }
    }

    /// Signs with this key of the host from now on (protocol 1.3); what is signed already stands.
    pub fn sign_with(&mut self, signer: Arc<dyn Signer>) {
        self.identity.signer = signer;
    }

    /// The one door. No deadline: a subject only answers.
    pub fn handle(&mut self, now: Moment, event: Event) -> Vec<Effect> {
        match event {
            Event::ObserversChanged { observers, step } => self.take_observers(observers, step),
            Event::Probed { from, number } => self.reply(now, from, number),
            Event::ProbedByStream { from } => self.say_alive(now, from),
            Event::Asked { from, nonce } => self.sign_nonce(now, from, nonce),
            Event::LookedAt { from, anchor } => self.sign_round(now, from, anchor),
        }
    }

    /// The observers whose packets came within [`INGRESS_FOR`], for this host's attestations (protocol 2.7).
    pub fn ingress(&self, now: Moment) -> Vec<HostId> {
        let is_recent = |at: &Moment| now.since(*at) <= INGRESS_FOR;
        let recent = self.ingress.iter().filter(|(_, at)| is_recent(at));
        recent.map(|(observer, _)| *observer).take(Attestation::INGRESS_MAX).collect()
    }

    fn take_observers(&mut self, observers: Vec<HostId>, step: Span) -> Vec<Effect> {
        self.ingress.retain(|observer, _| observers.contains(observer));
        self.observers = observers;
        self.step = step;
        Vec::new()
    }

    fn reply(&mut self, now: Moment, from: HostId, number: u64) -> Vec<Effect> {
        self.note_ingress(now, from);
        vec![Effect::SendReply {
            to: from,
            number,
            boot: self.identity.boot,
            next_slot: self.next_slot(now, from),
        }]
    }

    fn say_alive(&mut self, now: Moment, from: HostId) -> Vec<Effect> {
        self.note_ingress(now, from);
        vec![Effect::Alive { boot: self.identity.boot }]
    }

    fn sign_nonce(&mut self, now: Moment, from: HostId, nonce: u128) -> Vec<Effect> {
        if !self.ration.take(now, from) {
            return vec![Effect::Busy];
        }
        vec![Effect::Answered(Box::new(self.identity.sign(Answer::Nonce(nonce))))]
    }

    /// One signature for each round, however often it is asked.
    fn sign_round(&mut self, now: Moment, from: HostId, anchor: Anchor) -> Vec<Effect> {
        let to = Answer::Round(anchor);
        let kept = self.rounds.iter().find(|answer| answer.to == to).cloned();
        let answer = match kept {
            Some(answer) => answer,
            None if self.ration.take(now, from) => {
                let answer = self.identity.sign(to);
                self.rounds.push_back(answer.clone());
                if self.rounds.len() > ROUNDS_KEPT {
                    self.rounds.pop_front();
                }
                answer
            }
            None => return vec![Effect::Busy],
        };
        vec![Effect::Answered(Box::new(answer))]
    }

    /// Law A3.
    fn note_ingress(&mut self, now: Moment, from: HostId) {
        if self.observers.contains(&from) {
            self.ingress.insert(from, now);
        }
    }

    /// protocol 2.2: each seat has its own place in a cycle of K steps; the next one comes between half a cycle and one
    /// and a half cycles from now, whenever the observer happens to have asked.
    fn next_slot(&self, now: Moment, from: HostId) -> Span {
        let step = self.step.as_milliseconds().max(1);
        let cycle = step.saturating_mul(self.observers.len().max(1) as u64);
        let seat = self.observers.iter().position(|observer| *observer == from);
        let Some(seat) = seat else {
            return Span::milliseconds(cycle);
        };
        let place = step * seat as u64;
        let earliest = now.as_milliseconds() + cycle / 2;
        let beyond = (earliest % cycle + cycle - place) % cycle;
        Span::milliseconds(cycle / 2 + (cycle - beyond) % cycle)
    }
}

impl Ration {
    fn new(since: Moment) -> Self {
        Self { since, of: BTreeMap::new(), in_all: 0 }
    }

    /// Law A1: whether one more signature for this asker is within both rations.
    fn take(&mut self, now: Moment, asker: HostId) -> bool {
        if now.since(self.since) >= RATION_FOR {
            *self = Self::new(now);
        }
        let has_room = self.of.len() < ASKERS_MAX || self.of.contains_key(&asker);
        if !has_room || self.in_all >= SIGNED_IN_ALL {
            return false;
        }
        let own = self.of.entry(asker).or_insert(0);
        if *own >= SIGNED_PER_ASKER {
            return false;
        }
        *own += 1;
        self.in_all += 1;
        true
    }
}

#[cfg(test)]
mod tests;
