//! Checks beside reaching the agent: what each is, and by whose word one fails (protocol 3.10).
//!
//! Not here: the votes of a round (see `votes`).

use ledger::case::Case;
use ledger::policy::{Check, CheckKind};
use vocabulary::{CheckFrom, HostId, VerdictKind};

use super::{Scene, votes};

/// The check that a case is about, if the policy in force still has it.
pub fn of_case<'l>(scene: &Scene<'l>, case: &Case) -> Option<&'l Check> {
    let VerdictKind::Unfit(name) = &case.kind else {
        return None;
    };
    let checks = scene.ledger.checks_of(&case.host()?);
    checks.into_iter().find(|check| check.name == *name)
}

/// `api (tcp, port 8080, by its observers)`.
pub fn in_words(check: &Check) -> String {
    let CheckKind::Tcp { port } = check.kind;
    let by = match check.from {
        CheckFrom::Own => "by the host itself",
        CheckFrom::Peers => "by its observers",
        CheckFrom::Both => "by its observers and the host itself",
    };
    format!("{} (tcp, port {port}, {by})", check.name)
}

/// By whose word it fails.
pub fn by(scene: &Scene<'_>, case: &Case) -> String {
    let votes = votes::votes(scene, case);
    let by = case.host().map(|host| scene.ledger.unfit_by(&host, &case.grounds));
    let is_by = |which: fn(detection::fitness::UnfitVerdict) -> bool| by.is_some_and(which);
    let peers = format!("the word of {} of its {} observers", votes.against, votes.seats);
    match (is_by(|by| by.by_itself), is_by(|by| by.by_peers)) {
        (true, true) => format!("by its own word and {peers}"),
        (true, false) => "by its own word".to_owned(),
        (false, _) => format!("by {peers}"),
    }
}

/// Where such a case stands, on a line: what fails by whose word, and what ends it.
pub fn stands(scene: &Scene<'_>, case: &Case) -> String {
    let VerdictKind::Unfit(name) = &case.kind else {
        return String::new();
    };
    let check = of_case(scene, case).map_or_else(|| name.to_string(), in_words);
    format!(
        "check {check} fails {}; nothing is done for a check; it closes by itself once the check is well",
        by(scene, case)
    )
}

/// What is looked at on a host beside reaching it.
pub fn on(scene: &Scene<'_>, host: &HostId) -> Option<String> {
    let checks = scene.ledger.checks_of(host);
    let words: Vec<String> = checks.into_iter().map(in_words).collect();
    (!words.is_empty()).then(|| format!("checks on it: {}", words.join(", ")))
}
