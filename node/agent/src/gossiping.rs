//! The host as a member: SWIM's packets out and in, and what its peers say of their own health (protocol 4).
//!
//! Not here: any conclusion. Membership is a hint (see `detection::membership`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use detection::health::{CheckKey, Health, HealthRecord};
use detection::membership::{Effect as Said, Event as Heard};
use detection::watch::LookEnd;
use vocabulary::{Boot, Grade, HostId, Moment, Span};
use wire::{Datagram, Request, Response};

use crate::calls::Purpose;
use crate::event::{AskId, CallEnd, Effect};
use crate::mind::Agent;

/// How long a member has to answer before it is called down: a cold dial over an ocean, and a lost packet of it.
const LOOK_WITHIN: Span = Span::seconds(3);

/// How long a partner has to answer one question of an exchange, 200 kB over a slow path.
const EXCHANGE_WITHIN: Span = Span::seconds(5);

/// Most hosts whose connections are kept warm: observers, subjects and two keepers (ARCHITECTURE 5).
const WARM_MAX: usize = 64;

/// Keepers to whom every host keeps a way (protocol 1.5).
const KEEPERS_WARM: usize = 2;

impl Agent {
    /// Lets the membership room take an event in and does what it says.
    pub(crate) fn gossip(&mut self, now: Moment, event: Heard) {
        let said = self.membership.handle(now, event);
        self.perform_gossip(now, said);
    }

    /// These are members from the start: for a fleet that is to begin in calm, not with a storm of those who join. A host that
    /// starts in earnest takes nobody's life from a list.
    pub fn acquaint(&mut self, now: Moment, members: &Arc<BTreeMap<HostId, Boot>>) {
        self.membership.acquaint(now, members);
    }

    /// Another host asks what this one knows of the members (protocol 4).
    pub(crate) fn tell_members(&mut self, now: Moment, id: AskId, from: HostId, bytes: &[u8]) {
        let (answer, said) = self.membership.answer(now, from, bytes);
        self.perform_gossip(now, said);
        self.answer(now, id, Response::Members(answer));
    }

    fn perform_gossip(&mut self, now: Moment, said: Vec<Said>) {
        for said in said {
            match said {
                Said::Send { to, bytes } => {
                    self.emit(Effect::SendDatagram { to, datagram: Datagram::Gossip(bytes) });
                }
                Said::HealthHeard { record, is_own_word } => {
                    self.hear_health(now, record, is_own_word)
                }
                Said::Alone => self.emit(Effect::Redial),
                Said::Look { host } => {
                    let request = (Request::Probe, LOOK_WITHIN);
                    self.call(now, Purpose::MemberLook(host), host, request);
                }
                Said::Exchange { with, bytes } => {
                    let request = (Request::Members(bytes), EXCHANGE_WITHIN);
                    self.call(now, Purpose::Exchange(with), with, request);
                }
                Said::Down { host, .. } => self.called_down.push(host),
                Said::Up { .. } | Said::Joined | Said::Renewed { .. } => {}
            }
        }
    }

    /// Another host's health is now this. Whether it doubts this one, only its own word tells (law SD1).
    fn hear_health(&mut self, now: Moment, record: HealthRecord, is_own_word: bool) {
        self.remember_doubts_told(now, &record);
        if !record.health.doubts().contains(&self.me) {
            self.doubt_us.remove(&record.host);
        } else if is_own_word {
            self.doubt_us.insert(record.host);
        }
        self.health.insert(record.host, record);
    }

    /// The roster has changed: of whoever does not belong nothing is kept (law SW19).
    pub(crate) fn forget_strangers(&mut self) {
        let membership = &self.membership;
        self.health.retain(|host, _| membership.belongs(host));
        self.doubt_us.retain(|host| membership.belongs(host));
    }

    /// A host has been admitted: it is introduced to membership, and its boot, which it named itself, to the observer.
    pub(crate) fn connected(&mut self, now: Moment, host: HostId, boot: Boot) {
        self.gossip(now, Heard::Linked { host });
        self.gossip(now, Heard::Introduce { host, boot });
        self.see_boot(now, host, boot);
    }

    /// A member was asked whether it lives. Whatever it answered, it does.
    pub(crate) fn member_looked(&mut self, now: Moment, host: HostId, end: &CallEnd) {
        let known = || self.membership.up().get(&host).copied().unwrap_or_default();
        let end = match end {
            CallEnd::Response(Response::Alive { boot }) => LookEnd::Answered(*boot),
            CallEnd::Response(_) => LookEnd::Answered(known()),
            CallEnd::Failed => LookEnd::Silent,
            _ => LookEnd::Unable,
        };
        self.gossip(now, Heard::Looked { host, end });
    }

    /// An exchange with a member has ended; with one of an earlier version it never began.
    pub(crate) fn exchanged(&mut self, now: Moment, with: HostId, end: CallEnd) {
        let answer = match end {
            CallEnd::Response(Response::Members(bytes)) => Some(bytes),
            _ => None,
        };
        self.gossip(now, Heard::Exchanged { with, answer });
    }

    /// What this host gossips of itself: whom it doubts, whom it reaches badly, and why it does not trust its own eyes. Whom it
    /// doubts is also what its own look says of a member.
    pub(crate) fn tell_health(&mut self, now: Moment) {
        let doubts = self.watch.doubts(now).into_iter().map(|note| note.subject);
        let doubted: BTreeSet<HostId> = doubts.collect();
        let reach = self.watch.hard_to_reach();
        let reach = reach.map(|(subject, grade)| (CheckKey::reach(&subject), grade));
        self.told_self_doubts = self.look.self_doubts(now);
        let grounds = self.told_self_doubts.iter().map(|ground| (ground.key(), Grade::Failed));
        let failing = self.checks.failing();
        let failing = failing.map(|check| (CheckKey::of(check.as_str()), Grade::Failed));
        let is_unfit = !self.told_self_doubts.is_empty();
        let health =
            Health::new(reach.chain(grounds).chain(failing), doubted.iter().copied(), is_unfit);
        self.gossip(now, Heard::HealthChanged { health });
        self.gossip(now, Heard::DoubtsChanged { doubted });
    }

    /// A host that begins to doubt itself, or does no longer, says so (protocol 2.7).
    pub(crate) fn settle_health(&mut self, now: Moment) {
        if !self.look.doubts_itself_for(now, &self.told_self_doubts) {
            self.tell_health(now);
        }
    }

    /// Tells the shell which connections are worth keeping now.
    pub(crate) fn emit_warm(&mut self) {
        let warm = self.warm_hosts();
        self.emit(Effect::KeepWarm(warm));
    }

    /// Observers, subjects and two keepers, in the order of their worth.
    pub(crate) fn warm_hosts(&self) -> Vec<HostId> {
        let seating = self.ledger.seating();
        let mut seen = BTreeSet::from([self.me]);
        let mut warm: Vec<HostId> = seating
            .subjects(&self.me)
            .iter()
            .chain(seating.observers(&self.me))
            .copied()
            .filter(|host| seen.insert(*host))
            .collect();
        let keepers = self
            .ledger
            .voters()
            .iter()
            .copied()
            .filter(|host| seen.insert(*host))
            .take(KEEPERS_WARM);
        warm.splice(0..0, keepers);
        warm.truncate(WARM_MAX);
        warm
    }
}
