//! What travels between two agents, and what the transport beneath them does with it.
//!
//! Law M2: a connection joins two lives; what is sent on it to a life that has ended is lost, and a later life on the same
//! host answers with a reset (ARCHITECTURE 5).
//! Not here: whether the way is open and how long it takes (see `network`).

use agent::{AskId, CallEnd, CallId, Event};
use vocabulary::{Moment, Span};
use wire::frame::{STREAM_BYTES_MAX, open, seal};
use wire::{DATAGRAM_BYTES_MAX, Datagram, Kind, Request, Response, Unavailable};

use crate::fleet::{Fleet, Happening};
use crate::host::{Asker, Dial, HELD_BACK_MAX, Host, Life, Place};

/// As the daemon's transport has it.
const CONNECT_WITHIN: Span = Span::seconds(3);

/// The first wait between two dials towards a warm host that does not answer, and the longest; as in the daemon.
const REDIAL_AFTER: Span = Span::milliseconds(250);
const REDIAL_AT_MOST: Span = Span::seconds(10);

/// Datagrams that wait for a dial; as in the daemon.
const DATAGRAMS_PER_DIAL_MAX: usize = 4;

/// One thing on its way.
#[derive(Clone)]
pub(crate) struct Flight {
    pub from: Place,
    pub from_life: u64,
    pub to: Place,
    /// The life that the connection joins; `None` for what makes a connection.
    pub to_life: Option<u64>,
    pub parcel: Parcel,
}

#[derive(Clone)]
pub(crate) enum Parcel {
    Datagram(Vec<u8>),
    Ask { call: CallId, bytes: Vec<u8>, is_fresh: bool },
    Answer { call: CallId, bytes: Vec<u8>, is_fresh: bool },
    Dial,
    Welcome,
    Reset,
    Close,
}

impl Fleet {
    pub(crate) fn arrive(&mut self, flight: Flight) {
        if self.is_blocked(flight.from, flight.to) {
            return;
        }
        let Some(life) = &mut self.hosts[flight.to].life else {
            return;
        };
        if life.is_frozen {
            if life.held_back.len() < HELD_BACK_MAX {
                life.held_back.push_back(flight);
            }
            return;
        }
        let own = life.boot.number;
        if flight.to_life.is_some_and(|meant| meant != own) {
            // Law M2.
            if !matches!(flight.parcel, Parcel::Reset | Parcel::Close) {
                self.send(Flight {
                    from: flight.to,
                    from_life: own,
                    to: flight.from,
                    to_life: Some(flight.from_life),
                    parcel: Parcel::Reset,
                });
            }
            return;
        }
        self.open_parcel(own, flight);
    }

    fn open_parcel(&mut self, own: u64, flight: Flight) {
        let Flight { from, from_life, to, parcel, .. } = flight;
        match parcel {
            Parcel::Datagram(bytes) => self.datagram_arrives(from, to, &bytes),
            Parcel::Ask { call, bytes, is_fresh } => {
                if is_fresh {
                    self.connected(to, from, from_life);
                }
                let asker = Asker { place: from, life: from_life, call, is_fresh };
                self.ask_arrives(to, asker, &bytes);
            }
            Parcel::Answer { call, bytes, is_fresh } => {
                if is_fresh {
                    self.connected(to, from, from_life);
                }
                self.answer_arrives(to, call, (&bytes, is_fresh));
            }
            Parcel::Dial => {
                self.connected(to, from, from_life);
                self.send(Flight {
                    from: to,
                    from_life: own,
                    to: from,
                    to_life: Some(from_life),
                    parcel: Parcel::Welcome,
                });
            }
            Parcel::Welcome => self.welcomed(to, from, from_life),
            Parcel::Reset => self.lost(to, from, |known| known < from_life),
            Parcel::Close => self.lost(to, from, |known| known <= from_life),
        }
    }

    fn datagram_arrives(&mut self, from: Place, to: Place, bytes: &[u8]) {
        let datagram: Datagram =
            open(bytes, DATAGRAM_BYTES_MAX).expect("law W1: what we sealed opens again");
        let from = self.hosts[from].id;
        self.tell(to, Event::Datagram { from, datagram });
    }

    fn ask_arrives(&mut self, to: Place, asker: Asker, bytes: &[u8]) {
        let request: Request =
            open(bytes, STREAM_BYTES_MAX).expect("law W1: what we sealed opens again");
        let roles = self.hosts[asker.place].claims.roles;
        let is_admitted = wire::admits(Kind::of(&request), roles).is_ok();
        let from = self.hosts[asker.place].id;
        let Some(life) = &mut self.hosts[to].life else {
            return;
        };
        life.last_ask += 1;
        let id = AskId(life.last_ask);
        life.asks.insert(id, asker);
        if is_admitted {
            self.tell(to, Event::Asked { id, from, request });
        } else {
            self.laws.breach("protocol 1.7: no agent asks what its role forbids", self.now);
            self.answer(to, id, &Response::Unavailable(Unavailable::Forbidden));
        }
    }

    /// The mind has answered what was asked of it.
    pub(crate) fn answer(&mut self, place: Place, id: AskId, response: &Response) {
        let Some(life) = &mut self.hosts[place].life else {
            return;
        };
        let own = life.boot.number;
        let asker = life.asks.remove(&id);
        let Some(asker) = asker else {
            self.laws.breach("law E2: what was asked is answered once", self.now);
            return;
        };
        let bytes = seal(response);
        if bytes.len() > STREAM_BYTES_MAX {
            self.laws.breach("law W1: no answer is too large", self.now);
            return;
        }
        self.send(Flight {
            from: place,
            from_life: own,
            to: asker.place,
            to_life: Some(asker.life),
            parcel: Parcel::Answer { call: asker.call, bytes, is_fresh: asker.is_fresh },
        });
    }

    fn answer_arrives(&mut self, to: Place, call: CallId, (bytes, is_fresh): (&[u8], bool)) {
        let response: Response =
            open(bytes, STREAM_BYTES_MAX).expect("law W1: what we sealed opens again");
        let Some(life) = self.hosts[to].life_number() else {
            return;
        };
        let end = if is_fresh { CallEnd::Dialled(response) } else { CallEnd::Response(response) };
        self.end_call(to, life, call, end);
    }

    /// A connection stands; both sides have said who they are.
    fn connected(&mut self, place: Place, peer: Place, peer_life: u64) {
        let address = Host::address(peer);
        let host = self.hosts[peer].id;
        // What the hello said: of a peer that has ended since, that life's own boot.
        let boot = self.hosts[peer]
            .life
            .as_ref()
            .map(|life| life.boot)
            .filter(|boot| boot.number == peer_life);
        let Some(life) = &mut self.hosts[place].life else {
            return;
        };
        life.peers.meet(peer, peer_life);
        life.located.insert(peer);
        if let Some(boot) = boot {
            self.tell(place, Event::Connected { host, boot, address });
        }
    }

    fn welcomed(&mut self, place: Place, peer: Place, peer_life: u64) {
        self.connected(place, peer, peer_life);
        let Some(life) = &mut self.hosts[place].life else {
            return;
        };
        let own = life.boot.number;
        let Some(dial) = life.dialling.remove(&peer) else {
            return;
        };
        let flight = |parcel| Flight {
            from: place,
            from_life: own,
            to: peer,
            to_life: Some(peer_life),
            parcel,
        };
        let waiting = dial.calls.into_iter().map(|(call, bytes)| Parcel::Ask {
            call,
            bytes,
            is_fresh: false,
        });
        let datagrams = dial.datagrams.iter().map(|datagram| {
            let bytes = seal(datagram);
            Parcel::Datagram(bytes)
        });
        for parcel in waiting.chain(datagrams).collect::<Vec<_>>() {
            self.send(flight(parcel));
        }
    }

    /// A connection to a life that has ended is known to be gone.
    fn lost(&mut self, place: Place, peer: Place, is_over: impl Fn(u64) -> bool) {
        let host = self.hosts[peer].id;
        let Some(life) = &mut self.hosts[place].life else {
            return;
        };
        if !life.peers.get(peer).is_some_and(is_over) {
            return;
        }
        life.peers.part(peer);
        let (own, calls) = (life.boot.number, life.calls_to(peer));
        for call in calls {
            self.end_call(place, own, call, CallEnd::Failed);
        }
        self.tell(place, Event::Closed { host });
        self.keep_warm(place);
    }

    pub(crate) fn send_datagram(&mut self, place: Place, peer: Place, datagram: Datagram) {
        let Some(life) = &mut self.hosts[place].life else {
            return;
        };
        let own = life.boot.number;
        if let Some(peer_life) = life.peers.get(peer) {
            let bytes = seal(&datagram);
            if bytes.len() > DATAGRAM_BYTES_MAX {
                self.laws.breach("law W1: no datagram is over 1,150 bytes", self.now);
                return;
            }
            self.send(Flight {
                from: place,
                from_life: own,
                to: peer,
                to_life: Some(peer_life),
                parcel: Parcel::Datagram(bytes),
            });
        } else if self.dial(place, peer)
            && let Some(dial) = self.dial_of(place, peer)
            && dial.datagrams.len() < DATAGRAMS_PER_DIAL_MAX
        {
            dial.datagrams.push(datagram);
        }
    }

    /// `false`: no connection can be had at all.
    pub(crate) fn send_ask(
        &mut self,
        place: Place,
        peer: Place,
        (call, request): (CallId, &Request),
    ) -> bool {
        let bytes = seal(request);
        if bytes.len() > STREAM_BYTES_MAX {
            self.laws.breach("law W1: no request is too large", self.now);
            return false;
        }
        let Some(life) = &mut self.hosts[place].life else {
            return false;
        };
        let own = life.boot.number;
        if let Some(peer_life) = life.peers.get(peer) {
            self.send(Flight {
                from: place,
                from_life: own,
                to: peer,
                to_life: Some(peer_life),
                parcel: Parcel::Ask { call, bytes, is_fresh: false },
            });
            return true;
        }
        if !self.dial(place, peer) {
            return false;
        }
        if let Some(dial) = self.dial_of(place, peer) {
            dial.calls.push((call, bytes));
        }
        true
    }

    fn dial_of(&mut self, place: Place, peer: Place) -> Option<&mut Dial> {
        self.hosts[place].life.as_mut()?.dialling.get_mut(&peer)
    }

    /// Whether a dial is under way now; without an address there is none.
    pub(crate) fn dial(&mut self, place: Place, peer: Place) -> bool {
        let until = self.now.after(CONNECT_WITHIN);
        let Some(life) = &mut self.hosts[place].life else {
            return false;
        };
        if life.dialling.contains_key(&peer) {
            return true;
        }
        if !life.located.contains(peer) {
            return false;
        }
        let own = life.boot.number;
        let dial = Dial { until, ..Dial::default() };
        life.dialling.insert(peer, dial);
        self.queue.put(until, Happening::DialOver(place, own, peer));
        self.send(Flight {
            from: place,
            from_life: own,
            to: peer,
            to_life: None,
            parcel: Parcel::Dial,
        });
        true
    }

    pub(crate) fn dial_over(&mut self, place: Place, life: u64, peer: Place) {
        let now = self.now;
        let Some(own) = self.hosts[place].life.as_mut() else {
            return;
        };
        let is_over = own.dialling.get(&peer).is_some_and(|dial| dial.until <= now);
        if own.boot.number == life && is_over {
            own.dialling.remove(&peer);
            self.keep_warm(place);
        }
    }

    pub(crate) fn redial(&mut self, place: Place, life: u64) {
        let now = self.now;
        let Some(life) = self.hosts[place].life.as_mut().filter(|own| own.boot.number == life)
        else {
            return;
        };
        // What was put off for later has been brought forward since.
        if life.redial_at.is_some_and(|at| at <= now) {
            life.redial_at = None;
            self.keep_warm(place);
        }
    }

    /// Dials every warm host that is not connected: at once, and then ever more rarely.
    pub(crate) fn keep_warm(&mut self, place: Place) {
        let now = self.now;
        let Some(life) = &mut self.hosts[place].life else {
            return;
        };
        let own = life.boot.number;
        let (mut due, mut next) = (Vec::new(), None);
        for peer in life.warm.clone() {
            if life.peers.contains(peer)
                || life.dialling.contains_key(&peer)
                || !life.located.contains(peer)
            {
                continue;
            }
            match next_dial(life, peer) {
                Some(at) if at > now => next = Some(next.map_or(at, |next: Moment| next.min(at))),
                _ => {
                    let wait = wait_after(life, peer, now);
                    life.redials.insert(peer, (now, wait));
                    due.push(peer);
                }
            }
        }
        // Law S2: one wait for all of them, or each would begin as many again.
        if let Some(at) = next
            && life.redial_at.is_none_or(|set| set <= now || at < set)
        {
            life.redial_at = Some(at);
            self.queue.put(at, Happening::Redial(place, own));
        }
        for peer in due {
            self.dial(place, peer);
        }
    }

    /// The addresses in its configuration: those of the keepers.
    pub(crate) fn dial_seeds(&mut self, place: Place) {
        for seed in self.keepers.seeds.clone() {
            if seed == place {
                continue;
            }
            if let Some(life) = &mut self.hosts[place].life {
                life.located.insert(seed);
                if life.peers.contains(seed) {
                    continue;
                }
            }
            self.dial(place, seed);
        }
    }

    /// Takes leave of every peer and ends.
    pub(crate) fn end_life(&mut self, place: Place) {
        let Some(life) = self.hosts[place].life.as_ref() else {
            return;
        };
        let (own, peers) = (life.boot.number, life.peers.clone());
        for (peer, peer_life) in peers.iter() {
            self.send(Flight {
                from: place,
                from_life: own,
                to: peer,
                to_life: Some(peer_life),
                parcel: Parcel::Close,
            });
        }
        self.kill(place);
    }
}

fn next_dial(life: &Life, peer: Place) -> Option<Moment> {
    let (dialled, wait) = life.redials.get(&peer)?;
    Some(dialled.after(*wait))
}

fn wait_after(life: &Life, peer: Place, now: Moment) -> Span {
    match life.redials.get(&peer) {
        Some((dialled, wait)) if now.since(*dialled) < REDIAL_AT_MOST.times(2) => {
            wait.times(2).min(REDIAL_AT_MOST)
        }
        _ => REDIAL_AFTER,
    }
}
