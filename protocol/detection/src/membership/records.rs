//! Which health records are believed, and our own one.
//!
//! Law SW3: of each host the newest (boot, sequence) stands, and what is not news is not told on.
//! Law SW4: a host's own records pass a token bucket at their author and again at everyone who tells them on.
//! Law SW17: nobody speaks of another's health alone. A record stands once its own host has told it, or two senders have told
//! the very same; what is told on was believed first, so that one liar's invention never has a second sender.
//! Law SW18: a record is of the life that is known of its host, and beyond the last one by no more than its host can have told
//! since; what its host tells itself stands against all that others told of it.
//! Not here: who belongs to the mesh and which life is known (see `hearing`).

use std::collections::BTreeMap;

use vocabulary::{Boot, Digest, HostId, Moment, Sequence, Span};

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

/// By how much one record of a host may be above its last: one, and so far it rises above a forgery at once (law SW18).
const RISE_MAX: u64 = 16;

/// Records that may have been told before the last one was heard, and still be under way: what a host tells in a minute.
const LATE_RECORDS: u64 = 12;

/// No longer silence counts: else two liars could carry a host that was calm for days so far above itself that it would need a
/// day to pass that. It is three hours of a host that tells as often as it may and is not heard.
const SILENCE_MAX: Span = Span::minutes(10);

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
    newest: Option<Newest>,
    /// The newest that it has told us itself.
    told_itself: Option<Sequence>,
    words: Words,
    /// For what it tells us itself; others cannot spend it.
    own_bucket: Bucket,
    /// For what others tell of it.
    bucket: Bucket,
}

#[derive(Clone, Copy, Debug)]
struct Newest {
    sequence: Sequence,
    at: Moment,
}

/// Records of one host that one sender alone has told; at most [`WORDS_MAX`], one of each sender, and the oldest makes room.
#[derive(Debug, Default)]
struct Words(Vec<Word>);

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

/// Our own health and how far it has been told.
#[derive(Debug)]
pub(super) struct Own {
    health: Health,
    sequence: Sequence,
    /// When we last spoke.
    at: Moment,
    /// Above this we have to rise: two have told it of us, and we did not.
    disputed: Sequence,
    words: Words,
    is_untold: bool,
    bucket: Bucket,
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
        self.believe(now, sequence)
    }

    fn hear_of(&mut self, now: Moment, from: HostId, record: &HealthRecord) -> Judgement {
        let sequence = record.sequence;
        match self.newest {
            Some(newest) if sequence <= newest.sequence => Judgement::Known,
            Some(newest) if !newest.reaches(now, sequence) => Judgement::OutOfPlace,
            _ if !self.words.agree(from, record) => Judgement::Held,
            _ if !self.bucket.take(now) => Judgement::OverRate,
            _ => self.believe(now, sequence),
        }
    }

    fn believe(&mut self, now: Moment, sequence: Sequence) -> Judgement {
        self.newest = Some(Newest { sequence, at: now });
        self.words.end(sequence);
        Judgement::News
    }
}

impl Newest {
    /// Whether its host can have told so much since (law SW18).
    fn reaches(self, now: Moment, sequence: Sequence) -> bool {
        let silent = now.since(self.at).min(SILENCE_MAX);
        let since = silent.as_milliseconds() / OWN_REFILL.as_milliseconds();
        let records = (OWN_BURST + LATE_RECORDS).saturating_add(since);
        let most = records.saturating_mul(RISE_MAX + 1).saturating_add(self.sequence.0);
        sequence.0 <= most
    }
}

impl Words {
    /// Law SW17: whether another sender has told this very record; if none has, it is held for one.
    fn agree(&mut self, by: HostId, record: &HealthRecord) -> bool {
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
    fn end(&mut self, sequence: Sequence) {
        self.0.retain(|word| word.sequence > sequence);
    }
}

impl Own {
    /// Calm, and nothing told yet: calm is what everybody takes us for.
    pub fn calm() -> Self {
        Self {
            health: Health::default(),
            sequence: Sequence::default(),
            at: Moment::default(),
            disputed: Sequence::default(),
            words: Words::default(),
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

    /// Somebody tells of us what we did not say: once two do (law SW17), we say it anew, above that.
    pub fn contradict(&mut self, now: Moment, (from, boot): (HostId, Boot), record: &HealthRecord) {
        let is_ours = record.sequence <= self.sequence
            && (record.sequence < self.sequence || record.health == self.health);
        let last = Newest { sequence: self.sequence, at: self.at };
        // Law SW18: beyond that nobody believes it either.
        let is_believable = record.boot == boot && last.reaches(now, record.sequence);
        if is_believable && !is_ours && self.words.agree(from, record) {
            self.disputed = self.disputed.max(record.sequence);
            self.is_untold = true;
        }
    }

    /// The record to tell now, if there is one and the budget allows it.
    pub fn speak(&mut self, now: Moment, host: HostId, boot: Boot) -> Option<HealthRecord> {
        if !self.is_untold || !self.bucket.take(now) {
            return None;
        }
        let highest = Sequence(self.sequence.0.saturating_add(RISE_MAX));
        self.sequence = self.sequence.max(self.disputed.min(highest)).next();
        self.at = now;
        self.words.end(self.sequence);
        self.is_untold = self.sequence <= self.disputed;
        Some(HealthRecord { host, boot, sequence: self.sequence, health: self.health.clone() })
    }

    /// The sequence of what was told last.
    #[cfg(test)]
    pub fn told(&self) -> Sequence {
        self.sequence
    }

    /// When to try again, if something is untold.
    pub fn next(&self) -> Option<Moment> {
        self.is_untold.then(|| self.bucket.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::CheckKey;
    use vocabulary::Grade;

    const US: HostId = HostId([1; 16]);
    const BOOT: Boot = Boot { number: 1, nonce: 1 };

    /// Two tell at every turn, of a host that flickers, the highest that anybody would believe.
    #[test]
    fn whatever_a_host_tells_is_within_reach_of_whatever_it_told_before_though_it_is_contradicted_all_the_time()
     {
        let mut own = Own::calm();
        let mut told: Vec<Newest> = Vec::new();
        for turn in 0..3_000_u64 {
            let now = Moment::from_milliseconds(1_000_000 + turn * 400);
            let key = CheckKey(u32::try_from(turn % 3).unwrap_or(0));
            let grade = if turn % 700 < 300 { Grade::Failed } else { Grade::Ok };
            own.change(Health::new([(key, grade)], [], false));
            let highest = told.last().map_or(Sequence(200), |last| Sequence(last.sequence.0 + 250));
            let forged = HealthRecord {
                host: US,
                boot: BOOT,
                sequence: highest,
                health: Health::new([(CheckKey(9), Grade::Failed)], [], true),
            };
            for by in [2, 3] {
                own.contradict(now, (HostId([by; 16]), BOOT), &forged);
            }
            if let Some(record) = own.speak(now, US, BOOT) {
                let heard_lately = told.iter().filter(|at| now.since(at.at) <= SILENCE_MAX);
                for earlier in heard_lately {
                    assert!(earlier.reaches(now, record.sequence), "law SW18: {record:?}");
                }
                told.push(Newest { sequence: record.sequence, at: now });
            }
        }
        assert!(told.len() > 200, "{}", told.len());
        assert!(told.windows(2).all(|two| two[0].sequence < two[1].sequence), "law H2");
    }
}
