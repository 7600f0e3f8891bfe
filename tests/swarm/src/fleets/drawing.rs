//! A plan from a seed: any topology, any policy within sane bounds, any faults that the language has words for.
//!
//! Law D1: the same seed and mode give the same plan, in every version that draws alike.
//! Law D2: what is drawn is what hale promises to bear: f liars per subject, losses below what the truth can be told under, and none
//! of what docs/LAWS says that it does not promise.
//! Not here: what is done to a fleet (see `acts`), which kinds of it there are (see `kinds`).

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::acts::Acts;
use super::checked;
use super::liars::{fitted, liars};
use super::plan::{Act, Plan, Spot};
use super::policy;
use super::rebooted;
use super::spared;

/// Most fleets are small, where quorums are tight; some are larger than a subject has seats.
const HOSTS_MAX: usize = 40;
const SMALL_MAX: usize = 13;

/// So many things are done to a fleet.
const ACTS_MIN: usize = 2;
const ACTS_MAX: usize = 14;

/// Whether some of the hosts lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All hosts are honest.
    Faults,
    /// As many lie as every subject bears.
    Insiders,
}

/// All chance of a plan.
pub(super) struct Luck(pub(super) ChaCha8Rng);

/// The plan of a seed.
pub fn drawn(seed: u64, mode: Mode) -> Plan {
    let mut luck = Luck(ChaCha8Rng::seed_from_u64(seed));
    let hosts = luck.fleet();
    let weather = luck.weather();
    let policy = policy::drawn(&mut luck);
    let mut acts = Vec::new();
    if mode == Mode::Insiders {
        acts.extend(luck.insiders(&hosts));
    }
    let count = luck.from(ACTS_MIN, ACTS_MAX);
    let mut drawing = Acts::new(&mut luck, &hosts);
    acts.extend((0..count).map(|_| drawing.one()));
    let plan = Plan { seed, hosts, spares: Vec::new(), weather, policy, acts };
    fitted(spared::put(rebooted::put(checked::put(plan))))
}

impl Luck {
    pub fn from(&mut self, least: usize, most: usize) -> usize {
        self.0.random_range(least..=most)
    }

    pub fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.from(0, of.len() - 1)]
    }

    pub fn is(&mut self, percent: usize) -> bool {
        self.from(1, 100) <= percent
    }

    fn fleet(&mut self) -> Vec<Spot> {
        let most = if self.is(85) { SMALL_MAX } else { HOSTS_MAX };
        let count = self.from(3, most);
        let zones = self.from(1, 5.min(count));
        let rack_size = self.from(1, 4);
        let keepers = match count {
            ..5 => 3,
            _ if self.is(60) => 3,
            _ if self.is(60) => 5,
            _ => 1,
        };
        let has_plain_hosts = self.is(20);
        let spot = |number: usize| {
            let (zone, place) = (number % zones, number / zones);
            Spot {
                name: format!("h{number}"),
                zone: format!("z{zone}"),
                rack: format!("z{zone}r{}", place / rack_size),
                group: if number % 3 == 2 { "db" } else { "web" }.to_owned(),
                is_keeper: number < keepers,
                is_healer: !has_plain_hosts || number.is_multiple_of(2),
            }
        };
        (0..count).map(spot).collect()
    }

    fn weather(&mut self) -> String {
        let loss = if self.is(70) { 0 } else { self.from(1, 5) };
        let (latency, jitter) = (self.from(1, 20), self.from(0, 10));
        format!("weather latency={latency}ms jitter={jitter}ms loss={loss}%")
    }

    fn insiders(&mut self, hosts: &[Spot]) -> Option<Act> {
        let lying = liars(self, hosts);
        let how = self.one(&[
            "accuses", "accuses", "praises", "hides", "repeats", "floods", "forges", "wavers",
        ]);
        let names = lying.join(" ");
        (!lying.is_empty()).then(|| Act {
            order: format!("lie {names} {how}"),
            undo: Some(format!("lie {names} ends")),
            wait_ms: self.wait(),
        })
    }

    /// Often the next thing comes while the one before is being judged.
    pub fn wait(&mut self) -> u64 {
        let most = if self.is(60) { 3_000 } else { 20_000 };
        self.from(100, most) as u64
    }
}
