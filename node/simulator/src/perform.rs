//! What a mind asks of its shell, done as the daemon would do it.
//!
//! Law E1 (see `agent`): effects are performed in order.
//! Not here: what comes back (each in its room).

use agent::{CallEnd, CallId, Effect, Knock, LifeEnd};
use ledger::command::Command;
use vocabulary::{HostId, Span};
use wire::Request;

use crate::fleet::{Fleet, Happening, Knocking};
use crate::following::Question;
use crate::host::{Host, OpenKind, Place};
use crate::keepers::Ask;
use crate::mail::{Flight, Parcel};
use crate::network::Way;

impl Fleet {
    pub(crate) fn perform(&mut self, place: Place, life: u64, effect: Effect) {
        if self.hosts[place].life_number() != Some(life) {
            return;
        }
        let Some(effect) = self.bent(place, effect) else {
            return;
        };
        match effect {
            Effect::SendDatagram { to, datagram } => {
                if let Some(peer) = self.places.get(&to) {
                    self.send_datagram(place, peer, datagram);
                }
            }
            Effect::Call { id, to, request, within } => {
                self.call(place, (id, within), to, &request)
            }
            Effect::FreshDial { id, to, nonce, within } => {
                self.fresh_dial(place, (id, within), to, nonce)
            }
            Effect::Knock { id, to, port, within } => self.knock(place, (id, within), to, port),
            Effect::Answer { id, response } => self.answer(place, id, &response),
            Effect::Propose { id, command, within } => self.propose(place, (id, within), &command),
            Effect::ReadIndex { id, within } => self.read_index(place, id, within),
            Effect::Apply { id, order } => self.apply(place, id, order),
            Effect::Inspect { id, order } => self.inspect(place, id, &order),
            Effect::Page(page) => {
                self.note(format!("a person is called: {}", page.line));
            }
            Effect::KeepWarm(hosts) => self.warm(place, &hosts),
            Effect::Locate { host, address } => self.locate(place, host, address),
            Effect::Redial => self.dial_seeds(place),
            Effect::EndLife(end) => self.life_ends(place, end),
            Effect::StandDown => self.stand_down(place),
            Effect::Gone => self.end_life(place),
        }
    }

    /// Whose disk was lost begins above what the mesh knows, as the daemon does (protocol 1.2).
    fn life_ends(&mut self, place: Place, end: LifeEnd) {
        self.note(format!("{} ends: {end:?}", self.hosts[place].name()));
        self.end_life(place);
        if let LifeEnd::TooLow(known) = end
            && self.hosts[place].held_up.disks_lost > 0
        {
            self.hosts[place].boot_number = known.number;
            self.start(place);
        }
    }

    /// A call is open until it ends or its time is over.
    pub(crate) fn open_call(
        &mut self,
        place: Place,
        (id, within): (CallId, Option<Span>),
        to: Option<Place>,
        kind: OpenKind,
    ) -> Option<u64> {
        let life = self.hosts[place].life.as_mut()?;
        life.open(id, to, kind);
        let number = life.boot.number;
        if let Some(within) = within {
            self.queue.put(self.now.after(within), Happening::CallOver(place, number, id));
        }
        Some(number)
    }

    fn call(&mut self, place: Place, (id, within): (CallId, Span), to: HostId, request: &Request) {
        let peer = self.places.get(&to);
        let life = self.open_call(place, (id, Some(within)), peer, OpenKind::Message);
        let is_sent = peer.is_some_and(|peer| self.send_ask(place, peer, (id, request)));
        if let (Some(life), false) = (life, is_sent) {
            let end = Happening::End(place, life, id, Box::new(CallEnd::Unable));
            self.queue.put(self.now, end);
        }
    }

    fn fresh_dial(&mut self, place: Place, (id, within): (CallId, Span), to: HostId, nonce: u128) {
        let peer = self.places.get(&to);
        // Not of a standing connection: a reset does not end it.
        let life = self.open_call(place, (id, Some(within)), None, OpenKind::Message);
        let (Some(peer), Some(life)) = (peer, life) else {
            return;
        };
        let is_located =
            self.hosts[place].life.as_ref().is_some_and(|life| life.located.contains(peer));
        if !is_located {
            let end = Happening::End(place, life, id, Box::new(CallEnd::Unable));
            self.queue.put(self.now, end);
            return;
        }
        self.send(Flight {
            from: place,
            from_life: life,
            to: peer,
            to_life: None,
            parcel: Parcel::Ask {
                call: id,
                bytes: wire::frame::seal(&Request::Ask { nonce }),
                is_fresh: true,
            },
        });
    }

    fn knock(&mut self, place: Place, (id, within): (CallId, Span), to: HostId, port: Option<u16>) {
        let peer = self.places.get(&to);
        let kind = OpenKind::Knock { accepts: false };
        let life = self.open_call(place, (id, Some(within)), peer, kind);
        let (Some(to), Some(life)) = (peer, life) else {
            return;
        };
        if self.is_blocked(place, to) || self.hosts[place].held_up.is_stalled {
            return;
        }
        let knocking = Knocking { from: place, life, call: id, to, port, reading: None };
        let takes = self.network.stream(self.now, Way::of(place, to));
        self.queue.put(self.now.after(takes), Happening::Knock(knocking, false));
    }

    /// protocol 2.4: what a kernel, and the process behind its port, give to one who knocks.
    pub(crate) fn knocked(&mut self, knocking: Knocking, is_back: bool) {
        let Knocking { from, to, life, .. } = knocking;
        if is_back {
            if self.is_blocked(to, from) {
                return;
            }
            let Some(reading) = knocking.reading else {
                return;
            };
            if reading == Knock::Accepted {
                let open = self.hosts[from]
                    .life
                    .as_mut()
                    .filter(|own| own.boot.number == life)
                    .and_then(|own| own.open.get_mut(&knocking.call));
                if let Some(open) = open {
                    open.kind = OpenKind::Knock { accepts: true };
                }
                return;
            }
            return self.end_call(from, life, knocking.call, CallEnd::Knocked(reading));
        }
        if self.is_blocked(from, to) || self.is_blocked(to, from) {
            return;
        }
        let host = &self.hosts[to];
        let named = host.ports.of(knocking.port.unwrap_or_default(), from == to);
        let reading = match &host.life {
            _ if knocking.port.is_some() => named.knock(),
            Some(_) if !host.is_running() => Knock::Accepted,
            Some(_) => Knock::Answered,
            None => Knock::Refused,
        };
        let slow = host.held_up.slow;
        let takes = self.network.stream(self.now, Way::of(to, from));
        let mut comes = |takes: Span, reading: Knock| {
            let answered = Knocking { reading: Some(reading), ..knocking };
            self.queue.put(self.now.after(takes), Happening::Knock(answered, true));
        };
        // The kernel accepts at once, whenever the process comes to say its bytes.
        if reading == Knock::Answered && knocking.port.is_none() && slow > Span::ZERO {
            comes(takes, Knock::Accepted);
            return comes(takes.plus(slow), Knock::Answered);
        }
        if reading != Knock::Silent {
            comes(takes, reading);
        }
    }

    fn propose(&mut self, place: Place, (id, within): (CallId, Span), command: &Command) {
        let Some(life) = self.open_call(place, (id, Some(within)), None, OpenKind::Proposal) else {
            return;
        };
        let ask = Ask {
            by: place,
            command: wire::encode(command),
            asker: Some((life, id)),
            until: self.now.after(within),
        };
        let takes = self.way_to_leader(place);
        self.queue.put(self.now.after(takes), Happening::Proposal(ask));
    }

    /// One way to whoever leads; where nobody does, to nobody in particular.
    fn way_to_leader(&mut self, place: Place) -> Span {
        let leader = self.keepers.leader.unwrap_or(place);
        self.ways((place, leader), 1)
    }

    fn read_index(&mut self, place: Place, id: CallId, within: Span) {
        let kind = OpenKind::Read { index: None };
        let Some(life) = self.open_call(place, (id, Some(within)), None, kind) else {
            return;
        };
        let question = Question { by: place, life, call: id, index: None };
        let takes = self.way_to_leader(place);
        self.queue.put(self.now.after(takes), Happening::Question(question));
    }

    fn warm(&mut self, place: Place, hosts: &[HostId]) {
        let warm = hosts.iter().filter_map(|host| self.places.get(host)).collect();
        if let Some(life) = &mut self.hosts[place].life {
            life.warm = warm;
        }
        self.keep_warm(place);
    }

    fn locate(&mut self, place: Place, host: HostId, address: vocabulary::Address) {
        let Some(peer) = self.places.get(&host) else {
            return;
        };
        // It may be where a copy of it said.
        if self.hosts.get(Host::place_of(&address)).is_none_or(|own| own.id != host) {
            self.laws.breach("protocol 1.2: a host is found where it said", self.now);
        }
        let Some(life) = &mut self.hosts[place].life else {
            return;
        };
        life.located.insert(peer);
        if life.warm.contains(&peer) {
            self.keep_warm(place);
        }
    }
}
