//! The one network between the machines: packets in virtual time, and what is done to them on purpose.
//!
//! Law N1: packets of one direction between two machines arrive in the order in which they were sent, unless the weather says
//! otherwise: a network that reorders by nature would drown every other fault.
//! Law N2: a cut is silent, on every path: whoever sends is not told.
//! Not here: an agent's ends of it (see `sockets`, `knock`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::luck::Luck;
use crate::tape::{Packet, Tape};

/// What one direction between two machines is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// One way takes at least so many milliseconds; a paused clock knows no less than one.
    pub latency_ms: u64,
    /// And at most so many more.
    pub jitter_ms: u64,
    /// Of a thousand packets so many are lost.
    pub loss_permille: u32,
    /// So many come twice.
    pub twice_permille: u32,
    /// So many are overtaken by those behind them.
    pub overtaken_permille: u32,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            latency_ms: 1,
            jitter_ms: 0,
            loss_permille: 0,
            twice_permille: 0,
            overtaken_permille: 0,
        }
    }
}

/// How a machine answers at a TCP port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// The agent answers.
    Answers,
    /// The kernel accepts and nobody says a word.
    Accepts,
    /// The kernel refuses.
    Refuses,
    /// Nothing comes back.
    Dark,
}

/// The network; clones are the same one.
#[derive(Clone)]
pub(crate) struct Network(Arc<Shared>);

struct Shared {
    wires: Mutex<Wires>,
    /// A packet is due before all others.
    news: Notify,
    began: Instant,
}

struct Wires {
    luck: Luck,
    tape: Tape,
    sent: u64,
    next_port: u16,
    weather: Weather,
    links: BTreeMap<(IpAddr, IpAddr), Weather>,
    cuts: BTreeSet<(IpAddr, IpAddr)>,
    doors: BTreeMap<IpAddr, Door>,
    inboxes: BTreeMap<SocketAddr, Arc<Inbox>>,
    flying: BTreeMap<(Instant, u64), Flying>,
    last: BTreeMap<(IpAddr, IpAddr), Instant>,
}

struct Flying {
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

/// What waits at one socket.
#[derive(Debug, Default)]
pub(crate) struct Inbox(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    packets: VecDeque<(SocketAddr, Vec<u8>)>,
    reader: Option<Waker>,
}

/// Packets that wait at a socket whose agent stands still; more are lost, as a kernel's buffer of half a megabyte loses them.
const WAITING_MAX: usize = 400;

/// How far behind its place an overtaken packet comes.
const OVERTAKEN_BY_MS: u64 = 8;

impl Network {
    pub fn new(seed: u64, tape: Tape) -> Self {
        let wires = Wires {
            luck: Luck::new(seed),
            tape,
            sent: 0,
            next_port: 0,
            weather: Weather::default(),
            links: BTreeMap::new(),
            cuts: BTreeSet::new(),
            doors: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            flying: BTreeMap::new(),
            last: BTreeMap::new(),
        };
        let (wires, news) = (Mutex::new(wires), Notify::new());
        Self(Arc::new(Shared { wires, news, began: Instant::now() }))
    }

    /// Delivers what is due, for ever; one task of the world runs this.
    pub async fn deliver(self) {
        loop {
            let next = self.wires().flying.first_key_value().map(|((at, _), _)| *at);
            match next {
                None => self.0.news.notified().await,
                Some(at) => tokio::select! {
                    biased;
                    () = sleep_until(at) => self.hand_over(at),
                    () = self.0.news.notified() => {}
                },
            }
        }
    }

    pub fn send(&self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let now = Instant::now();
        let mut wires = self.wires();
        let at_ms = milliseconds(now - self.0.began);
        let (class, plain) = (Packet::class_of(bytes), Packet::plain_of(bytes));
        wires.tape.note(Packet { at_ms, from, to, length: bytes.len(), class, plain });
        let before = wires.flying.first_key_value().map(|((at, _), _)| *at);
        wires.take(now, (from, to), bytes);
        let after = wires.flying.first_key_value().map(|((at, _), _)| *at);
        if before != after {
            self.0.news.notify_one();
        }
    }

    /// A socket at this address, in place of one that is there.
    pub fn open(&self, address: SocketAddr) -> Arc<Inbox> {
        let inbox = Arc::new(Inbox::default());
        self.wires().inboxes.insert(address, inbox.clone());
        inbox
    }

    /// The socket is gone, if it is still this one.
    pub fn close(&self, address: SocketAddr, inbox: &Arc<Inbox>) {
        let mut wires = self.wires();
        if wires.inboxes.get(&address).is_some_and(|known| Arc::ptr_eq(known, inbox)) {
            wires.inboxes.remove(&address);
        }
    }

    /// A port that nobody had before.
    pub fn free_port(&self) -> u16 {
        let mut wires = self.wires();
        // So many fresh dials are made in hours only, and a port may come again.
        wires.next_port = (wires.next_port + 1) % 20_000;
        40_000 + wires.next_port
    }

    /// What a knock from there comes to, and after which time.
    pub fn knock(&self, from: IpAddr, to: IpAddr) -> (Door, Duration) {
        let mut wires = self.wires();
        let there = wires.travel((from, to));
        let back = wires.travel((to, from));
        let is_open = !wires.is_cut(from, to) && !wires.is_cut(to, from);
        let door = wires.doors.get(&to).copied().filter(|_| is_open).unwrap_or(Door::Dark);
        (door, there + back)
    }

    pub fn set_door(&self, of: IpAddr, door: Door) {
        self.wires().doors.insert(of, door);
    }

    pub fn set_weather(&self, weather: Weather) {
        self.wires().weather = weather;
    }

    pub fn set_link(&self, from: IpAddr, to: IpAddr, weather: Weather) {
        self.wires().links.insert((from, to), weather);
    }

    pub fn cut(&self, from: IpAddr, to: IpAddr) {
        self.wires().cuts.insert((from, to));
    }

    /// All cuts are gone, and all links are alike again.
    pub fn mend(&self) {
        let mut wires = self.wires();
        wires.cuts.clear();
        wires.links.clear();
    }

    /// Whether anything is cut off from or to this machine.
    pub fn is_hurt(&self, machine: IpAddr) -> bool {
        self.wires().cuts.iter().any(|(from, to)| *from == machine || *to == machine)
    }

    pub fn with_tape<T>(&self, read: impl FnOnce(&Tape) -> T) -> T {
        read(&self.wires().tape)
    }

    fn hand_over(&self, now: Instant) {
        let mut wires = self.wires();
        while let Some(entry) = wires.flying.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let Flying { from, to, bytes } = entry.remove();
            let is_lost = wires.is_cut(from.ip(), to.ip());
            if let Some(inbox) = wires.inboxes.get(&to).filter(|_| !is_lost) {
                inbox.put(from, bytes);
            }
        }
    }

    fn wires(&self) -> MutexGuard<'_, Wires> {
        self.0.wires.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wires {
    /// Law N1.
    fn take(&mut self, now: Instant, (from, to): (SocketAddr, SocketAddr), bytes: &[u8]) {
        let link = (from.ip(), to.ip());
        let weather = self.weather_of(link);
        let travel = self.travel(link);
        let is_lost = self.luck.is_one_in(weather.loss_permille);
        if is_lost || self.is_cut(link.0, link.1) {
            return;
        }
        let mut at = (now + travel).max(self.last.get(&link).copied().unwrap_or(now));
        if self.luck.is_one_in(weather.overtaken_permille) {
            at += Duration::from_millis(OVERTAKEN_BY_MS);
        } else {
            self.last.insert(link, at);
        }
        let copies = 1 + u64::from(self.luck.is_one_in(weather.twice_permille));
        for _ in 0..copies {
            self.sent += 1;
            let packet = Flying { from, to, bytes: bytes.to_vec() };
            self.flying.insert((at, self.sent), packet);
        }
    }

    fn travel(&mut self, link: (IpAddr, IpAddr)) -> Duration {
        let weather = self.weather_of(link);
        let jitter = self.luck.below(weather.jitter_ms + 1);
        Duration::from_millis(weather.latency_ms.max(1) + jitter)
    }

    fn weather_of(&self, link: (IpAddr, IpAddr)) -> Weather {
        self.links.get(&link).copied().unwrap_or(self.weather)
    }

    fn is_cut(&self, from: IpAddr, to: IpAddr) -> bool {
        !self.cuts.is_empty() && self.cuts.contains(&(from, to))
    }
}

impl Inbox {
    fn put(&self, from: SocketAddr, bytes: Vec<u8>) {
        let mut waiting = self.waiting();
        if waiting.packets.len() < WAITING_MAX {
            waiting.packets.push_back((from, bytes));
        }
        waiting.reader.take().into_iter().for_each(Waker::wake);
    }

    /// The next packet, or a wake-up when there is one.
    pub fn take(&self, reader: &Waker) -> Option<(SocketAddr, Vec<u8>)> {
        let mut waiting = self.waiting();
        let next = waiting.packets.pop_front();
        if next.is_none() {
            waiting.reader = Some(reader.clone());
        }
        next
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    fn at(host: u8) -> SocketAddr {
        ([10, 0, 0, host], 7_946).into()
    }

    /// What of a hundred packets arrives, in which order, and the digest of the tape.
    async fn hundred(seed: u64, weather: Weather, is_cut: bool) -> (Vec<u8>, String) {
        let network = Network::new(seed, Tape::default());
        let postman = tokio::spawn(network.clone().deliver());
        network.set_weather(weather);
        if is_cut {
            network.cut(at(1).ip(), at(2).ip());
        }
        let inbox = network.open(at(2));
        for number in 0..100 {
            network.send(at(1), at(2), &[number]);
            sleep(Duration::from_millis(1)).await;
        }
        sleep(Duration::from_secs(1)).await;
        postman.abort();
        let next = || inbox.take(Waker::noop()).map(|(_, bytes)| bytes[0]);
        (std::iter::from_fn(next).collect(), network.with_tape(|tape| tape.digest().to_string()))
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_the_jitter_packets_come_in_the_order_in_which_they_were_sent() {
        let jitter = Weather { jitter_ms: 20, ..Weather::default() };
        assert_eq!(hundred(1, jitter, false).await.0, (0..100).collect::<Vec<u8>>());
    }

    #[tokio::test(start_paused = true)]
    async fn loss_doubling_and_overtaking_are_drawn_from_the_seed_and_seen() {
        let storm = Weather {
            loss_permille: 100,
            twice_permille: 100,
            overtaken_permille: 100,
            ..Weather::default()
        };
        let (one, again) = (hundred(1, storm, false).await, hundred(1, storm, false).await);
        let other = hundred(2, storm, false).await;
        assert_eq!(one, again);
        assert_ne!(one.0, other.0);
        let missing = (0..100).filter(|number| !one.0.contains(number)).count();
        let twice = one.0.windows(2).filter(|pair| pair[0] == pair[1]).count();
        let overtaken = one.0.windows(2).filter(|pair| pair[0] > pair[1]).count();
        assert!(missing > 2 && twice > 2 && overtaken > 2, "{:?}", one.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cut_takes_everything_and_says_nothing() {
        assert!(hundred(1, Weather::default(), true).await.0.is_empty());
        let network = Network::new(1, Tape::default());
        network.set_door(at(2).ip(), Door::Answers);
        assert_eq!(network.knock(at(1).ip(), at(2).ip()).0, Door::Answers);
        network.cut(at(2).ip(), at(1).ip());
        assert_eq!(network.knock(at(1).ip(), at(2).ip()).0, Door::Dark);
    }
}
