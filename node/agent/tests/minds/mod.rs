//! One host's mind in a test: what it is made of, but for what the test is about.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::sync::Arc;

use agent::{Agent, Event, Settings};
use ledger::Ledger;
use vocabulary::{Boot, ModelSigner, ModelVerifier, StoreId, model_chain};

use crate::fleet::{claims, cluster};

/// The mind of this host in this life, which knows this ledger.
pub fn mind(ledger: Ledger, name: &str, boot: Boot) -> Agent {
    Agent::new(settings(ledger, name, boot))
}

/// What it is made of.
pub fn settings(ledger: Ledger, name: &str, boot: Boot) -> Settings {
    let claims = claims(name);
    Settings {
        cluster: cluster(),
        me: claims.id(),
        chain: model_chain(&claims),
        boot,
        address: "[::1]:4433".parse().expect("sound"),
        store: claims.roles.keeper.then_some(StoreId(1)),
        client: None,
        signer: Arc::new(ModelSigner::new(&claims.host)),
        verifier: Arc::new(ModelVerifier),
        membership: detection::membership::Settings::default(),
        watch: detection::watch::Settings::default(),
        ledger: Arc::new(ledger),
        seed: 1,
    }
}

/// The same state, as a keeper sends it: what was known before a life began ends none (protocol 1.2).
pub fn advanced(ledger: &Ledger) -> Event {
    let ledger = Ledger::from_bytes(&ledger.to_bytes()).expect("sound");
    Event::LedgerAdvanced { ledger: Arc::new(ledger) }
}
