//! FleetLock clients: how they name themselves, and which host each of them is (protocol 6.12).
//!
//! Law FL1: an id is bound to at most one host, and a host's certificate binds and brings none but its own; a keeper's host brings
//! those of all who ask there, and there a person binds.
//! Not here: the slots that they ask for (see `slots`).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::HostId;

use crate::audit::What;
use crate::command::{Order, Outcome, Refused};
use crate::ledger::Ledger;
use crate::rules;

/// How a FleetLock client names itself: a text of its own choice, in its own letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FleetLockId(Arc<str>);

/// Why a text is no id of a FleetLock client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetLockIdFault {
    /// The text as it was given, cut to 80 characters.
    pub given: String,
}

/// Ids that one host may have: one for each program on it that reboots it.
pub const IDS_OF_A_HOST_MAX: usize = 4;

/// Which host each client is.
pub(crate) type Bindings = BTreeMap<FleetLockId, HostId>;

impl FleetLockId {
    /// Longest id in bytes: four times Zincati's, which is 32 hexadecimal digits.
    pub const BYTES_MAX: usize = 128;

    /// Checks a text once; later rooms trust it.
    pub fn new(text: &str) -> Result<Self, FleetLockIdFault> {
        let is_sound = (1..=Self::BYTES_MAX).contains(&text.len())
            && !text.chars().any(|letter| letter.is_control());
        match is_sound {
            true => Ok(Self(text.into())),
            false => Err(FleetLockIdFault { given: text.chars().take(80).collect() }),
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FleetLockId {
    type Error = FleetLockIdFault;

    fn try_from(text: String) -> Result<Self, FleetLockIdFault> {
        Self::new(&text)
    }
}

impl From<FleetLockId> for String {
    fn from(id: FleetLockId) -> String {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for FleetLockId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

impl fmt::Display for FleetLockIdFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (given, most) = (&self.given, FleetLockId::BYTES_MAX);
        write!(
            out,
            "{given:?} is no id of a FleetLock client: expected 1 to {most} bytes without control characters"
        )
    }
}

impl std::error::Error for FleetLockIdFault {}

impl Ledger {
    /// Which host this client is, if it is bound to one.
    pub fn host_of_client(&self, client: &FleetLockId) -> Option<HostId> {
        self.state.added.bindings.get(client).copied()
    }

    /// The bound clients with their hosts, by id; at most [`IDS_OF_A_HOST_MAX`] of each host.
    pub fn bindings(&self) -> impl Iterator<Item = (&FleetLockId, &HostId)> {
        self.state.added.bindings.iter()
    }

    /// Whether this client, which is bound to none, may be bound to this host now.
    pub fn can_bind(&self, client: &FleetLockId, host: &HostId) -> bool {
        self.host_of_client(client).is_none()
            && self.slot_of(client).is_none()
            && self.ids_hold(host).is_none()
    }

    /// A host says that a client is itself, or a person says which host it is, or that it is none (`hale fleetlock bind`).
    pub(crate) fn bind_client(
        &mut self,
        by: HostId,
        (client, host): (&FleetLockId, Option<HostId>),
        order: Option<&Order>,
    ) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        let (who, why) = match order {
            Some(order) => {
                self.ordered(by, order)?;
                (order.who.clone(), order.why.clone())
            }
            None if host == Some(by) && self.may_bring(by, client) => {
                ("the host itself".to_owned(), "its agent says so".to_owned())
            }
            None => return Err(foreign()),
        };
        if let Some(host) = host {
            self.member(host)?;
        }
        match (self.host_of_client(client), host) {
            (None, None) => return Err(Refused::Nothing),
            (bound, host) if bound == host => return Ok(Outcome::Done),
            // What it counts in was settled as it was granted.
            _ if self.slot_of(client).is_some() => {
                return Err(Refused::SlotHeld { client: client.to_string() });
            }
            (_, Some(host)) => self.ids_hold(&host).map_or(Ok(()), Err)?,
            (_, None) => {}
        }
        self.put_binding(client, host, (who, why));
        Ok(Outcome::Done)
    }

    /// Law FL1: from now on.
    pub(crate) fn put_binding(
        &mut self,
        client: &FleetLockId,
        host: Option<HostId>,
        (who, why): (String, String),
    ) {
        let bindings = Arc::make_mut(&mut self.state.added.bindings);
        match host {
            Some(host) => bindings.insert(client.clone(), host),
            None => bindings.remove(client),
        };
        self.record(What::ClientBound { client: client.clone(), host, who, why });
    }

    /// Whether one more would be one too many.
    pub(crate) fn ids_hold(&self, host: &HostId) -> Option<Refused> {
        let known = self.bindings().filter(|(_, bound)| *bound == host).count();
        let bound = || Refused::Bound(format!("FleetLock ids of one host: {IDS_OF_A_HOST_MAX}"));
        (known >= IDS_OF_A_HOST_MAX).then(bound)
    }

    /// Law FL1: whether this host may speak for this client.
    pub(crate) fn may_bring(&self, by: HostId, client: &FleetLockId) -> bool {
        self.host_of_client(client).is_none_or(|host| host == by)
    }

    /// A host is retired, by this person.
    pub(crate) fn forget_bindings(&mut self, host: &HostId, order: &Order) {
        let of_host = self.bindings().filter(|(_, bound)| *bound == host);
        let clients: Vec<FleetLockId> = of_host.map(|(client, _)| client.clone()).collect();
        for client in clients {
            let Order { who, why } = order.clone();
            self.put_binding(&client, None, (who, why));
        }
    }
}

pub(crate) fn foreign() -> Refused {
    Refused::NotPermitted(
        "the FleetLock id is another host's; its own host brings it, or a keeper's".into(),
    )
}
