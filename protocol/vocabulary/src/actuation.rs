//! What an actuator is told: one remedy for one named subject, and until when it may run.
//!
//! Law: an order names exactly one subject; there is no way to spell "all" (outage 1 of our notes: Diskerase).

use serde::{Deserialize, Serialize};

use crate::host::HostId;
use crate::name::HostName;
use crate::number::{CaseId, Fence, RemedyId};
use crate::remedy::RemedyClass;
use crate::time::Span;
use crate::verdict::VerdictKind;

/// A program with fixed arguments: no shell, nothing from peers is ever put into it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CommandRemedy {
    /// Absolute path of the program, then its arguments; 1 to [`CommandRemedy::ARGUMENTS_MAX`].
    pub argv: Vec<String>,
    /// Asks, without changing anything, whether the remedy was done: exit 0 done, 1 not done, else unknown.
    pub inspect: Option<Vec<String>>,
    /// How much it may break.
    pub class: RemedyClass,
    /// It is ended, process group and all, when it runs longer.
    pub time_limit: Span,
}

impl CommandRemedy {
    /// More arguments than any remedy we have seen; a longer line belongs into a script.
    pub const ARGUMENTS_MAX: usize = 64;
}

/// What the healer hands to an actuator.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RemedyOrder {
    /// The case that it serves (`HALE_CASE`).
    pub case: CaseId,
    /// The one subject.
    pub subject: HostId,
    /// Its name (`HALE_SUBJECT`).
    pub subject_name: HostName,
    /// Why (`HALE_VERDICT`).
    pub verdict: VerdictKind,
    /// The lease's fence (`HALE_FENCE`).
    pub fence: Fence,
    /// Which remedy (`HALE_REMEDY_ID`).
    pub remedy: RemedyId,
    /// What to do.
    pub command: CommandRemedy,
    /// What is left, from now, until the lease's end less its margin; whatever still runs then is ended (protocol 7.5).
    pub at_most: Span,
}
