//! `GET /v1/keepers`, and its order: who carries the ledger's votes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Body;

/// The hosts that carry a vote, in their order, then the spare keepers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeeperList {
    /// The keepers.
    pub keepers: Vec<KeeperRow>,
    /// Why there are none, and what to ask next; `null` if there are any.
    pub nothing: Option<String>,
}

/// One keeper on one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeeperRow {
    /// Its host.
    pub host: String,
    /// Where it stands.
    pub domain: String,
    /// What it has to say in the ledger.
    pub vote: Vote,
    /// Its store, as the host has told; `null` where it has told of none.
    pub store: Option<String>,
    /// Whether this agent thinks it alive.
    pub is_up: bool,
    /// What is awaited, or why it is fit for no vote; one line.
    pub note: Option<String>,
}

/// What a keeper has to say in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Vote {
    /// It leads.
    Leads,
    /// It votes.
    Votes,
    /// It is to vote, once its store holds what the ledger holds.
    ToVote,
    /// It votes still, and will not once the stores have followed the ledger.
    Leaving,
    /// It has none: it is a spare.
    Spare,
}

/// `POST /v1/keeper/votes`: give votes to hosts, take them from others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VotesOrder {
    /// Who gets one, by name.
    pub add: Vec<String>,
    /// Who has none any more, by name.
    pub remove: Vec<String>,
    /// Why; kept in the audit.
    pub why: String,
}

impl Body for KeeperList {
    const SCHEMA: &'static str = "hale.keepers/1";
}
