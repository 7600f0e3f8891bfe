//! `GET /v1/policy`: the policy in force, and those before it; and what another one in its place changes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, RungPlace, Subject};

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

/// What a policy in the place of another one changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyChange {
    /// The version in whose place it comes; 0 on a mesh that was never given one.
    pub from: u64,
    /// The texts, line by line; `null` where the order was carried out: `hale policy diff` shows them.
    pub diff: Option<PolicyDiff>,
    /// What a person should look at; at most 50.
    pub warnings: Vec<PolicyWarning>,
    /// How many warnings more.
    pub warnings_left_out: u64,
    /// What becomes of the open cases; `null` where the order was carried out: `hale cases` shows them.
    pub cases: Option<CasesChanged>,
}

/// What in a policy is sound, and may not be what was meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyWarning {
    /// `NobodyIsCalled`, `AnybodyEnrols`, `LooksAtLess`, `BeginsToAct`, `HarsherRemedy`, `NoHost`, `NeverDecides`, `LimitsLess`,
    /// `NothingInFlight` or `FloorOfAll`.
    pub name: String,
    /// Which rule, check or budget, and why.
    pub sentence: String,
}

/// What becomes of the open cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CasesChanged {
    /// How many cases are open.
    pub open: u64,
    /// Those of which rule, mode, next rung, stage, approval or anything that holds them changes, and those that are opened: first what
    /// hale may do more about, then what moves, then the others, by number; at most 50.
    pub changed: Vec<CaseChange>,
    /// How many this policy opens at once, in front of waits that it shortens.
    pub opened: u64,
    /// How many more change.
    pub left_out: u64,
}

/// One case under both policies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseChange {
    /// Its number.
    pub id: u64,
    /// About whom.
    pub subject: Subject,
    /// What was concluded.
    pub verdict: String,
    /// Where it stands under the policy in force.
    pub before: CaseUnder,
    /// Where it would stand under the other one.
    pub after: CaseUnder,
}

/// Where a case stands under one policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseUnder {
    /// The rule that it falls under.
    pub rule: Option<String>,
    /// What that rule may: `observe`, `shadow`, `approve` or `act`; `null` without a rule, or where the policy has it no more.
    pub mode: Option<String>,
    /// The rung that is being tried, or is to be tried next; `null` where no rule acts.
    pub rung: Option<RungPlace>,
    /// Its stage, as in the list of cases.
    pub stage: String,
    /// What holds it first, or what happens next.
    pub awaits: String,
}

impl Body for PolicyInForce {
    const SCHEMA: &'static str = "hale.policy/1";
}

impl Body for PolicyDiff {
    const SCHEMA: &'static str = "hale.policy.diff/1";
}
