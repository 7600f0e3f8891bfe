//! The host as observer in calm: probes, private retries, doubts (protocol 2).
//!
//! Not here: when to look and what a miss means (see `detection::watch`), rounds (see `attesting`).

use std::sync::Arc;

use detection::watch::{AttemptId, Effect as Wanted, Event as Seen, LookEnd, Seat};
use vocabulary::{Boot, HostId, Moment, Reading, Span};
use wire::{Datagram, Request, Response};

use crate::calls::Purpose;
use crate::event::{CallEnd, Effect, Knock};
use crate::mind::Agent;

/// How long a leader has to note our doubts; they are told again anyway.
const TELLING_WITHIN: Span = Span::seconds(1);

impl Agent {
    /// Lets the observer take an event in and does what it wants.
    pub(crate) fn observe(&mut self, now: Moment, event: Seen) {
        for wanted in self.watch.handle(now, event) {
            match wanted {
                Wanted::SendProbe { to, number } => self.probe(to, number),
                Wanted::ProbeByStream { id, to, within } => {
                    self.call(now, Purpose::WatchStream(id, to), to, (Request::Probe, within));
                }
                Wanted::DialFresh { id, to, nonce, within } => {
                    self.dial(now, Purpose::WatchDial(id, to), to, (nonce, within));
                }
                Wanted::Knock { id, to, port, within } => {
                    self.knock(now, Purpose::WatchKnock(id, to), to, (port, within));
                }
                Wanted::CheckRelay { subject, path } => self.check_relay(now, subject, path),
                Wanted::DoubtsChanged(notes) => {
                    self.tell_health(now);
                    self.take_reachable(now);
                    self.spare_the_doubted(now);
                    self.tell_leader(now, notes);
                }
                Wanted::ReachChanged { .. } => self.tell_health(now),
            }
        }
    }

    /// A sign of life is asked for on the standing connection.
    pub(crate) fn probe(&mut self, to: HostId, number: u64) {
        let datagram = Datagram::Probe { number, seated: true };
        self.emit(Effect::SendDatagram { to, datagram });
    }

    /// The subject itself has answered a probe.
    pub(crate) fn probe_replied(&mut self, now: Moment, from: HostId, reply: (u64, Boot, u32)) {
        let (number, boot, next_slot_ms) = reply;
        if number >= detection::look::NUMBERS_FROM {
            let event = detection::look::Event::ProbeReplied { subject: from, number, boot };
            return self.look(now, event);
        }
        let next_slot = Span::milliseconds(u64::from(next_slot_ms));
        self.observe(now, Seen::ProbeReplied { subject: from, number, boot, next_slot });
    }

    /// The subject itself, or the ledger, has named its boot.
    pub(crate) fn see_boot(&mut self, now: Moment, subject: HostId, boot: Boot) {
        self.observe(now, Seen::BootSeen { subject, boot });
    }

    /// Subjects that have said goodbye are watched no more in that life (protocol 3.6 `Left`).
    pub(crate) fn see_departures(&mut self, now: Moment) {
        let ledger = Arc::clone(&self.ledger);
        for subject in ledger.seating().subjects(&self.me) {
            let boot = ledger.roster().get(subject).and_then(|entry| entry.boot);
            if let (Some(_), Some(boot)) = (ledger.left_since(subject), boot) {
                let subject = *subject;
                self.observe(now, Seen::Left { subject, boot });
            }
        }
    }

    /// A standing connection is gone: the host may have restarted.
    pub(crate) fn closed(&mut self, now: Moment, host: HostId) {
        self.gossip(now, detection::membership::Event::Unlinked { host });
        self.observe(now, Seen::ConnectionLost { subject: host });
    }

    /// This host's own loop was late: what it missed meanwhile proves nothing.
    pub(crate) fn was_late(&mut self, now: Moment, by: Span) {
        self.observe(now, Seen::WasLate { by });
        self.look(now, detection::look::Event::WasLate { by });
        self.checks_were_late(now, by);
    }

    /// What came to this host waited in its sockets, or was dropped there.
    pub(crate) fn sockets_were_late(&mut self, now: Moment, by: Span) {
        self.observe(now, Seen::WasLate { by });
        self.look(now, detection::look::Event::SocketsWereLate { by });
        self.checks_were_late(now, by);
    }

    /// Which seats this host holds, as the committed roster deals them.
    pub(crate) fn take_seats(&mut self, now: Moment) {
        let seating = self.ledger.seating();
        let named_ports = &self.ledger.policy().named_ports;
        let seats = seating
            .subjects(&self.me)
            .iter()
            .map(|subject| Seat {
                subject: *subject,
                boot: self.ledger.roster().get(subject).and_then(|entry| entry.boot),
                seats: seating.observers(subject).len() as u64,
                named_ports: named_ports.clone(),
            })
            .collect();
        self.observe(now, Seen::SeatsChanged(seats));
    }

    /// A probe by stream has ended.
    pub(crate) fn watch_stream_ended(&mut self, now: Moment, attempt: Attempt, end: &CallEnd) {
        let (id, subject) = attempt;
        let end = read(end);
        self.observe(now, Seen::StreamEnded { id, subject, end });
    }

    /// A fresh dial has ended.
    pub(crate) fn watch_dial_ended(&mut self, now: Moment, attempt: Attempt, end: &CallEnd) {
        let (id, subject) = attempt;
        let end = read(end);
        self.observe(now, Seen::DialEnded { id, subject, end });
    }

    /// A knock has ended.
    pub(crate) fn watch_knock_ended(&mut self, now: Moment, attempt: Attempt, end: &CallEnd) {
        let (id, subject) = attempt;
        self.observe(now, Seen::KnockEnded { id, subject, reading: reading(end) });
    }

    /// All doubts that stand now go to whoever leads (protocol 2.6).
    fn tell_leader(&mut self, now: Moment, notes: Vec<wire::DoubtNote>) {
        if let Some(leader) = self.leader {
            let request = (Request::Doubts(notes), TELLING_WITHIN);
            self.call(now, Purpose::Doubts, leader, request);
        }
    }
}

/// One look of the watch, and at whom.
type Attempt = (AttemptId, HostId);

/// What the end of a stream or dial over the subject's own connection proves.
fn read(end: &CallEnd) -> LookEnd {
    match end {
        CallEnd::Response(Response::Alive { boot })
        | CallEnd::Dialled(Response::Alive { boot }) => LookEnd::Answered(*boot),
        CallEnd::Response(Response::Answered(answer))
        | CallEnd::Dialled(Response::Answered(answer)) => LookEnd::Answered(answer.boot),
        CallEnd::Failed => LookEnd::Silent,
        // It answered, if only to say that it is busy; which life it is in remains unknown.
        _ => LookEnd::Unable,
    }
}

/// What a port gave, before calibration says whether its silence counts.
pub(crate) fn reading(end: &CallEnd) -> Reading {
    match end {
        CallEnd::Knocked(Knock::Answered) => Reading::Answered,
        CallEnd::Knocked(Knock::Refused) => Reading::Refused,
        CallEnd::Knocked(Knock::Accepted) => Reading::Accepted,
        CallEnd::Knocked(Knock::Silent) => Reading::Silent,
        // This host could not knock: left open, the path would count as silent when the look ends.
        _ => Reading::Absent,
    }
}
