//! What the mesh can conclude, about whom, and the grounds it stands on.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::canonical::{Canonical, CanonicalBytes};
use crate::host::{Domain, HostId, Zone};
use crate::looking::{Anchor, Attestation, SelfAnswer};
use crate::name::{GroupName, Label};
use crate::number::Epoch;

/// The kinds of verdict (protocol 3.6).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum VerdictKind {
    /// The agent answers on no path, while the host is proven alive.
    AgentDown,
    /// Nothing answers.
    HostDown,
    /// Connections are accepted and nothing answers.
    HostHung,
    /// Reachable, but a check fails.
    Unfit(Label),
    /// A whole rack or zone is silent.
    DomainDown,
    /// A doubt with neither verdict nor end.
    Unsettled,
    /// Too much trouble at once.
    Surge,
    /// The agent said goodbye.
    Left,
    /// Two machines claim one boot.
    Duplicate,
}

/// What a case or a budget is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// One host.
    Host(HostId),
    /// One rack, by its full path.
    Rack(Domain),
    /// One zone.
    Zone(Zone),
    /// One group.
    Group(GroupName),
    /// All of it.
    Fleet,
}

/// The attestations, for and against, of all rounds at one anchor: what verdicts stand on (protocol 3.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grounds {
    /// The one anchor of everything below.
    pub anchor: Anchor,
    /// The roster's epoch when the rounds began.
    pub epoch: Epoch,
    /// What observers signed.
    pub attestations: Vec<Attestation>,
    /// What subjects and witnesses signed of themselves for this anchor, or for an observer's [`Anchor::nonce`] of it.
    pub answers: Vec<SelfAnswer>,
}

impl VerdictKind {
    /// The word for screens, logs and `HALE_VERDICT`; `Unfit` carries its check.
    pub fn word(&self) -> String {
        match self {
            Self::AgentDown => "AgentDown".into(),
            Self::HostDown => "HostDown".into(),
            Self::HostHung => "HostHung".into(),
            Self::Unfit(check) => format!("Unfit({check})"),
            Self::DomainDown => "DomainDown".into(),
            Self::Unsettled => "Unsettled".into(),
            Self::Surge => "Surge".into(),
            Self::Left => "Left".into(),
            Self::Duplicate => "Duplicate".into(),
        }
    }
}

impl fmt::Display for VerdictKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.word())
    }
}

impl Canonical for VerdictKind {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes.text(&self.word());
    }
}

impl Canonical for Scope {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        match self {
            Self::Host(host) => bytes.variant(0).value(host),
            Self::Rack(domain) => bytes.variant(1).text(&domain.to_string()),
            Self::Zone(zone) => bytes.variant(2).text(&zone.to_string()),
            Self::Group(group) => bytes.variant(3).text(group.as_str()),
            Self::Fleet => bytes.variant(4),
        };
    }
}
