//! `GET /v1/policy`: the policy in force, those before it, and which lines of two differ.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Body;

/// A version of the policy with its text, and the versions that can be read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyInForce {
    /// The version that was asked for: the one in force, or `?version=N`; 0 on a mesh that was never given one.
    pub version: u64,
    /// Its text as it was given; empty for version 0.
    pub text: String,
    /// Whether it is the one in force.
    pub is_in_force: bool,
    /// The versions that can be read back, oldest first; the audit names all.
    pub history: Vec<PolicyLine>,
}

/// One version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyLine {
    /// Its number.
    pub version: u64,
    /// SHA-256 of its text, in hex.
    pub digest: String,
    /// Who set it.
    pub who: String,
    /// Why.
    pub why: String,
    /// When.
    pub set: String,
}

/// Two texts of a policy, line by line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyDiff {
    /// Whose lines go: `version 3`.
    pub from: String,
    /// Whose lines come: `version 4`, or the name of a file.
    pub to: String,
    /// How many lines go.
    pub removed: u64,
    /// How many lines come.
    pub added: u64,
    /// The unified diff, with three lines around each change; empty where nothing differs. At most 400 lines of it.
    pub unified: String,
    /// How many more lines it has.
    pub left_out: u64,
}

impl Body for PolicyInForce {
    const SCHEMA: &'static str = "hale.policy/1";
}

impl Body for PolicyDiff {
    const SCHEMA: &'static str = "hale.policy.diff/1";
}
