//! Where does one look of one round stand?

use std::collections::{BTreeMap, BTreeSet};

use vocabulary::{
    Anchor, Attestation, Boot, Epoch, Grade, HostId, Moment, Path, PathReading, PublicKey, Reading,
    SelfAnswer, Sequence, Signature, Span,
};

use super::{Ask, Effect, LOOK_FOR, OPENING, draw_id};
use crate::reply::Identity;
use crate::watch::AttemptId;

/// Between the end of the last attempt and the end of the look: a shell's timers are a few milliseconds late, and what a
/// port gave at its very end must not be lost.
const MARGIN: Span = Span::milliseconds(50);

/// How long a knock waits for bytes: the handshake takes one round trip, the agent answers at once.
const KNOCK_WITHIN: Span = Span::milliseconds(600);

/// How long datagrams are waited for once every other path has ended.
const WARM_FOR: Span = Span::milliseconds(400);

/// How long a signature is waited for once the subject has answered without one.
const SIGNATURE_FOR: Span = Span::milliseconds(100);

/// Askers of one look: a leader that asks twice, and its successor.
const ASKS_MAX: usize = 4;

/// Ports that an attestation has room for beside the six fixed paths.
const NAMED_MAX: usize = Attestation::PATHS_MAX - 6;

/// One look.
pub(super) struct Looking {
    asks: Vec<u64>,
    subject: HostId,
    boot: Boot,
    anchor: Anchor,
    nonce: u128,
    calibrated: BTreeSet<Path>,
    reach: Grade,
    named_ports: Vec<u16>,
    ingress: Vec<HostId>,
    started: Moment,
    is_wide: bool,
    is_unfit: bool,
    /// Once the subject has answered: until when its signature is waited for.
    closing: Option<Moment>,
    readings: BTreeMap<Path, Reading>,
    pending: BTreeMap<AttemptId, Path>,
    probes: BTreeSet<u64>,
    answer: Option<SelfAnswer>,
}

impl Looking {
    pub(super) fn new(now: Moment, ask: Ask, nonce: u128) -> Self {
        let mut named_ports = ask.named_ports;
        named_ports.truncate(NAMED_MAX);
        let mut ingress = ask.ingress;
        ingress.truncate(Attestation::INGRESS_MAX);
        Self {
            asks: vec![ask.id],
            subject: ask.subject,
            boot: ask.boot,
            anchor: ask.anchor,
            nonce,
            calibrated: ask.calibrated.into_iter().collect(),
            reach: ask.reach,
            named_ports,
            ingress,
            started: now,
            is_wide: false,
            is_unfit: false,
            closing: None,
            readings: BTreeMap::new(),
            pending: BTreeMap::new(),
            probes: BTreeSet::new(),
            answer: None,
        }
    }

    pub(super) fn subject(&self) -> HostId {
        self.subject
    }

    pub(super) fn anchor(&self) -> Anchor {
        self.anchor
    }

    pub(super) fn nonce(&self) -> u128 {
        self.nonce
    }

    /// The standing connection first.
    pub(super) fn open(&mut self, next_number: &mut u64, effects: &mut Vec<Effect>) {
        self.probe(next_number, effects);
        let id = self.attempt(next_number, Path::Stream);
        let (to, nonce, within) = (self.subject, self.nonce, LOOK_FOR.less(MARGIN));
        effects.push(Effect::AskByStream { id, to, nonce, within });
    }

    /// All other paths at once.
    pub(super) fn widen(
        &mut self,
        relays: [(Path, Option<HostId>); 2],
        next_number: &mut u64,
        effects: &mut Vec<Effect>,
    ) {
        self.is_wide = true;
        self.probe(next_number, effects);
        let (to, nonce, within) = (self.subject, self.nonce, LOOK_FOR.less(OPENING).less(MARGIN));
        let id = self.attempt(next_number, Path::FreshDial);
        effects.push(Effect::DialFresh { id, to, nonce, within });
        let id = self.attempt(next_number, Path::AgentPort);
        effects.push(Effect::Knock { id, to, port: None, within: KNOCK_WITHIN });
        for port in self.named_ports.clone() {
            let id = self.attempt(next_number, Path::NamedPort(port));
            effects.push(Effect::Knock { id, to, port: Some(port), within: KNOCK_WITHIN });
        }
        for (path, relay) in relays {
            match relay {
                Some(relay) => {
                    let id = self.attempt(next_number, path);
                    let subject = to;
                    effects.push(Effect::AskRelay { id, relay, subject, nonce, within });
                }
                None => {
                    self.readings.insert(path, Reading::Absent);
                }
            }
        }
    }

    /// Asked once more: the same look answers both.
    pub(super) fn ask_again(&mut self, ask: u64) {
        if self.asks.len() < ASKS_MAX && !self.asks.contains(&ask) {
            self.asks.push(ask);
        }
    }

    pub(super) fn awaits(&self, id: AttemptId) -> bool {
        self.pending.contains_key(&id)
    }

    /// Whether the reply was to a probe of this look.
    pub(super) fn probe_replied(&mut self, now: Moment, number: u64, boot: Boot) -> bool {
        let is_own = self.probes.remove(&number);
        if is_own {
            self.readings.insert(Path::Warm, Reading::Answered);
            self.take_boot(boot);
            self.closing.get_or_insert(now.after(SIGNATURE_FOR));
        }
        is_own
    }

    /// The subject answered on the path of this attempt, which is given back.
    pub(super) fn answered(
        &mut self,
        now: Moment,
        id: AttemptId,
        boot: Boot,
        answer: Option<SelfAnswer>,
    ) -> Option<Path> {
        let path = self.pending.remove(&id)?;
        self.readings.insert(path, Reading::Answered);
        self.take_boot(boot);
        if answer.is_some() {
            self.answer = answer;
        }
        self.closing.get_or_insert(now.after(SIGNATURE_FOR));
        Some(path)
    }

    /// The path of this attempt gave a reading that stands by itself.
    pub(super) fn gave(&mut self, id: AttemptId, reading: Reading) {
        if let Some(path) = self.pending.remove(&id) {
            self.readings.insert(path, reading);
        }
    }

    /// protocol 2.5: silence on a path that never answered is absence.
    pub(super) fn was_silent(&mut self, id: AttemptId) {
        if let Some(path) = self.pending.remove(&id) {
            self.readings.insert(path, self.silence(path));
        }
    }

    /// This host was late, or is not heard: its silence proves nothing (law O3).
    pub(super) fn cannot_tell(&mut self) {
        self.is_unfit = true;
    }

    pub(super) fn is_to_widen(&self, now: Moment) -> bool {
        !self.is_wide && self.closing.is_none() && now >= self.started.after(OPENING)
    }

    /// An answer with a signature ends the look at once; silence on every path ends it when all have had their time.
    pub(super) fn is_ready(&self, now: Moment) -> bool {
        self.answer.is_some() || now >= self.end()
    }

    pub(super) fn next_deadline(&self) -> Moment {
        if self.is_wide || self.closing.is_some() {
            self.end()
        } else {
            self.started.after(OPENING)
        }
    }

    /// What was seen, not yet signed.
    pub(super) fn attestation(
        &self,
        identity: &Identity,
        sequence: Sequence,
        epoch: Epoch,
        late_ms: u32,
    ) -> Attestation {
        Attestation {
            subject: self.subject,
            subject_boot: self.boot,
            observer: identity.host,
            observer_boot: identity.boot,
            key: PublicKey([0; 32]),
            sequence,
            epoch,
            anchor: self.anchor,
            grade: self.grade(),
            paths: self.paths(),
            ingress: self.ingress.clone(),
            late_ms,
            signature: Signature([0; 32], [0; 32]),
        }
    }

    /// Who asked, and the subject's own word for them.
    pub(super) fn into_asks(self) -> (Vec<u64>, Option<SelfAnswer>) {
        (self.asks, self.answer)
    }

    fn grade(&self) -> Grade {
        match (self.closing, self.reach) {
            (Some(_), Grade::Degraded | Grade::Failed) => Grade::Degraded,
            (Some(_), Grade::Ok | Grade::Unknown) => Grade::Ok,
            // Law O3: what was not heard by one who was away may have been said.
            (None, _) if self.is_unfit => Grade::Unknown,
            (None, _) if self.is_blind() => Grade::Unknown,
            (None, _) => Grade::Failed,
        }
    }

    /// protocol 2.5: no path of the agent ever answered this observer lately, so that its silence proves nothing. Such an
    /// observer cannot tell; its seat is vacant (protocol 3.3), or one that was replaced after a death could be waited for
    /// for ever.
    fn is_blind(&self) -> bool {
        let is_agents = |path: &Path| !matches!(path, Path::AgentPort | Path::NamedPort(_));
        let refuses =
            |(path, reading): (&Path, &Reading)| is_agents(path) && *reading == Reading::Refused;
        !self.calibrated.iter().any(is_agents) && !self.readings.iter().any(refuses)
    }

    /// Of a look that ended with an answer only what was read; else every path has its reading.
    fn paths(&self) -> Vec<PathReading> {
        let mut readings = self.readings.clone();
        if self.closing.is_none() {
            readings.entry(Path::Warm).or_insert(self.silence(Path::Warm));
            for path in self.pending.values() {
                let reading = match path {
                    // The relay itself has not answered: nothing is known of the subject.
                    Path::NearRelay | Path::FarRelay => Reading::Absent,
                    path => self.silence(*path),
                };
                readings.entry(*path).or_insert(reading);
            }
        }
        let readings = readings.into_iter();
        readings
            .map(|(path, reading)| PathReading { path, reading })
            .take(Attestation::PATHS_MAX)
            .collect()
    }

    fn silence(&self, path: Path) -> Reading {
        if self.calibrated.contains(&path) { Reading::Silent } else { Reading::Absent }
    }

    fn end(&self) -> Moment {
        match self.closing {
            Some(closing) => closing,
            None if self.is_wide && self.pending.is_empty() => self.started.after(WARM_FOR),
            None => self.started.after(LOOK_FOR),
        }
    }

    fn take_boot(&mut self, boot: Boot) {
        if boot.number > self.boot.number {
            self.boot = boot;
        }
    }

    fn probe(&mut self, next_number: &mut u64, effects: &mut Vec<Effect>) {
        let number = draw_id(next_number).0;
        self.probes.insert(number);
        effects.push(Effect::SendProbe { to: self.subject, number });
    }

    fn attempt(&mut self, next_number: &mut u64, path: Path) -> AttemptId {
        let id = draw_id(next_number);
        self.pending.insert(id, path);
        id
    }
}
