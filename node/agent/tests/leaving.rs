//! A host that says goodbye: what still wakes it.

#[path = "../../../consensus/ledger/tests/fleet/mod.rs"]
mod fleet;

use std::sync::Arc;

use agent::{Agent, Event, Settings};
use fleet::{Fleet, Seen, boot, claims, id};
use vocabulary::{ModelSigner, ModelVerifier, Moment, Span, StoreId, model_chain};

/// a1, which leads a mesh with an open case.
fn leader() -> (Agent, Moment) {
    let mut fleet = Fleet::healing();
    fleet.opened("b2", Seen::AgentDown);
    let claims = claims("a1");
    let mut agent = Agent::new(Settings {
        cluster: fleet::cluster(),
        me: id("a1"),
        chain: model_chain(&claims),
        boot: boot(1),
        address: "[::1]:4433".parse().expect("sound"),
        store: Some(StoreId(1)),
        signer: Arc::new(ModelSigner::new(&claims.host)),
        verifier: Arc::new(ModelVerifier),
        membership: detection::membership::Settings::default(),
        watch: detection::watch::Settings::default(),
        ledger: Arc::new(fleet.ledger),
        seed: 1,
    });
    let now = Moment::from_milliseconds(1_000_000);
    agent.handle(now, Event::LeadershipChanged { leader: Some(id("a1")) });
    assert!(agent.leads());
    (agent, now)
}

#[test]
fn a_leader_that_leaves_is_woken_by_nothing_that_it_does_not_serve() {
    let (mut agent, mut now) = leader();
    agent.handle(now, Event::Leave);
    let end = now.after(Span::seconds(4));
    while let Some(at) = agent.next_deadline().filter(|at| *at < end) {
        now = now.max(at);
        agent.handle(now, Event::DeadlineReached);
        let next = agent.next_deadline();
        assert!(next.is_none_or(|next| next > now), "woken at {now:?} for nothing: {next:?}");
    }
}
