//! The one door of a host's mind: what has happened, and what is to be done about it.
//!
//! Each arm calls one verb; after every event `settle` gives each room its turn, so that no room waits for another's event.
//! Not here: any decision.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use detection::fitness::watch as fitness;
use detection::health::{HealthRecord, SelfDoubt};
use detection::look::Look;
use detection::membership::{self, Membership};
use detection::reply::{self, Reply};
use detection::watch::{self, Watch};
use ledger::Ledger;
use ledger::bindings::FleetLockId;
use ledger::command::Outcome;
use vocabulary::{
    Boot, CertificateChain, ClusterName, HostId, Moment, Signer, Span, StoreId, Verifier,
};
use wire::{Datagram, Request, Response, Unavailable};

use crate::asking::ShortCuts;
use crate::calls::{Calls, Purpose};
use crate::enrol::{Enrolment, Presence};
use crate::event::{AskId, CallEnd, CallId, Effect, Event};
use crate::fitness::Checks;
use crate::heal::Healing;
use crate::keyring::{Keyring, Renewed};
use crate::lead::Lead;
use crate::leaderless::Leaderless;
use crate::life::Standing;
use crate::reports::Reports;
use crate::sealing::Sealing;
use crate::turned_away::TurnedAway;

/// How long the ledger may take to enrol this host.
const PROPOSAL_WITHIN: Span = Span::seconds(3);

/// What a mind is made of; checked by the shell.
pub struct Settings {
    /// The mesh.
    pub cluster: ClusterName,
    /// This host.
    pub me: HostId,
    /// This host's certificate.
    pub chain: CertificateChain,
    /// This life.
    pub boot: Boot,
    /// Where it is reached.
    pub address: vocabulary::Address,
    /// A keeper's store.
    pub store: Option<StoreId>,
    /// The FleetLock client of this host, if it has one (protocol 6.12).
    pub client: Option<FleetLockId>,
    /// Signs in this host's name.
    pub signer: Arc<dyn Signer>,
    /// Checks what others signed.
    pub verifier: Arc<dyn Verifier>,
    /// SWIM's settings.
    pub membership: membership::Settings,
    /// The observer's settings.
    pub watch: watch::Settings,
    /// The state as it was last known; an empty ledger for a host that knows none.
    pub ledger: Arc<Ledger>,
    /// All chance in this mind comes from here.
    pub seed: u64,
}

/// One host's mind.
pub struct Agent {
    pub(crate) me: HostId,
    pub(crate) boot: Boot,
    pub(crate) verifier: Arc<dyn Verifier>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) leader: Option<HostId>,
    pub(crate) calls: Calls,
    pub(crate) membership: Membership,
    pub(crate) watch: Watch,
    pub(crate) look: Look,
    pub(crate) reply: Reply,
    pub(crate) checks: Checks,
    pub(crate) lead: Lead,
    pub(crate) healing: Healing,
    pub(crate) enrolment: Enrolment,
    pub(crate) keyring: Keyring,
    pub(crate) sealing: Sealing,
    pub(crate) standing: Standing,
    /// Why this host discounted itself when it last told of its health.
    pub(crate) told_self_doubts: Vec<SelfDoubt>,
    pub(crate) leaderless: Leaderless,
    pub(crate) turned_away: TurnedAway,
    /// What others gossip of themselves; of hosts of the roster and members alone (law SW19).
    pub(crate) health: BTreeMap<HostId, HealthRecord>,
    /// Of them, who doubts this host and has told it so on a connection of its own.
    pub(crate) doubt_us: BTreeSet<HostId>,
    pub(crate) reports: Reports,
    pub(crate) short_cuts: ShortCuts,
    pub(crate) has_begun: bool,
    pub(crate) has_left: bool,
    out: Vec<Effect>,
    /// Whom membership has called down since the last event was heard.
    pub(crate) called_down: Vec<HostId>,
}

impl Agent {
    /// A mind that has seen nothing yet.
    pub fn new(settings: Settings) -> Self {
        let me = settings.me;
        let identity = reply::Identity {
            cluster: settings.cluster,
            host: me,
            boot: settings.boot,
            signer: Arc::clone(&settings.signer),
        };
        Self {
            me,
            boot: settings.boot,
            membership: Membership::new(settings.membership, (me, settings.boot), settings.seed),
            watch: Watch::new(settings.watch, settings.seed.wrapping_add(1)),
            look: Look::new(
                identity.clone(),
                Arc::clone(&settings.verifier),
                settings.seed.wrapping_add(2),
            ),
            checks: Checks::new(identity.clone(), settings.seed.wrapping_add(3)),
            reply: Reply::new(identity),
            lead: Lead::new(me),
            healing: Healing::new(me),
            enrolment: Enrolment::new(Presence {
                me,
                ends: settings.verifier.end(&settings.chain),
                chain: settings.chain.clone(),
                key: settings.signer.public_key(),
                boot: settings.boot,
                address: settings.address,
                store: settings.store,
                client: settings.client,
            }),
            keyring: Keyring::new(Renewed { chain: settings.chain, signer: settings.signer }),
            sealing: Sealing::default(),
            standing: Standing::new(settings.boot),
            leaderless: Leaderless::default(),
            turned_away: TurnedAway::default(),
            verifier: settings.verifier,
            ledger: settings.ledger,
            leader: None,
            calls: Calls::default(),
            told_self_doubts: Vec::new(),
            health: BTreeMap::new(),
            doubt_us: BTreeSet::new(),
            reports: Reports::default(),
            short_cuts: ShortCuts::new(),
            has_begun: false,
            has_left: false,
            out: Vec::new(),
            called_down: Vec::new(),
        }
    }

    /// What has happened, and what is to be done about it, in order.
    pub fn handle(&mut self, now: Moment, event: Event) -> Vec<Effect> {
        self.hear(now, event);
        self.settle(now)
    }

    /// What has happened; what is to be done about it is told by the [`Agent::settle`] that follows.
    pub fn hear(&mut self, now: Moment, event: Event) {
        self.called_down.clear();
        if self.has_left {
            self.go(now, event);
            return;
        }
        if !self.has_begun {
            self.begin(now);
        }
        if is_anothers_word(&event) {
            self.membership.hear_somebody(now);
        }
        match event {
            Event::Datagram { from, datagram } => self.take_datagram(now, from, datagram),
            Event::Asked { id, from, request } => self.asked(now, id, from, request),
            Event::Reported { id, report } => self.report(now, id, report),
            Event::Ended { id, end } => self.ended(now, id, end),
            Event::Connected { host, boot, .. } => self.connected(now, host, boot),
            Event::Closed { host } => self.closed(now, host),
            Event::BootTooLow { by, is_keeper, known } => {
                let end = self.standing.heard(by, is_keeper, known);
                self.end_life(now, end);
            }
            Event::TurnedAway { host, boot } => self.turn_away(now, host, boot),
            Event::LedgerAdvanced { ledger } => self.ledger_advanced(now, ledger),
            Event::LeadershipChanged { leader } => self.leadership_changed(now, leader),
            Event::LoopLate { late } => self.was_late(now, late),
            Event::SocketsLate { late } => self.sockets_were_late(now, late),
            Event::Renewed(renewed) => self.renewed(renewed),
            Event::DeadlineReached => {}
            Event::Leave => self.leave(now),
        }
    }

    /// Every room gets its turn: what is due now, and what has been heard, is acted upon. What is to be done, in order.
    pub fn settle(&mut self, now: Moment) -> Vec<Effect> {
        // Law N5.
        if !self.has_left {
            self.settle_rooms(now);
        }
        std::mem::take(&mut self.out)
    }

    /// When [`Event::DeadlineReached`] is wanted.
    pub fn next_deadline(&self) -> Option<Moment> {
        // Law N5: of all rooms only this one is served then.
        if self.has_left {
            return self.healing.next_receipt();
        }
        let own = (!self.short_cuts.is_empty()).then_some(Moment::default());
        let deadline = sooner(self.membership.next_deadline(), self.watch.next_deadline());
        let deadline = sooner(deadline, self.look.next_deadline());
        let deadline = sooner(deadline, self.checks.next_deadline());
        let deadline = sooner(deadline, self.lead_deadline());
        let deadline = sooner(deadline, self.healing.next_deadline());
        let deadline = sooner(deadline, self.enrolment.next_deadline());
        let deadline = sooner(deadline, self.keyring.next_deadline());
        let deadline = sooner(deadline, self.sealing_deadline());
        sooner(deadline, sooner(self.leaderless_deadline(), own))
    }

    /// Whether this host leads, as far as it knows.
    pub fn leads(&self) -> bool {
        self.leader == Some(self.me)
    }

    fn take_datagram(&mut self, now: Moment, from: HostId, datagram: Datagram) {
        match datagram {
            Datagram::Gossip(bytes) => {
                self.gossip(now, membership::Event::DatagramArrived { from, bytes });
            }
            Datagram::Probe { number, .. } => {
                self.answer_as_subject(now, None, reply::Event::Probed { from, number });
            }
            Datagram::ProbeReply { number, boot, next_slot_ms } => {
                self.probe_replied(now, from, (number, boot, next_slot_ms));
            }
        }
    }

    pub(crate) fn asked(&mut self, now: Moment, id: AskId, from: HostId, request: Request) {
        match request {
            Request::Probe => {
                self.answer_as_subject(now, Some(id), reply::Event::ProbedByStream { from });
            }
            Request::Ask { nonce } => {
                self.answer_as_subject(now, Some(id), reply::Event::Asked { from, nonce });
            }
            Request::Look { subject, anchor, .. } if subject == self.me => {
                self.answer_as_subject(now, Some(id), reply::Event::LookedAt { from, anchor });
            }
            Request::Look { subject, boot, anchor, .. } => {
                self.look_for(now, id, (subject, boot, anchor));
            }
            Request::Relay { subject, nonce } => self.relay(now, id, subject, nonce),
            Request::Doubts(notes) => self.hear_doubts(now, id, from, notes),
            Request::RoundFor { case } => self.round_for(now, id, case),
            Request::Hears => self.say_what_is_heard(now, id),
            Request::Report(report) => self.take_report(now, id, from, report),
            Request::Members(bytes) => self.tell_members(now, id, from, &bytes),
            Request::Unfit(notes) => self.hear_unfit(now, id, (from, notes)),
            Request::LookAtCheck { subject, boot, anchor, check, epoch: _ } => {
                let id = id.0;
                self.look_at_check(now, fitness::Ask { id, subject, boot, anchor, check });
            }
            // The shell serves these before they reach the mind; if one does, nobody here can.
            Request::Propose(_)
            | Request::ReadIndex
            | Request::Follow { .. }
            | Request::Raft(_)
            | Request::Standing
            | Request::Support
            | Request::StateAt { .. } => {
                self.answer(now, id, Response::Unavailable(Unavailable::NotMine))
            }
        }
    }

    pub(crate) fn ended(&mut self, now: Moment, id: CallId, end: CallEnd) {
        if let Some(purpose) = self.calls.close(id) {
            self.came(now, purpose, end);
        }
    }

    pub(crate) fn came(&mut self, now: Moment, purpose: Purpose, end: CallEnd) {
        match purpose {
            Purpose::WatchStream(id, subject) => self.watch_stream_ended(now, (id, subject), &end),
            Purpose::WatchDial(id, subject) => self.watch_dial_ended(now, (id, subject), &end),
            Purpose::WatchKnock(id, subject) => self.watch_knock_ended(now, (id, subject), &end),
            Purpose::LookAsk(id) => self.look_ask_ended(now, id, end),
            Purpose::LookKnock(id) => self.look_knock_ended(now, id, &end),
            Purpose::LookRelay(id) => self.look_relay_ended(now, id, end),
            Purpose::Round(asked) => self.round_answered(now, asked, end),
            Purpose::Relay(ask) => self.relay_ended(now, ask, end),
            Purpose::Report(ask) => self.report_ended(now, ask, end),
            Purpose::MemberLook(host) => self.member_looked(now, host, &end),
            Purpose::Exchange(with) => self.exchanged(now, with, end),
            Purpose::CheckRun(id) => self.check_ran(now, id, &end),
            Purpose::CheckRound(asked) => self.check_answered(now, asked, end),
            Purpose::Doubts | Purpose::Unfit | Purpose::TurnedAway => {}
            Purpose::LastWord(end) => self.emit(Effect::EndLife(end)),
            Purpose::Goodbye => self.emit(Effect::Gone),
            Purpose::Heal(errand) => self.heal_ended(now, errand, end),
            Purpose::Enrol => self.enrol_ended(now, end),
            Purpose::Seal => self.seal_ended(now, &end),
            Purpose::Lead(matter) => self.lead_ended(now, matter),
            Purpose::Hears(keeper) => self.others_hear(now, keeper, &end),
        }
    }

    fn enrol_ended(&mut self, now: Moment, end: CallEnd) {
        let outcome = match end {
            CallEnd::Committed { outcome, .. } => Some(outcome),
            _ => None,
        };
        if let Some(Outcome::Refused(refused)) = &outcome {
            let end = self.standing.refused(refused);
            self.end_life(now, end);
        }
        self.enrolment.ended(now, outcome);
    }

    fn settle_rooms(&mut self, now: Moment) {
        if self.membership.next_deadline().is_some_and(|at| at <= now) {
            self.gossip(now, membership::Event::DeadlineReached);
        }
        if self.watch.next_deadline().is_some_and(|at| at <= now) {
            self.observe(now, watch::Event::DeadlineReached);
        }
        if self.look.next_deadline().is_some_and(|at| at <= now) {
            self.look(now, detection::look::Event::DeadlineReached);
        }
        if self.checks.next_deadline().is_some_and(|at| at <= now) {
            self.check(now, fitness::Event::DeadlineReached);
        }
        self.settle_health(now);
        self.turn_key(now);
        self.settle_lead(now);
        self.settle_leaderless(now);
        self.settle_healing(now);
        self.settle_sealing(now);
        if let Some(command) = self.enrolment.advance(now, &self.ledger) {
            self.propose(now, Purpose::Enrol, command, PROPOSAL_WITHIN);
        }
        self.run_short_cuts(now);
    }

    pub(crate) fn emit(&mut self, effect: Effect) {
        self.out.push(effect);
    }
}

/// Whether another host has spoken, asked or answered: what this one asks of itself is no event.
fn is_anothers_word(event: &Event) -> bool {
    let is_answer = |end: &CallEnd| matches!(end, CallEnd::Response(_) | CallEnd::Dialled(_));
    match event {
        Event::Datagram { .. } | Event::Asked { .. } => true,
        Event::Ended { end, .. } => is_answer(end),
        _ => false,
    }
}

/// The earlier of two deadlines, where there are two.
fn sooner(a: Option<Moment>, b: Option<Moment>) -> Option<Moment> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
