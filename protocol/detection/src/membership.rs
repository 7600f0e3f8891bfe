//! Who seems alive right now: SWIM's opinion, by foca (protocol 4).
//!
//! A hint, never a verdict: nothing is healed on its word. It says whom to gossip with, and brings health records.
//! The laws SW1 to SW23 stand where they are kept: `identity`, `packet`, `records`, `own`, `hearing`, `sieve`, `settings`,
//! `hearsay`, `looks`, `digest`, `exchange`, `purse`, `fuse`, `ears`.
//! Law SW10: equal seeds and equal events give equal effects.
//! Not here: connections and addresses (hosts are named by id alone), and what may be concluded (see `verdict`).

mod asking;
mod bucket;
mod digest;
mod ears;
mod exchange;
mod fuse;
mod hearing;
mod hearsay;
mod identity;
mod looks;
mod own;
mod packet;
mod port;
mod purse;
mod records;
mod settings;
mod settle;
mod sieve;
mod sought;
mod spreading;
mod timers;
mod window;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foca::{Foca, Member, Timer};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use vocabulary::{Boot, HostId, Moment, Span};

use crate::health::{Health, HealthRecord};
use crate::roster::Roster;
use crate::watch::LookEnd;
use digest::Summaries;
use ears::Ears;
use exchange::Exchanges;
use fuse::Fuse;
use identity::Identity;
use looks::Looks;
use own::Own;
use packet::{Packet, PacketCodec, RecordKeys};
use port::Port;
use purse::Purse;
use records::Heard;
use settle::ALONE_EVERY_MIN;
use sieve::{Notes, Sieve, Sifted, Standpoint};
use sought::Sought;
use timers::Due;

pub use packet::PACKET_BYTES_MAX;
pub use settings::Settings;
pub use sieve::Dropped;

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
    /// Other hosts belong to the mesh, or live other lives, than was known.
    RosterChanged {
        /// As committed.
        roster: Arc<Roster>,
    },
    /// A connection to a host stands: gossip goes there rather than to a stranger.
    Linked {
        /// Who.
        host: HostId,
    },
    /// No connection to a host stands any more.
    Unlinked {
        /// Who.
        host: HostId,
    },
    /// Whom our own observer doubts now: it has looked on every path (protocol 2.3).
    DoubtsChanged {
        /// All of them.
        doubted: BTreeSet<HostId>,
    },
    /// The end of [`Effect::Look`].
    Looked {
        /// At whom.
        host: HostId,
        /// What came of it.
        end: LookEnd,
    },
    /// The end of [`Effect::Exchange`].
    Exchanged {
        /// With whom.
        with: HostId,
        /// What was in [`Membership::answer`]'s answer; `None` if nothing came.
        answer: Option<Vec<u8>>,
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
    /// News of another host's health; nothing heard of another boot holds any longer.
    HealthHeard {
        /// It says.
        record: HealthRecord,
        /// Whether it says so itself, on a connection of its own; else two others do.
        is_own_word: bool,
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
    /// Ask the host on a stream whether it lives; ends as [`Event::Looked`].
    Look {
        /// Whom.
        host: HostId,
    },
    /// Ask the host what it knows of the members, on a stream; ends as [`Event::Exchanged`].
    Exchange {
        /// Whom.
        with: HostId,
        /// For its [`Membership::answer`].
        bytes: Vec<u8>,
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
    looks: Looks,
    exchanges: Exchanges,
    summaries: Summaries,
    /// To whom a connection stands; the transport bounds them.
    linked: BTreeSet<HostId>,
    /// Whom our own observer doubts; as many as it holds seats.
    doubted: BTreeSet<HostId>,
    /// Who belongs, once a roster is known.
    roster: Option<Arc<Roster>>,
    heard: Heard,
    own: Own,
    purse: Purse,
    fuse: Fuse,
    /// Whom we have called up and not yet down.
    up: Arc<BTreeMap<HostId, Boot>>,
    /// How long to wait before saying [`Effect::Alone`] again; `None` while members are known.
    alone: Option<Span>,
    has_left: bool,
    ears: Ears,
    dropped: BTreeMap<Dropped, u64>,
}

impl Membership {
    /// Alone at first: [`Membership::next_deadline`] is now, and brings the first [`Effect::Alone`].
    pub fn new(settings: Settings, me: (HostId, Boot), seed: u64) -> Self {
        let (host, boot) = me;
        let mut port = Port::new(settings.probe_period());
        port.timers.set(Moment::default(), Due::Alone);
        let mut luck = ChaCha8Rng::seed_from_u64(seed);
        let fuse = Fuse::new(settings.hosts, settings.told());
        Self {
            foca: new_foca(&settings, Identity::first(host, boot), &mut luck),
            port,
            settings,
            luck,
            sieve: Sieve::new(),
            looks: Looks::new(),
            exchanges: Exchanges::default(),
            summaries: Summaries::default(),
            linked: BTreeSet::new(),
            doubted: BTreeSet::new(),
            roster: None,
            heard: Heard::default(),
            own: Own::calm(),
            purse: Purse::full(),
            fuse,
            up: Arc::default(),
            alone: Some(ALONE_EVERY_MIN),
            has_left: false,
            ears: Ears::default(),
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
            Event::RosterChanged { roster } => self.take_roster(roster),
            Event::Linked { host } => drop(self.linked.insert(host)),
            Event::Unlinked { host } => drop(self.linked.remove(&host)),
            Event::DoubtsChanged { doubted } => self.doubted = doubted,
            Event::Looked { host, end } => self.looked(host, end),
            Event::Exchanged { with, answer } => self.exchanged(with, answer.as_deref()),
        }
        self.settle();
        std::mem::take(&mut self.port.effects)
    }

    /// These are members in these lives, as if they had told us long ago: nothing is gossiped of it. Before the first event.
    /// Ourselves may be among them, so that all members of a mesh in one process share one list until it changes for one.
    pub fn acquaint(&mut self, now: Moment, members: &Arc<BTreeMap<HostId, Boot>>) {
        self.port.now = now;
        let me = self.foca.identity().host;
        let others = members.iter().filter(|(host, _)| **host != me);
        self.apply(others.map(|(host, boot)| Member::alive(Identity::first(*host, *boot))), false);
        self.up = Arc::clone(members);
        self.port.touched.clear();
        self.settle();
        self.port.effects.clear();
    }

    /// When [`Event::DeadlineReached`] is wanted; a moment in the past means at once.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.port.timers.next().filter(|_| !self.has_left)
    }

    /// Who seems alive; ourselves only where [`Membership::acquaint`] named us.
    pub fn up(&self) -> &Arc<BTreeMap<HostId, Boot>> {
        &self.up
    }

    /// Somebody speaks, asks or answers, by whatever means (law SW23).
    pub fn hear_somebody(&mut self, now: Moment) {
        self.ears.hear(now);
    }

    /// For how long it tells nothing of members yet, having spent what a mesh of this size has to say (law SW22).
    pub fn muted_for(&self, now: Moment) -> Option<Span> {
        self.fuse.muted_for(now)
    }

    /// What peers said and we did not take in, and how often.
    pub fn dropped(&self) -> &BTreeMap<Dropped, u64> {
        &self.dropped
    }

    fn receive(&mut self, from: HostId, bytes: &[u8]) {
        let packet = match Packet::parse(bytes) {
            Ok(packet) => packet,
            Err(why) => return self.count(why.into()),
        };
        self.ears.hear(self.port.now);
        let mut notes = Notes::default();
        let index = self.members_among(&packet.hosts());
        let standpoint = Standpoint {
            now: self.port.now,
            me: self.foca.identity(),
            incarnation: self.port.incarnation,
            known: &|host| index.get(host).cloned(),
            is_doubted: &|host| self.doubted.contains(host),
            is_full: self.foca.iter_membership_state().len() >= self.settings.members_max(),
        };
        let sifted = self.sieve.sift(&standpoint, (from, packet), &mut notes);
        let is_demand_unheeded = notes.is_demand_unheeded;
        if notes.is_held_down {
            self.looks.want_later(self.port.now, from, &mut self.luck);
        }
        self.take_notes(notes);
        let Some(Sifted { packet, forget }) = sifted else {
            return;
        };
        self.forget(forget);
        let sender = packet.header.src;
        if !packet.updates.is_empty() || !is_known_alive(&index, &packet.header) {
            self.summaries.doubt();
        }
        let outcome = self.foca.handle_data(&packet.without_records(), &mut self.port);
        self.check(outcome);
        if is_demand_unheeded {
            self.demand_nothing_of(from);
        }
        if self.foca.iter_members().any(|member| *member.id() == sender) {
            packet.records.iter().for_each(|record| self.hear(from, record));
        }
    }

    /// What foca knows of these hosts: one walk through all members, however many are asked for.
    fn members_among(&self, hosts: &BTreeSet<HostId>) -> BTreeMap<HostId, Member<Identity>> {
        let (members, sought) = (self.foca.iter_membership_state(), Sought::new(hosts));
        let asked = members.filter(|member| sought.holds(&member.id().host));
        asked.map(|member| (member.id().host, member.clone())).collect()
    }

    fn take_notes(&mut self, notes: Notes) {
        notes.dropped.into_iter().for_each(|why| self.count(why));
        for host in notes.to_look_at {
            if host != self.foca.identity().host {
                self.looks.want(self.port.now, host, &mut self.luck);
            }
        }
    }

    /// What was wrongly believed of a host, so that its own word is news (law SW5). foca forgets only who is down.
    fn forget(&mut self, wrong: Option<Identity>) {
        if let Some(wrong) = wrong {
            self.apply([Member::down(wrong)], false);
            let outcome = self.foca.handle_timer(Timer::RemoveDown(wrong), &mut self.port);
            self.check(outcome);
        }
    }

    fn introduce(&mut self, host: HostId, boot: Boot) {
        let is_member = self.up.get(&host) == Some(&boot);
        if !is_member && host != self.foca.identity().host {
            self.announce(Identity::first(host, boot));
        }
    }

    fn run_due(&mut self) {
        let grace = self.port.probe_period;
        for due in self.port.timers.take_due(self.port.now, grace) {
            match due {
                Due::Foca(timer @ Timer::ChangeSuspectToDown { .. }) => self.suspect(timer),
                Due::Foca(timer) => self.run_foca(timer),
                Due::Look => self.look_due(),
                Due::Exchange => self.exchange(),
                Due::Spread => self.spread(),
                Due::Alone => self.say_alone(),
                // `settle` speaks whenever there is something to say and the budget allows it.
                Due::Health => {}
            }
        }
    }

    fn run_foca(&mut self, timer: Timer<Identity>) {
        let removed = match &timer {
            Timer::RemoveDown(identity) => Some(identity.host),
            _ => None,
        };
        let outcome = self.foca.handle_timer(timer, &mut self.port);
        self.check(outcome);
        if !self.port.touched.is_empty() {
            self.summaries.doubt();
        }
        // Whoever has come back since, under another name, is a member still.
        if let Some(host) = removed.filter(|host| self.member(host).is_none()) {
            self.heard.forget(&host);
            self.sieve.forget(&host);
        }
    }

    fn announce(&mut self, to: Identity) {
        let outcome = self.foca.announce(to, &mut self.port);
        self.check(outcome);
    }

    /// foca is told what is known of these, and tells it on or does not.
    fn apply(&mut self, known: impl IntoIterator<Item = Member<Identity>>, is_told_on: bool) {
        self.summaries.doubt();
        let outcome = self.foca.apply_many(known.into_iter(), is_told_on, &mut self.port);
        self.check(outcome);
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

/// Whether a packet's speaker is known to live under that very name and incarnation.
fn is_known_alive(
    index: &BTreeMap<HostId, Member<Identity>>,
    header: &foca::Header<Identity>,
) -> bool {
    index.get(&header.src.host).is_some_and(|known| {
        *known.id() == header.src
            && known.incarnation() == header.src_incarnation
            && known.state() == foca::State::Alive
    })
}

fn new_foca(settings: &Settings, identity: Identity, luck: &mut ChaCha8Rng) -> OurFoca {
    let luck = ChaCha8Rng::seed_from_u64(luck.next_u64());
    Foca::with_custom_broadcast(identity, settings.foca(), luck, PacketCodec, RecordKeys)
}
