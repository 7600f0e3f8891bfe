//! Law C6: the number of the rules only rises, and only to one that is known.

use ledger::rules;

use super::super::picture::Picture;
use super::Checker;

/// The number at the picture before.
#[derive(Default)]
pub struct Rules(u32);

impl Checker for Rules {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        let before = std::mem::replace(&mut self.0, picture.rules);
        if picture.rules < before || picture.rules > rules::NEWEST {
            return Err(format!("law C6: rules {} after {before}", picture.rules));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::album::{healed, is_caught};
    use super::*;

    #[test]
    fn law_c6_rules_that_fall_and_rules_that_nobody_knows_are_caught() {
        for rules in [0, rules::NEWEST + 1] {
            let mut album = healed();
            album.last_mut().expect("pictures").rules = rules;
            assert!(is_caught(&mut Rules::default(), &album, "law C6"));
        }
    }
}
