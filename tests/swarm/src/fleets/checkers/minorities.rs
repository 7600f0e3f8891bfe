//! Law M1: who is away from the majority begins nothing.

use std::collections::BTreeMap;

use vocabulary::{HostId, Moment, Span};

use super::super::picture::Picture;
use super::Checker;

/// A read may be a second old, and an intent may have taken as long to be committed and told; twice that and a look.
const AWAY_MAX: Span = Span::seconds(5);

/// Who could reach a leader of a majority, and when last.
#[derive(Default)]
pub struct Minorities {
    reached: BTreeMap<HostId, Moment>,
    begun: usize,
}

impl Checker for Minorities {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        let with = picture.with_majority.iter();
        self.reached.extend(with.map(|host| (*host, picture.at)));
        for line in &picture.journal[self.begun..] {
            let reached = self.reached.get(&line.healer).copied().unwrap_or_default();
            let away = line.began.since(reached);
            if away > AWAY_MAX {
                let remedy = line.remedy;
                return Err(format!(
                    "law M1: remedy {remedy} begins {away} after its healer was last with a majority"
                ));
            }
        }
        self.begun = picture.journal.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::album::{healed, is_caught};
    use super::*;

    #[test]
    fn law_m1_a_remedy_of_a_healer_that_has_long_been_away_from_the_majority_is_caught() {
        let mut album = healed();
        let begun =
            album.iter().position(|picture| !picture.journal.is_empty()).expect("it is healed");
        let line = album[begun].journal[0].clone();
        let is_lately = |picture: &&mut Picture| line.began.since(picture.at) < Span::seconds(6);
        for picture in album.iter_mut().filter(is_lately) {
            picture.with_majority.remove(&line.healer);
        }
        assert!(is_caught(&mut Minorities::default(), &album, "law M1"));
    }
}
