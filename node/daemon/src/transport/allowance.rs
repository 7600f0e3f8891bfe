//! How much one host may have of us, on all its connections together.
//!
//! Law TR8: what a host sends beyond its rates is dropped or refused before it reaches the agent's loop, at a cost that does
//! not grow with what it asks; its bounds are its own, and outlive its connections.
//! Law TR9: bytes of requests that are not whole yet are bounded for each host, and for all that are no keepers together.
//! A host beyond its rates is named once, and not doubted for it: it may be a fault of ours.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use vocabulary::{Claims, HostId, HostName};
use wire::Kind;

use super::settings::{
    ALLOWANCES_MAX, DATAGRAMS_OF_ONE, FLOODING_FROM, FLOODING_OVER, FOLLOWS_OF_ONE,
    FRESH_OF_ONE_MAX, PROPOSALS_OF_ONE, READING_OF_ALL_MAX, READING_OF_KEEPER_MAX,
    READING_OF_ONE_MAX, READS_OF_ONE, STREAMS_OF_KEEPER, STREAMS_OF_ONE,
};
use crate::bucket::Bucket;

/// Every host's, the one used last first.
#[derive(Debug)]
pub(super) struct Allowances(LruCache<HostId, Arc<Allowance>>);

/// One host's.
#[derive(Debug)]
pub(super) struct Allowance {
    name: HostName,
    is_keeper: bool,
    buckets: Mutex<Buckets>,
    reading: AtomicUsize,
    /// Places for its fresh dials (protocol 2.3).
    pub fresh: Semaphore,
}

#[derive(Debug)]
struct Buckets {
    datagrams: Bucket,
    streams: Bucket,
    proposals: Bucket,
    reads: Bucket,
    follows: Bucket,
    excess: Excess,
}

/// What came beyond the rates.
#[derive(Debug, Default)]
struct Excess {
    /// In this bout.
    count: u32,
    last: Option<Instant>,
    of: &'static str,
    is_told: bool,
}

/// Room for the bytes of one request that is being read; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    of_host: &'a Allowance,
    of_all: &'a AtomicUsize,
    taken: usize,
}

impl Allowances {
    pub(super) fn new() -> Self {
        Self(LruCache::unbounded())
    }

    /// The host's, whatever it has used of it already.
    pub(super) fn of(&mut self, claims: &Claims, now: Instant) -> Arc<Allowance> {
        let new = || Arc::new(Allowance::new(claims, now));
        let host = claims.id();
        if self.0.len() >= ALLOWANCES_MAX && !self.0.contains(&host) {
            self.0.pop_lru();
        }
        let known = self.0.get_or_insert(host, new);
        if known.is_keeper == claims.roles.keeper {
            return Arc::clone(known);
        }
        // Another certificate of the same host, with other roles.
        let changed = new();
        self.0.put(host, Arc::clone(&changed));
        changed
    }

    /// Who is beyond its rates now, and with what.
    pub(super) fn flooders(&self, now: Instant) -> Vec<(HostName, &'static str)> {
        let all = self.0.iter().filter_map(|(_, allowance)| {
            Some((allowance.name.clone(), allowance.held().excess.flooding(now)?))
        });
        let mut all: Vec<_> = all.collect();
        all.sort();
        all
    }
}

impl Allowance {
    fn new(claims: &Claims, now: Instant) -> Self {
        let is_keeper = claims.roles.keeper;
        let streams = if is_keeper { STREAMS_OF_KEEPER } else { STREAMS_OF_ONE };
        let buckets = Buckets {
            datagrams: Bucket::full(DATAGRAMS_OF_ONE, now),
            streams: Bucket::full(streams, now),
            proposals: Bucket::full(PROPOSALS_OF_ONE, now),
            reads: Bucket::full(READS_OF_ONE, now),
            follows: Bucket::full(FOLLOWS_OF_ONE, now),
            excess: Excess::default(),
        };
        Self {
            name: claims.host.clone(),
            is_keeper,
            buckets: Mutex::new(buckets),
            reading: AtomicUsize::new(0),
            fresh: Semaphore::new(FRESH_OF_ONE_MAX),
        }
    }

    /// One more datagram.
    pub(super) fn datagram(&self, now: Instant) -> bool {
        let mut held = self.held();
        let is_within = held.datagrams.take(now);
        self.settle(&mut held.excess, (is_within, "datagrams"), now)
    }

    /// One more stream.
    pub(super) fn stream(&self, now: Instant) -> bool {
        let mut held = self.held();
        let is_within = held.streams.take(now);
        self.settle(&mut held.excess, (is_within, "requests"), now)
    }

    /// One more request of this kind, beside the stream that it came on.
    pub(super) fn request(&self, kind: Kind, now: Instant) -> bool {
        let mut held = self.held();
        let (bucket, of) = match kind {
            Kind::Propose => (&mut held.proposals, "proposals"),
            Kind::ReadIndex => (&mut held.reads, "reads of the ledger"),
            Kind::Follow => (&mut held.follows, "requests for the whole ledger"),
            _ => return true,
        };
        let is_within = bucket.take(now);
        self.settle(&mut held.excess, (is_within, of), now)
    }

    /// Room for a request that begins to come.
    pub(super) fn reading<'a>(&'a self, of_all: &'a AtomicUsize) -> Reading<'a> {
        Reading { of_host: self, of_all, taken: 0 }
    }

    fn settle(
        &self,
        excess: &mut Excess,
        (is_within, of): (bool, &'static str),
        now: Instant,
    ) -> bool {
        if !is_within && excess.is_news(of, now) {
            tracing::warn!(host = %self.name, "a host sends more {of} than any host may; the rest is dropped");
        }
        is_within
    }

    fn held(&self) -> MutexGuard<'_, Buckets> {
        // Plain figures: whole at every moment.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Excess {
    /// Counts one more; whether it is the one from which on this is a flood.
    fn is_news(&mut self, of: &'static str, now: Instant) -> bool {
        if self.last.is_none_or(|last| now.duration_since(last) > FLOODING_OVER) {
            *self = Self::default();
        }
        self.count = self.count.saturating_add(1);
        (self.last, self.of) = (Some(now), of);
        let is_news = self.count >= FLOODING_FROM && !self.is_told;
        self.is_told |= is_news;
        is_news
    }

    fn flooding(&self, now: Instant) -> Option<&'static str> {
        let is_now = self.last.is_some_and(|last| now.duration_since(last) <= FLOODING_OVER);
        (is_now && self.is_told).then_some(self.of)
    }
}

impl Reading<'_> {
    /// Room for so many bytes more; none is left where this says no (law TR9).
    pub(super) fn grow(&mut self, bytes: usize) -> bool {
        let host_max =
            if self.of_host.is_keeper { READING_OF_KEEPER_MAX } else { READING_OF_ONE_MAX };
        if !add(&self.of_host.reading, bytes, host_max) {
            return false;
        }
        // Keepers are few, and the ledger must go on while others flood.
        if !self.of_host.is_keeper && !add(self.of_all, bytes, READING_OF_ALL_MAX) {
            self.of_host.reading.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        self.taken += bytes;
        true
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.of_host.reading.fetch_sub(self.taken, Ordering::Relaxed);
        if !self.of_host.is_keeper {
            self.of_all.fetch_sub(self.taken, Ordering::Relaxed);
        }
    }
}

fn add(counter: &AtomicUsize, bytes: usize, most: usize) -> bool {
    let grown = |held: usize| held.checked_add(bytes).filter(|sum| *sum <= most);
    counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).is_ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vocabulary::{ClusterName, Domain, GroupName, Label, Roles};

    use super::*;

    fn claims(name: &str, is_keeper: bool) -> Claims {
        let label = |text| Label::new(text).expect("sound");
        Claims {
            cluster: ClusterName::new("prod").expect("sound"),
            host: HostName::new(name).expect("sound"),
            domain: Domain { region: label("eu"), zone: label("a"), rack: label("r") },
            group: GroupName::new("web").expect("sound"),
            roles: Roles { keeper: is_keeper, healer: false },
        }
    }

    #[test]
    fn a_host_keeps_its_allowance_over_its_connections_and_floods_nobody_elses() {
        let now = Instant::now();
        let mut all = Allowances::new();
        let first = all.of(&claims("x", false), now);
        let within = (0..9_999).filter(|_| first.datagram(now)).count();
        assert_eq!(within, DATAGRAMS_OF_ONE.at_once as usize);
        assert!(
            !all.of(&claims("x", false), now).datagram(now),
            "the next connection of the same host"
        );
        assert!(all.of(&claims("y", false), now).datagram(now));
        assert!(first.stream(now), "other things have rates of their own");
    }

    #[test]
    fn a_flood_is_named_while_it_lasts_and_a_burst_is_none() {
        let now = Instant::now();
        let mut all = Allowances::new();
        let (burst, flood) = (all.of(&claims("b", false), now), all.of(&claims("f", false), now));
        for _ in 0..DATAGRAMS_OF_ONE.at_once + FLOODING_FROM - 1 {
            burst.datagram(now);
        }
        for _ in 0..9_999 {
            flood.request(Kind::Propose, now);
        }
        let named = |all: &Allowances, at| {
            all.flooders(at)
                .into_iter()
                .map(|(name, of)| format!("{name}: {of}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(named(&all, now), ["f: proposals"]);
        let later = now + FLOODING_OVER + Duration::from_secs(1);
        assert_eq!(named(&all, later), [""; 0]);
    }

    #[test]
    fn bytes_that_are_being_read_are_bounded_and_given_back() {
        let now = Instant::now();
        let (mut all, of_all) = (Allowances::new(), AtomicUsize::new(0));
        let (plain, keeper) = (all.of(&claims("x", false), now), all.of(&claims("k", true), now));
        let mut first = plain.reading(&of_all);
        assert!(first.grow(READING_OF_ONE_MAX));
        assert!(!plain.reading(&of_all).grow(1), "of one host");
        assert!(
            keeper.reading(&of_all).grow(wire::frame::RAFT_BYTES_MAX),
            "a keeper's snapshot fits"
        );
        drop(first);
        assert_eq!(of_all.load(Ordering::Relaxed), 0);
        assert!(plain.reading(&of_all).grow(1));
        let hosts: Vec<_> =
            (0..64).map(|nth| all.of(&claims(&format!("h{nth}"), false), now)).collect();
        let mut readings: Vec<_> = hosts.iter().map(|host| host.reading(&of_all)).collect();
        let granted =
            readings.iter_mut().filter_map(|one| one.grow(READING_OF_ONE_MAX).then_some(()));
        assert_eq!(granted.count(), READING_OF_ALL_MAX / READING_OF_ONE_MAX, "of all hosts");
        assert!(keeper.reading(&of_all).grow(1), "and keepers are not held up by that");
    }

    #[test]
    fn the_list_of_hosts_is_bounded() {
        let now = Instant::now();
        let mut all = Allowances::new();
        for number in 0..ALLOWANCES_MAX + 99 {
            all.of(&claims(&format!("h{number}"), false), now);
        }
        assert_eq!(all.0.len(), ALLOWANCES_MAX);
    }
}
