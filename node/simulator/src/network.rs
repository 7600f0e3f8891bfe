//! What passes between which hosts, and how long it takes.
//!
//! Law W1: what is cut or silent loses everything, in the cut direction only.
//! Law W2: troubles of one way add up: what passes must pass the weather, its sender's link, the two sides' and its receiver's.
//! Law W3: chance is asked only about what may happen: without a trouble the same numbers are drawn as if there were none at all.
//! A way is looked up by its two ends, whatever was said of how many others (see `sides`).
//! Not here: who is there to receive it (see `mail`), what a script says of it (see `links`).

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use vocabulary::{Moment, Span};

use crate::errand::Errand;
use crate::fault::Trouble;
use crate::host::Place;
use crate::pipe::Pipe;
use crate::setup::Weather;
use crate::sides::Sides;

/// A lost packet of a stream is sent again after this (a local network's probe timeout).
const AGAIN_AFTER: Span = Span::milliseconds(40);

/// Where links or sides are lossy it waits twice as long each time, as QUIC does, and at most this. In the weather's loss, which is
/// small, the second repetition is rare and waits like the first.
const AGAIN_AT_MOST: Span = Span::seconds(2);

/// A stream gives up waiting for luck after so many repetitions: its caller's deadline decides then.
const REPEATED_MAX: u32 = 20;

/// What is overtaken comes at most so much later: long enough for several packets of a busy link, short beside every timeout.
const OVERTAKEN_BY_MS: u64 = 50;

/// The links between all hosts.
#[derive(Debug)]
pub(crate) struct Network {
    /// Everywhere.
    weather: Quality,
    links: Vec<Link>,
    sides: Sides,
    /// Whether anything but the weather was ever in the way.
    is_troubled: bool,
    random: ChaCha8Rng,
}

/// One way of one thing, in bytes of the Internet Protocol.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    pub from: Place,
    pub to: Place,
    pub bytes: u64,
}

/// A small packet of a stream, headers and all, where nobody counts what it holds.
const SMALL_BYTES: u64 = 200;

impl Way {
    /// Of a small packet.
    pub fn of(from: Place, to: Place) -> Self {
        Self { from, to, bytes: SMALL_BYTES }
    }
}

/// What of a datagram comes, and when.
pub(crate) struct Carried {
    pub takes: Span,
    /// Of its copy, where it was doubled on the way.
    pub again: Option<Span>,
}

/// How bad a part of a way is; the default is perfect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quality {
    pub latency: Span,
    pub jitter: Span,
    pub loss_permille: u32,
    pub doubled_permille: u32,
    pub overtaken_permille: u32,
}

/// What joins one host to all others.
#[derive(Clone, Debug, Default)]
struct Link {
    out: Quality,
    into: Quality,
    out_pipe: Pipe,
    into_pipe: Pipe,
    /// By errand.
    sent: [Sent; Errand::ALL.len()],
}

/// What a host has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// So many packets.
    pub packets: u64,
    /// With all their headers.
    pub bytes: u64,
}

impl std::iter::Sum for Sent {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            packets: sum.packets + one.packets,
            bytes: sum.bytes + one.bytes,
        })
    }
}

/// Which of the two directions of a host's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Out,
    Into,
}

impl Network {
    pub fn new(weather: Weather, seed: u64, hosts: usize) -> Self {
        let weather = Quality {
            latency: weather.latency,
            jitter: weather.jitter,
            loss_permille: weather.loss_permille,
            ..Quality::default()
        };
        Self {
            weather,
            links: vec![Link::default(); hosts],
            sides: Sides::new(hosts),
            is_troubled: false,
            random: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// One more host, whose links are sound.
    pub fn add_host(&mut self) {
        self.links.push(Link::default());
        self.sides.add_host();
    }

    pub fn cut(&mut self, from: &[Place], to: &[Place]) {
        self.sides.cut(from, to);
    }

    pub fn join(&mut self) {
        self.sides.join();
    }

    pub fn has_cuts(&self) -> bool {
        self.sides.has_cuts()
    }

    pub fn is_cut(&self, from: Place, to: Place) -> bool {
        self.sides.is_cut(from, to)
    }

    /// How much is lost everywhere.
    pub fn loss_permille(&self) -> u32 {
        self.weather.loss_permille
    }

    /// How much of what this host sends, or of what is sent to it, its own link loses: the worse of the two.
    pub fn loss_of(&self, place: Place) -> u32 {
        let link = &self.links[place];
        link.out.loss_permille.max(link.into.loss_permille)
    }

    /// How long a packet that comes to this host and is answered waits before the two directions of its link.
    pub fn waits_of(&self, place: Place, now: Moment) -> Span {
        let link = &self.links[place];
        link.out_pipe.waits(now).plus(link.into_pipe.waits(now))
    }

    /// How much is lost between these two alone: the worse of the two directions.
    pub fn loss_between(&self, a: Place, b: Place) -> u32 {
        let loss = |from, to| self.sides.quality(from, to).loss_permille;
        loss(a, b).max(loss(b, a))
    }

    pub fn trouble_everywhere(&mut self, trouble: Trouble) {
        self.weather.take(trouble);
    }

    pub fn trouble_link(&mut self, place: Place, direction: Direction, trouble: Trouble) {
        self.is_troubled = true;
        let link = &mut self.links[place];
        let (quality, pipe) = match direction {
            Direction::Out => (&mut link.out, &mut link.out_pipe),
            Direction::Into => (&mut link.into, &mut link.into_pipe),
        };
        match trouble {
            Trouble::Bandwidth(bytes) => *pipe = Pipe::of(bytes),
            _ => quality.take(trouble),
        }
    }

    pub fn trouble_sides(&mut self, from: &[Place], to: &[Place], trouble: Trouble) {
        self.is_troubled = true;
        self.sides.take(from, to, trouble);
    }

    /// One way of one datagram; `None` if it is lost.
    pub fn datagram(&mut self, now: Moment, way: Way) -> Option<Carried> {
        let gates = self.gates(way);
        if self.is_lost(&gates) {
            return None;
        }
        let queued = self.queue(now, way)?;
        let takes = self.way(&gates).plus(self.overtaken(&gates)).plus(queued);
        let again = self.is_any(&gates, |gate| gate.doubled_permille);
        let again = again.then(|| self.way(&gates).plus(queued));
        Some(Carried { takes, again })
    }

    /// One way of something that is repeated until it comes.
    pub fn stream(&mut self, now: Moment, way: Way) -> Span {
        let gates = self.gates(way);
        let mut takes = self.way(&gates);
        let mut wait = AGAIN_AFTER;
        let [_, rest @ ..] = &gates;
        let is_link_lossy = rest.iter().any(|gate| gate.loss_permille > 0);
        for _ in 0..REPEATED_MAX {
            if !self.is_lost(&gates)
                && let Some(queued) = self.queue(now.after(takes), way)
            {
                return takes.plus(queued);
            }
            takes = takes.plus(wait);
            if is_link_lossy {
                wait = wait.times(2).min(AGAIN_AT_MOST);
            }
        }
        takes
    }

    /// What this host has sent since the fleet began, by errand in their order.
    pub fn sent(&self, place: Place) -> [Sent; Errand::ALL.len()] {
        self.links[place].sent
    }

    /// It leaves its host, whatever becomes of it.
    pub fn count(&mut self, from: Place, errand: Errand, sent: Sent) {
        let own = &mut self.links[from].sent[errand as usize];
        own.packets += sent.packets;
        own.bytes += sent.bytes;
    }

    /// Any number below this one; below 1: zero.
    pub fn draw(&mut self, below: u64) -> u64 {
        self.random.next_u64() % below.max(1)
    }

    /// A boot's nonce.
    pub fn draw_nonce(&mut self) -> u128 {
        u128::from(self.draw(u64::MAX)) << 64 | u128::from(self.draw(u64::MAX))
    }

    /// Law W2: in the order in which a packet meets them.
    fn gates(&self, Way { from, to, .. }: Way) -> [Quality; 4] {
        if from == to || !self.is_troubled {
            return [self.weather, Quality::default(), Quality::default(), Quality::default()];
        }
        let between = self.sides.quality(from, to);
        [self.weather, self.links[from].out, between, self.links[to].into]
    }

    /// How long it waits for others before it on the two links; `None` where a queue is full.
    fn queue(&mut self, now: Moment, Way { from, to, bytes }: Way) -> Option<Span> {
        if from == to || !self.is_troubled {
            return Some(Span::ZERO);
        }
        let out = self.links[from].out_pipe.take(now, bytes)?;
        let into = self.links[to].into_pipe.take(now.after(out), bytes)?;
        Some(out.plus(into))
    }

    fn way(&mut self, gates: &[Quality; 4]) -> Span {
        let [weather, rest @ ..] = gates;
        let jitter = weather.jitter.as_milliseconds().saturating_add(1);
        let mut takes = weather.latency.plus(Span::milliseconds(self.draw(jitter)));
        for gate in rest {
            takes = takes.plus(gate.latency);
            if gate.jitter > Span::ZERO {
                let jitter = gate.jitter.as_milliseconds().saturating_add(1);
                takes = takes.plus(Span::milliseconds(self.draw(jitter)));
            }
        }
        takes
    }

    fn overtaken(&mut self, gates: &[Quality; 4]) -> Span {
        let is_overtaken = self.is_any(gates, |gate| gate.overtaken_permille);
        if is_overtaken { Span::milliseconds(1 + self.draw(OVERTAKEN_BY_MS)) } else { Span::ZERO }
    }

    fn is_lost(&mut self, gates: &[Quality; 4]) -> bool {
        self.is_any(gates, |gate| gate.loss_permille)
    }

    /// Law W3: whether it happens at one of them, so many of a thousand times at each.
    fn is_any(&mut self, gates: &[Quality; 4], permille: impl Fn(&Quality) -> u32) -> bool {
        gates.iter().any(|gate| {
            let share = u64::from(permille(gate));
            share > 0 && self.draw(1_000) < share
        })
    }
}

impl Quality {
    pub fn take(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::Loss(permille) => self.loss_permille = permille,
            Trouble::Latency(span) => self.latency = span,
            Trouble::Jitter(span) => self.jitter = span,
            Trouble::Duplication(permille) => self.doubled_permille = permille,
            Trouble::Reordering(permille) => self.overtaken_permille = permille,
            // A queue stands before a host's link, and nowhere else (see `links`).
            Trouble::Bandwidth(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: u64 = 20_000;

    fn network() -> Network {
        Network::new(Weather::default(), 7, 4)
    }

    /// Of a thousand datagrams between these two, so many come, and so many twice.
    fn come(network: &mut Network, from: Place, to: Place) -> (u64, u64) {
        let way = Way { from, to, bytes: 100 };
        let all = (0..SENT).filter_map(|_| network.datagram(Moment::default(), way));
        let carried: Vec<Carried> = all.collect();
        let twice = carried.iter().filter(|carried| carried.again.is_some()).count() as u64;
        (carried.len() as u64 * 1_000 / SENT, twice * 1_000 / SENT)
    }

    #[test]
    fn law_w2_what_passes_must_pass_both_ends_and_what_is_between_them() {
        let mut network = network();
        let loss = Trouble::Loss(300);
        network.trouble_link(0, Direction::Out, loss);
        network.trouble_link(1, Direction::Into, loss);
        assert!((480..500).contains(&come(&mut network, 0, 1).0), "at both ends");
        assert!((690..710).contains(&come(&mut network, 0, 2).0), "at its sender's");
        assert!((690..710).contains(&come(&mut network, 2, 1).0), "at its receiver's");
        assert_eq!(come(&mut network, 1, 0).0, 1_000, "not in the other direction");
        network.trouble_sides(&[2, 3], &[0], Trouble::Loss(500));
        assert!((490..510).contains(&come(&mut network, 3, 0).0), "between two sides");
        assert_eq!(come(&mut network, 3, 2).0, 1_000, "not within one of them");
        network.trouble_link(0, Direction::Out, Trouble::Loss(0));
        assert_eq!(come(&mut network, 0, 2).0, 1_000, "no more");
    }

    #[test]
    fn law_w3_a_trouble_that_is_over_or_elsewhere_changes_no_chance() {
        let (mut plain, mut troubled) = (network(), network());
        for trouble in [Trouble::Loss(0), Trouble::Jitter(Span::ZERO), Trouble::Duplication(0)] {
            troubled.trouble_link(0, Direction::Out, trouble);
        }
        troubled.trouble_sides(&[3], &[2], Trouble::Loss(900));
        let way = Way { from: 0, to: 1, bytes: 100 };
        for _ in 0..100 {
            assert_eq!(
                plain.stream(Moment::default(), way),
                troubled.stream(Moment::default(), way)
            );
        }
    }

    #[test]
    fn what_is_doubled_comes_twice_and_what_is_overtaken_comes_later() {
        let mut network = network();
        network.trouble_everywhere(Trouble::Duplication(100));
        let (once, twice) = come(&mut network, 0, 1);
        assert_eq!(once, 1_000);
        assert!((90..110).contains(&twice), "{twice}");
        network.trouble_everywhere(Trouble::Reordering(1_000));
        let fair = Weather::default();
        for _ in 0..100 {
            let way = Way { from: 0, to: 1, bytes: 100 };
            let carried = network.datagram(Moment::default(), way).expect("nothing is lost");
            assert!(carried.takes > fair.latency);
            let most = fair.latency.plus(fair.jitter).plus(Span::milliseconds(OVERTAKEN_BY_MS));
            assert!(carried.takes <= most);
        }
    }

    #[test]
    fn a_narrow_link_holds_up_and_loses_what_finds_no_room_and_a_stream_comes_all_the_same() {
        let mut network = network();
        network.trouble_link(0, Direction::Out, Trouble::Bandwidth(Some(100_000)));
        let way = Way { from: 0, to: 1, bytes: 1_000 };
        let came = (0..100).filter_map(|_| network.datagram(Moment::default(), way)).count();
        assert_eq!(came, 65, "64 KiB wait");
        let takes = network.stream(Moment::default(), way);
        assert!(takes > Span::milliseconds(640), "{takes}");
        let back = Way { from: 1, to: 0, bytes: 1_000 };
        let back = network.datagram(Moment::default(), back).expect("the other direction is wide");
        assert!(back.takes <= Span::milliseconds(3));
    }
}
