//! Who seems alive right now: SWIM's opinion, by foca (protocol 4).
//!
//! A hint, never a verdict: nothing is healed on its word. It says whom to gossip with, and brings health records.
//! The laws SW1 to SW9 stand where they are kept: `identity`, `packet`, `records`, `sieve`, `settings`.
//! Law SW10: equal seeds and equal events give equal effects.
//! Not here: connections and addresses (hosts are named by id alone), the digest exchange that repairs what gossip lost,
//! and what may be concluded (see `verdict`).

mod bucket;
mod identity;
mod packet;
mod port;
mod records;
mod settings;
mod sieve;
mod timers;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use foca::{Foca, Timer};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use vocabulary::{Boot, HostId, Moment, Span};

use crate::health::{Health, HealthRecord};
use crate::roster::HOSTS_MAX;
use identity::Identity;
use packet::{Packet, PacketCodec, RecordKeys};
use port::Port;
use records::{Heard, Judgement, Own};
use sieve::{Sieve, Standpoint};
use timers::{Due, Kind};

pub use packet::PACKET_BYTES_MAX;
pub use settings::Settings;
pub use sieve::Dropped;

/// How long to wait between two rounds of gossip while there is something to tell.
const SPREAD_EVERY: Span = Span::milliseconds(200);

/// From so many untold updates on, health records get packets of their own: about 29 updates fill one.
const CROWDED_UPDATES: usize = 16;

/// First wait before [`Effect::Alone`] is said again; doubles up to [`ALONE_EVERY_MAX`].
const ALONE_EVERY_MIN: Span = Span::seconds(1);
/// Longest wait between two [`Effect::Alone`].
const ALONE_EVERY_MAX: Span = Span::seconds(30);

/// Rounds of gossip with which we say goodbye: three members each, who tell it on.
const FAREWELLS: usize = 2;

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A gossip datagram came on a connection whose certificate names `from`.
    DatagramArrived {
        /// Whose certificate it is.
        from: HostId,
        /// What was in [`wire::Datagram::Gossip`].
        bytes: Vec<u8>,
    },
    /// A peer is known from seeds, roster or hello: announce ourselves to it, unless it is a member in that life.
    Introduce {
        /// Who.
        host: HostId,
        /// In which life; a guess will do.
        boot: Boot,
    },
    /// Our own health has changed.
    HealthChanged {
        /// It is now this.
        health: Health,
    },
    /// The moment of [`Membership::next_deadline`] has come. Datagrams that wait are to be handed in first.
    DeadlineReached,
    /// We stop on purpose; whatever comes afterwards is ignored.
    Leave,
    /// So many hosts belong to the mesh.
    RosterSized {
        /// Tombstones not counted.
        hosts: usize,
    },
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Effect {
    /// Send as [`wire::Datagram::Gossip`]; lost ones are not repeated.
    Send {
        /// To whom; may be unknown or unreachable.
        to: HostId,
        /// At most [`PACKET_BYTES_MAX`].
        bytes: Vec<u8>,
    },
    /// The host seems alive in this life; a higher boot than was up before ends the old life, without [`Effect::Down`].
    Up {
        /// Who.
        host: HostId,
        /// In which life.
        boot: Boot,
    },
    /// The host seems dead, or left.
    Down {
        /// Who.
        host: HostId,
        /// The life that was up.
        boot: Boot,
    },
    /// News of another host's health; nothing heard of a lower boot holds any longer.
    HealthHeard {
        /// It says.
        record: HealthRecord,
    },
    /// No member is known: dial roster and seeds, and introduce whoever answers. Repeated while it lasts.
    Alone,
    /// Members are known, for the first time or again.
    Joined,
    /// Others had called us down, or we had lost them all; we go on under a new renewal of the same boot.
    Renewed {
        /// It only rises within one boot.
        renewal: u32,
    },
}

type OurFoca = Foca<Identity, PacketCodec, ChaCha8Rng, RecordKeys>;

/// One host's part in SWIM.
pub struct Membership {
    foca: OurFoca,
    port: Port,
    settings: Settings,
    /// Seeds each foca's own generator.
    luck: ChaCha8Rng,
    sieve: Sieve,
    heard: Heard,
    own: Own,
    /// Whom we have called up and not yet down.
    up: BTreeMap<HostId, Boot>,
    /// How long to wait before saying [`Effect::Alone`] again; `None` while members are known.
    alone: Option<Span>,
    has_left: bool,
    dropped: BTreeMap<Dropped, u64>,
}

impl Membership {
    /// Alone at first: [`Membership::next_deadline`] is now, and brings the first [`Effect::Alone`].
    pub fn new(settings: Settings, me: (HostId, Boot), seed: u64) -> Self {
        let (host, boot) = me;
        let mut port = Port::new(settings.probe_period());
        port.timers.set(Moment::default(), Due::Alone);
        let mut luck = ChaCha8Rng::seed_from_u64(seed);
        Self {
            foca: new_foca(&settings, Identity::first(host, boot), &mut luck),
            port,
            settings,
            luck,
            sieve: Sieve::new(),
            heard: Heard::default(),
            own: Own::calm(),
            up: BTreeMap::new(),
            alone: Some(ALONE_EVERY_MIN),
            has_left: false,
            dropped: BTreeMap::new(),
        }
    }

    /// Takes an event in and says what is to be done.
    pub fn handle(&mut self, now: Moment, event: Event) -> Vec<Effect> {
        if self.has_left {
            return Vec::new();
        }
        self.port.now = now;
        match event {
            Event::DatagramArrived { from, bytes } => self.receive(from, &bytes),
            Event::Introduce { host, boot } => self.introduce(host, boot),
            Event::HealthChanged { health } => self.own.change(health),
            Event::DeadlineReached => self.run_due(),
            Event::Leave => self.leave(),
            Event::RosterSized { hosts } => self.resize(hosts),
        }
        self.settle();
        std::mem::take(&mut self.port.effects)
    }

    /// When [`Event::DeadlineReached`] is wanted; a moment in the past means at once.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.port.timers.next().filter(|_| !self.has_left)
    }

    /// Who seems alive, ourselves not among them.
    pub fn up(&self) -> &BTreeMap<HostId, Boot> {
        &self.up
    }

    /// What peers said and we did not take in, and how often.
    pub fn dropped(&self) -> &BTreeMap<Dropped, u64> {
        &self.dropped
    }

    fn receive(&mut self, from: HostId, bytes: &[u8]) {
        let Some(packet) = self.sift(from, bytes) else {
            return;
        };
        let sender = packet.header.src;
        let outcome = self.foca.handle_data(&packet.without_records(), &mut self.port);
        self.check(outcome);
        if self.foca.iter_members().any(|member| *member.id() == sender) {
            packet.records.iter().for_each(|record| self.hear(record));
        }
    }

    fn sift(&mut self, from: HostId, bytes: &[u8]) -> Option<Packet> {
        let foca = &self.foca;
        let is_full = foca.iter_membership_state().len() >= self.settings.members_max();
        let standpoint = Standpoint {
            now: self.port.now,
            me: foca.identity(),
            is_admitted: &|host| {
                let mut known = foca.iter_membership_state();
                !is_full || known.any(|member| member.id().host == *host)
            },
        };
        let mut dropped = Vec::new();
        let packet = self.sieve.sift(&standpoint, from, bytes, &mut dropped);
        dropped.into_iter().for_each(|why| self.count(why));
        packet
    }

    /// foca has taken the packet in and believes its sender alive; the records are judged by us alone.
    fn hear(&mut self, record: &HealthRecord) {
        let me = *self.foca.identity();
        if record.host == me.host {
            self.own.contradict(me.boot, record);
            return;
        }
        let hosts_max = self.settings.members_max();
        match self.heard.judge(self.port.now, record, hosts_max) {
            Judgement::News => {
                self.tell(record);
                self.port.effects.push(Effect::HealthHeard { record: record.clone() });
            }
            Judgement::Known => {}
            Judgement::OverRate => self.count(Dropped::HealthOverRate),
            Judgement::Full => self.count(Dropped::Stranger),
        }
    }

    fn introduce(&mut self, host: HostId, boot: Boot) {
        let is_member = self.up.get(&host).is_some_and(|known| *known >= boot);
        if !is_member && host != self.foca.identity().host {
            self.announce(Identity::first(host, boot));
        }
    }

    fn run_due(&mut self) {
        let grace = self.port.probe_period;
        for due in self.port.timers.take_due(self.port.now, grace) {
            match due {
                Due::Foca(timer) => self.run_foca(timer),
                Due::Spread => self.spread(),
                Due::Alone => self.say_alone(),
                // `settle` speaks whenever there is something to say and the budget allows it.
                Due::Health => {}
            }
        }
    }

    fn run_foca(&mut self, timer: Timer<Identity>) {
        if let Timer::RemoveDown(identity) = &timer {
            self.heard.forget(&identity.host);
        }
        let outcome = self.foca.handle_timer(timer, &mut self.port);
        self.check(outcome);
    }

    /// Membership updates fill a packet first, so that health records need packets of their own when there are many.
    fn spread(&mut self) {
        let outcome = self.foca.gossip(&mut self.port);
        self.check(outcome);
        if self.foca.updates_backlog() >= CROWDED_UPDATES {
            let outcome = self.foca.broadcast(&mut self.port);
            self.check(outcome);
        }
    }

    fn leave(&mut self) {
        let outcome = self.foca.leave_cluster(&mut self.port);
        self.check(outcome);
        for _ in 1..FAREWELLS {
            let outcome = self.foca.gossip(&mut self.port);
            self.check(outcome);
        }
        self.has_left = true;
    }

    fn resize(&mut self, hosts: usize) {
        self.settings.hosts = hosts.clamp(1, HOSTS_MAX);
        self.port.probe_period = self.settings.probe_period();
        let outcome = self.foca.set_config(self.settings.foca());
        self.check(outcome);
    }

    fn announce(&mut self, to: Identity) {
        let outcome = self.foca.announce(to, &mut self.port);
        self.check(outcome);
    }

    fn tell(&mut self, record: &HealthRecord) {
        let outcome = self.foca.add_broadcast(&record.to_bytes());
        self.check(outcome.map(|_| ()));
    }

    /// What follows from any event, whatever it was.
    fn settle(&mut self) {
        if self.has_left {
            return;
        }
        self.settle_renewal();
        self.settle_company();
        self.settle_members();
        self.settle_own_health();
        let has_news = self.foca.updates_backlog() > 0 || self.foca.custom_broadcast_backlog() > 0;
        if has_news && self.alone.is_none() && !self.port.timers.has(Kind::Spread) {
            let next = self.port.now.after(SPREAD_EVERY);
            self.port.timers.set(next, Due::Spread);
        }
    }

    /// A renewed foca stops probing until the next update reaches it, so it gets an empty one.
    fn settle_renewal(&mut self) {
        if let Some(identity) = self.port.renewed.take() {
            let renewal = identity.renewal;
            self.port.effects.push(Effect::Renewed { renewal });
            let outcome = self.foca.apply_many(std::iter::empty(), true, &mut self.port);
            self.check(outcome);
        }
    }

    fn settle_company(&mut self) {
        let has_members = self.foca.num_members() > 0;
        match self.alone {
            None if !has_members => {
                self.begin_again();
                self.alone = Some(ALONE_EVERY_MIN);
                self.say_alone();
            }
            Some(_) if has_members => {
                self.alone = None;
                self.port.timers.unset(Kind::Alone);
                self.port.effects.push(Effect::Joined);
            }
            None | Some(_) => {}
        }
    }

    /// Whoever has lost everybody was likely cut off itself, and has called everybody down in vain. It would greet healthy
    /// peers as dead, gossip that to the first one that answers, and make each of them renew. So it trusts none of its own
    /// findings and begins again, under a renewal that stands against what was said of it meanwhile.
    fn begin_again(&mut self) {
        let before = *self.foca.identity();
        let identity = foca::Identity::renew(&before).unwrap_or(before);
        self.foca = new_foca(&self.settings, identity, &mut self.luck);
        self.port.timers.unset_foca();
        self.heard = Heard::default();
        self.port.effects.push(Effect::Renewed { renewal: identity.renewal });
    }

    fn say_alone(&mut self) {
        if let Some(wait) = self.alone {
            self.port.effects.push(Effect::Alone);
            self.alone = Some(wait.times(2).min(ALONE_EVERY_MAX));
            let next = self.port.now.after(wait);
            self.port.timers.set(next, Due::Alone);
        }
    }

    /// foca tells of changes piecemeal (renamed, then down, then up): what counts is the state it ends in.
    fn settle_members(&mut self) {
        for host in std::mem::take(&mut self.port.touched) {
            let known = self.up.get(&host).copied();
            let mut members = self.foca.iter_members();
            let found = members.find(|member| member.id().host == host);
            match (known, found.map(|member| member.id().boot)) {
                (_, Some(boot)) if known != Some(boot) => {
                    self.up.insert(host, boot);
                    self.own.repeat();
                    self.port.effects.push(Effect::Up { host, boot });
                }
                (Some(boot), None) => {
                    self.up.remove(&host);
                    self.port.effects.push(Effect::Down { host, boot });
                }
                (_, _) => {}
            }
        }
    }

    fn settle_own_health(&mut self) {
        let Identity { host, boot, .. } = *self.foca.identity();
        if let Some(record) = self.own.speak(self.port.now, host, boot) {
            self.tell(&record);
        }
        match self.own.next() {
            Some(next) => self.port.timers.set(next, Due::Health),
            None => self.port.timers.unset(Kind::Health),
        }
    }

    fn check(&mut self, outcome: Result<(), foca::Error>) {
        if outcome.is_err() {
            self.count(Dropped::Refused);
        }
    }

    fn count(&mut self, why: Dropped) {
        let count = self.dropped.entry(why).or_default();
        *count = count.saturating_add(1);
    }
}

fn new_foca(settings: &Settings, identity: Identity, luck: &mut ChaCha8Rng) -> OurFoca {
    let luck = ChaCha8Rng::seed_from_u64(luck.next_u64());
    Foca::with_custom_broadcast(identity, settings.foca(), luck, PacketCodec, RecordKeys)
}
