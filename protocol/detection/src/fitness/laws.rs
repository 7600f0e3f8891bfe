//! The laws of verdicts on checks, counted once more before any leaves this room, in release builds too.
//!
//! What is asserted here knows nothing of seat sets: it counts hosts that hold a seat and what they said.
//! Not here: whether the verdict leads to anything (see `ledger`).

use std::collections::BTreeSet;

use vocabulary::{Grade, HostId};

use super::words::VerifiedWords;
use super::{Asked, Fitness, serves};
use crate::verdict::{Fleet, tolerated};

/// Panics with the law if our own rooms have broken one: better no verdict than a wrong one.
pub(super) fn check(fleet: Fleet<'_>, words: &VerifiedWords, asked: &Asked<'_>, found: &Fitness) {
    let observers = fleet.seating.observers(&asked.subject);
    let who = |says: &dyn Fn(Grade) -> bool| -> BTreeSet<HostId> {
        let seated = words.said(asked).filter(|word| observers.contains(&word.author));
        seated.filter(|word| says(word.grade)).map(|word| word.author).collect()
    };
    let blind = who(&|grade| grade == Grade::Unknown);
    let is_filled = |host: &&HostId| !asked.gone.contains(host) && !blind.contains(host);
    let liars = tolerated(observers.iter().filter(is_filled).count());
    let well = who(&serves);
    if let Ok(verdict) = &found.verdict {
        assert!(
            words.has_spoken(&asked.subject),
            "law FT1: no Unfit without the subject's own signed word of that round"
        );
        let failed = who(&|grade| grade == Grade::Failed);
        assert!(
            !verdict.by_peers || failed.len() >= 2 && failed.len() * 2 > observers.len(),
            "law FT2: by peers it takes a quorum of one round's words"
        );
        assert!(
            !verdict.by_peers || failed.len() > liars && well.len() <= liars,
            "law FT3: what f observers say makes no host unfit, and more than f who find it served prevent it"
        );
    }
    assert!(
        !found.from.asks_peers() || !found.is_well() || well.len() > tolerated(observers.len()),
        "law FT3: what f observers say makes no host well again"
    );
}
