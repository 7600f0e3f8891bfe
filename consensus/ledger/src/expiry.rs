//! What ends by itself when ledger time moves: offers, leases, proofs, patience.
//!
//! Law X1: every term that can hold a case has its end here, so that nothing waits for ever (law G1).
//! Not here: moving time (see `clock`).

use std::sync::Arc;

use vocabulary::{LedgerTime, RemedyClass, Scope, Span, VerdictKind};

use crate::audit::LeaseEnd;
use crate::case::{Case, Closure, FrozenScopes, GroundsKept, Stage};
use crate::command::Refused;
use crate::ledger::Ledger;
use crate::rules;

/// protocol 7.6: after so many takeovers a person is called.
pub const TAKEOVERS_MAX: u32 = 3;

/// A lease under which nothing is begun for so long goes back, so that no healer can hold a budget by looking on (law G2);
/// offers are made when the waits are nearly over, so that an honest one begins within seconds.
pub const IDLE_MAX: Span = Span::minutes(5);

/// Why a lease under which nothing was begun goes back.
const NOT_APPROVED: &str = "no approval of what would begin under it stands";
const NO_RULE_ACTS: &str = "the policy in force has no rule that acts on it any more";
const NO_SUCH_RUNG: &str = "the ladder of its rule has no such rung any more";
const EXEMPT: &str = "its host is exempt";
const IN_MAINTENANCE: &str = "its healer is gone, and a window of maintenance is open";

/// An end that is due.
enum Due {
    NotAccepted,
    HeldBack(&'static str),
    Idle,
    RanOut,
    NotProven,
    Hopeless(String),
    Escalated(String),
}

impl Ledger {
    /// Ends what is over; runs at the head of each entry, before its commands.
    pub(crate) fn expire(&mut self) {
        if self.state.founding.is_none() {
            return;
        }
        let due: Vec<(Arc<Case>, Due)> = self
            .state
            .cases
            .open()
            .filter_map(|case| Some((case.clone(), self.due(case)?)))
            .collect();
        for (case, due) in due {
            let case = Case::clone(&case);
            match due {
                Due::NotAccepted => self.end_lease(case, LeaseEnd::NotAccepted),
                Due::HeldBack(why) => self.end_lease(case, LeaseEnd::Released(why.into())),
                Due::Idle => self.end_idle(case),
                Due::RanOut => self.end_lease(case, LeaseEnd::RanOut),
                Due::NotProven => {
                    self.fail_rung(case, "the time for its proof is over".into());
                }
                Due::Hopeless(why) => self.give_up(case, why),
                Due::Escalated(why) => self.escalate(case, why),
            }
        }
        self.end_duplicates();
        self.expire_farewells();
        self.forget_attempts();
        self.forget_returns();
        self.forget_approvals();
        self.close_windows();
        self.note_troubled_slots();
        self.forget_doubts();
        self.step_ramp();
        self.lift_calm_surge();
    }

    /// Where waits or brakes held the intent back the lease goes back, and is offered again. Where the looks themselves bore
    /// neither the verdict nor its end for so long, no other healer sees more: the case is unsettled, and a person's
    /// (protocol 3.6 `Unsettled`, law G1).
    fn end_idle(&mut self, case: Case) {
        let is_free = |lease| self.intent_holds(&case, lease).is_empty();
        let was_looked_at = matches!(&case.stage, Stage::Leased(lease) if is_free(lease));
        if let Some(refused @ (Refused::Grounds(_) | Refused::ThreeRounds { .. })) = &case.refused
            && was_looked_at
        {
            let why = format!("looked at for {IDLE_MAX} and not settled: {refused}");
            return self.escalate(case, why);
        }
        let why = format!("nothing was begun under it for {IDLE_MAX}");
        self.end_lease(case, LeaseEnd::Released(why));
    }

    /// When the offer, lease or proof of a case ends, whichever is first.
    pub(crate) fn ends_at(&self, case: &Case) -> Option<LedgerTime> {
        let own = match &case.stage {
            Stage::Offered(lease) => Some(lease.granted.after(self.timers().accept_within)),
            Stage::Leased(lease) => Some(lease.ends.min(lease.granted.after(IDLE_MAX))),
            Stage::Remedy { lease, .. } => Some(lease.ends),
            Stage::Verifying { lease, .. } => {
                self.gives_up(case).map(|at| at.min(lease.ends)).or(Some(lease.ends))
            }
            Stage::Open
            | Stage::Orphaned { .. }
            | Stage::Escalated { .. }
            | Stage::Quarantined { .. }
            | Stage::Closed { .. } => None,
        };
        let patience = case.is_live().then(|| self.patience_ends(case)).flatten();
        let approval = self.approval_of(case).map(|given| given.until);
        own.into_iter().chain(patience).chain(approval).min()
    }

    fn due(&self, case: &Case) -> Option<Due> {
        let now = self.state.time;
        let patience = case.is_live().then(|| self.patience_ends(case)).flatten();
        if patience.is_some_and(|at| at <= now) {
            return Some(Due::Escalated(self.lost_patience(case)));
        }
        match &case.stage {
            Stage::Open => self.hopeless(case).map(Due::Hopeless),
            Stage::Offered(_) | Stage::Leased(_)
                if case.pending().is_none() && self.futile(case).is_some() =>
            {
                self.futile(case).map(Due::HeldBack)
            }
            Stage::Offered(lease) => {
                let until = lease.granted.after(self.timers().accept_within);
                (until <= now).then_some(Due::NotAccepted)
            }
            Stage::Leased(lease) => {
                let is_idle = now.since(lease.granted) >= IDLE_MAX;
                let ran_out = (lease.ends <= now).then_some(Due::RanOut);
                is_idle.then_some(Due::Idle).or(ran_out)
            }
            Stage::Remedy { lease, .. } => (lease.ends <= now).then_some(Due::RanOut),
            Stage::Verifying { lease, .. } => {
                let is_over = self.gives_up(case).is_some_and(|at| at <= now);
                let ran_out = (lease.ends <= now).then_some(Due::RanOut);
                is_over.then_some(Due::NotProven).or(ran_out)
            }
            Stage::Orphaned { .. } => {
                let held = self.held_back(case).filter(|_| case.pending().is_none());
                let is_lost = case.takeovers >= TAKEOVERS_MAX;
                let lost = || format!("{TAKEOVERS_MAX} healers took it over and lost it");
                held.map(Due::HeldBack).or_else(|| is_lost.then(|| Due::Escalated(lost())))
            }
            Stage::Escalated { .. } | Stage::Quarantined { .. } | Stage::Closed { .. } => None,
        }
    }

    /// Why nothing can begin under a lease, from rules 2 on: under the first it is sat out.
    fn futile(&self, case: &Case) -> Option<&'static str> {
        if self.rules() < rules::SECOND {
            return None;
        }
        let acts = self.rule_of(case).is_some_and(|rule| rule.acts());
        let why = if acts { NO_SUCH_RUNG } else { NO_RULE_ACTS };
        let acts_no_more = self.next_rung(case).is_none().then_some(why);
        let is_exempt = || self.exempt_hold(case).map(|_| EXEMPT);
        acts_no_more.or_else(is_exempt).or_else(|| self.approval_hold(case).map(|_| NOT_APPROVED))
    }

    /// Why nobody may take a lease over under which nothing was begun.
    fn held_back(&self, case: &Case) -> Option<&'static str> {
        let in_maintenance = || self.maintenance_hold(case).map(|_| IN_MAINTENANCE);
        self.futile(case).or_else(in_maintenance)
    }

    /// When a person is called whatever else happens: an end that nobody can tell, an orphan that nobody takes over, or an
    /// `AgentDown` that no rule acts on.
    fn patience_ends(&self, case: &Case) -> Option<LedgerTime> {
        let timers = self.timers();
        if let Some(since) = self.in_the_dark_since(case) {
            return Some(since.after(timers.unknown_for));
        }
        if case.kind == VerdictKind::Unsettled {
            let calls = self.calls_a_person(case) && self.state.brakes.surge.is_none();
            // What a surge held back is judged within a round or two of its end; if it is not, it is as unsettled as any other.
            let was_held = matches!(case.refused, Some(Refused::Brake(_)));
            let lifted = self.state.cases.told_until().filter(|_| was_held).unwrap_or_default();
            let ends = case.stands_since.after(timers.unsettled_for);
            let ends = calls.then(|| ends.max(lifted.after(timers.settle_for)));
            return ends.filter(|_| !self.is_worked_on(case));
        }
        let is_idle = case.kind == VerdictKind::AgentDown
            && matches!(case.stage, Stage::Open)
            && !self.rule_of(case).is_some_and(|rule| rule.acts());
        let ends = is_idle.then(|| case.stands_since.after(timers.agent_down_for));
        ends.filter(|_| !self.is_worked_on(case))
    }

    /// Whoever works on a host knows of it; what still stands when the window is over calls.
    fn is_worked_on(&self, case: &Case) -> bool {
        case.host().is_some_and(|host| self.maintenance_of(&host).is_some())
    }

    /// Since when nobody can tell how a case stands: since the lease was lost, an end was told unknown, or the remedy
    /// should have ended.
    fn in_the_dark_since(&self, case: &Case) -> Option<LedgerTime> {
        let orphaned = match &case.stage {
            Stage::Orphaned { since, .. } => Some(*since),
            _ => None,
        };
        let unresolved = case.unresolved().map(|note| {
            let ended = note.intended.after(note.applied.command.time_limit);
            note.unknown_since.unwrap_or(ended)
        });
        orphaned.into_iter().chain(unresolved).min()
    }

    fn lost_patience(&self, case: &Case) -> String {
        let timers = self.timers();
        match (case.unresolved(), &case.stage) {
            (Some(note), _) => {
                format!("the end of remedy {} has been unknown for {}", note.id, timers.unknown_for)
            }
            (None, Stage::Orphaned { .. }) => {
                format!("its lease ran out and no healer took it over for {}", timers.unknown_for)
            }
            (None, _) if case.kind == VerdictKind::Unsettled => {
                let why = case.unsettled_why().unwrap_or("no round settled it");
                format!("doubted and not settled for {}: {why}", timers.unsettled_for)
            }
            (None, _) => format!(
                "the agent has been down for {} and no rule acts on it",
                timers.agent_down_for
            ),
        }
    }

    /// Why no rung can be tried any more, if a rule acts on the case at all.
    fn hopeless(&self, case: &Case) -> Option<String> {
        let rule = self.rule_of(case).filter(|rule| rule.acts())?;
        let rungs = rule.ladder.len();
        if case.rung as usize >= rungs {
            return Some(format!("all {rungs} rungs of {:?} were tried", rule.name));
        }
        // Law P3 (see `intents`): a policy of the first rules may go on with more.
        let class = rule.ladder[case.rung as usize].command.class;
        let is_alive = case.kind == VerdictKind::AgentDown && self.rules() >= rules::SECOND;
        if is_alive && class > RemedyClass::Gentle {
            let rung = case.rung + 1;
            let name = &rule.name;
            return Some(format!(
                "rung {rung} of {name:?} is {class}, and the host itself is proven alive"
            ));
        }
        self.spent(case, rule)
    }

    /// protocol 3.6: an agent that said goodbye is a ticket once its grace is over.
    fn expire_farewells(&mut self) {
        let (now, grace) = (self.state.time, self.timers().left_grace);
        let is_over = |at: LedgerTime| now.since(at) >= grace;
        let due: Vec<_> = self
            .state
            .departures
            .awaited()
            .filter(|(_, at)| is_over(*at))
            .map(|(host, _)| host)
            .collect();
        for host in due {
            // A check that failed before it left is part of its ticket: nobody can carry it out any more.
            let open = self.state.cases.of_host(&host).filter(|case| !case.is_unfit());
            let open = open.map(|case| case.id);
            let Some(ticket) = open.or_else(|| self.open_ticket(host)) else {
                // The open cases are at their bound: the ticket is opened when there is room.
                continue;
            };
            Arc::make_mut(&mut self.state.departures).ticketed(host, ticket);
        }
    }

    fn open_ticket(&mut self, host: vocabulary::HostId) -> Option<vocabulary::CaseId> {
        let entry = self.state.roster.get(&host)?;
        let (boot, scopes) = (entry.boot, FrozenScopes::of(&entry.claims));
        let grounds = GroundsKept {
            anchor: self.anchor(),
            digest: vocabulary::Digest::default(),
            against: Vec::new(),
            well: Vec::new(),
            vacant: Vec::new(),
            sights: Vec::new(),
        };
        let mut case = self.new_case(Scope::Host(host), VerdictKind::Left, grounds).ok()?;
        case.boot = boot;
        case.scopes = Some(scopes);
        let id = case.id;
        if let Some(unfit) = self.state.cases.of_host(&host).cloned() {
            self.close(Case::clone(&unfit), Closure::MergedInto(id));
        }
        self.record_verdict(&case);
        self.state.cases.put(case);
        Some(id)
    }
}
