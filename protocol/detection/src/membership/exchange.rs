//! Whom to ask for what gossip has lost, when, and how often others may ask us (protocol 4).
//!
//! Law SW14: one partner at a time, every 10 to 30 s, and 1 to 5 s after one that brought a member, and after the roster has grown beyond
//! whom this host has heard of; an asker beyond its ration is refused, and costs no hashing.
//! Not here: the bytes (see `digest`), what may be believed of them (see `sieve`).

use std::collections::BTreeMap;

use rand_core::Rng;
use vocabulary::{HostId, Moment, Span};

use super::bucket::Bucket;

/// Shortest and longest time between two exchanges.
const EVERY_MIN: Span = Span::seconds(10);
/// See [`EVERY_MIN`].
const EVERY_MAX: Span = Span::seconds(30);

/// How soon after the first member is known, and after an exchange that brought one: a newcomer has as many members as one feed
/// holds. A mesh has no more members than its roster: this ends by itself.
const FIRST_MIN: Span = Span::seconds(1);
/// See [`FIRST_MIN`].
const FIRST_MAX: Span = Span::seconds(5);

/// Questions that one asker has at once: an exchange takes two, and a newcomer several exchanges.
const ASKS_BURST: u64 = 6;
/// See [`ASKS_BURST`].
const ASKS_REFILL: Span = Span::seconds(5);

/// Askers remembered before those that have rested are forgotten.
const ASKERS_KEPT: usize = 64;

/// The exchanges that we begin and the questions that we are asked.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    /// With whom one is under way.
    with: Option<HostId>,
    askers: BTreeMap<HostId, Bucket>,
}

impl Exchanges {
    /// Begins one; an earlier one that never ended is given up.
    pub fn begin(&mut self, with: HostId) {
        self.with = Some(with);
    }

    /// Whether one is under way with this host.
    pub fn is_with(&self, host: HostId) -> bool {
        self.with == Some(host)
    }

    /// It has come to an end.
    pub fn end(&mut self) {
        self.with = None;
    }

    /// Whether this host may ask now.
    pub fn admits(&mut self, now: Moment, asker: HostId) -> bool {
        if self.askers.len() >= ASKERS_KEPT {
            self.askers.retain(|_, bucket| !bucket.is_full(now));
        }
        let bucket = self.askers.entry(asker);
        bucket.or_insert_with(|| Bucket::full(ASKS_BURST, ASKS_REFILL)).take(now)
    }
}

/// How long to wait for the first one.
pub(super) fn first_wait(luck: &mut impl Rng) -> Span {
    between(FIRST_MIN, FIRST_MAX, luck)
}

/// How long to wait for the next one.
pub(super) fn next_wait(luck: &mut impl Rng) -> Span {
    between(EVERY_MIN, EVERY_MAX, luck)
}

fn between(least: Span, most: Span, luck: &mut impl Rng) -> Span {
    let breadth = most.less(least).as_milliseconds() + 1;
    Span::milliseconds(least.as_milliseconds() + luck.next_u64() % breadth)
}
