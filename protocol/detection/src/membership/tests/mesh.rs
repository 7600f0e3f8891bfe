//! A mesh of memberships in virtual time: one hop takes 1 to 3 ms, hosts can die, restart, be cut off, and hear badly.
//!
//! A question on a stream is repeated until its time is over, so that it survives losses that a datagram does not.

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use vocabulary::{Boot, HostId, Moment, Span};

use super::super::identity::Identity;
use super::super::{Effect, Event, Membership, Settings};
use crate::watch::LookEnd;

/// How often a question is sent before its time is over.
const TRIES: u32 = 4;

/// How long a question on a stream may take.
const STREAM_WITHIN: Span = Span::seconds(2);

/// One host's part, ours or foca's alone.
pub trait Peer {
    fn new(settings: Settings, me: (HostId, Boot), seed: u64) -> Self;
    fn handle(&mut self, now: Moment, event: Event) -> Vec<Effect>;
    fn answer(&mut self, now: Moment, from: HostId, bytes: &[u8]) -> (Vec<u8>, Vec<Effect>);
    fn next_deadline(&self) -> Option<Moment>;
    fn up(&self) -> &BTreeMap<HostId, Boot>;
    fn identity(&self) -> Identity;
}

pub type Mesh = World<Membership>;

pub struct World<P> {
    pub now: Moment,
    pub hosts: BTreeMap<HostId, P>,
    pub boots: BTreeMap<HostId, Boot>,
    /// Whom a lonely host dials.
    pub seeds: BTreeSet<HostId>,
    /// Hosts that reach only those on their own side.
    pub cut: BTreeSet<HostId>,
    /// Pairs, the lesser one first, that do not reach each other.
    pub severed: BTreeSet<(HostId, HostId)>,
    /// Of so many thousandth of all packets nothing is heard again.
    pub loss_permille: u32,
    /// Hosts that do not hear so many thousandth of what is sent to them.
    pub deaf: BTreeMap<HostId, u32>,
    /// Everything but what is sent.
    pub trace: Vec<(Moment, HostId, Effect)>,
    pub sent: BTreeMap<HostId, Sent>,
    /// Bytes of questions and answers on streams.
    pub streamed: u64,
    /// At whom how often who looked.
    pub looks: BTreeMap<(HostId, HostId), u64>,
    settings: Settings,
    flying: BTreeMap<(Moment, u64), Parcel>,
    sequence: u64,
    luck: ChaCha8Rng,
}

enum Parcel {
    Datagram { from: HostId, to: HostId, bytes: Vec<u8> },
    Question { from: HostId, to: HostId, bytes: Vec<u8> },
    Told { to: HostId, event: Event },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    pub packets: u64,
    pub bytes: u64,
    pub largest: usize,
}

pub fn host(number: u16) -> HostId {
    let mut id = [0xA5; 16];
    id[..2].copy_from_slice(&number.to_be_bytes());
    HostId(id)
}

pub fn boot(number: u64) -> Boot {
    let nonce = u128::MAX - u128::from(number);
    Boot { number, nonce }
}

impl<P: Peer> World<P> {
    /// `count` hosts that know nothing but host 0, all started within the first second.
    pub fn joining(count: u16, seed: u64) -> Self {
        let settings = Settings { hosts: usize::from(count), ..Settings::default() };
        let mut mesh = Self {
            now: Moment::default(),
            hosts: BTreeMap::new(),
            boots: BTreeMap::new(),
            seeds: [host(0)].into(),
            cut: BTreeSet::new(),
            severed: BTreeSet::new(),
            loss_permille: 0,
            deaf: BTreeMap::new(),
            trace: Vec::new(),
            sent: BTreeMap::new(),
            streamed: 0,
            looks: BTreeMap::new(),
            settings,
            flying: BTreeMap::new(),
            sequence: 0,
            luck: ChaCha8Rng::seed_from_u64(seed),
        };
        for number in 0..count {
            mesh.start(host(number), boot(1));
            mesh.run(Span::milliseconds(1_000 / u64::from(count)));
        }
        mesh
    }

    /// So many hosts are expected from now on.
    pub fn resize(&mut self, count: u16) {
        self.settings.hosts = usize::from(count);
    }

    /// The same, a minute later, with nothing left to say of the beginning.
    pub fn settled(count: u16, seed: u64) -> Self {
        let mut mesh = Self::joining(count, seed);
        mesh.run(Span::minutes(2));
        mesh.trace.clear();
        mesh.sent.clear();
        mesh
    }

    pub fn start(&mut self, id: HostId, boot: Boot) {
        let seed = self.luck.next_u64();
        let peer = P::new(self.settings.clone(), (id, boot), seed);
        self.hosts.insert(id, peer);
        self.boots.insert(id, boot);
    }

    pub fn kill(&mut self, id: HostId) {
        self.hosts.remove(&id);
    }

    pub fn tell(&mut self, id: HostId, event: Event) {
        let effects = match self.hosts.get_mut(&id) {
            Some(membership) => membership.handle(self.now, event),
            None => Vec::new(),
        };
        for effect in effects {
            self.perform(id, effect);
        }
    }

    pub fn run(&mut self, span: Span) {
        let end = self.now.after(span);
        while let Some(next) = self.next().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.deliver();
            let due: Vec<HostId> = self.due().collect();
            for id in due {
                self.tell(id, Event::DeadlineReached);
            }
        }
        self.now = end;
    }

    /// Whom everybody sees as up, in which life, if all see the same.
    pub fn view_of(&self, id: HostId) -> Vec<Boot> {
        let others = self.hosts.iter().filter(|(other, _)| **other != id);
        others.filter_map(|(_, membership)| membership.up().get(&id).copied()).collect()
    }

    pub fn is_complete(&self) -> bool {
        let all = self.hosts.len() - 1;
        let mut members = self.hosts.values().map(Peer::up);
        members.all(|up| {
            up.len() == all && up.iter().all(|(id, boot)| self.boots.get(id) == Some(boot))
        })
    }

    pub fn told(&self, wanted: impl Fn(&Effect) -> bool) -> BTreeSet<HostId> {
        let matching = self.trace.iter().filter(|(_, _, effect)| wanted(effect));
        matching.map(|(_, id, _)| *id).collect()
    }

    fn perform(&mut self, id: HostId, effect: Effect) {
        match effect {
            Effect::Send { to, bytes } => self.send(id, to, bytes),
            Effect::Alone => {
                self.trace.push((self.now, id, Effect::Alone));
                let reached: Vec<HostId> = self
                    .seeds
                    .iter()
                    .copied()
                    .filter(|seed| self.reaches(id, *seed) && self.hosts.contains_key(seed))
                    .collect();
                for seed in reached {
                    let boot = self.boots[&seed];
                    self.tell(id, Event::Introduce { host: seed, boot });
                }
            }
            Effect::Look { host } => self.look(id, host),
            Effect::Exchange { with, bytes } => self.ask(id, with, bytes),
            told => self.trace.push((self.now, id, told)),
        }
    }

    fn look(&mut self, from: HostId, host: HostId) {
        *self.looks.entry((from, host)).or_default() += 1;
        let boot = self.boots.get(&host).copied().filter(|_| self.hosts.contains_key(&host));
        let (after, end) = match boot {
            Some(boot) if self.passes(from, host) => (self.hop(), LookEnd::Answered(boot)),
            _ => (STREAM_WITHIN, LookEnd::Silent),
        };
        self.fly(after, Parcel::Told { to: from, event: Event::Looked { host, end } });
    }

    fn ask(&mut self, from: HostId, with: HostId, bytes: Vec<u8>) {
        self.streamed += bytes.len() as u64;
        if self.hosts.contains_key(&with) && self.passes(from, with) {
            let hop = self.hop();
            self.fly(hop, Parcel::Question { from, to: with, bytes });
        } else {
            let event = Event::Exchanged { with, answer: None };
            self.fly(STREAM_WITHIN, Parcel::Told { to: from, event });
        }
    }

    fn answer(&mut self, from: HostId, to: HostId, bytes: &[u8]) {
        let Some(peer) = self.hosts.get_mut(&to) else {
            return;
        };
        let (answer, effects) = peer.answer(self.now, from, bytes);
        self.streamed += answer.len() as u64;
        for effect in effects {
            self.perform(to, effect);
        }
        let hop = self.hop();
        let event = Event::Exchanged { with: to, answer: Some(answer) };
        self.fly(hop, Parcel::Told { to: from, event });
    }

    /// Whether a question and its answer both come through within their time.
    fn passes(&mut self, from: HostId, to: HostId) -> bool {
        self.reaches(from, to) && (0..TRIES).any(|_| !self.is_lost(to) && !self.is_lost(from))
    }

    fn is_lost(&mut self, to: HostId) -> bool {
        let deaf = self.deaf.get(&to).copied().unwrap_or(0);
        let luck = self.luck.next_u64();
        luck % 1_000 < u64::from(self.loss_permille) || (luck >> 32) % 1_000 < u64::from(deaf)
    }

    fn hop(&mut self) -> Span {
        Span::milliseconds(1 + self.luck.next_u64() % 3)
    }

    fn fly(&mut self, after: Span, parcel: Parcel) {
        self.sequence += 1;
        self.flying.insert((self.now.after(after), self.sequence), parcel);
    }

    fn send(&mut self, from: HostId, to: HostId, bytes: Vec<u8>) {
        let sent = self.sent.entry(from).or_default();
        sent.packets += 1;
        sent.bytes += bytes.len() as u64;
        sent.largest = sent.largest.max(bytes.len());
        if self.reaches(from, to) && !self.is_lost(to) {
            let hop = self.hop();
            self.fly(hop, Parcel::Datagram { from, to, bytes });
        }
    }

    fn reaches(&self, from: HostId, to: HostId) -> bool {
        let pair = (from.min(to), from.max(to));
        self.cut.contains(&from) == self.cut.contains(&to) && !self.severed.contains(&pair)
    }

    fn deliver(&mut self) {
        while let Some(entry) = self.flying.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            match entry.remove() {
                Parcel::Datagram { from, to, bytes } => {
                    self.tell(to, Event::DatagramArrived { from, bytes });
                }
                Parcel::Question { from, to, bytes } => self.answer(from, to, &bytes),
                Parcel::Told { to, event } => self.tell(to, event),
            }
        }
    }

    fn due(&self) -> impl Iterator<Item = HostId> {
        let deadlines = self.hosts.iter().filter_map(|(id, membership)| {
            let deadline = membership.next_deadline()?;
            (deadline <= self.now).then_some(*id)
        });
        deadlines.collect::<Vec<_>>().into_iter()
    }

    fn next(&self) -> Option<Moment> {
        let flying = self.flying.keys().next().map(|(moment, _)| *moment);
        let deadlines = self.hosts.values().filter_map(Peer::next_deadline);
        deadlines.chain(flying).min()
    }
}

impl Peer for Membership {
    fn new(settings: Settings, me: (HostId, Boot), seed: u64) -> Self {
        Self::new(settings, me, seed)
    }

    fn handle(&mut self, now: Moment, event: Event) -> Vec<Effect> {
        self.handle(now, event)
    }

    fn answer(&mut self, now: Moment, from: HostId, bytes: &[u8]) -> (Vec<u8>, Vec<Effect>) {
        self.answer(now, from, bytes)
    }

    fn next_deadline(&self) -> Option<Moment> {
        self.next_deadline()
    }

    fn up(&self) -> &BTreeMap<HostId, Boot> {
        self.up()
    }

    fn identity(&self) -> Identity {
        *self.foca.identity()
    }
}
