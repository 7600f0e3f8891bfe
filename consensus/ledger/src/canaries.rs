//! Of several hosts in one kind of trouble the first goes alone: a remedy that is wrong harms one host, not many (protocol 6.3).
//!
//! A kind is a rule of the policy and a group. It is proven when a remedy of it was, after the last one that was not; its memory ends with
//! the last open case of it, so that each bout of trouble begins with one host again.
//! Law CA1: of a kind that is not proven at most one host is granted a lease at once, and one remedy is begun at once.
//! Law CA2: when a remedy was not proven on [`FAILED_MAX`] hosts in a row the kind stops, until a person releases its group.
//! Not here: whether a remedy worked (see `proofs`), groups whose replacements fail (see `stops`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{CaseId, Domain, GroupName, HostId, Scope};

use crate::audit::What;
use crate::case::{Case, Stage};
use crate::command::Refused;
use crate::ledger::Ledger;
use crate::rules;

/// What came of the remedies of each kind; at most as many as open cases, and as stops.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Canaries(BTreeMap<Kind, Canary>);

/// A rule, by name, and a group.
type Kind = (String, GroupName);

/// What came of the remedies of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Canary {
    /// The hosts on which a remedy was not proven since the last one that was, in order.
    failed: Vec<Failed>,
    /// The last one was proven: all others may be tried.
    is_proven: bool,
    is_stopped: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Failed {
    host: HostId,
    case: CaseId,
    rack: Domain,
}

/// protocol 6.3: one host may be past help, and two may share what ails them; a remedy that failed on a third one is not the right one.
const FAILED_MAX: usize = 3;

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
        let is_leased = |other: &&Arc<Case>| other.counted_lease().is_some();
        if self.state.cases.counts(&Scope::Group(kind.1.clone())).in_flight > 0
            && let Some(first) = self.others_of(case, &kind).find(is_leased)
        {
            return Some(Refused::Canary { case: first.id, is_elsewhere: false });
        }
        let canary = self.state.added.canaries.0.get(&kind)?;
        let has_failed = |case: &Case| {
            let rack = case.scopes.as_ref().map(|scopes| &scopes.domain);
            canary.failed.iter().any(|failed| Some(&failed.rack) == rack)
        };
        let is_ready = |other: &&Arc<Case>| {
            let early = self.timers().accept_within;
            matches!(other.stage, Stage::Open) && self.begin_holds(other, early).is_empty()
        };
        if !has_failed(case) {
            return None;
        }
        let elsewhere = self.others_of(case, &kind).filter(|other| !has_failed(other));
        let first = elsewhere.into_iter().find(is_ready)?;
        Some(Refused::Canary { case: first.id, is_elsewhere: true })
    }

    /// Law CA1, for an intent: leases that were granted before the last remedy failed begin one after the other.
    pub(crate) fn canary_hold_of_the_begun(&self, case: &Case) -> Option<Refused> {
        let kind = self.kind_that_is_open(case)?;
        let begun = self
            .others_of(case, &kind)
            .find(|other| other.pending().is_some() && other.counted_lease().is_some())?;
        Some(Refused::Canary { case: begun.id, is_elsewhere: false })
    }

    /// A remedy was not proven; why its kind is stopped, if that stops it.
    pub(crate) fn canary_failed(&mut self, case: &Case) -> Option<String> {
        let (kind, host) = (kind_of(case)?, case.host()?);
        if self.rules() < rules::SECOND {
            return None;
        }
        let rack = case.scopes.as_ref()?.domain.clone();
        let canary = Arc::make_mut(&mut self.state.added.canaries).0.entry(kind.clone());
        let canary = canary.or_default();
        canary.is_proven = false;
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
            let counts = |case: &Case| is_of(case, kind) && (case.is_live() || !canary.is_proven);
            canary.is_stopped || self.state.cases.open().any(|case| counts(case))
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
        let is_leased = |other: &Arc<Case>| other.counted_lease().is_some();
        let kind = self.kind_that_is_open(case);
        kind.is_none_or(|kind| !self.others_of(case, &kind).any(is_leased))
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
        self.state.cases.open().filter(move |other| other.id != case.id && is_of(other, kind))
    }
}

fn kind_of(case: &Case) -> Option<Kind> {
    let (rule, _) = case.rule.as_ref()?;
    Some((rule.clone(), case.scopes.as_ref()?.group.clone()))
}

fn is_of(case: &Case, (rule, group): &Kind) -> bool {
    case.rule.as_ref().is_some_and(|(name, _)| name == rule)
        && case.scopes.as_ref().is_some_and(|scopes| scopes.group == *group)
}

fn stopped((rule, group): &Kind, canary: &Canary) -> Refused {
    let (rule, group) = (rule.clone(), group.clone());
    Refused::KindStopped { rule, group, why: in_words(canary) }
}

fn in_words(canary: &Canary) -> String {
    let cases: Vec<String> =
        canary.failed.iter().map(|failed| format!("case {}", failed.case)).collect();
    format!("its remedies were not proven on {FAILED_MAX} hosts in a row, of {}", cases.join(", "))
}
