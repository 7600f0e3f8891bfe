//! How many remedies began in each scope lately, and how many reboot slots were granted: in the last hour, and in the last day.
//!
//! Law SD1: in no hour and in no day more remedies begin in a scope than its budget says, whichever policy was in force when they began. Days
//! are counted while the policy bounds any, from then on: while nothing is awaited ledger time stands still, and a day would be weeks.
//! Law SD2: the hours are those of the kept starts, at any time; a day is kept in quarters of an hour, and a start counts until its whole
//! quarter is a day old: never too few are counted, and some for up to a quarter of an hour too long.
//! Not here: what is in flight at once (see `limits`), how often one host is tried (see `damping`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{LedgerTime, Scope, Span};

use crate::bindings::FleetLockId;
use crate::case::FrozenScopes;
use crate::command::Refused;
use crate::ledger::Ledger;
use crate::rules;
use crate::slots::Granted;

/// The remedies of the last hour, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Begun {
    kept: VecDeque<(LedgerTime, FrozenScopes)>,
    /// The same by scope, so that nobody walks all of them for each scope of each case.
    #[serde(skip)]
    by_scope: BTreeMap<Scope, VecDeque<LedgerTime>>,
}

/// How many remedies began in each scope, by quarters of an hour, oldest first. Of each scope at most [`QUARTERS_MAX`] are kept, and no
/// scope of which none is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Days(BTreeMap<Scope, VecDeque<Quarter>>);

/// A quarter of an hour in which something began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Quarter {
    /// Counted from the beginning of ledger time.
    number: u64,
    begun: u32,
}

/// Remedies remembered of one hour: a fifth of the largest mesh; at the bound nothing more begins.
const BEGUN_MAX: usize = 10_000;

static NO_TIMES: VecDeque<LedgerTime> = VecDeque::new();

const HOUR: Span = Span::minutes(60);
const QUARTER: Span = Span::minutes(15);

/// A day, and the quarter that has begun.
const QUARTERS_MAX: u64 = 4 * 24 + 1;

impl Begun {
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Works out again what is not kept in snapshots.
    pub fn derive(&mut self, slots: &VecDeque<Granted>) {
        self.by_scope = BTreeMap::new();
        let remedies = self.kept.iter().map(|(at, scopes)| (*at, scopes.all().to_vec()));
        let slots = slots.iter().map(|(at, scopes, _)| (*at, scopes.clone()));
        let mut all: Vec<(LedgerTime, Vec<Scope>)> = remedies.chain(slots).collect();
        all.sort_by_key(|(at, _)| *at);
        for (at, scopes) in all {
            self.note(at, &scopes);
        }
    }

    /// Something begins there.
    fn note(&mut self, now: LedgerTime, scopes: &[Scope]) {
        for scope in scopes {
            self.by_scope.entry(scope.clone()).or_default().push_back(now);
        }
    }

    /// What was noted first in each of these is too old.
    fn unnote(&mut self, scopes: &[Scope]) {
        for scope in scopes {
            let times = self.by_scope.get_mut(scope);
            let is_left = times.is_some_and(|times| {
                times.pop_front();
                !times.is_empty()
            });
            if !is_left {
                self.by_scope.remove(scope);
            }
        }
    }

    /// Whether the hours are those of the kept starts (law SD2).
    pub fn is_derived_true(&self, slots: &VecDeque<Granted>) -> bool {
        let mut again = self.clone();
        again.derive(slots);
        again == *self
    }

    fn add(&mut self, now: LedgerTime, scopes: &FrozenScopes) {
        self.kept.push_back((now, scopes.clone()));
        self.note(now, &scopes.all());
    }

    fn is_any_old(&self, now: LedgerTime) -> bool {
        self.kept.front().is_some_and(|(at, _)| now.since(*at) >= HOUR)
    }

    fn forget_old(&mut self, now: LedgerTime) {
        while self.is_any_old(now) {
            let Some((_, scopes)) = self.kept.pop_front() else {
                return;
            };
            self.unnote(&scopes.all());
        }
    }
}

impl Days {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, now: LedgerTime, scopes: &[Scope]) {
        let number = quarter_of(now);
        for scope in scopes {
            let quarters = self.0.entry(scope.clone()).or_default();
            match quarters.back_mut() {
                Some(last) if last.number == number => last.begun = last.begun.saturating_add(1),
                _ => quarters.push_back(Quarter { number, begun: 1 }),
            }
        }
    }

    /// Every start is one of the fleet's, so the fleet's oldest is the oldest.
    fn is_any_old(&self, now: LedgerTime) -> bool {
        let fleet = self.0.get(&Scope::Fleet).and_then(VecDeque::front);
        fleet.is_some_and(|quarter| is_over(quarter, now))
    }

    fn forget_old(&mut self, now: LedgerTime) {
        self.0.retain(|_, quarters| {
            quarters.retain(|quarter| !is_over(quarter, now));
            !quarters.is_empty()
        });
    }
}

impl Ledger {
    /// How many remedies began in this scope within the last hour.
    pub(crate) fn begun_in(&self, scope: &Scope) -> u32 {
        let within = self.hours_of(scope).len();
        u32::try_from(within).unwrap_or(u32::MAX)
    }

    /// The same of the last day; none is counted while no day is bounded.
    pub(crate) fn begun_in_a_day(&self, scope: &Scope) -> u32 {
        self.days_of(scope).fold(0, |sum, quarter| sum.saturating_add(quarter.begun))
    }

    /// Law SD1.
    pub(crate) fn start_holds(&self, scope: &Scope) -> impl Iterator<Item = Refused> {
        let budget = self.policy().budget.of(scope);
        let hour = budget.and_then(|budget| self.hour_hold(scope, budget.per_hour?));
        let day = budget.and_then(|budget| self.day_hold(scope, budget.per_day?));
        hour.into_iter().chain(day)
    }

    fn hour_hold(&self, scope: &Scope, limit: u32) -> Option<Refused> {
        let used = self.begun_in(scope);
        // Law C5: under the first rules the end of the oldest is told, although more may have to end.
        let beyond = if self.rules() < rules::SECOND { 0 } else { used.saturating_sub(limit) };
        let frees = self.hours_of(scope).nth(beyond as usize);
        let left = frees.map_or(Span::ZERO, |at| HOUR.less(self.state.time.since(at)));
        let scope = scope.clone();
        (used >= limit).then_some(Refused::PerHour { scope, used, limit, left })
    }

    fn day_hold(&self, scope: &Scope, limit: u32) -> Option<Refused> {
        let used = self.begun_in_a_day(scope);
        let mut beyond = used.saturating_sub(limit);
        let frees = self.days_of(scope).find(|quarter| {
            let is_enough = quarter.begun > beyond;
            beyond = beyond.saturating_sub(quarter.begun);
            is_enough
        });
        let left = frees.map_or(Span::ZERO, |quarter| ends(quarter).since(self.state.time));
        let scope = scope.clone();
        (used >= limit).then_some(Refused::PerDay { scope, used, limit, left })
    }

    /// When something began in it within the last hour, oldest first.
    fn hours_of(&self, scope: &Scope) -> impl ExactSizeIterator<Item = LedgerTime> {
        let now = self.state.time;
        let times = self.state.begun.by_scope.get(scope);
        let old = times.map_or(0, |times| times.partition_point(|at| now.since(*at) >= HOUR));
        times.unwrap_or(&NO_TIMES).iter().skip(old).copied()
    }

    fn days_of(&self, scope: &Scope) -> impl Iterator<Item = &Quarter> {
        let now = self.state.time;
        let quarters = self.state.added.days.0.get(scope).into_iter().flatten();
        quarters.filter(move |quarter| !is_over(quarter, now))
    }

    pub(crate) fn begun_hold(&self) -> Option<Refused> {
        let kept = self.state.begun.kept.len().saturating_add(self.state.added.slots.granted.len());
        (kept >= BEGUN_MAX)
            .then(|| Refused::Bound(format!("remedies begun in one hour: {BEGUN_MAX}")))
    }

    /// Remembers that a remedy begins on a host that stands there.
    pub(crate) fn remember_start(&mut self, scopes: &FrozenScopes) {
        self.assert_may_start(&scopes.all());
        let now = self.state.time;
        Arc::make_mut(&mut self.state.begun).add(now, scopes);
        self.remember_day(&scopes.all());
    }

    /// Remembers that a reboot slot was granted to this client that counts there.
    pub(crate) fn remember_slot_start(&mut self, client: &FleetLockId, scopes: &[Scope]) {
        self.assert_may_start(scopes);
        let now = self.state.time;
        let granted = (now, scopes.to_vec(), client.clone());
        Arc::make_mut(&mut self.state.added.slots).granted.push_back(granted);
        Arc::make_mut(&mut self.state.begun).note(now, scopes);
        self.remember_day(scopes);
    }

    fn assert_may_start(&self, scopes: &[Scope]) {
        let mut holds = scopes.iter().filter_map(|scope| self.start_holds(scope).next());
        assert!(
            holds.next().is_none(),
            "law SD1: nothing begins beyond the hour's and the day's limit"
        );
    }

    fn remember_day(&mut self, scopes: &[Scope]) {
        if self.policy().budget.bounds_days() {
            Arc::make_mut(&mut self.state.added.days).add(self.state.time, scopes);
        }
    }

    /// Law SD1: under another policy.
    pub(crate) fn days_under_another_policy(&mut self) {
        if !self.policy().budget.bounds_days() && !self.state.added.days.is_empty() {
            self.state.added.days = Arc::default();
        }
    }

    fn is_any_slot_old(&self) -> bool {
        let oldest = self.state.added.slots.granted.front();
        oldest.is_some_and(|(at, ..)| self.state.time.since(*at) >= HOUR)
    }

    /// Law SD1: what is too old to count is forgotten.
    pub(crate) fn forget_starts(&mut self) {
        let now = self.state.time;
        while self.is_any_slot_old() {
            let granted = &mut Arc::make_mut(&mut self.state.added.slots).granted;
            if let Some((_, scopes, _)) = granted.pop_front() {
                Arc::make_mut(&mut self.state.begun).unnote(&scopes);
            }
        }
        if self.state.begun.is_any_old(now) {
            Arc::make_mut(&mut self.state.begun).forget_old(now);
        }
        if self.state.added.days.is_any_old(now) {
            Arc::make_mut(&mut self.state.added.days).forget_old(now);
        }
    }
}

fn quarter_of(at: LedgerTime) -> u64 {
    at.as_milliseconds() / QUARTER.as_milliseconds()
}

/// When what began in it is a day old, the last of it too.
fn ends(quarter: &Quarter) -> LedgerTime {
    let last = quarter.number.saturating_add(QUARTERS_MAX);
    LedgerTime::default().after(Span::milliseconds(last.saturating_mul(QUARTER.as_milliseconds())))
}

fn is_over(quarter: &Quarter, now: LedgerTime) -> bool {
    ends(quarter) <= now
}
