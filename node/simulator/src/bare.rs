//! Hosts and ways without agents, for a rival to live on: the same network, the same faults, another protocol.
//!
//! Law X1: what is done to a bare host is what is done to a host of [`Fleet`](crate::Fleet): the same draws of the same network, the
//! same buffers; only faults that need a ledger, a clock of its own or a disk mean nothing here.
//! Not here: what lives on the hosts: the caller is told what it hears, and says what it sends.

use std::collections::VecDeque;

use vocabulary::{Claims, Moment, Span};

use crate::choosing::chosen;
use crate::departing::PACKET_HEAD_BYTES;
use crate::errand::Errand;
use crate::fault::{Fault, Plight, Trouble, Ways, Whom};
use crate::held_up::HELD_OUT_MAX;
use crate::host::{HELD_BACK_MAX, Place};
use crate::network::{Direction, Network, Sent, Way};
use crate::queue::Queue;
use crate::setup::{Setup, SetupFault};

/// A network and the hosts on it; `T` is what their timers are about.
pub struct Bare<T> {
    now: Moment,
    claims: Vec<Claims>,
    hosts: Vec<Body<T>>,
    network: Network,
    queue: Queue<Next<T>>,
}

/// What comes to a host.
#[derive(Clone, Debug)]
pub enum Heard<T> {
    /// A datagram.
    Datagram {
        /// To whom, by its place in the setup.
        to: usize,
        /// What.
        bytes: Vec<u8>,
    },
    /// A timer of its own.
    Timer {
        /// Whose.
        of: usize,
        /// What it is about.
        what: T,
    },
}

/// One machine and the process on it.
struct Body<T> {
    is_dead: bool,
    is_mute: bool,
    is_stalled: bool,
    slow: Span,
    stalls: u64,
    into: VecDeque<Heard<T>>,
    out: VecDeque<(Place, Vec<u8>)>,
}

enum Next<T> {
    Heard(Place, Heard<T>),
    /// After a slow process has come to it.
    Late(Heard<T>),
    Turn {
        place: Place,
        stall: u64,
        begins: bool,
        lasts: Span,
        free: Option<Span>,
    },
}

impl<T> Bare<T> {
    /// The hosts and the weather of this setup, and its seed's chance.
    pub fn new(setup: &Setup) -> Result<Self, SetupFault> {
        setup.check()?;
        let body = || Body {
            is_dead: false,
            is_mute: false,
            is_stalled: false,
            slow: Span::ZERO,
            stalls: 0,
            into: VecDeque::new(),
            out: VecDeque::new(),
        };
        Ok(Self {
            now: Moment::default(),
            claims: setup.hosts.clone(),
            hosts: setup.hosts.iter().map(|_| body()).collect(),
            network: Network::new(setup.weather, setup.seed, setup.hosts.len()),
            queue: Queue::new(),
        })
    }

    /// Virtual time since the beginning.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// What each host has sent, by its place in the setup.
    pub fn sent(&self) -> impl Iterator<Item = Sent> {
        (0..self.hosts.len()).map(|place| self.network.sent(place).into_iter().sum())
    }

    /// Who is meant, by their places in the setup.
    pub fn who(&self, whom: &[Whom]) -> Vec<usize> {
        let claims: Vec<&Claims> = self.claims.iter().collect();
        let mut places: Vec<Place> =
            whom.iter().flat_map(|one| chosen(&claims, one).unwrap_or_default()).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// A datagram leaves; of a stalled process, later.
    pub fn send(&mut self, from: usize, to: usize, bytes: Vec<u8>) {
        let body = &mut self.hosts[from];
        if body.is_stalled {
            if body.out.len() < HELD_OUT_MAX {
                body.out.push_back((to, bytes));
            }
            return;
        }
        if self.is_blocked(from, to) {
            return;
        }
        let sent = Sent { packets: 1, bytes: bytes.len() as u64 + PACKET_HEAD_BYTES };
        self.network.count(from, Errand::Other, sent);
        let way = Way { from, to, bytes: sent.bytes };
        let Some(carried) = self.network.datagram(self.now, way) else {
            return;
        };
        for takes in carried.again.into_iter().chain([carried.takes]) {
            let heard = Heard::Datagram { to, bytes: bytes.clone() };
            self.queue.put(self.now.after(takes), Next::Heard(from, heard));
        }
    }

    /// A host is to be told of this after so long.
    pub fn set_timer(&mut self, of: usize, after: Span, what: T) {
        self.queue.put(self.now.after(after), Next::Heard(of, Heard::Timer { of, what }));
    }

    /// What is heard next, until this moment; time goes on to it, or to that moment.
    pub fn next(&mut self, until: Moment) -> Option<Heard<T>> {
        while self.queue.next_at().is_some_and(|at| at <= until) {
            let (at, next) = self.queue.take()?;
            self.now = self.now.max(at);
            if let Some(heard) = self.come(next) {
                return Some(heard);
            }
        }
        self.now = until;
        None
    }

    fn come(&mut self, next: Next<T>) -> Option<Heard<T>> {
        match next {
            Next::Heard(from, heard) => self.hear(from, heard),
            Next::Late(heard) => Some(heard),
            Next::Turn { place, stall, begins, lasts, free } => {
                if self.hosts[place].stalls == stall {
                    self.turn(place, begins, (lasts, free));
                }
                None
            }
        }
    }

    fn hear(&mut self, from: Place, heard: Heard<T>) -> Option<Heard<T>> {
        let (to, is_timer) = match &heard {
            Heard::Datagram { to, .. } => (*to, false),
            Heard::Timer { of, .. } => (*of, true),
        };
        if self.hosts[to].is_dead || (!is_timer && self.is_blocked(from, to)) {
            return None;
        }
        let body = &mut self.hosts[to];
        if body.is_stalled && !is_timer {
            if body.into.len() < HELD_BACK_MAX {
                body.into.push_back(heard);
            }
            return None;
        }
        if body.slow > Span::ZERO {
            let later = self.now.after(body.slow);
            self.queue.put(later, Next::Late(heard));
            return None;
        }
        Some(heard)
    }

    fn is_blocked(&self, from: Place, to: Place) -> bool {
        let is_mute = |place: Place| self.hosts[place].is_mute || self.hosts[place].is_dead;
        from != to && (is_mute(from) || is_mute(to) || self.network.is_cut(from, to))
    }

    fn turn(&mut self, place: Place, begins: bool, (lasts, free): (Span, Option<Span>)) {
        let stall = self.hosts[place].stalls;
        let next = Next::Turn { place, stall, begins: !begins, lasts, free };
        if begins {
            self.hosts[place].is_stalled = true;
            self.queue.put(self.now.after(lasts), next);
            return;
        }
        self.release(place);
        if let Some(free) = free {
            self.queue.put(self.now.after(free), next);
        }
    }

    fn release(&mut self, place: Place) {
        let body = &mut self.hosts[place];
        body.is_stalled = false;
        let (out, into) = (std::mem::take(&mut body.out), std::mem::take(&mut body.into));
        for (to, bytes) in out {
            self.send(place, to, bytes);
        }
        for heard in into {
            self.queue.put(self.now, Next::Heard(place, heard));
        }
    }

    /// Something is done to the hosts or to the ways between them, now; whether it means anything here.
    pub fn strike(&mut self, fault: &Fault) -> bool {
        match fault {
            Fault::Kill(whom) | Fault::PowerOff(whom) => {
                self.each(whom, |body| body.is_dead = true);
            }
            Fault::Silence(whom) => self.each(whom, |body| body.is_mute = true),
            Fault::Unsilence(whom) => self.each(whom, |body| body.is_mute = false),
            Fault::Cut { from, to, both } => self.cut(from, to, *both),
            Fault::Join => self.network.join(),
            Fault::Links { trouble, on } => self.trouble(*trouble, on),
            Fault::Befall { whom, plight: Plight::Slow(by) } => {
                self.each(whom, |body| body.slow = *by);
            }
            Fault::Befall { whom, plight: Plight::Stall { lasts, free } } => {
                for place in self.who(whom) {
                    self.hosts[place].stalls += 1;
                    self.turn(place, true, (*lasts, *free));
                }
            }
            Fault::Befall { whom, plight: Plight::Unstall } => {
                for place in self.who(whom) {
                    self.hosts[place].stalls += 1;
                    self.release(place);
                }
            }
            _ => return false,
        }
        true
    }

    fn each(&mut self, whom: &[Whom], act: impl Fn(&mut Body<T>)) {
        for place in self.who(whom) {
            act(&mut self.hosts[place]);
        }
    }

    fn cut(&mut self, from: &[Whom], to: &[Whom], both: bool) {
        let near = self.who(from);
        let far = if to.is_empty() {
            (0..self.hosts.len()).filter(|place| !near.contains(place)).collect()
        } else {
            self.who(to)
        };
        self.network.cut(&near, &far);
        if both {
            self.network.cut(&far, &near);
        }
    }

    fn trouble(&mut self, trouble: Trouble, on: &Ways) {
        let links = |own: &mut Self, whom: &[Whom], directions: &[Direction]| {
            for place in own.who(whom) {
                for direction in directions {
                    own.network.trouble_link(place, *direction, trouble);
                }
            }
        };
        match on {
            Ways::All => self.network.trouble_everywhere(trouble),
            Ways::Of(whom) => links(self, whom, &[Direction::Out, Direction::Into]),
            Ways::From(whom) => links(self, whom, &[Direction::Out]),
            Ways::To(whom) => links(self, whom, &[Direction::Into]),
            Ways::Across(from, to) => {
                let (from, to) = (self.who(from), self.who(to));
                self.network.trouble_sides(&from, &to, trouble);
            }
            Ways::Between(near, far) => {
                let (near, far) = (self.who(near), self.who(far));
                self.network.trouble_sides(&near, &far, trouble);
                self.network.trouble_sides(&far, &near, trouble);
            }
        }
    }
}
