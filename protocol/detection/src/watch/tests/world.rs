//! A fleet in virtual time: every host watches every other one, over a network that can lose, cut and forget.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use vocabulary::model_keys::ModelSigner;
use vocabulary::{Boot, ClusterName, Grade, HostId, HostName, Moment, Path, Reading, Span};

use crate::reply::{self, Identity, Reply};
use crate::watch::{Effect, Event, LookEnd, Seat, Settings, Watch};

const ROUND_TRIP: Span = Span::milliseconds(2);

pub struct World {
    now: Moment,
    random: ChaCha8Rng,
    lost_per_mille: u64,
    hosts: BTreeMap<HostId, Host>,
    /// Which lives hold a connection, by observer and subject.
    connections: BTreeMap<(HostId, HostId), (u64, u64)>,
    queue: BTreeMap<(Moment, u64), (HostId, Event)>,
    queued: u64,
    doubts: Vec<(Moment, HostId, Vec<HostId>)>,
    probes: u64,
    dials: u64,
}

struct Host {
    watch: Watch,
    /// The watch's next deadline.
    deadline: Option<Moment>,
    reply: Reply,
    boot: Boot,
    is_running: bool,
    is_frozen: bool,
    is_cut_off: bool,
    held: Vec<Event>,
}

pub fn host(number: u8) -> HostId {
    HostId([number; 16])
}

impl World {
    pub fn new(count: u8, seed: u64) -> Self {
        let mut world = Self {
            now: Moment::from_milliseconds(1_000),
            random: ChaCha8Rng::seed_from_u64(seed),
            lost_per_mille: 0,
            hosts: BTreeMap::new(),
            connections: BTreeMap::new(),
            queue: BTreeMap::new(),
            queued: 0,
            doubts: Vec::new(),
            probes: 0,
            dials: 0,
        };
        for number in 0..count {
            world.hosts.insert(host(number), Host::new(number, seed));
        }
        for number in 0..count {
            world.seat(host(number));
        }
        world
    }

    pub fn now(&self) -> Moment {
        self.now
    }

    pub fn run_until(&mut self, milliseconds: u64) {
        let end = Moment::from_milliseconds(milliseconds);
        loop {
            let awake = self.hosts.iter().filter(|(_, host)| host.is_awake());
            let deadline = awake.filter_map(|(id, host)| host.deadline.map(|at| (at, *id))).min();
            let first = self.queue.keys().next().copied();
            let next = match (deadline, first) {
                (Some((at, _)), Some((event, _))) => at.min(event),
                (Some((at, _)), None) => at,
                (None, Some((event, _))) => event,
                (None, None) => end,
            };
            if next > end {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            match (deadline, first) {
                // What has come is read before timers run.
                (_, Some(key)) if key.0 <= next => {
                    let (to, event) = self.queue.remove(&key).expect("it was just seen");
                    self.deliver(to, event);
                }
                (Some((_, id)), _) => self.deliver(id, Event::DeadlineReached),
                (None, _) => return,
            }
        }
    }

    pub fn kill(&mut self, id: HostId) {
        self.host(id).is_running = false;
    }

    /// Another life, of which nobody is told.
    pub fn start_silently(&mut self, id: HostId) {
        let life = &mut self.host(id).boot.number;
        *life += 1;
        let number = *life;
        let own = self.host(id);
        own.is_running = true;
        own.watch = Watch::new(Settings::default(), number);
        own.reply = Host::reply(id, own.boot);
        self.seat(id);
    }

    /// Another life that tells its observers first of all.
    pub fn start_and_greet(&mut self, id: HostId) {
        self.start_silently(id);
        let boot = self.host(id).boot;
        for observer in self.others(id) {
            self.send(ROUND_TRIP, observer, Event::BootSeen { subject: id, boot });
        }
    }

    pub fn freeze(&mut self, id: HostId) {
        self.host(id).is_frozen = true;
    }

    /// Awake again: what the shell's timers and sockets held comes at once, failures before answers.
    pub fn thaw(&mut self, id: HostId) {
        let own = self.host(id);
        own.is_frozen = false;
        let mut held = std::mem::take(&mut own.held);
        held.sort_by_key(|event| matches!(event, Event::ProbeReplied { .. }));
        for event in held {
            self.deliver(id, event);
        }
    }

    pub fn cut_off(&mut self, id: HostId) {
        self.host(id).is_cut_off = true;
    }

    pub fn heal(&mut self, id: HostId) {
        self.host(id).is_cut_off = false;
    }

    pub fn break_connection(&mut self, observer: HostId, subject: HostId) {
        self.connections.remove(&(observer, subject));
    }

    pub fn is_connected(&self, observer: HostId, subject: HostId) -> bool {
        let lives = self.connections.get(&(observer, subject));
        lives == Some(&(self.life(observer), self.life(subject)))
    }

    pub fn lose_per_mille(&mut self, lost: u64) {
        self.lost_per_mille = lost;
    }

    /// Takes all seats of a host away.
    pub fn unseat(&mut self, id: HostId) -> Vec<Effect> {
        let now = self.now;
        self.host(id).watch.handle(now, Event::SeatsChanged(vec![]))
    }

    pub fn first_doubt_of(&self, subject: HostId) -> Option<Moment> {
        let told = self.doubts.iter().find(|(_, _, doubted)| doubted.contains(&subject));
        told.map(|(at, _, _)| *at)
    }

    /// Who was ever doubted by anybody but itself being cut off.
    pub fn doubted_subjects(&self) -> Vec<HostId> {
        let all = self.doubts.iter().flat_map(|(_, _, doubted)| doubted.clone());
        all.collect::<BTreeSet<_>>().into_iter().collect()
    }

    pub fn all_doubts(&self) -> Vec<(Moment, HostId, Vec<HostId>)> {
        let is_doubt = |told: &&(Moment, HostId, Vec<HostId>)| !told.2.is_empty();
        self.doubts.iter().filter(is_doubt).cloned().collect()
    }

    pub fn doubts_by(&self, observer: HostId) -> Vec<(Moment, HostId, Vec<HostId>)> {
        let mut own = self.all_doubts();
        own.retain(|(_, by, _)| *by == observer);
        own
    }

    pub fn standing_doubts(&self) -> usize {
        let running = self.hosts.values().filter(|host| host.is_running);
        running.map(|host| host.watch.doubts(self.now).len()).sum()
    }

    pub fn calibrated(&self, observer: HostId, subject: HostId) -> Vec<Path> {
        self.hosts[&observer].watch.calibrated(self.now, &subject)
    }

    pub fn reach_grades(&self) -> Vec<Grade> {
        let mut grades = BTreeSet::new();
        for (id, own) in &self.hosts {
            grades.extend(self.others(*id).iter().filter_map(|other| own.watch.reach(other)));
        }
        grades.into_iter().collect()
    }

    pub fn probes(&self) -> u64 {
        self.probes
    }

    pub fn dials(&self) -> u64 {
        self.dials
    }

    fn seat(&mut self, id: HostId) {
        let others = self.others(id);
        let seats: Vec<Seat> = others
            .iter()
            .map(|other| Seat {
                subject: *other,
                boot: Some(self.hosts[other].boot),
                seats: others.len() as u64,
                named_ports: vec![],
            })
            .collect();
        let now = self.now;
        let own = self.host(id);
        let told =
            reply::Event::ObserversChanged { observers: others, step: Settings::default().step() };
        own.reply.handle(now, told);
        assert_eq!(own.watch.handle(now, Event::SeatsChanged(seats)), []);
        own.deadline = own.watch.next_deadline();
    }

    fn deliver(&mut self, to: HostId, event: Event) {
        let now = self.now;
        let own = self.host(to);
        if !own.is_running {
            return;
        }
        if own.is_frozen {
            own.held.push(event);
            return;
        }
        let effects = own.watch.handle(now, event);
        own.deadline = own.watch.next_deadline();
        for effect in effects {
            self.perform(to, effect);
        }
    }

    fn perform(&mut self, by: HostId, effect: Effect) {
        match effect {
            Effect::SendProbe { to, number } => self.probe(by, to, number),
            Effect::ProbeByStream { id, to, within } => {
                let (wait, end) = self.ask_by_stream(by, to, within);
                self.send(wait, by, Event::StreamEnded { id, subject: to, end });
            }
            Effect::DialFresh { id, to, nonce: _, within } => {
                let (wait, end) = self.dial(by, to, within);
                self.send(wait, by, Event::DialEnded { id, subject: to, end });
            }
            Effect::Knock { id, to, port: _, within } => {
                let (wait, reading) = match self.is_linked(by, to) {
                    false => (within, Reading::Silent),
                    true if !self.hosts[&to].is_running => (ROUND_TRIP, Reading::Refused),
                    true if self.hosts[&to].is_frozen => (within, Reading::Accepted),
                    true => (ROUND_TRIP, Reading::Answered),
                };
                self.send(wait, by, Event::KnockEnded { id, subject: to, reading });
            }
            Effect::DoubtsChanged(notes) => {
                let doubted = notes.iter().map(|note| note.subject).collect();
                self.doubts.push((self.now, by, doubted));
            }
            Effect::CheckRelay { .. } | Effect::ReachChanged { .. } => {}
        }
    }

    fn probe(&mut self, by: HostId, to: HostId, number: u64) {
        self.probes += 1;
        let is_lost = self.is_lost() || self.is_lost();
        if is_lost || !self.is_connected(by, to) || !self.answers(by, to) {
            return;
        }
        let now = self.now;
        let probed = reply::Event::Probed { from: by, number };
        let replies = self.host(to).reply.handle(now, probed);
        let [reply::Effect::SendReply { number, boot, next_slot, .. }] = replies[..] else {
            panic!("a probe has one reply: {replies:?}");
        };
        let event = Event::ProbeReplied { subject: to, number, boot, next_slot };
        self.send(ROUND_TRIP, by, event);
    }

    /// Sent at once, after 30 ms and after 90 ms, as a transport with a short round trip would.
    fn ask_by_stream(&mut self, by: HostId, to: HostId, within: Span) -> (Span, LookEnd) {
        if !self.is_connected(by, to) || !self.answers(by, to) {
            return (within, LookEnd::Silent);
        }
        for sent in [0, 30, 90] {
            if !self.is_lost() && !self.is_lost() {
                let boot = self.hosts[&to].boot;
                return (Span::milliseconds(sent).plus(ROUND_TRIP), LookEnd::Answered(boot));
            }
        }
        (within, LookEnd::Silent)
    }

    /// Two flights that a fresh connection repeats after 300 ms, then two that it repeats after 60 ms.
    fn dial(&mut self, by: HostId, to: HostId, within: Span) -> (Span, LookEnd) {
        self.dials += 1;
        if !self.answers(by, to) {
            return (within, LookEnd::Silent);
        }
        let mut wait = ROUND_TRIP.times(2);
        for repeat in [300, 300, 60, 60] {
            while self.is_lost() && wait < within {
                wait = wait.plus(Span::milliseconds(repeat));
            }
        }
        if wait >= within {
            return (within, LookEnd::Silent);
        }
        self.connections.insert((by, to), (self.life(by), self.life(to)));
        (wait, LookEnd::Answered(self.hosts[&to].boot))
    }

    fn send(&mut self, wait: Span, to: HostId, event: Event) {
        self.queued += 1;
        self.queue.insert((self.now.after(wait), self.queued), (to, event));
    }

    fn answers(&self, by: HostId, to: HostId) -> bool {
        self.is_linked(by, to) && self.hosts[&to].is_awake()
    }

    fn is_linked(&self, by: HostId, to: HostId) -> bool {
        !self.hosts[&by].is_cut_off && !self.hosts[&to].is_cut_off
    }

    fn is_lost(&mut self) -> bool {
        self.random.next_u64() % 1_000 < self.lost_per_mille
    }

    fn others(&self, id: HostId) -> Vec<HostId> {
        self.hosts.keys().copied().filter(|other| *other != id).collect()
    }

    fn life(&self, id: HostId) -> u64 {
        self.hosts[&id].boot.number
    }

    fn host(&mut self, id: HostId) -> &mut Host {
        self.hosts.get_mut(&id).expect("a host of this world")
    }
}

impl Host {
    fn new(number: u8, seed: u64) -> Self {
        let boot = Boot { number: 1, nonce: u128::from(number) };
        Self {
            watch: Watch::new(Settings::default(), seed + u64::from(number)),
            deadline: None,
            reply: Self::reply(host(number), boot),
            boot,
            is_running: true,
            is_frozen: false,
            is_cut_off: false,
            held: Vec::new(),
        }
    }

    fn reply(id: HostId, boot: Boot) -> Reply {
        let name = HostName::new(&format!("h{}", id.0[0])).expect("sound");
        Reply::new(Identity {
            cluster: ClusterName::new("test").expect("sound"),
            host: id,
            boot,
            signer: Arc::new(ModelSigner::new(&name)),
        })
    }

    fn is_awake(&self) -> bool {
        self.is_running && !self.is_frozen
    }
}
