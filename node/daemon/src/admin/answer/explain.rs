//! `GET /v1/explain/WHAT`: one case or one host, with everything that is known about why it stands where it stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AuditRecord, Body, CaseLine, HostLine};

/// One case, or one host with its case if it has one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Explained {
    /// The host; `null` where a case was asked for that is not about a single host.
    pub host: Option<HostExplained>,
    /// The case that was asked for, or the newest case of the host.
    pub case: Option<CaseExplained>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseExplained {
    /// The case on one line.
    pub case: CaseLine,
    /// Its hosts by name, at most 64, where it is about several.
    pub members: Vec<String>,
    /// The entry of the ledger that the round hangs on.
    pub anchor: u64,
    /// The digest of the grounds, in hex.
    pub grounds: String,
    /// How the voices added up.
    pub votes: Votes,
    /// Who looked, and what each saw.
    pub voices: Vec<VoiceSeen>,
    /// What followed, rule by rule.
    pub decided: Vec<Decided>,
    /// What is awaited, and what frees it; empty once it is over.
    pub awaited: Vec<Awaited>,
    /// Every remedy that was begun, oldest first.
    pub remedies: Vec<RemedySeen>,
    /// Its records of the audit, oldest first.
    pub timeline: Vec<AuditRecord>,
    /// Records of its beginning that fell out of the state; exported audits have them.
    pub timeline_is_cut: bool,
}

/// How the voices of a round added up (protocol 3.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Votes {
    /// K: how many observers the subject has now.
    pub seats: u64,
    /// Voices against it.
    pub against: u64,
    /// Voices that saw it well.
    pub well: u64,
    /// Seats that did not count: silent or discounted holders.
    pub vacant: u64,
    /// How many voices a verdict needed.
    pub needed: u64,
    /// f: how many may lie or be mistaken.
    pub tolerated: u64,
}

/// One observer's part in a round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VoiceSeen {
    /// Who looked.
    pub observer: String,
    /// From where, `eu/eu-a/r1`.
    pub domain: String,
    /// `against`, `well`, `vacant` or `mute`.
    pub said: String,
    /// By which paths, and what each gave; empty where the ledger keeps no more than the voice.
    pub paths: Vec<PathSeen>,
    /// How fit it was to look: `fit`, or why its voice against others does not count (protocol 2.7).
    pub fitness: String,
}

/// One path and what it gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PathSeen {
    /// `warm`, `stream`, `fresh dial`, `near relay`, `far relay`, `agent port` or `port 22`.
    pub path: String,
    /// `answered`, `refused`, `accepted`, `silent` or `absent`.
    pub reading: String,
}

/// One step of the reasoning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decided {
    /// The rule, as the pages under `docs/protocol` number it.
    pub rule: String,
    /// What it says of this case.
    pub sentence: String,
}

/// What is awaited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Awaited {
    /// The name of the refusal, or of the wait.
    pub name: String,
    /// What, with its figures, and what frees it.
    pub sentence: String,
    /// The rule of the protocol that it follows from, as the pages under `docs/protocol` number it.
    pub rule: Option<String>,
    /// How long still, where that is known.
    pub left_ms: Option<u64>,
}

/// One remedy that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemedySeen {
    /// Its id.
    pub id: u64,
    /// The rung, from 1.
    pub rung: u64,
    /// The program and its arguments.
    pub remedy: String,
    /// `gentle`, `disruptive` or `destructive`.
    pub class: String,
    /// The fence it ran under.
    pub fence: u64,
    /// Who saw it through.
    pub healer: String,
    /// When the intent was committed.
    pub intended: String,
    /// `Done`, `Refused`, `Unknown`; `null` while its end is awaited.
    pub receipt: Option<String>,
    /// One line of what came of it.
    pub detail: Option<String>,
    /// `awaited`, `proven`, `not proven` or `not begun`.
    pub proof: String,
}

/// One host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostExplained {
    /// The host on one line.
    pub host: HostLine,
    /// Who watches it.
    pub observers: Vec<ObserverSeen>,
    /// Whom it watches.
    pub watches: Vec<String>,
    /// Who doubts it, and for how long.
    pub doubts: Vec<DoubtSeen>,
    /// What was reported of it lately by others than observers, as far as the answering agent was told (protocol 2.8).
    #[serde(default)]
    pub reports: Vec<ReportSeen>,
    /// Why there is no verdict: the rule that says no, and who says so; `null` where nothing is in doubt.
    pub no_verdict: Option<String>,
    /// What follows, in sentences.
    pub sentences: Vec<String>,
}

/// One holder of a seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObserverSeen {
    /// Who.
    pub observer: String,
    /// From where.
    pub domain: String,
    /// Whether it seems up to the answering agent.
    pub is_up: bool,
    /// Why its voice would not count now; `null` if it would, as far as the answering agent has heard.
    pub discounted: Option<String>,
    /// What its paths gave last: known of the answering agent itself, and of the newest round where the leader answers.
    pub paths: Vec<PathSeen>,
}

/// One standing doubt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DoubtSeen {
    /// Whose.
    pub observer: String,
    /// For how long, where that is known.
    pub for_ms: Option<u64>,
}

/// One report: it may have had a round held, and is nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportSeen {
    /// Who reported.
    pub who: String,
    /// By way of which host's agent.
    pub by: String,
    /// What was seen.
    pub failed: String,
    /// How long ago it was said last.
    pub ago_ms: u64,
    /// How often it was said.
    pub times: u32,
}

impl Body for Explained {
    const SCHEMA: &'static str = "hale.explain/1";
}
