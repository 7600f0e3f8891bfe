//! The laws of verdicts, counted once more before any verdict leaves this room, in release builds too.
//!
//! What is asserted here knows nothing of tallies and seat sets: it counts hosts that hold a seat and what they said.
//! Not here: which verdict it is, and whether it leads to anything (see `ledger`).

use std::collections::BTreeSet;

use vocabulary::{HostId, Voice};

use super::grounds::{Heard, VerifiedGrounds};
use super::{Conclusions, tolerated};
use crate::seats::Seating;

/// Panics with the law if our own rooms have broken one: better no verdict than a wrong one.
pub(super) fn check(seating: &Seating, grounds: &VerifiedGrounds, conclusions: &Conclusions) {
    for (subject, _) in conclusions.verdicts() {
        let observers = seating.observers(subject);
        let seated =
            |heard: &&Heard| heard.subject == *subject && observers.contains(&heard.observer);
        let who = |spoke: &dyn Fn(&Heard) -> bool| -> BTreeSet<&HostId> {
            let words = grounds.heard.iter().filter(seated).filter(|heard| spoke(heard));
            words.map(|heard| &heard.observer).collect()
        };
        let against = who(&|heard| {
            matches!(heard.sight.voice, Voice::Against(_))
                && !heard.sight.is_self_doubting
                && !conclusions.discounts.contains_key(&heard.observer)
        });
        let well = who(&|heard| heard.sight.voice == Voice::Ok);
        // protocol 3.4: f is of the seats whose holders may speak; a discounted one may.
        let is_heard = |observer: &&HostId| {
            !conclusions.silent.contains(observer) && !grounds.mute.contains(observer)
        };
        let liars = tolerated(observers.iter().filter(is_heard).count());
        assert!(
            against.len() >= 2 && against.len() * 2 > observers.len(),
            "law V1: no verdict without a quorum of one round's voices"
        );
        assert!(
            against.len() > liars && well.len() <= liars,
            "law V4: what f hosts say makes no verdict, and more than f who see a host well prevent one"
        );
        assert!(
            !conclusions.domains.iter().any(|dark| dark.hosts.contains(subject)),
            "law V2: no verdict on a host while its whole domain is in doubt"
        );
    }
}
