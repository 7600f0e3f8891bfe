//! Of several hosts in one kind of trouble the first goes alone: a remedy that is wrong harms one host, not many (protocol 6.3).
//!
//! A kind is a rule of the policy and a group. It is proven when a remedy of it was, after the last one that was not and the last change of
//! the policy; its memory ends with the last open case of it, so that each bout of trouble begins with one host again.
//! Law CA1: of a kind that is not proven at most one host is granted a lease at once, and one remedy is begun at once.
//! Law CA2: when [`FAILED_MAX`] hosts in a row are given up after remedies that were not proven the kind stops, until a person releases its
//! group. A rung that fails is followed by the next; what counts is a host that is past what its ladder and its attempts can do.
//! Not here: whether a remedy worked (see `proofs`), groups whose replacements fail (see `stops`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{CaseId, Domain, GroupName, HostId};

use crate::audit::What;
use crate::case::{Case, Stage};
use crate::command::Refused;
use crate::ledger::Ledger;
use crate::register::{Kind, kind_of};
use crate::rules;

/// What came of the remedies of each kind: of those with open cases, and of those of the policy's rules that are stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Canaries(BTreeMap<Kind, Canary>);

/// What came of the remedies of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Canary {
    /// The hosts that were given up since the last remedy that was proven, in order.
    failed: Vec<Failed>,
    /// The last remedy was proven: all others may be tried.
    is_proven: bool,
    is_stopped: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Failed {
    host: HostId,
    case: CaseId,
    rack: Domain,
}

/// protocol 6.3: one host may be past help, and two may share what ails them; what did not help a third one is not the right remedy.
const FAILED_MAX: usize = 3;

/// So many hosts in other racks are asked whether they could go first; beyond, the host in a rack where one failed goes.
const ELSEWHERE_MAX: usize = 16;

impl Ledger {
    /// The kinds that are stopped, each as it is told.
    pub fn stopped_kinds(&self) -> impl Iterator<Item = Refused> {
        let kinds = self.state.added.canaries.0.iter();
        kinds.filter(|(_, canary)| canary.is_stopped).map(|(kind, canary)| stopped(kind, canary))
    }

    /// Law CA2.
    pub(crate) fn kind_stop(&self, case: &Case) -> Option<Refused> {
        let kind = kind_of(case)?;
        let canary = self.state.added.canaries.0.get(&kind).filter(|canary| canary.is_stopped)?;
        Some(stopped(&kind, canary))
    }

    /// Law CA1, for a lease: another goes first, or one in a rack where the remedy has not failed yet.
    pub(crate) fn canary_hold(&self, case: &Case) -> Option<Refused> {
        let kind = self.kind_that_is_open(case)?;
        let leased = self.leased_others_of(case, &kind).next();
        let first = leased.or_else(|| self.approved_beside(case, &kind));
        if let Some(first) = first {
            return Some(Refused::Canary { case: first.id, is_elsewhere: false });
        }
        // Whoever would sit on the lease without a beginning would keep all others waiting.
        let early = self.timers().accept_within;
        let is_long =
            |hold: &Refused| matches!(hold, Refused::TooSoon { left, .. } if *left > early);
        if let Some(hold) = self.quiet_hold(case).filter(is_long)
            && self.others_of(case, &kind).next().is_some()
        {
            return Some(hold);
        }
        let canary = self.state.added.canaries.0.get(&kind)?;
        let has_failed = |case: &Case| {
            let rack = case.scopes.as_ref().map(|scopes| &scopes.domain);
            canary.failed.iter().any(|failed| Some(&failed.rack) == rack)
        };
        if !has_failed(case) {
            return None;
        }
        let is_quiet = |other: &Case| !self.quiet_hold(other).is_some_and(|hold| is_long(&hold));
        let is_ready = |other: &&Arc<Case>| {
            matches!(other.stage, Stage::Open)
                && self.holds_but_canary(other).is_empty()
                && is_quiet(other)
                // Whom a person has allowed waits for nobody who still waits for a person.
                && (self.approval_hold(other).is_none() || self.approval_hold(case).is_some())
        };
        let elsewhere = self.others_of(case, &kind).filter(|other| !has_failed(other));
        let first = elsewhere.take(ELSEWHERE_MAX).find(is_ready)?;
        Some(Refused::Canary { case: first.id, is_elsewhere: true })
    }

    /// Law CA1, for an intent: leases that were granted before the last remedy failed begin one after the other.
    pub(crate) fn canary_hold_of_the_begun(&self, case: &Case) -> Option<Refused> {
        let kind = self.kind_that_is_open(case)?;
        let begun = self.leased_others_of(case, &kind).find(|other| other.pending().is_some())?;
        Some(Refused::Canary { case: begun.id, is_elsewhere: false })
    }

    /// A remedy was not proven: the next host of its kind goes alone again.
    pub(crate) fn canary_unproven(&mut self, case: &Case) {
        if let Some(kind) = kind_of(case).filter(|_| self.rules() >= rules::SECOND) {
            let canaries = &mut Arc::make_mut(&mut self.state.added.canaries).0;
            canaries.entry(kind).or_default().is_proven = false;
        }
    }

    /// A host is given up; why its kind is stopped, if that stops it. Nothing counts where nothing was tried, or nobody knows its end.
    pub(crate) fn canary_failed(&mut self, case: &Case) -> Option<String> {
        let (kind, host) = (kind_of(case)?, case.host()?);
        let is_unproven = case.remedies.last().is_some_and(|note| note.is_proven == Some(false));
        if self.rules() < rules::SECOND || !is_unproven {
            return None;
        }
        let rack = case.scopes.as_ref()?.domain.clone();
        let canary = Arc::make_mut(&mut self.state.added.canaries).0.entry(kind.clone());
        let canary = canary.or_default();
        if canary.is_stopped || canary.failed.iter().any(|failed| failed.host == host) {
            return None;
        }
        canary.failed.push(Failed { host, case: case.id, rack });
        if canary.failed.len() < FAILED_MAX {
            return None;
        }
        canary.is_stopped = true;
        let stop = stopped(&kind, canary);
        let ((rule, group), why) = (kind, in_words(canary));
        self.record(What::KindStopped { rule, group, why });
        Some(stop.to_string())
    }

    /// A remedy was proven: the others of its kind may be tried, as many as the budgets bear.
    pub(crate) fn canary_proven(&mut self, case: &Case) {
        let Some(kind) = kind_of(case).filter(|_| self.rules() >= rules::SECOND) else {
            return;
        };
        let canary = Arc::make_mut(&mut self.state.added.canaries).0.entry(kind).or_default();
        // Law CA2: a stop stays, whatever was begun before it still comes to.
        if !canary.is_stopped {
            *canary = Canary { is_proven: true, ..Canary::default() };
        }
    }

    /// Nothing is remembered of kinds of which no case is open, but stops; nor that one was proven once all that are open are a person's.
    pub(crate) fn forget_canaries(&mut self) {
        if self.state.added.canaries.0.is_empty() {
            return;
        }
        let is_kept = |kind: &Kind, canary: &Canary| {
            let counts = |case: &Arc<Case>| case.is_live() || !canary.is_proven;
            canary.is_stopped || self.state.cases.of_kind(kind).any(counts)
        };
        let kinds = self.state.added.canaries.0.iter();
        let over: Vec<Kind> = kinds
            .filter(|(kind, canary)| !is_kept(kind, canary))
            .map(|(kind, _)| kind.clone())
            .collect();
        if !over.is_empty() {
            let canaries = &mut Arc::make_mut(&mut self.state.added.canaries).0;
            canaries.retain(|kind, _| !over.contains(kind));
        }
    }

    /// A person has set a policy: what was proven was proven by another one, and stops end with their rules.
    pub(crate) fn canaries_under_another_policy(&mut self) {
        if self.state.added.canaries.0.is_empty() {
            return;
        }
        let names: BTreeSet<String> =
            self.policy().rules.iter().map(|rule| rule.name.clone()).collect();
        let canaries = &mut Arc::make_mut(&mut self.state.added.canaries).0;
        canaries.retain(|(rule, _), _| names.contains(rule));
        canaries.values_mut().for_each(|canary| canary.is_proven = false);
    }

    /// A person releases a group: its kinds begin anew. Whether any was stopped.
    pub(crate) fn free_kinds(&mut self, group: &GroupName) -> bool {
        let stops = |(kind, canary): (&Kind, &Canary)| canary.is_stopped && kind.1 == *group;
        if !self.state.added.canaries.0.iter().any(stops) {
            return false;
        }
        let canaries = &mut Arc::make_mut(&mut self.state.added.canaries).0;
        canaries.retain(|kind, canary| !stops((kind, canary)));
        true
    }

    /// Law CA1, of a lease that is granted.
    pub(crate) fn is_alone_or_proven(&self, case: &Case) -> bool {
        let kind = self.kind_that_is_open(case);
        kind.is_none_or(|kind| self.leased_others_of(case, &kind).next().is_none())
    }

    /// Where persons are asked: the one that a person has allowed, for one whom nobody has.
    fn approved_beside(&self, case: &Case, kind: &Kind) -> Option<&Arc<Case>> {
        self.approval_hold(case)?;
        let is_next = |other: &&Arc<Case>| {
            matches!(other.stage, Stage::Open)
                && self.approval_of(other).is_some()
                && other.id != case.id
                && kind_of(other).as_ref() == Some(kind)
                && self.holds_but_canary(other).is_empty()
        };
        self.approved().find(is_next)
    }

    /// The kind of a case, unless it is proven.
    fn kind_that_is_open(&self, case: &Case) -> Option<Kind> {
        let kind = kind_of(case).filter(|_| self.rules() >= rules::SECOND)?;
        let canary = self.state.added.canaries.0.get(&kind);
        (!canary.is_some_and(|canary| canary.is_proven)).then_some(kind)
    }

    fn others_of<'a>(
        &'a self,
        case: &'a Case,
        kind: &'a Kind,
    ) -> impl Iterator<Item = &'a Arc<Case>> {
        self.state.cases.of_kind(kind).filter(|other| other.id != case.id)
    }

    fn leased_others_of<'a>(
        &'a self,
        case: &'a Case,
        kind: &'a Kind,
    ) -> impl Iterator<Item = &'a Arc<Case>> {
        self.state.cases.leased_of_kind(kind).filter(|other| other.id != case.id)
    }
}

fn stopped((rule, group): &Kind, canary: &Canary) -> Refused {
    let (rule, group) = (rule.clone(), group.clone());
    Refused::KindStopped { rule, group, why: in_words(canary) }
}

fn in_words(canary: &Canary) -> String {
    let cases: Vec<String> =
        canary.failed.iter().map(|failed| format!("case {}", failed.case)).collect();
    format!("its remedies helped none of {FAILED_MAX} hosts in a row, of {}", cases.join(", "))
}
