//! `hale simulate`: the scenarios that are at hand, and what came of one. No agent answers these.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Subject};

/// The scenarios of the library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Scenarios {
    /// Each of them.
    pub scenarios: Vec<ScenarioLine>,
}

/// One scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioLine {
    /// How it is asked for.
    pub name: String,
    /// What it shows.
    pub about: String,
}

/// One run of a scenario on a virtual fleet. Moments and spans are virtual, in milliseconds since the trace began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Simulated {
    /// Its name, or its file.
    pub scenario: String,
    /// All chance came from here: the same scenario, fleet, policy and seed give the same run.
    pub seed: u64,
    /// How many hosts there were.
    pub hosts: u64,
    /// Whence they were taken: `scenario`, `--hosts` or `mesh`.
    pub hosts_from: String,
    /// Whence the policy was taken: `scenario`, `library`, a file, `mesh, version 3`, or `none`.
    pub policy_from: String,
    /// How long the trace is.
    pub ran_ms: u64,
    /// What happened, in words that may change.
    pub trace: Vec<TraceLine>,
    /// How often a host came into trouble: its agent dead or frozen, the machine off or silent, cut off from most others.
    pub troubles: u64,
    /// In how many of them a true verdict was reached.
    pub troubles_found: u64,
    /// From the beginning of a trouble to its first true verdict; `null` where there was none.
    pub time_to_verdict: Option<TimeToVerdict>,
    /// Verdicts of death, and of domains, about hosts in trouble.
    pub verdicts_true: u64,
    /// The same about others; of a sound mesh none.
    pub verdicts_false: u64,
    /// Of the true ones, how many say of one host that it is dead or hung while its agent runs: it is cut off, or nearly.
    pub verdicts_of_living: u64,
    /// Each of them, the first 10,000.
    pub verdicts: Vec<VerdictSeen>,
    /// What else was concluded and condemns nobody: surges, unsettled doubts, goodbyes, duplicates.
    pub notices: Vec<NoticeCount>,
    /// How many cases were given to a person.
    pub escalated: u64,
    /// How many remedies were begun.
    pub remedies_begun: u64,
    /// How many of them on hosts that were well.
    pub remedies_on_well: u64,
    /// The most leases that counted at once in each scope that had any.
    pub in_flight: Vec<InFlightMost>,
    /// Whether every host was well and no case open at the end.
    pub is_whole: bool,
    /// From the first trouble until the fleet was whole for good; 0 where it always was, `null` where it was not at the end.
    pub time_to_whole_ms: Option<u64>,
    /// Laws of the mesh that were broken: a fault of hale. Of a sound mesh none, whatever is done to it.
    pub breaches: Vec<LawBroken>,
}

/// One line of the trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceLine {
    /// When.
    pub at_ms: u64,
    /// What happened.
    pub text: String,
}

/// The middle and the longest of several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimeToVerdict {
    /// Half of them were no longer.
    pub p50_ms: u64,
    /// None was longer.
    pub max_ms: u64,
}

/// One verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictSeen {
    /// When.
    pub at_ms: u64,
    /// What was concluded.
    pub verdict: String,
    /// About whom.
    pub subject: Subject,
    /// The hosts that it is about.
    pub hosts: Vec<String>,
    /// Whether each of them was in trouble, or had been within the seven seconds before.
    pub is_true: bool,
}

/// How often something was concluded that condemns nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoticeCount {
    /// What: `Surge`, `Unsettled`, `Left` or `Duplicate`.
    pub verdict: String,
    /// How often.
    pub count: u64,
}

/// The most leases that counted at once in one scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InFlightMost {
    /// Which.
    pub scope: Subject,
    /// So many.
    pub most: u32,
    /// Of so many, at that moment.
    pub limit: u32,
}

/// A law that was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LawBroken {
    /// When, since the fleet began.
    pub at_ms: u64,
    /// Which, and how.
    pub law: String,
}

impl Body for Scenarios {
    const SCHEMA: &'static str = "hale.scenarios/1";
}

impl Body for Simulated {
    const SCHEMA: &'static str = "hale.simulated/1";
}
