//! How does one check on one subject stand, as this host has seen it?
//!
//! Laws FW1 and FW3 (see `watch`) are kept here.

use vocabulary::{Grade, Moment};

use super::{Duty, RunId};

/// One duty and what its runs gave.
pub(super) struct Watched {
    duty: Duty,
    next: Moment,
    running: Option<RunId>,
    /// Whether it fails, as far as it was decided.
    stands_failed: bool,
    /// When that was last decided.
    decided: Moment,
    /// When a run last failed.
    failed: Option<Moment>,
    /// Runs in a row that say otherwise.
    in_a_row: u32,
}

impl Watched {
    pub fn new(first: Moment, duty: Duty) -> Self {
        Self {
            duty,
            next: first,
            running: None,
            stands_failed: false,
            decided: Moment::default(),
            failed: None,
            in_a_row: 0,
        }
    }

    /// The same check under another roster. Nothing where it is another one: it begins anew, and so it does with a newer life of
    /// the subject, of which nobody has seen anything.
    pub fn reassigned(mut self, duty: &Duty) -> Option<Self> {
        let is_same = Duty { boot: self.duty.boot, ..duty.clone() } == self.duty;
        let number = |duty: &Duty| duty.boot.map(|boot| boot.number);
        if !is_same {
            return None;
        }
        if number(duty) > number(&self.duty) {
            self.break_off();
            self.stands_failed = false;
        }
        self.duty.boot = duty.boot;
        Some(self)
    }

    pub fn duty(&self) -> &Duty {
        &self.duty
    }

    pub fn next_run(&self) -> Moment {
        self.next
    }

    pub fn stands_failed(&self) -> bool {
        self.stands_failed
    }

    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Whoever was away runs once, not once for each time it has missed.
    pub fn put_off(&mut self, now: Moment) -> Moment {
        let next = self.next.after(self.duty.every);
        self.next = if next > now { next } else { now.after(self.duty.every) };
        self.next
    }

    pub fn begin(&mut self, id: RunId) {
        self.running = Some(id);
    }

    /// What is under way, and what was in a row, counts no more.
    pub fn break_off(&mut self) {
        self.running = None;
        self.in_a_row = 0;
    }

    /// Law FW3: whoever was late since then has seen no failure, not even one that has ended before he knew it.
    pub fn was_late_since(&mut self, since: Moment) {
        if self.failed.is_none_or(|at| at < since) {
            return;
        }
        self.failed = None;
        if self.stands_failed && self.decided >= since {
            self.stands_failed = false;
        }
        if !self.stands_failed {
            self.in_a_row = 0;
        }
    }

    pub fn ended(&mut self, now: Moment, id: RunId, grade: Grade) {
        if self.running != Some(id) {
            return;
        }
        self.running = None;
        let fails = match grade {
            Grade::Unknown => return,
            Grade::Failed => true,
            Grade::Ok | Grade::Degraded => false,
        };
        if fails {
            self.failed = Some(now);
        }
        if fails == self.stands_failed {
            self.in_a_row = 0;
            return;
        }
        self.in_a_row += 1;
        let enough = if fails { self.duty.fails_after } else { self.duty.recovers_after };
        if self.in_a_row >= enough {
            self.stands_failed = fails;
            self.decided = now;
            self.in_a_row = 0;
        }
    }
}
