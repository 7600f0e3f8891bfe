//! `hale pause`, `hale resume`, `hale approve`, `hale deny`, `hale release`, `hale report`, `hale init`: orders to the whole mesh.

use clap::Args;

use super::asking::{At, Why};
use super::exit::CommandFault;
use crate::admin::answer::{
    ApproveOrder, DenyOrder, FoundOrder, PauseOrder, ReleaseOrder, ReportOrder, ResumeOrder,
};

/// Stop all healing, in the whole mesh: nothing new begins, what was begun is inspected and verified.
#[derive(Clone, Debug, Args)]
pub struct Pause {
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    at: At,
}

/// Lift pause and surge: healing begins again with one at a time, then 2, 4, ...
#[derive(Clone, Debug, Args)]
pub struct Resume {
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    at: At,
}

/// Allow what would be tried next in a case whose rule waits for a person (mode "approve"): once, and for a while. Not at the host
/// whose agent proposed the verdict: `hale explain CASE` names it.
#[derive(Clone, Debug, Args)]
pub struct Approve {
    /// The case's number.
    #[arg(value_name = "CASE")]
    case: u64,
    /// Which verdict you have seen; refused if it is another by now. Without it, and the next two: what this host's agent knows now.
    #[arg(long, value_name = "VERDICT")]
    verdict: Option<String>,
    /// Which rung is meant, from 1; refused if the case is at another by now.
    #[arg(long, value_name = "N")]
    rung: Option<u64>,
    /// Under which version of the policy; refused if another is in force.
    #[arg(long, value_name = "N")]
    if_version: Option<u64>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    at: At,
}

/// Forbid what would be tried next in a case: hale begins nothing more for it, it is a person's.
#[derive(Clone, Debug, Args)]
pub struct Deny {
    /// The case's number.
    #[arg(value_name = "CASE")]
    case: u64,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    at: At,
}

/// Let a quarantined host be tried again, or healing go on in a group that failed remedies have stopped.
#[derive(Clone, Debug, Args)]
pub struct Release {
    /// Which host, by its name.
    #[arg(value_name = "HOST", required_unless_present = "group", conflicts_with = "group")]
    host: Option<String>,
    /// Which group, in place of a host.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    at: At,
}

/// Found the ledger of a new mesh, once for ever; refused where one exists.
#[derive(Clone, Debug, Args)]
pub struct Init {
    /// The hosts that vote in it: 1, 3, 5 or 7, this one among them; their agents must run.
    #[arg(long, value_name = "A,B,C", value_delimiter = ',', required = true)]
    keepers: Vec<String>,
    #[command(flatten)]
    at: At,
}

/// Say that a host fails, as you or a script sees it: it is looked at, and what its observers see decides. A report is no voice.
#[derive(Clone, Debug, Args)]
pub struct Report {
    /// Which host, by its name.
    #[arg(value_name = "HOST")]
    host: String,
    /// What was seen, in one sentence; `hale explain HOST` shows it for an hour.
    #[arg(long, value_name = "WHAT")]
    failed: String,
    /// Tell nobody; say whether the report could be told.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    at: At,
}

impl Pause {
    /// Does it.
    pub fn run(self) -> Result<(), CommandFault> {
        let Why { why, dry_run } = self.why;
        self.at.order("/v1/pause", &PauseOrder { why }, dry_run)
    }
}

impl Resume {
    /// Does it.
    pub fn run(self) -> Result<(), CommandFault> {
        let Why { why, dry_run } = self.why;
        self.at.order("/v1/resume", &ResumeOrder { why }, dry_run)
    }
}

impl Approve {
    /// Does it.
    pub fn run(self) -> Result<(), CommandFault> {
        let Why { why, dry_run } = self.why;
        let Self { case, verdict, rung, if_version, .. } = self;
        let order = ApproveOrder { case, verdict, rung, if_version, why };
        self.at.order("/v1/case/approve", &order, dry_run)
    }
}

impl Deny {
    /// Does it.
    pub fn run(self) -> Result<(), CommandFault> {
        let Why { why, dry_run } = self.why;
        self.at.order("/v1/case/deny", &DenyOrder { case: self.case, why }, dry_run)
    }
}

impl Release {
    /// Does it.
    pub fn run(self) -> Result<(), CommandFault> {
        let Why { why, dry_run } = self.why;
        let is_group = self.group.is_some();
        let name = self.group.or(self.host).unwrap_or_default();
        self.at.order("/v1/release", &ReleaseOrder { name, is_group, why }, dry_run)
    }
}

impl Report {
    /// Does it.
    pub fn run(self) -> Result<(), CommandFault> {
        let order = ReportOrder { host: self.host, failed: self.failed };
        self.at.order("/v1/report", &order, self.dry_run)
    }
}

impl Init {
    /// Does it.
    pub fn run(self) -> Result<(), CommandFault> {
        let keepers = self.keepers;
        self.at.order("/v1/init", &FoundOrder { keepers }, false)
    }
}
