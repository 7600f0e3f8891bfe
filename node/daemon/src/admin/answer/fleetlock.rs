//! `GET /v1/fleetlock`, and its orders: which host each FleetLock client is, and who may reboot.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Subject};

/// Every client that is bound to a host or holds a slot, by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Clients {
    /// The clients.
    pub clients: Vec<ClientLine>,
    /// Why there are none, and what to ask next; `null` if there are any.
    pub nothing: Option<String>,
}

/// One client on one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientLine {
    /// Its id, as it names itself.
    pub client: String,
    /// Its host; `null` where it is bound to none.
    pub host: Option<String>,
    /// Its slot; `null` while it holds none.
    pub slot: Option<SlotLine>,
}

/// One reboot slot on one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SlotLine {
    /// Whose it is.
    pub client: String,
    /// Which host may reboot; `null` where the client is bound to none.
    pub host: Option<String>,
    /// Its number, drawn as a lease's is.
    pub fence: u64,
    /// When it was granted.
    pub granted: String,
    /// Whether its client has given it back; it counts until the host is seen well.
    pub is_given_back: bool,
    /// What it counts in beside the fleet, frozen at the grant: rack, zone and group, each by its path or name.
    pub counts_in: Vec<Subject>,
    /// What is awaited, or what a person may do; one line.
    pub awaits: String,
}

/// `POST /v1/fleetlock/bind`: which host a client is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BindOrder {
    /// The client's id.
    pub client: String,
    /// The host's name; `null`: it is none any more.
    pub host: Option<String>,
    /// Why; kept in the audit.
    pub why: String,
}

/// `POST /v1/fleetlock/revoke`: take a reboot slot back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeSlotOrder {
    /// The client's id.
    pub client: String,
    /// Why; kept in the audit.
    pub why: String,
}

impl Body for Clients {
    const SCHEMA: &'static str = "hale.fleetlock/1";
}
