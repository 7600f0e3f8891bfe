//! Which checks fail for this host, of its subjects and of itself, and what does it say of one in a round (protocol 3.10)?
//!
//! Law FW1: a check stands failed after `fails_after` failures in a row and no longer after `recovers_after` successes in a row;
//! what cannot be told counts as neither.
//! Law FW2: on a subject that this host doubts nothing runs, and nothing is said but `Unknown`: that is for reach.
//! Law FW3: whoever was late by more than [`LATE_MAX`] while a check ran has seen no failure of it (law P3). That something was lost in
//! its sockets a host learns up to [`NOTICED_WITHIN`] later: what failed meanwhile is taken back, but for the word of a round (law FW4).
//! Law FW4: asked twice for one round, a host gives the same word, for [`REPEATED_FOR`] (law O5 of `look`); so it does to a leader that
//! comes back.
//! Law FW5: at most [`DUTIES_MAX`] duties and [`LOOKS_MAX`] looks at once; beyond, the leader is told so.
//! Not here: carrying a check out (the shell does), whose words add up to what (see `fitness`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use vocabulary::{
    Anchor, CheckWord, Epoch, Grade, HostId, Label, Moment, PublicKey, Sequence, Signature, Signer,
    Span,
};
use wire::{Unavailable, UnfitNote};

use crate::look::{LATE_MAX, REPEATED_FOR};
use crate::reply::Identity;

mod event;
#[cfg(test)]
mod tests;
mod watched;

pub use event::{Ask, Duty, Effect, Event, RunId};
use watched::Watched;

/// Twenty subjects and this host itself, of eight checks each, three times over.
pub const DUTIES_MAX: usize = 512;

/// Looks at once: a leader asks for ten rounds a second in all, each lasts one, and two leaders may overlap for a moment.
pub const LOOKS_MAX: usize = 64;

/// How long what a host's sockets have lost is unknown to it: its shell reads that every 5 s.
pub const NOTICED_WITHIN: Span = Span::seconds(5);

/// A check that takes longer than this has no answer in a round.
pub const LOOK_FOR: Span = Span::seconds(1);

/// Words of the last rounds: as many as there are looks at once, twice.
const MADE_MAX: usize = 128;

/// Askers of one look: a leader that asks twice, and its successor.
const ASKS_MAX: usize = 4;

/// How often what fails is told again: a lost stream is mended, and the leader knows that we still stand by it.
const TELL_EVERY: Span = Span::seconds(2);

/// Whose check, and which.
type Key = (HostId, Label);

/// One check in one round.
type Round = (Anchor, Key);

/// One host's checks.
pub struct Watch {
    identity: Identity,
    random: ChaCha8Rng,
    epoch: Epoch,
    /// At most [`DUTIES_MAX`].
    watched: BTreeMap<Key, Watched>,
    /// When each of them runs next, earliest first.
    due: BTreeSet<(Moment, Key)>,
    /// Runs under way: one of each duty and one of each look.
    runs: BTreeMap<RunId, Run>,
    /// Whom this host doubts.
    doubted: BTreeSet<HostId>,
    /// At most [`LOOKS_MAX`].
    looks: BTreeMap<Round, Looking>,
    /// At most [`MADE_MAX`], oldest first.
    made: VecDeque<(Moment, CheckWord)>,
    /// What was last told.
    told: Vec<UnfitNote>,
    next_telling: Option<Moment>,
    next_run: u64,
    sequence: Sequence,
}

/// What a run is for.
struct Run {
    purpose: Purpose,
    /// This host was late meanwhile (law FW3).
    is_late: bool,
}

enum Purpose {
    Duty(Key),
    Look(Round),
}

/// A look under way.
struct Looking {
    asks: Vec<u64>,
    word: CheckWord,
}

impl Watch {
    /// No duties yet; signs as `identity`.
    pub fn new(identity: Identity, seed: u64) -> Self {
        Self {
            identity,
            random: ChaCha8Rng::seed_from_u64(seed),
            epoch: Epoch::default(),
            watched: BTreeMap::new(),
            due: BTreeSet::new(),
            runs: BTreeMap::new(),
            doubted: BTreeSet::new(),
            looks: BTreeMap::new(),
            made: VecDeque::new(),
            told: Vec::new(),
            next_telling: None,
            next_run: 1,
            sequence: Sequence(0),
        }
    }

    /// The one door: what has happened, and what is to be done about it.
    pub fn handle(&mut self, now: Moment, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.note_lateness(now, self.next_deadline().map_or(Span::ZERO, |due| now.since(due)));
        match event {
            Event::DutiesChanged { epoch, duties } => self.take_duties(now, epoch, duties),
            Event::DoubtsChanged { doubted } => self.take_doubts(doubted),
            Event::Asked(ask) => self.begin_look(now, ask, &mut effects),
            Event::Ran { id, grade } => self.ran(now, id, grade, &mut effects),
            Event::LeaderChanged => self.told.clear(),
            Event::WasLate { by } => self.note_lateness(now, by),
            Event::SocketsLost => self.note_lateness(now, NOTICED_WITHIN),
            Event::DeadlineReached => {}
        }
        self.run_due(now, &mut effects);
        self.tell(now, &mut effects);
        effects
    }

    /// Signs with this key of the host from now on (protocol 1.3).
    pub fn sign_with(&mut self, signer: Arc<dyn Signer>) {
        self.identity.signer = signer;
    }

    /// When something is to be done without any other event.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.due.first().map(|(at, _)| *at).into_iter().chain(self.next_telling).min()
    }

    /// The checks of this host itself that stand failed by its own runs.
    pub fn own_failing(&self) -> impl Iterator<Item = &Label> {
        let own = self.identity.host;
        let failing = self
            .watched
            .iter()
            .filter(move |((subject, _), watched)| *subject == own && watched.stands_failed());
        failing.map(|((_, check), _)| check)
    }

    /// Whether it has anything to watch.
    pub fn is_idle(&self) -> bool {
        self.watched.is_empty()
    }

    fn take_duties(&mut self, now: Moment, epoch: Epoch, duties: Vec<Duty>) {
        self.epoch = epoch;
        let mut old = std::mem::take(&mut self.watched);
        for duty in duties.into_iter().take(DUTIES_MAX) {
            let key = (duty.subject, duty.check.clone());
            let kept = old.remove(&key).and_then(|watched| watched.reassigned(&duty));
            let watched = kept.unwrap_or_else(|| {
                // Whoever gets many duties does not carry them out at once, nor do all observers of a subject together.
                let first = now.after(drawn_within(&mut self.random, duty.every));
                Watched::new(first, duty.clone())
            });
            self.watched.insert(key, watched);
        }
        let own = self.identity.host;
        let runs = self.watched.iter().filter(|(_, watched)| watched.duty().is_run_by(&own));
        self.due = runs.map(|(key, watched)| (watched.next_run(), key.clone())).collect();
    }

    /// Law FW2.
    fn take_doubts(&mut self, doubted: BTreeSet<HostId>) {
        for ((subject, _), watched) in &mut self.watched {
            if doubted.contains(subject) {
                watched.break_off();
            }
        }
        self.doubted = doubted;
    }

    /// Law FW3.
    fn note_lateness(&mut self, now: Moment, by: Span) {
        if by > LATE_MAX {
            self.runs.values_mut().for_each(|run| run.is_late = true);
            let since = now.before(by);
            self.watched.values_mut().for_each(|watched| watched.was_late_since(since));
        }
    }

    fn run_due(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        while let Some((at, key)) = self.due.first().filter(|(at, _)| *at <= now).cloned() {
            self.due.remove(&(at, key.clone()));
            let is_doubted = self.doubted.contains(&key.0);
            let Some(watched) = self.watched.get_mut(&key) else {
                continue;
            };
            let next = watched.put_off(now);
            self.due.insert((next, key.clone()));
            if watched.is_running() || is_doubted {
                continue;
            }
            let duty = watched.duty();
            let (subject, port, within) = (duty.subject, duty.port, duty.timeout);
            let id = draw(&mut self.next_run);
            watched.begin(id);
            self.runs.insert(id, Run { purpose: Purpose::Duty(key), is_late: false });
            effects.push(Effect::Run { id, subject, port, within });
        }
    }

    fn ran(&mut self, now: Moment, id: RunId, grade: Grade, effects: &mut Vec<Effect>) {
        let Some(run) = self.runs.remove(&id) else {
            return;
        };
        let grade = if run.is_late && grade == Grade::Failed { Grade::Unknown } else { grade };
        match run.purpose {
            Purpose::Duty(key) => {
                let is_doubted = self.doubted.contains(&key.0);
                let grade = if is_doubted { Grade::Unknown } else { grade };
                if let Some(watched) = self.watched.get_mut(&key) {
                    watched.ended(now, id, grade);
                }
            }
            Purpose::Look(round) => {
                if let Some(looking) = self.looks.remove(&round) {
                    self.say(now, looking, grade, effects);
                }
            }
        }
    }

    fn begin_look(&mut self, now: Moment, ask: Ask, effects: &mut Vec<Effect>) {
        let key = (ask.subject, ask.check.clone());
        let round = (ask.anchor, key.clone());
        if let Some((at, made)) = self.made.iter().find(|(_, word)| round_of(word) == round) {
            if now.since(*at) > REPEATED_FOR {
                return refuse(&ask, Unavailable::TooLate, effects);
            }
            effects.push(Effect::Say { ask: ask.id, word: Box::new(made.clone()) });
            return;
        }
        if let Some(looking) = self.looks.get_mut(&round) {
            if looking.asks.len() < ASKS_MAX && !looking.asks.contains(&ask.id) {
                looking.asks.push(ask.id);
            } else {
                refuse(&ask, Unavailable::Busy(format!("{ASKS_MAX} askers of one look")), effects);
            }
            return;
        }
        let is_own = ask.subject == self.identity.host;
        let duty = self.watched.get(&key).map(Watched::duty);
        let is_mine = is_own || duty.is_some_and(|duty| duty.from.asks_peers());
        if !is_mine {
            return refuse(&ask, Unavailable::NotMine, effects);
        }
        let run = duty.filter(|duty| duty.is_run_by(&self.identity.host));
        let run = run.filter(|_| !self.doubted.contains(&ask.subject));
        let run = run.map(|duty| (duty.port, duty.timeout.min(LOOK_FOR)));
        let looking = Looking { asks: vec![ask.id], word: self.blank(&ask, duty) };
        match run {
            // Whoever does not carry it out, or cannot tell, says so: a signed word of the subject proves that it is reached.
            None => self.say(now, looking, Grade::Unknown, effects),
            Some(_) if self.looks.len() >= LOOKS_MAX => {
                let bound = format!("{LOOKS_MAX} looks at checks at once");
                refuse(&ask, Unavailable::Busy(bound), effects);
            }
            Some((port, within)) => {
                let id = draw(&mut self.next_run);
                let purpose = Purpose::Look(round.clone());
                self.runs.insert(id, Run { purpose, is_late: false });
                self.looks.insert(round, looking);
                effects.push(Effect::Run { id, subject: ask.subject, port, within });
            }
        }
    }

    /// Not yet graded, numbered or signed.
    fn blank(&self, ask: &Ask, duty: Option<&Duty>) -> CheckWord {
        let known = duty.and_then(|duty| duty.boot).unwrap_or_default();
        let is_own = ask.subject == self.identity.host;
        CheckWord {
            subject: ask.subject,
            subject_boot: if is_own { self.identity.boot } else { ask.boot.max(known) },
            author: self.identity.host,
            author_boot: self.identity.boot,
            key: PublicKey([0; 32]),
            sequence: Sequence(0),
            epoch: self.epoch,
            anchor: ask.anchor,
            check: ask.check.clone(),
            grade: Grade::Unknown,
            signature: Signature([0; 32], [0; 32]),
        }
    }

    fn say(&mut self, now: Moment, looking: Looking, grade: Grade, effects: &mut Vec<Effect>) {
        self.sequence = self.sequence.next();
        let word = CheckWord { grade, sequence: self.sequence, ..looking.word };
        let word = word.signed(self.identity.cluster.as_str(), &*self.identity.signer);
        let said =
            looking.asks.into_iter().map(|ask| Effect::Say { ask, word: Box::new(word.clone()) });
        effects.extend(said);
        self.made.push_back((now, word));
        if self.made.len() > MADE_MAX {
            self.made.pop_front();
        }
    }

    /// At once when other checks fail, and again while any does.
    fn tell(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        if self.watched.is_empty() && self.told.is_empty() && self.next_telling.is_none() {
            return;
        }
        let notes: Vec<UnfitNote> = self.notes().take(UnfitNote::NOTES_MAX).collect();
        if notes == self.told && self.next_telling.is_none_or(|at| now < at) {
            return;
        }
        self.next_telling = (!notes.is_empty()).then(|| now.after(TELL_EVERY));
        self.told.clone_from(&notes);
        effects.push(Effect::Tell(notes));
    }

    fn notes(&self) -> impl Iterator<Item = UnfitNote> {
        let failing = self.watched.iter().filter(|((subject, _), watched)| {
            watched.stands_failed() && !self.doubted.contains(subject)
        });
        failing.map(|((subject, check), watched)| UnfitNote {
            subject: *subject,
            boot: watched.duty().boot.unwrap_or_default(),
            check: check.clone(),
        })
    }
}

impl Duty {
    /// The host itself, its observers, or both.
    fn is_run_by(&self, host: &HostId) -> bool {
        if self.subject == *host { self.from.asks_the_host() } else { self.from.asks_peers() }
    }
}

fn round_of(word: &CheckWord) -> Round {
    (word.anchor, (word.subject, word.check.clone()))
}

fn refuse(ask: &Ask, why: Unavailable, effects: &mut Vec<Effect>) {
    effects.push(Effect::Refuse { ask: ask.id, why });
}

fn draw(next: &mut u64) -> RunId {
    let id = RunId(*next);
    *next = next.saturating_add(1);
    id
}

fn drawn_within(random: &mut ChaCha8Rng, span: Span) -> Span {
    Span::milliseconds(random.next_u64() % span.as_milliseconds().max(1))
}
