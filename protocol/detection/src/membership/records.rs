//! Which health records are news, and our own one.
//!
//! Law SW3: of each host the newest (boot, sequence) stands, and what is not news is not told on.
//! Law SW4: a host's own records pass a token bucket at their author and again at everyone who tells them on.

use std::collections::BTreeMap;

use vocabulary::{Boot, HostId, Moment, Sequence, Span};

use super::bucket::Bucket;
use crate::health::{Health, HealthRecord};

/// A change is told at once, a third one within seconds has to wait: 200 bytes go to every host of the mesh.
const OWN_BURST: u64 = 3;
/// See [`OWN_BURST`].
const OWN_REFILL: Span = Span::seconds(5);

/// Twice what an honest author sends, since its records may arrive bunched together.
const HEARD_BURST: u64 = 2 * OWN_BURST;
/// See [`HEARD_BURST`].
const HEARD_REFILL: Span = Span::milliseconds(2_500);

/// The newest record heard of each host, by its number only.
#[derive(Debug, Default)]
pub(super) struct Heard {
    newest: BTreeMap<HostId, Newest>,
}

#[derive(Debug)]
struct Newest {
    boot: Boot,
    sequence: Sequence,
    bucket: Bucket,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is to be taken in and told on.
    News,
    /// A newer one, or this very one, is known.
    Known,
    /// Its host speaks faster than it may.
    OverRate,
    /// Too many hosts are known to hear of another (law SW8).
    Full,
}

/// Our own health and how far it has been told.
#[derive(Debug)]
pub(super) struct Own {
    health: Health,
    sequence: Sequence,
    is_untold: bool,
    bucket: Bucket,
}

impl Heard {
    /// Judges a record of another host and remembers it if it is news; `hosts_max` bounds how many are remembered.
    pub fn judge(&mut self, now: Moment, record: &HealthRecord, hosts_max: usize) -> Judgement {
        let is_full = self.newest.len() >= hosts_max;
        match self.newest.get_mut(&record.host) {
            Some(known) => known.judge(now, record),
            None if is_full => Judgement::Full,
            None => {
                let mut bucket = Bucket::full(HEARD_BURST, HEARD_REFILL);
                bucket.take(now);
                let newest = Newest { boot: record.boot, sequence: record.sequence, bucket };
                self.newest.insert(record.host, newest);
                Judgement::News
            }
        }
    }

    /// The host is forgotten by the membership too.
    pub fn forget(&mut self, host: &HostId) {
        self.newest.remove(host);
    }
}

impl Newest {
    fn judge(&mut self, now: Moment, record: &HealthRecord) -> Judgement {
        if !record.is_newer_than(self.boot, self.sequence) {
            Judgement::Known
        } else if self.bucket.take(now) {
            self.boot = record.boot;
            self.sequence = record.sequence;
            Judgement::News
        } else {
            Judgement::OverRate
        }
    }
}

impl Own {
    /// Calm, and nothing told yet: calm is what everybody takes us for.
    pub fn calm() -> Self {
        Self {
            health: Health::default(),
            sequence: Sequence::default(),
            is_untold: false,
            bucket: Bucket::full(OWN_BURST, OWN_REFILL),
        }
    }

    /// Our health is now this; said again, it is no news.
    pub fn change(&mut self, health: Health) {
        if health != self.health {
            self.health = health;
            self.is_untold = true;
        }
    }

    /// Somebody new listens: what is not calm is told again.
    pub fn repeat(&mut self) {
        self.is_untold |= !self.health.is_calm();
    }

    /// Somebody tells of us what we did not say: we say it anew, above that.
    pub fn contradict(&mut self, boot: Boot, record: &HealthRecord) {
        let is_ours = record.boot == boot
            && record.sequence <= self.sequence
            && (record.sequence < self.sequence || record.health == self.health);
        if record.boot == boot && !is_ours {
            self.sequence = self.sequence.max(record.sequence);
            self.is_untold = true;
        }
    }

    /// The record to tell now, if there is one and the budget allows it.
    pub fn speak(&mut self, now: Moment, host: HostId, boot: Boot) -> Option<HealthRecord> {
        if !self.is_untold || !self.bucket.take(now) {
            return None;
        }
        self.is_untold = false;
        self.sequence = self.sequence.next();
        Some(HealthRecord { host, boot, sequence: self.sequence, health: self.health.clone() })
    }

    /// When to try again, if something is untold.
    pub fn next(&self) -> Option<Moment> {
        self.is_untold.then(|| self.bucket.next())
    }
}
