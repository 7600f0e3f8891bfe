//! The replicated state and the one door through which it moves: `apply`.
//!
//! Law C1: a refusal is an outcome that names the rule, and moves nothing but a note on the case it is about.
//! Law C3: the same entries give the same bytes on every keeper: no clock, no luck, no setting of the host.
//! Not here: what each command does (each has its room), and who proposes it (see `agent`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use detection::roster::Roster;
use detection::seats::Seating;
use serde::{Deserialize, Serialize};
use vocabulary::{
    Boot, CaseId, ClusterName, Fence, HostId, LedgerIndex, LedgerTime, RemedyId, Verifier, WallNote,
};

use crate::audit::{Audit, Stamp, What};
use crate::brakes::Brakes;
use crate::cases::Cases;
use crate::clock::Marks;
use crate::command::{Command, Entry, Outcome, Proposed, Refused};
use crate::damping::Attempts;
use crate::enrolling::Enrolling;
use crate::founding::{Departures, Founding};
use crate::in_force::PolicyShelf;
use crate::quiet::Doubts;
use crate::rules::{self, Added};
use crate::starts::Begun;
use crate::tally::Census;
use crate::{laws, policy};

/// The whole of what the mesh has decided. Cheap to clone: what is large is shared until it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    pub(crate) state: State,
    pub(crate) derived: Derived,
}

/// What is kept in snapshots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    pub index: LedgerIndex,
    pub time: LedgerTime,
    pub wall: WallNote,
    pub founding: Option<Arc<Founding>>,
    pub roster: Arc<Roster>,
    pub enrolling: Arc<Enrolling>,
    pub departures: Arc<Departures>,
    pub shelf: Arc<PolicyShelf>,
    pub cases: Cases,
    /// The highest fence ever given (law L2).
    pub fence: Fence,
    /// The highest remedy id ever given.
    pub remedy: RemedyId,
    pub brakes: Brakes,
    pub attempts: Arc<Attempts>,
    pub begun: Arc<Begun>,
    pub doubts: Arc<Doubts>,
    /// Hosts that were seen to accept connections without a word, with their boot then; at most one for each host.
    pub accepting: Arc<BTreeMap<HostId, Option<Boot>>>,
    /// The hosts of open domain cases that have been seen well again.
    pub well_again: Arc<BTreeMap<CaseId, BTreeSet<HostId>>>,
    pub marks: Arc<Marks>,
    pub audit: Audit,
    /// The layout of a snapshot says it (law C5).
    #[serde(skip)]
    pub rules: u32,
    /// Lies behind the rest, from the second rules on.
    #[serde(skip)]
    pub added: Added,
}

/// What follows from the state and is worked out again after a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Derived {
    pub census: Arc<Census>,
    pub seating: Arc<Seating>,
}

impl Ledger {
    /// An empty ledger: nothing but founding moves it (protocol 1.4).
    pub fn new() -> Self {
        Self::from_state(State {
            index: LedgerIndex::default(),
            time: LedgerTime::default(),
            wall: WallNote::default(),
            founding: None,
            roster: Arc::new(Roster::new(unfounded())),
            enrolling: Arc::default(),
            departures: Arc::default(),
            shelf: Arc::default(),
            cases: Cases::default(),
            fence: Fence::default(),
            remedy: RemedyId::default(),
            brakes: Brakes::default(),
            attempts: Arc::default(),
            begun: Arc::default(),
            doubts: Arc::default(),
            accepting: Arc::default(),
            well_again: Arc::default(),
            marks: Arc::default(),
            audit: Audit::default(),
            rules: rules::FIRST,
            added: Added::default(),
        })
    }

    /// Takes one committed entry; one outcome for each command in it, in order.
    pub fn apply(
        &mut self,
        index: LedgerIndex,
        entry: &Entry,
        verifier: &dyn Verifier,
    ) -> Vec<Outcome> {
        let fence = self.state.fence;
        self.advance(index, entry.elapsed, entry.wall);
        self.expire();
        let outcomes =
            entry.commands.iter().map(|proposed| self.take(proposed, verifier)).collect();
        self.enrol_waiting();
        self.settle();
        self.forget_canaries();
        self.mark();
        laws::check(self, fence);
        outcomes
    }

    /// Puts down what has just become true.
    pub(crate) fn record(&mut self, what: What) {
        let stamp = Stamp { at: self.state.time, wall: self.state.wall, index: self.state.index };
        let may_fall = self.may_fall();
        self.state.audit.add(stamp, what, may_fall);
    }

    /// Works out seats and counts again where the roster has changed: once for all enrolments of an entry.
    pub(crate) fn settle(&mut self) {
        if self.derived.seating.epoch() == self.state.roster.epoch {
            return;
        }
        self.note_epoch();
        self.derived.census = Arc::new(Census::of(&self.state.roster));
        Arc::make_mut(&mut self.derived.seating).update(&self.state.roster);
    }

    fn take(&mut self, proposed: &Proposed, verifier: &dyn Verifier) -> Outcome {
        let by = proposed.by;
        let is_founding = matches!(proposed.command, Command::Found { .. } | Command::Tick);
        if self.state.founding.is_none() && !is_founding {
            return Outcome::Refused(Refused::NotFounded);
        }
        self.decide(by, &proposed.command, verifier).unwrap_or_else(Outcome::Refused)
    }

    fn decide(
        &mut self,
        by: HostId,
        command: &Command,
        verifier: &dyn Verifier,
    ) -> Result<Outcome, Refused> {
        match command {
            Command::Found { cluster, authorities, keepers } => {
                self.found(by, (cluster, authorities, keepers), verifier)
            }
            Command::Enrol(chain) => self.enrol(by, chain, verifier),
            Command::Boot { boot, address, store } => self.boot(by, *boot, *address, *store),
            Command::Left { boot } => self.left(by, *boot),
            Command::Retire { host, order } => self.retire(by, *host, order),
            Command::Policy { text, if_version, order } => {
                self.set_policy(by, text, *if_version, order)
            }
            Command::Pause(order) => self.pause(by, order),
            Command::Resume(order) => self.resume(by, order),
            Command::Tick => Ok(Outcome::Done),
            Command::Rules { rules } => self.raise_rules(by, *rules),
            Command::Authorities { authorities, order } => self.trust(by, authorities, order),
            Command::AddHost { name, may_enrol, order } => {
                self.add_host(by, (name, *may_enrol), order)
            }
            Command::MoveVotes { add, remove, order } => self.move_votes(by, (add, remove), order),
            Command::Seal { place, certificate, signature } => {
                self.take_seal(by, *place, (certificate, *signature), verifier)
            }
            healing => self.heal(by, healing, verifier),
        }
    }

    pub(crate) fn from_state(mut state: State) -> Self {
        state.cases.derive();
        Arc::make_mut(&mut state.added.slots).derive();
        Arc::make_mut(&mut state.begun).derive(&state.added.slots.granted);
        Arc::make_mut(&mut state.shelf).read_again();
        let derived = Derived::of(&state);
        Self { state, derived }
    }

    /// The policy's waits.
    pub(crate) fn timers(&self) -> &policy::Timers {
        &self.state.shelf.policy().timers
    }
}

impl Derived {
    fn of(state: &State) -> Self {
        Self {
            census: Arc::new(Census::of(&state.roster)),
            seating: Arc::new(Seating::new(&state.roster)),
        }
    }
}

/// The cluster of a ledger that nobody has founded; no certificate can carry this name's roster anywhere.
fn unfounded() -> ClusterName {
    ClusterName::new("unfounded").expect("nine letters are a label")
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}
