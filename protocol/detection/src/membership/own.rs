//! What this host tells of its own health: what, how often, and what again.
//!
//! Law SW20: what others may have missed is told again: what is not calm to whoever comes, twice at once and then once in
//! [`REPEATS_REFILL`]; whatever changed, [`AGAIN_AFTER`] later, calm too; and what is not calm every [`AGAIN_EVERY`]. A host that
//! is calm and has said so twice says nothing.
//! Laws SW4, SW17 and SW18 stand in `records`.

use vocabulary::{Boot, HostId, Moment, Sequence, Span};

use super::bucket::Bucket;
use super::records::Words;
use super::window::{RISE_MAX, Window};
use crate::health::{Health, HealthRecord};

/// A change is told at once, a third one within seconds has to wait: 200 bytes go to every host of the mesh.
pub(super) const OWN_BURST: u64 = 3;
/// See [`OWN_BURST`].
pub(super) const OWN_REFILL: Span = Span::seconds(5);

/// Newcomers that are told at once how it is. Each of them costs the whole mesh a record of every host that is not calm, and a host
/// may come under a new boot every ten seconds: those that come later are told together.
const REPEATS_BURST: u64 = 2;
/// See [`REPEATS_BURST`].
const REPEATS_REFILL: Span = Span::seconds(60);

/// A change is told once more after so long, when whoever was behind has caught up.
const AGAIN_AFTER: Span = Span::minutes(5);

/// What is not calm is told again so often. In a mesh of 1,000 of which ten hosts are not calm this costs each host some 20 bytes a
/// second.
const AGAIN_EVERY: Span = Span::minutes(15);

/// Hosts that changed together do not tell again together.
const AGAIN_WITHIN: Span = Span::minutes(5);

/// Our own health and how far it has been told.
#[derive(Debug)]
pub(super) struct Own {
    health: Health,
    sequence: Sequence,
    /// What others can be made to believe of us.
    window: Window,
    /// Above this we have to rise: two have told it of us, and we did not.
    disputed: Sequence,
    words: Words,
    is_untold: bool,
    bucket: Bucket,
    repeats: Repeats,
}

/// What was told is told again (law SW20).
#[derive(Debug)]
struct Repeats {
    /// Somebody has come since.
    is_wanted: bool,
    bucket: Bucket,
    /// For whoever has missed it.
    at: Option<Moment>,
}

impl Own {
    /// Calm, and nothing told yet: calm is what everybody takes us for.
    pub fn calm() -> Self {
        Self {
            health: Health::default(),
            sequence: Sequence::default(),
            window: Window::of_ours(),
            disputed: Sequence::default(),
            words: Words::default(),
            is_untold: false,
            bucket: Bucket::full(OWN_BURST, OWN_REFILL),
            repeats: Repeats::none(),
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
        self.repeats.is_wanted |= !self.health.is_calm();
    }

    /// Somebody tells of us what we did not say: once two do (law SW17), we say it anew, above that.
    pub fn contradict(&mut self, now: Moment, (from, boot): (HostId, Boot), record: &HealthRecord) {
        let is_ours = record.sequence <= self.sequence
            && (record.sequence < self.sequence || record.health == self.health);
        // Law SW18: beyond that nobody believes it either.
        let is_believable = record.boot == boot && self.window.reaches(now, record.sequence);
        if is_believable && !is_ours && self.words.agree(from, record) {
            self.window.rise(now, record.sequence);
            self.disputed = self.disputed.max(record.sequence);
            self.is_untold = true;
        }
    }

    /// The record to tell now, if there is one and the budget allows it.
    pub fn speak(&mut self, now: Moment, host: HostId, boot: Boot) -> Option<HealthRecord> {
        let is_due = self.is_untold || self.repeats.next().is_some_and(|next| next <= now);
        if !is_due || !self.bucket.take(now) {
            return None;
        }
        self.repeats.told(now, host, (self.is_untold, self.health.is_calm()));
        let highest = Sequence(self.sequence.0.saturating_add(RISE_MAX));
        self.sequence = self.sequence.max(self.disputed.min(highest)).next();
        self.window.tell(self.sequence);
        self.words.end(self.sequence);
        self.is_untold = self.sequence <= self.disputed;
        Some(HealthRecord { host, boot, sequence: self.sequence, health: self.health.clone() })
    }

    /// The sequence of what was told last.
    #[cfg(test)]
    pub fn told(&self) -> Sequence {
        self.sequence
    }

    /// When there is something to tell, at the earliest.
    pub fn next(&self) -> Option<Moment> {
        let untold = self.is_untold.then_some(Moment::default());
        let wanted = [untold, self.repeats.next()].into_iter().flatten().min()?;
        Some(wanted.max(self.bucket.next()))
    }
}

impl Repeats {
    fn none() -> Self {
        Self { is_wanted: false, bucket: Bucket::full(REPEATS_BURST, REPEATS_REFILL), at: None }
    }

    fn next(&self) -> Option<Moment> {
        let wanted = self.is_wanted.then(|| self.bucket.next());
        [wanted, self.at].into_iter().flatten().min()
    }

    /// It was told, to whoever has come and to whoever had missed it.
    fn told(&mut self, now: Moment, host: HostId, (is_news, is_calm): (bool, bool)) {
        let is_again = self.at.is_some_and(|at| at <= now);
        let after = |span: Span| now.after(span).after(place_of(host));
        if is_news {
            self.at = Some(after(AGAIN_AFTER));
        } else if is_again {
            self.at = (!is_calm).then(|| after(AGAIN_EVERY));
        } else {
            self.bucket.take(now);
        }
        self.is_wanted = false;
    }
}

/// Where in [`AGAIN_WITHIN`] a host tells again: ids are digests, so that hosts are spread evenly.
fn place_of(HostId(id): HostId) -> Span {
    let number = u64::from(u16::from_be_bytes([id[0], id[1]]));
    Span::milliseconds(AGAIN_WITHIN.as_milliseconds() * number / u64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::CheckKey;
    use crate::membership::records::{Heard, Judgement};
    use vocabulary::Grade;

    const US: HostId = HostId([1; 16]);
    const BOOT: Boot = Boot { number: 1, nonce: 1 };

    /// Two tell at every turn, of a host that flickers, the highest that anybody would believe.
    #[test]
    fn whatever_a_host_tells_is_within_reach_of_whatever_it_told_before_though_it_is_contradicted_all_the_time()
     {
        let mut own = Own::calm();
        let mut told: Vec<(Moment, Sequence)> = Vec::new();
        for turn in 0..3_000_u64 {
            let now = Moment::from_milliseconds(1_000_000 + turn * 400);
            let key = CheckKey(u32::try_from(turn % 3).unwrap_or(0));
            let grade = if turn % 700 < 300 { Grade::Failed } else { Grade::Ok };
            own.change(Health::new([(key, grade)], [], false));
            let highest = told.last().map_or(Sequence(200), |last| Sequence(last.1.0 + 250));
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
                let lately = told.iter().filter(|(at, _)| now.since(*at) <= Span::minutes(10));
                for (at, earlier) in lately {
                    let reader = Window::above(*at, *earlier);
                    assert!(reader.reaches(now, record.sequence), "law SW18: {record:?}");
                }
                told.push((now, record.sequence));
            }
        }
        assert!(told.len() > 200, "{}", told.len());
        assert!(told.windows(2).all(|two| two[0].1 < two[1].1), "law H2");
    }

    fn unwell(number: u32) -> Health {
        Health::new([(CheckKey(number), Grade::Failed)], [], false)
    }

    /// A reader that hears of the host by others alone: two that lie tell it, and so does everybody who believes the host.
    struct Hearsay {
        heard: Heard,
        top: u64,
    }

    impl Hearsay {
        fn tell(&mut self, now: Moment, tellers: [u8; 2], record: &HealthRecord) -> bool {
            let mut judge = |by| self.heard.judge(now, (HostId([by; 16]), BOOT), record);
            let is_believed = tellers.map(&mut judge).contains(&Judgement::News);
            if is_believed {
                self.top = record.sequence.0;
            }
            is_believed
        }
    }

    #[test]
    fn two_that_lie_leap_no_further_than_one_window_and_the_host_passes_them_within_twelve_minutes_of_their_end()
     {
        let mut own = Own::calm();
        let mut reader = Hearsay { heard: Heard::default(), top: 0 };
        own.change(unwell(1));
        let start = Moment::from_milliseconds(10_000_000);
        let mut passed = None;
        for second in 0..4_000_u64 {
            let now = start.after(Span::seconds(second));
            if let Some(told) = own.speak(now, US, BOOT) {
                let is_believed = reader.tell(now, [4, 5], &told);
                passed = passed.filter(|_| second >= 2_400).or(is_believed.then_some(second));
            }
            for leap in (600..2_400)
                .contains(&second)
                .then_some([2_000, 255, 102, 17, 5, 1])
                .into_iter()
                .flatten()
            {
                let sequence = Sequence(reader.top + leap);
                let lie = HealthRecord { host: US, boot: BOOT, sequence, health: unwell(9) };
                if reader.tell(now, [2, 3], &lie) {
                    let most = own.told().0 + 135 * 17 + 17 * 4;
                    assert!(sequence.0 <= most, "law SW18: {sequence:?} after {second} s");
                    // Whoever believes it tells it on.
                    for by in [6, 7] {
                        own.contradict(now, (HostId([by; 16]), BOOT), &lie);
                    }
                }
            }
        }
        let passed = passed.expect("law SW18: its word is read again");
        assert!((2_401..2_400 + 720).contains(&passed), "{passed}");
    }

    /// When it tells, in seconds, if each second this many have come since.
    fn tells(
        own: &mut Own,
        seconds: std::ops::Range<u64>,
        comes: impl Fn(u64) -> bool,
    ) -> Vec<u64> {
        let told = seconds.filter(|second| {
            if comes(*second) {
                own.repeat();
            }
            let now = Moment::from_milliseconds(10_000_000 + second * 1_000);
            own.speak(now, US, BOOT).is_some()
        });
        told.collect()
    }

    #[test]
    fn whoever_comes_under_one_life_after_the_other_has_nobody_tell_again_more_than_once_a_minute_and_the_last_is_told()
     {
        let mut own = Own::calm();
        own.change(unwell(1));
        let told = tells(&mut own, 0..295, |second| second % 10 == 9 && second < 200);
        assert_eq!(told, [0, 9, 19, 69, 129, 189, 249], "law SW20");
    }

    #[test]
    fn what_changed_is_told_once_more_after_minutes_and_what_is_not_calm_again_and_again() {
        let mut own = Own::calm();
        assert_eq!(tells(&mut own, 0..7_200, |_| false), [0; 0], "calm from the start");
        own.change(unwell(1));
        let told = tells(&mut own, 0..7_200, |_| false);
        let apart: Vec<u64> = told.windows(2).map(|two| two[1] - two[0]).collect();
        assert!((300..=600).contains(&apart[0]), "{told:?}");
        assert!((6..=8).contains(&apart.len()), "{told:?}");
        assert!(apart[1..].iter().all(|apart| (900..=1_200).contains(apart)), "{told:?}");
        own.change(Health::default());
        let told = tells(&mut own, 7_200..20_000, |_| false);
        assert_eq!(told.len(), 2, "that it is well again, and once more: {told:?}");
    }
}
