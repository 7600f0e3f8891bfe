//! Doubts (protocol 2.6): an observer's own, of a subject at which it holds a seat, one at a time, never of itself.

use std::collections::BTreeSet;

use super::super::picture::{Picture, Seen};
use super::Checker;

/// Looks at what every agent doubts.
pub struct Doubts;

impl Checker for Doubts {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        picture.hosts.iter().try_for_each(|seen| of_observer(picture, seen))
    }
}

fn of_observer(picture: &Picture, observer: &Seen) -> Result<(), String> {
    let mut subjects = BTreeSet::new();
    for (subject, _) in &observer.doubts {
        let name = &observer.name;
        if *subject == observer.id {
            return Err(format!("protocol 2.6: {name} doubts itself"));
        }
        if !subjects.insert(*subject) {
            return Err(format!("protocol 2.6: {name} doubts {subject} twice"));
        }
        if !picture.seating.holds(&observer.id, subject) {
            return Err(format!("protocol 2.6: {name} doubts {subject}, at which it has no seat"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use vocabulary::{Boot, HostId};

    use super::super::album::{healed, host, is_caught};
    use super::*;

    #[test]
    fn a_doubt_of_itself_one_held_twice_and_one_without_a_seat_are_caught() {
        let boot = Boot { number: 1, nonce: 1 };
        for (subjects, how) in [(["a1", "a1"], "itself"), (["b2", "b2"], "twice")] {
            let mut album = healed();
            let subjects = subjects.map(|name| (host(&mut album[5], name).id, boot));
            let last = subjects.len() - usize::from(how == "itself");
            host(&mut album[5], "a1").doubts = subjects[..last].to_vec();
            assert!(is_caught(&mut Doubts, &album, "protocol 2.6"), "{how}");
        }
        let mut album = healed();
        host(&mut album[5], "a1").doubts = vec![(HostId([9; 16]), boot)];
        assert!(is_caught(&mut Doubts, &album, "protocol 2.6"));
    }
}
