//! A mesh of memberships in virtual time: one hop takes 1 to 3 ms, hosts can die, restart and be cut off.

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use vocabulary::{Boot, HostId, Moment, Span};

use super::super::{Effect, Event, Membership, Settings};

pub struct Mesh {
    pub now: Moment,
    pub hosts: BTreeMap<HostId, Membership>,
    pub boots: BTreeMap<HostId, Boot>,
    /// Whom a lonely host dials.
    pub seeds: BTreeSet<HostId>,
    /// Hosts that reach only those on their own side.
    pub cut: BTreeSet<HostId>,
    /// Of so many thousandth of all packets nothing is heard again.
    pub loss_permille: u32,
    /// Everything but sent packets.
    pub trace: Vec<(Moment, HostId, Effect)>,
    pub sent: BTreeMap<HostId, Sent>,
    settings: Settings,
    flying: BTreeMap<(Moment, u64), (HostId, HostId, Vec<u8>)>,
    sequence: u64,
    luck: ChaCha8Rng,
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

impl Mesh {
    /// `count` hosts that know nothing but host 0, all started within the first second.
    pub fn joining(count: u16, seed: u64) -> Self {
        let settings = Settings { hosts: usize::from(count), ..Settings::default() };
        let mut mesh = Self {
            now: Moment::default(),
            hosts: BTreeMap::new(),
            boots: BTreeMap::new(),
            seeds: [host(0)].into(),
            cut: BTreeSet::new(),
            loss_permille: 0,
            trace: Vec::new(),
            sent: BTreeMap::new(),
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
        let membership = Membership::new(self.settings.clone(), (id, boot), seed);
        self.hosts.insert(id, membership);
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
        let mut members = self.hosts.values().map(Membership::up);
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
            told => self.trace.push((self.now, id, told)),
        }
    }

    fn send(&mut self, from: HostId, to: HostId, bytes: Vec<u8>) {
        let sent = self.sent.entry(from).or_default();
        sent.packets += 1;
        sent.bytes += bytes.len() as u64;
        sent.largest = sent.largest.max(bytes.len());
        let luck = self.luck.next_u32();
        if self.reaches(from, to) && luck % 1_000 >= self.loss_permille {
            self.sequence += 1;
            let hop = Span::milliseconds(1 + u64::from(luck >> 16) % 3);
            let place = (self.now.after(hop), self.sequence);
            self.flying.insert(place, (from, to, bytes));
        }
    }

    fn reaches(&self, from: HostId, to: HostId) -> bool {
        self.cut.contains(&from) == self.cut.contains(&to)
    }

    fn deliver(&mut self) {
        while let Some(entry) = self.flying.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let (from, to, bytes) = entry.remove();
            self.tell(to, Event::DatagramArrived { from, bytes });
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
        let deadlines = self.hosts.values().filter_map(Membership::next_deadline);
        deadlines.chain(flying).min()
    }
}
