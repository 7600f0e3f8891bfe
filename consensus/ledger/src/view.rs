//! What agents and operators read: cases, budgets, holds, deadlines.
//!
//! Law E1: every rule that keeps a case from its next step is named with its figures; nothing here moves anything.
//! Not here: words and screens (see `daemon`).

use std::sync::Arc;

use detection::roster::Roster;
use detection::seats::Seating;
use vocabulary::{
    Anchor, CaseId, Fence, HostId, LedgerIndex, LedgerTime, PublicKey, Scope, Span, VerdictKind,
    WallNote,
};

use crate::audit::{Audit, Record};
use crate::brakes::Brakes;
use crate::case::{Case, RemedyNote, Stage};
use crate::command::Refused;
use crate::founding::Founding;
use crate::in_force::PolicyShelf;
use crate::ledger::Ledger;
use crate::policy::{Policy, Rung};

/// One scope's budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetLine {
    /// Whose.
    pub scope: Scope,
    /// How many hosts it has.
    pub hosts: u32,
    /// How many leases and reboot slots count in it.
    pub used: u32,
    /// How many may.
    pub limit: u32,
    /// How many of its hosts are unhealthy.
    pub unhealthy: u32,
    /// Above how many unhealthy hosts healing halts in it, if the policy says so.
    pub halt_above: Option<u32>,
    /// How many remedies began in it within the last hour.
    pub begun: u32,
    /// How many may, if the policy says so.
    pub per_hour: Option<u32>,
    /// How many remedies began in it within the last day; none is counted while no day is bounded.
    pub begun_in_a_day: u32,
    /// How many may in any day, if the policy says so.
    pub per_day: Option<u32>,
    /// Where it is spent: within what time the first of its leases ends unless it is renewed.
    pub next_free: Option<Span>,
}

/// One rule that keeps a case from its next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// From which step.
    pub step: Step,
    /// The rule with its figures; its sentence says what frees it.
    pub rule: Refused,
    /// How long it still holds, where time alone frees it.
    pub left: Option<Span>,
}

/// The next step of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A lease.
    Lease,
    /// The intent.
    Intent,
    /// The proof.
    Proof,
    /// A person.
    Person,
}

/// A time at which a case moves by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Which case.
    pub case: CaseId,
    /// When, in ledger time.
    pub at: LedgerTime,
}

impl Ledger {
    /// The last applied entry.
    pub fn index(&self) -> LedgerIndex {
        self.state.index
    }

    /// Ledger time.
    pub fn time(&self) -> LedgerTime {
        self.state.time
    }

    /// The leader's wall clock at the last applied entry, for people.
    pub fn wall(&self) -> WallNote {
        self.state.wall
    }

    /// What a round hangs on: the last applied entry and the audit behind it (protocol 3.1). It is fresh for as long as
    /// the next entries add less than [`crate::clock::ANCHOR_AGE_MAX`]: where nothing ticks, a tick comes before a round.
    pub fn anchor(&self) -> Anchor {
        Anchor { index: self.state.index, audit: self.state.audit.head().digest }
    }

    /// Who belongs; empty and of the cluster `unfounded` before the founding.
    pub fn roster(&self) -> &Arc<Roster> {
        &self.state.roster
    }

    /// Whether this host has enrolled with this key and waits for the next epoch (protocol 1.3).
    pub fn is_enrolling(&self, host: &HostId, key: &PublicKey) -> bool {
        self.state.enrolling.get(host).is_some_and(|(_, own)| own == key)
    }

    /// Who watches whom, of the same epoch as the roster.
    pub fn seating(&self) -> &Arc<Seating> {
        &self.derived.seating
    }

    /// The policy in force; the default one, which only observes, until a person sets one.
    pub fn policy(&self) -> &Policy {
        self.state.shelf.policy()
    }

    /// The policy's version, text, author, reason and history.
    pub fn policy_shelf(&self) -> &Arc<PolicyShelf> {
        &self.state.shelf
    }

    /// What was settled at the founding; `None` before.
    pub fn founding(&self) -> Option<&Arc<Founding>> {
        self.state.founding.as_ref()
    }

    /// Whether anything but founding is taken.
    pub fn is_founded(&self) -> bool {
        self.state.founding.is_some()
    }

    /// The fence of the next grant: a number that changes with each, for the leader's choice of a healer.
    pub fn next_fence(&self) -> Fence {
        self.state.fence.next()
    }

    /// All cases that are not closed, by number.
    pub fn cases(&self) -> impl Iterator<Item = &Arc<Case>> {
        self.state.cases.open()
    }

    /// The lately closed cases, by number.
    pub fn closed_cases(&self) -> impl Iterator<Item = &Arc<Case>> {
        self.state.cases.closed()
    }

    /// A case by its number, open or lately closed.
    pub fn case(&self, id: CaseId) -> Option<&Arc<Case>> {
        self.state.cases.get(id)
    }

    /// The open case on a host.
    pub fn case_of_host(&self, host: &HostId) -> Option<&Arc<Case>> {
        self.state.cases.of_host(host)
    }

    /// Pause, surge and ramp.
    pub fn brake(&self) -> &Brakes {
        &self.state.brakes
    }

    /// Since when a host's agent has been away with a goodbye (protocol 3.6 `Left`).
    pub fn left_since(&self, host: &HostId) -> Option<LedgerTime> {
        self.state.departures.get(host).map(|left| left.at)
    }

    /// The history.
    pub fn audit(&self) -> &Audit {
        &self.state.audit
    }

    /// The kept records above this number, oldest first.
    pub fn audit_since(&self, number: u64) -> impl Iterator<Item = &Record> {
        self.state.audit.since(number)
    }

    /// Every scope's budget: fleet, then zones, racks and groups in order.
    pub fn budgets(&self) -> Vec<BudgetLine> {
        let census = &self.derived.census;
        let mut scopes: Vec<&Scope> = census.scopes().collect();
        scopes.sort_by_key(|scope| (**scope != Scope::Fleet, scope_rank(scope)));
        scopes.into_iter().map(|scope| self.budget_line(scope)).collect()
    }

    /// Every scope of the roster and how many hosts it has, in no order that means anything.
    pub fn scopes(&self) -> impl Iterator<Item = (&Scope, u32)> {
        let census = &self.derived.census;
        census.scopes().map(|scope| (scope, census.total(scope)))
    }

    /// Every rule that now keeps this case from its next step; empty where only an agent's work is awaited.
    pub fn holds(&self, id: CaseId) -> Vec<Hold> {
        let Some(case) = self.case(id) else {
            return Vec::new();
        };
        let (step, rules) = match &case.stage {
            Stage::Open if case.kind == VerdictKind::Unsettled => {
                (Step::Person, self.unsettled_holds(case))
            }
            // Law FC3: no brake and no budget keeps it from what no rule asks.
            Stage::Open if case.is_unfit() => (Step::Lease, vec![Refused::NoRule]),
            Stage::Open | Stage::Orphaned { .. } => (Step::Lease, self.offer_holds(case)),
            Stage::Leased(lease) => {
                let mut rules = self.intent_holds(case, lease);
                let last = case.refused.iter().filter(|last| !rules.contains(last));
                // What the last look said holds until the next one says otherwise; waits are told from the moment.
                let looked = last.filter(|last| {
                    matches!(
                        last,
                        Refused::Grounds(_) | Refused::ThreeRounds { .. } | Refused::Stale { .. }
                    )
                });
                rules.extend(looked.cloned().collect::<Vec<_>>());
                (Step::Intent, rules)
            }
            Stage::Verifying { well_since, .. } => {
                (Step::Proof, self.proof_holds(case, *well_since))
            }
            Stage::Escalated { why, .. } => {
                (Step::Person, vec![Refused::Stage(format!("a person's: {why}"))])
            }
            Stage::Quarantined { why, .. } => {
                (Step::Person, vec![Refused::Stage(format!("quarantined: {why}"))])
            }
            Stage::Offered(_) | Stage::Remedy { .. } | Stage::Closed { .. } => return Vec::new(),
        };
        let hold = |rule: Refused| Hold { step, left: left_of(&rule), rule };
        rules.into_iter().map(hold).collect()
    }

    /// The rung that is being tried or is to be tried next: as it was begun, else as the policy in force has it.
    pub fn rung_of(&self, case: &Case) -> Option<&Rung> {
        // A begun rung is read from the stored case, so that the answer lives as long as the ledger.
        let stored = self.case(case.id).and_then(|stored| stored.pending());
        let begun = stored.map(|note: &RemedyNote| &note.applied);
        begun.or_else(|| self.next_rung(case).map(|(_, rung)| rung))
    }

    /// When which case moves by itself, soonest first.
    pub fn deadlines(&self) -> Vec<Deadline> {
        let due = |case: &Arc<Case>| {
            let at = self.ends_at(case)?;
            Some(Deadline { case: case.id, at })
        };
        let mut deadlines: Vec<Deadline> = self.cases().filter_map(due).collect();
        deadlines.sort_by_key(|deadline| (deadline.at, deadline.case));
        deadlines
    }

    fn budget_line(&self, scope: &Scope) -> BudgetLine {
        let counts = self.state.cases.counts(scope);
        let hosts = self.derived.census.total(scope);
        let (limit, budget) = (self.in_flight_limit(scope), self.policy().budget.of(scope));
        let halt_above = budget.and_then(|budget| budget.halt_above);
        let used = self.in_flight(scope);
        BudgetLine {
            scope: scope.clone(),
            hosts,
            used,
            limit,
            unhealthy: counts.unhealthy,
            halt_above: halt_above.map(|halt| halt.of(hosts)),
            begun: self.begun_in(scope),
            per_hour: budget.and_then(|budget| budget.per_hour),
            begun_in_a_day: self.begun_in_a_day(scope),
            per_day: budget.and_then(|budget| budget.per_day),
            next_free: (used >= limit).then(|| self.next_free(scope)).flatten(),
        }
    }

    fn next_free(&self, scope: &Scope) -> Option<Span> {
        let counts_here = |case: &&Arc<Case>| {
            let lease = case.counted_lease();
            lease.is_some_and(|lease| lease.scopes.all().contains(scope))
        };
        let ends = self.cases().filter(counts_here).filter_map(|case| self.ends_at(case));
        ends.min().map(|at| at.since(self.state.time))
    }

    fn proof_holds(&self, case: &Case, well_since: Option<LedgerTime>) -> Vec<Refused> {
        let (Some(host), Some(note)) = (case.host(), case.remedies.last()) else {
            return Vec::new();
        };
        let mut holds: Vec<Refused> = self.proven_by(host, note).err().into_iter().collect();
        let soaked = well_since.map(|since| self.state.time.since(since));
        let left = note.applied.soak.less(soaked.unwrap_or_default());
        if left > Span::ZERO {
            let what = "to call it healed: it soaks".into();
            holds.push(Refused::TooSoon { what, left });
        }
        holds
    }
}

fn left_of(rule: &Refused) -> Option<Span> {
    match rule {
        Refused::TooSoon { left, .. }
        | Refused::PerHour { left, .. }
        | Refused::PerDay { left, .. }
        | Refused::Maintenance { left, .. } => Some(*left),
        _ => None,
    }
}

fn scope_rank(scope: &Scope) -> (u8, Scope) {
    let rank = match scope {
        Scope::Fleet => 0,
        Scope::Zone(_) => 1,
        Scope::Rack(_) => 2,
        Scope::Group(_) => 3,
        Scope::Host(_) => 4,
    };
    (rank, scope.clone())
}
