//! Which rule of the protocol a refusal follows from, and what it is called.

use ledger::command::Refused;
use ledger::refusal::ScopeName;

use super::Scene;
use crate::admin::answer::Refusal;

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

/// Its sentence.
pub fn sentence(scene: &Scene<'_>, refused: &Refused) -> String {
    budget(scene, refused).unwrap_or_else(|| refused.to_string())
}

/// protocol 7.6: a lease that counts for a person's case ends by no term; where one does, the order that frees it is told.
fn budget(scene: &Scene<'_>, refused: &Refused) -> Option<String> {
    let Refused::Budget { scope, used, limit } = refused else {
        return None;
    };
    let mut stuck = scene.ledger.counted_without_end(scope);
    let id = stuck.next()?.id;
    let more = match stuck.count() {
        0 => String::new(),
        more => format!(" (and {more} more like it)"),
    };
    Some(format!(
        "{}: {used} of {limit} in flight; the lease of case {id}{more} counts until `hale lease revoke {id} --why ...`, since nobody \
         knows the end of its remedy",
        ScopeName(scope)
    ))
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
        | Refused::PerDay { .. }
        | Refused::Halt { .. }
        | Refused::Floor { .. } => "6.1",
        Refused::Ramp { .. } | Refused::Canary { .. } | Refused::KindStopped { .. } => "6.3",
        Refused::Brake(_) => "6.5",
        Refused::Damped(_) | Refused::Stopped { .. } => "6.6",
        Refused::Keepers { .. } => "6.7",
        Refused::Approval { .. } => "6.8",
        Refused::Maintenance { .. } => "6.9",
        Refused::Shadowed { .. } => "6.10",
        Refused::Exempt { .. } => "6.11",
        Refused::UnknownGroup { .. } | Refused::SlotHeld { .. } => "6.12",
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
