//! Does this observer doubt any of its subjects?
//!
//! Each seat probes its subject in calm (protocol 2.2), retries a miss privately (2.3), keeps its paths calibrated (2.5)
//! and says whom it doubts (2.6).
//!
//! Law P1: only a failed fresh dial makes a doubt, and only where some path of the agent is calibrated; without
//! calibration the doubt waits for [`Settings::unproven_after`], so that a host that never came is shown, not accused.
//! Law P2: only the subject's direct answer to a look begun after the doubt, another boot, or its goodbye ends a doubt.
//! Law P3: an observer whose own clock ran past a deadline by more than [`Settings::late_max`] counts nothing of what it
//! then misses: its looks begin anew (a part of protocol 2.7).
//!
//! **How long from death to doubt**, K = 10 on a local network (round trips of a few milliseconds), times in ms:
//!
//! | piece | expected | worst |
//! |---|---|---|
//! | until some observer's next slot: the step is 300 | 150 | 300 |
//! | first probe missed, 4 round trips but at least 60 | 60 | 60 |
//! | second probe, its gap | 100 | 100 |
//! | third probe missed | 60 | 60 |
//! | the same connection by stream | 150 | 150 |
//! | a fresh dial | 400 | 400 |
//! | **sum** | **920** | **1,070** |
//!
//! **What calm costs** at K = 10, in IP bytes sent per second by one host: 3.3 probes of 65 and 3.3 replies of 87, 510 in
//! all; two fresh dials in 30 s, one in each role, 140; knocks, streams and relays, 50. Lone acknowledgements are the
//! transport's affair. That leaves 300 of the kilobyte for gossip and the ledger.
//!
//! Not here: who holds which seat (see `seats`), a round's looks (see `look`), what doubts lead to (see `rounds`).

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use vocabulary::{Boot, Grade, HostId, Moment, Path, Reading, Span};
use wire::DoubtNote;

mod check;
mod desk;
mod loss;
mod settings;
mod stage;
#[cfg(test)]
mod tests;
mod watched;

use desk::{Desk, Standing};
pub use settings::{RawSettings, Settings, SettingsFault};
use watched::Watched;

/// Looks of one kind under way at once that are not urgent (checks, and looks at the doubted): each costs up to 4 kB.
/// The dial that decides a doubt is never held back; there is one per seat at most.
pub const DIALS_MAX: usize = 16;

/// Most doubts told at once: a frame of 64 KiB holds more than these.
pub const NOTES_MAX: usize = 1_024;

/// How often standing doubts are told again: a lost stream is mended, and the leader knows that we still stand by them.
const TELL_EVERY: Span = Span::seconds(2);

/// One observer's eyes on all its subjects.
pub struct Watch {
    settings: Settings,
    random: ChaCha8Rng,
    /// Numbers probes and attempts alike, so that their order is known.
    next_number: u64,
    /// As many as this host holds seats (protocol 2.1).
    watched: BTreeMap<HostId, Watched>,
    /// When each of them is to act by itself, earliest first; those that wait for nothing are not in it.
    due: BTreeSet<(Moment, HostId)>,
    /// When the first of them is: asked for after every event of the host.
    first_due: Option<Moment>,
    /// Dials under way, of all subjects.
    dials: usize,
    /// How many of them are doubted.
    doubted: usize,
    told: Vec<(HostId, Boot)>,
    next_telling: Option<Moment>,
}

/// One seat of this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Whom to watch.
    pub subject: HostId,
    /// The highest boot the roster knows.
    pub boot: Option<Boot>,
    /// K: how many seats the subject has.
    pub seats: u64,
    /// Ports that the policy names for the subject (protocol 2.4); at most four are used.
    pub named_ports: Vec<u16>,
}

/// Names one look by stream, dial, knock or relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttemptId(pub u64);

/// What came of a stream or a dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LookEnd {
    /// The subject itself answered, proven by its certificate.
    Answered(Boot),
    /// Something at the address refused: no answer of the subject.
    Refused,
    /// Nothing came.
    Silent,
    /// This host could not even try: proves nothing.
    Unable,
}

/// What the machine is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// All seats that this host holds now.
    SeatsChanged(Vec<Seat>),
    /// A reply to a probe, on the subject's own connection.
    ProbeReplied {
        /// Who replied.
        subject: HostId,
        /// From the probe.
        number: u64,
        /// The life that answers.
        boot: Boot,
        /// When the subject would like the next probe.
        next_slot: Span,
    },
    /// The end of [`Effect::ProbeByStream`].
    StreamEnded {
        /// Which one.
        id: AttemptId,
        /// Who was asked.
        subject: HostId,
        /// What came of it.
        end: LookEnd,
    },
    /// The end of [`Effect::DialFresh`]; a dial that succeeded is the standing connection from then on.
    DialEnded {
        /// Which one.
        id: AttemptId,
        /// Who was dialled.
        subject: HostId,
        /// What came of it.
        end: LookEnd,
    },
    /// The end of [`Effect::Knock`].
    KnockEnded {
        /// Which one.
        id: AttemptId,
        /// At whose port.
        subject: HostId,
        /// What the port gave.
        reading: Reading,
    },
    /// A look of a round, or a check by relay, was answered on this path (see `look`).
    PathAnswered {
        /// By whom.
        subject: HostId,
        /// On which path.
        path: Path,
        /// In which life.
        boot: Boot,
    },
    /// The subject's connection has been reset or closed from its side: it may have restarted.
    ConnectionLost {
        /// Whose.
        subject: HostId,
    },
    /// The subject itself, or the ledger, has named this boot: never gossip, which others could forge.
    BootSeen {
        /// Whose.
        subject: HostId,
        /// Its newest life.
        boot: Boot,
    },
    /// The subject itself has said goodbye (protocol 3.6 `Left`); a later life of it is watched again.
    Left {
        /// Who.
        subject: HostId,
        /// The life that ends.
        boot: Boot,
    },
    /// Somebody else leads: standing doubts are told to it (protocol 2.6).
    LeaderChanged,
    /// The shell's own loop was late by so much.
    WasLate {
        /// By how much at worst.
        by: Span,
    },
    /// The moment of `next_deadline` has come.
    DeadlineReached,
}

/// What the machine asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A probe by datagram on the standing connection; dropped if there is none.
    SendProbe {
        /// To whom.
        to: HostId,
        /// Echoed by the reply.
        number: u64,
    },
    /// A probe on a stream of the standing connection; without one it ends at once as `Silent`.
    ProbeByStream {
        /// Comes back with the end.
        id: AttemptId,
        /// To whom.
        to: HostId,
        /// For how long.
        within: Span,
    },
    /// A new connection from a new source port, with a question over the nonce.
    DialFresh {
        /// Comes back with the end.
        id: AttemptId,
        /// To whom.
        to: HostId,
        /// To be signed by the subject.
        nonce: u128,
        /// For how long, hello and answer included. Wants an initial round-trip guess of at most 100 ms, so that one
        /// lost first packet does not make a failed dial.
        within: Span,
    },
    /// A knock at a TCP port (protocol 2.4).
    Knock {
        /// Comes back with the end.
        id: AttemptId,
        /// At whose.
        to: HostId,
        /// A named port; `None`: the agent's own.
        port: Option<u16>,
        /// For how long.
        within: Span,
    },
    /// Check a relay path to the subject (see `look`); an answer comes back as [`Event::PathAnswered`].
    CheckRelay {
        /// Whom the relay is to ask.
        subject: HostId,
        /// Which of the two relays.
        path: Path,
    },
    /// All doubts that stand now, oldest first: for the leader, and for the health record (protocol 2.6).
    DoubtsChanged(Vec<DoubtNote>),
    /// The check `reach` of a subject has another grade (protocol 2.6).
    ReachChanged {
        /// Whose.
        subject: HostId,
        /// `Ok`, `Degraded` or `Failed`.
        grade: Grade,
    },
}

impl Watch {
    /// No seats yet.
    pub fn new(settings: Settings, seed: u64) -> Self {
        Self {
            settings,
            random: ChaCha8Rng::seed_from_u64(seed),
            next_number: 1,
            watched: BTreeMap::new(),
            due: BTreeSet::new(),
            first_due: None,
            dials: 0,
            doubted: 0,
            told: Vec::new(),
            next_telling: None,
        }
    }

    /// The one door: what has happened, and what is to be done about it.
    pub fn handle(&mut self, now: Moment, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.notice_lateness(now, &event, &mut effects);
        match event {
            Event::SeatsChanged(seats) => self.take_seats(now, seats),
            Event::ProbeReplied { subject, number, boot, next_slot } => {
                self.with(now, subject, &mut effects, |watched, desk| {
                    watched.replied(desk, number, boot, next_slot);
                });
            }
            Event::StreamEnded { id, subject, end } => {
                self.with(now, subject, &mut effects, |watched, desk| {
                    watched.stream_ended(desk, id, end);
                });
            }
            Event::DialEnded { id, subject, end } => {
                self.with(now, subject, &mut effects, |watched, desk| {
                    watched.dial_ended(desk, id, end);
                });
            }
            Event::KnockEnded { id, subject, reading } => {
                self.with(now, subject, &mut effects, |watched, desk| {
                    watched.knock_ended(desk, id, reading);
                });
            }
            Event::PathAnswered { subject, path, boot } => {
                self.with(now, subject, &mut effects, |watched, desk| {
                    watched.path_answered(desk, path, boot);
                });
            }
            Event::ConnectionLost { subject } => {
                self.with(now, subject, &mut effects, Watched::connection_lost);
            }
            Event::BootSeen { subject, boot } => self.see_boot(now, subject, boot, &mut effects),
            Event::Left { subject, boot } => self.see_leaving(now, subject, boot, &mut effects),
            Event::LeaderChanged => self.told.clear(),
            Event::WasLate { by: _ } => {}
            Event::DeadlineReached => self.step_all(now, &mut effects),
        }
        self.tell(now, &mut effects);
        effects
    }

    /// When something is to be done without any other event.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.first_due.into_iter().chain(self.next_telling).min()
    }

    /// All standing doubts, oldest first, at most [`NOTES_MAX`].
    pub fn doubts(&self, now: Moment) -> Vec<DoubtNote> {
        if self.doubted == 0 {
            return Vec::new();
        }
        let mut notes: Vec<DoubtNote> =
            self.watched.values().filter_map(|watched| watched.doubt_note(now)).collect();
        notes.sort_by_key(|note| (std::cmp::Reverse(note.age_ms), note.subject));
        notes.truncate(NOTES_MAX);
        notes
    }

    /// Whether this observer holds any doubt.
    pub fn is_any_doubted(&self) -> bool {
        self.doubted > 0
    }

    /// Whether it watches this host.
    pub fn watches(&self, host: &HostId) -> bool {
        self.watched.contains_key(host)
    }

    /// The paths on which this subject's silence would be evidence now (protocol 2.5); none for a stranger.
    pub fn calibrated(&self, now: Moment, subject: &HostId) -> Vec<Path> {
        self.watched.get(subject).map(|watched| watched.calibrated(now)).unwrap_or_default()
    }

    /// The newest life of a subject that this observer knows.
    pub fn boot(&self, subject: &HostId) -> Option<Boot> {
        self.watched.get(subject).and_then(Watched::boot)
    }

    /// The subjects whose grade of `reach` is not `Ok`, and the grade.
    pub fn hard_to_reach(&self) -> impl Iterator<Item = (HostId, Grade)> {
        let grades = self.watched.iter().map(|(subject, watched)| (*subject, watched.reach()));
        grades.filter(|(_, grade)| *grade != Grade::Ok)
    }

    /// The grade of the check `reach` (protocol 2.6); `None` for a stranger.
    pub fn reach(&self, subject: &HostId) -> Option<Grade> {
        self.watched.get(subject).map(Watched::reach)
    }

    /// Law P3: whoever was away cannot tell a late answer from none.
    fn notice_lateness(&mut self, now: Moment, event: &Event, effects: &mut Vec<Effect>) {
        let overdue = self.next_deadline().map_or(Span::ZERO, |due| now.since(due));
        let told = match event {
            Event::WasLate { by } => *by,
            _ => Span::ZERO,
        };
        if overdue.max(told) > self.settings.late_max() {
            for subject in self.subjects() {
                self.with(now, subject, effects, Watched::begin_anew);
            }
        }
    }

    fn see_boot(&mut self, now: Moment, subject: HostId, boot: Boot, effects: &mut Vec<Effect>) {
        self.with(now, subject, effects, |watched, desk| {
            watched.boot_seen(desk, boot);
        });
    }

    fn see_leaving(&mut self, now: Moment, subject: HostId, boot: Boot, effects: &mut Vec<Effect>) {
        self.with(now, subject, effects, |watched, desk| {
            watched.left(desk, boot);
        });
    }

    fn take_seats(&mut self, now: Moment, seats: Vec<Seat>) {
        let mut old = std::mem::take(&mut self.watched);
        let mut fresh = 0;
        for seat in seats {
            let watched = match old.remove(&seat.subject) {
                Some(mut watched) => {
                    watched.reseat(now, &seat, &self.settings);
                    watched
                }
                None => {
                    // protocol 2.5: at once, but no burst when many seats come in one epoch.
                    fresh += 1;
                    let start = now.after(self.settings.seat_gap().times(fresh));
                    Watched::new(start, &seat, &self.settings)
                }
            };
            self.watched.insert(seat.subject, watched);
        }
        let standing = self.watched.values().map(Standing::of);
        (self.dials, self.doubted) = standing.fold((0, 0), |(dials, doubted), standing| {
            (dials + standing.dials, doubted + usize::from(standing.is_doubted))
        });
        let due = self.watched.iter().filter_map(|(host, own)| Some((own.next_deadline()?, *host)));
        self.due = due.collect();
        self.first_due = self.due.first().map(|(at, _)| *at);
    }

    fn step_all(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let due = self.due.iter().take_while(|(at, _)| *at <= now);
        let mut due: Vec<HostId> = due.map(|(_, subject)| *subject).collect();
        due.sort_unstable();
        for subject in due {
            self.with(now, subject, effects, Watched::step);
        }
    }

    /// protocol 2.6: told when the doubts change, and again while they stand.
    fn tell(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        if self.doubted == 0 && self.told.is_empty() && self.next_telling.is_none() {
            return;
        }
        let mut doubted: Vec<(HostId, Boot)> = self
            .watched
            .values()
            .filter_map(|watched| watched.doubt_note(now))
            .map(|note| (note.subject, note.boot))
            .collect();
        doubted.truncate(NOTES_MAX);
        if doubted == self.told && self.next_telling.is_none_or(|at| now < at) {
            return;
        }
        self.next_telling = (!doubted.is_empty()).then(|| now.after(TELL_EVERY));
        self.told = doubted;
        effects.push(Effect::DoubtsChanged(self.doubts(now)));
    }

    fn subjects(&self) -> Vec<HostId> {
        self.watched.keys().copied().collect()
    }

    /// Lets a subject's own machine act at the shared desk; strangers are passed over.
    fn with(
        &mut self,
        now: Moment,
        subject: HostId,
        effects: &mut Vec<Effect>,
        act: impl FnOnce(&mut Watched, &mut Desk<'_>),
    ) {
        if let Some(watched) = self.watched.get_mut(&subject) {
            let before = Standing::of(watched);
            let mut desk = Desk {
                now,
                settings: &self.settings,
                dials: self.dials,
                next_number: &mut self.next_number,
                random: &mut self.random,
                effects,
            };
            act(watched, &mut desk);
            let after = Standing::of(watched);
            self.note(subject, (before, after));
        }
    }

    /// What is known of all subjects at once follows what has changed of one.
    fn note(&mut self, subject: HostId, (before, after): (Standing, Standing)) {
        self.dials = self.dials + after.dials - before.dials;
        self.doubted =
            self.doubted + usize::from(after.is_doubted) - usize::from(before.is_doubted);
        if before.due != after.due {
            if let Some(at) = before.due {
                self.due.remove(&(at, subject));
            }
            self.due.extend(after.due.map(|at| (at, subject)));
            self.first_due = self.due.first().map(|(at, _)| *at);
        }
    }
}
