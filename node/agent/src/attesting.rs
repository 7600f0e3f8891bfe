//! The host in rounds: as observer it looks and signs, as subject it answers for itself, as relay it asks for others.
//!
//! Not here: on which paths and how long to look (see `detection::look`), what is signed (see `detection::reply`).

use std::collections::BTreeSet;
use std::sync::Arc;

use detection::look::{AskEnd, Effect as Wanted, Event as Seen, Reachable, RelayEnd};
use detection::reply::{Effect as Said, Event as Heard};
use detection::watch::{self, AttemptId};
use vocabulary::{Anchor, Boot, Grade, HostId, Moment, Path, Span};
use wire::{Datagram, Request, Response, Unavailable};

use crate::calls::Purpose;
use crate::event::{AskId, CallEnd, Effect};
use crate::mind::Agent;
use crate::watching::reading;

/// How long a relay waits for the subject; the observer behind it has 0.9 s in all.
const RELAY_WITHIN: Span = Span::milliseconds(600);

/// protocol 2.2: somebody looks at each subject about this often.
const STEP: Span = Span::milliseconds(300);

impl Agent {
    /// Lets the observer's part in rounds take an event in and does what it wants.
    pub(crate) fn look(&mut self, now: Moment, event: Seen) {
        for wanted in self.look.handle(now, event) {
            self.look_as_wanted(now, wanted);
        }
    }

    fn look_as_wanted(&mut self, now: Moment, wanted: Wanted) {
        match wanted {
            Wanted::SendProbe { to, number } => self.probe(to, number),
            Wanted::AskByStream { id, to, nonce, within } => {
                self.call(now, Purpose::LookAsk(id), to, (Request::Ask { nonce }, within))
            }
            Wanted::DialFresh { id, to, nonce, within } => {
                self.dial(now, Purpose::LookAsk(id), to, (nonce, within))
            }
            Wanted::Knock { id, to, port, within } => {
                self.knock(now, Purpose::LookKnock(id), to, (port, within))
            }
            Wanted::AskRelay { id, relay, subject, nonce, within } => {
                self.call(
                    now,
                    Purpose::LookRelay(id),
                    relay,
                    (Request::Relay { subject, nonce }, within),
                );
            }
            Wanted::Attest { ask, attestation, answer } => {
                let attested = Response::Attested { attestation, answer };
                self.answer(now, AskId(ask), attested);
            }
            Wanted::Refuse { ask, why } => self.answer(now, AskId(ask), Response::Unavailable(why)),
            Wanted::PathAnswered { subject, path, boot } => {
                self.path_answered(now, subject, (path, boot))
            }
        }
    }

    /// What a look has heard is told to the watch: the path is calibrated, and a doubt may be over.
    fn path_answered(&mut self, now: Moment, subject: HostId, (path, boot): (Path, Boot)) {
        let answered = watch::Event::PathAnswered { subject, path, boot };
        self.observe(now, answered);
    }

    /// The leader wants this host to look at a subject.
    pub(crate) fn look_for(
        &mut self,
        now: Moment,
        id: AskId,
        (subject, boot, anchor): (HostId, Boot, Anchor),
    ) {
        let ask = detection::look::Ask {
            id: id.0,
            subject,
            anchor,
            boot: self.watch.boot(&subject).map_or(boot, |known| known.max(boot)),
            calibrated: self.watch.calibrated(now, &subject),
            reach: self.watch.reach(&subject).unwrap_or(Grade::Unknown),
            named_ports: self.ledger.policy().named_ports.clone(),
            ingress: self.reply.ingress(now),
        };
        self.look(now, Seen::Asked(ask));
    }

    /// A question of a look has ended.
    pub(crate) fn look_ask_ended(&mut self, now: Moment, id: AttemptId, end: CallEnd) {
        let end = match end {
            CallEnd::Response(Response::Answered(answer))
            | CallEnd::Dialled(Response::Answered(answer)) => AskEnd::Answered(answer),
            // It answered, if only to say that it is busy.
            CallEnd::Response(_) | CallEnd::Dialled(_) => AskEnd::Unsigned,
            CallEnd::Failed => AskEnd::Silent,
            _ => AskEnd::Unable,
        };
        self.look(now, Seen::AskEnded { id, end });
    }

    /// A knock of a look has ended.
    pub(crate) fn look_knock_ended(&mut self, now: Moment, id: AttemptId, end: &CallEnd) {
        self.look(now, Seen::KnockEnded { id, reading: reading(end) });
    }

    /// A relay has answered, or has not.
    pub(crate) fn look_relay_ended(&mut self, now: Moment, id: AttemptId, end: CallEnd) {
        let end = match end {
            CallEnd::Response(Response::Answered(answer)) => RelayEnd::Answered(answer),
            CallEnd::Response(Response::SubjectSilent) => RelayEnd::SubjectSilent,
            CallEnd::Failed => RelayEnd::Mute,
            _ => RelayEnd::Unreached,
        };
        self.look(now, Seen::RelayEnded { id, end });
    }

    /// Somebody looks at this host; the answer goes back on the ask it came by, or by datagram.
    pub(crate) fn answer_as_subject(&mut self, now: Moment, ask: Option<AskId>, event: Heard) {
        for said in self.reply.handle(now, event) {
            let response = match said {
                Said::SendReply { to, number, boot, next_slot } => {
                    let next_slot_ms =
                        u32::try_from(next_slot.as_milliseconds()).unwrap_or(u32::MAX);
                    let datagram = Datagram::ProbeReply { number, boot, next_slot_ms };
                    self.emit(Effect::SendDatagram { to, datagram });
                    continue;
                }
                Said::Alive { boot } => Response::Alive { boot },
                Said::Answered(answer) => Response::Answered(answer),
                Said::Busy => {
                    Response::Unavailable(Unavailable::Busy(String::from("signatures per second")))
                }
            };
            if let Some(id) = ask {
                self.answer(now, id, response);
            }
        }
    }

    /// An observer wants this host to ask a subject in its stead (protocol 3.1).
    pub(crate) fn relay(&mut self, now: Moment, id: AskId, subject: HostId, nonce: u128) {
        let is_known = self.ledger.roster().get(&subject).is_some();
        if subject == self.me {
            let event = Heard::Asked { from: self.me, nonce };
            self.answer_as_subject(now, Some(id), event);
        } else if is_known {
            let request = (Request::Ask { nonce }, RELAY_WITHIN);
            self.call(now, Purpose::Relay(id), subject, request);
        } else {
            self.answer(now, id, Response::Unavailable(Unavailable::NotMine));
        }
    }

    /// The subject has answered us as relay, or has not.
    pub(crate) fn relay_ended(&mut self, now: Moment, ask: AskId, end: CallEnd) {
        let response = match end {
            CallEnd::Response(Response::Answered(answer)) => Response::Answered(answer),
            CallEnd::Failed => Response::SubjectSilent,
            // It was not asked, or gave no signed word: neither is its silence.
            _ => Response::Unavailable(Unavailable::NotMine),
        };
        self.answer(now, ask, response);
    }

    /// The watch wants a relay path checked.
    pub(crate) fn check_relay(&mut self, now: Moment, subject: HostId, path: Path) {
        self.look(now, Seen::RelayChecked { subject, path });
    }

    /// Who watches this host, and who belongs, as the committed roster says.
    pub(crate) fn take_fleet(&mut self, now: Moment) {
        let (roster, seating) =
            (Arc::clone(self.ledger.roster()), Arc::clone(self.ledger.seating()));
        let observers = seating.observers(&self.me).to_vec();
        self.look(now, Seen::FleetChanged { roster, seating });
        self.answer_as_subject(now, None, Heard::ObserversChanged { observers, step: STEP });
        self.take_reachable(now);
    }

    /// Members that this host does not doubt are its first choice as relays.
    pub(crate) fn take_reachable(&mut self, now: Moment) {
        let doubted: BTreeSet<HostId> =
            self.watch.doubts(now).into_iter().map(|note| note.subject).collect();
        let up = Arc::clone(self.membership.up());
        self.look(now, Seen::ReachableChanged(Reachable { up, doubted }));
    }
}
