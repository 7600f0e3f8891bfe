//! What would an order come to? The ledger that this agent knows is asked, and the answer's ledger is thrown away.
//!
//! Law RH1: nothing leaves this agent: a rehearsed order is no proposal.
//! Not here: founding, which gathers certificates from other hosts and cannot be rehearsed.

use std::sync::Arc;

use async_trait::async_trait;
use ledger::Ledger;
use ledger::command::{Command, Entry, Outcome, Proposed};
use vocabulary::{Claims, HostName, LedgerIndex, Span};
use wire::Report;

use super::mind::{Local, Mind, NotCommitted, Standing};
use crate::identity::{Renewal, RenewalFault, RingVerifier};

/// A mind whose proposals come to nothing.
pub(super) struct Rehearsal(pub(super) Arc<dyn Mind>);

#[async_trait]
impl Mind for Rehearsal {
    fn me(&self) -> Claims {
        self.0.me()
    }

    fn view(&self) -> Arc<Ledger> {
        self.0.view()
    }

    fn standing(&self) -> Standing {
        self.0.standing()
    }

    async fn refresh(&self) {
        self.0.refresh().await;
    }

    async fn local(&self) -> Local {
        self.0.local().await
    }

    async fn propose(&self, command: Command) -> Result<Outcome, NotCommitted> {
        self.refresh().await;
        let mut ledger = Ledger::clone(&self.view());
        let (wall, by) = (ledger.wall(), self.me().id());
        let entry = Entry { elapsed: Span::ZERO, wall, commands: vec![Proposed { by, command }] };
        let next = LedgerIndex(ledger.index().0.saturating_add(1));
        let outcome = ledger.apply(next, &entry, &RingVerifier).pop();
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
        self.0.reload(true).await
    }
}
