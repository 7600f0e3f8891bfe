//! One virtual host: its machine, its agent's present life, and what that life has open.
//!
//! Law E2 (see `agent`): every call of a life ends exactly once; nothing of one life reaches the next.
//! Not here: what travels between hosts (see `mail`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use agent::{Agent, AskId, CallId};
use ledger::Ledger;
use vocabulary::{Address, Boot, Claims, HostId, LedgerIndex, Moment, Span, StoreId};
use wire::{Datagram, DoubtNote};

use crate::clock::Clock;
use crate::held_up::HeldUp;
use crate::lies::Liar;
use crate::mail::Flight;
use crate::peers::Peers;
use crate::ports::Ports;

/// A host's number in the fleet.
pub(crate) type Place = usize;

/// What a frozen agent's socket holds back; more is lost, as in a kernel's buffer.
pub(crate) const HELD_BACK_MAX: usize = 512;

/// The numbers of a host's stores, one after another, differ above those of all hosts.
const STORES_FROM_BIT: u32 = 32;

/// One machine.
pub(crate) struct Host {
    pub id: HostId,
    /// What the trace calls it: a copy of another machine bears that one's name and a mark.
    shown: String,
    pub claims: Claims,
    pub clock: Clock,
    pub held_up: HeldUp,
    pub ports: Ports,
    pub is_off: bool,
    pub is_silent: bool,
    /// Its agent was told to end, and has not begun anew.
    pub is_away: bool,
    /// The number of the last boot, kept on its disk.
    pub boot_number: u64,
    /// The nonce of the next boot: drawn as it begins, or as the fleet is settled.
    pub next_nonce: u128,
    /// A keeper's own copy, or a follower's cache: kept on its disk.
    pub kept: Option<Arc<Ledger>>,
    pub life: Option<Life>,
    /// What it keeps who lies; an honest host has none.
    pub liar: Option<Box<Liar>>,
    /// The last moment at which it was dead, frozen or cut off; `None`: never since the fleet began.
    pub last_unsound: Option<Moment>,
}

/// One life of an agent.
pub(crate) struct Life {
    /// Apart from what the shell asks for at every packet, which so lies close together.
    pub agent: Box<Agent>,
    pub boot: Boot,
    pub is_frozen: bool,
    pub frozen_at: Moment,
    pub held_back: VecDeque<Flight>,
    /// Ends of calls and news of the ledger that came while it was frozen.
    pub news: VecDeque<agent::Event>,
    /// Whom it has a standing connection to, and in which of their lives.
    pub peers: Peers,
    /// Of whom it knows where they are reached: whom a host may be dialled at follows from its place.
    pub located: Located,
    pub dialling: BTreeMap<Place, Dial>,
    pub redials: BTreeMap<Place, (Moment, Span)>,
    /// When the next of them is due, if one waits.
    pub redial_at: Option<Moment>,
    pub warm: Vec<Place>,
    pub open: BTreeMap<CallId, Open>,
    pub last_call: CallId,
    pub asks: BTreeMap<AskId, Asker>,
    pub last_ask: u64,
    pub wake_at: Option<Moment>,
    /// When the mind wants to be woken, by its own clock: nothing but an event changes it.
    pub wanted: Option<Moment>,
    /// Up to where the ledger has come to it.
    pub upto: LedgerIndex,
    pub told_leader: Option<Place>,
    /// Events taken at one and the same moment, to see a mind that spins.
    pub taken_at: (Moment, u32),
    pub doubts: Vec<DoubtNote>,
}

/// A set of places, a bit each.
#[derive(Default)]
pub(crate) struct Located(Vec<u64>);

impl Located {
    pub fn insert(&mut self, place: Place) {
        if self.0.len() <= place / 64 {
            self.0.resize(place / 64 + 1, 0);
        }
        self.0[place / 64] |= 1 << (place % 64);
    }

    pub fn contains(&self, place: Place) -> bool {
        self.0.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }
}

/// A dial that is under way, and what waits for it.
#[derive(Default)]
pub(crate) struct Dial {
    pub until: Moment,
    pub calls: Vec<(CallId, Vec<u8>)>,
    pub datagrams: Vec<Datagram>,
}

/// A call that has not ended.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub to: Option<Place>,
    pub kind: OpenKind,
}

/// What ends it if nothing else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenKind {
    Message,
    /// The port accepts; if no bytes come, that is the answer.
    Knock {
        accepts: bool,
    },
    Proposal,
    Read {
        index: Option<LedgerIndex>,
    },
    Remedy,
}

/// Who asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    pub place: Place,
    pub life: u64,
    pub call: CallId,
    pub is_fresh: bool,
}

impl Host {
    pub fn new(claims: Claims, clock_ahead: Span) -> Self {
        Self {
            id: claims.id(),
            shown: claims.host.to_string(),
            claims,
            clock: Clock::ahead(clock_ahead),
            held_up: HeldUp::default(),
            ports: Ports::default(),
            is_off: false,
            is_silent: false,
            is_away: false,
            boot_number: 0,
            next_nonce: 0,
            kept: None,
            life: None,
            liar: None,
            last_unsound: None,
        }
    }

    /// The same machine on other hardware, with the disk that this one had before its present life: same key, same name.
    pub fn copied(&self) -> Self {
        Self {
            clock: self.clock,
            shown: format!("{}'", self.shown),
            boot_number: self.boot_number.saturating_sub(1),
            ..Self::new(self.claims.clone(), Span::ZERO)
        }
    }

    pub fn name(&self) -> &str {
        &self.shown
    }

    /// The boot in which its agent begins next.
    pub fn next_boot(&self) -> Boot {
        Boot { number: self.boot_number + 1, nonce: self.next_nonce }
    }

    /// A keeper's store.
    pub fn store(&self, place: Place) -> Option<StoreId> {
        let number = self.held_up.disks_lost << STORES_FROM_BIT | (place as u64 + 1);
        self.claims.roles.keeper.then_some(StoreId(number))
    }

    /// This host's own clock.
    pub fn local(&self, now: Moment) -> Moment {
        self.clock.local(now)
    }

    /// The fleet's moment of a reading of this host's clock.
    pub fn global(&self, local: Moment) -> Moment {
        self.clock.global(local)
    }

    /// Whether its agent runs, hears and is heard.
    pub fn is_running(&self) -> bool {
        self.is_awake() && !self.held_up.is_stalled
    }

    /// Whether its agent's timers run.
    pub fn is_awake(&self) -> bool {
        self.life.as_ref().is_some_and(|life| !life.is_frozen)
    }

    /// Whether nothing passes it in either direction.
    pub fn is_mute(&self) -> bool {
        self.is_silent || self.is_off || self.held_up.still_until.is_some()
    }

    pub fn life_number(&self) -> Option<u64> {
        self.life.as_ref().map(|life| life.boot.number)
    }

    pub fn address(place: Place) -> Address {
        let [_, _, high, low] = u32::try_from(place).unwrap_or(0).to_be_bytes();
        Address::from(([10, 0, high, low], 4_400))
    }

    pub fn place_of(address: &Address) -> Place {
        match address.ip() {
            std::net::IpAddr::V4(ip) => {
                let [_, _, high, low] = ip.octets();
                usize::from(high) << 8 | usize::from(low)
            }
            std::net::IpAddr::V6(_) => 0,
        }
    }
}

impl Life {
    pub fn new(agent: Agent, boot: Boot) -> Self {
        Self {
            agent: Box::new(agent),
            boot,
            is_frozen: false,
            frozen_at: Moment::default(),
            held_back: VecDeque::new(),
            news: VecDeque::new(),
            peers: Peers::default(),
            located: Located::default(),
            dialling: BTreeMap::new(),
            redials: BTreeMap::new(),
            redial_at: None,
            warm: Vec::new(),
            open: BTreeMap::new(),
            last_call: CallId(0),
            asks: BTreeMap::new(),
            last_ask: 0,
            wake_at: None,
            wanted: None,
            upto: LedgerIndex::default(),
            told_leader: None,
            taken_at: (Moment::default(), 0),
            doubts: Vec::new(),
        }
    }

    /// A call goes out.
    pub fn open(&mut self, id: CallId, to: Option<Place>, kind: OpenKind) {
        assert!(id > self.last_call, "law E2: a call's number is drawn once in a life");
        self.last_call = id;
        self.open.insert(id, Open { to, kind });
    }

    /// Calls to this peer that are under way.
    pub fn calls_to(&self, peer: Place) -> BTreeSet<CallId> {
        let to_peer =
            |(_, open): &(&CallId, &Open)| open.to == Some(peer) && open.kind == OpenKind::Message;
        self.open.iter().filter(to_peer).map(|(id, _)| *id).collect()
    }
}
