//! What a policy changes, on a screen: the texts line by line, what a person should look at, and the cases that move.
//!
//! Not here: how it is worked out (see `admin::render::policy_change`, `admin::difference`).

use super::policy_diff::differing;
use super::table::clean;
use crate::admin::answer::{CaseChange, CaseUnder, CasesChanged, Ordered, PolicyChange, RungPlace};

/// What came of an order, and what its policy changes if it set one.
pub fn ordered(ordered: &Ordered) -> String {
    let mut screen = clean(&ordered.sentence) + "\n";
    match &ordered.policy {
        Some(change) => screen.push_str(&changed(change)),
        None if ordered.version.is_some() => screen.push_str(
            "what a person should look at in it could not be worked out here: `hale policy diff` shows the lines\n",
        ),
        None => {}
    }
    screen
}

fn changed(change: &PolicyChange) -> String {
    let mut parts = Vec::new();
    parts.extend(change.diff.as_ref().map(differing));
    parts.extend(warned(change));
    parts.extend(change.cases.as_ref().map(moved));
    let is_rehearsed = change.cases.is_some();
    parts.extend(
        is_rehearsed.then(|| {
            format!("with `--if-version {}` it comes to this or to nothing\n", change.from)
        }),
    );
    parts.into_iter().map(|part| format!("\n{part}")).collect()
}

/// Nothing to look at is said of a rehearsal alone: there a person waits for it.
fn warned(change: &PolicyChange) -> Option<String> {
    if change.warnings.is_empty() {
        let is_rehearsed = change.cases.is_some();
        return is_rehearsed.then(|| "no warnings: every rule, check and budget is for hosts of the roster, and no rule, mode, class or limit allows more than before\n".to_owned());
    }
    let lines = change.warnings.iter().map(|warning| format!("  {}\n", clean(&warning.sentence)));
    let more = match change.warnings_left_out {
        0 => String::new(),
        more => format!("  ... and {more} more\n"),
    };
    Some(format!("warnings\n{}{more}", lines.collect::<String>()))
}

fn moved(cases: &CasesChanged) -> String {
    let CasesChanged { open, changed, opened, left_out } = cases;
    let moving = (changed.len() as u64 + left_out).saturating_sub(*opened);
    let new = if *opened == 0 { String::new() } else { format!("; {opened} more open at once") };
    let head = match (open, moving) {
        (0, _) => "no case is open, so none changes".to_owned(),
        (open, 0) => format!("open cases: {open}, and none of them changes"),
        (open, moving) => format!("open cases: {open}, and {moving} of them change"),
    };
    let lines: String = changed.iter().map(case).collect();
    let more = match left_out {
        0 => String::new(),
        more => format!("  ... and {more} more\n"),
    };
    format!("{head}{new}\n{lines}{more}")
}

fn case(case: &CaseChange) -> String {
    let CaseChange { id, subject, verdict, before, after } = case;
    let kind = match subject.kind.as_str() {
        "host" | "fleet" => String::new(),
        kind => format!("{kind} "),
    };
    let name = clean(&subject.name);
    format!(
        "  case {id}  {kind}{name}  {}\n    before  {}\n    after   {}\n",
        clean(verdict),
        under(before),
        under(after)
    )
}

/// `rule "agent down" (act), rung 1 of 2 /bin/start: what holds it`.
fn under(under: &CaseUnder) -> String {
    let CaseUnder { rule, mode, rung, stage, awaits } = under;
    let rule = match (rule, mode) {
        (Some(rule), Some(mode)) => format!("rule {rule:?} ({mode}), "),
        (Some(rule), None) => format!("rule {rule:?} (gone), "),
        (None, _) => "no rule, ".to_owned(),
    };
    let rung = rung.as_ref().map_or(String::new(), |rung| {
        let RungPlace { number, of, remedy, .. } = rung;
        format!("rung {number} of {of} {remedy}, ")
    });
    clean(&format!("{rule}{rung}{stage}: {awaits}"))
}
