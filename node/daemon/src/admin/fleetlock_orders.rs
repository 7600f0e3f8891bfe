//! Orders about FleetLock clients, carried to the ledger.
//!
//! Not here: what a client itself asks (see `crate::fleetlock`), and what an order does (see `ledger::bindings`, `ledger::slots`).

use async_trait::async_trait;
use ledger::bindings::FleetLockId;
use ledger::command::{Command, Order};

use super::answer::{BindOrder, RevokeSlotOrder};
use super::mind::Mind;
use super::orders::{
    Carried, Fulfilled, Unfulfilled, done, host_named, malformed, needs_no_newer_rules, no_such,
    propose,
};

#[async_trait]
impl Carried for BindOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let client = client_of(&self.client)?;
        let host = self.host.as_ref().map(|name| host_named(mind, name)).transpose()?;
        let order = Some(Order { who, why: self.why });
        let command = Command::BindClient { client: client.clone(), host, order };
        needs_no_newer_rules(mind, &command, "FleetLock clients are bound")?;
        let outcome = propose(mind, command).await?;
        let sentence = match self.host {
            Some(name) => format!(
                "FleetLock client {client} is {name}: its slots count where {name} stands, and end once it is seen well"
            ),
            None => format!(
                "FleetLock client {client} is no known host any more: its slots count in the group that it names and in the fleet"
            ),
        };
        done(&outcome, &sentence)
    }
}

#[async_trait]
impl Carried for RevokeSlotOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let client = client_of(&self.client)?;
        let order = Order { who, why: self.why };
        let command = Command::RevokeSlot { client: client.clone(), order };
        needs_no_newer_rules(mind, &command, "reboot slots are taken back")?;
        if !mind.view().slots().any(|(of, _)| *of == client) {
            return Err(no_such(format!(
                "FleetLock client {:?} holds no slot: `hale leases` shows who does",
                client.as_str()
            )));
        }
        let outcome = propose(mind, command).await?;
        let sentence = format!(
            "the slot of FleetLock client {client} counts no more; the client is not told so: it may still reboot"
        );
        done(&outcome, &sentence)
    }
}

fn client_of(text: &str) -> Result<FleetLockId, Unfulfilled> {
    FleetLockId::new(text).map_err(|fault| malformed(fault.to_string()))
}
