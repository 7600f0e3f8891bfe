//! What of the agent is stuck, full or too large, from one look after the other. Pure: looks and moments come from outside.
//!
//! Law SW3: time counts only as far as somebody looked.
//! Law SW4: a trouble is told once when it begins and once when it ends; what sways around a bound is one trouble.
//! Not here: how a look is taken (see `board`), what follows from a change (see `sentry`).

use std::collections::BTreeMap;

use replication::Beat;
use vocabulary::{Moment, Span};

use super::trouble::{Fill, Report, Share, Topic, Trouble};

/// One look at everything.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Every worker.
    pub workers: Vec<Worker>,
    /// Every queue.
    pub queues: Vec<Fill>,
    /// Memory that the process holds in bytes, where the kernel says it.
    pub memory: Option<u64>,
    /// Open descriptors and how many may be, where the kernel says it.
    pub descriptors: Option<Share>,
    /// How late the newest timer was.
    pub late: Span,
    /// What the loop is at.
    pub doing: Option<&'static str>,
}

/// A worker as it was seen.
#[derive(Clone, Copy, Debug)]
pub struct Worker {
    /// As a noun.
    pub name: &'static str,
    /// How long it may take for one thing.
    pub within: Span,
    /// Whether an agent is worth restarting in which it stands still.
    pub is_vital: bool,
    /// Whether what the loop is at is what this one is at.
    pub is_the_loop: bool,
    /// Its counters.
    pub beat: Beat,
}

/// What is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A trouble begins.
    Begins(Trouble),
    /// It is over; the trouble as it last was.
    Ends(Trouble),
    /// Connections that nobody needs are to be let go.
    LetGo,
    /// The agent is to end for want of memory.
    End(Share),
}

/// How much memory the agent may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryBounds {
    /// The ceiling of `hale.toml`, in bytes.
    pub ceiling: u64,
}

/// The judge.
#[derive(Debug)]
pub struct Judge {
    memory_bounds: MemoryBounds,
    last: Option<Moment>,
    /// How long the judge has watched (law SW3).
    watched: Span,
    workers: BTreeMap<&'static str, Known>,
    standing: BTreeMap<Topic, Trouble>,
    last_filled: Vec<&'static str>,
    /// Looks in a row at which timers were late.
    late_looks: u32,
    let_go_at: Option<Span>,
    beyond_since: Option<Span>,
    is_vital_well: bool,
    report: Report,
}

/// What is known of a worker.
#[derive(Clone, Copy, Debug)]
struct Known {
    count: u64,
    moved_at: Span,
}

impl Judge {
    /// Nothing was seen yet.
    pub fn new(memory_bounds: MemoryBounds) -> Self {
        Self {
            memory_bounds,
            last: None,
            watched: Span::ZERO,
            workers: BTreeMap::new(),
            standing: BTreeMap::new(),
            last_filled: Vec::new(),
            late_looks: 0,
            let_go_at: None,
            beyond_since: None,
            is_vital_well: true,
            report: Report::default(),
        }
    }

    /// Takes one look; what is new.
    pub fn handle(&mut self, now: Moment, look: &Look) -> Vec<Change> {
        let since_last = self.last.map_or(Span::ZERO, |last| now.since(last));
        let passed = since_last.min(LOOK_COUNTS_AT_MOST);
        self.last = Some(now);
        self.watched = self.watched.plus(passed);
        let mut changes = Vec::new();
        self.is_vital_well = true;
        for worker in &look.workers {
            self.judge_worker(worker, look.doing, &mut changes);
        }
        self.judge_queues(&look.queues, &mut changes);
        self.judge_timers(look.late, since_last > LOOK_COUNTS_AT_MOST, &mut changes);
        let memory = Share { used: look.memory.unwrap_or(0), bound: self.memory_bounds.ceiling };
        self.judge_memory(memory, &mut changes);
        let descriptors = look.descriptors.unwrap_or_default();
        if let Some(share) = look.descriptors {
            let (begins, over) = (share.is_at(DESCRIPTORS_FROM), !share.is_at(DESCRIPTORS_UNTIL));
            self.set(Trouble::Descriptors(share), (begins, over), &mut changes);
        }
        self.report = Report {
            troubles: self.standing.values().map(ToString::to_string).collect(),
            memory,
            descriptors,
            late: look.late,
            queues: look.queues.clone(),
        };
        changes
    }

    /// Whether everything that an agent lives by gets on (law SW2).
    pub fn is_vital_well(&self) -> bool {
        self.is_vital_well
    }

    /// The last look, judged.
    pub fn report(&self) -> &Report {
        &self.report
    }

    fn judge_worker(
        &mut self,
        worker: &Worker,
        doing: Option<&'static str>,
        changes: &mut Vec<Change>,
    ) {
        let Worker { name, within, is_vital, beat, .. } = *worker;
        let now = self.watched;
        let known = self.workers.entry(name).or_insert(Known { count: beat.count, moved_at: now });
        if known.count != beat.count || !beat.is_busy {
            *known = Known { count: beat.count, moved_at: now };
        }
        let since = now.less(known.moved_at);
        let is_stuck = beat.is_busy && since > within;
        let doing = doing.filter(|_| worker.is_the_loop);
        self.set(Trouble::Stuck { name, since, doing }, (is_stuck, !is_stuck), changes);
        self.set(Trouble::Gone { name }, (beat.is_gone, !beat.is_gone), changes);
        self.is_vital_well &= !is_vital || !(is_stuck || beat.is_gone);
    }

    /// A burst that fills a queue at one look is what queues are for.
    fn judge_queues(&mut self, queues: &[Fill], changes: &mut Vec<Change>) {
        let before = std::mem::take(&mut self.last_filled);
        for fill in queues {
            let share = Share { used: fill.used as u64, bound: fill.bound as u64 };
            let is_high = share.is_at(QUEUE_FROM);
            if is_high {
                self.last_filled.push(fill.name);
            }
            let begins = is_high && before.contains(&fill.name);
            self.set(Trouble::Filled(*fill), (begins, !share.is_at(QUEUE_UNTIL)), changes);
        }
    }

    fn judge_memory(&mut self, memory: Share, changes: &mut Vec<Change>) {
        let high = (memory.is_at(MEMORY_HIGH_FROM), !memory.is_at(MEMORY_HIGH_UNTIL));
        self.set(Trouble::MemoryHigh(memory), high, changes);
        let full = (memory.is_at(100), !memory.is_at(MEMORY_FULL_UNTIL));
        self.set(Trouble::MemoryFull(memory), full, changes);
        let now = self.watched;
        let is_due = self.let_go_at.is_none_or(|at| now.less(at) >= LET_GO_EVERY);
        if memory.is_at(100) && is_due {
            self.let_go_at = Some(now);
            changes.push(Change::LetGo);
        }
        if memory.used < end_at(memory.bound) {
            self.beyond_since = None;
            return;
        }
        let since = *self.beyond_since.get_or_insert(now);
        if now.less(since) >= END_AFTER {
            changes.push(Change::End(memory));
        }
    }

    /// One late timer is a hiccup of the machine, and one after a stop of the whole process is none of ours (law SW3).
    fn judge_timers(&mut self, late: Span, was_stopped: bool, changes: &mut Vec<Change>) {
        let is_late = late >= LATE_FROM && !was_stopped;
        self.late_looks = if is_late { self.late_looks + 1 } else { 0 };
        let (begins, over) = (self.late_looks >= LATE_LOOKS, late < LATE_UNTIL);
        self.set(Trouble::Late { by: late }, (begins, over), changes);
    }

    /// Law SW4: between its two bounds a trouble stands or does not, as before.
    fn set(&mut self, trouble: Trouble, (begins, over): (bool, bool), changes: &mut Vec<Change>) {
        let topic = trouble.topic();
        match (self.standing.get_mut(&topic), begins, over) {
            (Some(_), false, true) => {
                changes.extend(self.standing.remove(&topic).map(Change::Ends));
            }
            (Some(known), _, _) => *known = trouble,
            (None, true, _) => {
                changes.push(Change::Begins(trouble.clone()));
                self.standing.insert(topic, trouble);
            }
            (None, false, _) => {}
        }
    }
}

/// A quarter above the ceiling: what letting go of connections could not mend is a leak, or a flood that found a way around
/// every other bound, and the host's own work comes first.
pub(super) fn end_at(ceiling: u64) -> u64 {
    ceiling.saturating_add(ceiling / 4)
}

/// Three looks: a longer pause between two looks was a stop of the whole process.
const LOOK_COUNTS_AT_MOST: Span = Span::seconds(3);

/// Timers that fire so late let other hosts doubt this one; a busy machine's are 100 ms late now and then.
const LATE_FROM: Span = Span::seconds(1);
const LATE_UNTIL: Span = Span::milliseconds(250);

/// In a row.
const LATE_LOOKS: u32 = 2;

/// Percent of a queue's bound. At the bound something is refused or dropped.
const QUEUE_FROM: u64 = 80;
const QUEUE_UNTIL: u64 = 50;

/// Percent of the system's limit (a fleet that grows makes an agent reach it everywhere on the same day).
const DESCRIPTORS_FROM: u64 = 70;
const DESCRIPTORS_UNTIL: u64 = 60;

/// Percent of the ceiling.
const MEMORY_HIGH_FROM: u64 = 80;
const MEMORY_HIGH_UNTIL: u64 = 70;
const MEMORY_FULL_UNTIL: u64 = 90;

/// Between two rounds of letting go: what was let go needs a moment to be given back.
const LET_GO_EVERY: Span = Span::seconds(10);

/// For so long memory must stand beyond the end: a snapshot that is written and sent may take it for a moment.
const END_AFTER: Span = Span::seconds(10);

#[cfg(test)]
mod tests;
