//! The one door of a host's mind: what has happened, and what is to be done about it.
//!
//! Each arm calls one verb; after every event `settle` gives each room its turn, so that no room waits for another's event.
//! Not here: any decision.

use std::collections::BTreeMap;
use std::sync::Arc;

use detection::health::HealthRecord;
use detection::look::{self, Look};
use detection::membership::{self, Membership};
use detection::reply::{self, Reply};
use detection::watch::{self, Watch};
use ledger::Ledger;
use vocabulary::{
    Boot, CertificateChain, ClusterName, HostId, Moment, Signer, Span, StoreId, Verifier,
};
use wire::{Datagram, Request, Response, Unavailable};

use crate::calls::{Calls, Purpose};
use crate::enrol::{Enrolment, Presence};
use crate::event::{AskId, CallEnd, CallId, Effect, Event};
use crate::heal::Healing;
use crate::lead::Lead;

/// Asks of this host to itself are numbered from here down: the shell numbers its own from 1 up.
const OWN_ASKS_FROM: u64 = u64::MAX;

/// How far back the worst lateness of the loop is remembered (protocol 2.7).
const LATE_FOR: Span = Span::seconds(10);

/// What a mind is made of; checked by the shell.
pub struct Settings {
    /// The mesh.
    pub cluster: ClusterName,
    /// This host's certificate.
    pub chain: CertificateChain,
    /// This life.
    pub boot: Boot,
    /// Where it is reached.
    pub address: vocabulary::Address,
    /// A keeper's store.
    pub store: Option<StoreId>,
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
    pub(crate) cluster: ClusterName,
    pub(crate) verifier: Arc<dyn Verifier>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) leader: Option<HostId>,
    pub(crate) calls: Calls,
    pub(crate) membership: Membership,
    pub(crate) watch: Watch,
    pub(crate) look: Look,
    pub(crate) reply: Reply,
    pub(crate) lead: Lead,
    pub(crate) healing: Healing,
    pub(crate) enrolment: Enrolment,
    /// What others gossip of themselves; at most one per host of the roster.
    pub(crate) health: BTreeMap<HostId, HealthRecord>,
    /// Own asks under way, by their number (see [`OWN_ASKS_FROM`]); bounded by the calls.
    own_asks: BTreeMap<AskId, CallId>,
    next_own_ask: u64,
    late: (Span, Moment),
    has_left: bool,
    out: Vec<Effect>,
}

impl Agent {
    /// A mind that has seen nothing yet.
    pub fn new(settings: Settings) -> Self {
        let me = settings.signer_host();
        let identity = reply::Identity {
            cluster: settings.cluster.clone(),
            host: me,
            boot: settings.boot,
            signer: Arc::clone(&settings.signer),
        };
        Self {
            me,
            boot: settings.boot,
            cluster: settings.cluster.clone(),
            membership: Membership::new(settings.membership, (me, settings.boot), settings.seed),
            watch: Watch::new(settings.watch, settings.seed.wrapping_add(1)),
            look: Look::new(identity.clone(), settings.seed.wrapping_add(2)),
            reply: Reply::new(identity),
            lead: Lead::new(me, settings.seed.wrapping_add(3)),
            healing: Healing::new(me),
            enrolment: Enrolment::new(Presence {
                me,
                chain: settings.chain,
                key: settings.signer.public_key(),
                boot: settings.boot,
                address: settings.address,
                store: settings.store,
            }),
            verifier: settings.verifier,
            ledger: settings.ledger,
            leader: None,
            calls: Calls::default(),
            health: BTreeMap::new(),
            own_asks: BTreeMap::new(),
            next_own_ask: OWN_ASKS_FROM,
            late: (Span::ZERO, Moment::default()),
            has_left: false,
            out: Vec::new(),
        }
    }

    /// What has happened, and what is to be done about it, in order.
    pub fn handle(&mut self, now: Moment, event: Event) -> Vec<Effect> {
        match event {
            Event::Datagram { from, datagram } => self.take_datagram(now, from, datagram),
            Event::Asked { id, from, request } => self.asked(now, id, from, request),
            Event::Ended { id, end } => self.ended(now, id, end),
            Event::Connected { host, boot, .. } => self.connected(now, host, boot),
            Event::Closed { host } => self.closed(now, host),
            Event::LedgerAdvanced { ledger } => self.ledger_advanced(now, ledger),
            Event::LeadershipChanged { leader } => self.leadership_changed(now, leader),
            Event::LoopLate { late } => self.was_late(now, late),
            Event::DeadlineReached => {}
            Event::Leave => self.leave(now),
        }
        self.settle(now);
        std::mem::take(&mut self.out)
    }

    /// When [`Event::DeadlineReached`] is wanted.
    pub fn next_deadline(&self) -> Option<Moment> {
        [
            self.membership.next_deadline(),
            self.watch.next_deadline(),
            self.look.next_deadline(),
            self.lead.next_deadline(),
            self.healing.next_deadline(),
            self.enrolment.next_deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
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
            Datagram::ProbeReply {
                number,
                boot,
                next_slot_ms,
            } => {
                self.probe_replied(now, from, (number, boot, next_slot_ms));
            }
        }
    }

    fn asked(&mut self, now: Moment, id: AskId, from: HostId, request: Request) {
        match request {
            Request::Probe => {
                self.answer_as_subject(now, Some(id), reply::Event::ProbedByStream { from });
            }
            Request::Ask { nonce } => {
                self.answer_as_subject(now, Some(id), reply::Event::Asked { from, nonce });
            }
            Request::Look {
                subject, anchor, ..
            } if subject == self.me => {
                self.answer_as_subject(now, Some(id), reply::Event::LookedAt { from, anchor });
            }
            Request::Look {
                subject,
                boot,
                anchor,
                epoch,
            } => {
                self.look_for(
                    now,
                    id,
                    look::Ask {
                        subject,
                        boot,
                        anchor,
                        epoch,
                    },
                );
            }
            Request::Relay { subject, nonce } => self.relay(now, id, subject, nonce),
            Request::Doubts(notes) => self.hear_doubts(now, id, from, notes),
            Request::RoundFor { case } => self.round_for(now, id, case),
            // The shell serves these before they reach the mind; if one does, nobody here can.
            Request::Propose(_)
            | Request::ReadIndex
            | Request::Follow { .. }
            | Request::Raft(_)
            | Request::Standing => self.answer(id, Response::Unavailable(Unavailable::NotMine)),
        }
    }

    fn ended(&mut self, now: Moment, id: CallId, end: CallEnd) {
        let Some((purpose, since)) = self.calls.close(id) else {
            return;
        };
        match purpose {
            Purpose::Watch(attempt, subject) => self.watch_ended(now, attempt, subject, &end),
            Purpose::WatchRelay(subject, path, nonce) => {
                self.watch_relay_ended(now, subject, path, nonce, end);
            }
            Purpose::Look(attempt, subject) => self.look_ended(now, attempt, subject, end),
            Purpose::Round(from) => self.round_answered(now, from, end),
            Purpose::Relay(ask) => self.relay_ended(ask, end),
            Purpose::Doubts | Purpose::Goodbye => {}
            Purpose::Heal(errand) => self.heal_ended(now, errand, end),
            Purpose::Enrol => self.enrol_ended(now, end),
            Purpose::Lead(matter) => self.lead_ended(now, matter, end),
        }
        let _ = since;
    }
}
