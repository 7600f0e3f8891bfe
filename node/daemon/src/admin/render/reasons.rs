//! Which rule of the protocol a refusal follows from, and what it is called.

use ledger::command::Refused;

use super::Scene;
use crate::admin::answer::Refusal;
use vocabulary::Scope;

/// A refusal of the ledger, for people and scripts.
pub fn refusal(scene: &Scene<'_>, refused: &Refused) -> Refusal {
    Refusal { name: name(refused), sentence: sentence(scene, refused) }
}

/// The refusal's name: that of its variant, which never changes.
pub fn name(refused: &Refused) -> String {
    let shown = format!("{refused:?}");
    let is_letter = |letter: char| letter.is_ascii_alphanumeric();
    shown.split(|letter| !is_letter(letter)).next().unwrap_or_default().to_owned()
}

/// Its sentence, with hosts by their names.
pub fn sentence(scene: &Scene<'_>, refused: &Refused) -> String {
    let sentence = refused.to_string();
    match refused {
        Refused::Budget { scope, .. } | Refused::Halt { scope, .. } => match scope {
            Scope::Host(host) => sentence.replace(&host.to_string(), &scene.name(host)),
            _ => sentence,
        },
        _ => sentence,
    }
}

/// The rule, as the pages under `docs/protocol` number it; `None` for what is no rule of theirs.
pub fn rule(refused: &Refused) -> Option<&'static str> {
    Some(match refused {
        Refused::NotFounded | Refused::AlreadyFounded => "1.4",
        Refused::Certificate(_)
        | Refused::UnknownHost
        | Refused::NotAdded(_)
        | Refused::Retired => "1.3",
        Refused::BootTooLow(_) | Refused::Duplicate(_) => "1.2",
        Refused::Grounds(_) => "3.4",
        Refused::Stale { .. } => "3.2",
        Refused::CaseOpen(_) => "3.5",
        Refused::ThreeRounds { .. } => "3.4",
        Refused::Budget { .. }
        | Refused::PerHour { .. }
        | Refused::Halt { .. }
        | Refused::Floor { .. } => "6.1",
        Refused::Ramp { .. } => "6.3",
        Refused::Brake(_) => "6.5",
        Refused::Damped(_) => "6.6",
        Refused::Keepers { .. } => "6.7",
        Refused::LeaseOver => "7.1",
        Refused::Healer(_) => "7.2",
        Refused::TooSoon { .. } => "7.4",
        Refused::Fence { .. } | Refused::Leased(_) => "7.6",
        Refused::Bound(_) => "8",
        Refused::NotPermitted(_)
        | Refused::Malformed(_)
        | Refused::PolicyFaults(_)
        | Refused::PolicyVersion(_)
        | Refused::UnknownCase
        | Refused::Stage(_)
        | Refused::NoRule
        | Refused::Nothing => return None,
    })
}
