//! Since which version of the wire each message exists (protocol 1.6).
//!
//! Law W5: a message travels in a frame of the version that brought it, and only to a peer who speaks that version; so
//! what an older agent knows is laid for it byte for byte as ever, and what it does not know is never sent to it.
//! Variants are only ever appended; one that exists never changes. A new version gets a new arm here, and its own golden
//! pages are frozen when the next one comes.

use serde::{Deserialize, Serialize};

use crate::kind::Kind;
use crate::message::{Datagram, Hello, HelloRefusal, Request, Response, Welcome};

/// The first version there was; hellos are said in it for good, since nothing is agreed before them.
pub const FIRST: u16 = 1;

/// The version that brought the digest exchange of membership and the comparison of states.
pub const STATES_COMPARED: u16 = 2;

/// The newest version that this code speaks; open until a release freezes it: till then it may still grow.
pub const NEWEST: u16 = STATES_COMPARED;

/// The versions an agent can speak, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VersionRange {
    /// Oldest.
    pub oldest: u16,
    /// Newest.
    pub newest: u16,
}

impl VersionRange {
    /// What this code speaks.
    pub const OURS: Self = Self { oldest: FIRST, newest: NEWEST };

    /// The newest version both sides speak.
    pub fn common(self, other: Self) -> Option<u16> {
        let newest = self.newest.min(other.newest);
        (newest >= self.oldest && newest >= other.oldest).then_some(newest)
    }

    /// Whether a frame or an agreement of this version is understood.
    pub fn contains(self, version: u16) -> bool {
        (self.oldest..=self.newest).contains(&version)
    }
}

/// A message that has a frame of its own.
pub trait Framed {
    /// The version that brought it: what its frame says, and what its receiver must speak.
    fn since(&self) -> u16;
}

impl Framed for Hello {
    fn since(&self) -> u16 {
        FIRST
    }
}

/// The answer to a hello.
impl Framed for Result<Welcome, HelloRefusal> {
    fn since(&self) -> u16 {
        FIRST
    }
}

impl Framed for Datagram {
    fn since(&self) -> u16 {
        match self {
            Self::Gossip(_) | Self::Probe { .. } | Self::ProbeReply { .. } => FIRST,
        }
    }
}

impl Framed for Request {
    fn since(&self) -> u16 {
        match Kind::of(self) {
            Kind::Probe
            | Kind::Doubts
            | Kind::Look
            | Kind::Ask
            | Kind::Relay
            | Kind::RoundFor
            | Kind::Propose
            | Kind::ReadIndex
            | Kind::Follow
            | Kind::Raft
            | Kind::Standing => FIRST,
            Kind::Members
            | Kind::Support
            | Kind::StateAt
            | Kind::Hears
            | Kind::Report
            | Kind::Unfit
            | Kind::LookAtCheck => STATES_COMPARED,
        }
    }
}

impl Framed for Response {
    fn since(&self) -> u16 {
        match self {
            Self::Alive { .. }
            | Self::Noted
            | Self::Attested { .. }
            | Self::Answered(_)
            | Self::SubjectSilent
            | Self::Round(_)
            | Self::Outcome { .. }
            | Self::Index(_)
            | Self::Entries { .. }
            | Self::Raft(_)
            | Self::Standing { .. }
            | Self::Unavailable(_) => FIRST,
            Self::Members(_)
            | Self::Support { .. }
            | Self::StateAt { .. }
            | Self::Hears { .. }
            | Self::Reported { .. }
            | Self::CheckWord(_) => STATES_COMPARED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ranges_meet_at_the_newest_both_speak_or_not_at_all() {
        let range = |oldest, newest| VersionRange { oldest, newest };
        assert_eq!(range(1, 3).common(range(2, 5)), Some(3));
        assert_eq!(range(1, 1).common(range(2, 5)), None);
        assert_eq!(
            VersionRange::OURS.common(range(1, 1)),
            Some(1),
            "yesterday's agent is spoken to"
        );
        assert!(range(1, 2).contains(2) && !range(1, 2).contains(3));
    }
}
