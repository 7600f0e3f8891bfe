//! What a leader makes of gossip about itself: of lies told in its observers' names, and of their own word.

#[path = "../../../consensus/ledger/tests/fleet/mod.rs"]
mod fleet;
mod minds;

use agent::{Agent, Effect, Event};
use detection::health::{Health, HealthRecord};
use fleet::{Fleet, boot, id, order};
use ledger::command::{Command, Outcome};
use minds::advanced;
use vocabulary::{Moment, Sequence, Span};
use wire::Datagram;

/// Its number among foca's messages: a packet of health records alone.
const BROADCAST: u32 = 9;

/// Time enough for ears to be judged and for six looks.
const SECONDS: u64 = 33;

/// A leader, a1, to which gossip comes once a second.
struct Leader {
    agent: Agent,
    now: Moment,
    stood_down: bool,
}

impl Leader {
    fn new() -> Self {
        let agent = minds::mind(Fleet::nine().ledger, "a1", boot(1));
        let now = Moment::from_milliseconds(1_000_000);
        let mut leader = Self { agent, now, stood_down: false };
        leader.handle(Event::LeadershipChanged { leader: Some(id("a1")) });
        leader
    }

    fn handle(&mut self, event: Event) {
        let effects = self.agent.handle(self.now, event);
        self.stood_down |= effects.contains(&Effect::StandDown);
    }

    /// Each of these pairs once a second: who tells that whom doubts the leader.
    fn hears(self, told: &[(&str, &str)]) -> Self {
        self.hears_doubted(&["a1"], told)
    }

    /// The same, of all these hosts.
    fn hears_doubted(mut self, doubted: &[&str], told: &[(&str, &str)]) -> Self {
        for second in 1..=SECONDS {
            for (from, observer) in told {
                self.greeted_by(observer);
                let bytes = gossip(from, &doubting(observer, doubted, second));
                let datagram = Datagram::Gossip(bytes);
                self.handle(Event::Datagram { from: id(from), datagram });
            }
            self.now = self.now.after(Span::seconds(1));
            self.handle(Event::DeadlineReached);
        }
        let up = self.agent.view(self.now).up;
        assert!(told.iter().all(|(from, _)| up.contains_key(&id(from))), "it is heard to the end");
        self
    }

    /// Whom it knows for a member, so that what is told of it is shown.
    fn greeted_by(&mut self, name: &str) {
        let datagram = Datagram::Gossip(header(name));
        self.handle(Event::Datagram { from: id(name), datagram });
    }

    fn believes_that_it_is_doubted_by(&self, observer: &str) -> bool {
        self.agent.view(self.now).health.contains_key(&id(observer))
    }
}

/// A record of this observer, in its true life, that doubts these hosts.
fn doubting(observer: &str, doubted: &[&str], sequence: u64) -> HealthRecord {
    HealthRecord {
        host: id(observer),
        boot: boot(1),
        sequence: Sequence(sequence),
        health: Health::new([], doubted.iter().map(|name| id(name)), false),
    }
}

/// A packet of gossip as `from` lays it, under its own name.
fn gossip(from: &str, record: &HealthRecord) -> Vec<u8> {
    let mut bytes = header(from);
    let record = record.to_bytes();
    bytes.extend(u16::try_from(record.len()).expect("law H1").to_be_bytes());
    bytes.extend(record);
    bytes
}

fn header(from: &str) -> Vec<u8> {
    let life = |name| (id(name), boot(1), 0_u32);
    wire::encode(&(life(from), 0_u16, life("a1"), BROADCAST))
}

#[test]
fn one_liar_that_tells_of_other_observers_doubts_unseats_no_leader() {
    let told = [("c3", "c3"), ("c3", "b2"), ("c3", "b3"), ("c3", "a2")];
    let leader = Leader::new().hears(&told);
    assert!(!leader.stood_down, "law SD1");
    assert!(!leader.believes_that_it_is_doubted_by("b2"), "law SW17");
    assert!(leader.believes_that_it_is_doubted_by("c3"), "its own word");
}

#[test]
fn not_even_what_two_tell_of_others_is_an_observers_doubt_to_a_leader() {
    let told = [("c3", "b2"), ("c3", "b3"), ("c2", "b2"), ("c2", "b3")];
    let leader = Leader::new().hears(&told);
    assert!(
        leader.believes_that_it_is_doubted_by("b2") && leader.believes_that_it_is_doubted_by("b3")
    );
    assert!(!leader.stood_down, "law SD1");
}

#[test]
fn two_observers_that_gossip_their_own_doubt_to_the_leader_unseat_it() {
    assert!(Leader::new().hears(&[("b2", "b2"), ("b3", "b3")]).stood_down);
    assert!(!Leader::new().hears(&[("b2", "b2")]).stood_down);
}

#[test]
fn two_observers_that_doubt_the_other_keepers_too_unseat_nobody() {
    let told = [("b2", "b2"), ("b3", "b3")];
    assert!(!Leader::new().hears_doubted(&["a1", "b1", "c1"], &told).stood_down, "law SD3");
    assert!(Leader::new().hears_doubted(&["a1", "b1"], &told).stood_down, "one of the two others");
    assert!(Leader::new().hears_doubted(&["a1", "c2", "c3"], &told).stood_down, "no keepers");
}

#[test]
fn the_health_of_a_retired_host_is_not_kept() {
    let mut fleet = Fleet::nine();
    let mut leader = Leader::new().hears(&[("c3", "c3"), ("b2", "b2")]);
    let retire = Command::Retire { host: id("c3"), order: order("sold") };
    assert_eq!(fleet.send("a1", retire), Outcome::Done);
    leader.handle(advanced(&fleet.ledger));
    let health = leader.agent.view(leader.now).health;
    assert_eq!(health.keys().collect::<Vec<_>>(), [&id("b2")], "law SW19");
}
