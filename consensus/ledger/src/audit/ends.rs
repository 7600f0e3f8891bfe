//! How leases and reboot slots end, as the history tells it.
//!
//! Not here: when they end (see `leases`, `expiry`, `slots`).

use std::fmt;

use serde::{Deserialize, Serialize};
use vocabulary::{Anchor, CaseId};

/// Why a lease is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeaseEnd {
    /// Nobody took it in time (protocol 7.2).
    NotAccepted,
    /// It was not renewed (protocol 7.6).
    RanOut,
    /// Its healer gave it back; why.
    Released(String),
    /// A person took it back (protocol 7.6).
    Revoked {
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
}

/// How a reboot slot ended (protocol 6.12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SlotEnd {
    /// It was given back, and a round proved the host well.
    Well {
        /// The round.
        anchor: Anchor,
    },
    /// It was given back by a client of which nobody knows the host.
    Told,
    /// A lease to heal the host has taken its place.
    Healing {
        /// Its case.
        case: CaseId,
    },
    /// The host was retired.
    Retired,
    /// A person took it back.
    Revoked {
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
}

impl fmt::Display for SlotEnd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Well { .. } => write!(out, "given back, and its host is seen well"),
            Self::Told => write!(out, "given back; nobody knows its host"),
            Self::Healing { case } => write!(out, "its host is healed in case {case}"),
            Self::Retired => write!(out, "its host is retired"),
            Self::Revoked { who, why } => write!(out, "taken back by {who}: {why}"),
        }
    }
}
