//! Which health records are believed.
//!
//! Law SW3: of each host the newest (boot, sequence) stands, and what is not news is not told on.
//! Law SW4: a host's own records pass a token bucket at their author (see `own`) and again at everyone who tells them on.
//! Law SW17: nobody speaks of another's health alone. A record stands once its own host has told it, or two senders have told
//! the very same; what is told on was believed first, so that one liar's invention never has a second sender.
//! Law SW18: a record is of the life that is known of its host, and beyond the last one by no more than its host can have told
//! since (see `window`); what its host tells itself stands against all that others told of it.
//! Not here: our own record (see `own`), who belongs to the mesh and which life is known (see `hearing`).

use std::collections::BTreeMap;

use vocabulary::{Boot, Digest, HostId, Moment, Sequence, Span};

use super::bucket::Bucket;
use super::own::OWN_BURST;
use super::window::Window;
use crate::health::HealthRecord;

/// Twice what an honest author sends, since its records may arrive bunched together.
const HEARD_BURST: u64 = 2 * OWN_BURST;
/// See [`HEARD_BURST`].
const HEARD_REFILL: Span = Span::milliseconds(2_500);

/// Senders whose word on one host is held: two honest ones beside one liar.
const WORDS_MAX: usize = 3;

/// What is known of each host's health, by numbers and digests only.
#[derive(Debug, Default)]
pub(super) struct Heard {
    hosts: BTreeMap<HostId, OfHost>,
}

#[derive(Debug)]
struct OfHost {
    life: Boot,
    /// What stands, if anything of that life does.
    newest: Option<Window>,
    /// The newest that it has told us itself.
    told_itself: Option<Sequence>,
    words: Words,
    /// For what it tells us itself; others cannot spend it.
    own_bucket: Bucket,
    /// For what others tell of it.
    bucket: Bucket,
}

/// Records of one host that one sender alone has told; at most [`WORDS_MAX`], one of each sender, and the oldest makes room.
#[derive(Debug, Default)]
pub(super) struct Words(Vec<Word>);

#[derive(Debug)]
struct Word {
    by: HostId,
    sequence: Sequence,
    digest: Digest,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is to be taken in and told on.
    News,
    /// A newer one, or this very one, is known.
    Known,
    /// Nobody else has told it yet (law SW17).
    Held,
    /// Its host speaks faster than it may.
    OverRate,
    /// Its host does not live that life, or cannot have told so much (law SW18).
    OutOfPlace,
}

impl Heard {
    /// Judges what `from` tells of another host, which is known to live `life`, and remembers it if it is news.
    pub fn judge(
        &mut self,
        now: Moment,
        (from, life): (HostId, Boot),
        record: &HealthRecord,
    ) -> Judgement {
        if record.boot != life {
            return Judgement::OutOfPlace;
        }
        let known = self.hosts.entry(record.host).or_insert_with(|| OfHost::new(life));
        known.live(life);
        if from == record.host {
            known.hear_itself(now, record.sequence)
        } else {
            known.hear_of(now, from, record)
        }
    }

    /// The host is forgotten by the membership too.
    pub fn forget(&mut self, host: &HostId) {
        self.hosts.remove(host);
    }

    /// Only these hosts are remembered.
    pub fn retain(&mut self, belongs: impl Fn(&HostId) -> bool) {
        self.hosts.retain(|host, _| belongs(host));
    }

    /// How many hosts are remembered.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.hosts.len()
    }
}

impl OfHost {
    fn new(life: Boot) -> Self {
        Self {
            life,
            newest: None,
            told_itself: None,
            words: Words::default(),
            own_bucket: Bucket::full(HEARD_BURST, HEARD_REFILL),
            bucket: Bucket::full(HEARD_BURST, HEARD_REFILL),
        }
    }

    /// What was told of another life stands no longer; what was spent stays spent.
    fn live(&mut self, life: Boot) {
        if self.life != life {
            self.life = life;
            self.newest = None;
            self.told_itself = None;
            self.words = Words::default();
        }
    }

    /// Law SW18: whatever others have told of it.
    fn hear_itself(&mut self, now: Moment, sequence: Sequence) -> Judgement {
        if self.told_itself.is_some_and(|told| sequence <= told) {
            return Judgement::Known;
        } else if !self.own_bucket.take(now) {
            return Judgement::OverRate;
        }
        self.told_itself = Some(sequence);
        self.newest = Some(Window::above(now, sequence));
        self.words.end(sequence);
        Judgement::News
    }

    fn hear_of(&mut self, now: Moment, from: HostId, record: &HealthRecord) -> Judgement {
        let sequence = record.sequence;
        match &self.newest {
            Some(newest) if sequence <= newest.top() => return Judgement::Known,
            Some(newest) if !newest.reaches(now, sequence) => return Judgement::OutOfPlace,
            _ if !self.words.agree(from, record) => return Judgement::Held,
            _ if !self.bucket.take(now) => return Judgement::OverRate,
            _ => {}
        }
        let newest = self.newest.get_or_insert_with(|| Window::above(now, sequence));
        newest.rise(now, sequence);
        self.words.end(sequence);
        Judgement::News
    }
}

impl Words {
    /// Law SW17: whether another sender has told this very record; if none has, it is held for one.
    pub fn agree(&mut self, by: HostId, record: &HealthRecord) -> bool {
        let digest = Digest::of(&[&record.to_bytes()]);
        self.0.retain(|word| word.by != by);
        let is_second = self.0.iter().any(|word| word.digest == digest);
        if self.0.len() >= WORDS_MAX {
            self.0.remove(0);
        }
        self.0.push(Word { by, sequence: record.sequence, digest });
        is_second
    }

    /// What is not above this is worth nothing any more.
    pub fn end(&mut self, sequence: Sequence) {
        self.0.retain(|word| word.sequence > sequence);
    }
}
