//! `GET /v1/certs`: when the certificates of the mesh end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Body;

/// Every certificate that the answering agent knows of, the soonest end first; those of unknown end last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certs {
    /// The certificates.
    pub certs: Vec<CertLine>,
}

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CertLine {
    /// The host whose it is, or the authority.
    pub of: String,
    /// `host` or `authority`.
    pub kind: String,
    /// The zone of the host, `eu/eu-a`; `null` for an authority.
    pub zone: Option<String>,
    /// The group of the host; `null` for an authority.
    pub group: Option<String>,
    /// Its last moment; `null` where this agent does not know it.
    pub ends: Option<String>,
    /// Seconds until then, by the answering host's clock; negative once it has ended.
    pub left_s: Option<i64>,
    /// `ok`, `month` (30 days or less), `week`, `day`, `ended` or `unknown`.
    pub state: String,
    /// Where the answering agent has it from: `ledger`, `connection` (what the host has shown in its last handshake with this
    /// one), `file` (this host's own) or `nowhere`.
    pub from: String,
}

impl Body for Certs {
    const SCHEMA: &'static str = "hale.certs/1";
}
