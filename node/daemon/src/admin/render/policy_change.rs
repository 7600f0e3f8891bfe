//! What a policy in the place of another one changes: its text, what of it a person should look at, and where each open case
//! would stand.
//!
//! Law PC1: what is told of open cases is what the same order does to the same ledger, up to the next tick.
//! Not here: the ledger after the order (see `rehearsal`), and what is wrong with a text (see `ledger::policy`).

use std::sync::Arc;

use ledger::Ledger;
use ledger::case::Case;
use ledger::command::Refused;
use ledger::policy::{Mode, Policy};
use ledger::view::Hold;
use vocabulary::CaseId;

use super::{Scene, Version, cases, count, policy_warnings};
use crate::admin::answer::{
    CaseChange, CaseUnder, CasesChanged, PolicyChange, PolicyDiff, PolicyWarning, RungPlace,
};
use crate::admin::difference::difference;

/// Cases that an answer names: several screens.
pub const CASES_MAX: usize = 50;

/// Warnings that an answer names: more than a person mends at a time.
pub const WARNINGS_MAX: usize = 50;

/// The whole change, from the ledger before it to the ledger after it.
pub fn policy_change(before: &Scene<'_>, after: &Scene<'_>) -> PolicyChange {
    let old = (before.ledger.policy_shelf().version(), before.ledger.policy());
    PolicyChange {
        diff: Some(texts(before.ledger, after.ledger)),
        cases: Some(cases_changed(before, after)),
        ..policy_warned(after.ledger, old, after.ledger.policy())
    }
}

/// What a person should look at in a policy that takes the place of another one, on this ledger's roster.
pub fn policy_warned(ledger: &Ledger, before: Version<'_>, policy: &Policy) -> PolicyChange {
    let mut warnings = policy_warnings::warnings(ledger, before, policy);
    let named: Vec<PolicyWarning> = warnings.by_ref().take(WARNINGS_MAX).collect();
    PolicyChange {
        from: before.0,
        diff: None,
        warnings: named,
        warnings_left_out: count(warnings.count()),
        cases: None,
    }
}

fn texts(before: &Ledger, after: &Ledger) -> PolicyDiff {
    let [(from, old), (to, new)] = [before, after].map(|ledger| {
        let shelf = ledger.policy_shelf();
        let text = shelf.current().map_or("", |note| &note.text);
        (format!("version {}", shelf.version()), text)
    });
    difference((&from, old), (&to, new))
}

fn cases_changed(before: &Scene<'_>, after: &Scene<'_>) -> CasesChanged {
    let mut all: Vec<(Weight, CaseChange)> = Vec::new();
    let mut open = 0;
    for case in before.ledger.cases() {
        open += 1;
        let then = after.ledger.case(case.id);
        let now = Place::of(before, case);
        let then = then.map(|case| (Place::of(after, case), case));
        if then.as_ref().is_some_and(|(then, _)| *then == now) {
            continue;
        }
        let weight = Weight::of(Some(&now), then.as_ref().map(|(then, _)| then), case);
        let told = then.map_or_else(forgotten, |(then, case)| {
            let voided = voided(&now, &then);
            let told = then.told(after, case);
            CaseUnder { awaits: told.awaits + &voided, ..told }
        });
        all.push((weight, change(before, case, now.told(before, case), told)));
    }
    let is_new = |case: &&Arc<Case>| before.ledger.case(case.id).is_none();
    let new: Vec<&Arc<Case>> = after.ledger.cases().filter(is_new).collect();
    let opened = new.len();
    for case in new {
        let then = Place::of(after, case);
        let weight = Weight::of(None, Some(&then), case);
        all.push((weight, change(after, case, not_open(), then.told(after, case))));
    }
    all.sort_by_key(|(weight, _)| *weight);
    let left_out = all.len().saturating_sub(CASES_MAX);
    let changed = all.into_iter().take(CASES_MAX).map(|(_, change)| change).collect();
    CasesChanged { open: count(open), changed, opened: count(opened), left_out: count(left_out) }
}

/// protocol 6.8: a word is for the policy under which it was given.
fn voided(now: &Place<'_>, then: &Place<'_>) -> String {
    match (now.approved_by, then.approved_by) {
        (Some(who), None) => format!("; the approval by {who} is void"),
        _ => String::new(),
    }
}

fn change(scene: &Scene<'_>, case: &Case, before: CaseUnder, after: CaseUnder) -> CaseChange {
    let subject = scene.subject(&case.subject);
    CaseChange { id: case.id.0, subject, verdict: case.kind.word(), before, after }
}

/// What is told first: what hale may do more about, then what moves, then what is held by other things; by number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Weight {
    is_no_rise: bool,
    is_same_stage: bool,
    case: CaseId,
}

impl Weight {
    fn of(now: Option<&Place<'_>>, then: Option<&Place<'_>>, case: &Case) -> Self {
        let acts = |place: Option<&Place<'_>>| {
            place.is_some_and(|place| matches!(place.mode, Some(Mode::Act | Mode::Approve)))
        };
        let stage = |place: Option<&Place<'_>>| place.map_or("", |place| place.stage);
        Self {
            is_no_rise: acts(now) || !acts(then),
            is_same_stage: stage(now) == stage(then),
            case: case.id,
        }
    }
}

/// Where a case stands, as figures: sentences name the policy's version, and differ where nothing else does.
#[derive(PartialEq, Eq)]
struct Place<'l> {
    rule: Option<&'l str>,
    mode: Option<Mode>,
    rung: Option<RungPlace>,
    stage: &'static str,
    holds: Vec<Hold>,
    /// The rule that the next step falls under, where it is another one than that under which it is.
    next: Option<Option<&'l str>>,
    approved_by: Option<&'l str>,
}

impl<'l> Place<'l> {
    fn of(scene: &Scene<'l>, case: &'l Case) -> Self {
        let ledger = scene.ledger;
        let rule = case.rule.as_ref().map(|(name, _)| name.as_str());
        let decides = ledger.rule_of(case);
        let mut holds = ledger.holds(case.id);
        for hold in &mut holds {
            // The version is in it for the order that it names.
            if let Refused::Approval { policy, .. } = &mut hold.rule {
                *policy = 0;
            }
        }
        let next = decides.map(|rule| rule.name.as_str());
        Self {
            rule,
            mode: decides.map(|rule| rule.mode),
            rung: cases::rung(scene, case),
            stage: case.stage.word(),
            holds,
            next: (next != rule && !case.is_closed()).then_some(next),
            approved_by: ledger.approval_of(case).map(|given| given.who.as_str()),
        }
    }

    fn told(self, scene: &Scene<'_>, case: &Case) -> CaseUnder {
        let next = match self.next {
            None => String::new(),
            Some(None) => "; its next step falls under no rule".to_owned(),
            Some(Some(rule)) => format!("; its next step falls under rule {rule:?}"),
        };
        let awaits = cases::awaited(scene, case);
        CaseUnder {
            rule: self.rule.map(str::to_owned),
            mode: self.mode.map(|mode| mode.word().to_owned()),
            rung: self.rung,
            stage: self.stage.to_owned(),
            awaits: format!("{awaits}{next}"),
        }
    }
}

/// The ledger keeps a bounded number of closed cases.
fn forgotten() -> CaseUnder {
    CaseUnder {
        awaits: "closed; so many close at once that this one is not kept".to_owned(),
        ..nowhere("closed")
    }
}

fn not_open() -> CaseUnder {
    CaseUnder { awaits: "this policy opens it".to_owned(), ..nowhere("not open") }
}

fn nowhere(stage: &str) -> CaseUnder {
    let (stage, awaits) = (stage.to_owned(), String::new());
    CaseUnder { rule: None, mode: None, rung: None, stage, awaits }
}
