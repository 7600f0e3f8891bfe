//! The whole state of the small world, how far it goes, and what may be taken from it.
//!
//! Time goes by in units of five seconds; within one the order of steps is all there is. Each healer counts on a clock of
//! its own, which runs a tenth slow. A call is what a healer's guard carries to a subject: it may stand still on its way for
//! as long as the machine likes, and the subject compares fences.
//! Not here: how it moves (see `steps`), what must hold (see `judge`).

use ledger::case::{Case, Lease, Stage};
use vocabulary::{Anchor, CaseId, Fence, LedgerTime, ReceiptKind, RemedyId, Span};

use crate::fleet::{HEALERS, Keeper, case_of, id};
use crate::judge::Breach;

/// A unit of time: an offer, and the freshness of a round, end with it.
pub const UNIT: Span = Span::seconds(5);
/// What a healer's clock measures of a unit.
pub const SLOW_UNIT: Span = Span::milliseconds(4_500);
/// How long after its deadline the guard has surely ended a call: less than the sixth of the term that the margin has for it.
pub const KILLED_WITHIN: Span = Span::seconds(3);
/// The longest call.
pub const TIME_LIMIT: Span = Span::seconds(5);

/// How far the world goes; each figure is how often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bounds {
    /// Units of time, measured by the leader or not.
    pub units: u8,
    /// Of these, units that end under a new leader, which has measured nothing (protocol 5).
    pub leaders: u8,
    /// Renewals of leases.
    pub renewals: u8,
    /// Pauses by a person; each may be lifted.
    pub pauses: u8,
    /// Subjects that come back by themselves.
    pub recoveries: u8,
    /// Healers that die and start again with an empty memory, or give their leases back as they leave.
    pub restarts: u8,
    /// Rungs of the ladder.
    pub rungs: u8,
}

impl Bounds {
    /// Nothing happens but offers, remedies and two units of time.
    pub const SMALL: Self =
        Self { units: 2, leaders: 0, renewals: 0, pauses: 0, recoveries: 0, restarts: 0, rungs: 1 };
    /// What every run of the tests searches: each of them goes far in one way.
    pub const CORNERS: [Self; 5] = [
        Self { units: 5, ..Self::SMALL },
        Self { units: 4, leaders: 1, renewals: 1, ..Self::SMALL },
        Self { pauses: 1, recoveries: 1, units: 1, ..Self::SMALL },
        Self { restarts: 1, units: 1, renewals: 1, ..Self::SMALL },
        Self { rungs: 2, units: 3, ..Self::SMALL },
    ];
    /// What is searched by hand and reported.
    pub const LARGE: Self =
        Self { units: 6, leaders: 1, renewals: 1, pauses: 1, recoveries: 1, restarts: 1, rungs: 2 };
}

/// What is taken from the modelled part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Nothing.
    Whole,
    /// Subjects do not compare fences.
    NoFenceCheck,
    /// Orphans do not count: the policy allows as many more leases as there are orphans, whenever one is offered.
    OrphansNotCounted,
    /// Healers use their leases to the end.
    NoMargin,
    /// Healers tell of a last look that nobody took: the subject is said to be down as it was.
    NoLastLook,
}

/// The small world.
#[derive(Clone, Debug)]
pub struct World {
    /// The real ledger.
    pub keeper: Keeper,
    /// Who heals.
    pub healers: [Healer; 2],
    /// Who is to be healed.
    pub subjects: [Subject; 2],
    /// What is under way from a healer to a subject.
    pub calls: Vec<Call>,
    /// What may still happen.
    pub left: Bounds,
    /// The newest record of the audit that was judged.
    pub judged: u64,
    /// The first law that was broken.
    pub breach: Option<Breach>,
    /// Which far rooms the last step came to.
    pub seen: Seen,
}

/// Far rooms, each a bit: a search that does not reach them proves nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen(pub u8);

impl Seen {
    /// A case was healed and closed.
    pub const HEALED: Self = Self(1);
    /// A remedy was begun under a lease that had been taken over.
    pub const TAKEN_OVER: Self = Self(2);
    /// A subject refused a call for its fence.
    pub const FENCED: Self = Self(4);
    /// A call that stood still came to its subject after its guard's deadline, before anybody with a higher fence.
    pub const LATE: Self = Self(8);
    /// An intent was refused because its subject was well.
    pub const WELL: Self = Self(16);
    /// A case was escalated.
    pub const ESCALATED: Self = Self(32);
    /// An intent was given up under a brake.
    pub const BRAKED: Self = Self(64);

    /// All of them, by name.
    pub const NAMED: [(&str, Self); 7] = [
        ("healed", Self::HEALED),
        ("begun after a takeover", Self::TAKEN_OVER),
        ("refused for its fence", Self::FENCED),
        ("late by standing still", Self::LATE),
        ("well at the last look", Self::WELL),
        ("escalated", Self::ESCALATED),
        ("given up under a brake", Self::BRAKED),
    ];

    /// This room too, if so.
    pub fn add(&mut self, room: Self, is_reached: bool) {
        self.0 |= if is_reached { room.0 } else { 0 };
    }
}

/// One healer in its present life.
#[derive(Clone, Debug, Default)]
pub struct Healer {
    /// Its own clock.
    pub clock: Span,
    /// The lease it works under, as far as it knows.
    pub task: Option<Task>,
    /// What it has yet to tell.
    pub untold: Option<Untold>,
}

/// What a healer knows of its lease.
#[derive(Clone, Debug)]
pub struct Task {
    /// Of which subject's case.
    pub subject: usize,
    /// Its fence.
    pub fence: Fence,
    /// On its own clock, the moment before it asked for the lease or renewed it last.
    pub asked: Span,
    /// Its last look, not yet used.
    pub look: Option<Look>,
    /// The intent that this life has committed.
    pub intended: Option<RemedyId>,
    /// Whether it has begun, or given up for good, what it intended.
    pub begun: bool,
}

/// A last look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// What it hangs on.
    pub anchor: Anchor,
    /// When it was taken.
    pub at: LedgerTime,
    /// Whether each subject was said to be well.
    pub says_well: [bool; 2],
    /// Whether its own subject was.
    pub was_well: bool,
}

/// A receipt on its way to the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    /// Of which subject's case.
    pub subject: usize,
    /// Under which fence it ran.
    pub fence: Fence,
    /// The remedy.
    pub remedy: RemedyId,
    /// How it ended.
    pub kind: ReceiptKind,
}

/// One subject: its truth, and what it has seen of healers.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// Whether it is well.
    pub is_well: bool,
    /// Its lives so far, beside the first.
    pub boots: u64,
    /// The highest fence that came to it.
    pub fence: Fence,
    /// The highest fence that something was done to it under.
    pub touched: Fence,
    /// The remedies that ended here as they should.
    pub done: Vec<RemedyId>,
}

/// A guard, from its last look at the clock to the end of what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Whose.
    pub healer: usize,
    /// To whom.
    pub subject: usize,
    /// Under which fence.
    pub fence: Fence,
    /// Which remedy.
    pub remedy: RemedyId,
    /// When its guard ends it, on its healer's clock.
    pub deadline: Span,
    /// Whether it has come to its subject.
    pub is_running: bool,
}

impl World {
    /// Two subjects with open cases; nothing is leased.
    pub fn new(bounds: Bounds) -> Self {
        let keeper = Keeper::with_two_cases(usize::from(bounds.rungs));
        Self {
            judged: keeper.ledger.audit().head().number,
            keeper,
            healers: [Healer::default(), Healer::default()],
            subjects: [Subject::default(), Subject::default()],
            calls: Vec::new(),
            left: bounds,
            breach: None,
            seen: Seen::default(),
        }
    }

    /// The case of a subject, open or closed.
    pub fn case(&self, subject: usize) -> &Case {
        self.keeper.ledger.case(case_of(subject)).expect("it was opened and is remembered")
    }

    /// The subject whose case this is.
    pub fn subject_of(case: CaseId) -> usize {
        usize::from(case != case_of(0))
    }

    /// The lease of a subject's case, if this healer holds it by the ledger's word: not offered, not run out.
    pub fn held(&self, subject: usize, healer: usize) -> Option<&Lease> {
        self.held_by_anybody(subject).filter(|lease| lease.healer == id(HEALERS[healer]))
    }

    /// The same, whoever holds it.
    pub fn held_by_anybody(&self, subject: usize) -> Option<&Lease> {
        match &self.case(subject).stage {
            Stage::Leased(lease) | Stage::Remedy { lease, .. } | Stage::Verifying { lease, .. } => {
                Some(lease)
            }
            Stage::Open
            | Stage::Offered(_)
            | Stage::Orphaned { .. }
            | Stage::Escalated { .. }
            | Stage::Quarantined { .. }
            | Stage::Closed { .. } => None,
        }
    }

    /// What is left of a healer's lease on its own clock, as the agent counts it (protocol 7.1).
    pub fn lease_left(&self, healer: usize, variant: Variant) -> Span {
        let timers = &self.keeper.ledger.policy().timers;
        let healer = &self.healers[healer];
        let Some(task) = &healer.task else {
            return Span::ZERO;
        };
        let margin = if variant == Variant::NoMargin { Span::ZERO } else { timers.lease_margin() };
        timers.lease_term.less(margin).less(healer.clock.less(task.asked))
    }

    /// Whether a call may still do something to its subject: one that a higher fence has overtaken may not.
    pub fn is_live(&self, call: &Call) -> bool {
        call.is_running || call.fence >= self.subjects[call.subject].fence
    }
}
