//! `GET /v1/status`: the mesh on one screen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, CaseLine, Place};

/// The mesh on one screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// The cluster; `null` until the ledger is founded.
    pub cluster: Option<String>,
    /// The host whose agent answers.
    pub seen_by: String,
    /// Whether the ledger has been founded.
    pub is_founded: bool,
    /// Whether any rule of the policy may act; if not, the mesh only observes.
    pub may_act: bool,
    /// How far the ledger is.
    pub ledger: LedgerPlace,
    /// Who carries it.
    pub keepers: Keepers,
    /// The policy in force; `null` on a mesh that was never given one.
    pub policy: Option<PolicyBrief>,
    /// What stops or slows healing.
    pub brake: Brake,
    /// How much is under repair in the whole fleet.
    pub healing: HealingCount,
    /// Every zone, in the order of its path.
    pub zones: Vec<ZoneLine>,
    /// The fleet, then every zone, rack and group in which something is under repair or unhealthy, and every group that
    /// the policy names.
    pub budgets: Vec<BudgetLine>,
    /// Cases that are not closed, oldest first; at most [`Status::CASES_MAX`].
    pub cases: Vec<CaseLine>,
    /// How many are not closed.
    pub cases_open: u64,
    /// What size and layout of the fleet allow, in sentences (protocol 3.4).
    pub allows: Vec<String>,
    /// What a person should know and do: refused hosts, discounted observers, a mesh that only observes.
    pub notes: Vec<String>,
    /// How the agent that answers is itself.
    #[serde(default)]
    pub agent: AgentLine,
}

/// How the agent that answers is itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentLine {
    /// What of it stands still, is nearly full or too large, one sentence each; they stand among the notes, too.
    pub troubles: Vec<String>,
    /// Memory that it holds.
    pub memory_bytes: u64,
    /// Most that it may (`limits.memory_max`).
    pub memory_max_bytes: u64,
    /// Descriptors that it has open.
    pub descriptors: u64,
    /// Most that the system lets it open.
    pub descriptors_max: u64,
    /// How late its timers were at the last look.
    pub late_ms: u64,
    /// Its queues with their bounds.
    pub queues: Vec<QueueLine>,
}

/// One queue of the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QueueLine {
    /// What waits in it.
    pub name: String,
    /// How much.
    pub used: u64,
    /// Most that may.
    pub bound: u64,
}

/// How far the ledger is, as this agent knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerPlace {
    /// The last applied entry.
    pub index: u64,
    /// Ledger time.
    pub time_ms: u64,
    /// The roster's epoch.
    pub epoch: u64,
    /// Which rules are in force; an agent that does not say so knows only the first.
    #[serde(default = "first_rules")]
    pub rules: u64,
    /// The newest record of the audit.
    pub head: Place,
}

/// Who carries the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Keepers {
    /// The voters in the order in which they were named.
    pub voters: Vec<KeeperLine>,
    /// How many of them seem up to this agent.
    pub up: u64,
    /// Who leads, as far as this agent knows.
    pub leader: Option<String>,
    /// For how long this agent has known of no leader; `null` while it knows of one, or where nothing is founded.
    #[serde(default)]
    pub leaderless_ms: Option<u64>,
    /// In which term.
    pub term: u64,
}

/// One voter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeeperLine {
    /// Its name.
    pub host: String,
    /// Whether it leads.
    pub is_leader: bool,
    /// Whether it seems up to this agent: a hint of membership, never a verdict.
    pub is_up: bool,
}

/// The policy in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyBrief {
    /// Its version.
    pub version: u64,
    /// Who set it.
    pub who: String,
    /// Why.
    pub why: String,
    /// When.
    pub set: String,
    /// How many rules it has.
    pub rules: u64,
    /// How many of them may act.
    pub acting: u64,
}

/// What stops or slows healing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Brake {
    /// Whether nothing may begin.
    pub is_on: bool,
    /// Why, and what lifts it; `null` while it is off.
    pub why: Option<String>,
    /// A person's stop.
    pub pause: Option<PauseSeen>,
    /// The case of a standing surge.
    pub surge: Option<u64>,
    /// Healing begins again, a few at a time.
    pub ramp: Option<RampSeen>,
}

/// A person's stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PauseSeen {
    /// Who.
    pub who: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub since: String,
}

/// A step of the ramp after a brake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RampSeen {
    /// How many may be under repair at once in this step.
    pub limit: u64,
    /// How many have ended in it.
    pub ended: u64,
}

/// How much is under repair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealingCount {
    /// Leases that count now.
    pub in_flight: u64,
    /// How many may.
    pub limit: u64,
}

/// One zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ZoneLine {
    /// Its path, `eu/eu-a`.
    pub zone: String,
    /// Its hosts.
    pub hosts: u64,
    /// Those with neither doubt nor case.
    pub ok: u64,
    /// Those in doubt, as far as this agent has heard, without a case.
    pub doubted: u64,
    /// Those with a case that is not closed, alone or in the case of their domain.
    pub in_case: u64,
    /// Leases that count now.
    pub in_flight: u64,
}

/// One scope of the budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetLine {
    /// `fleet`, `zone eu/eu-a`, `rack eu/eu-a/r1` or `group web`.
    pub scope: String,
    /// Its hosts.
    pub hosts: u64,
    /// Leases that count now.
    pub in_flight: u64,
    /// How many may.
    pub limit: u64,
    /// Its hosts with a case that counts as trouble.
    pub unhealthy: u64,
    /// Above how many of these nothing begins in it; `null`: no halt by this scope.
    pub halt_above: Option<u64>,
    /// Whether it is halted now.
    pub is_halted: bool,
    /// How many remedies began in it within the last hour.
    pub begun: u64,
    /// How many may, if the policy says so.
    pub per_hour: Option<u64>,
    /// How many remedies began in it within the last day; none is counted while no day is bounded.
    #[serde(default)]
    pub begun_in_a_day: u64,
    /// How many may in any day, if the policy says so.
    pub per_day: Option<u64>,
    /// Where it is spent: within what time the first of its leases ends unless it is renewed.
    pub next_free_ms: Option<u64>,
}

fn first_rules() -> u64 {
    1
}

impl Status {
    /// A screenful; `hale cases` shows all.
    pub const CASES_MAX: usize = 20;
}

impl Body for Status {
    const SCHEMA: &'static str = "hale.status/1";
}
