//! When does a leader call a person, and which calls wait for a moment because they are about to be one?
//!
//! Law PG1: each leader calls once for each case that needs a person and for what it is about: twice rather than never.
//! Law PG2: nothing holds a call for longer than [`FORMS_WITHIN_MAX`] but a surge, for which a person was called.
//! Not here: which case needs a person (the ledger says), the keeper that calls because nobody leads (see `leaderless`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use detection::rounds::ROUNDS_PER_SECOND;
use ledger::Ledger;
use ledger::case::{Case, Closure, Stage};
use vocabulary::{CaseId, HostId, Moment, Scope, Span, VerdictKind, Zone};

use crate::event::{Effect, Page};
use crate::leading::subject_in_words;
use crate::mind::Agent;
use crate::rebooting::Overdue;
use crate::waiting::Waiting;

/// One turn of calm probing (protocol 2.2): by then whoever is dead is in doubt.
const DOUBTED_WITHIN: Span = Span::seconds(3);

/// No call waits longer than this for the case of a zone: of one of more than 350 hosts a person is called for the surge.
const FORMS_WITHIN_MAX: Span = Span::seconds(10);

/// What a call is about.
type About = (Scope, VerdictKind);

/// For what a leader has called, and which calls it holds.
#[derive(Debug, Default)]
pub(crate) struct Paging {
    /// Cases for which a person was called, while they need one, and what each was about then.
    called: BTreeMap<CaseId, About>,
    /// Until when a call waits for the case of a zone.
    held: BTreeMap<CaseId, Moment>,
    /// Limits that hold cases back with no term in sight.
    waiting: Waiting,
    /// Reboot slots that are held for too long.
    overdue: Overdue,
}

impl Agent {
    /// What each case that needs a person says, where this leader has not said it and nothing holds it.
    pub(crate) fn page(&mut self, now: Moment) {
        if !self.leads() {
            return;
        }
        let ledger = Arc::clone(&self.ledger);
        for page in self.lead.paging.waiting.due(now, &ledger) {
            self.emit(Effect::Page(page));
        }
        for page in self.lead.paging.overdue.due(&ledger) {
            self.emit(Effect::Page(page));
        }
        let news = self.lead.paging.news(&ledger);
        if news.is_empty() {
            return;
        }
        let doubted = self.lead.rounds.doubted().into_iter().map(|doubt| doubt.subject);
        let forming = forming(&ledger, doubted);
        for (case, line) in news {
            if !self.lead.paging.is_held(now, &ledger, (&case, &forming)) {
                self.lead.paging.call(&case);
                self.emit(Effect::Page(Page { case: Some(case.id), line }));
            }
        }
    }
}

impl Paging {
    /// When a call that waits is due.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.held.values().copied().chain(self.waiting.next_deadline()).min()
    }

    fn call(&mut self, case: &Case) {
        self.held.remove(&case.id);
        self.called.insert(case.id, about(case));
    }

    /// Law PG1. A case that needed a person, does no more and does again is a new call, and so is one that has become a zone's; but
    /// a surge for which a person was called and that became part of a zone's case was that zone's call.
    fn news(&mut self, ledger: &Ledger) -> Vec<(Arc<Case>, String)> {
        let became = |id: &CaseId| ledger.case(*id).and_then(|case| part_of(case));
        let heirs: Vec<CaseId> = self.called.keys().filter_map(became).collect();
        for case in heirs.into_iter().filter_map(|id| ledger.case(id)) {
            self.called.insert(case.id, about(case));
        }
        let needing: BTreeMap<CaseId, (&Arc<Case>, String)> = ledger
            .cases()
            .filter_map(|case| Some((case.id, (case, person_needed(ledger, case)?))))
            .collect();
        self.called.retain(|case, _| needing.contains_key(case));
        self.held.retain(|case, _| needing.contains_key(case));
        let is_news = |case: &Case| self.called.get(&case.id) != Some(&about(case));
        let news = needing.into_values().filter(|(case, _)| is_news(case));
        news.map(|(case, line)| (Arc::clone(case), line)).collect()
    }

    /// While a surge stands a person is at it: racks and zones that fall silent meanwhile are shown, and call when it is lifted.
    /// While most of a zone is in doubt or dark, its racks and a surge that is of it alone wait for the case of the whole zone
    /// (protocol 3.6): never the brake, and law PG2.
    fn is_held(
        &mut self,
        now: Moment,
        ledger: &Ledger,
        (case, forming): (&Case, &BTreeSet<Zone>),
    ) -> bool {
        if case.kind == VerdictKind::DomainDown && ledger.brake().surge.is_some() {
            self.held.remove(&case.id);
            return true;
        }
        let zone = match (&case.subject, &case.kind) {
            (Scope::Rack(rack), _) => Some(rack.zone()),
            (Scope::Fleet, VerdictKind::Surge) => only_zone(ledger, case),
            _ => None,
        };
        let Some(zone) = zone.filter(|zone| forming.contains(zone)) else {
            return false;
        };
        let formed = now.after(forms_within(ledger.hosts_in(&Scope::Zone(zone))));
        now < *self.held.entry(case.id).or_insert(formed)
    }
}

/// Zones most of whose hosts are in doubt or in a dark rack, and that have no case of their own yet.
fn forming(ledger: &Ledger, doubted: impl Iterator<Item = HostId>) -> BTreeSet<Zone> {
    let mut troubled: BTreeMap<Zone, usize> = BTreeMap::new();
    let mut dark = BTreeSet::new();
    for case in ledger.cases() {
        if let Scope::Rack(rack) = &case.subject {
            *troubled.entry(rack.zone()).or_default() += ledger.hosts_in(&case.subject);
            dark.insert(rack.clone());
        }
    }
    for host in doubted {
        let entry = ledger.roster().get(&host);
        if let Some(entry) = entry.filter(|entry| !dark.contains(&entry.claims.domain)) {
            *troubled.entry(entry.claims.domain.zone()).or_default() += 1;
        }
    }
    let is_forming = |zone: &Zone, troubled: usize| {
        let scope = Scope::Zone(zone.clone());
        troubled * 2 > ledger.hosts_in(&scope) && ledger.domain_case_of(&scope).is_none()
    };
    let forming = troubled.into_iter().filter(|(zone, troubled)| is_forming(zone, *troubled));
    forming.map(|(zone, _)| zone).collect()
}

/// The case that a surge became part of.
fn part_of(case: &Case) -> Option<CaseId> {
    match &case.stage {
        Stage::Closed { how: Closure::MergedInto(into), .. } if case.kind == VerdictKind::Surge => {
            Some(*into)
        }
        _ => None,
    }
}

/// The zone of all whom a surge names.
fn only_zone(ledger: &Ledger, surge: &Case) -> Option<Zone> {
    let entries = surge.members.iter().filter_map(|host| ledger.roster().get(host));
    let mut zones = entries.map(|entry| entry.claims.domain.zone());
    let first = zones.next()?;
    zones.all(|zone| zone == first).then_some(first)
}

/// How long the case of a zone takes: until its last host is in doubt, and as many seconds as its rounds fill.
fn forms_within(hosts: usize) -> Span {
    let rounds = u64::try_from(hosts / ROUNDS_PER_SECOND).unwrap_or(u64::MAX);
    DOUBTED_WITHIN.plus(Span::seconds(1).times(rounds)).min(FORMS_WITHIN_MAX)
}

/// The line that calls a person, if the case needs one: it was given up, or hale does nothing about its kind.
fn about(case: &Case) -> About {
    (case.subject.clone(), case.kind.clone())
}

fn person_needed(ledger: &Ledger, case: &Case) -> Option<String> {
    let (id, kind) = (case.id, &case.kind);
    let subject = subject_in_words(ledger, &case.subject);
    match (&case.stage, &case.subject) {
        (Stage::Escalated { why, .. }, _) => Some(format!("case {id}: {subject} {kind}: {why}")),
        (Stage::Quarantined { why, .. }, _) => Some(format!(
            "case {id}: {subject} {kind}: {why}; quarantined until `hale release {subject} --why ...`"
        )),
        (Stage::Open, Scope::Rack(_) | Scope::Zone(_) | Scope::Group(_) | Scope::Fleet) => {
            let count = case.members_count;
            Some(format!(
                "case {id}: {subject} {kind}: {count} hosts, hale begins nothing by itself"
            ))
        }
        _ => None,
    }
}
