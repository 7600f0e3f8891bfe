//! What a person may order, what comes of it, and how the socket says no.
//!
//! Who orders is never said here: the kernel says it of the socket's other end (law W1).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, PolicyChange};

/// `POST /v1/pause`: stop all healing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseOrder {
    /// Why; kept in the audit.
    pub why: String,
}

/// `POST /v1/resume`: lift pause and surge; the ramp begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeOrder {
    /// Why; kept in the audit.
    pub why: String,
}

/// `POST /v1/policy`: set the policy of the whole mesh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyOrder {
    /// The whole document.
    pub text: String,
    /// Why; kept in the audit.
    pub why: String,
    /// Refused unless this version is in force; `null`: whichever is.
    #[serde(default)]
    pub if_version: Option<u64>,
}

/// `POST /v1/policy/rollback`: set the text of an earlier version anew, as the next version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackOrder {
    /// Which version's text: one that can be read back, or 0 for none, so that the mesh only observes.
    pub version: u64,
    /// Why; kept in the audit behind the number.
    pub why: String,
    /// Refused unless this version is in force; `null`: whichever is.
    #[serde(default)]
    pub if_version: Option<u64>,
}

/// `POST /v1/host/retire`: bury a host for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetireOrder {
    /// Its name.
    pub host: String,
    /// Why; kept in the audit.
    pub why: String,
}

/// `POST /v1/host/add`: let a host of this name enrol where the policy takes only hosts that were added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddOrder {
    /// Its name, as its certificate says it.
    pub host: String,
    /// Take the addition of a host that has not come yet back.
    #[serde(default)]
    pub undo: bool,
    /// Why; kept in the audit.
    pub why: String,
}

/// `POST /v1/host/exempt`: let nothing begin on a host by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExemptOrder {
    /// Its name.
    pub host: String,
    /// Take an exemption back.
    #[serde(default)]
    pub undo: bool,
    /// Why; kept in the audit.
    pub why: String,
}

/// `POST /v1/case/dismiss`: close a case by hand, and with it a lease that still counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DismissOrder {
    /// Its number.
    pub case: u64,
    /// Why; kept in the audit.
    pub why: String,
}

/// `POST /v1/case/approve`: allow what would be tried next in a case whose rule waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveOrder {
    /// The case's number.
    pub case: u64,
    /// The verdict that was seen; `null`: the one that stands as the asked agent knows it.
    #[serde(default)]
    pub verdict: Option<String>,
    /// The rung that is meant, from 1; `null`: the one that is next as the asked agent knows it.
    #[serde(default)]
    pub rung: Option<u64>,
    /// The version of the policy whose rung that is; `null`: the one in force as the asked agent knows it.
    #[serde(default)]
    pub if_version: Option<u64>,
    /// Why; kept in the audit.
    pub why: String,
}

/// `POST /v1/case/deny`: forbid what would be tried next in a case; it is a person's then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DenyOrder {
    /// The case's number.
    pub case: u64,
    /// Why; kept in the audit.
    pub why: String,
}

/// `POST /v1/lease/revoke`: take the lease of a case back, so that it counts no more; the case stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeOrder {
    /// The case's number.
    pub case: u64,
    /// Why; kept in the audit.
    pub why: String,
}

/// `POST /v1/release`: free a host from its quarantine, or a group that is stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseOrder {
    /// The name of the host, or of the group.
    pub name: String,
    /// Whether it is a group's.
    #[serde(default)]
    pub is_group: bool,
    /// Why; kept in the audit.
    pub why: String,
}

/// `POST /v1/authorities`: which authorities vouch for hosts, in the whole mesh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustOrder {
    /// Their certificates, PEM, all of them; one at least vouches today.
    pub pem: String,
    /// Why; kept in the audit.
    pub why: String,
}

/// `POST /v1/agent/reload`: take the certificate files of this one host into use, without a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReloadOrder {
    /// Why; kept in this agent's log.
    pub why: String,
}

/// `POST /v1/report`: say that a host fails, as somebody sees it who holds no seat on it: it may be looked at, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportOrder {
    /// Its name.
    pub host: String,
    /// What was seen, in one sentence of 200 bytes at the most.
    pub failed: String,
}

/// `POST /v1/init`: found the ledger, once for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FoundOrder {
    /// The first voters by name: 1, 3, 5 or 7.
    pub keepers: Vec<String>,
}

/// An order that was carried out, or rehearsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ordered {
    /// What has become true, and what follows.
    pub sentence: String,
    /// The order was only rehearsed: nothing has become true, and the sentence says what would have.
    #[serde(default)]
    pub dry_run: bool,
    /// The version of the policy that is in force now, where it was set.
    pub version: Option<u64>,
    /// What the policy changes, where one was set: the warnings; where it was only rehearsed the texts and the open cases too.
    #[serde(default)]
    pub policy: Option<PolicyChange>,
}

/// Why nothing was answered or done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// The rule by name: `NotPermitted`, `Brake`, `CaseOpen`, `NoMajority`, `NoSuch`, `Malformed`, ...
    pub name: String,
    /// What is refused, why, and what frees it.
    pub sentence: String,
}

impl Refusal {
    /// A refusal by the socket itself.
    pub fn new(name: &str, sentence: impl Into<String>) -> Self {
        Self { name: name.to_owned(), sentence: sentence.into() }
    }

    /// Whether no rule of the mesh said no: what was asked does not exist, or was asked wrongly.
    pub fn is_no_rule(&self) -> bool {
        matches!(self.name.as_str(), "NoSuch" | "Malformed" | "Bug")
    }
}

impl Body for Ordered {
    const SCHEMA: &'static str = "hale.ordered/1";
}

impl Body for Refusal {
    const SCHEMA: &'static str = "hale.refusal/1";
}
