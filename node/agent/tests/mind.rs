//! One host's mind at its door: what wakes it when it leaves, and what the ends of its looks prove.

#[path = "../../../consensus/ledger/tests/fleet/mod.rs"]
mod fleet;
mod minds;

use agent::{Agent, AskId, CallEnd, Effect, Event, Knock, Settings};
use fleet::{Fleet, Seen, boot, id};
use ledger::Ledger;
use ledger::command::Command;
use minds::{advanced, settings};
use vocabulary::{Moment, Path, Reading, Span};
use wire::{Datagram, LeaderHint, Request, Response, Unavailable};

fn begun() -> Moment {
    Moment::from_milliseconds(1_000_000)
}

/// a1's mind, which knows this ledger.
fn mind(ledger: Ledger) -> Agent {
    minds::mind(ledger, "a1", boot(1))
}

#[test]
fn a_leader_that_leaves_is_woken_by_nothing_that_it_does_not_serve() {
    let mut fleet = Fleet::healing();
    fleet.opened("b2", Seen::AgentDown);
    let (mut agent, mut now) = (mind(fleet.ledger), begun());
    agent.handle(now, Event::LeadershipChanged { leader: Some(id("a1")) });
    assert!(agent.leads());
    agent.handle(now, Event::Leave);
    let end = now.after(Span::seconds(4));
    while let Some(at) = agent.next_deadline().filter(|at| *at < end) {
        now = now.max(at);
        agent.handle(now, Event::DeadlineReached);
        let next = agent.next_deadline();
        assert!(next.is_none_or(|next| next > now), "woken at {now:?} for nothing: {next:?}");
    }
}

#[test]
fn law_e2_a_leader_that_is_deposed_tells_whoever_waits_for_a_round() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    let (mut agent, now) = (mind(fleet.ledger), begun());
    agent.handle(now, Event::LeadershipChanged { leader: Some(id("a1")) });
    let request = Request::RoundFor { case };
    let asked = agent.handle(now, Event::Asked { id: AskId(1), from: id("b1"), request });
    let answers = |effects: &[Effect]| -> Vec<Response> {
        let answered = effects.iter().filter_map(|effect| match effect {
            Effect::Answer { id: AskId(1), response } => Some(response.clone()),
            _ => None,
        });
        answered.collect()
    };
    assert_eq!(answers(&asked), [], "the round is under way");
    let deposed = agent.handle(now, Event::LeadershipChanged { leader: None });
    let hint = LeaderHint { leader: None };
    assert_eq!(answers(&deposed), [Response::Unavailable(Unavailable::NotLeader(hint))]);
}

/// protocol 1.2: a disk that was set back may hold a ledger that knows this very number under another nonce.
#[test]
fn what_was_kept_from_before_ends_no_life_and_what_is_committed_since_does() {
    let ledger = Fleet::healing().ledger;
    let known = ledger.roster().get(&id("a1")).and_then(|entry| entry.boot).expect("it has one");
    let mut agent = Agent::new(Settings {
        boot: vocabulary::Boot { nonce: known.nonce + 1, ..known },
        ..settings(ledger.clone(), "a1", boot(1))
    });
    // Its last word is the beginning of its end.
    let is_end = |effect: &Effect| {
        matches!(effect, Effect::Propose { command: Command::OtherLife { .. }, .. })
    };
    let ends = |effects: &[Effect]| effects.iter().any(is_end);
    assert!(!ends(&agent.handle(begun(), Event::DeadlineReached)));
    assert!(ends(&agent.handle(begun(), advanced(&ledger))), "another machine lives");
}

/// Law N5: a life that knows of another machine under its name.
#[test]
fn a_life_that_is_one_too_many_signs_nothing_looks_at_nobody_and_waits_for_its_last_word_alone() {
    let now = begun();
    let twin = vocabulary::Boot { nonce: 99, ..boot(1) };
    let mut agent = minds::mind(Fleet::healing().ledger, "a1", twin);
    agent.handle(now, Event::DeadlineReached);
    let mut fleet = Fleet::healing();
    fleet.opened("b2", Seen::AgentDown);
    let anchor = fleet.ledger.anchor();
    let epoch = fleet.ledger.roster().epoch;
    let ends = agent.handle(now, advanced(&fleet.ledger));
    let last_word = ends.iter().find_map(|effect| match effect {
        Effect::Propose { id, command: Command::OtherLife { .. }, .. } => Some(*id),
        _ => None,
    });
    assert_eq!(agent.next_deadline(), None, "nothing wakes it");
    let look = |subject| Request::Look { subject: id(subject), boot: boot(1), anchor, epoch };
    let asks = [look("a1"), look("b2"), Request::Probe, Request::Ask { nonce: 7 }];
    let unavailable = Response::Unavailable(Unavailable::NotMine);
    for (ask, request) in (1..).map(AskId).zip(asks) {
        let effects = agent.handle(now, Event::Asked { id: ask, from: id("b1"), request });
        assert_eq!(effects, [Effect::Answer { id: ask, response: unavailable.clone() }]);
    }
    let probe = Datagram::Probe { number: 1, seated: true };
    assert_eq!(agent.handle(now, Event::Datagram { from: id("b1"), datagram: probe }), []);
    let later = now.after(Span::seconds(1));
    assert_eq!(agent.handle(later, Event::DeadlineReached), []);
    let end = Event::Ended { id: last_word.expect("it is told"), end: CallEnd::Failed };
    assert!(matches!(agent.handle(later, end)[..], [Effect::EndLife(_)]));
}

/// c2's mind with a lease on b2, whose waits are over, and the call that it makes then.
fn healer(mut fleet: Fleet, case: vocabulary::CaseId) -> (Agent, Moment, Vec<Effect>) {
    fleet::fence(&fleet.offer(case, "c2"));
    let mut agent = minds::mind(Fleet::healing().ledger, "c2", boot(1));
    let mut now = begun();
    agent.handle(now, Event::LeadershipChanged { leader: Some(id("b1")) });
    let mut pending = Vec::new();
    for _ in 0..60 {
        fleet.wait(1);
        now = now.after(Span::seconds(1));
        pending.extend(agent.handle(now, advanced(&fleet.ledger)));
        while let Some(effect) = pending.pop() {
            let end = match effect {
                Effect::ReadIndex { .. } => return (agent, now, vec![effect]),
                Effect::Propose { id, command, .. } => {
                    let outcome = fleet.send("c2", command);
                    Event::Ended {
                        id,
                        end: CallEnd::Committed { index: fleet.ledger.index(), outcome },
                    }
                }
                Effect::Call { id, request: Request::RoundFor { .. }, .. } => {
                    let grounds = Box::new(fleet.round(&[("b2", Seen::AgentDown)]));
                    Event::Ended { id, end: CallEnd::Response(Response::Round(grounds)) }
                }
                _ => continue,
            };
            pending.extend(agent.handle(now, end));
        }
    }
    panic!("it never reads the ledger for its intent");
}

/// Law N5: beside its own release no intent is asked for.
#[test]
fn a_healer_that_leaves_amid_its_last_read_asks_for_no_intent() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    let (mut agent, now, effects) = healer(fleet, case);
    let [Effect::ReadIndex { id, .. }] = effects[..] else {
        panic!("{effects:?}");
    };
    let commands = |effects: Vec<Effect>| -> Vec<&'static str> {
        let proposed = effects.into_iter().filter_map(|effect| match effect {
            Effect::Propose { command: Command::Release { .. }, .. } => Some("release"),
            Effect::Propose { command: Command::Left { .. }, .. } => Some("left"),
            Effect::Propose { command: Command::Intend { .. }, .. } => Some("intend"),
            _ => None,
        });
        proposed.collect()
    };
    assert_eq!(commands(agent.handle(now, Event::Leave)), ["release", "left"]);
    let read = CallEnd::Read { index: vocabulary::LedgerIndex(1_000_000) };
    assert_eq!(commands(agent.handle(now, Event::Ended { id, end: read })), [""; 0]);
}

/// What the world gives to the effects of a mind: all that is asked in calm, and in trouble nothing but this end of knocks.
struct World {
    agent: Agent,
    now: Moment,
    knocks: CallEnd,
    is_calm: bool,
    answers: Vec<(AskId, Response)>,
}

impl World {
    /// Long enough for every path to have answered once (protocol 2.5).
    fn calm() -> Self {
        let mut world = Self {
            agent: mind(Fleet::healing().ledger),
            now: begun(),
            knocks: CallEnd::Knocked(Knock::Answered),
            is_calm: true,
            answers: Vec::new(),
        };
        world.feed(Event::DeadlineReached);
        world.run(Span::minutes(2));
        world
    }

    fn run(&mut self, span: Span) {
        let end = self.now.after(span);
        while let Some(at) = self.agent.next_deadline().filter(|at| *at < end) {
            self.now = self.now.max(at);
            self.feed(Event::DeadlineReached);
        }
        self.now = end;
    }

    fn feed(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for effect in self.agent.handle(self.now, event) {
                events.extend(self.perform(effect));
            }
        }
    }

    fn perform(&mut self, effect: Effect) -> Option<Event> {
        let alive = Response::Alive { boot: boot(1) };
        match effect {
            Effect::SendDatagram { to, datagram: Datagram::Probe { number, .. } }
                if self.is_calm =>
            {
                let reply = Datagram::ProbeReply { number, boot: boot(1), next_slot_ms: 1_000 };
                Some(Event::Datagram { from: to, datagram: reply })
            }
            Effect::Call { id, request: Request::Probe, .. } if self.is_calm => {
                Some(Event::Ended { id, end: CallEnd::Response(alive) })
            }
            Effect::FreshDial { id, .. } if self.is_calm => {
                Some(Event::Ended { id, end: CallEnd::Dialled(alive) })
            }
            Effect::Knock { id, .. } => Some(Event::Ended { id, end: self.knocks.clone() }),
            Effect::Call { id, .. } | Effect::FreshDial { id, .. } => {
                Some(Event::Ended { id, end: CallEnd::Failed })
            }
            Effect::Answer { id, response } => {
                self.answers.push((id, response));
                None
            }
            _ => None,
        }
    }

    /// What a look at b2 reads at its agent's port, when nothing else of it answers any more.
    fn reads_at_the_port(mut self, knocks: CallEnd) -> Option<Reading> {
        (self.is_calm, self.knocks) = (false, knocks);
        let ledger = Fleet::healing().ledger;
        let request = Request::Look {
            subject: id("b2"),
            boot: boot(1),
            anchor: ledger.anchor(),
            epoch: ledger.roster().epoch,
        };
        self.feed(Event::Asked { id: AskId(1), from: id("b1"), request });
        self.run(Span::seconds(2));
        let (_, response) = self.answers.into_iter().find(|(id, _)| *id == AskId(1))?;
        let Response::Attested { attestation, .. } = response else {
            panic!("it attests: {response:?}");
        };
        let port = attestation.paths.iter().find(|read| read.path == Path::AgentPort)?;
        Some(port.reading)
    }
}

#[test]
fn a_knock_that_this_host_could_not_make_is_no_silence() {
    let silent = CallEnd::Knocked(Knock::Silent);
    assert_eq!(World::calm().reads_at_the_port(silent), Some(Reading::Silent));
    assert_eq!(World::calm().reads_at_the_port(CallEnd::Unable), Some(Reading::Absent));
}

#[test]
fn a_relay_that_could_not_ask_does_not_say_that_the_subject_is_silent() {
    let relayed = |end: CallEnd| {
        let mut agent = mind(Fleet::healing().ledger);
        let request = Request::Relay { subject: id("b2"), nonce: 7 };
        let asked = Event::Asked { id: AskId(1), from: id("b1"), request };
        let effects = agent.handle(begun(), asked);
        let call = effects.iter().find_map(|effect| match effect {
            Effect::Call { id, request: Request::Ask { nonce: 7 }, .. } => Some(*id),
            _ => None,
        });
        let id = call.expect("it asks the subject");
        let effects = agent.handle(begun(), Event::Ended { id, end });
        let answer = effects.into_iter().find_map(|effect| match effect {
            Effect::Answer { id: AskId(1), response } => Some(response),
            _ => None,
        });
        answer.expect("it answers")
    };
    assert_eq!(relayed(CallEnd::Failed), Response::SubjectSilent);
    assert!(matches!(relayed(CallEnd::Unable), Response::Unavailable(_)));
}
