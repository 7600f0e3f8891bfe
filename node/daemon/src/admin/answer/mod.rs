//! What the admin socket answers, as types: the server fills them, `--json` prints them, the schemas are made from them.
//!
//! Law J1: every answer is one [`Answer`] with the name of its schema; fields are only ever added.
//! Law J2: the schema files under `docs/operating/schemas` are made from these types, and a test compares them.
//! Not here: how an answer is worked out (see `render`), how it looks on a screen (see `command_line`).
//!
//! Times are RFC 3339 in UTC; `_ms` are milliseconds; hosts go by their names, and by their ids where none is known.

mod audit;
mod cases;
mod certs;
mod explain;
mod fleetlock;
mod hosts;
mod keepers;
mod leases;
mod maintenance;
mod orders;
mod policy;
mod schemas;
mod simulated;
mod status;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use audit::{AuditPage, AuditRecord, AuditSeal, AuditVerified, Place, UnsealFault};
pub use cases::{CaseLine, Cases, ClosedHow, LeaseSeen, RungPlace, Subject};
pub use certs::{CertLine, Certs};
pub use explain::{
    Awaited, CaseExplained, Decided, DoubtSeen, Explained, HostExplained, ObserverSeen, PathSeen,
    RemedySeen, ReportSeen, VoiceSeen, Votes,
};
pub use fleetlock::{BindOrder, ClientLine, Clients, RevokeSlotOrder, SlotLine};
pub use hosts::{HostLine, Hosts};
pub use keepers::{KeeperList, KeeperRow, Vote, VotesOrder};
pub use leases::{LeaseLine, Leases};
pub use maintenance::{EndOrder, MaintainOrder, Maintenance, WindowLine};
pub use orders::{
    AddOrder, ApproveOrder, DenyOrder, DismissOrder, ExemptOrder, FoundOrder, Ordered, PauseOrder,
    PolicyOrder, Refusal, ReleaseOrder, ReloadOrder, ReportOrder, ResumeOrder, RetireOrder,
    RevokeOrder, RollbackOrder, TrustOrder,
};
pub use policy::{
    CaseChange, CaseUnder, CasesChanged, PolicyChange, PolicyDiff, PolicyInForce, PolicyLine,
    PolicyWarning,
};
pub use schemas::{Schema, schemas};
pub use simulated::{
    InFlightMost, LawBroken, NoticeCount, ScenarioLine, Scenarios, Simulated, TimeToVerdict,
    TraceLine, VerdictSeen,
};
pub use status::{
    AgentLine, Brake, BudgetLine, HealingCount, KeeperLine, Keepers, LedgerPlace, PauseSeen,
    PolicyBrief, QueueLine, RampSeen, Status, ZoneLine,
};

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answer<B> {
    /// Which schema `data` follows, `hale.cases/1` for example.
    pub schema: String,
    /// The moment at which `data` was true.
    pub as_of: String,
    /// How long ago that is.
    pub age_ms: u64,
    /// Whether a majority of the keepers stands behind it; without one the ledger may have moved unseen.
    pub fresh: bool,
    /// What was asked for.
    pub data: B,
}

/// What an answer carries.
pub trait Body: Serialize + DeserializeOwned + JsonSchema {
    /// The name of its schema; the number rises when a field changes its meaning or goes.
    const SCHEMA: &'static str;
}
