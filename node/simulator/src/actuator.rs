//! The modelled hands: remedies that start a subject's agent again, and a journal of them that no agent can write.
//!
//! Law L3: nothing runs without a live lease and a committed intent; a fence lower than one already seen is refused.
//! Law J1: the journal is the world's own word on what was begun, when it ended and whether it had an effect.
//! Not here: whether a remedy worked (the mesh finds out).

use std::collections::{BTreeMap, VecDeque};

use agent::{CallEnd, CallId};
use ledger::case::Stage;
use vocabulary::actuation::RemedyOrder;
use vocabulary::{Fence, HostId, Moment, Receipt, ReceiptKind, RemedyId, Span};

use crate::fleet::{Fleet, Happening};
use crate::host::{OpenKind, Place};

/// What a remedy takes unless it is told otherwise.
const TAKES: Span = Span::milliseconds(800);

/// What an inspection takes.
const INSPECTION_TAKES: Span = Span::milliseconds(200);

/// How a remedy goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// The subject starts again; the receipt says so.
    Works,
    /// The receipt says `Done` and nothing was done.
    DoesNothing,
    /// The program says that it would not.
    Refuses,
    /// The subject starts again, but nobody learns of it: `Unknown`.
    ReceiptLost,
    /// It fails half-way, without effect: `Unknown`.
    Fails,
    /// It never ends by itself.
    Hangs,
}

/// One remedy as the world saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalLine {
    /// Which.
    pub remedy: RemedyId,
    /// On whom.
    pub subject: HostId,
    /// By whom.
    pub healer: HostId,
    /// Under which fence.
    pub fence: Fence,
    /// When it began.
    pub began: Moment,
    /// When it ended.
    pub ended: Option<Moment>,
    /// Whether the subject was started again.
    pub had_effect: bool,
}

/// The hands of the whole fleet.
pub(crate) struct Actuator {
    pub habits: VecDeque<Habit>,
    pub takes: Span,
    pub journal: Vec<JournalLine>,
    running: BTreeMap<RemedyId, Running>,
    fences: BTreeMap<HostId, Fence>,
}

struct Running {
    order: RemedyOrder,
    healer: Place,
    life: u64,
    call: CallId,
    habit: Habit,
    is_cut_short: bool,
}

impl Default for Actuator {
    fn default() -> Self {
        Self {
            habits: VecDeque::new(),
            takes: TAKES,
            journal: Vec::new(),
            running: BTreeMap::new(),
            fences: BTreeMap::new(),
        }
    }
}

impl Fleet {
    /// A healer carries a remedy out.
    pub(crate) fn apply(&mut self, place: Place, id: CallId, order: RemedyOrder) {
        let Some(life) = self.open_call(place, (id, None), None, OpenKind::Remedy) else {
            return;
        };
        self.law_of_remedy(&order);
        let known = self.actuator.fences.get(&order.subject).copied().unwrap_or_default();
        if order.fence < known {
            let why = format!("fence {known} was seen");
            let receipt = receipt(&order, ReceiptKind::Refused, &why);
            self.note(format!("remedy {} is refused: {why}", order.remedy));
            return self.end_call_soon(place, life, id, CallEnd::Applied(receipt));
        }
        self.actuator.fences.insert(order.subject, order.fence);
        let habit = self.actuator.habits.pop_front().unwrap_or(Habit::Works);
        let most = order.command.time_limit.min(order.at_most);
        let takes = match habit {
            Habit::Hangs => most,
            Habit::Refuses => Span::milliseconds(50).min(most),
            Habit::Works | Habit::DoesNothing | Habit::ReceiptLost | Habit::Fails => {
                self.actuator.takes.min(most)
            }
        };
        let is_cut_short = habit == Habit::Hangs || self.actuator.takes > most;
        self.note(format!(
            "remedy {} begins on {}, by {} under fence {}",
            order.remedy,
            order.subject_name,
            self.hosts[place].name(),
            order.fence
        ));
        self.tally_remedy(&order.subject);
        self.actuator.journal.push(JournalLine {
            remedy: order.remedy,
            subject: order.subject,
            healer: self.hosts[place].id,
            fence: order.fence,
            began: self.now,
            ended: None,
            had_effect: false,
        });
        let remedy = order.remedy;
        let running = Running { order, healer: place, life, call: id, habit, is_cut_short };
        self.actuator.running.insert(remedy, running);
        self.queue.put(self.now.after(takes), Happening::RemedyEnds(remedy));
    }

    pub(crate) fn remedy_ends(&mut self, remedy: RemedyId) {
        let Some(running) = self.actuator.running.remove(&remedy) else {
            return;
        };
        let (kind, why, has_effect) = match running.habit {
            _ if running.is_cut_short => (ReceiptKind::Unknown, "ended at its time limit", false),
            Habit::Works => (ReceiptKind::Done, "exit 0", true),
            Habit::DoesNothing => (ReceiptKind::Done, "exit 0", false),
            Habit::Refuses => (ReceiptKind::Refused, "exit 3: it would not", false),
            Habit::ReceiptLost => (ReceiptKind::Unknown, "its end was not seen", true),
            Habit::Fails | Habit::Hangs => (ReceiptKind::Unknown, "exit 1", false),
        };
        self.close_journal(remedy, has_effect);
        let effect = if has_effect { "starts it again" } else { "changes nothing" };
        self.note(format!("remedy {remedy} {effect}, {kind}: {why}"));
        if has_effect {
            self.revive(&running.order.subject);
        }
        let receipt = receipt(&running.order, kind, why);
        let (place, life) = (running.healer, running.life);
        self.end_call(place, life, running.call, CallEnd::Applied(receipt));
    }

    /// protocol 7.5: the guard ends what its agent began, when the agent is gone.
    pub(crate) fn end_remedies_of(&mut self, place: Place, life: u64) {
        let is_own = |running: &Running| running.healer == place && running.life == life;
        let own: Vec<RemedyId> = self
            .actuator
            .running
            .iter()
            .filter(|(_, running)| is_own(running))
            .map(|(remedy, _)| *remedy)
            .collect();
        for remedy in own {
            self.actuator.running.remove(&remedy);
            self.close_journal(remedy, false);
            self.note(format!("remedy {remedy} is ended with its healer's agent"));
        }
    }

    /// A program that changes nothing and says whether the remedy was done.
    pub(crate) fn inspect(&mut self, place: Place, id: CallId, order: &RemedyOrder) {
        let Some(life) = self.open_call(place, (id, None), None, OpenKind::Remedy) else {
            return;
        };
        if order.command.inspect.is_none() {
            let found = receipt(order, ReceiptKind::Unknown, "nothing inspects this rung");
            return self.end_call_soon(place, life, id, CallEnd::Inspected(found));
        }
        let happening = Happening::InspectionEnds(place, life, id, order.remedy);
        self.queue.put(self.now.after(INSPECTION_TAKES), happening);
    }

    pub(crate) fn inspection_ends(
        &mut self,
        place: Place,
        life: u64,
        call: CallId,
        remedy: RemedyId,
    ) {
        let line = self.actuator.journal.iter().rfind(|line| line.remedy == remedy);
        let (kind, detail) = match line {
            Some(line) if line.ended.is_none() => (ReceiptKind::Unknown, "it still runs"),
            Some(line) if line.had_effect => (ReceiptKind::Done, "it was done"),
            Some(_) => (ReceiptKind::Refused, "it had no effect"),
            None => (ReceiptKind::Refused, "it was never begun"),
        };
        let fence = line.map(|line| line.fence);
        let found =
            Receipt { remedy, fence: fence.unwrap_or_default(), kind, detail: detail.into() };
        self.end_call(place, life, call, CallEnd::Inspected(found));
    }

    pub(crate) fn end_call_soon(&mut self, place: Place, life: u64, call: CallId, end: CallEnd) {
        self.queue.put(self.now, Happening::End(place, life, call, Box::new(end)));
    }

    /// The machine is made anew: whatever held it is gone, and its agent starts again.
    fn revive(&mut self, subject: &HostId) {
        if let Some(place) = self.places.get(subject) {
            self.kill(place);
            self.hosts[place].is_silent = false;
            self.end_hold_up(place);
            self.keepers.forget_abreast();
            self.start(place);
        }
    }

    fn close_journal(&mut self, remedy: RemedyId, had_effect: bool) {
        let now = self.now;
        let mut lines = self.actuator.journal.iter_mut();
        if let Some(line) = lines.rfind(|line| line.remedy == remedy) {
            line.ended = Some(now);
            line.had_effect = had_effect;
        }
    }

    /// Law L3, L1 and P1, as the world sees them at the moment of the effect.
    fn law_of_remedy(&mut self, order: &RemedyOrder) {
        let now = self.now;
        let ledger = self.ledger();
        let case = ledger.case(order.case);
        let stands = case.is_some_and(|case| {
            matches!(&case.stage, Stage::Remedy { lease, remedy }
                if *remedy == order.remedy && lease.fence == order.fence && lease.ends > ledger.time())
        });
        let is_again = self.actuator.journal.iter().any(|line| line.remedy == order.remedy);
        let is_beside =
            self.actuator.running.values().any(|running| running.order.subject == order.subject);
        if !stands {
            self.laws.breach("law L3: no effect without a live lease and a committed intent", now);
        }
        if is_again {
            self.laws.breach("protocol 7.5: a remedy id is not begun twice", now);
        }
        if is_beside {
            self.laws.breach("law L1: two remedies on one subject at once", now);
        }
    }
}

fn receipt(order: &RemedyOrder, kind: ReceiptKind, detail: &str) -> Receipt {
    Receipt { remedy: order.remedy, fence: order.fence, kind, detail: detail.to_owned() }
}
