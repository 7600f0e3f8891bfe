//! The scenario language: a short text that sets a fleet up, strikes it and lets time run, with the full trace below `----`.
//!
//! ```text
//! # One agent dies and is healed.          what is shown, and why it matters
//! hosts a1 a2 zone=a; hosts b1 b2 zone=b   rack=NAME, group=NAME; without a rack each host has its own
//! keepers a1 b1 b2                         healers NAME..: without this every host may heal
//! seed 7                                   weather latency=1ms jitter=2ms loss=1%
//! policy                                   the text of policy.toml, up to `end`
//! end
//! from founding                            trace from the beginning; without this from the calm after 40 s
//! run 2s                                   run until doubt|verdict|lease|remedy|proof|closed|brake|settled within 30s
//! kill b2                                  start, clone, freeze, thaw, silence, unsilence, poweroff, leave, restart: hosts,
//!                                          zone=, rack=, leader, healer; of any fleet host:1, rack:1, zone:1, 30%
//! restart 100% every 10s                   one host after the other, so long apart
//! cut zone=a                               cut a1 from b1 b2; cut a1 to b1 (one way); join
//! loss 5%; latency 80ms; jitter 9ms              duplication 1%, reordering 1%, bandwidth 20kB: everywhere, or WHOM, from WHOM,
//!                                          to WHOM, from WHOM to WHOM, between WHOM and WHOM
//! slow b2 500ms; drift b2 1%; jump b2 30s     stall b2 8s (free 1s: and so on), unstall b2, suspend b2 30s (uncounted), lose b2
//! lie a2 b2 accuses                        praises, hides, repeats, floods, forges, wavers, ends
//! port 8080 on b2 refuses                     hangs, silent, serves; to itself, to peers
//! ledger slow 2s                           ledger leaderless 30s, ledger loses answers 20%
//! remedies works does-nothing refuses receipt-lost fails hangs; remedies take 5s
//! pause WHY; resume WHY                        release b2 (from its quarantine), release group=web
//! approve b2                                   what would be tried next on it; deny b2; maintain b2 5m
//! spares a2; move-votes b1 to a2               a keeper without a vote; a person gives it one
//! take-slot b2; return-slot b2                 its FleetLock client asks for leave to reboot it; revoke-slots
//! show cases                               show eyes HOST, show health HOST, show budgets, show journal
//! ----
//!    0.0 kill b2
//! ```
//!
//! Law L1: a line that is not understood is a fault that names it; nothing is guessed.
//! Law L2: the words of a trace follow from the script and its seed alone.
//! Not here: reading files and comparing traces (see the tests, and `hale simulate`).

mod links;
mod play;
mod plights;
mod read;

use std::fmt;
use std::ops::ControlFlow;

use vocabulary::{Claims, Span};

use crate::choosing::chosen;
use crate::fault::{Fault, Whom};
use crate::fleet::Fleet;
use crate::laws::Breach;
use crate::setup::{Setup, SetupFault};
use crate::tally::Tally;
use crate::trace::Line;
use crate::truth::Watch;

/// What stands between a script and its trace.
pub const RULE: &str = "----";

/// A script, read and checked.
#[derive(Clone, Debug)]
pub struct Script {
    setup: Setup,
    is_from_founding: bool,
    steps: Vec<Placed>,
    text: String,
    golden: String,
}

/// What came of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// What happened, in words.
    pub lines: Vec<Line>,
    /// What came of it.
    pub tally: Tally,
    /// The laws that were broken; of a sound mesh none, whatever was done to it.
    pub breaches: Vec<Breach>,
}

/// Why a text is not a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptFault {
    /// This line is not understood.
    Line {
        /// Which, and where in it.
        at: Spot,
        /// What is wrong with it.
        why: String,
    },
    /// There is no such fleet.
    Setup(SetupFault),
}

/// A place in a script's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// From 1.
    pub line: usize,
    /// From 1, in letters.
    pub column: usize,
}

/// One order, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub at: Spot,
    pub step: Step,
}

/// One order of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Run(Span),
    RunUntil(Until, Span),
    Strike(Fault),
    InTurn(Fault, Span),
    Show(Show),
}

/// What a run waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    Doubt,
    Verdict,
    Lease,
    Remedy,
    Proof,
    Closed,
    Brake,
    Settled,
}

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    Cases,
    Eyes(String),
    Health(String),
    Budgets,
    Journal,
}

impl Script {
    /// Reads a script and checks every line of it.
    pub fn read(text: &str) -> Result<Self, ScriptFault> {
        read::read(text)
    }

    /// The trace that is expected; empty where none was ever written.
    pub fn golden(&self) -> &str {
        &self.golden
    }

    /// The same script under another seed, for questions that one run cannot answer.
    #[must_use]
    pub fn reseeded(mut self, seed: u64) -> Self {
        self.setup.seed = seed;
        self
    }

    /// Law L1: there is such a fleet, and whom an order is about is one of it.
    fn check(&self) -> Result<(), ScriptFault> {
        self.setup.check().map_err(ScriptFault::Setup)?;
        let claims: Vec<&Claims> = self.setup.hosts.iter().collect();
        for Placed { at, step } in &self.steps {
            for whom in step.whom() {
                chosen(&claims, &whom).map_err(|why| {
                    let at = self.spot_of(&whom.to_string(), *at);
                    ScriptFault::Line { at, why }
                })?;
            }
        }
        Ok(())
    }

    /// Where this word stands in the order that begins here; where it is written otherwise, the beginning.
    fn spot_of(&self, word: &str, at: Spot) -> Spot {
        let line = self.text.lines().nth(at.line.saturating_sub(1)).unwrap_or_default();
        let order: String = line.chars().skip(at.column.saturating_sub(1)).collect();
        let before = order.find(word).map_or(0, |found| order[..found].chars().count());
        Spot { column: at.column + before, ..at }
    }

    /// The same story of other hosts; a fault where it speaks of one that is none of them.
    pub fn with_hosts(mut self, hosts: Vec<Claims>) -> Result<Self, ScriptFault> {
        self.setup.hosts = hosts;
        self.check()?;
        Ok(self)
    }

    /// The same under another policy than the founders'; without one the mesh only observes.
    #[must_use]
    pub fn with_policy(mut self, text: Option<&str>) -> Self {
        self.setup.policy = text.map(str::to_owned);
        self
    }

    /// Who there is, the policy at the beginning, the seed.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// What is done to the fleet, in order.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.steps.iter().filter_map(|placed| match &placed.step {
            Step::Strike(fault) | Step::InTurn(fault, _) => Some(fault),
            Step::Run(_) | Step::RunUntil(..) | Step::Show(_) => None,
        })
    }

    /// Plays it from the founding to its last line.
    pub fn play(&self) -> Result<Played, ScriptFault> {
        let fleet = self.play_watched(&mut |_| ControlFlow::Continue(()))?;
        Ok(Played {
            lines: fleet.trace().to_vec(),
            tally: fleet.tally(),
            breaches: fleet.breaches().to_vec(),
        })
    }

    /// The same while somebody looks as the trace begins and after every event of it, who may end it; the fleet as it is then.
    pub fn play_watched(&self, watch: &mut Watch<'_>) -> Result<Fleet, ScriptFault> {
        play::play(self, watch).map_err(ScriptFault::Setup)
    }

    /// The whole file with this trace in the place of the old one.
    pub fn with_trace(&self, trace: &str) -> String {
        format!("{}{RULE}\n{trace}", self.text)
    }
}

impl Played {
    /// The trace, one line each, as below the rule.
    pub fn trace(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

impl Step {
    /// Everybody it speaks of.
    fn whom(&self) -> Vec<Whom> {
        match self {
            Self::Strike(fault) | Self::InTurn(fault, _) => fault.whom(),
            Self::Show(Show::Eyes(host) | Show::Health(host)) => vec![Whom::Named(host.clone())],
            Self::Run(_)
            | Self::RunUntil(..)
            | Self::Show(Show::Cases | Show::Budgets | Show::Journal) => Vec::new(),
        }
    }
}

impl fmt::Display for ScriptFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { at, why } => write!(out, "line {}, column {}: {why}", at.line, at.column),
            Self::Setup(fault) => fault.fmt(out),
        }
    }
}

impl std::error::Error for ScriptFault {}
