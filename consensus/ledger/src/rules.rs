//! Which rules are in force: a number that only rises, so that keepers of two ages never apply an entry differently
//! (protocol 1.6).
//!
//! Law C5: under rules n an entry does, and the bytes of the state are, what they were in the first version that knew n.
//! Whatever a newer version does otherwise waits for its own number: new commands, refusals and records are appended, and
//! stand in no entry under older rules.
//! Law C6: the number only rises, and only to one that this code knows. An entry that raises it further is not for this code
//! to apply ([`Ledger::unknown_rules`]): that keeper or follower stops there.
//! Not here: when it is raised: once every keeper and everybody who follows one supports it (see `replication`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{CaseId, GroupName, HostId, HostName};

use crate::approvals::{Approvals, Shown};
use crate::audit::What;
use crate::bindings::Bindings;
use crate::canaries::Canaries;
use crate::command::{Command, Entry, Outcome, Refused};
use crate::exempting::Exemption;
use crate::ledger::Ledger;
use crate::maintenance::Windows;
use crate::quarantine::Returns;
use crate::sealing::Sealing;
use crate::slots::Slots;
use crate::starts::Days;
use crate::stops::Replacements;
use crate::votes::Votes;

/// The rules of a ledger that nobody has raised.
pub const FIRST: u32 = 1;

/// The rules that brought this number itself, and what [`Added`] keeps.
pub const SECOND: u32 = 2;

/// The newest rules that this code knows; open until a release freezes them: till then they may still grow. Whoever raises it
/// raises `wire::version::NEWEST` in the same commit: the rules that a follower supports are told by the version that it speaks.
pub const NEWEST: u32 = SECOND;

/// What the second rules keep beside the state of the first; empty under the first. It lies behind it in the third layout, and the lots
/// behind it: the roster has these itself, so that seats are dealt from the roster alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Added {
    /// When the certificates of a host end: the first end in the chain of its last `Enrol`, in seconds of the wall clock
    /// since 1970. A note for people and alarms; no decision reads it (protocol 5).
    pub certificate_ends: Arc<BTreeMap<HostId, u64>>,
    /// Whom a person has added and who has not come yet (see `adding`).
    pub hosts: Arc<BTreeMap<HostId, HostName>>,
    /// Whose trouble came back lately (see `quarantine`).
    pub returns: Arc<Returns>,
    /// Which replacements failed in which group (see `stops`).
    pub replacements: Arc<BTreeMap<GroupName, Replacements>>,
    /// What came of the remedies of each kind of trouble (see `canaries`).
    pub canaries: Arc<Canaries>,
    /// What persons have allowed (see `approvals`).
    pub approvals: Arc<Approvals>,
    /// What would have begun under rules in shadow (see `shadows`).
    pub shadowed: Arc<BTreeMap<CaseId, Shown>>,
    /// When and where nothing is to begin (see `maintenance`).
    pub windows: Arc<Windows>,
    /// What began in the last day (see `starts`).
    pub days: Arc<Days>,
    /// On whom nothing begins by itself (see `exempting`).
    pub exempt: Arc<BTreeMap<HostId, Exemption>>,
    /// Which host each FleetLock client is (see `bindings`).
    pub bindings: Arc<Bindings>,
    /// Who may reboot (see `slots`).
    pub slots: Arc<Slots>,
    /// Which hosts carry a vote (see `votes`).
    pub votes: Arc<Votes>,
    /// Up to where the audit is sealed (see `sealing`).
    pub sealing: Arc<Sealing>,
}

/// The newest rules that an agent knows which speaks this version of the wire: whoever raises one raises the other.
pub fn known_to(version: u16) -> u32 {
    u32::from(version).clamp(FIRST, NEWEST)
}

impl Ledger {
    /// The rules in force.
    pub fn rules(&self) -> u32 {
        self.state.rules
    }

    /// Rules above all that this code knows, if this entry would raise the ledger to them: whoever knows them takes it, so that
    /// nobody else may apply it, or anything after it (protocol 1.6). What is no voter's every version refuses alike.
    pub fn unknown_rules(&self, entry: &Entry) -> Option<u32> {
        let may_raise = |by: &HostId| self.may_lead(by) && self.member(*by).is_ok();
        let asked = entry.commands.iter().filter_map(|proposed| match proposed.command {
            Command::Rules { rules } if may_raise(&proposed.by) => Some(rules),
            _ => None,
        });
        asked.filter(|rules| *rules > NEWEST).max()
    }

    /// Law C5: what the rules in force do not know is refused.
    pub(crate) fn since_rules(&self, needed: u32) -> Result<(), Refused> {
        let standing = self.state.rules;
        if standing >= needed {
            return Ok(());
        }
        let why = format!("rules {standing} are in force, this is known from rules {needed} on");
        Err(Refused::NotPermitted(why))
    }

    /// Law C6.
    pub(crate) fn raise_rules(&mut self, by: HostId, rules: u32) -> Result<Outcome, Refused> {
        self.member(by)?;
        if !self.may_lead(&by) {
            return Err(Refused::NotPermitted("only a voter of the ledger may ask this".into()));
        }
        let standing = self.state.rules;
        if rules < standing {
            let why = format!("rules {standing} are in force and never fall");
            return Err(Refused::NotPermitted(why));
        }
        if rules > NEWEST {
            let why = format!("rules {rules} are not known here, {NEWEST} are the newest");
            return Err(Refused::NotPermitted(why));
        }
        if rules > standing {
            self.state.rules = rules;
            self.record(What::RulesRaised { rules });
        }
        Ok(Outcome::Done)
    }
}
