//! `GET /v1/hosts`: who belongs, and how each of them is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Body;

/// Every host that belongs, in the order of domain and name; retired ones last, where they were asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hosts {
    /// The hosts.
    pub hosts: Vec<HostLine>,
}

/// One host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostLine {
    /// Its name.
    pub name: String,
    /// Its id, in hex.
    pub id: String,
    /// The region in which it stands.
    pub region: String,
    /// The zone.
    pub zone: String,
    /// The rack.
    pub rack: String,
    /// What it is for.
    pub group: String,
    /// What else it may do: `keeper`, `healer`.
    pub roles: Vec<String>,
    /// Whether it votes in the ledger's Raft.
    pub is_voter: bool,
    /// `ok`, `doubted`, `case`, `quarantined`, `left`, `silent` (enrolled, its agent was never heard) or `retired`.
    pub state: String,
    /// Its open case, or that of its domain.
    pub case: Option<u64>,
    /// Whether a person lets nothing begin on it by itself (protocol 6.11).
    #[serde(default)]
    pub is_exempt: bool,
    /// Who doubts it, as far as the answering agent has heard.
    pub doubted_by: Vec<String>,
    /// What SWIM thinks of it here: `up`, `down`, or `self`. A hint, never a verdict.
    pub membership: String,
    /// How its observers reach it, as far as the answering agent has heard: `ok`, or the worst that one of them says:
    /// `degraded` (a fifth of its probes lost) or `failed` (two fifths).
    #[serde(default = "ok")]
    pub reach: String,
    /// The observers that reach it badly.
    #[serde(default)]
    pub reached_badly_by: Vec<String>,
    /// Whether the answering agent has a standing connection to it.
    pub is_connected: bool,
    /// The number of its agent's life; `null` until its agent has spoken.
    pub boot: Option<u64>,
    /// Where its agent is reached.
    pub address: Option<String>,
}

/// What an agent that does not say it is taken for.
fn ok() -> String {
    String::from("ok")
}

impl Body for Hosts {
    const SCHEMA: &'static str = "hale.hosts/1";
}
