//! Messages of peers that were admitted, one after the other, as one host takes them in: what membership makes of gossip and of
//! exchanges, what a follower makes of pieces of the ledger, and what the others are before anybody acts on them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use detection::membership::{Effect, Event, Membership, PACKET_BYTES_MAX, Settings};
use ledger::Ledger;
use ledger::command::{Command, Outcome};
use replication::Follower;
use vocabulary::{HostId, ModelVerifier, Moment, Span};
use wire::frame::STREAM_BYTES_MAX;
use wire::{Datagram, Report, Request, Response};

use crate::fleet::{NINE, boot, id};
use crate::{spelling, world};

/// Messages that are heard; what comes behind them is left alone (law FZ2).
const MESSAGES_MAX: usize = 24;

/// Between two messages.
const PAUSE: Span = Span::milliseconds(700);

/// Effects of one event in a mesh of nine: packets to each of them, and news of each.
const EFFECTS_MAX: usize = 256;

/// Each message stands behind its kind, its sender, and its length in two bytes.
pub fn message(bytes: &[u8]) {
    let mut rest = bytes;
    let mut host = Host::new();
    for _ in 0..MESSAGES_MAX {
        let [kind, from, low, high, more @ ..] = rest else {
            return;
        };
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(more.len());
        let (message, left) = more.split_at(length);
        rest = left;
        host.hear(*kind, world::host(*from), message);
    }
}

/// One of nine hosts, `a1`, and its likeness, which hears the same.
struct Host {
    membership: [Membership; 2],
    follower: Follower,
    now: Moment,
    senders: BTreeSet<HostId>,
}

impl Host {
    fn new() -> Self {
        let now = Moment::from_milliseconds(60_000);
        let ledger = world::ledger(2);
        let others = NINE.map(|name| (id(name), boot(1)));
        let members = Arc::new(BTreeMap::from(others));
        let one = || {
            let settings = Settings { hosts: NINE.len(), ..Settings::default() };
            let mut one = Membership::new(settings, (id("a1"), boot(1)), 7);
            one.acquaint(now, &members);
            one.handle(now, Event::RosterChanged { roster: Arc::clone(ledger.roster()) });
            one
        };
        let membership = [one(), one()];
        let follower = Follower::new(Ledger::new(), Arc::new(ModelVerifier));
        Self { membership, follower, now, senders: BTreeSet::new() }
    }

    fn hear(&mut self, kind: u8, from: HostId, bytes: &[u8]) {
        self.now = self.now.after(PAUSE);
        self.pass();
        self.senders.insert(from);
        match kind % 6 {
            0 => self.hear_datagram(from, spelling::read(bytes)),
            1 => self.hear_request(from, spelling::read(bytes)),
            2 => self.hear_response(from, spelling::read(bytes)),
            // The innermost bytes alone: a mutation need not fit the message around them.
            3 => self.gossip(from, bytes),
            4 => self.asked(from, bytes),
            _ => self.take(bytes),
        }
    }

    fn hear_datagram(&mut self, from: HostId, datagram: Option<Datagram>) {
        match datagram {
            Some(Datagram::Gossip(bytes)) => self.gossip(from, &bytes),
            Some(Datagram::Probe { .. } | Datagram::ProbeReply { .. }) | None => {}
        }
    }

    fn hear_request(&mut self, from: HostId, request: Option<Request>) {
        match request {
            Some(Request::Members(bytes)) => self.asked(from, &bytes),
            Some(Request::Propose(bytes)) => drop(spelling::read::<Command>(&bytes)),
            Some(Request::Report(report)) => is_cut(report),
            _ => {}
        }
    }

    fn hear_response(&mut self, from: HostId, response: Option<Response>) {
        match response {
            Some(Response::Members(bytes)) => {
                self.happen(&Event::Exchanged { with: from, answer: Some(bytes) });
            }
            Some(Response::Entries { piece: Some(bytes), .. }) => self.take(&bytes),
            Some(Response::Outcome { outcome, .. }) => drop(spelling::read::<Outcome>(&outcome)),
            _ => {}
        }
    }

    fn gossip(&mut self, from: HostId, bytes: &[u8]) {
        self.happen(&Event::DatagramArrived { from, bytes: bytes.to_vec() });
    }

    /// Always answered, within what a stream takes.
    fn asked(&mut self, from: HostId, bytes: &[u8]) {
        let now = self.now;
        let [(answer, effects), likeness] =
            self.membership.each_mut().map(|one| one.answer(now, from, bytes));
        assert!(likeness == (answer.clone(), effects.clone()), "law SW10: equal ends");
        assert!(!answer.is_empty() && answer.len() <= STREAM_BYTES_MAX, "{} bytes", answer.len());
        self.judge(&effects);
    }

    /// Law F1 of `follower`: what is no piece moves nothing.
    fn take(&mut self, bytes: &[u8]) {
        let before = self.follower.upto();
        match self.follower.take(bytes) {
            Ok(upto) => assert!(upto >= before, "law F1: entries are applied in order"),
            Err(why) => {
                assert!(!why.to_string().is_empty(), "a fault says something");
                assert_eq!(self.follower.upto(), before, "law F1: a fault moves nothing");
            }
        }
    }

    /// What was to happen meanwhile.
    fn pass(&mut self) {
        while self.membership[0].next_deadline().is_some_and(|due| due <= self.now) {
            let before = self.membership[0].next_deadline();
            self.happen(&Event::DeadlineReached);
            assert_ne!(
                self.membership[0].next_deadline(),
                before,
                "a deadline that is met is over"
            );
        }
    }

    fn happen(&mut self, event: &Event) {
        let now = self.now;
        let [effects, likeness] =
            self.membership.each_mut().map(|one| one.handle(now, event.clone()));
        assert_eq!(effects, likeness, "law SW10: equal events give equal effects");
        self.judge(&effects);
    }

    /// We never look at anybody here, so that nobody is down by our own look: it takes the host's own word, or two others'
    /// (protocol 4).
    fn judge(&self, effects: &[Effect]) {
        assert!(effects.len() <= EFFECTS_MAX, "{} effects", effects.len());
        for effect in effects {
            match effect {
                Effect::Send { bytes, .. } => {
                    assert!(bytes.len() <= PACKET_BYTES_MAX, "a packet of {}", bytes.len());
                }
                Effect::Exchange { bytes, .. } => assert!(bytes.len() <= STREAM_BYTES_MAX),
                Effect::Down { host, .. } => {
                    let is_own = self.senders.contains(host);
                    assert!(is_own || self.senders.len() > 1, "law SW11: {host:?} by one word");
                }
                _ => {}
            }
        }
    }
}

/// What somebody on another host typed is cut to its bounds, and stays cut.
fn is_cut(report: Report) {
    let cut = report.cut();
    assert!(cut.who.len() <= Report::WHO_BYTES_MAX, "{} bytes", cut.who.len());
    assert!(cut.failed.len() <= Report::FAILED_BYTES_MAX, "{} bytes", cut.failed.len());
    assert_eq!(cut.clone().cut(), cut, "cut once is cut for good");
}
