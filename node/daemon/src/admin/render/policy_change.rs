//! What a policy in the place of another one changes: its text, what of it a person should look at, and where each open case
//! would stand.
//!
//! Law PC1: what is told of open cases is what the same order does to the same ledger, up to the next tick.
//! Not here: the ledger after the order (see `rehearsal`), and what is wrong with a text (see `ledger::policy`).

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
    let mut moved: Vec<Moved<'_>> = Vec::new();
    let mut open = 0;
    for case in before.ledger.cases() {
        open += 1;
        let now = Place::of(before, case);
        let then = after.ledger.case(case.id).map(|case| (Place::of(after, case), case.as_ref()));
        if then.as_ref().is_none_or(|(then, _)| *then != now) {
            moved.push(Moved { now: Some((now, case)), then });
        }
    }
    let new = after.ledger.cases().filter(|case| before.ledger.case(case.id).is_none());
    let stayed = moved.len();
    moved.extend(new.map(|case| Moved { now: None, then: Some((Place::of(after, case), case)) }));
    let opened = moved.len() - stayed;
    moved.sort_by_key(Moved::weight);
    let left_out = moved.len().saturating_sub(CASES_MAX);
    let told = moved.into_iter().take(CASES_MAX).filter_map(|moved| moved.told(before, after));
    let changed = told.collect();
    CasesChanged { open: count(open), changed, opened: count(opened), left_out: count(left_out) }
}

/// A case under two policies: where it stands and where it would.
struct Moved<'l> {
    now: Option<(Place<'l>, &'l Case)>,
    then: Option<(Place<'l>, &'l Case)>,
}

impl Moved<'_> {
    /// What is told first: what hale may do more about, then what moves, then what is held by other things; by number.
    fn weight(&self) -> (bool, bool, Option<CaseId>) {
        let [now, then] = [&self.now, &self.then].map(Option::as_ref);
        let reach = |place: Option<&(Place<'_>, _)>| {
            place.and_then(|(place, _)| place.mode).map_or(0, Mode::reach)
        };
        let stage = |place: Option<&(Place<'_>, _)>| place.map(|(place, _)| place.stage);
        let id = now.or(then).map(|(_, case)| case.id);
        (reach(then) <= reach(now), stage(now) == stage(then), id)
    }

    fn told(self, before: &Scene<'_>, after: &Scene<'_>) -> Option<CaseChange> {
        let voided = match (&self.now, &self.then) {
            (Some((now, _)), Some((then, _))) => voided(now, then),
            _ => String::new(),
        };
        let (scene, case) = match (&self.now, &self.then) {
            (Some((_, case)), _) => (before, *case),
            (None, Some((_, case))) => (after, *case),
            (None, None) => return None,
        };
        let now = self.now.map_or_else(not_open, |(now, case)| now.told(before, case));
        let then = self.then.map_or_else(forgotten, |(then, case)| then.told(after, case));
        Some(CaseChange {
            id: case.id.0,
            subject: scene.subject(&case.subject),
            verdict: case.kind.word(),
            before: now,
            after: CaseUnder { awaits: then.awaits + &voided, ..then },
        })
    }
}

/// protocol 6.8: a word is for the policy under which it was given.
fn voided(now: &Place<'_>, then: &Place<'_>) -> String {
    match (now.approved_by, then.approved_by) {
        (Some(who), None) => format!("; the approval by {who} is void"),
        _ => String::new(),
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
    next: Option<Option<(&'l str, Mode)>>,
    approved_by: Option<&'l str>,
}

impl<'l> Place<'l> {
    fn of(scene: &Scene<'l>, case: &'l Case) -> Self {
        let ledger = scene.ledger;
        let rule = case.rule.as_ref().map(|(name, _)| name.as_str());
        let decides = ledger.rule_of(case);
        let named = ledger.policy().rules.iter().find(|of| Some(of.name.as_str()) == rule);
        let mut holds = ledger.holds(case.id);
        for hold in &mut holds {
            // The version is in it for the order that it names.
            if let Refused::Approval { policy, .. } = &mut hold.rule {
                *policy = 0;
            }
        }
        let next = decides.map(|rule| (rule.name.as_str(), rule.mode));
        Self {
            rule,
            mode: named.map(|rule| rule.mode),
            rung: cases::rung(scene, case),
            stage: case.stage.word(),
            holds,
            next: (next.map(|(name, _)| name) != rule && !case.is_closed()).then_some(next),
            approved_by: ledger.approval_of(case).map(|given| given.who.as_str()),
        }
    }

    fn told(self, scene: &Scene<'_>, case: &Case) -> CaseUnder {
        let next = match self.next {
            None => String::new(),
            Some(None) => "; its next step falls under no rule".to_owned(),
            Some(Some((rule, mode))) => {
                let mode = mode.word();
                format!("; its next step falls under rule {rule:?} ({mode})")
            }
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
