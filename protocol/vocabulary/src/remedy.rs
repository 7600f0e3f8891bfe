//! What is done to a subject and what came of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::number::{Fence, RemedyId};

/// How much a remedy may break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RemedyClass {
    /// Restarts a part of a host.
    Gentle,
    /// Takes the host away for a while.
    Disruptive,
    /// Takes it away for good.
    Destructive,
}

/// How a remedy ended. `Unknown` is a real answer and is never rounded to one of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ReceiptKind {
    /// It was carried out.
    Done,
    /// It was not begun, and says why.
    Refused,
    /// Nobody knows: inspect, never repeat blindly (protocol 7.5).
    Unknown,
}

/// What the healer reports of one remedy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Receipt {
    /// Which one.
    pub remedy: RemedyId,
    /// Under which fence it ran.
    pub fence: Fence,
    /// How it ended.
    pub kind: ReceiptKind,
    /// One line for people: exit code, last line of output; at most [`Receipt::DETAIL_BYTES_MAX`].
    pub detail: String,
}

impl Receipt {
    /// One screen line; the whole output stays in the healer's log.
    pub const DETAIL_BYTES_MAX: usize = 500;
}

impl fmt::Display for RemedyClass {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Gentle => "gentle",
            Self::Disruptive => "disruptive",
            Self::Destructive => "destructive",
        })
    }
}

impl fmt::Display for ReceiptKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Done => "Done",
            Self::Refused => "Refused",
            Self::Unknown => "Unknown",
        })
    }
}
