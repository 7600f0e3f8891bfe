//! How many remedies began in each scope lately: in the last hour, and in the last day.
//!
//! Law SD1: in no hour and in no day more remedies begin in a scope than its budget says, whichever policy was in force when they began.
//! Law SD2: the hours are those of the kept starts, at any time; a day is kept in quarters of an hour, and a start counts until its whole
//! quarter is a day old: never too few are counted, and some for up to a quarter of an hour too long.
//! Not here: what is in flight at once (see `limits`), how often one host is tried (see `damping`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{LedgerTime, Scope, Span};

use crate::case::FrozenScopes;
use crate::command::Refused;
use crate::ledger::Ledger;
use crate::rules;

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

const HOUR: Span = Span::minutes(60);
const QUARTER: Span = Span::minutes(15);

/// A day, and the quarter that has begun.
const QUARTERS_MAX: u64 = 4 * 24 + 1;

impl Begun {
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Works out again what is not kept in snapshots.
    pub fn derive(&mut self) {
        self.by_scope = BTreeMap::new();
        for (at, scopes) in &self.kept {
            for scope in scopes.all() {
                self.by_scope.entry(scope).or_default().push_back(*at);
            }
        }
    }

    /// Whether the hours are those of the kept starts (law SD2).
    pub fn is_derived_true(&self) -> bool {
        let mut again = self.clone();
        again.derive();
        again == *self
    }

    fn add(&mut self, now: LedgerTime, scopes: &FrozenScopes) {
        self.kept.push_back((now, scopes.clone()));
        for scope in scopes.all() {
            self.by_scope.entry(scope).or_default().push_back(now);
        }
    }

    fn is_any_old(&self, now: LedgerTime) -> bool {
        self.kept.front().is_some_and(|(at, _)| now.since(*at) >= HOUR)
    }

    fn forget_old(&mut self, now: LedgerTime) {
        while self.is_any_old(now) {
            let Some((_, scopes)) = self.kept.pop_front() else {
                return;
            };
            for scope in scopes.all() {
                let times = self.by_scope.get_mut(&scope);
                let is_left = times.is_some_and(|times| {
                    times.pop_front();
                    !times.is_empty()
                });
                if !is_left {
                    self.by_scope.remove(&scope);
                }
            }
        }
    }
}

impl Days {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, now: LedgerTime, scopes: &FrozenScopes) {
        let number = quarter_of(now);
        for scope in scopes.all() {
            let quarters = self.0.entry(scope).or_default();
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
    /// How many remedies began in this scope within the last hour, and when the oldest of them is an hour old.
    pub(crate) fn begun_in(&self, scope: &Scope) -> (u32, Span) {
        let now = self.state.time;
        let Some(times) = self.state.begun.by_scope.get(scope) else {
            return (0, Span::ZERO);
        };
        let old = times.partition_point(|at| now.since(*at) >= HOUR);
        let left = times.get(old).map_or(Span::ZERO, |at| HOUR.less(now.since(*at)));
        (u32::try_from(times.len() - old).unwrap_or(u32::MAX), left)
    }

    /// The same of the last day, under rules 2; until then none is counted.
    pub(crate) fn begun_in_a_day(&self, scope: &Scope) -> (u32, Span) {
        let now = self.state.time;
        let quarters = self.state.added.days.0.get(scope).into_iter().flatten();
        let mut within = quarters.filter(|quarter| !is_over(quarter, now)).peekable();
        let left = within.peek().map_or(Span::ZERO, |oldest| ends(oldest).since(now));
        let begun = within.fold(0u32, |sum, quarter| sum.saturating_add(quarter.begun));
        (begun, left)
    }

    /// Law SD1.
    pub(crate) fn start_holds(&self, scope: &Scope) -> impl Iterator<Item = Refused> {
        let budget = self.policy().budget.of(scope);
        let hour = budget.and_then(|budget| budget.per_hour).and_then(|limit| {
            let (used, left) = self.begun_in(scope);
            let scope = scope.clone();
            (used >= limit).then_some(Refused::PerHour { scope, used, limit, left })
        });
        let day = budget.and_then(|budget| budget.per_day).and_then(|limit| {
            let (used, left) = self.begun_in_a_day(scope);
            let scope = scope.clone();
            (used >= limit).then_some(Refused::PerDay { scope, used, limit, left })
        });
        hour.into_iter().chain(day)
    }

    pub(crate) fn begun_hold(&self) -> Option<Refused> {
        (self.state.begun.kept.len() >= BEGUN_MAX)
            .then(|| Refused::Bound(format!("remedies begun in one hour: {BEGUN_MAX}")))
    }

    /// Remembers that a remedy begins on a host that stands there.
    pub(crate) fn remember_start(&mut self, scopes: &FrozenScopes) {
        let mut holds =
            scopes.all().into_iter().filter_map(|scope| self.start_holds(&scope).next());
        assert!(
            holds.next().is_none(),
            "law SD1: nothing begins beyond the hour's and the day's limit"
        );
        let now = self.state.time;
        Arc::make_mut(&mut self.state.begun).add(now, scopes);
        if self.rules() >= rules::SECOND {
            Arc::make_mut(&mut self.state.added.days).add(now, scopes);
        }
    }

    /// Law SD1: what is too old to count is forgotten.
    pub(crate) fn forget_starts(&mut self) {
        let now = self.state.time;
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
