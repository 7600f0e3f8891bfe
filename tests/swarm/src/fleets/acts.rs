//! What is done to a fleet, drawn one after the other: faults, people, and whatever else the language has words for.
//!
//! Law D2: see `drawing`. Not drawn are keepers' clones and more than one keeper's lost disk (docs/LAWS: a keeper that was cloned, a
//! majority of disks), and of hosts that heal, pauses that no clock counts beyond what a lease's margin covers (a paused healer).
//! Not here: who there is (see `drawing`), hosts that lie (see `liars`).

use super::drawing::Luck;
use super::plan::{Act, Spot};
use super::policy;

/// A lease's margin is 5 s and a tenth of its term (protocol 7.1): pauses that no clock counts are within it all together.
const UNCOUNTED_S: usize = 4;

/// A host's own clients may always fill its link: what the mesh itself sends finds room in so much.
const BANDWIDTH_MIN_KB: usize = 50;

/// An order, and what ends it in the calm where nothing else does.
type Order = (String, Option<String>);

/// Draws what is done to one fleet.
pub(super) struct Acts<'a> {
    luck: &'a mut Luck,
    hosts: &'a [Spot],
    /// Seconds that hosts which heal may still be paused without their clocks' knowledge.
    uncounted_s: usize,
}

impl<'a> Acts<'a> {
    pub fn new(luck: &'a mut Luck, hosts: &'a [Spot]) -> Self {
        Self { luck, hosts, uncounted_s: UNCOUNTED_S }
    }

    /// The next thing that is done.
    pub fn one(&mut self) -> Act {
        let (order, undo) = match self.luck.from(0, 11) {
            0..=4 => (self.of_lives(), None),
            5 => (self.of_cuts(), None),
            6 => self.of_ways(),
            7 => self.of_pairs(),
            8 | 9 => self.of_plights(),
            10 => self.of_service(),
            _ => (self.of_people(), None),
        };
        Act { order, undo, wait_ms: self.luck.wait() }
    }

    fn host(&mut self) -> &'a str {
        &self.spot().name
    }

    fn spot(&mut self) -> &'a Spot {
        &self.hosts[self.luck.from(0, self.hosts.len() - 1)]
    }

    /// A host, now and then all that stand with it, or whoever matters most.
    fn whom(&mut self) -> String {
        let spot = self.spot();
        match self.luck.from(0, 19) {
            0 => format!("zone={}", spot.zone),
            1 | 2 => format!("rack={}", spot.rack),
            3 => "leader".to_owned(),
            4 => "healer".to_owned(),
            5 => format!("{} {}", spot.name, self.host()),
            _ => spot.name.clone(),
        }
    }

    fn of_lives(&mut self) -> String {
        let word = self.luck.one(&[
            "kill",
            "kill",
            "kill",
            "kill",
            "freeze",
            "freeze",
            "thaw",
            "silence",
            "silence",
            "unsilence",
            "poweroff",
            "poweroff",
            "start",
            "restart",
            "leave",
            "clone",
            "every",
        ]);
        match word {
            "clone" => self.copied().map_or_else(|| self.lost(), |name| format!("clone {name}")),
            "every" => format!("restart rack={} every {}s", self.spot().rack, self.luck.from(1, 9)),
            word => format!("{word} {}", self.whom()),
        }
    }

    /// No keeper: of two machines with one vote and one store only a person can tell (docs/LAWS).
    fn copied(&mut self) -> Option<&'a str> {
        let spot = self.spot();
        (!spot.is_keeper).then_some(&spot.name)
    }

    /// Of the keepers always the same one: whoever loses a majority of disks has lost what they alone knew (docs/LAWS).
    fn lost(&mut self) -> String {
        let spot = self.spot();
        let keepers = self.hosts.iter().filter(|spot| spot.is_keeper);
        let is_alone = keepers.count() == 1;
        let first = self.hosts.iter().find(|spot| spot.is_keeper).filter(|_| !is_alone);
        match first.filter(|_| spot.is_keeper) {
            Some(first) => format!("lose {}", first.name),
            None if spot.is_keeper => format!("kill {}", spot.name),
            None => format!("lose {}", spot.name),
        }
    }

    fn of_cuts(&mut self) -> String {
        let near = self.host();
        let far = self.hosts.iter().find(|spot| spot.name != near).map_or(near, |spot| &spot.name);
        match self.luck.from(0, 5) {
            0 => format!("cut zone={}", self.spot().zone),
            1 => format!("cut rack={}", self.spot().rack),
            2 => format!("cut {near} from {far}"),
            3 => format!("cut {near} to {}", self.host()),
            _ => "join".to_owned(),
        }
    }

    /// Everywhere, or of one host.
    fn of_ways(&mut self) -> Order {
        let host = self.host();
        let mut percent = |most| self.luck.from(1, most);
        let (order, undo) = match percent(9) {
            1 => (format!("loss {}%", percent(15)), "loss 0%".to_owned()),
            2 => (format!("loss {}% {host}", percent(90)), format!("loss 0% {host}")),
            3 => (format!("loss {}% from {host}", percent(90)), format!("loss 0% {host}")),
            4 => (format!("loss {}% to {host}", percent(90)), format!("loss 0% {host}")),
            5 => (format!("jitter {}ms {host}", percent(60)), format!("jitter 0ms {host}")),
            6 => (format!("latency {}ms {host}", percent(60)), format!("latency 0ms {host}")),
            7 => (format!("duplication {}%", percent(20)), "duplication 0%".to_owned()),
            8 => {
                let bytes = BANDWIDTH_MIN_KB + percent(100);
                (format!("bandwidth {bytes}kB {host}"), format!("bandwidth full {host}"))
            }
            _ => (format!("reordering {}%", percent(20)), "reordering 0%".to_owned()),
        };
        (order, Some(undo))
    }

    /// Between two, or in one direction.
    fn of_pairs(&mut self) -> Order {
        let (near, far) = (self.host(), self.host());
        let share = self.luck.from(1, 95);
        let between = format!("between {near} and {far}");
        let (order, undo) = match self.luck.from(0, 3) {
            0 | 1 => (format!("loss {share}% {between}"), format!("loss 0% {between}")),
            2 => (format!("loss {share}% from {near} to {far}"), format!("loss 0% {between}")),
            _ => (format!("latency {share}ms {between}"), format!("latency 0ms {between}")),
        };
        (order, Some(undo))
    }

    fn of_plights(&mut self) -> Order {
        let host = self.host();
        let mut from = |least, most| self.luck.from(least, most);
        match from(0, 7) {
            0 => (format!("slow {host} {}ms", from(1, 400)), Some(format!("slow {host} 0ms"))),
            1 => (format!("stall {host} {}s", from(1, 20)), Some(format!("unstall {host}"))),
            2 => (
                format!("stall {host} {}s free {}ms", from(1, 8), from(50, 4_000)),
                Some(format!("unstall {host}")),
            ),
            3 => (format!("suspend {host} {}s", from(1, 40)), None),
            4 => (format!("jump {host} {}s", from(1, 40)), None),
            5 => (self.uncounted(), None),
            6 => (self.lost(), None),
            _ => (
                format!("drift {host} {}{}%", self.luck.one(&["", "-"]), self.luck.from(1, 4)),
                Some(format!("drift {host} 0%")),
            ),
        }
    }

    fn uncounted(&mut self) -> String {
        let spot = self.spot();
        let most = if spot.is_healer { self.uncounted_s } else { 40 };
        if most == 0 {
            return format!("suspend {} {}s", spot.name, self.luck.from(1, 40));
        }
        let lasts = self.luck.from(1, most);
        if spot.is_healer {
            self.uncounted_s -= lasts;
        }
        format!("suspend {} {lasts}s uncounted", spot.name)
    }

    fn of_service(&mut self) -> Order {
        match self.luck.from(0, 4) {
            0 => (
                format!("ledger slow {}ms", self.luck.from(50, 2_000)),
                Some("ledger slow 0ms".to_owned()),
            ),
            1 => (format!("ledger leaderless {}s", self.luck.from(1, 20)), None),
            2 => (
                format!("ledger loses answers {}%", self.luck.from(1, 50)),
                Some("ledger loses answers 0%".to_owned()),
            ),
            3 => (
                format!("remedies take {}s", self.luck.from(1, 8)),
                Some("remedies take 800ms".to_owned()),
            ),
            _ => {
                let how =
                    self.luck.one(&["does-nothing", "refuses", "receipt-lost", "fails", "hangs"]);
                (format!("remedies {how}"), None)
            }
        }
    }

    fn of_people(&mut self) -> String {
        match self.luck.one(&[
            "pause swarm",
            "resume swarm",
            "resume swarm",
            "release",
            "approve",
            "deny",
            "maintain",
            "maintain",
            "policy",
        ]) {
            order @ ("release" | "deny") => format!("{order} {}", self.whom()),
            "approve" => "approve 100%".to_owned(),
            "maintain" => format!("maintain {} {}s", self.whom(), self.luck.from(60, 240)),
            "policy" => format!("policy\n{}end\n", policy::drawn(self.luck)),
            order => order.to_owned(),
        }
    }
}
