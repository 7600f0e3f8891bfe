//! `GET /v1/cases`: what trouble there is, and where each case stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vocabulary::{HostId, Scope};

use super::Body;

/// The cases that were asked for, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cases {
    /// The cases.
    pub cases: Vec<CaseLine>,
    /// Why there are none, and what to ask next; `null` if there are any.
    pub nothing: Option<String>,
}

/// One case on one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseLine {
    /// Its number.
    pub id: u64,
    /// About whom.
    pub subject: Subject,
    /// What was concluded: `AgentDown`, `HostDown`, `HostHung`, `DomainDown`, `Surge`, `Left`, ...
    pub verdict: String,
    /// `open`, `offered`, `leased`, `remedy`, `orphaned`, `verifying`, `escalated` or `closed`.
    pub stage: String,
    /// When the verdict was committed.
    pub opened: String,
    /// The same in ledger time.
    pub opened_ms: u64,
    /// The rule of the policy that it falls under.
    pub rule: Option<String>,
    /// The rung that is to be, is being or was tried; `null` where no rule acts.
    pub rung: Option<RungPlace>,
    /// The lease that counts for it.
    pub lease: Option<LeaseSeen>,
    /// How often a remedy was begun.
    pub attempts: u64,
    /// How many hosts it is about.
    pub hosts: u64,
    /// What happens now, what is awaited, or how it ended; one line.
    pub awaits: String,
    /// How and when it ended.
    pub closed: Option<ClosedHow>,
}

/// About whom a case is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// `host`, `rack`, `zone`, `group` or `fleet`.
    pub kind: String,
    /// The host's name, or the path of rack or zone; `fleet` for the fleet.
    pub name: String,
}

impl Subject {
    /// A scope in words; a host by the name that it has for whoever asks.
    pub fn of(scope: &Scope, name: impl FnOnce(&HostId) -> String) -> Self {
        let (kind, name) = match scope {
            Scope::Host(host) => ("host", name(host)),
            Scope::Rack(domain) => ("rack", domain.to_string()),
            Scope::Zone(zone) => ("zone", zone.to_string()),
            Scope::Group(group) => ("group", group.to_string()),
            Scope::Fleet => ("fleet", "fleet".to_owned()),
        };
        Self { kind: kind.to_owned(), name }
    }
}

/// A place on a ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RungPlace {
    /// From 1.
    pub number: u64,
    /// How many rungs the ladder has.
    pub of: u64,
    /// What it does: the program and its arguments.
    pub remedy: String,
    /// `gentle`, `disruptive` or `destructive`.
    pub class: String,
}

/// Leave to repair one subject for a limited term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeaseSeen {
    /// Its fence.
    pub fence: u64,
    /// Who holds it.
    pub healer: String,
    /// How much is left of it; 0 once it is over.
    pub left_ms: u64,
}

/// How and when a case ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClosedHow {
    /// `healed`, `recovered`, `retired`, `by person` or `merged`.
    pub how: String,
    /// The person's reason, or the case that took it over.
    pub detail: Option<String>,
    /// When.
    pub at: String,
}

impl Body for Cases {
    const SCHEMA: &'static str = "hale.cases/1";
}
