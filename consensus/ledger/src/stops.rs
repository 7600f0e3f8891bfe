//! Groups whose replacements fail: two in a row stop the group until a person releases it (protocol 6.6).
//!
//! Law ST1: in a stopped group nothing begins; what has begun goes on.
//! Law ST2: only a person ends a stop.
//! Not here: whether a remedy worked (see `proofs`), hosts that are tried no more (see `quarantine`).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{CaseId, GroupName, LedgerTime, RemedyClass, Scope, WallNote};

use crate::audit::What;
use crate::case::{Case, RemedyNote};
use crate::command::{Order, Refused};
use crate::ledger::Ledger;
use crate::rules;

/// The replacements of a group that failed since the last one that worked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Replacements {
    /// Of these cases, in order; at most [`FAILED_MAX`].
    failed: Vec<CaseId>,
    stop: Option<Stop>,
}

/// Since when a group is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// In ledger time.
    pub since: LedgerTime,
    /// For people.
    pub since_wall: WallNote,
}

/// protocol 6.6: one replacement that fails may be an accident; a second one in a row, of whichever host, says that what replaces is
/// broken, and the next would cost the group another host.
const FAILED_MAX: usize = 2;

impl Ledger {
    /// The groups that are stopped, in order.
    pub fn stopped_groups(&self) -> impl Iterator<Item = (&GroupName, &Stop)> {
        let groups = self.state.added.replacements.iter();
        groups.filter_map(|(group, of_group)| Some((group, of_group.stop.as_ref()?)))
    }

    /// Why nothing begins in this group, if it is stopped (law ST1).
    pub fn stop_of(&self, group: &GroupName) -> Option<Refused> {
        let of_group = self.state.added.replacements.get(group)?;
        of_group
            .stop
            .map(|_| Refused::Stopped { group: group.clone(), why: in_words(&of_group.failed) })
    }

    /// A remedy was not proven; why its group is stopped, if that stops it.
    pub(crate) fn replacement_failed(&mut self, case: &Case, note: &RemedyNote) -> Option<String> {
        if !is_replacement(note) || self.rules() < rules::SECOND {
            return None;
        }
        let group = case.scopes.as_ref()?.group.clone();
        let stop = Stop { since: self.state.time, since_wall: self.state.wall };
        let groups = Arc::make_mut(&mut self.state.added.replacements);
        let of_group = groups.entry(group.clone()).or_default();
        if of_group.stop.is_some() {
            return None;
        }
        of_group.failed.push(case.id);
        if of_group.failed.len() < FAILED_MAX {
            return None;
        }
        of_group.stop = Some(stop);
        let why = in_words(&of_group.failed);
        self.record(What::GroupStopped { group: group.clone(), why: why.clone() });
        Some(Refused::Stopped { group, why }.to_string())
    }

    /// A remedy was proven: the count of failed replacements begins anew.
    pub(crate) fn replacement_worked(&mut self, case: &Case, note: &RemedyNote) {
        let Some(scopes) = case.scopes.as_ref().filter(|_| is_replacement(note)) else {
            return;
        };
        let of_group = self.state.added.replacements.get(&scopes.group);
        // Law ST2: a stop stays, whatever was begun before it still comes to.
        if of_group.is_some_and(|of_group| of_group.stop.is_none()) {
            Arc::make_mut(&mut self.state.added.replacements).remove(&scopes.group);
        }
    }

    pub(crate) fn free_group(&mut self, group: &GroupName, order: &Order) -> Result<(), Refused> {
        let frees_kinds = self.free_kinds(group);
        if !frees_kinds {
            self.stop_of(group).ok_or(Refused::Nothing)?;
        }
        Arc::make_mut(&mut self.state.added.replacements).remove(group);
        let Order { who, why } = order.clone();
        self.record(What::Freed { subject: Scope::Group(group.clone()), who, why });
        Ok(())
    }
}

/// This version names no replacement but by its class: what a host does not come back from.
fn is_replacement(note: &RemedyNote) -> bool {
    note.applied.command.class == RemedyClass::Destructive
}

fn in_words(failed: &[CaseId]) -> String {
    let cases: BTreeSet<&CaseId> = failed.iter().collect();
    let cases: Vec<String> = cases.into_iter().map(|case| format!("case {case}")).collect();
    format!("the last {FAILED_MAX} replacements in it failed, of {}", cases.join(" and "))
}
