//! What a policy in the place of another one changes: its text, what of it a person should look at, and where each open case
//! would stand.
//!
//! Law PC1: what is told of open cases is what the same order does to the same ledger, up to the next tick.
//! Not here: the ledger after the order (see `rehearsal`), and what is wrong with a text (see `ledger::policy`).

use ledger::Ledger;
use ledger::case::Case;
use ledger::policy::{Mode, Policy};
use ledger::view::Hold;

use super::{Scene, cases, count, policy_warnings};
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
    PolicyChange {
        diff: Some(texts(before.ledger, after.ledger)),
        cases: Some(cases_changed(before, after)),
        ..policy_warned(before.ledger, after.ledger.policy())
    }
}

/// What a person should look at in a policy that takes the place of this ledger's.
pub fn policy_warned(before: &Ledger, policy: &Policy) -> PolicyChange {
    let mut warnings: Vec<PolicyWarning> = policy_warnings::warnings(before, policy);
    let left_out = warnings.len().saturating_sub(WARNINGS_MAX);
    warnings.truncate(WARNINGS_MAX);
    PolicyChange {
        from: before.policy_shelf().version(),
        diff: None,
        warnings,
        warnings_left_out: count(left_out),
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
    let mut open = 0;
    let mut all: Vec<CaseChange> = Vec::new();
    let mut left_out = 0;
    for case in before.ledger.cases() {
        open += 1;
        let then = after.ledger.case(case.id).map(|case| Place::of(after, case));
        let now = Place::of(before, case);
        if then.as_ref() == Some(&now) {
            continue;
        }
        if all.len() == CASES_MAX {
            left_out += 1;
            continue;
        }
        all.push(CaseChange {
            id: case.id.0,
            subject: before.subject(&case.subject),
            verdict: case.kind.word(),
            before: now.told(before, case),
            after: match (then, after.ledger.case(case.id)) {
                (Some(then), Some(case)) => then.told(after, case),
                _ => forgotten(),
            },
        });
    }
    CasesChanged { open: count(open), changed: all, left_out: count(left_out) }
}

/// Where a case stands, as figures: sentences name the policy's version, and differ where nothing else does.
#[derive(PartialEq, Eq)]
struct Place<'l> {
    rule: Option<&'l str>,
    mode: Option<Mode>,
    rung: Option<RungPlace>,
    stage: &'static str,
    first: Option<Hold>,
}

impl<'l> Place<'l> {
    fn of(scene: &Scene<'_>, case: &'l Case) -> Self {
        let rule = case.rule.as_ref().map(|(name, _)| name.as_str());
        let mut rules = scene.ledger.policy().rules.iter();
        let mode = rule.and_then(|name| rules.find(|rule| rule.name == name)).map(|of| of.mode);
        Self {
            rule,
            mode,
            rung: cases::rung(scene, case),
            stage: case.stage.word(),
            first: scene.ledger.holds(case.id).into_iter().next(),
        }
    }

    fn told(self, scene: &Scene<'_>, case: &Case) -> CaseUnder {
        let held = self.first.map(|hold| cases::held(scene, case, &hold));
        CaseUnder {
            rule: self.rule.map(str::to_owned),
            mode: self.mode.map(|mode| mode.word().to_owned()),
            rung: self.rung,
            stage: self.stage.to_owned(),
            awaits: held.unwrap_or_else(|| cases::awaits(scene, case)),
        }
    }
}

/// The ledger keeps a bounded number of closed cases.
fn forgotten() -> CaseUnder {
    CaseUnder {
        rule: None,
        mode: None,
        rung: None,
        stage: "closed".to_owned(),
        awaits: "closed; so many close at once that this one is not kept".to_owned(),
    }
}
