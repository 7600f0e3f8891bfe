//! A plan from a seed: any topology, any policy within sane bounds, any faults that the language has words for.
//!
//! Law D1: the same seed and mode give the same plan, in every version that draws alike.
//! Law D2: what is drawn is what hale promises to bear: f liars per subject, losses below what the truth can be told under.
//! Not here: clones (a person's, see `tests/scenarios`), pauses that no clock counts (the gap that docs/LAWS names), goodbyes for
//! good (a case after a quarter of an hour), lost disks (a keeper's may be the one that counts).

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::liars::liars;
use super::plan::{Act, Plan, Spot};
use super::policy;

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
pub(super) struct Luck(ChaCha8Rng);

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
    for _ in 0..luck.from(ACTS_MIN, ACTS_MAX) {
        acts.push(luck.act(&hosts));
    }
    Plan { seed, hosts, weather, policy, acts }
}

impl Luck {
    pub fn from(&mut self, least: usize, most: usize) -> usize {
        self.0.random_range(least..=most)
    }

    pub fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.from(0, of.len() - 1)]
    }

    fn is(&mut self, percent: usize) -> bool {
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
    fn wait(&mut self) -> u64 {
        let most = if self.is(60) { 3_000 } else { 20_000 };
        self.from(100, most) as u64
    }

    fn act(&mut self, hosts: &[Spot]) -> Act {
        let (order, undo) = match self.from(0, 9) {
            0..=3 => (self.of_lives(hosts), None),
            4 | 5 => (self.of_cuts(hosts), None),
            6 => self.of_ways(hosts),
            7 => self.of_plights(hosts),
            8 => self.of_service(),
            _ => (self.of_people(), None),
        };
        Act { order, undo, wait_ms: self.wait() }
    }

    fn host<'a>(&mut self, hosts: &'a [Spot]) -> &'a str {
        &hosts[self.from(0, hosts.len() - 1)].name
    }

    /// A host, now and then all that stand with it, or whoever matters most.
    fn whom(&mut self, hosts: &[Spot]) -> String {
        let spot = &hosts[self.from(0, hosts.len() - 1)];
        match self.from(0, 19) {
            0 => format!("zone={}", spot.zone),
            1 | 2 => format!("rack={}", spot.rack),
            3 => "leader".to_owned(),
            4 => "healer".to_owned(),
            5 => format!("{} {}", spot.name, self.host(hosts)),
            _ => spot.name.clone(),
        }
    }

    fn of_lives(&mut self, hosts: &[Spot]) -> String {
        let word = self.one(&[
            "kill",
            "kill",
            "kill",
            "freeze",
            "thaw",
            "silence",
            "unsilence",
            "poweroff",
            "start",
            "restart",
        ]);
        format!("{word} {}", self.whom(hosts))
    }

    fn of_cuts(&mut self, hosts: &[Spot]) -> String {
        let near = self.host(hosts);
        let far = hosts.iter().find(|spot| spot.name != near).map_or(near, |spot| &spot.name);
        match self.from(0, 5) {
            0 => format!("cut zone={}", hosts[self.from(0, hosts.len() - 1)].zone),
            1 => format!("cut rack={}", hosts[self.from(0, hosts.len() - 1)].rack),
            2 => format!("cut {near} from {far}"),
            3 => format!("cut {near} to {}", self.host(hosts)),
            _ => "join".to_owned(),
        }
    }

    /// Each with what ends it.
    fn of_ways(&mut self, hosts: &[Spot]) -> (String, Option<String>) {
        let host = self.host(hosts);
        let (order, undo) = match self.from(0, 6) {
            0 => (format!("loss {}%", self.from(1, 15)), "loss 0%".to_owned()),
            1 => (format!("loss {}% {host}", self.from(1, 90)), format!("loss 0% {host}")),
            2 => (format!("loss {}% from {host}", self.from(1, 90)), format!("loss 0% {host}")),
            3 => (format!("jitter {}ms {host}", self.from(1, 60)), format!("jitter 0ms {host}")),
            4 => (format!("latency {}ms {host}", self.from(1, 60)), format!("latency 0ms {host}")),
            5 => (format!("duplication {}%", self.from(1, 20)), "duplication 0%".to_owned()),
            _ => (format!("reordering {}%", self.from(1, 20)), "reordering 0%".to_owned()),
        };
        (order, Some(undo))
    }

    fn of_plights(&mut self, hosts: &[Spot]) -> (String, Option<String>) {
        let host = self.host(hosts);
        match self.from(0, 5) {
            0 => (format!("slow {host} {}ms", self.from(1, 400)), Some(format!("slow {host} 0ms"))),
            1 => (format!("stall {host} {}s", self.from(1, 20)), Some(format!("unstall {host}"))),
            2 => (
                format!("stall {host} {}s free {}ms", self.from(1, 8), self.from(50, 4_000)),
                Some(format!("unstall {host}")),
            ),
            3 => (format!("suspend {host} {}s", self.from(1, 40)), None),
            4 => (format!("jump {host} {}s", self.from(1, 40)), None),
            _ => (
                format!("drift {host} {}{}%", self.one(&["", "-"]), self.from(1, 4)),
                Some(format!("drift {host} 0%")),
            ),
        }
    }

    fn of_service(&mut self) -> (String, Option<String>) {
        match self.from(0, 3) {
            0 => (
                format!("ledger slow {}ms", self.from(50, 2_000)),
                Some("ledger slow 0ms".to_owned()),
            ),
            1 => (format!("ledger leaderless {}s", self.from(1, 20)), None),
            2 => (
                format!("ledger loses answers {}%", self.from(1, 50)),
                Some("ledger loses answers 0%".to_owned()),
            ),
            _ => {
                let how = self.one(&["does-nothing", "refuses", "receipt-lost", "fails", "hangs"]);
                (format!("remedies {how}"), None)
            }
        }
    }

    fn of_people(&mut self) -> String {
        self.one(&["pause swarm", "resume swarm", "resume swarm"]).to_owned()
    }
}
