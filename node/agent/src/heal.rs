//! The healer's part: from an offered lease to a proven remedy, one task per case whose lease this host holds.
//!
//! Law H1: a remedy is begun at most once in this agent's life, and only if this life itself committed its intent.
//! Law H2: nothing is begun or left running past the lease's end, less the margin, counted from before the lease was asked
//! for, on this host's own clock (protocol 7.1).
//! Law H3: what a remedy came to is told to the ledger until the ledger has it, whatever else happens.
//! Not here: who gets a lease (see `lead`), whether a step is permitted (the ledger says), and running anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::Ledger;
use ledger::case::{Case, Lease, Stage};
use ledger::command::{Command, Outcome, Refused};
use vocabulary::actuation::RemedyOrder;
use vocabulary::{CaseId, Fence, Grounds, HostId, LedgerIndex, Moment, Receipt, RemedyId, Span};

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
    /// Remedies that this life has begun (law H1); ids only rise, so the newest 1,024 suffice.
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
    /// The ledger's answer.
    Outcome(Outcome),
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
}

/// A receipt that the ledger has not yet taken.
struct Untold {
    case: CaseId,
    receipt: Receipt,
    /// When it may be told again; `None` while it is being told.
    due: Option<Moment>,
}

/// One held lease.
struct Task {
    fence: Fence,
    /// The moment before the lease was asked for, or last renewed (law H2).
    asked: Moment,
    /// When an Accept or Renew that is under way was asked.
    asking: Option<Moment>,
    /// The one step that is under way.
    busy: Option<What>,
    /// No new step before this.
    not_before: Moment,
    /// The last look, until its intent is committed.
    look: Option<Grounds>,
    /// Whether this life has asked for an intent under this fence (law H1).
    intends: bool,
    /// Whether the subject was well in the last round that the ledger took.
    is_soaking: bool,
}

impl Healing {
    /// No leases yet.
    pub fn new(me: HostId) -> Self {
        Self {
            me,
            tasks: BTreeMap::new(),
            untold: BTreeMap::new(),
            begun: BTreeSet::new(),
        }
    }

    /// When something is to be done without any event.
    pub fn next_deadline(&self) -> Option<Moment> {
        let tasks = self.tasks.values().filter(|task| task.busy.is_none());
        let untold = self.untold.values().filter_map(|untold| untold.due);
        tasks.map(|task| task.not_before).chain(untold).min()
    }

    /// Looks at all cases again: called after each advance of the ledger, each end of an errand and each deadline.
    pub fn advance(&mut self, now: Moment, ledger: &Arc<Ledger>) -> Vec<(Errand, Wish)> {
        self.keep_only_held(ledger);
        let mut wishes = Vec::new();
        let held: Vec<Arc<Case>> = ledger
            .cases()
            .filter(|case| self.is_mine(case))
            .take(TASKS_MAX)
            .cloned()
            .collect();
        for case in held {
            self.renew(now, ledger, &case, &mut wishes);
            self.step(now, ledger, &case, &mut wishes);
        }
        self.tell(now, &mut wishes);
        wishes
    }

    /// Takes what came of an errand; the step that follows at once, if one does.
    pub fn ended(&mut self, now: Moment, errand: Errand, came: Came) -> Option<(Errand, Wish)> {
        match (errand.what, &came) {
            (What::Receive(remedy), came) => self.told(now, remedy, came),
            // law H3: kept even if the lease is gone by now.
            (What::Apply, Came::Applied(receipt)) => {
                self.keep_receipt(now, errand.case, receipt.clone());
            }
            _ => {}
        }
        let task = self
            .tasks
            .get_mut(&errand.case)
            .filter(|task| task.fence == errand.fence)?;
        if matches!(errand.what, What::Accept | What::Renew) {
            task.lengthened(&came);
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
        if is_held && task.asking.is_none() && now.since(task.asked) >= due {
            task.asking = Some(now);
            let command = Command::Renew {
                case: case.id,
                fence: task.fence,
            };
            wishes.push((
                task.errand(case.id, What::Renew),
                Wish::Propose(command, PROPOSAL_WITHIN),
            ));
        }
    }

    fn step(
        &mut self,
        now: Moment,
        ledger: &Arc<Ledger>,
        case: &Case,
        wishes: &mut Vec<(Errand, Wish)>,
    ) {
        let Some(lease) = case.counted_lease() else {
            return;
        };
        let task = self
            .tasks
            .entry(case.id)
            .or_insert_with(|| Task::new(now, case, lease, ledger));
        if task.busy.is_some() || now < task.not_before {
            return;
        }
        let wish = match &case.stage {
            Stage::Offered(_) => task.accept(now, case),
            Stage::Leased(_) => task.prepare(now, ledger, case),
            Stage::Remedy { remedy, .. } => {
                task.carry_out(now, ledger, case, *remedy, &mut self.begun)
            }
            Stage::Verifying {
                until, well_since, ..
            } => {
                let is_over = ledger.time() >= *until && well_since.is_none();
                task.verify(case, is_over)
            }
            Stage::Open
            | Stage::Orphaned { .. }
            | Stage::Escalated { .. }
            | Stage::Closed { .. } => None,
        };
        match wish {
            Some((what, wish)) => {
                task.busy = (what != What::Accept).then_some(what);
                wishes.push((task.errand(case.id, what), wish));
            }
            None => task.not_before = now.after(PAUSE),
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
            let errand = Errand {
                case: *case,
                fence: receipt.fence,
                what: What::Receive(*remedy),
            };
            let command = Command::Receive {
                case: *case,
                receipt: receipt.clone(),
            };
            wishes.push((errand, Wish::Propose(command, PROPOSAL_WITHIN)));
        }
    }

    /// An answer, even a refusal, means that the ledger has read it; silence means to tell it again.
    fn told(&mut self, now: Moment, remedy: RemedyId, came: &Came) {
        if matches!(came, Came::Outcome(_)) {
            self.untold.remove(&remedy);
        } else if let Some(untold) = self.untold.get_mut(&remedy) {
            untold.due = Some(now.after(PAUSE));
        }
    }

    fn keep_receipt(&mut self, now: Moment, case: CaseId, receipt: Receipt) {
        let untold = Untold {
            case,
            receipt: receipt.clone(),
            due: Some(now),
        };
        self.untold.insert(receipt.remedy, untold);
        while self.untold.len() > TASKS_MAX {
            self.untold.pop_first();
        }
    }
}

impl Task {
    /// A lease that an earlier life asked for has nothing left here until this life has renewed it (law H2).
    fn new(now: Moment, case: &Case, lease: &Lease, ledger: &Ledger) -> Self {
        let is_own = matches!(case.stage, Stage::Offered(_));
        let term = ledger.policy().timers.lease_term;
        Self {
            fence: lease.fence,
            asked: if is_own { now } else { now.before(term) },
            asking: None,
            busy: None,
            not_before: now,
            look: None,
            intends: false,
            is_soaking: false,
        }
    }

    fn errand(&self, case: CaseId, what: What) -> Errand {
        Errand {
            case,
            fence: self.fence,
            what,
        }
    }

    /// What is left of the lease, less its margin, on this host's own clock (law H2).
    fn left(&self, now: Moment, ledger: &Ledger) -> Span {
        let timers = &ledger.policy().timers;
        timers
            .lease_term
            .less(timers.lease_margin())
            .less(now.since(self.asked))
    }

    /// protocol 7.2: take what was offered. The lease counts from this moment (protocol 7.1).
    fn accept(&mut self, now: Moment, case: &Case) -> Option<(What, Wish)> {
        if self.asking.is_some() {
            return None;
        }
        self.asking = Some(now);
        let command = Command::Accept {
            case: case.id,
            fence: self.fence,
        };
        Some((What::Accept, Wish::Propose(command, PROPOSAL_WITHIN)))
    }

    /// The ledger has answered an Accept or a Renew.
    fn lengthened(&mut self, came: &Came) {
        let Some(asking) = self.asking.take() else {
            return;
        };
        if matches!(came, Came::Outcome(Outcome::Leased { .. } | Outcome::Done)) {
            self.asked = self.asked.max(asking);
        }
    }

    /// protocol 7.4, in its order: wait, look last, read, intend.
    fn prepare(&mut self, now: Moment, ledger: &Ledger, case: &Case) -> Option<(What, Wish)> {
        if must_wait(ledger, case.id) || self.left(now, ledger) == Span::ZERO {
            return None;
        }
        Some((What::LastLook, Wish::Round(ROUND_WITHIN)))
    }

    fn order(
        &self,
        now: Moment,
        ledger: &Ledger,
        case: &Case,
        remedy: RemedyId,
    ) -> Option<RemedyOrder> {
        let subject = case.host()?;
        let entry = ledger.roster().get_even_retired(&subject)?;
        let note = case.remedies.iter().find(|note| note.id == remedy)?;
        Some(RemedyOrder {
            case: case.id,
            subject,
            subject_name: entry.claims.host.clone(),
            verdict: case.kind.clone(),
            fence: note.fence,
            remedy,
            command: note.applied.command.clone(),
            at_most: self.left(now, ledger),
        })
    }

    /// The intent stands. This life begins it if it asked for it itself (law H1), else it can only inspect.
    fn carry_out(
        &mut self,
        now: Moment,
        ledger: &Ledger,
        case: &Case,
        remedy: RemedyId,
        begun: &mut BTreeSet<RemedyId>,
    ) -> Option<(What, Wish)> {
        let order = self.order(now, ledger, case, remedy)?;
        let is_unknown = case.unresolved().is_some_and(|note| note.receipt.is_some());
        if begun.contains(&remedy) && !is_unknown {
            return None;
        }
        if !self.intends || is_unknown {
            return Some((What::Inspect, Wish::Inspect(order)));
        }
        if order.at_most == Span::ZERO {
            return None;
        }
        assert!(
            begun.insert(remedy),
            "law H1: a remedy is begun at most once in a life"
        );
        Some((What::Apply, Wish::Apply(order)))
    }

    /// protocol 7.7: fresh rounds until it is soaked or its time is over.
    fn verify(&mut self, case: &Case, is_over: bool) -> Option<(What, Wish)> {
        if !is_over {
            return Some((What::Look, Wish::Round(ROUND_WITHIN)));
        }
        let why = String::from("no proof that it is well again within the rung's time");
        let command = Command::Unproven {
            case: case.id,
            fence: self.fence,
            why,
        };
        Some((What::Unproven, Wish::Propose(command, PROPOSAL_WITHIN)))
    }

    /// Takes what came of a step and says which step follows at once, if one does.
    fn took(&mut self, now: Moment, errand: Errand, came: Came) -> Option<(What, Wish)> {
        self.not_before = now.after(PAUSE);
        let Errand { case, fence, what } = errand;
        match (what, came) {
            (What::LastLook, Came::Round(grounds, _)) => {
                self.look = Some(*grounds);
                Some((What::LastRead, Wish::Read(READ_WITHIN)))
            }
            (What::LastRead, Came::Read(_)) => {
                let grounds = self.look.take()?;
                // law H1: from here on this life may begin what the ledger grants under this fence.
                self.intends = true;
                let command = Command::Intend {
                    case,
                    fence,
                    grounds,
                };
                Some((What::Intend, Wish::Propose(command, PROPOSAL_WITHIN)))
            }
            // protocol 7.7: an adverse round in the soak.
            (What::Look, Came::Round(_, Some(verdict))) if self.is_soaking => {
                let why = format!("{verdict} again while it soaked");
                let command = Command::Unproven { case, fence, why };
                Some((What::Unproven, Wish::Propose(command, PROPOSAL_WITHIN)))
            }
            (What::Look, Came::Round(grounds, None)) => {
                let grounds = *grounds;
                let command = Command::Verify {
                    case,
                    fence,
                    grounds,
                };
                Some((What::Verify, Wish::Propose(command, PROPOSAL_WITHIN)))
            }
            (What::Inspect, Came::Inspected(found)) => {
                let command = Command::Inspected { case, fence, found };
                Some((What::Inspected, Wish::Propose(command, PROPOSAL_WITHIN)))
            }
            (What::Intend, Came::Outcome(_)) => {
                self.not_before = now;
                None
            }
            _ => None,
        }
    }
}

/// The lease under which something can still be done: what is orphaned or escalated counts, but is nobody's to work on.
fn held_lease(case: &Case) -> Option<&Lease> {
    match &case.stage {
        Stage::Offered(lease)
        | Stage::Leased(lease)
        | Stage::Remedy { lease, .. }
        | Stage::Verifying { lease, .. } => Some(lease),
        Stage::Open | Stage::Orphaned { .. } | Stage::Escalated { .. } | Stage::Closed { .. } => {
            None
        }
    }
}

/// Whether a rule that only time or other cases free keeps the intent back; what the last look said does not: look again.
fn must_wait(ledger: &Ledger, case: CaseId) -> bool {
    ledger.holds(case).iter().any(|hold| {
        !matches!(
            hold.rule,
            Refused::Grounds(_) | Refused::ThreeRounds { .. } | Refused::Stale { .. }
        )
    })
}
