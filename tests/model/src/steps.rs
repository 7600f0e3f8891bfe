//! What can happen next, and what it does.
//!
//! A step is one commit, one look at a clock, or one contact with a subject: between two of them anybody else may act, a
//! process may stand still, and time may go by. What a healer asks of the ledger it asks whether or not its lease still
//! stands; that the ledger says no is part of what is tried.
//! Not here: whether a step breaks a law (see `judge`).

use ledger::case::{Lease, Stage};
use ledger::command::{Command, Outcome};
use vocabulary::{Fence, Receipt, ReceiptKind, Span};

use crate::fleet::{HEALERS, KEEPER, LIMIT, SUBJECTS, case_of, id, order};
use crate::world::{
    Call, KILLED_WITHIN, Look, SLOW_UNIT, Seen, TIME_LIMIT, Task, UNIT, Untold, Variant, World,
};

/// One step. Healers and subjects are told by their places, calls by theirs in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The leader offers the lease of a subject's case to a healer.
    Offer(usize, usize),
    /// The healer takes what is offered to it.
    Accept(usize),
    /// The healer lengthens its lease.
    Renew(usize),
    /// The healer looks last.
    Look(usize),
    /// The healer commits its intent, citing that look.
    Intend(usize),
    /// The healer's guard looks at the clock and goes on its way.
    Begin(usize),
    /// The healer sees a brake and does not begin what it intended.
    GiveUp(usize),
    /// The healer asks the subject what became of a remedy, and tells the ledger.
    Inspect(usize),
    /// The healer's receipt comes to the ledger.
    Tell(usize),
    /// A round sees the subject well after the receipt, and the healer tells.
    Verify(usize),
    /// The healer dies, and with it its guards; it starts again and remembers nothing.
    Restart(usize),
    /// The healer gives its lease back and ends.
    Leave(usize),
    /// A call comes to its subject.
    Arrive(usize),
    /// A running call ends.
    End(usize, Ending),
    /// A subject is well again by itself.
    Recover(usize),
    /// The leader tells that a subject is well in a fresh round.
    SeeWell(usize),
    /// A person stops all healing.
    Pause,
    /// A person lets it go on.
    Resume,
    /// A unit of time goes by, and the leader measures it.
    Time,
    /// A unit of time goes by, and a leader follows that has measured none of it.
    TimeUnderNewLeader,
}

/// How a running call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As it should: the subject starts again.
    Worked,
    /// As it should, and nothing came of it.
    InVain,
    /// The guard ended it; nobody knows what came of it, and nothing did.
    Cut,
}

impl World {
    /// Every step that can be taken from here.
    pub fn steps(&self, steps: &mut Vec<Step>) {
        if self.breach.is_some() {
            return;
        }
        self.leader_steps(steps);
        for healer in 0..HEALERS.len() {
            self.healer_steps(healer, steps);
        }
        for (place, call) in self.calls.iter().enumerate() {
            if call.is_running {
                let endings = [Ending::Worked, Ending::InVain, Ending::Cut];
                steps.extend(endings.map(|ending| Step::End(place, ending)));
            } else {
                steps.push(Step::Arrive(place));
            }
        }
        if self.left.units > 0 && self.calls.iter().all(|call| self.may_outlast_a_unit(call)) {
            steps.push(Step::Time);
            steps.extend((self.left.leaders > 0).then_some(Step::TimeUnderNewLeader));
        }
    }

    fn leader_steps(&self, steps: &mut Vec<Step>) {
        let ledger = &self.keeper.ledger;
        for (subject, own) in self.subjects.iter().enumerate() {
            let stage = &self.case(subject).stage;
            if matches!(stage, Stage::Open | Stage::Orphaned { .. }) {
                steps.extend((0..HEALERS.len()).map(|healer| Step::Offer(subject, healer)));
            }
            let may_recover = !self.case(subject).is_closed() && self.case(subject).may_recover();
            steps.extend((own.is_well && may_recover).then_some(Step::SeeWell(subject)));
            let comes_back = !own.is_well && self.left.recoveries > 0;
            steps.extend(comes_back.then_some(Step::Recover(subject)));
        }
        if ledger.brake().pause.is_some() {
            steps.push(Step::Resume);
        } else if self.left.pauses > 0 {
            steps.push(Step::Pause);
        }
    }

    fn healer_steps(&self, healer: usize, steps: &mut Vec<Step>) {
        let own = &self.healers[healer];
        steps.extend(self.offered(healer).map(|_| Step::Accept(healer)));
        let knows_or_held = own.task.is_some() || self.any_held(healer).is_some();
        steps.extend((self.left.renewals > 0 && knows_or_held).then_some(Step::Renew(healer)));
        steps.extend(own.untold.as_ref().map(|_| Step::Tell(healer)));
        let is_busy = own.task.is_some() || own.untold.is_some();
        if self.left.restarts > 0 && is_busy {
            steps.push(Step::Restart(healer));
            steps.extend(own.task.as_ref().map(|_| Step::Leave(healer)));
        }
        let Some(task) = &own.task else {
            return;
        };
        match (task.intended, task.look) {
            (None, None) => steps.push(Step::Look(healer)),
            (None, Some(_)) => steps.push(Step::Intend(healer)),
            (Some(_), _) if !task.begun => {
                steps.push(Step::Begin(healer));
                let is_braked = self.keeper.ledger.brake().standing().is_some();
                steps.extend(is_braked.then_some(Step::GiveUp(healer)));
            }
            (Some(_), _) => {}
        }
        let stage = &self.case(task.subject).stage;
        let is_held = self.held(task.subject, healer).is_some();
        let is_carried =
            own.untold.is_some() || self.calls.iter().any(|call| call.healer == healer);
        let is_known = task.intended.is_some() && (!task.begun || is_carried);
        let inspects = is_held && matches!(stage, Stage::Remedy { .. }) && !is_known;
        steps.extend(inspects.then_some(Step::Inspect(healer)));
        let is_well = self.subjects[task.subject].is_well;
        let verifies = is_held && is_well && matches!(stage, Stage::Verifying { .. });
        steps.extend(verifies.then_some(Step::Verify(healer)));
    }

    /// Takes a step; `false` where nothing came of it.
    pub fn take(&mut self, step: Step, variant: Variant) -> bool {
        match step {
            Step::Offer(subject, healer) => self.offer((subject, healer), variant),
            Step::Accept(healer) => self.accept(healer),
            Step::Renew(healer) => self.renew(healer),
            Step::Look(healer) => self.look(healer, variant),
            Step::Intend(healer) => self.intend(healer),
            Step::Begin(healer) => self.begin(healer, variant),
            Step::GiveUp(healer) => self.give_up(healer),
            Step::Inspect(healer) => self.inspect(healer, variant),
            Step::Tell(healer) => self.tell(healer),
            Step::Verify(healer) => self.verify(healer),
            Step::Restart(healer) => self.restart(healer),
            Step::Leave(healer) => self.leave(healer),
            Step::Arrive(call) => self.arrive(call, variant),
            Step::End(call, ending) => self.end(call, ending),
            Step::Recover(subject) => self.recover(subject),
            Step::SeeWell(subject) => self.see_well(subject),
            Step::Pause => self.pause(),
            Step::Resume => self.ordered(Command::Resume(order())),
            Step::Time => {
                // A look that is a unit old is stale: the ledger would refuse it, and its healer does not use it.
                let tasks = self.healers.iter_mut().filter_map(|healer| healer.task.as_mut());
                tasks.for_each(|task| task.look = None);
                self.pass(UNIT)
            }
            Step::TimeUnderNewLeader => {
                self.left.leaders -= 1;
                self.pass(Span::ZERO)
            }
        }
    }

    fn offer(&mut self, (subject, healer): (usize, usize), variant: Variant) -> bool {
        let rungs = self.case_rungs();
        let orphans = (0..SUBJECTS.len())
            .filter(|subject| matches!(self.case(*subject).stage, Stage::Orphaned { .. }))
            .count();
        let forgives = variant == Variant::OrphansNotCounted && orphans > 0;
        if forgives {
            self.keeper.set_policy(LIMIT + u32::try_from(orphans).unwrap_or(0), rungs);
        }
        let command = Command::Offer { case: case_of(subject), healer: id(HEALERS[healer]) };
        let outcome = self.keeper.send(KEEPER, command);
        if forgives {
            self.keeper.set_policy(LIMIT, rungs);
        }
        matches!(outcome, Outcome::Leased { .. })
    }

    fn case_rungs(&self) -> usize {
        self.keeper.ledger.policy().rules.first().map_or(1, |rule| rule.ladder.len())
    }

    fn offered(&self, healer: usize) -> Option<(usize, &Lease)> {
        (0..SUBJECTS.len()).find_map(|subject| match &self.case(subject).stage {
            Stage::Offered(lease) if lease.healer == id(HEALERS[healer]) => Some((subject, lease)),
            _ => None,
        })
    }

    fn any_held(&self, healer: usize) -> Option<(usize, Fence)> {
        (0..SUBJECTS.len()).find_map(|subject| Some((subject, self.held(subject, healer)?.fence)))
    }

    fn accept(&mut self, healer: usize) -> bool {
        let Some((subject, lease)) = self.offered(healer) else {
            return false;
        };
        let fence = lease.fence;
        let command = Command::Accept { case: case_of(subject), fence };
        let outcome = self.keeper.send(HEALERS[healer], command);
        if !matches!(outcome, Outcome::Leased { .. }) {
            return false;
        }
        self.work_under(healer, (subject, fence));
        true
    }

    fn work_under(&mut self, healer: usize, (subject, fence): (usize, Fence)) {
        let own = &mut self.healers[healer];
        let asked = own.clock;
        own.task = Some(Task { subject, fence, asked, look: None, intended: None, begun: false });
    }

    /// A life that knows no lease of its own finds it in the ledger, and must renew it before anything else.
    fn renew(&mut self, healer: usize) -> bool {
        let known = self.healers[healer].task.as_ref().map(|task| (task.subject, task.fence));
        let Some((subject, fence)) = known.or_else(|| self.any_held(healer)) else {
            return false;
        };
        let command = Command::Renew { case: case_of(subject), fence };
        let outcome = self.keeper.send(HEALERS[healer], command);
        self.left.renewals -= 1;
        if !matches!(outcome, Outcome::Leased { .. }) {
            self.forget_what_is_lost(healer);
            return true;
        }
        let own = &mut self.healers[healer];
        match &mut own.task {
            Some(task) => task.asked = own.clock,
            None => self.work_under(healer, (subject, fence)),
        }
        true
    }

    fn look(&mut self, healer: usize, variant: Variant) -> bool {
        let anchor = self.keeper.anchor_now();
        let at = self.keeper.ledger.time();
        let truth = [self.subjects[0].is_well, self.subjects[1].is_well];
        let Some(task) = &mut self.healers[healer].task else {
            return false;
        };
        let was_well = truth[task.subject];
        let mut says_well = truth;
        if variant == Variant::NoLastLook {
            says_well[task.subject] = false;
        }
        task.look = Some(Look { anchor, at, says_well, was_well });
        true
    }

    fn intend(&mut self, healer: usize) -> bool {
        let Some(task) = &mut self.healers[healer].task else {
            return false;
        };
        let Some(look) = task.look.take() else {
            return false;
        };
        let (subject, fence) = (task.subject, task.fence);
        let seen = [0, 1].map(|place: usize| (id(SUBJECTS[place]), look.says_well[place]));
        let grounds = self.keeper.round(look.anchor, &seen);
        let command = Command::Intend { case: case_of(subject), fence, grounds };
        let outcome = self.keeper.send(HEALERS[healer], command);
        let Outcome::Intended { remedy } = outcome else {
            self.seen.add(Seen::WELL, look.was_well);
            self.forget_what_is_lost(healer);
            return true;
        };
        self.judge_look(&look);
        if let Some(task) = &mut self.healers[healer].task {
            task.intended = Some(remedy);
        }
        true
    }

    /// A healer that the ledger has refused sees there that its lease is gone; what it may still begin it does not forget.
    fn forget_what_is_lost(&mut self, healer: usize) {
        let fence = |subject| self.held(subject, healer).map(|lease| lease.fence);
        let task = self.healers[healer].task.as_ref();
        let is_lost = task
            .is_some_and(|task| task.intended.is_none() && fence(task.subject) != Some(task.fence));
        if is_lost {
            self.healers[healer].task = None;
        }
    }

    fn begin(&mut self, healer: usize, variant: Variant) -> bool {
        let left = self.lease_left(healer, variant);
        let own = &mut self.healers[healer];
        let Some((task, remedy)) = own.task.as_mut().and_then(|task| {
            let remedy = task.intended?;
            Some((task, remedy))
        }) else {
            return false;
        };
        if left == Span::ZERO {
            return false;
        }
        task.begun = true;
        let call = Call {
            healer,
            subject: task.subject,
            fence: task.fence,
            remedy,
            deadline: own.clock.plus(left.min(TIME_LIMIT)),
            is_running: false,
        };
        let is_taken_over = self.case(call.subject).takeovers > 0;
        self.seen.add(Seen::TAKEN_OVER, is_taken_over);
        self.judge_call(&call);
        self.calls.push(call);
        true
    }

    /// protocol 6.5.
    fn give_up(&mut self, healer: usize) -> bool {
        let own = &mut self.healers[healer];
        let Some(task) = &mut own.task else {
            return false;
        };
        let Some(remedy) = task.intended.take() else {
            return false;
        };
        let (subject, fence) = (task.subject, task.fence);
        own.untold = Some(Untold { subject, fence, remedy, kind: ReceiptKind::Refused });
        self.seen.add(Seen::BRAKED, true);
        true
    }

    /// A subject that compares fences remembers the inspector's, too: what it has not seen of an older one never comes.
    fn inspect(&mut self, healer: usize, variant: Variant) -> bool {
        let Some(task) = &self.healers[healer].task else {
            return false;
        };
        let (subject, fence) = (task.subject, task.fence);
        let Stage::Remedy { remedy, .. } = self.case(subject).stage else {
            return false;
        };
        let own = &mut self.subjects[subject];
        if variant != Variant::NoFenceCheck {
            own.fence = own.fence.max(fence);
        }
        let is_running = self.calls.iter().any(|call| call.remedy == remedy && call.is_running);
        let kind = match (self.subjects[subject].done.contains(&remedy), is_running) {
            (true, _) => ReceiptKind::Done,
            (false, true) => ReceiptKind::Unknown,
            (false, false) => ReceiptKind::Refused,
        };
        let found = Receipt { remedy, fence, kind, detail: String::new() };
        let command = Command::Inspected { case: case_of(subject), fence, found };
        let outcome = self.keeper.send(HEALERS[healer], command);
        if let Some(task) = &mut self.healers[healer].task {
            task.intended = None;
            task.begun = false;
        }
        outcome == Outcome::Done
    }

    fn tell(&mut self, healer: usize) -> bool {
        let Some(untold) = self.healers[healer].untold.take() else {
            return false;
        };
        let Untold { subject, fence, remedy, kind } = untold;
        let receipt = Receipt { remedy, fence, kind, detail: String::new() };
        let command = Command::Receive { case: case_of(subject), receipt };
        self.keeper.send(HEALERS[healer], command);
        let own = &mut self.healers[healer];
        let task = own.task.as_mut().filter(|task| task.intended == Some(remedy));
        if let (Some(task), ReceiptKind::Refused) = (task, kind) {
            task.intended = None;
            task.begun = false;
        }
        true
    }

    fn verify(&mut self, healer: usize) -> bool {
        let Some(task) = &self.healers[healer].task else {
            return false;
        };
        let (case, fence) = (case_of(task.subject), task.fence);
        let grounds = self.true_round();
        let command = Command::Verify { case, fence, grounds };
        let outcome = self.keeper.send(HEALERS[healer], command);
        outcome == Outcome::Done
    }

    fn true_round(&mut self) -> vocabulary::Grounds {
        let anchor = self.keeper.anchor_now();
        let seen = [0, 1].map(|place: usize| (id(SUBJECTS[place]), self.subjects[place].is_well));
        self.keeper.round(anchor, &seen)
    }

    /// protocol 7.5: the guards end with the agent, wherever they are.
    fn restart(&mut self, healer: usize) -> bool {
        self.left.restarts -= 1;
        let own = &mut self.healers[healer];
        (own.task, own.untold) = (None, None);
        self.calls.retain(|call| call.healer != healer);
        true
    }

    fn leave(&mut self, healer: usize) -> bool {
        if let Some(task) = &self.healers[healer].task {
            let (case, fence) = (case_of(task.subject), task.fence);
            let command = Command::Release { case, fence, why: "its healer leaves".into() };
            self.keeper.send(HEALERS[healer], command);
        }
        self.restart(healer)
    }

    fn arrive(&mut self, place: usize, variant: Variant) -> bool {
        let call = self.calls[place].clone();
        if !self.is_live(&call) && variant != Variant::NoFenceCheck {
            self.seen.add(Seen::FENCED, true);
            self.conclude(place, ReceiptKind::Refused);
            return true;
        }
        let own = &mut self.subjects[call.subject];
        own.fence = own.fence.max(call.fence);
        self.judge_touch(&call);
        if self.healers[call.healer].clock >= call.deadline {
            // It stood still since its guard looked at the clock: what it touches it touches, and is ended at once.
            self.seen.add(Seen::LATE, true);
            self.conclude(place, ReceiptKind::Unknown);
        } else {
            self.calls[place].is_running = true;
        }
        true
    }

    fn end(&mut self, place: usize, ending: Ending) -> bool {
        let call = self.calls[place].clone();
        let kind = if ending == Ending::Cut { ReceiptKind::Unknown } else { ReceiptKind::Done };
        if kind == ReceiptKind::Done {
            self.subjects[call.subject].done.push(call.remedy);
        }
        if ending == Ending::Worked {
            self.start_again(call.subject);
        }
        self.conclude(place, kind);
        true
    }

    /// A call is over: its healer has a receipt.
    fn conclude(&mut self, place: usize, kind: ReceiptKind) {
        let Call { healer, subject, fence, remedy, .. } = self.calls.remove(place);
        self.healers[healer].untold = Some(Untold { subject, fence, remedy, kind });
    }

    fn start_again(&mut self, subject: usize) {
        let own = &mut self.subjects[subject];
        own.is_well = true;
        own.boots += 1;
        let number = own.boots + 1;
        self.keeper.boot(SUBJECTS[subject], number);
    }

    fn recover(&mut self, subject: usize) -> bool {
        self.left.recoveries -= 1;
        self.subjects[subject].is_well = true;
        true
    }

    fn see_well(&mut self, subject: usize) -> bool {
        let grounds = self.true_round();
        let command = Command::Recovered { cases: vec![case_of(subject)], grounds };
        let outcome = self.keeper.send(KEEPER, command);
        matches!(outcome, Outcome::Findings(_))
    }

    fn pause(&mut self) -> bool {
        self.left.pauses -= 1;
        self.ordered(Command::Pause(order()))
    }

    fn ordered(&mut self, command: Command) -> bool {
        self.keeper.send(KEEPER, command) == Outcome::Done
    }

    /// protocol 7.5: a guard ends what it runs in time, so that nothing runs on through a unit that began after that.
    fn may_outlast_a_unit(&self, call: &Call) -> bool {
        let then = self.healers[call.healer].clock.plus(SLOW_UNIT);
        !call.is_running || then < call.deadline.plus(KILLED_WITHIN)
    }

    fn pass(&mut self, measured: Span) -> bool {
        self.left.units -= 1;
        for healer in &mut self.healers {
            healer.clock = healer.clock.plus(SLOW_UNIT);
        }
        self.keeper.pass(measured);
        true
    }
}
