//! What stops all healing at once, and how it begins again: pause, surge, ramp.
//!
//! Law P1: under a brake nothing begins; inspection and verification go on (protocol 6.5).
//! Not here: halts, which are computed from the state of the moment and never latched (see `limits`); counting a surge
//! (see `surges`).

use serde::{Deserialize, Serialize};
use vocabulary::{CaseId, Digest, HostId, LedgerTime, Scope, Span, WallNote};

use crate::audit::What;
use crate::case::{Case, Closure};
use crate::command::{Order, Outcome, Refused};
use crate::ledger::Ledger;

/// The brakes of the whole mesh.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brakes {
    /// A person has stopped healing.
    pub pause: Option<Pause>,
    /// Too much trouble at once.
    pub surge: Option<Surge>,
    /// Healing begins again, a few at a time; a ramp is no brake, it is a narrower budget.
    pub ramp: Option<Ramp>,
}

/// A person's stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Who.
    pub who: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub since: LedgerTime,
    /// The same for people.
    pub since_wall: WallNote,
}

/// A standing surge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surge {
    /// Its case.
    pub case: CaseId,
    /// Of the hosts in doubt, as last told.
    pub doubted: Digest,
    /// When these last changed (protocol 6.4).
    pub changed: LedgerTime,
}

/// The steps after a brake: 1, 2, 4, ... at once (protocol 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ramp {
    /// How many may be in flight in this step.
    pub limit: u32,
    /// How many have ended in this step, well or not.
    pub ended: u32,
    /// When the step began; it ends `ramp_step_within` later at the latest.
    pub since: LedgerTime,
}

impl Surge {
    /// Why nothing may begin while it stands.
    pub fn in_words(&self) -> String {
        format!("too much trouble at once: see case {}", self.case)
    }
}

impl Brakes {
    /// Why nothing may begin; `None` if no brake stands.
    pub fn standing(&self) -> Option<String> {
        let pause =
            self.pause.as_ref().map(|pause| format!("paused by {}: {}", pause.who, pause.why));
        pause.or_else(|| self.surge.map(|surge| surge.in_words()))
    }

    /// Whether ledger time moves any of them.
    pub(crate) fn wants_time(&self, resume_after: Option<Span>) -> bool {
        self.ramp.is_some() || (self.surge.is_some() && resume_after.is_some())
    }
}

impl Ledger {
    pub(crate) fn pause(&mut self, by: HostId, order: &Order) -> Result<Outcome, Refused> {
        self.ordered(by, order)?;
        if self.state.brakes.pause.is_some() {
            return Ok(Outcome::Done);
        }
        self.state.brakes.pause = Some(Pause {
            who: order.who.clone(),
            why: order.why.clone(),
            since: self.state.time,
            since_wall: self.state.wall,
        });
        self.record(What::Paused { who: order.who.clone(), why: order.why.clone() });
        Ok(Outcome::Done)
    }

    pub(crate) fn resume(&mut self, by: HostId, order: &Order) -> Result<Outcome, Refused> {
        self.ordered(by, order)?;
        if self.state.brakes.standing().is_none() {
            return Err(Refused::Nothing);
        }
        self.lift(order);
        Ok(Outcome::Done)
    }

    /// Lifts every brake and begins the ramp at one (protocol 6.4).
    pub(crate) fn lift(&mut self, order: &Order) {
        let now = self.state.time;
        self.record(What::Resumed { who: order.who.clone(), why: order.why.clone() });
        self.state.brakes.pause = None;
        if let Some(surge) = self.state.brakes.surge.take() {
            // protocol 6.4: after a surge `halt_above` counts only newer trouble.
            self.state.cases.tell_until(now);
            if let Some(case) = self.state.cases.get(surge.case).cloned() {
                let how = Closure::ByPerson(format!("{}: {}", order.who, order.why));
                self.close(Case::clone(&case), how);
            }
        }
        self.state.brakes.ramp = Some(Ramp { limit: 1, ended: 0, since: now });
    }

    /// A remedy's way has ended, well or not: it counts for the step of the ramp.
    pub(crate) fn ramp_ended(&mut self) {
        if let Some(ramp) = &mut self.state.brakes.ramp {
            ramp.ended = ramp.ended.saturating_add(1);
        }
    }

    /// Ends the ramp's step when as many as it allows have ended, or its time is over (protocol 6.3).
    pub(crate) fn step_ramp(&mut self) {
        let Some(ramp) = self.state.brakes.ramp else {
            return;
        };
        // Under a brake no step is made: the ramp begins when it is lifted.
        if self.state.brakes.standing().is_some() {
            return;
        }
        let now = self.state.time;
        let is_over = now.since(ramp.since) >= self.timers().ramp_step_within;
        if ramp.ended < ramp.limit && !is_over {
            return;
        }
        let limit = ramp.limit.saturating_mul(2);
        let is_wide = limit >= self.in_flight_limit(&Scope::Fleet);
        self.state.brakes.ramp = (!is_wide).then_some(Ramp { limit, ended: 0, since: now });
    }

    /// Lifts a surge by itself where the policy says so and the doubted hosts have long been the same (protocol 6.4).
    pub(crate) fn lift_calm_surge(&mut self) {
        let (Some(surge), Some(calm)) = (self.state.brakes.surge, self.timers().resume_after)
        else {
            return;
        };
        let is_calm = self.state.time.since(surge.changed) >= calm;
        if is_calm && self.state.brakes.pause.is_none() {
            self.lift(&Order {
                who: "the policy".into(),
                why: format!("the doubted hosts have been the same for {calm} (resume_after)"),
            });
        }
    }
}
