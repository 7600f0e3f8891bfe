//! The healer's part: from an offered lease to a proven remedy, one task per case whose lease this host holds.
//!
//! Law H1: a remedy is begun at most once in this agent's life, and only if this life itself committed its intent.
//! Law H2: nothing is begun or left running past the lease's end, less the margin, counted from before the lease was asked
//! for, on this host's own clock (protocol 7.1).
//! Law H3: what a remedy came to is told to the ledger until the ledger has it, whatever else happens.
//! Not here: one task's steps (see `task`), who gets a lease (see `lead`), whether a step is permitted (the ledger says), and running anything.

mod task;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::Ledger;
use ledger::case::{Case, Stage};
use ledger::command::{Command, Outcome};
use vocabulary::actuation::RemedyOrder;
use vocabulary::{CaseId, Fence, Grounds, HostId, LedgerIndex, Moment, Receipt, RemedyId, Span};

use task::{Task, held_lease};

/// At most so many leases are held at once: more than any budget we would grant to one healer.
pub const TASKS_MAX: usize = 64;

/// How long one proposal may take before it is asked again.
const PROPOSAL_WITHIN: Span = Span::seconds(2);

/// protocol 7.4: a linearizable read that is not answered within this is no answer.
const READ_WITHIN: Span = Span::seconds(1);

/// A round takes 1.3 s at most; the rest is the way to the leader and back.
const ROUND_WITHIN: Span = Span::milliseconds(2_500);

/// Between two tries of the same step: the ledger's answer seldom changes sooner.
const PAUSE: Span = Span::milliseconds(500);

/// The healer's tasks.
pub struct Healing {
    me: HostId,
    tasks: BTreeMap<CaseId, Task>,
    /// Receipts that the ledger has not yet taken (law H3); at most [`TASKS_MAX`].
    untold: BTreeMap<RemedyId, Untold>,
    /// Remedies that this life has begun, or given up for good (law H1); ids only rise, so the newest 1,024 suffice.
    begun: BTreeSet<RemedyId>,
}

/// What the healer asks for; the agent draws the call's number and reports its end to the same case.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Propose this.
    Propose(Command, Span),
    /// A round on the case's subject.
    Round(Span),
    /// A linearizable read.
    Read(Span),
    /// Carry out.
    Apply(RemedyOrder),
    /// Find out.
    Inspect(RemedyOrder),
}

/// What came of a wish.
#[derive(Clone, Debug, PartialEq)]
pub enum Came {
    /// The ledger's answer, committed at this entry.
    Outcome(LedgerIndex, Outcome),
    /// The round, and the verdict that stands against the subject by it, if one does.
    Round(Box<Grounds>, Option<String>),
    /// The read.
    Read(LedgerIndex),
    /// The remedy's receipt.
    Applied(Receipt),
    /// The inspection's.
    Inspected(Receipt),
    /// Nothing in time.
    Nothing,
}

/// Whose wish it was: given back with what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Errand {
    /// The case.
    pub case: CaseId,
    /// The lease under which it was wished.
    pub fence: Fence,
    /// Which wish of the task.
    pub what: What,
}

/// The kinds of errand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Take the offered lease.
    Accept,
    /// Lengthen it.
    Renew,
    /// The last look.
    LastLook,
    /// The linearizable read behind it.
    LastRead,
    /// The intent.
    Intend,
    /// The remedy itself.
    Apply,
    /// Telling the ledger what came of it.
    Receive(RemedyId),
    /// Finding out what became of a remedy of an earlier lease or life.
    Inspect,
    /// Telling the ledger what was found.
    Inspected,
    /// A round after the receipt.
    Look,
    /// Telling the ledger that it is well.
    Verify,
    /// Telling the ledger that it is not.
    Unproven,
    /// Giving the lease back.
    Release,
}

/// A receipt that the ledger has not yet taken.
struct Untold {
    case: CaseId,
    receipt: Receipt,
    /// When it may be told again; `None` while it is being told.
    due: Option<Moment>,
}

impl Healing {
    /// No leases yet.
    pub fn new(me: HostId) -> Self {
        Self { me, tasks: BTreeMap::new(), untold: BTreeMap::new(), begun: BTreeSet::new() }
    }

    /// Whether it has nothing at heart: no task and no receipt that is to be told.
    pub fn is_idle(&self) -> bool {
        self.tasks.is_empty() && self.untold.is_empty()
    }

    /// When something is to be done without any event.
    pub fn next_deadline(&self) -> Option<Moment> {
        let tasks = self.tasks.values().filter(|task| task.is_free());
        tasks.map(|task| task.not_before).chain(self.next_receipt()).min()
    }

    /// When a receipt is to be told.
    pub fn next_receipt(&self) -> Option<Moment> {
        self.untold.values().filter_map(|untold| untold.due).min()
    }

    /// Looks at all cases again: called after each advance of the ledger, each end of an errand and each deadline.
    pub fn advance(&mut self, now: Moment, ledger: &Arc<Ledger>) -> Vec<(Errand, Wish)> {
        self.keep_only_held(ledger);
        let mut wishes = Vec::new();
        let held: Vec<Arc<Case>> =
            ledger.cases().filter(|case| self.is_mine(case)).take(TASKS_MAX).cloned().collect();
        for case in held {
            self.know(now, ledger, &case);
            self.renew(now, ledger, &case, &mut wishes);
            self.step(now, ledger, &case, &mut wishes);
        }
        self.tell(now, &mut wishes);
        wishes
    }

    /// protocol 7.2: this host leaves. Every lease goes back, so that nobody waits for it to run out; what was begun under it
    /// counts on until another healer has found out its end.
    pub fn leave(&mut self) -> Vec<(Errand, Wish)> {
        let give_back = |(case, task): (&CaseId, &Task)| {
            let command = Command::Release {
                case: *case,
                fence: task.fence,
                why: "its healer leaves".into(),
            };
            (task.errand(*case, What::Release), Wish::Propose(command, PROPOSAL_WITHIN))
        };
        self.tasks.iter().map(give_back).collect()
    }

    /// Takes what came of an errand once this host has left: nothing follows from it but that receipts are told (law H3).
    pub fn ended_at_last(&mut self, now: Moment, errand: Errand, came: &Came) {
        match (errand.what, came) {
            (What::Receive(remedy), came) => self.told(now, remedy, came),
            // law H3: kept even if the lease is gone by now.
            (What::Apply, Came::Applied(receipt)) => {
                self.keep_receipt(now, errand.case, receipt.clone());
            }
            _ => {}
        }
    }

    /// Receipts that are to be told now.
    pub fn receipts(&mut self, now: Moment) -> Vec<(Errand, Wish)> {
        let mut wishes = Vec::new();
        self.tell(now, &mut wishes);
        wishes
    }

    /// Takes what came of an errand; the step that follows at once, if one does.
    pub fn ended(&mut self, now: Moment, errand: Errand, came: Came) -> Option<(Errand, Wish)> {
        self.ended_at_last(now, errand, &came);
        let task = self.tasks.get_mut(&errand.case).filter(|task| task.fence == errand.fence)?;
        if let Came::Outcome(index, _) = &came {
            task.answered(*index);
        }
        if matches!(errand.what, What::Accept | What::Renew) {
            task.lengthened(now, &came);
            return None;
        }
        if task.busy == Some(errand.what) {
            task.busy = None;
            let (what, wish) = task.took(now, errand, came)?;
            task.busy = Some(what);
            return Some((task.errand(errand.case, what), wish));
        }
        None
    }

    fn is_mine(&self, case: &Case) -> bool {
        held_lease(case).is_some_and(|lease| lease.healer == self.me)
    }

    fn keep_only_held(&mut self, ledger: &Ledger) {
        let me = self.me;
        self.tasks.retain(|id, task| {
            ledger
                .case(*id)
                .and_then(|case| held_lease(case))
                .is_some_and(|lease| lease.fence == task.fence && lease.healer == me)
        });
        while self.begun.len() > 1_024 {
            self.begun.pop_first();
        }
    }

    fn know(&mut self, now: Moment, ledger: &Ledger, case: &Case) {
        let Some(lease) = held_lease(case) else {
            return;
        };
        let task = self.tasks.entry(case.id);
        task.or_insert_with(|| Task::new(now, case, lease, ledger)).see(now, ledger);
    }

    /// protocol 7.1: a third of the term after the last asking, ask again.
    fn renew(
        &mut self,
        now: Moment,
        ledger: &Ledger,
        case: &Case,
        wishes: &mut Vec<(Errand, Wish)>,
    ) {
        let Some(task) = self.tasks.get_mut(&case.id) else {
            return;
        };
        let due = ledger.policy().timers.renew_every();
        let is_held = !matches!(case.stage, Stage::Offered(_));
        if is_held && task.asking.is_none() && now >= task.ask_from && now.since(task.asked) >= due
        {
            task.asking = Some(now);
            let command = Command::Renew { case: case.id, fence: task.fence };
            wishes
                .push((task.errand(case.id, What::Renew), Wish::Propose(command, PROPOSAL_WITHIN)));
        }
    }

    fn step(
        &mut self,
        now: Moment,
        ledger: &Arc<Ledger>,
        case: &Case,
        wishes: &mut Vec<(Errand, Wish)>,
    ) {
        let Some(task) = self.tasks.get_mut(&case.id) else {
            return;
        };
        if !task.is_free() || now < task.not_before {
            return;
        }
        if let Some(receipt) = task.give_up(ledger, case, &mut self.begun) {
            return self.keep_receipt(now, case.id, receipt);
        }
        let wish = match &case.stage {
            Stage::Offered(_) => task.accept(now, case),
            Stage::Leased(_) => task.prepare(now, ledger, case),
            // law H3: the ledger will have it soon.
            Stage::Remedy { remedy, .. } if self.untold.contains_key(remedy) => None,
            Stage::Remedy { remedy, .. } => {
                task.carry_out(now, ledger, case, *remedy, &mut self.begun)
            }
            Stage::Verifying { until, well_since, .. } => {
                task.verify(ledger, case, (*until, *well_since))
            }
            Stage::Open
            | Stage::Orphaned { .. }
            | Stage::Escalated { .. }
            | Stage::Quarantined { .. }
            | Stage::Closed { .. } => None,
        };
        match wish {
            Some((what, wish)) => {
                task.busy = (what != What::Accept).then_some(what);
                wishes.push((task.errand(case.id, what), wish));
            }
            None => task.not_before = now.after(task.wait()),
        }
    }

    /// law H3.
    fn tell(&mut self, now: Moment, wishes: &mut Vec<(Errand, Wish)>) {
        for (remedy, untold) in &mut self.untold {
            if untold.due.is_none_or(|due| now < due) {
                continue;
            }
            untold.due = None;
            let Untold { case, receipt, .. } = untold;
            let errand = Errand { case: *case, fence: receipt.fence, what: What::Receive(*remedy) };
            let command = Command::Receive { case: *case, receipt: receipt.clone() };
            wishes.push((errand, Wish::Propose(command, PROPOSAL_WITHIN)));
        }
    }

    /// An answer, even a refusal, means that the ledger has read it; silence means to tell it again.
    fn told(&mut self, now: Moment, remedy: RemedyId, came: &Came) {
        if matches!(came, Came::Outcome(..)) {
            self.untold.remove(&remedy);
        } else if let Some(untold) = self.untold.get_mut(&remedy) {
            untold.due = Some(now.after(PAUSE));
        }
    }

    fn keep_receipt(&mut self, now: Moment, case: CaseId, receipt: Receipt) {
        let untold = Untold { case, receipt: receipt.clone(), due: Some(now) };
        self.untold.insert(receipt.remedy, untold);
        while self.untold.len() > TASKS_MAX {
            self.untold.pop_first();
        }
    }
}
