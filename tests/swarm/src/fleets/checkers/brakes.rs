//! Law P1: under a brake nothing begins, and to begin is to commit an intent.

use ledger::audit::What;

use super::super::picture::Picture;
use super::Checker;

/// Looks at every intent. A brake that is committed with the intent's own entry stands after it, and not before.
pub struct Brakes;

impl Checker for Brakes {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        let mut intents = picture.records.iter().filter_map(|record| match &record.what {
            What::Intended { remedy, .. } => Some(remedy),
            _ => None,
        });
        match intents.next().filter(|_| picture.was_braked && picture.is_braked) {
            Some(remedy) => Err(format!("law P1: remedy {remedy} is intended under a brake")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::album::{first, healed, is_caught};
    use super::*;

    #[test]
    fn law_p1_an_intent_under_a_brake_is_caught() {
        let mut album = healed();
        let (at, _) = first(&album, |what| matches!(what, What::Intended { .. }));
        (album[at].was_braked, album[at].is_braked) = (true, true);
        assert!(is_caught(&mut Brakes, &album, "law P1"));
    }
}
