//! What the leader's rounds are told, and what they ask for.

use std::collections::BTreeSet;
use std::sync::Arc;

use vocabulary::{Anchor, Attestation, Boot, Epoch, Grounds, HostId, Scope, SelfAnswer};
use wire::DoubtNote;

use crate::roster::Roster;
use crate::seats::Seating;

/// Names a wish for a round, so that who wished it can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WishId(pub u64);

/// What the leader is told.
#[derive(Clone, Debug)]
pub enum Event {
    /// The committed state, as far as rounds need it.
    StateChanged {
        /// Where new rounds hang.
        anchor: Anchor,
        /// Who belongs.
        roster: Arc<Roster>,
        /// Who watches whom.
        seating: Arc<Seating>,
    },
    /// The racks and zones with open cases: their hosts give way to those that nobody has judged yet (protocol 3.7).
    Judged {
        /// Which.
        domains: BTreeSet<Scope>,
    },
    /// Whose verdicts are committed and were upheld by the last look, or are held back by a surge: all of them.
    Upheld {
        /// Hosts, those of a dark domain among them.
        subjects: BTreeSet<HostId>,
    },
    /// All doubts that an observer holds now.
    Doubted {
        /// Who says so.
        observer: HostId,
        /// Whom it doubts.
        notes: Vec<DoubtNote>,
    },
    /// Somebody wants a round on this subject as soon as one is permitted.
    Wished {
        /// Comes back with the end of the round.
        wish: WishId,
        /// Whom to look at.
        subject: HostId,
    },
    /// An observer has answered.
    Attested {
        /// What it saw.
        attestation: Box<Attestation>,
        /// The subject's own word, where the observer brought it.
        answer: Option<Box<SelfAnswer>>,
    },
    /// A subject or witness has answered for itself.
    Answered {
        /// Its word.
        answer: Box<SelfAnswer>,
    },
    /// A host that was asked did not answer about this subject under this anchor.
    Silent {
        /// Who.
        from: HostId,
        /// About whom.
        subject: HostId,
        /// In which set.
        anchor: Anchor,
    },
    /// This host leads no more: nothing is inherited by anybody (protocol 3.2).
    Deposed,
    /// The moment of `next_deadline` has come.
    DeadlineReached,
}

/// What the leader asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask this host to look, or to answer for itself if it is the subject.
    Look {
        /// Whom to ask.
        to: HostId,
        /// About whom.
        subject: HostId,
        /// The subject's boot in the roster.
        boot: Boot,
        /// The round.
        anchor: Anchor,
        /// The roster's epoch.
        epoch: Epoch,
    },
    /// A set has ended.
    Ended {
        /// All that was signed for it.
        grounds: Box<Grounds>,
        /// Who was looked at.
        subjects: Vec<HostId>,
        /// Whose wishes it answers.
        wishes: Vec<WishId>,
    },
    /// More rounds were due than may be held: a surge (protocol 3.6).
    Overload,
    /// The anchor is too old to begin on: commit a tick.
    Freshen,
}
