//! Which call was made for whom: every call that goes out comes back exactly once, to the room that asked.
//!
//! Law E2 (see `event`): nothing is forgotten; at [`CALLS_MAX`] a new call fails at once instead.

use std::collections::BTreeMap;

use detection::{fitness, watch};
use vocabulary::HostId;

use crate::event::{AskId, CallId};
use crate::fitness::AskedCheck;
use crate::heal::Errand;
use crate::leading::Asked;

/// Most calls under way: 64 looks of a dozen paths each, and as many again for the leader's own.
pub const CALLS_MAX: usize = 4_096;

/// Who is waiting for a call's end.
#[derive(Clone, Debug, PartialEq)]
pub enum Purpose {
    /// Calm watching by stream: the attempt and its subject.
    WatchStream(watch::AttemptId, HostId),
    /// Calm watching by a fresh dial.
    WatchDial(watch::AttemptId, HostId),
    /// Calm watching by a knock.
    WatchKnock(watch::AttemptId, HostId),
    /// A look's question, by stream or by a fresh dial.
    LookAsk(watch::AttemptId),
    /// A look's knock.
    LookKnock(watch::AttemptId),
    /// A look through a relay.
    LookRelay(watch::AttemptId),
    /// The leader's request to an observer.
    Round(Asked),
    /// We are a relay: answer this.
    Relay(AskId),
    /// Our doubts, told to the leader.
    Doubts,
    /// A check beside reach.
    CheckRun(fitness::watch::RunId),
    /// The leader's request for a word on a check.
    CheckRound(AskedCheck),
    /// What fails here, told to the leader.
    Unfit,
    /// Whether a member lives that is about to be called down.
    MemberLook(HostId),
    /// What another member knows of the members.
    Exchange(HostId),
    /// The healer's part.
    Heal(Errand),
    /// The way into the roster.
    Enrol,
    /// The leader's proposal.
    Lead(crate::lead::Matter),
    /// The leader's question to this keeper, what it hears.
    Hears(HostId),
    /// What was reported here, told to the leader: answer this.
    Report(AskId),
    /// A signature under the audit.
    Seal,
    /// The goodbye.
    Goodbye,
    /// The ledger is told of a life that was turned away.
    TurnedAway,
    /// The ledger is told that this life is not the one it knows; after that it ends.
    LastWord(crate::life::LifeEnd),
}

/// The open calls.
#[derive(Debug, Default)]
pub struct Calls {
    last: u64,
    open: BTreeMap<CallId, Purpose>,
}

impl Calls {
    /// A new call; `None` at the bound.
    pub fn open(&mut self, purpose: Purpose) -> Option<CallId> {
        if self.open.len() >= CALLS_MAX {
            return None;
        }
        self.last += 1;
        let id = CallId(self.last);
        self.open.insert(id, purpose);
        Some(id)
    }

    /// The end of a call: who was waiting; `None` if nobody is.
    pub fn close(&mut self, id: CallId) -> Option<Purpose> {
        self.open.remove(&id)
    }

    /// How many are under way.
    pub fn count(&self) -> usize {
        self.open.len()
    }
}
