//! What holds one host up while it lives: a slow processor, stalled input and output, a machine that stands still.
//!
//! Law H1: what is held up comes later and in its order, but for what finds no room in a bounded buffer: that is lost.
//! Law H2: a stalled agent's timers run: its mind goes on, and hears nothing.
//! Law H3: what a process had not said or read when it was killed is never said nor read.
//! Not here: frozen and dead agents (see `strike`), clocks (see `clock`).

use std::collections::VecDeque;

use agent::{CallEnd, Event};
use vocabulary::{Moment, Span};

use crate::fault::Plight;
use crate::fleet::{Fleet, Happening};
use crate::host::{HELD_BACK_MAX, Place};

/// What an agent that cannot send keeps of what it would have sent: QUIC's own buffer of datagrams is a mebibyte.
pub(crate) const HELD_OUT_MAX: usize = 1_024;

/// Packets that a socket may drop before its host says that it is late, and how late it says it is; as in the daemon.
const DROPS_MAX: usize = 64;
const DROPPED_COUNTS_AS: Span = agent::DROPPED_COUNTS_AS;

/// A deadline that is served later than this was late; as in the daemon.
const LATE_FROM: Span = Span::milliseconds(50);

/// How one host is held up; by default not at all.
#[derive(Default)]
pub(crate) struct HeldUp {
    /// Everything that its agent does comes so much later.
    pub slow: Span,
    /// Whether its agent neither hears nor is heard now.
    pub is_stalled: bool,
    /// Until when the machine stands still.
    pub still_until: Option<Moment>,
    /// Its clock has leapt: deadlines may be past that nobody missed.
    pub has_leapt: bool,
    /// How often its disk was lost.
    pub disks_lost: u64,
    /// Numbers what was ordered of its stalls: what an older order had planned is void.
    order: u64,
    into: VecDeque<Happening>,
    out: VecDeque<Happening>,
    dropped: usize,
}

impl HeldUp {
    /// Whether its agent comes late to anything now.
    pub fn is_any(&self) -> bool {
        let HeldUp { slow, is_stalled, still_until, has_leapt, .. } = self;
        *slow > Span::ZERO || *is_stalled || still_until.is_some() || *has_leapt
    }
}

/// A stall's end, or its next beginning.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    place: Place,
    order: u64,
    begins: bool,
    lasts: Span,
    /// Free for so long, and then stalled again; `None`: once.
    free: Option<Span>,
}

impl Fleet {
    /// What happens to a host that is held up happens later.
    pub(crate) fn unless_held_up(&mut self, happening: Happening) -> Option<Happening> {
        if !self.is_any_held_up || matches!(happening, Happening::Late(_)) {
            return Some(happening);
        }
        if let Some(place) = input_of(&happening)
            && self.hosts[place].held_up.is_stalled
        {
            self.hosts[place].held_up.hold_back(happening);
            return None;
        }
        if let Some(place) = mind_of(&happening)
            && self.hosts[place].held_up.slow > Span::ZERO
        {
            let later = self.now.after(self.hosts[place].held_up.slow);
            self.queue.put(later, Happening::Late(Box::new(happening)));
            return None;
        }
        Some(happening)
    }

    /// Before a deadline is served: whether it is so late that the shell says so (protocol 2.7). A frozen agent is told as it thaws.
    pub(crate) fn tell_lateness(&mut self, place: Place, due: Moment) {
        let host = &self.hosts[place];
        let may_be_late = host.held_up.slow > Span::ZERO || host.held_up.has_leapt;
        let late = host.local(self.now).since(due);
        if may_be_late && due > Moment::default() && late > LATE_FROM {
            self.hosts[place].held_up.has_leapt = false;
            self.tell(place, Event::LoopLate { late });
        }
    }

    /// Something of this host's life itself.
    pub(crate) fn befall(&mut self, place: Place, plight: Plight) {
        match plight {
            Plight::Slow(by) => self.slow(place, by),
            Plight::Stall { lasts, free } => self.stall(place, lasts, free),
            Plight::Unstall => self.unstall(place),
            Plight::Suspend { lasts, is_counted } => self.suspend(place, lasts, is_counted),
            Plight::Drift(permille) => self.drift(place, permille),
            Plight::Jump(by) => self.jump(place, by),
            Plight::LoseDisk => self.lose_disk(place),
        }
    }

    fn slow(&mut self, place: Place, by: Span) {
        self.is_any_held_up = true;
        self.hosts[place].held_up.slow = by;
    }

    /// Nothing comes in or goes out for so long; and so again after each time that it is free.
    fn stall(&mut self, place: Place, lasts: Span, free: Option<Span>) {
        self.is_any_held_up = true;
        self.hosts[place].held_up.order += 1;
        let order = self.hosts[place].held_up.order;
        self.turn(Turn { place, order, begins: true, lasts, free });
    }

    fn unstall(&mut self, place: Place) {
        self.hosts[place].held_up.order += 1;
        self.release(place);
    }

    pub(crate) fn turn(&mut self, turn: Turn) {
        let Turn { place, order, begins, lasts, free } = turn;
        if self.hosts[place].held_up.order != order {
            return;
        }
        let next = Turn { begins: !begins, ..turn };
        if begins {
            self.hosts[place].held_up.is_stalled = true;
            self.note_hold_up(place);
            self.queue.put(self.now.after(lasts), Happening::Turn(next));
        } else {
            self.release(place);
            if let Some(free) = free {
                self.queue.put(self.now.after(free), Happening::Turn(next));
            }
        }
    }

    /// What was held back happens now, in its order (law H1).
    fn release(&mut self, place: Place) {
        let now = self.now;
        let held_up = &mut self.hosts[place].held_up;
        if !std::mem::take(&mut held_up.is_stalled) {
            return;
        }
        let held = std::mem::take(&mut held_up.out).into_iter();
        let held: Vec<Happening> = held.chain(std::mem::take(&mut held_up.into)).collect();
        let has_lost = std::mem::take(&mut held_up.dropped) > DROPS_MAX;
        for happening in held {
            self.queue.put(now, happening);
        }
        if let Some(life) = self.hosts[place].life_number().filter(|_| has_lost) {
            let late = Box::new(Event::SocketsLate { late: DROPPED_COUNTS_AS });
            self.queue.put(now, Happening::Tell(place, life, late));
        }
        self.note_hold_up(place);
    }

    /// The whole machine stands still for so long. Its clock counts the time, as it does when a guest is suspended; or it does
    /// not, as when a hypervisor pauses one behind its back.
    fn suspend(&mut self, place: Place, lasts: Span, is_counted: bool) {
        self.freeze(place);
        let until = self.now.after(lasts);
        self.hosts[place].held_up.still_until = Some(until);
        self.note_hold_up(place);
        let since = Some(self.now).filter(|_| !is_counted);
        self.queue.put(until, Happening::Resume(place, since));
    }

    pub(crate) fn machine_resumes(&mut self, place: Place, stood_since: Option<Moment>) {
        let now = self.now;
        let host = &mut self.hosts[place];
        if host.held_up.still_until.is_none_or(|until| until > now) {
            return;
        }
        host.held_up.still_until = None;
        if let Some(since) = stood_since {
            host.clock.stood_still(since, now);
        }
        self.go_on(place, stood_since.is_none());
        self.note_hold_up(place);
    }

    fn drift(&mut self, place: Place, permille: i32) {
        let now = self.now;
        self.hosts[place].clock.drift(now, permille);
        self.rewake(place);
    }

    fn jump(&mut self, place: Place, by: Span) {
        let now = self.now;
        self.is_any_held_up = true;
        self.hosts[place].clock.leap(now, by);
        self.hosts[place].held_up.has_leapt = true;
        self.rewake(place);
    }

    /// What its timers were set to was worked out by another clock.
    fn rewake(&mut self, place: Place) {
        let now = self.now;
        let Some(life) = &mut self.hosts[place].life else {
            return;
        };
        life.wake_at = Some(now);
        let number = life.boot.number;
        self.queue.put(now, Happening::Wake(place, number));
    }

    /// Its disk is empty: no boot number, nothing kept of the ledger, no store (protocol 1.2, 1.4); its agent starts anew.
    fn lose_disk(&mut self, place: Place) {
        self.kill(place);
        let host = &mut self.hosts[place];
        host.boot_number = 0;
        host.kept = None;
        host.held_up.disks_lost += 1;
        if host.claims.roles.keeper {
            self.keepers.service.lose_store(place);
        }
        self.start(place);
    }

    /// Whatever held it up is over: the machine is made anew.
    pub(crate) fn end_hold_up(&mut self, place: Place) {
        let HeldUp { disks_lost, order, .. } = self.hosts[place].held_up;
        self.hosts[place].held_up = HeldUp { disks_lost, order: order + 1, ..HeldUp::default() };
    }

    fn note_hold_up(&mut self, place: Place) {
        self.keepers.forget_abreast();
        self.tally_life(place);
    }
}

impl HeldUp {
    fn hold_back(&mut self, happening: Happening) {
        if self.into.len() < HELD_BACK_MAX {
            self.into.push_back(happening);
        } else {
            self.dropped += 1;
        }
    }

    /// law H3.
    pub fn forget(&mut self) {
        self.into.clear();
        self.out.clear();
        self.dropped = 0;
    }

    /// It would leave the host.
    pub fn hold_out(&mut self, happening: Happening) {
        if self.out.len() < HELD_OUT_MAX {
            self.out.push_back(happening);
        }
    }
}

/// Whose process must read or write for this to happen.
fn input_of(happening: &Happening) -> Option<Place> {
    match happening {
        Happening::Arrive(flight) => Some(flight.to),
        Happening::Proposal(ask) => Some(ask.by),
        Happening::Question(question) => Some(question.by),
        Happening::End(place, _, _, end) => {
            let is_answer = matches!(**end, CallEnd::Committed { .. } | CallEnd::Read { .. });
            is_answer.then_some(*place)
        }
        Happening::LedgerComes(place, ..) | Happening::LeaderNews(place, _, Some(_)) => {
            Some(*place)
        }
        Happening::Knock(knocking, true) => Some(knocking.from),
        _ => None,
    }
}

/// Whose agent must run for this to happen.
fn mind_of(happening: &Happening) -> Option<Place> {
    match happening {
        Happening::Arrive(flight) => Some(flight.to),
        Happening::Wake(place, _)
        | Happening::CallOver(place, ..)
        | Happening::End(place, ..)
        | Happening::Tell(place, ..)
        | Happening::DialOver(place, ..)
        | Happening::Redial(place, _)
        | Happening::LedgerComes(place, ..)
        | Happening::LeaderNews(place, ..)
        | Happening::InspectionEnds(place, ..) => Some(*place),
        Happening::Question(question) => question.index.map(|_| question.by),
        Happening::Knock(knocking, true) => Some(knocking.from),
        Happening::Knock(_, false)
        | Happening::Beat
        | Happening::Proposal(_)
        | Happening::Commit(_)
        | Happening::RemedyEnds(_)
        | Happening::Begin(_)
        | Happening::Depart(_)
        | Happening::Turn(_)
        | Happening::Resume(..)
        | Happening::Late(_) => None,
    }
}
