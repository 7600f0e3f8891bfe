//! Who is watched, and what the watched and their watcher say to each other: all of it counters and channels that never wait.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use replication::{Beat, Pulse, Queue, Signs, watch};
use vocabulary::Span;

use super::judge::{Look, Worker};
use super::probes::{self, Descriptors};
use super::trouble::{Fill, Report};

/// A worker that is watched.
pub struct Watched {
    /// As a noun: "the ledger's disk".
    pub name: &'static str,
    /// How long it may take for one thing, with a reason where it is set.
    pub within: Span,
    /// Whether an agent is worth restarting in which it stands still.
    pub is_vital: bool,
    /// Its counters.
    pub read: Box<dyn Fn() -> Beat + Send + Sync>,
}

/// Everything that is watched; made before the sentry starts.
#[derive(Default)]
pub struct Board {
    workers: Vec<Watched>,
    queues: Vec<Queue>,
    descriptors: Descriptors,
}

/// What the loop is at, so that whoever finds it stuck can say with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// It waits, or something beside the loop works.
    Nothing,
    /// Gossip, or a probe.
    Datagram,
    /// What another host asks.
    Request,
    /// What a call of its own came to.
    End,
    /// The ledger has moved.
    Ledger,
    /// A deadline of the mind.
    Deadline,
    /// What the admin socket asks.
    Inquiry,
}

/// What the sentry wants of the loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    /// Rises whenever connections that nobody needs are to be let go.
    pub let_go: u64,
    /// The agent is to end, for want of memory.
    pub end: bool,
}

/// The watched side; cheap to clone.
#[derive(Clone, Debug)]
pub struct SelfWatch(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    the_loop: Arc<Pulse>,
    timers: Arc<Pulse>,
    late_ms: AtomicU64,
    doing: AtomicUsize,
    line: Mutex<String>,
    report: Mutex<Report>,
    orders: watch::Sender<Orders>,
    says: SyncSender<Say>,
    is_over: AtomicBool,
}

/// What the agent wants systemd to be told beside what the sentry sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Say {
    Reloading,
    Reloaded,
    Stopping,
}

impl Board {
    /// One more worker.
    pub fn watch(&mut self, watched: Watched) {
        self.workers.push(watched);
    }

    /// One more queue.
    pub fn queue(&mut self, queue: Queue) {
        self.queues.push(queue);
    }

    /// A keeper's tasks, its thread and its queues.
    pub fn keeper(&mut self, signs: Signs) {
        let Signs { store, proposer, warden, replacer, comparer, raft, queues } = signs;
        self.watch(Watched::new("the ledger's disk", DISK_WITHIN, store));
        self.watch(Watched::new("the writer of the ledger", WRITER_WITHIN, proposer));
        self.watch(Watched::new("the watcher of the ledger's leader", TASK_WITHIN, warden));
        self.watch(Watched::new("the replacer of lost stores", REPLACER_WITHIN, replacer));
        // It ends with this keeper's vote, where its state is of the minority: a person must look.
        let comparer = Watched::new("the comparer of keepers' states", TASK_WITHIN, comparer);
        self.watch(comparer.that_is_only_told());
        // Where the store has failed Raft ends, and the agent goes on as a follower: a restart would not mend that.
        let name = "the ledger's Raft";
        self.watch(Watched { name, within: TASK_WITHIN, is_vital: false, read: raft });
        self.queues.extend(queues);
    }

    /// One look at everything; only counters are read, and what the kernel says of this process.
    pub(super) fn look(&mut self, own: &SelfWatch) -> Look {
        let workers = self.workers.iter().map(|watched| Worker {
            name: watched.name,
            within: watched.within,
            is_vital: watched.is_vital,
            is_the_loop: watched.name == LOOP,
            beat: (watched.read)(),
        });
        let queues = self.queues.iter().map(|queue| Fill {
            name: queue.name,
            used: (queue.used)(),
            bound: queue.bound,
        });
        Look {
            workers: workers.collect(),
            queues: queues.collect(),
            memory: probes::memory(),
            descriptors: self.descriptors.look(probes::descriptors),
            late: Span::milliseconds(own.0.late_ms.load(Ordering::Relaxed)),
            doing: own.doing(),
        }
    }
}

impl Watched {
    /// A worker by whose progress the agent lives.
    pub fn new(name: &'static str, within: Span, pulse: Arc<Pulse>) -> Self {
        Self { name, within, is_vital: true, read: Box::new(move || pulse.read()) }
    }

    /// One for which a restart would mend nothing, or is not worth it.
    pub fn that_is_only_told(self) -> Self {
        Self { is_vital: false, ..self }
    }
}

impl SelfWatch {
    /// Both sides, not yet watched; the board knows the loop and the timers already.
    pub(super) fn new() -> (Self, Board, Receiver<Say>) {
        let (says, said) = sync_channel(SAYS_MAX);
        let (the_loop, timers) = (Pulse::of_ticker(), Pulse::of_ticker());
        let mut board = Board::default();
        board.watch(Watched::new(LOOP, LOOP_WITHIN, Arc::clone(&the_loop)));
        board.watch(Watched::new("the runtime's timers", TIMERS_WITHIN, Arc::clone(&timers)));
        let shared = Shared {
            the_loop,
            timers,
            late_ms: AtomicU64::new(0),
            doing: AtomicUsize::new(0),
            line: Mutex::default(),
            report: Mutex::default(),
            orders: watch::Sender::default(),
            says,
            is_over: AtomicBool::new(false),
        };
        (Self(Arc::new(shared)), board, said)
    }

    /// The loop turns, and is at this from now on.
    pub fn turns(&self, doing: Doing) {
        self.0.doing.store(doing as usize, Ordering::Relaxed);
        self.0.the_loop.begin();
    }

    /// A timer fired, so late.
    pub fn timer_fired(&self, late: Span) {
        self.0.late_ms.store(late.as_milliseconds(), Ordering::Relaxed);
        self.0.timers.begin();
    }

    /// One plain line on how the mesh stands, for `systemctl status`.
    pub fn stands(&self, line: String) {
        *self.0.line.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }

    /// What the sentry saw last.
    pub fn report(&self) -> Report {
        self.0.report.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the sentry wants.
    pub fn orders(&self) -> watch::Receiver<Orders> {
        self.0.orders.subscribe()
    }

    /// Files are being read anew; to be followed by [`SelfWatch::reloaded`], whatever came of it.
    pub fn reloading(&self) {
        self.say(Say::Reloading);
    }

    /// They are read.
    pub fn reloaded(&self) {
        self.say(Say::Reloaded);
    }

    /// The agent takes its leave.
    pub fn stopping(&self) {
        self.say(Say::Stopping);
    }

    /// The life that was watched is over; another one may follow in the same process.
    pub fn over(&self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }

    /// Whether it is.
    pub fn is_over(&self) -> bool {
        self.0.is_over.load(Ordering::Relaxed)
    }

    fn say(&self, say: Say) {
        // Where the sentry cannot keep up, systemd will find out by itself.
        let _ = self.0.says.try_send(say);
    }

    /// What the loop is at, unless it waits.
    pub fn doing(&self) -> Option<&'static str> {
        DOINGS[self.0.doing.load(Ordering::Relaxed).min(DOINGS.len() - 1)]
    }

    pub(super) fn has_begun(&self) -> bool {
        self.0.the_loop.read().count > 0
    }

    pub(super) fn line(&self) -> String {
        self.0.line.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_report(&self, report: Report) {
        *self.0.report.lock().unwrap_or_else(PoisonError::into_inner) = report;
    }

    /// As if the sentry had seen it.
    #[cfg(test)]
    pub(crate) fn tell_trouble(&self, trouble: String) {
        self.set_report(Report { troubles: vec![trouble], ..Report::default() });
    }

    pub(super) fn order(&self, change: impl FnOnce(&mut Orders)) {
        self.0.orders.send_if_modified(|orders| {
            change(orders);
            true
        });
    }
}

/// In the order of [`Doing`].
const DOINGS: [Option<&str>; 7] = [
    None,
    Some("a datagram"),
    Some("a request of another host"),
    Some("the end of a call"),
    Some("what the ledger brought"),
    Some("a deadline"),
    Some("a question of the admin socket"),
];

const LOOP: &str = "the loop";

/// Words for systemd that wait; a life has a handful.
const SAYS_MAX: usize = 16;

/// The loop looks around every 5 s when nothing happens at all; as much again is for whatever it is at.
const LOOP_WITHIN: Span = Span::seconds(10);

/// The timer fires twice a second; observers begin to doubt this host after two seconds of silence.
const TIMERS_WITHIN: Span = Span::seconds(5);

/// One job of the disk: an fsync of a busy disk takes seconds, the largest snapshot some more.
const DISK_WITHIN: Span = Span::seconds(30);

/// The writer waits 5 s at most for one entry, and one may be under way before.
const WRITER_WITHIN: Span = Span::seconds(30);

/// One look a second, and a change of the keepers' stores is given up after 5 s.
const REPLACER_WITHIN: Span = Span::seconds(30);

/// Ten looks a second.
const TASK_WITHIN: Span = Span::seconds(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_finds_the_loop_stuck_can_say_with_what() {
        let (own, mut board, _said) = SelfWatch::new();
        assert_eq!(board.look(&own).doing, None);
        assert!(!own.has_begun());
        own.turns(Doing::Ledger);
        assert_eq!(board.look(&own).doing, Some("what the ledger brought"));
        own.turns(Doing::Inquiry);
        assert_eq!(board.look(&own).doing, Some("a question of the admin socket"));
        assert!(own.has_begun());
    }

    #[test]
    fn a_sentry_that_is_stuck_itself_holds_nobody_up() {
        let (own, _board, said) = SelfWatch::new();
        for _ in 0..SAYS_MAX + 9 {
            own.reloading();
        }
        assert_eq!(said.try_iter().count(), SAYS_MAX);
    }
}
