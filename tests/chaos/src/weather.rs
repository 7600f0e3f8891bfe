//! Which faults blow, when, on whom and for how long: all of it drawn from a seed before the run.
//!
//! Law W1: the same seed, length and size draw the same gusts.
//! Law W2: every gust is over when the weather is: calm begins with nothing that is still done to anybody.
//! Law W3: every kind comes in turn, in an order of its own each time, so that a run of minutes meets them all.
//! Not here: whether a gust may blow at that moment (see `world`), doing it (see `faults`).

use std::fmt;
use std::time::Duration;

use lab::fleet::Size;
use lab::plan::Place;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::ground;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// SIGKILL; nobody but hale starts it again.
    Killed,
    /// SIGKILL, and whatever manages services there starts it again at the gust's end.
    Crashed,
    /// SIGSTOP until the end.
    Stopped,
    /// The host's card passes nothing, until the end or until it is powered off and on.
    Silenced,
    /// One zone is cut off, both ways.
    Partition,
    /// Nothing passes from some hosts to some others.
    OneWay,
    /// Packets are lost everywhere.
    Loss,
    /// The disk under the agent's storage is full to the last page.
    FullDisk,
    /// The wall clock is hours ahead.
    ClockShift,
    /// SIGTERM and a new start, host after host.
    Rolling,
    /// SIGKILL to whoever leads the keepers; started again at the end.
    LeaderKilled,
    /// SIGSTOP to whoever leads the keepers.
    LeaderStopped,
    /// SIGKILL to the healer of the next remedy, while that runs.
    HealerKilled,
    /// SIGSTOP to the healer of the next remedy, while that runs; woken at the end.
    HealerStopped,
    /// Remedies take longer than they may.
    SlowRemedies,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::Killed,
        Self::Crashed,
        Self::Stopped,
        Self::Silenced,
        Self::Partition,
        Self::OneWay,
        Self::Loss,
        Self::FullDisk,
        Self::ClockShift,
        Self::Rolling,
        Self::LeaderKilled,
        Self::LeaderStopped,
        Self::HealerKilled,
        Self::HealerStopped,
        Self::SlowRemedies,
    ];

    /// How long one lasts, in seconds: from, to.
    fn lasts(self) -> (u64, u64) {
        match self {
            Self::Killed => (1, 2),
            Self::Crashed => (1, 5),
            // From a hiccup to far beyond a verdict and a lease.
            Self::Stopped => (2, 30),
            Self::Silenced | Self::FullDisk | Self::Rolling => (15, 30),
            Self::Partition => (6, 18),
            Self::OneWay | Self::Loss | Self::ClockShift => (8, 25),
            Self::LeaderKilled | Self::LeaderStopped => (3, 10),
            Self::HealerKilled | Self::HealerStopped => (12, 25),
            Self::SlowRemedies => (8, 15),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Killed => "agent killed",
            Self::Crashed => "agent crashed, started again",
            Self::Stopped => "agent stopped",
            Self::Silenced => "host silent",
            Self::Partition => "zone cut off",
            Self::OneWay => "one-way cut",
            Self::Loss => "loss",
            Self::FullDisk => "disk full",
            Self::ClockShift => "clock shifted",
            Self::Rolling => "rolling restart",
            Self::LeaderKilled => "leader killed",
            Self::LeaderStopped => "leader stopped",
            Self::HealerKilled => "healer killed in a remedy",
            Self::HealerStopped => "healer stopped in a remedy",
            Self::SlowRemedies => "remedies too slow",
        })
    }
}

/// One fault of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gust {
    /// Since the weather began.
    pub at: Duration,
    /// What.
    pub kind: Kind,
    /// For how long.
    pub lasts: Duration,
    /// On whom, where it is on somebody; of a one-way cut from whom.
    pub on: Vec<Place>,
    /// Of a one-way cut to whom.
    pub to: Vec<Place>,
    /// How much: packets of a thousand, hours, milliseconds into a remedy.
    pub measure: u64,
}

impl fmt::Display for Gust {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, kind, lasts, on, to, measure } = self;
        let (at, lasts) = (at.as_secs_f32(), lasts.as_secs_f32());
        write!(out, "{at:.1} s: {kind} for {lasts:.1} s, on {on:?} to {to:?}, measure {measure}")
    }
}

/// Between two gusts, in milliseconds: from, to. Faults overlap: each lasts longer than that.
const PAUSE_MS: (u64, u64) = (2_000, 5_000);

/// So many die at once, that budgets are met; more would be a surge each time.
const KILLED_MAX: u64 = 3;

/// Packets of a thousand that are lost at worst: above that the truth cannot be told any more.
const LOST_PERMILLE_MAX: u64 = 300;

/// law W1.
pub fn drawn(seed: u64, length: Duration, size: Size) -> Vec<Gust> {
    let mut luck = Luck { rng: ChaCha8Rng::seed_from_u64(seed), size };
    let (mut gusts, mut at) = (Vec::new(), Duration::ZERO);
    let mut bag: Vec<Kind> = Vec::new();
    loop {
        at += Duration::from_millis(luck.between(PAUSE_MS));
        let kind = luck.next_of(&mut bag);
        let (from, to) = kind.lasts();
        let lasts = Duration::from_millis(luck.between((from * 1_000, to * 1_000)));
        if at + Duration::from_secs(1) > length {
            return gusts;
        }
        // law W2.
        let lasts = lasts.min(length - at);
        let (on, to, measure) = luck.spot(kind);
        gusts.push(Gust { at, kind, lasts, on, to, measure });
    }
}

struct Luck {
    rng: ChaCha8Rng,
    size: Size,
}

impl Luck {
    /// law W3.
    fn next_of(&mut self, bag: &mut Vec<Kind>) -> Kind {
        if bag.is_empty() {
            bag.extend(Kind::ALL);
            // Without deaths nothing is healed.
            bag.extend([Kind::Killed, Kind::Killed, Kind::Killed, Kind::Silenced]);
            bag.shuffle(&mut self.rng);
        }
        bag.pop().unwrap_or(Kind::Killed)
    }

    fn spot(&mut self, kind: Kind) -> (Vec<Place>, Vec<Place>, u64) {
        let hosts = self.size.hosts;
        match kind {
            Kind::Killed => {
                let count = self.between((1, KILLED_MAX));
                ((0..count).map(|_| self.any(hosts)).collect(), vec![], 0)
            }
            Kind::Crashed | Kind::Stopped | Kind::Silenced => (vec![self.any(hosts)], vec![], 0),
            Kind::Partition => {
                let zone = self.any(ground::ZONES);
                ((0..hosts).filter(|place| place % ground::ZONES == zone).collect(), vec![], 0)
            }
            Kind::OneWay => {
                let mut all: Vec<Place> = (0..hosts).collect();
                all.shuffle(&mut self.rng);
                let count = self.between((1, 3));
                let to = all.split_off(usize::try_from(count).unwrap_or(1));
                let heard_by = self.between((2, hosts as u64 / 2));
                (all, to.into_iter().take(usize::try_from(heard_by).unwrap_or(2)).collect(), 0)
            }
            Kind::Loss => (vec![], vec![], self.between((50, LOST_PERMILLE_MAX))),
            Kind::FullDisk => (self.one_of(&ground::small_disks(self.size)), vec![], 0),
            Kind::ClockShift => {
                (self.one_of(&ground::shifting(self.size)), vec![], self.between((1, 5)))
            }
            Kind::Rolling => {
                let (first, count) = (self.any(hosts), self.between((3, 6)));
                let count = usize::try_from(count).unwrap_or(3);
                ((0..count).map(|nth| (first + nth) % hosts).collect(), vec![], 0)
            }
            Kind::HealerKilled | Kind::HealerStopped => (vec![], vec![], self.between((50, 1_500))),
            Kind::LeaderKilled | Kind::LeaderStopped | Kind::SlowRemedies => (vec![], vec![], 0),
        }
    }

    fn one_of(&mut self, places: &[Place]) -> Vec<Place> {
        let nth = self.any(places.len().max(1));
        places.get(nth).copied().into_iter().collect()
    }

    fn any(&mut self, below: usize) -> usize {
        self.rng.random_range(0..below)
    }

    fn between(&mut self, (from, to): (u64, u64)) -> u64 {
        self.rng.random_range(from..=to)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SIZE: Size = Size { hosts: 20, keepers: 5 };
    const LENGTH: Duration = Duration::from_mins(3);

    #[test]
    fn a_seed_draws_one_weather_and_another_seed_another() {
        assert_eq!(drawn(7, LENGTH, SIZE), drawn(7, LENGTH, SIZE));
        assert_ne!(drawn(7, LENGTH, SIZE), drawn(8, LENGTH, SIZE));
    }

    #[test]
    fn three_minutes_meet_every_kind_and_all_is_over_at_their_end() {
        for seed in 0..200 {
            let gusts = drawn(seed, LENGTH, SIZE);
            let kinds: BTreeSet<Kind> = gusts.iter().map(|gust| gust.kind).collect();
            assert_eq!(kinds.len(), Kind::ALL.len(), "seed {seed}: {kinds:?}");
            assert!(gusts.iter().all(|gust| gust.at + gust.lasts <= LENGTH), "seed {seed}");
            let places = gusts.iter().flat_map(|gust| gust.on.iter().chain(&gust.to));
            assert!(places.into_iter().all(|place| *place < SIZE.hosts), "seed {seed}");
        }
    }
}
