//! What comes of a report: a round at the most, whoever says what of whom (protocol 2.8).

#[path = "../../../consensus/ledger/tests/fleet/mod.rs"]
mod fleet;
mod minds;

use agent::{Agent, AskId, CallEnd, CallId, Effect, Event};
use fleet::{Fleet, boot, id};
use ledger::command::Command;
use vocabulary::{
    Anchor, Answer, HostId, ModelSigner, Moment, PublicKey, SelfAnswer, Signature, Span,
};
use wire::{Report, Request, Response, Unavailable};

/// A mind to which things are reported, and what it wants of its shell.
struct Told {
    agent: Agent,
    fleet: Fleet,
    now: Moment,
    asks: u64,
    /// Whom it had looked at, once for each observer.
    looks: Vec<HostId>,
    proposals: usize,
    answers: Vec<Response>,
    forwarded: Vec<(CallId, HostId)>,
}

impl Told {
    /// a1, which takes this host for the leader.
    fn where_leads(leader: &str) -> Self {
        let fleet = Fleet::healing();
        let agent = minds::mind(Fleet::healing().ledger, "a1", boot(1));
        let now = Moment::from_milliseconds(1_000_000);
        let mut told = Self {
            agent,
            fleet,
            now,
            asks: 0,
            looks: Vec::new(),
            proposals: 0,
            answers: Vec::new(),
            forwarded: Vec::new(),
        };
        told.handle(Event::LeadershipChanged { leader: Some(id(leader)) });
        told.handle(minds::advanced(&Fleet::healing().ledger));
        told.wait(Span::seconds(2));
        told.proposals = 0;
        assert_eq!(told.looks, []);
        told
    }

    /// Every call fails at once but the report's own.
    fn handle(&mut self, event: Event) {
        let mut waiting = vec![event];
        while let Some(event) = waiting.pop() {
            for effect in self.agent.handle(self.now, event) {
                match effect {
                    Effect::Call { id, to, request: Request::Report(_), .. } => {
                        self.forwarded.push((id, to));
                    }
                    Effect::Call {
                        id, to, request: Request::Look { subject, anchor, .. }, ..
                    } => {
                        self.looks.push(subject);
                        // All are well, and say so where they are asked of themselves.
                        let end = if to == subject {
                            CallEnd::Response(Response::Answered(answer(subject, anchor)))
                        } else {
                            CallEnd::Failed
                        };
                        waiting.push(Event::Ended { id, end });
                    }
                    Effect::Call { id, .. } => {
                        waiting.push(Event::Ended { id, end: CallEnd::Unable });
                    }
                    Effect::Propose { id, command, .. } => {
                        waiting.push(Event::Ended { id, end: CallEnd::Unable });
                        if command == Command::Tick {
                            // The anchor is old; a new one is what a round waits for.
                            self.fleet.send("a1", command);
                            waiting.push(minds::advanced(&self.fleet.ledger));
                        } else if !matches!(command, Command::Enrol { .. } | Command::Boot { .. }) {
                            self.proposals += 1;
                        }
                    }
                    Effect::Answer { response, .. } => self.answers.push(response),
                    _ => {}
                }
            }
        }
    }

    fn wait(&mut self, span: Span) {
        let end = self.now.after(span);
        while let Some(next) = self.agent.next_deadline().filter(|next| *next <= end) {
            // A mind that wants its turn at once gets it a millisecond later.
            self.now = next.max(self.now.after(Span::milliseconds(1)));
            self.handle(Event::DeadlineReached);
        }
        self.now = end;
    }

    /// By way of this host's agent; the answer.
    fn hears(&mut self, by: &str, subject: &str) -> Response {
        let report = Report {
            subject: id(subject),
            who: String::from("lb"),
            failed: String::from("502 from /healthz"),
        };
        self.asks += 1;
        let ask = AskId(self.asks);
        self.handle(if by == "a1" {
            Event::Reported { id: ask, report }
        } else {
            Event::Asked { id: ask, from: id(by), request: Request::Report(report) }
        });
        self.answers.pop().unwrap_or(Response::Noted)
    }
}

/// The host's own signed word.
fn answer(host: HostId, anchor: Anchor) -> Box<SelfAnswer> {
    let name = fleet::NINE.into_iter().find(|name| id(name) == host).expect("one of the nine");
    let signer = ModelSigner::new(&fleet::claims(name).host);
    let answer = SelfAnswer {
        subject: host,
        boot: boot(1),
        key: PublicKey([0; 32]),
        to: Answer::Round(anchor),
        signature: Signature([0; 32], [0; 32]),
    };
    Box::new(answer.signed("test", &signer))
}

const LOOKED_AT: Response = Response::Reported { is_looked_at: true };
const KEPT: Response = Response::Reported { is_looked_at: false };

#[test]
fn a_report_has_one_round_held_and_is_kept_and_nothing_is_proposed_for_it() {
    let mut leader = Told::where_leads("a1");
    assert_eq!(leader.hears("c2", "b2"), LOOKED_AT);
    let others = leader.looks.iter().filter(|subject| **subject != id("b2"));
    // Witnesses answer for themselves.
    assert!(others.count() <= 3, "{:?}", leader.looks);
    let of_subject = |told: &Told| told.looks.iter().filter(|of| **of == id("b2")).count();
    let once = of_subject(&leader);
    assert!(once >= 7, "its observers are asked, {once}");
    leader.wait(Span::seconds(9));
    assert_eq!(leader.hears("c2", "b2"), KEPT, "law RE3");
    assert_eq!(leader.hears("c3", "b2"), KEPT, "law RE3");
    leader.wait(Span::milliseconds(500));
    assert_eq!(of_subject(&leader), once, "one round");
    assert_eq!(leader.proposals, 0, "law RE1");
    let view = leader.agent.view(leader.now);
    assert!(view.doubted.is_empty(), "law RE1: it is no doubt");
    let kept = &view.reports[&id("b2")];
    let said: Vec<_> = kept.iter().map(|(kept, _)| (kept.by, kept.times)).collect();
    assert_eq!(said, [(id("c2"), 2), (id("c3"), 1)]);
    leader.wait(Span::seconds(1));
    assert_eq!(leader.hears("c2", "b2"), LOOKED_AT, "ten seconds later");
    leader.wait(Span::minutes(61));
    assert!(leader.agent.view(leader.now).reports.is_empty(), "law RE2");
}

/// Law RE3 holds where a report is made, too: a script in a loop does not use up what its host may ask of the leader.
#[test]
fn a_host_that_does_not_lead_passes_on_no_more_reports_than_one_agent_may_tell() {
    let mut told = Told::where_leads("b1");
    for number in 1..=20 {
        assert_eq!(told.hears("a1", "b2"), Response::Noted, "it waits for the leader");
        assert_eq!(told.forwarded.len(), number);
    }
    let refused = told.hears("a1", "b2");
    assert!(matches!(refused, Response::Unavailable(Unavailable::Busy(_))), "{refused:?}");
    assert_eq!(told.forwarded.len(), 20);
    let times = |told: &Told| told.agent.view(told.now).reports[&id("b2")][0].0.times;
    assert_eq!(times(&told), 20, "what is refused is not kept");
    told.wait(Span::seconds(10));
    assert_eq!(told.hears("a1", "b2"), Response::Noted);
    assert_eq!(told.forwarded.len(), 21);
}

#[test]
fn a_flood_of_reports_about_everybody_is_no_surge_and_no_verdict() {
    let mut leader = Told::where_leads("a1");
    let mut rounds = 0;
    for _ in 0..60 {
        for by in fleet::NINE {
            for subject in fleet::NINE {
                rounds += usize::from(leader.hears(by, subject) == LOOKED_AT);
            }
        }
        leader.wait(Span::seconds(1));
    }
    assert_eq!(rounds, 9 * 6, "law RE3: each once in ten seconds");
    assert_eq!(leader.proposals, 0, "law RE1");
    let view = leader.agent.view(leader.now);
    assert!(view.reports.values().all(|kept| kept.len() <= 8), "law RE2");
}

#[test]
fn whoever_does_not_lead_tells_the_leader_and_its_answer_is_the_answer() {
    let mut agent = Told::where_leads("b1");
    assert_eq!(agent.hears("a1", "c2"), Response::Noted, "the leader has not answered yet");
    let (call, to) = agent.forwarded.pop().expect("it is told");
    assert_eq!(to, id("b1"));
    agent.handle(Event::Ended { id: call, end: CallEnd::Response(LOOKED_AT) });
    assert_eq!(agent.answers.pop(), Some(LOOKED_AT));
    assert_eq!(agent.agent.view(agent.now).reports.len(), 1, "what was said here is shown here");
    assert_eq!(agent.looks, []);
    let unavailable = |why| Response::Unavailable(why);
    for (end, answer) in [
        (CallEnd::Failed, unavailable(Unavailable::TooLate)),
        (CallEnd::Unable, unavailable(Unavailable::NoLeader)),
    ] {
        agent.hears("a1", "c2");
        let (call, _) = agent.forwarded.pop().expect("it is told");
        agent.handle(Event::Ended { id: call, end });
        assert_eq!(agent.answers.pop(), Some(answer));
    }
    // It is not the leader for others.
    assert!(matches!(agent.hears("c3", "c2"), Response::Unavailable(Unavailable::NotLeader(_))));
}

#[test]
fn what_is_reported_of_a_host_that_does_not_belong_is_not_kept() {
    let mut leader = Told::where_leads("a1");
    assert_eq!(leader.hears("c2", "d9"), Response::Unavailable(Unavailable::NotMine));
    assert!(leader.agent.view(leader.now).reports.is_empty());
    let mut agent = Told::where_leads("b1");
    assert_eq!(agent.hears("a1", "d9"), Response::Unavailable(Unavailable::NotMine));
}
