//! Which subjects does the leader have looked at, when, and what has been signed for it (protocol 3.1)?
//!
//! Rounds that are due together form one set under one anchor, so that their voices can be judged together: silence of
//! one host is what makes another's seat vacant, and a whole domain is only dark under one anchor (protocol 3.2, 3.5).
//!
//! Law D1: at most one round of a subject in a second, and at most [`ROUNDS_PER_SECOND`] in all; beyond, [`Effect::Overload`].
//! Law D2: a set ends within [`SET_WITHIN`] of the last subject that joined it, and is joined for [`WAIT_FOR_OTHERS`] only.
//! Law D11: who begins to lead has an entry of its own committed before its first set: under an older anchor others may have been asked
//! before, and say nothing more (law O5 of `look`).
//! Law D3: only the holder of a seat can bring its subject into doubt (law V4).
//! Not here: what the grounds add up to (see `verdict`), one observer's looking (see `look`).

mod doubts;
mod event;
mod fitting;
mod pace;
mod room;
mod set;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vocabulary::{Anchor, Attestation, Domain, HostId, Moment, Scope, SelfAnswer, Span, Zone};
use wire::DoubtNote;

use crate::roster::Roster;
use crate::seats::Seating;
use doubts::Doubts;
use pace::Pace;
use set::Set;

pub use doubts::Doubted;
pub use event::{Effect, Event, WishId};

/// protocol 3.1: beyond this there is a surge.
pub const ROUNDS_PER_SECOND: usize = 50;

/// Observers look for 1 s at most; the rest is the way to them and back.
pub const SET_WITHIN: Span = Span::milliseconds(1_300);

/// Law D10 (see `set`): as old as an anchor may be (protocol 3.2). Whoever is busy for so long does not lead for long.
pub(crate) const AWAY_AFTER: Span = Span::seconds(5);

/// Wishes of one subject that wait for its next set: all healers that may ask, and the looks at its case; the oldest are given up.
const WISHES_MAX: usize = 64;

/// protocol 3.7: a subject that is due waits at most so long for the others that are in doubt with it.
const WAIT_FOR_OTHERS: Span = Span::seconds(1);

/// Between the beginnings of two sets: doubts of one cause come within a few hundred milliseconds.
const SET_EVERY: Span = Span::milliseconds(150);

/// Sets under way at once; each lasts 1.3 s at most, so that [`SET_EVERY`] alone would allow nine.
const SETS_MAX: usize = 9;

/// Hosts of the subject's domain asked to answer for themselves: one is enough, two may be dead as well (protocol 3.5).
const WITNESSES: usize = 3;

/// Domain mates that are looked at because no witness answered; a larger domain is dark when its own doubts say so.
const MATES_MAX: usize = 32;

/// protocol 3.7: a zone is looked at whole again only after this, one turn of calm probing (protocol 2.2): by then whoever is dead
/// is in doubt itself, and a zone that stays half dark costs its living hosts no round in every second.
const WIDEN_EVERY: Span = Span::seconds(3);

/// Law D8: who was left out of a set joins none for so long; three rounds in a row are the most that any remedy asks for.
const APART_FOR: Span = Span::seconds(30);

/// An anchor is fresh for 5 s of ledger time (protocol 3.2), and where nothing ticks the next entry may add all of these at
/// once: a set begins only on an entry of the last second.
pub(crate) const ANCHOR_WITHIN: Span = Span::seconds(1);

/// How long a tick may take before another is asked for.
pub(crate) const FRESHEN_EVERY: Span = Span::milliseconds(500);

/// The leader's rounds.
pub struct Rounds {
    standing: Option<Standing>,
    doubts: Doubts,
    /// One-time wants with their wishes; at most as many subjects as the roster has.
    wanted: BTreeMap<HostId, Vec<WishId>>,
    pace: Pace,
    /// Zones that were looked at whole, and when; forgotten after [`WIDEN_EVERY`].
    widened: BTreeMap<Zone, Moment>,
    /// Racks and zones with open cases.
    judged: BTreeSet<Scope>,
    sets: Vec<Set>,
    /// Who was left out of a set that it had joined, and when (law D8): at most as many as the roster has.
    left_out: BTreeMap<HostId, Moment>,
    last_set: Option<Moment>,
    /// When the anchor was last new, and when a tick was last asked for; no anchor is new that was there before (law D11).
    anchored: Option<Moment>,
    freshened: Option<Moment>,
    leads: bool,
}

/// Whoever is to be looked at, and whether it rests (law D7).
type Subjects = BTreeMap<HostId, bool>;

/// The committed state of the moment.
struct Standing {
    anchor: Anchor,
    roster: Arc<Roster>,
    seating: Arc<Seating>,
}

impl Rounds {
    /// Nothing is doubted and nothing is known yet.
    pub fn new() -> Self {
        Self {
            standing: None,
            doubts: Doubts::default(),
            wanted: BTreeMap::new(),
            pace: Pace::default(),
            widened: BTreeMap::new(),
            judged: BTreeSet::new(),
            sets: Vec::new(),
            left_out: BTreeMap::new(),
            last_set: None,
            anchored: None,
            freshened: None,
            leads: false,
        }
    }

    /// The one door: what has happened, and what is to be done about it.
    pub fn handle(&mut self, now: Moment, event: Event) -> Vec<Effect> {
        match event {
            Event::StateChanged { anchor, roster, seating } => {
                // Law D11: the first is what was there before.
                if std::mem::replace(&mut self.leads, true) {
                    self.anchored = Some(now);
                    self.freshened = None;
                }
                self.standing = Some(Standing { anchor, roster, seating });
            }
            Event::Judged { domains } => self.judged = domains,
            Event::Upheld { subjects } => self.pace.uphold(subjects),
            Event::Doubted { observer, notes } => self.hear(now, observer, &notes),
            Event::Wished { wish, subject } => self.want(subject, vec![wish]),
            Event::Attested { attestation, answer } => self.collect(now, attestation, answer),
            Event::Answered { answer } => self.collect_answer(now, *answer),
            Event::Silent { from, subject, anchor } => self.give_up(from, subject, anchor),
            Event::Deposed => *self = Self { standing: self.standing.take(), ..Self::new() },
            Event::DeadlineReached => {}
        }
        let mut effects = self.end_sets(now);
        effects.extend(self.begin_set(now));
        effects
    }

    /// When something is to be done without any event.
    pub fn next_deadline(&self) -> Option<Moment> {
        let ends = self.sets.iter().map(|set| set.ends);
        // Where all sets are under way, one must end first.
        let beginning = self.next_beginning().filter(|_| self.sets.len() < SETS_MAX);
        let beginning = beginning.map(|at| at.max(self.pace.next_room()));
        ends.chain(beginning).chain(self.doubts.next_expiry()).min()
    }

    /// All hosts that more than f of their observers doubt, with the beginning of the oldest of these doubts.
    pub fn doubted(&self) -> Vec<Doubted> {
        let Some(Standing { seating, .. }) = &self.standing else {
            return Vec::new();
        };
        self.doubts.by_more_than_f(seating)
    }

    /// The racks and zones that it was told have open cases.
    pub fn judged(&self) -> &BTreeSet<Scope> {
        &self.judged
    }

    /// Whoever is doubted by anybody.
    pub fn doubted_by_any(&self) -> BTreeSet<HostId> {
        self.doubts.subjects()
    }

    /// Every observer that doubts a subject now, with the beginning of its doubt; for `explain`.
    pub fn doubters(&self, subject: &HostId) -> Vec<(HostId, Moment)> {
        self.doubts.of(subject)
    }

    /// Whose verdicts the leader has said to stand.
    pub fn upheld(&self) -> &BTreeSet<HostId> {
        self.pace.upheld()
    }

    /// Those in doubt that are looked at rarely now, since their verdicts stand and nothing has changed (law D7).
    pub fn resting(&self) -> BTreeSet<HostId> {
        let subjects = self.subjects().into_iter();
        subjects.filter_map(|(subject, rests)| rests.then_some(subject)).collect()
    }

    /// Since when a host that anybody doubts has been in doubt without a long break (protocol 3.6 `Unsettled`).
    pub fn in_doubt_since(&self, subject: &HostId) -> Option<Moment> {
        self.doubts.since(subject)
    }

    /// Whether more than so many of its observers, none or one, doubt it or did so a short while ago.
    pub fn is_lately_in_doubt(&self, now: Moment, of: (&HostId, usize)) -> bool {
        self.doubts.lately_by_more(now, of)
    }

    fn hear(&mut self, now: Moment, observer: HostId, notes: &[DoubtNote]) {
        let Some(Standing { seating, roster, .. }) = &self.standing else {
            return;
        };
        // law D3; a doubt on a boot that the subject has left is over.
        let sound = notes.iter().filter(|note| {
            seating.holds(&observer, &note.subject)
                && roster.get(&note.subject).is_some_and(|entry| {
                    entry.boot.is_none_or(|boot| boot.number <= note.boot.number)
                })
        });
        // Law D6: a life that only an observer knows begins no new trouble, or one that invents lives would keep it young for ever.
        let known = |note: &DoubtNote| {
            let committed = roster.get(&note.subject).and_then(|entry| entry.boot);
            DoubtNote { boot: committed.unwrap_or(note.boot), ..*note }
        };
        let sound: Vec<DoubtNote> = sound.map(known).collect();
        for subject in self.doubts.replace(now, observer, sound.iter()) {
            self.pace.wake(&subject);
        }
    }

    fn collect(
        &mut self,
        now: Moment,
        attestation: Box<Attestation>,
        answer: Option<Box<SelfAnswer>>,
    ) {
        let (subject, observer) = (attestation.subject, attestation.observer);
        let anchor = attestation.anchor;
        if let Some(set) = self.sets.iter_mut().find(|set| set.is_asked(&anchor, &subject)) {
            set.attested(now, observer, (*attestation, answer.map(|answer| *answer)));
        }
    }

    fn collect_answer(&mut self, now: Moment, answer: SelfAnswer) {
        if let vocabulary::Answer::Round(anchor) = answer.to
            && let Some(set) = self.sets.iter_mut().find(|set| set.anchor == anchor)
        {
            set.answered(now, answer);
        }
    }

    fn give_up(&mut self, from: HostId, subject: HostId, anchor: Anchor) {
        for set in self.sets.iter_mut().filter(|set| set.anchor == anchor) {
            set.silent(from, subject);
        }
    }

    fn want(&mut self, subject: HostId, wishes: Vec<WishId>) {
        let wanted = self.wanted.entry(subject).or_default();
        wanted.extend(wishes);
        let over = wanted.len().saturating_sub(WISHES_MAX);
        wanted.drain(..over);
    }

    /// Laws D2 and D10; earlier when nobody is waited for.
    fn end_sets(&mut self, now: Moment) -> Vec<Effect> {
        let sets = std::mem::take(&mut self.sets).into_iter();
        let (over, open): (Vec<Set>, Vec<Set>) = sets.partition(|set| set.is_over(now));
        self.sets = open;
        let (late, over): (Vec<Set>, Vec<Set>) =
            over.into_iter().partition(|set| set.is_too_late(now));
        for (subject, wishes) in late.into_iter().flat_map(Set::given_up) {
            self.want(subject, wishes);
        }
        self.left_out.retain(|_, at| now.since(*at) < APART_FOR);
        let left_out = over.iter().flat_map(Set::witnessed_too_early);
        self.left_out.extend(left_out.map(|subject| (subject, now)));
        over.into_iter()
            .map(|set| {
                self.want_mates(&set);
                set.ended()
            })
            .collect()
    }

    /// No witness answered: the whole domain is looked at in the next set (protocol 3.5).
    fn want_mates(&mut self, set: &Set) {
        let Some(standing) = &self.standing else {
            return;
        };
        // Who rests is looked at with its zone whenever anybody of it is (law D7).
        let resting = self.resting();
        let lonely = set.without_witness();
        let mates = lonely.iter().flat_map(|subject| standing.mates(subject).take(MATES_MAX));
        let awake: Vec<HostId> = mates.filter(|mate| !resting.contains(mate)).collect();
        for mate in awake {
            self.wanted.entry(mate).or_default();
        }
    }

    fn begin_set(&mut self, now: Moment) -> Vec<Effect> {
        self.doubts.expire(now);
        let subjects = self.subjects();
        self.pace.forget(now, &subjects);
        if self.next_beginning().is_none_or(|at| now < at) || self.sets.len() >= SETS_MAX {
            return Vec::new();
        }
        if self.anchored.is_none_or(|at| now.since(at) > ANCHOR_WITHIN) {
            return self.freshen(now);
        }
        self.widen(now, &subjects);
        let mut due = self.due(now, &self.subjects());
        let room = self.pace.room(now);
        let mut effects = Vec::new();
        if due.len() > room {
            due = self.first_of(due, room);
            effects.push(Effect::Overload);
        }
        effects.extend(self.begin(now, &due));
        effects
    }

    fn freshen(&mut self, now: Moment) -> Vec<Effect> {
        let is_asked = self.freshened.is_some_and(|at| now.since(at) < FRESHEN_EVERY);
        if is_asked {
            return Vec::new();
        }
        self.freshened = Some(now);
        vec![Effect::Freshen]
    }

    fn fill(&mut self, now: Moment, set: &mut Set, subjects: &[HostId]) -> Vec<Effect> {
        let Some(standing) = &self.standing else {
            return Vec::new();
        };
        let doubted = self.waited_for_in_vain();
        let mut effects = Vec::new();
        for subject in subjects {
            let wishes = self.wanted.remove(subject).unwrap_or_default();
            self.pace.looked(now, *subject);
            set.begin(now, *subject, wishes);
            for to in standing.seating.observers(subject) {
                set.ask(*to, *subject, !doubted.contains(to));
                effects.extend(standing.look(set.anchor, *to, *subject));
            }
            set.ask(*subject, *subject, false);
            effects.extend(standing.look(set.anchor, *subject, *subject));
        }
        for subject in subjects {
            set.name_mates(subject, standing.mates(subject));
            let mates = standing.mates(subject);
            for witness in mates.filter(|mate| !doubted.contains(mate)).take(WITNESSES) {
                if set.ask_witness(witness, *subject) {
                    effects.extend(standing.look(set.anchor, witness, witness));
                }
            }
        }
        effects
    }

    /// Doubted and wanted subjects that belong to the mesh.
    fn subjects(&self) -> Subjects {
        let Some(Standing { roster, .. }) = &self.standing else {
            return Subjects::new();
        };
        let doubted = self.doubts.subjects().into_iter();
        let doubted = doubted.map(|host| (host, self.pace.rests(&host)));
        let wanted = self.wanted.keys().map(|host| (*host, false));
        let all = doubted.chain(wanted);
        all.filter(|(subject, _)| roster.get(subject).is_some()).collect()
    }

    /// Who is to be looked at now. Whoever rests joins another whose zone it stands in, or one of whose observers it is: whether a
    /// domain is dark, and which seats are vacant, is judged under one anchor (protocol 3.3, 3.5).
    fn due(&self, now: Moment, subjects: &Subjects) -> Vec<HostId> {
        let Some(standing) = &self.standing else {
            return Vec::new();
        };
        let is_due = |(host, rests): (&HostId, bool)| self.pace.due_at(host, rests) <= now;
        let (mut due, mut rest): (Vec<HostId>, Vec<HostId>) =
            subjects.keys().partition(|host| is_due((host, subjects[*host])));
        rest.retain(|host| is_due((host, false)));
        // Whoever has joined is to be judged as well, so that it brings along those who matter for it.
        let mut newest = 0;
        while newest < due.len() {
            let joins = |host: &HostId| due[newest..].iter().any(|due| standing.matters(host, due));
            let (joining, left): (Vec<HostId>, Vec<HostId>) = rest.into_iter().partition(joins);
            newest = due.len();
            due.extend(joining);
            rest = left;
        }
        due.sort_unstable();
        due
    }

    /// At once for a subject that was not looked at in the last second; else when all are due, or the first has waited for
    /// the others long enough (protocol 3.7). Who rests is not waited for.
    fn next_beginning(&self) -> Option<Moment> {
        let subjects = self.subjects();
        let is_any_awake = subjects.values().any(|rests| !rests);
        let counted = subjects.iter().filter(|(_, rests)| !(is_any_awake && **rests));
        let moments: Vec<Moment> =
            counted.map(|(subject, rests)| self.pace.due_at(subject, *rests)).collect();
        let (first, last) = (*moments.iter().min()?, *moments.iter().max()?);
        let wanted =
            if first == Moment::default() { first } else { last.min(first.after(WAIT_FOR_OTHERS)) };
        let earliest = self.last_set.map_or(Moment::default(), |at| at.after(SET_EVERY));
        let freshened = self.freshened.map_or(Moment::default(), |at| at.after(FRESHEN_EVERY));
        Some(wanted.max(earliest).max(freshened))
    }
}

impl Standing {
    fn look(&self, anchor: Anchor, to: HostId, subject: HostId) -> Option<Effect> {
        let entry = self.roster.get(&subject)?;
        Some(Effect::Look {
            to,
            subject,
            boot: entry.boot.unwrap_or_default(),
            anchor,
            epoch: self.roster.epoch,
        })
    }

    /// Whether what is seen of this host may decide what is concluded about the other.
    fn matters(&self, host: &HostId, other: &HostId) -> bool {
        let zone = |host: &HostId| self.roster.get(host).map(|entry| entry.claims.domain.zone());
        self.seating.holds(host, other) || zone(host) == zone(other)
    }

    /// The others of the subject's rack; of its zone if it is alone in its rack (protocol 3.5).
    fn mates(&self, subject: &HostId) -> impl Iterator<Item = HostId> {
        let home = self.roster.get(subject).map(|entry| &entry.claims.domain);
        let others = |is_mate: &dyn Fn(&Domain) -> bool| -> Vec<HostId> {
            let hosts = self.roster.present();
            hosts
                .filter(|(host, entry)| *host != subject && is_mate(&entry.claims.domain))
                .map(|(host, _)| *host)
                .collect()
        };
        let mates = home.map_or_else(Vec::new, |home| {
            let rack = others(&|domain| domain == home);
            if rack.is_empty() { others(&|domain| domain.zone() == home.zone()) } else { rack }
        });
        mates.into_iter()
    }
}

impl Default for Rounds {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
