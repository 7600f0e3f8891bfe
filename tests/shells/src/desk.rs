//! The hands and the pager of all agents: what they carry out is written down by the world itself.
//!
//! Law L3, L1, protocol 7.5: judged here at the moment of each effect, on the newest ledger that anybody has.
//! A program runs beside its agent, as under a guard: it goes on while the agent is frozen, and ends with it.
//! Not here: whether a remedy worked (the mesh finds out).

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actuators::Actuator;
use actuators::contract::{Finding, Promise};
use daemon::host::pager::{Call, PagerDoor};
use ledger::case::Stage;
use replication::Clock;
use tokio::sync::oneshot;
use tokio::time::sleep;
use vocabulary::actuation::RemedyOrder;
use vocabulary::{CaseId, Fence, HostId, Moment, Receipt, ReceiptKind, RemedyId, Span};

pub use simulator::{Habit, JournalLine};

use crate::machine::Machines;

/// What a remedy takes unless it is told otherwise.
const TAKES: Span = Span::milliseconds(800);

/// What an inspection takes.
const INSPECTION_TAKES: Duration = Duration::from_millis(200);

/// What all agents have carried out and said.
#[derive(Default)]
pub(crate) struct Desk(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    habits: VecDeque<Habit>,
    takes: Option<Span>,
    journal: Vec<JournalLine>,
    running: BTreeMap<RemedyId, HostId>,
    fences: BTreeMap<HostId, Fence>,
    pages: Vec<(HostId, Option<CaseId>)>,
}

/// The hands of one agent.
pub(crate) struct Hands {
    pub machines: Arc<Machines>,
    pub healer: usize,
}

/// A program that runs.
struct Program {
    machines: Arc<Machines>,
    order: RemedyOrder,
    habit: Habit,
    takes: Span,
    left: Span,
}

impl Desk {
    /// The next remedies go like this, one each; after them all work.
    pub fn expect(&self, habits: impl IntoIterator<Item = Habit>) {
        self.kept().habits.extend(habits);
    }

    /// Each remedy takes so long from now on.
    pub fn take(&self, takes: Span) {
        self.kept().takes = Some(takes);
    }

    pub fn journal(&self) -> Vec<JournalLine> {
        self.kept().journal.clone()
    }

    pub fn pages(&self) -> Vec<(HostId, Option<CaseId>)> {
        self.kept().pages.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, remedy: RemedyId, (at, had_effect): (Moment, bool)) {
        let mut kept = self.kept();
        kept.running.remove(&remedy);
        if let Some(line) = kept.journal.iter_mut().rfind(|line| line.remedy == remedy) {
            (line.ended, line.had_effect) = (Some(at), had_effect);
        }
    }
}

impl Actuator for Hands {
    fn inspect<'a>(&'a self, order: &'a RemedyOrder, _given: Moment) -> Promise<'a, Receipt> {
        Box::pin(async move {
            sleep(INSPECTION_TAKES).await;
            let kept = self.machines.desk.kept();
            let line = kept.journal.iter().rfind(|line| line.remedy == order.remedy);
            let (kind, detail) = match line {
                Some(line) if line.ended.is_none() => (ReceiptKind::Unknown, "it still runs"),
                Some(line) if line.had_effect => (ReceiptKind::Done, "it was done"),
                Some(_) => (ReceiptKind::Refused, "it had no effect"),
                None => (ReceiptKind::Refused, "it was never begun"),
            };
            receipt(order, kind, detail)
        })
    }

    fn apply<'a>(&'a self, order: &'a RemedyOrder, given: Moment) -> Promise<'a, Receipt> {
        Box::pin(async move {
            let most = order.at_most.min(order.command.time_limit);
            let left = given.after(most).since(self.machines.clock_of(self.healer).now());
            if left == Span::ZERO {
                return receipt(order, ReceiptKind::Refused, "nothing was left of the lease");
            }
            match self.begin(order, left) {
                Err(refused) => refused,
                Ok(told) => told
                    .await
                    .unwrap_or_else(|_| receipt(order, ReceiptKind::Unknown, "its guard is gone")),
            }
        })
    }

    fn confirm<'a>(&'a self, _order: &'a RemedyOrder) -> Promise<'a, Finding> {
        Box::pin(async { Finding::CannotTell })
    }
}

impl Hands {
    fn begin(
        &self,
        order: &RemedyOrder,
        left: Span,
    ) -> Result<oneshot::Receiver<Receipt>, Receipt> {
        let machines = &self.machines;
        machines.judge_remedy(order);
        let mut kept = machines.desk.kept();
        let known = kept.fences.get(&order.subject).copied().unwrap_or_default();
        if order.fence < known {
            return Err(receipt(order, ReceiptKind::Refused, "a higher fence was seen"));
        }
        kept.fences.insert(order.subject, order.fence);
        kept.running.insert(order.remedy, order.subject);
        let habit = kept.habits.pop_front().unwrap_or(Habit::Works);
        let takes = kept.takes.unwrap_or(TAKES);
        kept.journal.push(JournalLine {
            remedy: order.remedy,
            subject: order.subject,
            healer: machines.all[self.healer].id,
            fence: order.fence,
            began: machines.now(),
            ended: None,
            had_effect: false,
        });
        drop(kept);
        let (tell, told) = oneshot::channel();
        let (machines, order) = (Arc::clone(machines), order.clone());
        let program = Program { machines, order, habit, takes, left };
        // Beside the agent's own tasks: a frozen agent does not freeze what it has begun.
        tokio::spawn(program.run(tell));
        Ok(told)
    }
}

impl Program {
    async fn run(self, mut tell: oneshot::Sender<Receipt>) {
        let span = |span: Span| Duration::from_millis(span.as_milliseconds());
        let takes = if self.habit == Habit::Hangs { self.left } else { self.takes.min(self.left) };
        tokio::select! {
            biased;
            // Its agent is dead: the guard ends it (protocol 7.5).
            () = tell.closed() => self.machines.desk.end(self.order.remedy, (self.machines.now(), false)),
            () = sleep(span(takes)) => {
                // An asker that is gone in this instant learns of it by an inspection.
                tell.send(self.end()).ok();
            }
        }
    }

    fn end(self) -> Receipt {
        let is_cut_short = self.habit == Habit::Hangs || self.takes > self.left;
        let (kind, why, has_effect) = match self.habit {
            _ if is_cut_short => (ReceiptKind::Unknown, "ended at its time limit", false),
            Habit::Works => (ReceiptKind::Done, "exit 0", true),
            Habit::DoesNothing => (ReceiptKind::Done, "exit 0", false),
            Habit::Refuses => (ReceiptKind::Refused, "exit 75: it would not", false),
            Habit::ReceiptLost => (ReceiptKind::Unknown, "its end was not seen", true),
            Habit::Fails | Habit::Hangs => (ReceiptKind::Unknown, "exit 1", false),
        };
        self.machines.desk.end(self.order.remedy, (self.machines.now(), has_effect));
        if has_effect {
            Machines::revive(&self.machines, &self.order.subject);
        }
        receipt(&self.order, kind, why)
    }
}

impl Machines {
    fn judge_remedy(&self, order: &RemedyOrder) {
        let ledger = self.newest();
        let stands = ledger.case(order.case).is_some_and(|case| {
            matches!(&case.stage, Stage::Remedy { lease, remedy }
                if *remedy == order.remedy && lease.fence == order.fence && lease.ends > ledger.time())
        });
        let (is_again, is_beside) = {
            let kept = self.desk.kept();
            let is_again = kept.journal.iter().any(|line| line.remedy == order.remedy);
            (is_again, kept.running.values().any(|subject| *subject == order.subject))
        };
        let mut laws = self.laws();
        if !stands {
            laws.breach("law L3: no effect without a live lease and a committed intent");
        }
        if is_again {
            laws.breach("protocol 7.5: a remedy id is not begun twice");
        }
        if is_beside {
            laws.breach("law L1: two remedies on one subject at once");
        }
    }
}

impl PagerDoor for Hands {
    fn carry(&self, call: Call) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let me = self.machines.all[self.healer].id;
        self.machines.desk.kept().pages.push((me, call.page.case));
        Box::pin(async {})
    }
}

fn receipt(order: &RemedyOrder, kind: ReceiptKind, detail: &str) -> Receipt {
    Receipt { remedy: order.remedy, fence: order.fence, kind, detail: detail.to_owned() }
}
