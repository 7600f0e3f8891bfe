//! What would an order come to? The ledger that this agent knows is asked, and the answer's ledger is thrown away.
//!
//! Law RH1: nothing leaves this agent: a rehearsed order is no proposal.
//! Law RH2: what is played is what a keeper would apply: the same order, to the ledger that is told beside it.
//! Not here: founding, which gathers certificates from other hosts and cannot be rehearsed.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ledger::Ledger;
use ledger::command::{Command, Entry, Outcome, Proposed};
use vocabulary::{Claims, HostId, HostName, LedgerIndex, Span};
use wire::Report;

use super::mind::{Local, Mind, NotCommitted, Standing};
use crate::identity::{Renewal, RenewalFault, RingVerifier};

/// A mind whose proposals come to nothing.
pub(super) struct Rehearsal {
    mind: Arc<dyn Mind>,
    played: Mutex<Option<Played>>,
}

/// What an order came to.
pub(super) struct Played {
    /// The ledger that it was played on, after as many entries.
    pub before: Ledger,
    /// The same after it, and after a tick by which no time has gone by: what new waits end at once has ended.
    pub after: Ledger,
}

impl Rehearsal {
    pub(super) fn of(mind: &Arc<dyn Mind>) -> Self {
        Self { mind: Arc::clone(mind), played: Mutex::default() }
    }

    /// What the last order came to; `None` if none reached the ledger.
    pub(super) fn played(self) -> Option<Played> {
        self.played.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Mind for Rehearsal {
    fn me(&self) -> Claims {
        self.mind.me()
    }

    fn view(&self) -> Arc<Ledger> {
        self.mind.view()
    }

    fn standing(&self) -> Standing {
        self.mind.standing()
    }

    async fn refresh(&self) {
        self.mind.refresh().await;
    }

    async fn local(&self) -> Local {
        self.mind.local().await
    }

    async fn propose(&self, command: Command) -> Result<Outcome, NotCommitted> {
        self.refresh().await;
        let by = self.me().id();
        let mut after = Ledger::clone(&self.view());
        let mut before = after.clone();
        // As many entries as the order and its tick: each ends what is over.
        for _ in 0..2 {
            play(&mut before, by, Command::Tick);
        }
        let outcome = play(&mut after, by, command);
        play(&mut after, by, Command::Tick);
        let mut played = self.played.lock().unwrap_or_else(PoisonError::into_inner);
        *played = Some(Played { before, after });
        outcome.ok_or_else(|| NotCommitted::NoLeader("the ledger did not answer".into()))
    }

    async fn found(&self, _: Vec<HostName>) -> Result<Outcome, NotCommitted> {
        Err(NotCommitted::NoLeader("a founding cannot be rehearsed".into()))
    }

    async fn report(&self, _: Report) -> Result<bool, NotCommitted> {
        match self.standing().leader {
            Some(_) => Ok(false),
            None => Err(NotCommitted::NoLeader("no keeper leads".into())),
        }
    }

    async fn reload(&self, _: bool) -> Result<Renewal, RenewalFault> {
        self.mind.reload(true).await
    }
}

/// One entry, by which no time has gone by.
fn play(ledger: &mut Ledger, by: HostId, command: Command) -> Option<Outcome> {
    let commands = vec![Proposed { by, command }];
    let entry = Entry { elapsed: Span::ZERO, wall: ledger.wall(), commands };
    let next = LedgerIndex(ledger.index().0.saturating_add(1));
    ledger.apply(next, &entry, &RingVerifier).pop()
}
