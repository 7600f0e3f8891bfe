//! What one observer's part in a round is told, and what it asks for.

use std::sync::Arc;

use vocabulary::{Anchor, Attestation, Boot, Grade, HostId, Path, Reading, SelfAnswer, Span};
use wire::Unavailable;

use super::relay::Reachable;
use crate::roster::Roster;
use crate::seats::Seating;
use crate::watch::AttemptId;

/// A leader's wish, with what the rest of this host knows of the subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Comes back with the answer.
    pub id: u64,
    /// At whom to look.
    pub subject: HostId,
    /// The round.
    pub anchor: Anchor,
    /// The highest life that the leader or this host's watch knows.
    pub boot: Boot,
    /// The paths whose silence is evidence, as the watch knows them.
    pub calibrated: Vec<Path>,
    /// The grade of the check `reach`, as the watch knows it.
    pub reach: Grade,
    /// Ports that the policy names for the subject; at most four are used.
    pub named_ports: Vec<u16>,
    /// This host's own observers of the last 10 s (see `reply`).
    pub ingress: Vec<HostId>,
}

/// What came of a question on a stream of a standing or a fresh connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskEnd {
    /// The subject answered, proven by its certificate.
    Answered(Box<SelfAnswer>),
    /// The subject answered, proven by its certificate, but signed nothing: it is busy, say.
    Unsigned,
    /// Something at the address refused.
    Refused,
    /// Nothing came.
    Silent,
    /// This host could not even try.
    Unable,
}

/// What came of a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayEnd {
    /// It brought the subject's signature.
    Answered(Box<SelfAnswer>),
    /// It asked, and the subject did not answer it.
    SubjectSilent,
    /// The relay itself said nothing in its time.
    Mute,
    /// The relay would not, or this host could not ask it.
    Unreached,
}

/// What the machine is told.
#[derive(Clone)]
pub enum Event {
    /// Another roster, or other seats.
    FleetChanged {
        /// Who belongs.
        roster: Arc<Roster>,
        /// The seats of the same epoch.
        seating: Arc<Seating>,
    },
    /// The hosts that this one reaches and does not doubt.
    ReachableChanged(Reachable),
    /// The leader asks for an attestation.
    Asked(Ask),
    /// A reply to one of this machine's probes.
    ProbeReplied {
        /// Who replied.
        subject: HostId,
        /// From the probe.
        number: u64,
        /// The life that answers.
        boot: Boot,
    },
    /// The end of [`Effect::AskByStream`] or [`Effect::DialFresh`].
    AskEnded {
        /// Which one.
        id: AttemptId,
        /// What came of it.
        end: AskEnd,
    },
    /// The end of [`Effect::Knock`].
    KnockEnded {
        /// Which one.
        id: AttemptId,
        /// What the port gave.
        reading: Reading,
    },
    /// The end of [`Effect::AskRelay`].
    RelayEnded {
        /// Which one.
        id: AttemptId,
        /// What came of it.
        end: RelayEnd,
    },
    /// The watch wants this relay path checked.
    RelayChecked {
        /// Whom the relay is to ask.
        subject: HostId,
        /// [`Path::NearRelay`] or [`Path::FarRelay`].
        path: Path,
    },
    /// The shell's own loop was late by so much.
    WasLate {
        /// By how much at worst.
        by: Span,
    },
    /// What came to this host waited so long in its sockets, or was dropped there.
    SocketsWereLate {
        /// By how much at worst.
        by: Span,
    },
    /// The moment of `next_deadline` has come.
    DeadlineReached,
}

/// What the machine asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A probe by datagram on the standing connection.
    SendProbe {
        /// To whom.
        to: HostId,
        /// Echoed by the reply.
        number: u64,
    },
    /// The nonce to be signed, on a stream of the standing connection; without one it ends at once as `Silent`.
    AskByStream {
        /// Comes back with the end.
        id: AttemptId,
        /// Whom.
        to: HostId,
        /// To be signed.
        nonce: u128,
        /// For how long.
        within: Span,
    },
    /// The nonce to be signed, over a new connection from a new source port.
    DialFresh {
        /// Comes back with the end.
        id: AttemptId,
        /// Whom.
        to: HostId,
        /// To be signed.
        nonce: u128,
        /// For how long.
        within: Span,
    },
    /// A knock at a TCP port (protocol 2.4).
    Knock {
        /// Comes back with the end.
        id: AttemptId,
        /// At whose.
        to: HostId,
        /// A named port; `None`: the agent's own.
        port: Option<u16>,
        /// For how long.
        within: Span,
    },
    /// The nonce to be signed, through another host.
    AskRelay {
        /// Comes back with the end.
        id: AttemptId,
        /// Who is to ask.
        relay: HostId,
        /// Whom.
        subject: HostId,
        /// To be signed.
        nonce: u128,
        /// For how long.
        within: Span,
    },
    /// The answer to the leader.
    Attest {
        /// From the ask.
        ask: u64,
        /// What was seen.
        attestation: Box<Attestation>,
        /// The subject's own signature, if any path brought one.
        answer: Option<Box<SelfAnswer>>,
    },
    /// The answer to the leader that there will be none.
    Refuse {
        /// From the ask.
        ask: u64,
        /// Why.
        why: Unavailable,
    },
    /// For the watch: this path has answered.
    PathAnswered {
        /// By whom.
        subject: HostId,
        /// On which path.
        path: Path,
        /// In which life.
        boot: Boot,
    },
}
