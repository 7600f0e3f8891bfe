//! `GET /v1/leases`: who has leave to repair what, for how long, and what it counts in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, LeaseSeen, SlotLine, Subject};

/// Every lease and every reboot slot that counts against the budgets; the oldest case first, then by client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Leases {
    /// The leases.
    pub leases: Vec<LeaseLine>,
    /// The reboot slots of FleetLock clients, which count in the same budgets.
    #[serde(default)]
    pub slots: Vec<SlotLine>,
    /// Why there are none, and what to ask next; `null` if there are any.
    pub nothing: Option<String>,
}

/// One lease on one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeaseLine {
    /// The number of its case.
    pub case: u64,
    /// Who is repaired.
    pub subject: Subject,
    /// Fence, holder and what is left of it.
    pub lease: LeaseSeen,
    /// The stage of its case: `offered`, `leased`, `remedy`, `orphaned`, `verifying` or `escalated`.
    pub stage: String,
    /// What it counts in beside the fleet, frozen at the grant: rack, zone and group, each by its path or name.
    pub counts_in: Vec<Subject>,
    /// What happens now, what is awaited, or what a person must do; one line.
    pub awaits: String,
}

impl Body for Leases {
    const SCHEMA: &'static str = "hale.leases/1";
}
