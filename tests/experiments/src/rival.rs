//! Plain foca 2.0 (`Config::new_lan`) on the very same modelled network: its datagrams and timers, and nothing of ours.
//!
//! Everybody knows everybody from the start, as in a settled mesh; each begins at a moment of its own within the first second.
//! Its identity is as lean as its documentation has it: a number, an address, and how often it renewed itself.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use bytes::{Buf, BufMut};
use foca::{
    AccumulatingRuntime, Codec, Config, Foca, Header, Member, NoCustomBroadcast, OwnedNotification,
    Timer,
};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use simulator::bare::{Bare, Heard};
use simulator::{Fault, Sent, Setup};
use vocabulary::{Moment, Span};

use crate::samples::Sample;

/// One member as foca knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Peer {
    id: u64,
    address: ([u8; 4], u16),
    renewal: u32,
}

impl foca::Identity for Peer {
    type Addr = u64;

    fn renew(&self) -> Option<Self> {
        Some(Self { renewal: self.renewal + 1, ..*self })
    }

    fn addr(&self) -> u64 {
        self.id
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        self.renewal > adversary.renewal
    }
}

/// The bytes of our own wire: as short as any.
#[derive(Clone, Copy, Debug)]
struct Bytes;

/// Bytes that are no packet.
#[derive(Clone, Copy, Debug)]
struct Malformed;

impl std::fmt::Display for Malformed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("the bytes are no packet, or it finds no room")
    }
}

impl std::error::Error for Malformed {}

fn put<T: Serialize>(value: &T, mut buffer: impl BufMut) -> Result<(), Malformed> {
    let bytes = wire::encode(value);
    if bytes.len() > buffer.remaining_mut() {
        return Err(Malformed);
    }
    buffer.put_slice(&bytes);
    Ok(())
}

fn get<T: DeserializeOwned>(mut buffer: impl Buf) -> Result<T, Malformed> {
    let (value, used) = wire::decode_prefix(buffer.chunk()).map_err(|_| Malformed)?;
    buffer.advance(used);
    Ok(value)
}

impl Codec<Peer> for Bytes {
    type Error = Malformed;

    fn encode_header(
        &mut self,
        header: &Header<Peer>,
        buffer: impl BufMut,
    ) -> Result<(), Malformed> {
        put(header, buffer)
    }

    fn decode_header(&mut self, buffer: impl Buf) -> Result<Header<Peer>, Malformed> {
        get(buffer)
    }

    fn encode_member(
        &mut self,
        member: &Member<Peer>,
        buffer: impl BufMut,
    ) -> Result<(), Malformed> {
        put(member, buffer)
    }

    fn decode_member(&mut self, buffer: impl Buf) -> Result<Member<Peer>, Malformed> {
        get(buffer)
    }
}

/// What a host's timers are about.
enum Wake {
    Begin,
    Foca(Timer<Peer>),
}

type Instance = Foca<Peer, Bytes, ChaCha8Rng, NoCustomBroadcast>;

/// One member calls another one down.
#[derive(Clone, Copy, Debug)]
pub struct Called {
    /// When.
    pub at: Moment,
    /// Who, by its place in the setup.
    pub by: usize,
    /// Whom.
    pub of: usize,
}

/// A pool of foca.
pub struct Rival {
    world: Bare<Wake>,
    members: Vec<Instance>,
    /// Whom each asks as it begins; `None`: it knows everybody.
    seeds: Option<Vec<usize>>,
    /// Every `MemberDown`.
    pub called: Vec<Called>,
    /// Who went on under another identity, each time.
    pub renewals: Vec<usize>,
}

impl Rival {
    /// Settled, and calm for as long as a mesh is.
    pub fn new(setup: &Setup) -> Self {
        let mut rival = Self::founded(setup, None);
        rival.run(crate::mesh::warm_up(setup.seed));
        rival.called.clear();
        rival.renewals.clear();
        rival
    }

    /// Nobody knows anybody but these, whom each asks for the others.
    pub fn strangers(setup: &Setup, seeds: Vec<usize>) -> Self {
        Self::founded(setup, Some(seeds))
    }

    /// Whether everybody knows everybody.
    pub fn is_full(&self) -> bool {
        let others = self.members.len() - 1;
        self.members.iter().all(|member| member.num_members() == others)
    }

    fn founded(setup: &Setup, seeds: Option<Vec<usize>>) -> Self {
        let hosts = setup.hosts.len();
        let mut world = Bare::new(setup).expect("the fleet of an experiment is sound");
        let mut luck = ChaCha8Rng::seed_from_u64(setup.seed ^ 0x00f0_ca00);
        let size = u32::try_from(hosts).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        let members = (0..hosts).map(|place| {
            let luck = ChaCha8Rng::seed_from_u64(luck.next_u64());
            Foca::new(peer(place), Config::new_lan(size), luck, Bytes)
        });
        let members = members.collect();
        let mut phases = ChaCha8Rng::seed_from_u64(setup.seed ^ 0x9a5e);
        for place in 0..hosts {
            world.set_timer(place, Span::milliseconds(phases.next_u64() % 1_000), Wake::Begin);
        }
        Self { world, members, seeds, called: Vec::new(), renewals: Vec::new() }
    }

    /// Lets so much time go by.
    pub fn run(&mut self, span: Span) {
        let until = self.world.now().after(span);
        while let Some(heard) = self.world.next(until) {
            self.hear(heard);
        }
    }

    /// Something is done to hosts or to the ways between them.
    pub fn strike(&mut self, fault: &Fault) {
        assert!(self.world.strike(fault), "{fault:?} means nothing to a bare host");
    }

    /// Who is meant.
    pub fn who(&self, whom: &[simulator::Whom]) -> BTreeSet<usize> {
        self.world.who(whom).into_iter().collect()
    }

    /// Now.
    pub fn now(&self) -> Moment {
        self.world.now()
    }

    /// What each has sent.
    pub fn sent(&self) -> Vec<Sent> {
        self.world.sent().collect()
    }

    fn hear(&mut self, heard: Heard<Wake>) {
        let mut port = AccumulatingRuntime::new();
        let place = match heard {
            Heard::Datagram { to, bytes } => {
                // What foca refuses it says, and drops; nothing else is to be done about it.
                drop(self.members[to].handle_data(&bytes, &mut port));
                to
            }
            Heard::Timer { of, what: Wake::Foca(timer) } => {
                drop(self.members[of].handle_timer(timer, &mut port));
                of
            }
            Heard::Timer { of, what: Wake::Begin } => {
                self.begin(of, &mut port);
                of
            }
        };
        self.obey(place, port);
    }

    fn begin(&mut self, of: usize, port: &mut AccumulatingRuntime<Peer>) {
        let others = (0..self.members.len()).filter(|other| *other != of);
        let Some(seeds) = &self.seeds else {
            let alive = others.map(|other| Member::alive(peer(other)));
            return drop(self.members[of].apply_many(alive, false, port));
        };
        for seed in seeds.iter().filter(|seed| **seed != of) {
            drop(self.members[of].announce(peer(*seed), &mut *port));
        }
    }

    fn obey(&mut self, place: usize, mut port: AccumulatingRuntime<Peer>) {
        while let Some((to, bytes)) = port.to_send() {
            self.world.send(place, place_of(&to), bytes.to_vec());
        }
        while let Some((after, timer)) = port.to_schedule() {
            let after = Span::milliseconds(u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
            self.world.set_timer(place, after, Wake::Foca(timer));
        }
        while let Some(said) = port.to_notify() {
            match said {
                OwnedNotification::MemberDown(of) => {
                    let called = Called { at: self.world.now(), by: place, of: place_of(&of) };
                    self.called.push(called);
                }
                OwnedNotification::Rejoin(_) => self.renewals.push(place),
                _ => {}
            }
        }
    }

    /// What was thought of others than these.
    pub fn note_falsehoods(&self, sample: &mut Sample, ill: &BTreeSet<usize>) {
        let is_false = |called: &&Called| !ill.contains(&called.of);
        let by_well = |called: &&Called| is_false(called) && !ill.contains(&called.by);
        let renewals = self.renewals.iter().filter(|place| !ill.contains(place)).count();
        sample.note("members_called_down", self.called.iter().filter(is_false).count() as u64);
        sample
            .note("members_called_down_by_well", self.called.iter().filter(by_well).count() as u64);
        sample.note("forced_renewals", renewals as u64);
    }

    /// From this moment on: when each of these was first called down, and when by everybody who lives.
    pub fn note_found(&self, sample: &mut Sample, (struck, dead): (Moment, &BTreeSet<usize>)) {
        let living = self.members.len() - dead.len();
        for of in dead {
            let mut by = BTreeSet::new();
            let told = self.called.iter().filter(|called| called.of == *of && called.at >= struck);
            let firsts = told.filter(|called| !dead.contains(&called.by) && by.insert(called.by));
            let times: Vec<u64> =
                firsts.map(|called| called.at.since(struck).as_milliseconds()).collect();
            let is_told_all = times.len() == living;
            times.first().iter().for_each(|first| sample.note("first_ms", **first));
            let last = times.last().filter(|_| is_told_all);
            last.iter().for_each(|last| sample.note("all_ms", **last));
            sample.note("missed", u64::from(times.is_empty()));
            sample.note("not_told_all", u64::from(!is_told_all));
        }
    }
}

fn peer(place: usize) -> Peer {
    let [_, _, high, low] = u32::try_from(place).unwrap_or(0).to_be_bytes();
    Peer { id: place as u64, address: ([10, 0, high, low], 4_400), renewal: 0 }
}

fn place_of(peer: &Peer) -> usize {
    usize::try_from(peer.id).unwrap_or(usize::MAX)
}
