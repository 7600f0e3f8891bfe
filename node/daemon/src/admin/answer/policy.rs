//! `GET /v1/policy`: the policy in force, and those before it.

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

impl Body for PolicyInForce {
    const SCHEMA: &'static str = "hale.policy/1";
}
