//! `GET /v1/maintenance`, and its orders: windows in which nothing begins on whom they cover.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Subject};

/// Every window, by number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Maintenance {
    /// The windows.
    pub windows: Vec<WindowLine>,
    /// Why there are none, and what to ask next; `null` if there are any.
    pub nothing: Option<String>,
}

/// One window on one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WindowLine {
    /// Its number.
    pub window: u64,
    /// Whom it covers.
    pub scope: Subject,
    /// How long it is open, each time.
    pub lasts_ms: u64,
    /// Its schedule, five fields; `null`: it is open once, from when it was ordered.
    pub cron: Option<String>,
    /// In which time zone.
    pub time_zone: Option<String>,
    /// How long it is open still; `null` while it is closed.
    pub left_ms: Option<u64>,
    /// When its schedule opens it next, by this host's wall clock.
    pub next: Option<String>,
    /// Who ordered it.
    pub who: String,
    /// Why.
    pub why: String,
    /// When it was ordered.
    pub added: String,
}

/// `POST /v1/maintenance`: open a window now, or plan it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaintainOrder {
    /// Whom it covers: a host by its name, a rack or zone by its path or its own name, a group, or the fleet.
    pub scope: Subject,
    /// How long it is open, from a minute to seven days.
    pub lasts_ms: u64,
    /// When, as five fields of crontab(5); `null`: now, and once.
    #[serde(default)]
    pub cron: Option<String>,
    /// In which time zone, by its name; `null`: UTC.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Why; kept in the audit.
    pub why: String,
}

/// `POST /v1/maintenance/end`: end a window for good, open or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndOrder {
    /// Its number.
    pub window: u64,
    /// Why; kept in the audit.
    pub why: String,
}

impl Body for Maintenance {
    const SCHEMA: &'static str = "hale.maintenance/1";
}
