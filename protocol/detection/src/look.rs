//! What does this observer see of a subject, for one round (protocol 3.1)?
//!
//! Law O1: an attestation says what was read on every path within [`LOOK_FOR`]; silence is evidence only where that path
//! is calibrated (protocol 2.5), and a relayed answer counts only with the subject's own signature over the nonce.
//! Law O2: at most one knock at each port in one round, however often the round is asked (protocol 2.4).
//! Law O3: who was late by more than [`LATE_MAX`] while it looked, or has no calibrated path of the agent, or whom relays do
//! not hear (see `nacks`), and heard nothing, grades `Unknown` (protocol 2.5, 2.7).
//! Law O4: at most [`LOOKS_MAX`] looks at once; beyond, the leader is told so.
//! Law O5: a word is given again for [`REPEATED_FOR`], and no other under that anchor ever: where nobody leads the ledger stands still, and
//! whoever leads next may ask under the very anchor of its predecessor.
//!
//! A look opens on the standing connection alone, for [`OPENING`]: a subject that is well answers there with its signature,
//! and neither dials nor knocks nor relays are spent on it. Then all other paths are tried at once, so that a look into
//! silence ends 0.9 s after it was asked.
//! Not here: doubts (see `watch`), answering for oneself (see `reply`), what voices add up to (see `verdict`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use vocabulary::{
    Anchor, Answer, Attestation, Boot, HostId, LedgerIndex, Moment, Path, Reading, SelfAnswer,
    Sequence, Signer, Span, Verifier,
};
use wire::Unavailable;

use crate::health::SelfDoubt;
use crate::late::Lateness;
use crate::reply::Identity;
use crate::roster::Roster;
use crate::seats::Seating;
use crate::watch::AttemptId;

mod event;
mod looking;
mod nacks;
mod relay;
#[cfg(test)]
mod tests;

pub use event::{Ask, AskEnd, Effect, Event, RelayEnd};
use looking::Looking;
use nacks::{Nacks, Places};
pub use relay::{Reachable, choose as choose_relay};

/// How long a look may take in all (protocol 3.1 allows 1 s; the rest is the way back to the leader).
pub const LOOK_FOR: Span = Span::milliseconds(900);

/// How long a set of rounds may last (protocol 3.7), and the question of a leader whose answer was lost.
pub const REPEATED_FOR: Span = Span::seconds(3);

/// How long only the standing connection is asked.
pub const OPENING: Span = Span::milliseconds(50);

/// Looks at once: a leader asks for 50 a second in all (protocol 3.1), and two leaders may overlap for a moment.
pub const LOOKS_MAX: usize = 64;

/// Lateness of this host beyond which its own misses mean nothing.
pub const LATE_MAX: Span = Span::milliseconds(200);

/// Ids and probe numbers of looks begin here, so that whoever routes their ends can tell them from the watch's.
pub const NUMBERS_FROM: u64 = 1 << 62;

/// How long a relay may take in a check.
const CHECK_WITHIN: Span = Span::seconds(1);

/// One observer's part in rounds.
pub struct Look {
    identity: Identity,
    verifier: Arc<dyn Verifier>,
    random: ChaCha8Rng,
    fleet: Option<Fleet>,
    /// Hosts that answer us lately: the first choice as relays.
    reachable: Reachable,
    next_number: u64,
    sequence: Sequence,
    /// At most [`LOOKS_MAX`].
    looks: BTreeMap<(HostId, Anchor), Looking>,
    /// Attestations of the last rounds, oldest first, for a leader that asks twice; at most [`LOOKS_MAX`].
    made: VecDeque<Made>,
    /// Relay checks of the watch; at most [`LOOKS_MAX`].
    checks: BTreeMap<AttemptId, Check>,
    lateness: Lateness,
    /// Of its sockets; counted for its attestations like that of its loop.
    socket_lateness: Lateness,
    nacks: Nacks,
}

/// Who belongs, and who watches whom.
struct Fleet {
    roster: Arc<Roster>,
    seating: Arc<Seating>,
}

struct Made {
    at: Moment,
    attestation: Attestation,
    answer: Option<SelfAnswer>,
}

struct Check {
    subject: HostId,
    path: Path,
    nonce: u128,
    until: Moment,
}

impl Look {
    /// No looks yet; signs as `identity`, checks relayed answers with `verifier`.
    pub fn new(identity: Identity, verifier: Arc<dyn Verifier>, seed: u64) -> Self {
        Self {
            identity,
            verifier,
            random: ChaCha8Rng::seed_from_u64(seed),
            fleet: None,
            reachable: Reachable::default(),
            next_number: NUMBERS_FROM,
            sequence: Sequence(0),
            looks: BTreeMap::new(),
            made: VecDeque::new(),
            checks: BTreeMap::new(),
            lateness: Lateness::default(),
            socket_lateness: Lateness::default(),
            nacks: Nacks::default(),
        }
    }

    /// The one door: what has happened, and what is to be done about it.
    pub fn handle(&mut self, now: Moment, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        let overdue = self.next_deadline().map_or(Span::ZERO, |due| now.since(due));
        self.note_lateness(overdue);
        self.lateness.note(now, overdue);
        match event {
            Event::FleetChanged { roster, seating } => self.fleet = Some(Fleet { roster, seating }),
            Event::ReachableChanged(reachable) => self.reachable = reachable,
            Event::Asked(ask) => self.begin(now, ask, &mut effects),
            Event::ProbeReplied { subject, number, boot } => {
                self.probe_replied(now, subject, number, boot, &mut effects);
            }
            Event::AskEnded { id, end } => self.ask_ended(now, id, end, &mut effects),
            Event::KnockEnded { id, reading } => self.knock_ended(id, reading),
            Event::RelayEnded { id, end } => self.relay_ended(now, id, end, &mut effects),
            Event::RelayChecked { subject, path } => {
                self.check_relay(now, subject, path, &mut effects);
            }
            Event::WasLate { by } => {
                self.note_lateness(by);
                self.lateness.note(now, by);
            }
            Event::SocketsWereLate { by } => {
                self.note_lateness(by);
                self.socket_lateness.note(now, by);
            }
            Event::DeadlineReached => self.widen_due(now, &mut effects),
        }
        self.checks.retain(|_, check| now < check.until);
        self.end_ready(now, &mut effects);
        effects
    }

    /// Attests with this key of the host from now on (protocol 1.3).
    pub fn sign_with(&mut self, signer: Arc<dyn Signer>) {
        self.identity.signer = signer;
    }

    /// When something is to be done without any other event.
    pub fn next_deadline(&self) -> Option<Moment> {
        let looks = self.looks.values().map(Looking::next_deadline);
        looks.chain(self.checks.values().map(|check| check.until)).min()
    }

    /// How late this host was at its worst in the last 10 s, its loop or its sockets (protocol 2.7).
    pub fn late(&self, now: Moment) -> Span {
        self.lateness.worst(now).max(self.socket_lateness.worst(now))
    }

    /// Why this host's voice against others does not count now, as far as it knows itself (protocol 2.7).
    pub fn self_doubts(&self, now: Moment) -> Vec<SelfDoubt> {
        self.standing_self_doubts(now).collect()
    }

    /// Whether it is for these that it does not: asked after every event.
    pub fn doubts_itself_for(&self, now: Moment, grounds: &[SelfDoubt]) -> bool {
        self.standing_self_doubts(now).eq(grounds.iter().copied())
    }

    fn standing_self_doubts(&self, now: Moment) -> impl Iterator<Item = SelfDoubt> {
        let stands = move |ground: &SelfDoubt| match ground {
            SelfDoubt::Loop => self.lateness.worst(now) > LATE_MAX,
            SelfDoubt::Sockets => self.socket_lateness.worst(now) > LATE_MAX,
            SelfDoubt::Relays => self.nacks.mute(now) > 0,
        };
        SelfDoubt::ALL.into_iter().filter(stands)
    }

    fn begin(&mut self, now: Moment, ask: Ask, effects: &mut Vec<Effect>) {
        let round = (ask.subject, ask.anchor);
        let own = self.identity.host;
        let holds = |fleet: &Fleet| fleet.seating.holds(&own, &ask.subject);
        if let Some(looking) = self.looks.get_mut(&round) {
            looking.ask_again(ask.id);
        } else if let Some(made) = self.made.iter().find(|made| made.is_of(&round)) {
            effects.push(made.again(now, ask.id));
        } else if !self.fleet.as_ref().is_some_and(holds) {
            effects.push(Effect::Refuse { ask: ask.id, why: Unavailable::NotMine });
        } else if self.looks.len() >= LOOKS_MAX {
            let bound = format!("{LOOKS_MAX} looks at once");
            effects.push(Effect::Refuse { ask: ask.id, why: Unavailable::Busy(bound) });
        } else {
            let nonce = ask.anchor.nonce(&own, &ask.subject);
            let mut looking = Looking::new(now, ask, nonce);
            looking.open(&mut self.next_number, effects);
            self.looks.insert(round, looking);
        }
    }

    fn probe_replied(
        &mut self,
        now: Moment,
        subject: HostId,
        number: u64,
        boot: Boot,
        effects: &mut Vec<Effect>,
    ) {
        let of_subject = self.looks.values_mut().filter(|looking| looking.subject() == subject);
        for looking in of_subject {
            if looking.probe_replied(now, number, boot) {
                effects.push(Effect::PathAnswered { subject, path: Path::Warm, boot });
            }
        }
    }

    fn ask_ended(&mut self, now: Moment, id: AttemptId, end: AskEnd, effects: &mut Vec<Effect>) {
        let Some(looking) = self.looks.values_mut().find(|looking| looking.awaits(id)) else {
            return;
        };
        let subject = looking.subject();
        match end {
            AskEnd::Answered(answer) => {
                let wanted = Wanted::of(looking);
                let is_sound = is_sound(
                    &*self.verifier,
                    self.fleet.as_ref(),
                    &self.identity,
                    &answer,
                    &wanted,
                );
                let boot = answer.boot;
                // The connection's certificate proves the answer here; the signature is for those who were not there.
                let signed = is_sound.then_some(*answer);
                if let Some(path) = looking.answered(now, id, boot, signed) {
                    effects.push(Effect::PathAnswered { subject, path, boot });
                }
            }
            AskEnd::Unsigned => {
                looking.answered(now, id, Boot::default(), None);
            }
            AskEnd::Refused => looking.gave(id, Reading::Refused),
            AskEnd::Silent => looking.was_silent(id),
            AskEnd::Unable => looking.gave(id, Reading::Absent),
        }
    }

    fn knock_ended(&mut self, id: AttemptId, reading: Reading) {
        if let Some(looking) = self.looks.values_mut().find(|looking| looking.awaits(id)) {
            match reading {
                Reading::Silent => looking.was_silent(id),
                Reading::Answered | Reading::Refused | Reading::Accepted | Reading::Absent => {
                    looking.gave(id, reading);
                }
            }
        }
    }

    fn relay_ended(
        &mut self,
        now: Moment,
        id: AttemptId,
        end: RelayEnd,
        effects: &mut Vec<Effect>,
    ) {
        match end {
            RelayEnd::Answered(_) | RelayEnd::SubjectSilent => self.nacks.heard(now, id),
            RelayEnd::Mute => self.nacks.missed(now, id),
            RelayEnd::Unreached => self.nacks.void(id),
        }
        if let Some(check) = self.checks.remove(&id) {
            self.check_ended(&check, end, effects);
            return;
        }
        let Some(looking) = self.looks.values_mut().find(|looking| looking.awaits(id)) else {
            return;
        };
        let subject = looking.subject();
        match end {
            RelayEnd::Answered(answer) => {
                let wanted = Wanted::of(looking);
                let is_sound = is_sound(
                    &*self.verifier,
                    self.fleet.as_ref(),
                    &self.identity,
                    &answer,
                    &wanted,
                );
                if !is_sound {
                    // Law O1: a relay that brings anything else proves nothing.
                    looking.gave(id, Reading::Absent);
                    return;
                }
                let boot = answer.boot;
                if let Some(path) = looking.answered(now, id, boot, Some(*answer)) {
                    effects.push(Effect::PathAnswered { subject, path, boot });
                }
            }
            RelayEnd::SubjectSilent => looking.was_silent(id),
            RelayEnd::Mute | RelayEnd::Unreached => looking.gave(id, Reading::Absent),
        }
    }

    fn check_relay(&mut self, now: Moment, subject: HostId, path: Path, effects: &mut Vec<Effect>) {
        let Some(relay) = self.relay(subject, path) else {
            return;
        };
        if self.checks.len() >= LOOKS_MAX {
            return;
        }
        let id = draw_id(&mut self.next_number);
        let nonce = u128::from(self.random.next_u64()) << 64 | u128::from(self.random.next_u64());
        let within = CHECK_WITHIN;
        let until = now.after(within).after(LATE_MAX);
        self.checks.insert(id, Check { subject, path, nonce, until });
        effects.push(Effect::AskRelay { id, relay, subject, nonce, within });
    }

    fn check_ended(&self, check: &Check, end: RelayEnd, effects: &mut Vec<Effect>) {
        let wanted = Wanted {
            subject: check.subject,
            nonce: check.nonce,
            // Whichever keys speak today.
            index: LedgerIndex(u64::MAX),
        };
        if let RelayEnd::Answered(answer) = end
            && is_sound(&*self.verifier, self.fleet.as_ref(), &self.identity, &answer, &wanted)
        {
            let (subject, path, boot) = (check.subject, check.path, answer.boot);
            effects.push(Effect::PathAnswered { subject, path, boot });
        }
    }

    fn widen_due(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let due = self.looks.iter().filter(|(_, looking)| looking.is_to_widen(now));
        let due: Vec<(HostId, Anchor)> = due.map(|(round, _)| *round).collect();
        for round in due {
            let relays =
                [Path::NearRelay, Path::FarRelay].map(|path| (path, self.relay(round.0, path)));
            if let Some(looking) = self.looks.get_mut(&round) {
                let before = effects.len();
                looking.widen(relays, &mut self.next_number, effects);
                let asked = effects.get(before..).unwrap_or_default();
                asked.iter().for_each(|effect| self.note_asked(effect));
            }
        }
    }

    /// Law NK2: only relays that we reach, and that do not share the subject's fate.
    fn note_asked(&mut self, effect: &Effect) {
        let Effect::AskRelay { id, relay, subject, .. } = effect else {
            return;
        };
        let domain = |host: &HostId| {
            let entry = self.fleet.as_ref()?.roster.get(host)?;
            Some(&entry.claims.domain)
        };
        let places = (domain(&self.identity.host), domain(relay), domain(subject));
        if let (Some(own), Some(relays), Some(subject)) = places
            && self.reachable.contains(relay)
            && (Places { own, relay: relays, subject }).relay_is_apart()
        {
            self.nacks.asked(*id, *relay);
        }
    }

    fn relay(&self, subject: HostId, path: Path) -> Option<HostId> {
        let fleet = self.fleet.as_ref()?;
        let pair = relay::Pair { observer: self.identity.host, subject };
        relay::choose((&fleet.roster, &fleet.seating), pair, path, &self.reachable)
    }

    fn note_lateness(&mut self, by: Span) {
        if by > LATE_MAX {
            self.looks.values_mut().for_each(Looking::cannot_tell);
        }
    }

    fn end_ready(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let ready = self.looks.iter().filter(|(_, looking)| looking.is_ready(now));
        let ready: Vec<(HostId, Anchor)> = ready.map(|(round, _)| *round).collect();
        for round in ready {
            if let Some(mut looking) = self.looks.remove(&round) {
                if self.nacks.mute(now) > 0 {
                    looking.cannot_tell();
                }
                self.attest(now, looking, effects);
            }
        }
    }

    fn attest(&mut self, now: Moment, looking: Looking, effects: &mut Vec<Effect>) {
        self.sequence = self.sequence.next();
        let late_ms = u32::try_from(self.late(now).as_milliseconds()).unwrap_or(u32::MAX);
        let epoch = self.fleet.as_ref().map(|fleet| fleet.roster.epoch).unwrap_or_default();
        let attestation = looking.attestation(&self.identity, self.sequence, epoch, late_ms);
        let cluster = self.identity.cluster.as_str();
        let attestation = attestation.signed(cluster, &*self.identity.signer);
        let (asks, answer) = looking.into_asks();
        let made = Made { at: now, attestation, answer };
        effects.extend(asks.into_iter().map(|ask| made.attest(ask)));
        self.made.push_back(made);
        if self.made.len() > LOOKS_MAX {
            self.made.pop_front();
        }
    }
}

impl Made {
    fn is_of(&self, round: &(HostId, Anchor)) -> bool {
        (self.attestation.subject, self.attestation.anchor) == *round
    }

    /// law O5: an old word would say that what was so is so.
    fn again(&self, now: Moment, ask: u64) -> Effect {
        if now.since(self.at) <= REPEATED_FOR {
            return self.attest(ask);
        }
        Effect::Refuse { ask, why: Unavailable::TooLate }
    }

    fn attest(&self, ask: u64) -> Effect {
        Effect::Attest {
            ask,
            attestation: Box::new(self.attestation.clone()),
            answer: self.answer.clone().map(Box::new),
        }
    }
}

/// What a subject was to sign, and at which index its keys must speak.
struct Wanted {
    subject: HostId,
    nonce: u128,
    index: LedgerIndex,
}

impl Wanted {
    fn of(looking: &Looking) -> Self {
        Self { subject: looking.subject(), nonce: looking.nonce(), index: looking.anchor().index }
    }
}

/// protocol 3.1: a relayed answer counts only with the subject's signature over the observer's nonce.
fn is_sound(
    verifier: &dyn Verifier,
    fleet: Option<&Fleet>,
    identity: &Identity,
    answer: &SelfAnswer,
    wanted: &Wanted,
) -> bool {
    let entry = fleet.and_then(|fleet| fleet.roster.get(&wanted.subject));
    let bytes = answer.signed_bytes(identity.cluster.as_str());
    answer.subject == wanted.subject
        && answer.to == Answer::Nonce(wanted.nonce)
        && entry.is_some_and(|entry| entry.speaks(&answer.key, wanted.index))
        && verifier.is_signed_by(&answer.key, &bytes, &answer.signature)
}

fn draw_id(next_number: &mut u64) -> AttemptId {
    let id = AttemptId(*next_number);
    *next_number = next_number.saturating_add(1);
    id
}
