//! What effects need of the world: each is carried out by a task of its own that reports one end.
//!
//! Law E2 (see `agent::event`): every call ends exactly once, within its time.
//! Not here: what is wanted (see `agent`).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actuators::Actuator;
use agent::{CallEnd, CallId, Knock, Page};
use ledger::command::Command;
use ledger::policy::Escalation;
use replication::tasks;
use tokio::sync::mpsc;
use vocabulary::actuation::RemedyOrder;
use vocabulary::{Address, HostId, Moment, Span};
use wire::Request;

use super::door::{Door, held};
use super::pager::{Call, Pager};
use super::places::Places;
use super::seeds::Seeds;
use crate::poison::Input;
use crate::second_channel::{self, SecondChannel};
use crate::transport::{Answered, CallFault, Transport};

/// The hands of one host; cheap to clone.
#[derive(Clone)]
pub struct Hands {
    pub transport: Transport,
    pub door: Door,
    pub second_channel: Arc<dyn SecondChannel>,
    pub places: Arc<Mutex<Places>>,
    pub actuator: Arc<dyn Actuator>,
    pub pager: Pager,
    pub seeds: Seeds,
    /// Ends of calls, back to the loop.
    pub ends: mpsc::Sender<Ended>,
}

/// What a call came to.
pub struct Ended {
    /// Which call.
    pub id: CallId,
    /// What it came to.
    pub end: CallEnd,
    /// What another host has answered, as it came (protocol 1.9).
    pub said: Option<Input>,
}

impl Hands {
    /// Asks on the standing connection.
    pub fn call(&self, id: CallId, to: HostId, (request, within): (Request, Span)) {
        let transport = self.transport.clone();
        self.begin(id, async move {
            match transport.ask(to, request, duration(within)).await {
                Ok(Answered { response, input }) => (CallEnd::Response(response), Some(input)),
                Err(fault) => (end_of(&fault), None),
            }
        });
    }

    /// Asks over a new connection from a new source port.
    pub fn fresh_dial(&self, id: CallId, to: HostId, (nonce, within): (u128, Span)) {
        let transport = self.transport.clone();
        self.begin(id, async move {
            match transport.fresh_dial(to, nonce, duration(within)).await {
                Ok((_, Answered { response, input })) => (CallEnd::Dialled(response), Some(input)),
                Err(fault) => (end_of(&fault), None),
            }
        });
    }

    /// Knocks at the agent's port or at one that the policy names.
    pub fn knock(&self, id: CallId, to: HostId, (port, within): (Option<u16>, Span)) {
        let place = held(&self.places).of(&to);
        let second_channel = Arc::clone(&self.second_channel);
        self.spawn(id, async move {
            let Some(mut at) = place else {
                return CallEnd::Unable;
            };
            at.set_port(port.unwrap_or(at.port()));
            CallEnd::Knocked(match second_channel.knock(at, duration(within)).await {
                second_channel::Knock::Answered => Knock::Answered,
                second_channel::Knock::Refused => Knock::Refused,
                second_channel::Knock::Accepted => Knock::Accepted,
                second_channel::Knock::Silent => Knock::Silent,
                second_channel::Knock::Unable => return CallEnd::Unable,
            })
        });
    }

    /// Puts a command into the ledger, through whoever leads.
    pub fn propose(&self, id: CallId, command: Command, within: Span) {
        let door = self.door.clone();
        self.spawn(id, async move {
            match door.propose(command, duration(within)).await {
                Some((index, outcome)) => CallEnd::Committed { index, outcome },
                None => CallEnd::Failed,
            }
        });
    }

    /// A linearizable read.
    pub fn read_index(&self, id: CallId, within: Span) {
        let door = self.door.clone();
        self.spawn(id, async move {
            match door.read_index(duration(within)).await {
                Some(index) => CallEnd::Read { index },
                None => CallEnd::Failed,
            }
        });
    }

    /// Carries a remedy out; what is left of the lease counts from when the order was given.
    pub fn apply(&self, id: CallId, order: RemedyOrder, given: Moment) {
        let actuator = Arc::clone(&self.actuator);
        self.spawn(id, async move { CallEnd::Applied(actuator.apply(&order, given).await) });
    }

    /// Finds out what became of a remedy, likewise.
    pub fn inspect(&self, id: CallId, order: RemedyOrder, given: Moment) {
        let actuator = Arc::clone(&self.actuator);
        self.spawn(id, async move { CallEnd::Inspected(actuator.inspect(&order, given).await) });
    }

    /// Calls a person: the line goes to the log in any case, and to the policy's command where there is one.
    pub fn page(&self, page: Page, escalation: Option<Escalation>) {
        tracing::error!(case = page.case.map(|case| case.0), "a person is needed: {}", page.line);
        if let Some(escalation) = escalation {
            self.pager.call(Call { page, escalation });
        }
    }

    /// Dials the seeds, and every host of the roster's whose place is known.
    pub fn redial(&self) {
        for number in 0..self.seeds.count() {
            let (transport, door, seeds) =
                (self.transport.clone(), self.door.clone(), self.seeds.clone());
            tasks::spawn(async move {
                let Some(search) = seeds.seek(number) else {
                    return;
                };
                for address in search.addresses().await {
                    match transport.introduce(address).await {
                        Ok(_) => return,
                        Err(fault) => tell_of_seed(&door, address, &fault),
                    }
                }
            });
        }
    }

    /// Gives the ledger's lead up, if this host has it.
    pub fn stand_down(&self) {
        if self.door.port().is_some_and(|port| port.stand_down()) {
            tracing::warn!(
                "this host hears too little, or is doubted by too many, to lead: another keeper takes over"
            );
        }
    }

    /// What a host says of itself, until the roster says where it is.
    pub fn hear_place(&self, host: HostId, address: Address) {
        held(&self.places).hear(host, address);
    }

    /// Where a host is from now on, unless the configuration says otherwise.
    pub fn locate(&self, host: HostId, address: Address) {
        if let Some(address) = held(&self.places).learn(host, address) {
            self.transport.set_address(host, address);
        }
    }

    /// Which connections are worth keeping.
    pub fn keep_warm(&self, hosts: Vec<HostId>) {
        self.transport.keep_warm(hosts.into_iter().collect::<BTreeSet<_>>());
    }

    /// Work that brings nothing of another host's.
    fn spawn(&self, id: CallId, work: impl Future<Output = CallEnd> + Send + 'static) {
        self.begin(id, async move { (work.await, None) });
    }

    fn begin(
        &self,
        id: CallId,
        work: impl Future<Output = (CallEnd, Option<Input>)> + Send + 'static,
    ) {
        let ends = self.ends.clone();
        tasks::spawn(async move {
            let (end, said) = work.await;
            // The loop is gone only when the agent is.
            ends.send(Ended { id, end, said }).await.ok();
        });
    }
}

fn tell_of_seed(door: &Door, address: Address, fault: &CallFault) {
    // Time does not mend distrust, and nobody else can tell the operator of this host.
    if !fault.is_distrust() {
        tracing::debug!(%address, %fault, "a seed does not answer");
    } else if door.unwelcome().is_due(format!("seed {address}: {fault}")) {
        tracing::warn!(%address, %fault, "a seed does not let this host in");
    }
}

/// What a failed call proves: our own inability proves nothing about the other side (protocol 2.3).
fn end_of(fault: &CallFault) -> CallEnd {
    match fault {
        CallFault::NoAddress
        | CallFault::Denied
        | CallFault::Busy(_)
        | CallFault::NotDialled(_)
        | CallFault::Untrusted(_)
        | CallFault::NotInForce { .. }
        | CallFault::Refused(_)
        | CallFault::Rejected(_)
        | CallFault::Garbled(_)
        | CallFault::Quarantined
        | CallFault::TooNew { .. }
        | CallFault::Closing => CallEnd::Unable,
        CallFault::TooLate | CallFault::Stranger(_) | CallFault::Lost(_) => CallEnd::Failed,
    }
}

fn duration(span: Span) -> Duration {
    Duration::from_millis(span.as_milliseconds())
}
