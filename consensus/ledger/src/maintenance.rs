//! Windows of maintenance: while one is open nothing begins on whom it covers (protocol 6.5, 6.9).
//!
//! Law MW1: in an open window no remedy begins on a host of its scope; what has begun is inspected and verified.
//! Law MW2: a window ends by a person or by ledger time, no later than its length after it opened, and opens by its schedule once for each
//! time that the schedule names.
//! Not here: when a schedule is due, which the leader's host reads from its wall clock (see `daemon`); what holds a case otherwise
//! (see `limits`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{HostId, LedgerTime, Scope, Span, WallNote};

use crate::audit::What;
use crate::case::Case;
use crate::command::{Order, Outcome, Refused};
use crate::ledger::Ledger;
use crate::rules;
use crate::verdicts::covers;

/// What is planned and what is open, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Windows {
    /// Numbers are never given twice.
    last: u64,
    all: BTreeMap<u64, Window>,
}

/// One window, once or again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// What was ordered.
    pub plan: Plan,
    /// Who ordered it.
    pub who: String,
    /// Why.
    pub why: String,
    /// When, for people.
    pub added_wall: WallNote,
    /// Until when it is open; `None`: it is closed.
    pub open_until: Option<LedgerTime>,
    /// The time of its schedule at which it has opened last, in seconds of the wall clock since 1970, and when that was.
    pub occurred: Option<(u64, LedgerTime)>,
}

/// Where, when and for how long nothing is to begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Whom it covers.
    pub scope: Scope,
    /// How long it is open, from [`Plan::LASTS_MIN`] to [`Plan::LASTS_MAX`].
    pub lasts: Span,
    /// When it opens; `None`: now, and once.
    pub schedule: Option<Schedule>,
}

/// Times of a calendar, as the leader's host reads them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Five fields as crontab(5) has them: minute, hour, day of the month, month, day of the week; at most
    /// [`Schedule::TEXT_BYTES_MAX`].
    pub cron: String,
    /// A name of the time zone database; at most as long.
    pub time_zone: String,
}

impl Window {
    /// Whether a time of its schedule may open it now (law MW2). A time before the last one is that of a clock that was set right: it counts
    /// once the window of the wrong one would be over.
    pub fn may_open(&self, at: u64, now: LedgerTime) -> bool {
        let is_new = self.occurred.is_none_or(|(last, when)| {
            at > last || at < last && now.since(when) >= self.plan.lasts
        });
        self.plan.schedule.is_some() && self.open_until.is_none() && is_new
    }
}

impl Plan {
    /// Shorter ones are over before anybody has begun.
    pub const LASTS_MIN: Span = Span::minutes(1);
    /// What stands for longer is forgotten; whoever needs more says so again within a week.
    pub const LASTS_MAX: Span = Span::minutes(7 * 24 * 60);
}

impl Schedule {
    /// The longest names of the time zone database have some thirty bytes, schedules fewer.
    pub const TEXT_BYTES_MAX: usize = 64;
}

/// More than an operator oversees; each is looked at for each case that waits.
const WINDOWS_MAX: usize = 256;

impl Ledger {
    /// All windows, by number.
    pub fn windows(&self) -> impl Iterator<Item = (u64, &Window)> {
        self.state.added.windows.all.iter().map(|(number, window)| (*number, window))
    }

    /// A person plans a window, or opens one now.
    pub(crate) fn maintain(
        &mut self,
        by: HostId,
        plan: &Plan,
        order: &Order,
    ) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        self.ordered(by, order)?;
        self.is_sound(plan)?;
        let windows = &self.state.added.windows;
        if windows.all.len() >= WINDOWS_MAX {
            return Err(Refused::Bound(format!("windows of maintenance: {WINDOWS_MAX}")));
        }
        let number = windows.last.saturating_add(1);
        let now = self.state.time;
        let Order { who, why } = order.clone();
        let window = Window {
            plan: plan.clone(),
            who: who.clone(),
            why: why.clone(),
            added_wall: self.state.wall,
            open_until: plan.schedule.is_none().then(|| now.after(plan.lasts)),
            occurred: None,
        };
        let windows = Arc::make_mut(&mut self.state.added.windows);
        windows.last = number;
        windows.all.insert(number, window);
        let plan = plan.clone();
        self.record(What::MaintenancePlanned { window: number, plan, who, why });
        Ok(Outcome::Window { window: number })
    }

    /// A person ends a window, open or not, for good.
    pub(crate) fn end_maintenance(
        &mut self,
        by: HostId,
        number: u64,
        order: &Order,
    ) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        self.ordered(by, order)?;
        if !self.state.added.windows.all.contains_key(&number) {
            return Err(Refused::Nothing);
        }
        Arc::make_mut(&mut self.state.added.windows).all.remove(&number);
        let Order { who, why } = order.clone();
        self.record(What::MaintenanceEnded { window: number, who, why });
        Ok(Outcome::Done)
    }

    /// By the leader's wall clock a time of a window's schedule has come: it is open for what is left of its length (law MW2).
    pub(crate) fn occurs(&mut self, number: u64, at: u64, left: Span) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        let window = self.state.added.windows.all.get(&number).ok_or(Refused::Nothing)?;
        let now = self.state.time;
        if !window.may_open(at, now) || left == Span::ZERO {
            return Err(Refused::Nothing);
        }
        let left = left.min(window.plan.lasts);
        let windows = Arc::make_mut(&mut self.state.added.windows);
        if let Some(window) = windows.all.get_mut(&number) {
            window.occurred = Some((at, now));
            window.open_until = Some(now.after(left));
        }
        self.record(What::MaintenanceBegan { window: number, left });
        Ok(Outcome::Done)
    }

    /// The open window that covers this host and ends last.
    pub fn maintenance_of(&self, host: &HostId) -> Option<(u64, &Window)> {
        let claims = &self.state.roster.get(host)?.claims;
        let covers_it = |scope: &Scope| match scope {
            Scope::Host(covered) => covered == host,
            Scope::Group(group) => *group == claims.group,
            Scope::Rack(_) | Scope::Zone(_) | Scope::Fleet => covers(scope, &claims.domain),
        };
        let open = self.windows().filter(|(_, window)| window.open_until.is_some());
        open.filter(|(_, window)| covers_it(&window.plan.scope))
            .max_by_key(|(_, window)| window.open_until)
    }

    /// Law MW1.
    pub(crate) fn maintenance_hold(&self, case: &Case) -> Option<Refused> {
        self.maintenance_hold_of(&case.host()?)
    }

    /// The same of a host.
    pub(crate) fn maintenance_hold_of(&self, host: &HostId) -> Option<Refused> {
        let (number, window) = self.maintenance_of(host)?;
        Some(Refused::Maintenance {
            window: number,
            scope: window.plan.scope.clone(),
            why: window.why.clone(),
            left: window.open_until?.since(self.state.time),
        })
    }

    /// Whether any is open.
    pub(crate) fn is_maintained(&self) -> bool {
        self.windows().any(|(_, window)| window.open_until.is_some())
    }

    /// Law MW2.
    pub(crate) fn close_windows(&mut self) {
        let now = self.state.time;
        let is_over = |window: &Window| window.open_until.is_some_and(|until| until <= now);
        let over: Vec<u64> = self
            .windows()
            .filter(|(_, window)| is_over(window))
            .map(|(number, _)| number)
            .collect();
        for number in over {
            let windows = Arc::make_mut(&mut self.state.added.windows);
            if let Some(window) = windows.all.get_mut(&number) {
                window.open_until = None;
                if window.plan.schedule.is_none() {
                    windows.all.remove(&number);
                }
            }
            let (who, why) = ("the plan".into(), "its time is over".into());
            self.record(What::MaintenanceEnded { window: number, who, why });
        }
    }

    fn is_sound(&self, plan: &Plan) -> Result<(), Refused> {
        let malformed = |why: String| Err(Refused::Malformed(why));
        let (least, most) = (Plan::LASTS_MIN, Plan::LASTS_MAX);
        if !(least..=most).contains(&plan.lasts) {
            let lasts = plan.lasts;
            return malformed(format!("a window of {lasts}: it lasts from {least} to {most}"));
        }
        if let Scope::Host(host) = &plan.scope {
            self.member(*host)?;
        } else if self.derived.census.total(&plan.scope) == 0 {
            return malformed("no host of the mesh is in that scope".into());
        }
        let most = Schedule::TEXT_BYTES_MAX;
        let is_text = |text: &str| {
            (1..=most).contains(&text.len())
                && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        };
        match &plan.schedule {
            Some(schedule) if !is_text(&schedule.cron) || !is_text(&schedule.time_zone) => {
                malformed(format!(
                    "a schedule and its time zone have 1 to {most} plain letters each"
                ))
            }
            _ => Ok(()),
        }
    }
}
