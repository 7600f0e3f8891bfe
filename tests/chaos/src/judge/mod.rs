//! What do the journals of the targets and the audits of the keepers say: did hale keep its word?
//!
//! Pure: a [`Picture`] of a run comes in, breaches go out. It is judged from outside: an audit is read as the JSON lines of `hale audit
//! export`, by kinds and sentences, as a person would read them; nothing of hale's own rooms is asked.
//!
//! Law C1: budgets, protocol 6.1, 6.2: counted in the order of the audit, each grant leaves no more hosts leased, orphaned or verifying
//! in fleet, zone, rack and group than the policy allows; and by the journals no more hosts are being worked upon at once. A case counts
//! from its grant until its lease is over and not orphaned, it is closed, or it is escalated and not counted. A begin without an end
//! (its healer was killed or stopped, the guard ended it) is in flight until the audit settles it: a receipt or inspection that is not
//! unknown, a proof or the lack of one, an end of its lease that is no orphan, an escalation that is not counted, the closure of its case.
//! Law C2: one healer, protocol 7.2, 7.6: a host has one counted lease at most; whoever intends holds the lease that was granted to it
//! under that very fence, and it still counts; no begin on a host while another one of it is in flight; no remedy is begun twice.
//! Law C3: fences, protocol 7: each grant's fence is above all before it, and in a host's journal neither fence nor remedy ever falls.
//! The target compares nothing and writes down whatever comes, so that a healer of the past is seen and not hidden.
//! Law C4: intent before effect, protocol 7.4: each begin has its intent in the audit, of this host, case, fence and remedy. The ledger numbers
//! remedies as it commits their intents, so that no other begin can know the number; and the intent's stamp is not behind the begin.
//! Law C5: nothing acknowledged is lost: each order that was acknowledged stands in the audit under its own reason.
//! Law C6: one history: the audit of each keeper that runs chains without gaps, is the beginning of the longest one, and holds at least what the
//! longest held when calm had come.
//! Law C7: after calm: it has come within its time; each case is closed or a person's, each host runs or is a person's, by a case of its own or of its whole rack or zone.
//! Law C8: no agent panics, and none ends by itself but for a full disk.
//!
//! Times of the audit are the leader's wall clock. Where clocks are shifted, it is by whole multiples of [`Clock::SHIFT_MS`], and a run is
//! shorter than one: the remainder is the true time. Grants, proofs, quorums and rounds are not judged here: the swarm does that.

mod audit;
mod copies;
mod effects;
mod endings;
mod leases;

use std::collections::BTreeMap;
use std::fmt;

pub use audit::{AuditFault, Record, read_export};

use crate::journal::Entry;

/// Everything that is known of a run from outside.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// What the policy allows.
    pub limits: Limits,
    /// Every host, by name.
    pub hosts: BTreeMap<String, Host>,
    /// All journals, each in its own order.
    pub journals: BTreeMap<String, Vec<Entry>>,
    /// What each keeper that runs keeps, by its name.
    pub audits: BTreeMap<String, Vec<Record>>,
    /// How many records the longest audit held when calm had come, or had not within its time.
    pub records_awaited: u64,
    /// Why calm has not come, where it has not.
    pub unrest: Option<String>,
    /// What was ordered, with what came of it.
    pub orders: Vec<Order>,
    /// How the two clocks stood when the run began.
    pub clock: Clock,
    /// What agents did that none may.
    pub misdeeds: Vec<String>,
    /// Audits of keepers that run, and could not be read.
    pub unread: Vec<String>,
}

/// How many hosts may be under repair at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub fleet: usize,
    /// In a zone.
    pub zone: usize,
    /// In a rack.
    pub rack: usize,
    /// In a group.
    pub group: usize,
}

/// A host, and how it fared in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its zone, by its full path.
    pub zone: String,
    /// Its rack, by its full path.
    pub rack: String,
    /// What it is for.
    pub group: String,
    /// Whether its agent runs and answers after calm.
    pub is_well: bool,
}

/// What an operator ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Which kind of record it leaves.
    pub kind: String,
    /// Its reason, which no other order has.
    pub why: String,
    /// What was answered.
    pub answer: Answered,
}

/// What came of an order, as far as the operator was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It stands.
    Acknowledged,
    /// It does not stand.
    Refused,
    /// Nobody knows.
    Unknown,
}

/// Both clocks of the machine at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// CLOCK_MONOTONIC.
    pub mono_ms: u64,
    /// The wall clock.
    pub wall_ms: u64,
}

impl Clock {
    /// Every shift of a wall clock is a multiple of this, and every run shorter.
    pub const SHIFT_MS: u64 = 2 * 60 * 60 * 1_000;

    /// Wall clocks are slewed by time services: so much in the longest run.
    pub const SLACK_MS: u64 = 200;

    /// When a wall clock, shifted or not, showed this; in milliseconds of CLOCK_MONOTONIC.
    pub fn mono_of(&self, wall_ms: u64) -> u64 {
        let begun = self.wall_ms.saturating_sub(Self::SLACK_MS) % Self::SHIFT_MS;
        let since = (wall_ms % Self::SHIFT_MS + Self::SHIFT_MS - begun) % Self::SHIFT_MS;
        self.mono_ms.saturating_sub(Self::SLACK_MS).saturating_add(since)
    }
}

/// Which promise is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// More hosts in flight than the policy allows.
    Budget,
    /// More than one at work on a host, or somebody without its lease.
    OneHealer,
    /// A fence or a remedy's number fell.
    Fences,
    /// An effect whose intent does not stand before it.
    IntentFirst,
    /// What was acknowledged is not there.
    Acknowledged,
    /// Keepers tell different histories.
    OneHistory,
    /// Trouble that is neither over nor a person's.
    Healed,
    /// An agent fell over itself.
    Agents,
    /// What was gathered cannot be read.
    Readable,
}

impl Law {
    /// Every one, as the report lists them.
    pub const ALL: [Self; 9] = [
        Self::Budget,
        Self::OneHealer,
        Self::Fences,
        Self::IntentFirst,
        Self::Acknowledged,
        Self::OneHistory,
        Self::Healed,
        Self::Agents,
        Self::Readable,
    ];
}

impl fmt::Display for Law {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Budget => "budgets hold",
            Self::OneHealer => "one healer at a time",
            Self::Fences => "fences rise",
            Self::IntentFirst => "intent before effect",
            Self::Acknowledged => "nothing acknowledged is lost",
            Self::OneHistory => "one history",
            Self::Healed => "healed or escalated after calm",
            Self::Agents => "agents stand",
            Self::Readable => "all can be read",
        })
    }
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which.
    pub law: Law,
    /// What shows it.
    pub evidence: String,
}

impl Breach {
    fn of(law: Law, evidence: impl Into<String>) -> Self {
        Self { law, evidence: evidence.into() }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: not so: {}", self.law, self.evidence)
    }
}

/// What a picture shows, beside breaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// What is broken; nothing in a sound run.
    pub breaches: Vec<Breach>,
    /// What was counted on the way.
    pub figures: Figures,
}

/// What happened in a run, by its longest audit and the journals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Records in the longest audit.
    pub records: usize,
    /// Verdicts by their kind.
    pub verdicts: BTreeMap<String, usize>,
    /// Leases granted, and of these to take an orphan over.
    pub grants: (usize, usize),
    /// Remedies intended.
    pub intended: usize,
    /// Remedies that began, by the journals, ended, and were broken off.
    pub effects: (usize, usize, usize),
    /// Receipts and inspections that said unknown.
    pub unknown: usize,
    /// Cases closed as healed, closed otherwise, and escalated.
    pub cases: (usize, usize, usize),
    /// The most hosts counted at once in the fleet, and the most worked upon at once.
    pub in_flight_most: (usize, usize),
}

/// Judges a run.
pub fn judge(picture: &Picture) -> Judgement {
    let (longest, mut breaches) = copies::compare(picture);
    let walk = leases::walk(picture, longest, &mut breaches);
    let mut figures = walk.figures.clone();
    effects::judge(picture, &walk, (&mut breaches, &mut figures));
    copies::acknowledged(picture, longest, &mut breaches);
    endings::judge(picture, &walk, &mut breaches);
    let misdeeds = picture.misdeeds.iter();
    breaches.extend(misdeeds.map(|misdeed| Breach::of(Law::Agents, misdeed)));
    let unread = picture.unread.iter();
    breaches.extend(unread.map(|fault| Breach::of(Law::Readable, fault)));
    Judgement { breaches, figures }
}
