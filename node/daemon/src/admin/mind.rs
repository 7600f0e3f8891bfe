//! All that the admin socket knows of the agent behind it.
//!
//! Law W2: whatever is asked, the ledger answers as this agent knows it; what only this agent knows is said to be so.
//! Not here: the running agent, which implements this; how answers are worked out (see `render`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::identity::alarm::Ending;
use crate::identity::{Renewal, RenewalFault};
use async_trait::async_trait;
use detection::verdict::NoVerdict;
use ledger::Ledger;
use ledger::command::{Command, Outcome};
use vocabulary::{Anchor, Claims, Grade, HostId, HostName, PathReading, Span, VerdictKind};

use crate::selfwatch;

/// The agent, as its admin socket sees it.
#[async_trait]
pub trait Mind: Send + Sync + 'static {
    /// Who this agent is, by its certificate.
    fn me(&self) -> Claims;

    /// The committed state as this agent knows it.
    fn view(&self) -> Arc<Ledger>;

    /// How much that state is worth.
    fn standing(&self) -> Standing;

    /// Finds out whether that state is the newest; what [`Mind::standing`] says is from then. Bounded in time, and asked
    /// before every answer.
    async fn refresh(&self);

    /// What only this agent knows.
    async fn local(&self) -> Local;

    /// Puts a command into the ledger, in this host's name, through whichever keeper leads.
    async fn propose(&self, command: Command) -> Result<Outcome, NotCommitted>;

    /// Founds the ledger with these first voters (protocol 1.4): gathers their certificates and proposes
    /// [`Command::Found`].
    async fn found(&self, keepers: Vec<HostName>) -> Result<Outcome, NotCommitted>;

    /// Tells the leader that a host of the roster fails, as somebody here says (protocol 2.8); whether it is looked at for it.
    async fn report(&self, report: Report) -> Result<bool, NotCommitted>;

    /// Reads this host's certificate files, and takes them into use unless it is a dry run.
    async fn reload(&self, is_dry_run: bool) -> Result<Renewal, RenewalFault>;
}

/// How much an agent's state of the ledger is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How long ago this state was known to be the newest.
    pub age: Span,
    /// Whether a majority of the keepers stood behind it lately; without one the ledger may have moved unseen.
    pub has_majority: bool,
    /// Who leads, as far as this agent knows.
    pub leader: Option<HostId>,
    /// In which term.
    pub term: u64,
}

/// What only this agent knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Local {
    /// Standing doubts by their subject: this agent's own, those told to it as leader, and gossiped ones.
    pub doubts: BTreeMap<HostId, Vec<DoubtHeld>>,
    /// Whom SWIM thinks alive; this host itself may be missing.
    pub up: BTreeSet<HostId>,
    /// Hosts with a standing connection.
    pub connected: BTreeSet<HostId>,
    /// What this agent's own paths to its subjects gave last.
    pub readings: BTreeMap<HostId, Vec<PathReading>>,
    /// Hosts that discount themselves, with the reason where it is known (protocol 2.7).
    pub discounting: BTreeMap<HostId, String>,
    /// Which observers reach a host badly: they lose a fifth of their probes to it, or more (protocol 2.6).
    pub reach: BTreeMap<HostId, Vec<(HostId, Grade)>>,
    /// How late this agent's loop or its sockets were at their worst in the last 10 s.
    pub late: Span,
    /// For how long it has known of no leader, if it knows of none (protocol 3.9).
    pub leaderless: Option<Span>,
    /// What was reported of which host to this agent, by somebody here or, where it leads, anywhere (protocol 2.8).
    pub reports: BTreeMap<HostId, Vec<ReportHeld>>,
    /// The last round on each subject that this agent held as leader.
    pub rounds: BTreeMap<HostId, RoundHeld>,
    /// Why this host is not admitted or enrolled, if it is refused; one sentence for each refusal.
    pub refusals: Vec<String>,
    /// Who holds newer rules back; only the leader knows.
    pub held_back: HeldBack,
    /// When the certificates of connected hosts end, as they have shown them, in seconds of the Unix epoch.
    pub endings: BTreeMap<HostId, u64>,
    /// When this host's own certificate ends.
    pub own_ending: Option<u64>,
    /// The authorities that this host believes.
    pub authorities: Vec<Ending>,
    /// What this agent knows of its own state.
    pub self_watch: selfwatch::Report,
    /// Whatever else a person of this host should know, one sentence each: a certificate that ends soon, a drifting clock.
    pub notes: Vec<String>,
}

pub use crate::host::raising::HeldBack;
pub use wire::Report;

/// One standing doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoubtHeld {
    /// Whose.
    pub by: HostId,
    /// For how long, where that is known.
    pub age: Option<Span>,
}

/// One report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportHeld {
    /// By way of which host's agent.
    pub by: HostId,
    /// Who there.
    pub who: String,
    /// What was seen.
    pub failed: String,
    /// How long ago it was said last.
    pub age: Span,
    /// How often it was said.
    pub times: u32,
}

/// A round that this agent held as leader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoundHeld {
    /// How long ago.
    pub age: Span,
    /// What it hung on.
    pub anchor: Anchor,
    /// What each observer's paths gave.
    pub paths: BTreeMap<HostId, Vec<PathReading>>,
    /// The verdict, or the rule that says no.
    pub verdict: Result<VerdictKind, NoVerdict>,
}

/// Why nobody can say that a command was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotCommitted {
    /// It did not reach a leader; nothing has moved.
    NoLeader(String),
    /// It was refused before a leader was asked; nothing has moved.
    Refused {
        /// The rule.
        name: &'static str,
        /// A sentence on it.
        why: String,
    },
    /// It may yet be committed: look before it is repeated.
    Unknown(String),
}
