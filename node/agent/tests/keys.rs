//! A host that comes by another key: which one signs, and when (protocol 1.3).

#[path = "../../../consensus/ledger/tests/fleet/mod.rs"]
mod fleet;
mod minds;

use std::sync::Arc;

use agent::keyring::KNOWN_FOR;
use agent::{Agent, AskId, CallEnd, CallId, Effect, Event, Renewed, Settings};
use fleet::{Fleet, boot, claims, id};
use ledger::command::Command;
use vocabulary::{ModelSigner, Moment, PublicKey, Signer as _, Span, model_chain_for};
use wire::{Request, Response};

const ME: &str = "a1";

/// a1 in a mesh of nine.
struct Story {
    fleet: Fleet,
    agent: Agent,
    now: Moment,
    asks: u64,
}

impl Story {
    fn begin() -> Self {
        let fleet = Fleet::nine();
        let agent = Agent::new(Settings {
            store: None,
            ..minds::settings(fleet.ledger.clone(), ME, boot(1))
        });
        let now = Moment::from_milliseconds(1_000_000);
        Self { fleet, agent, now, asks: 0 }
    }

    fn feed(&mut self, event: Event) -> Vec<Effect> {
        self.agent.handle(self.now, event)
    }

    /// Another key, with its certificate; the way into the roster that is proposed for it.
    fn renew(&mut self, rotations: u64) -> Option<(CallId, Command)> {
        let signer = ModelSigner::rotated(&claims(ME).host, rotations);
        let chain = model_chain_for(&claims(ME), &signer);
        let renewed = Renewed { chain, signer: Arc::new(signer) };
        proposed(self.feed(Event::Renewed(renewed)))
    }

    /// The ledger answers, and this host hears of it.
    fn commit(&mut self, (call, command): (CallId, Command)) {
        let outcome = self.fleet.send(ME, command);
        self.fleet.wait(6);
        let index = self.fleet.ledger.index();
        let committed = CallEnd::Committed { index, outcome };
        self.feed(Event::Ended { id: call, end: committed });
        let ledger = Arc::new(self.fleet.ledger.clone());
        self.feed(Event::LedgerAdvanced { ledger });
    }

    /// With which key it signs a nonce now.
    fn signs(&mut self) -> PublicKey {
        self.asks += 1;
        let (id, nonce) = (AskId(self.asks), u128::from(self.asks));
        let asked = Event::Asked { id, from: fleet::id("b1"), request: Request::Ask { nonce } };
        let answers = self.feed(asked).into_iter().filter_map(|effect| match effect {
            Effect::Answer { response: Response::Answered(answer), .. } => Some(answer.key),
            _ => None,
        });
        answers.last().expect("it signs")
    }

    /// Time passes; what it proposes meanwhile to enrol.
    fn pass(&mut self, span: Span) -> Vec<(CallId, Command)> {
        let (end, mut all) = (self.now.after(span), Vec::new());
        while let Some(at) = self.agent.next_deadline().filter(|at| *at < end) {
            self.now = self.now.max(at);
            all.extend(proposed(self.feed(Event::DeadlineReached)));
        }
        self.now = end;
        all.extend(proposed(self.feed(Event::DeadlineReached)));
        all
    }
}

fn proposed(effects: Vec<Effect>) -> Option<(CallId, Command)> {
    effects.into_iter().find_map(|effect| match effect {
        Effect::Propose { id, command: command @ Command::Enrol(_), .. } => Some((id, command)),
        _ => None,
    })
}

fn key(rotations: u64) -> PublicKey {
    ModelSigner::rotated(&claims(ME).host, rotations).public_key()
}

#[test]
fn a_new_key_is_enrolled_and_signs_once_the_roster_has_had_it_for_a_while() {
    let mut story = Story::begin();
    assert_eq!(story.signs(), key(0));
    let enrol = story.renew(1).expect("it enrols at once");
    assert_eq!(story.signs(), key(0), "law K1: nobody knows the new one");
    story.commit(enrol);
    let now = story.fleet.ledger.index();
    let speak = |key: &PublicKey| {
        let entry = story.fleet.ledger.roster().get(&id(ME)).expect("it belongs");
        entry.speaks(key, now)
    };
    assert!(speak(&key(0)) && speak(&key(1)), "both speak");
    assert_eq!(story.signs(), key(0), "law K1: a round may have begun before");
    story.pass(KNOWN_FOR);
    assert_eq!(story.signs(), key(1));
}

#[test]
fn a_certificate_that_the_ledger_refuses_changes_no_signature_and_is_not_asked_for_all_the_time() {
    let mut story = Story::begin();
    let signer = ModelSigner::rotated(&claims(ME).host, 1);
    let mut chain = model_chain_for(&claims(ME), &signer);
    *chain.0[0].last_mut().expect("a tag") ^= 1;
    let renewed = Renewed { chain, signer: Arc::new(signer) };
    let enrol = proposed(story.feed(Event::Renewed(renewed))).expect("it tries");
    story.commit(enrol);
    let refused = story.agent.view(story.now).enrolment_refused.expect("the screen says why");
    assert!(refused.to_string().contains("no authority"), "{refused}");
    let mut tries = 0;
    for _ in 0..60 {
        let again = story.pass(Span::seconds(1));
        tries += again.len();
        for enrol in again {
            story.commit(enrol);
        }
    }
    assert!(tries <= 7, "{tries} entries of the ledger in a minute");
    assert_eq!(story.signs(), key(0));
}

#[test]
fn a_certificate_with_the_same_key_is_no_news_to_the_roster() {
    let mut story = Story::begin();
    assert_eq!(story.renew(0), None);
    story.pass(KNOWN_FOR);
    assert_eq!(story.signs(), key(0));
}
