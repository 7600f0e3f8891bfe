//! Whom does a leader ask for a word, and when?
//!
//! Law PG4: what waits for nothing but a person's word calls that person at once: by each leader once for each rung of each bout of trouble
//! under one policy, and again when a word ran out unused. Of each rule and group one case at a time: the next when nobody waits for that
//! word any more.
//! Not here: who waits for one (see `ledger::Ledger::stuck`), limits that no term frees (see `waiting`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::Ledger;
use ledger::approvals::Shown;
use ledger::case::Case;
use ledger::command::Refused;
use vocabulary::{CaseId, GroupName};

use crate::event::Page;
use crate::leading::subject_in_words;

/// What persons were asked about: of each live case what it was then.
#[derive(Debug, Default)]
pub(crate) struct Asked(BTreeMap<CaseId, Shown>);

/// A rule, by name, and a group.
type Kind<'a> = (&'a str, Option<&'a GroupName>);

impl Asked {
    /// The calls that are due now, of all that is stuck.
    pub fn due(&mut self, ledger: &Ledger, stuck: &[(&Arc<Case>, Refused)]) -> Vec<Page> {
        let waiting: Vec<_> = stuck.iter().filter_map(|(case, rule)| wants(case, rule)).collect();
        let is_kept = |id: &CaseId| {
            let case = ledger.case(*id).filter(|case| case.is_live());
            case.is_some_and(|case| ledger.approval_of(case).is_none())
        };
        self.0.retain(|id, _| is_kept(id));
        let is_asked =
            |asked: &Self, case: &Case| asked.0.get(&case.id) == Some(&ledger.shown(case));
        let mut busy: BTreeSet<Kind<'_>> = BTreeSet::new();
        busy.extend(waiting.iter().filter(|wants| is_asked(self, wants.0)).map(|wants| wants.2));
        let mut pages = Vec::new();
        for (case, rule, kind) in &waiting {
            if busy.insert(*kind) {
                self.0.insert(case.id, ledger.shown(case));
                let others = waiting.iter().filter(|other| other.2 == *kind).count() - 1;
                pages.push(Page {
                    case: Some(case.id),
                    line: in_words(ledger, (case, rule), others),
                });
            }
        }
        pages
    }
}

fn wants<'a>(case: &'a Case, rule: &'a Refused) -> Option<(&'a Case, &'a Refused, Kind<'a>)> {
    let Refused::Approval { rule: name, .. } = rule else {
        return None;
    };
    let group = case.scopes.as_ref().map(|scopes| &scopes.group);
    Some((case, rule, (name, group)))
}

fn in_words(ledger: &Ledger, (case, rule): (&Case, &Refused), others: usize) -> String {
    let (id, kind) = (case.id, &case.kind);
    let subject = subject_in_words(ledger, &case.subject);
    let others = match others {
        0 => String::new(),
        others => format!("; {others} more wait for such a word"),
    };
    format!("case {id}: {subject} {kind}: {rule}{others}")
}
