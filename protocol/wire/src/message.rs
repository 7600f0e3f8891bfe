//! Every message between two agents.
//!
//! Law W3: a message names no sender; who sent it is what the connection's certificate says (protocol 4).
//! Ledger commands, ledger entries and Raft bodies are bytes here: their types live above this room.

use serde::{Deserialize, Serialize};
use vocabulary::{
    Address, Anchor, Attestation, Boot, CaseId, CheckWord, ClusterName, Digest, Epoch, Grounds,
    HostId, Label, LedgerIndex, SelfAnswer, StoreId,
};

use crate::version::VersionRange;

/// Small and lossy: stale ones are dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Datagram {
    /// A SWIM packet (foca's own bytes, [`crate::DATAGRAM_BYTES_MAX`] less the frame).
    Gossip(Vec<u8>),
    /// An observer asks its subject for a sign of life (protocol 2.2).
    Probe {
        /// Echoed by the reply.
        number: u64,
        /// Whether the sender holds a seat of the receiver; gives the ingress list of protocol 2.7 its entry.
        seated: bool,
    },
    /// The subject's sign of life.
    ProbeReply {
        /// From the probe.
        number: u64,
        /// The life that answers.
        boot: Boot,
        /// After how many milliseconds the observer should probe next, so that all observers take turns (protocol 2.2).
        next_slot_ms: u32,
    },
}

/// The first message on every new connection, on its own stream, from the side that dialled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// What the dialler speaks.
    pub versions: VersionRange,
    /// The mesh it belongs to.
    pub cluster: ClusterName,
    /// The life of its agent.
    pub boot: Boot,
    /// Where it says it is reached.
    pub address: Address,
    /// A keeper's store.
    pub store: Option<StoreId>,
}

/// The answer to a [`Hello`]: only after this is the dialler admitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version both will speak.
    pub version: u16,
    /// The life of the answering agent.
    pub boot: Boot,
    /// Where it says it is reached.
    pub address: Address,
    /// A keeper's store.
    pub store: Option<StoreId>,
}

/// Why a connection is not admitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HelloRefusal {
    /// The dialler belongs to another mesh.
    Cluster,
    /// No version is spoken by both.
    Versions(VersionRange),
    /// The roster says that this host is retired.
    Retired,
    /// The ledger knows a higher boot of this host than it claims (protocol 1.2); it must raise itself above this one.
    BootTooLow(Boot),
    /// The pool is full of connections that matter more; try again later.
    Busy,
}

/// One doubt that an observer holds (protocol 2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DoubtNote {
    /// Who is doubted.
    pub subject: HostId,
    /// In which life.
    pub boot: Boot,
    /// For how long already, in milliseconds.
    pub age_ms: u64,
}

/// What somebody who holds no seat says of a host (protocol 2.8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Who fails.
    pub subject: HostId,
    /// Who says so, on the asker's host.
    pub who: String,
    /// What was seen.
    pub failed: String,
}

impl Report {
    /// Longest name of whoever reports, in bytes.
    pub const WHO_BYTES_MAX: usize = 64;
    /// Longest sentence on what was seen, in bytes: one line of a screen, twice.
    pub const FAILED_BYTES_MAX: usize = 200;

    /// The same within these bounds, whatever was sent.
    #[must_use]
    pub fn cut(mut self) -> Self {
        self.who.truncate(self.who.floor_char_boundary(Self::WHO_BYTES_MAX));
        self.failed.truncate(self.failed.floor_char_boundary(Self::FAILED_BYTES_MAX));
        self
    }
}

/// One check that an observer, or the subject itself, finds failing (protocol 3.10).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnfitNote {
    /// Whose check.
    pub subject: HostId,
    /// In which life.
    pub boot: Boot,
    /// Which.
    pub check: Label,
}

impl UnfitNote {
    /// Most notes that one host tells at once: more hosts that fail at once than anybody watches.
    pub const NOTES_MAX: usize = 256;
}

/// Asked on a stream of its own; answered by one [`Response`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// The probe again, on a stream of the standing connection or of a fresh one (protocol 2.3).
    Probe,
    /// All doubts that the asker holds now; replaces what it said before. For the leader, by any keeper (protocol 2.6).
    Doubts(Vec<DoubtNote>),
    /// Look at this subject for a round, or, if you are the subject, answer for yourself (protocol 3.1).
    Look {
        /// Who is to be looked at.
        subject: HostId,
        /// The life the leader knows of it.
        boot: Boot,
        /// The round.
        anchor: Anchor,
        /// The roster's epoch.
        epoch: Epoch,
    },
    /// Sign that you live (protocol 3.1); asked by observers and relays.
    Ask {
        /// Drawn by the observer.
        nonce: u128,
    },
    /// Ask that subject in my stead and bring me its signature (protocol 3.1).
    Relay {
        /// Who is to be asked.
        subject: HostId,
        /// Drawn by the observer.
        nonce: u128,
    },
    /// A healer wants a round on the subject of its case: the last look, or the verification (protocol 7.4, 7.7).
    RoundFor {
        /// Its case.
        case: CaseId,
    },
    /// Put this command into the ledger; bytes of a `ledger::Command`.
    Propose(Vec<u8>),
    /// Since which index is everything that was acknowledged before this question contained (linearizable read).
    ReadIndex,
    /// Send me the ledger from this index on, as it grows; answered by many [`Response::Entries`] on the one stream.
    Follow {
        /// The first index wanted.
        from: LedgerIndex,
        /// The asker's state before it, so that it may tell a follower that has diverged; `None` if it has none.
        audit: Option<Digest>,
    },
    /// One of openraft's messages between keepers.
    Raft(Vec<u8>),
    /// Have you a live leader? Asked by a voter that would campaign (protocol 1.5).
    Standing,
    /// What I know of the members; bytes of membership's own digest exchange (protocol 4).
    Members(Vec<u8>),
    /// Which rules do you and all who follow the ledger through you support? Asked by the leader (protocol 1.6).
    Support,
    /// What was your ledger's state right after this entry? Asked by keepers of each other (protocol 1.6).
    StateAt {
        /// The entry.
        index: LedgerIndex,
    },
    /// How many of your observers do you hear? Asked by a leader that hears few of its own (protocol 1.5).
    Hears,
    /// Somebody on my host says that this one fails. For the leader, by any host (protocol 2.8).
    Report(Report),
    /// All checks that fail for the asker now; replaces what it said before. For the leader, by any host (protocol 3.10).
    Unfit(Vec<UnfitNote>),
    /// Carry this check out for a round, or, if you are the subject, say that you are there (protocol 3.10).
    LookAtCheck {
        /// Whose check.
        subject: HostId,
        /// The life the leader knows of it.
        boot: Boot,
        /// The round.
        anchor: Anchor,
        /// The roster's epoch.
        epoch: Epoch,
        /// Which.
        check: Label,
    },
}

/// The answer to one [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Response {
    /// To `Probe`: this life answers.
    Alive {
        /// The life that answers.
        boot: Boot,
    },
    /// To `Doubts` and `Unfit`: they stand with the leader.
    Noted,
    /// To `Look`, from an observer.
    Attested {
        /// What it saw.
        attestation: Box<Attestation>,
        /// The subject's own signature over [`Anchor::nonce`] of this observer, where any path brought it: it forbids every
        /// verdict against the host, however few observers reach it (protocol 3.1).
        answer: Option<Box<SelfAnswer>>,
    },
    /// To `Look` from the subject, to `Ask`, and to `Relay` when the subject was reached.
    Answered(Box<SelfAnswer>),
    /// To `Relay`: I asked and the subject did not answer me (the nack of Lifeguard, section IV-A).
    SubjectSilent,
    /// To `RoundFor`: all that was signed for this round.
    Round(Box<Grounds>),
    /// To `Propose`: bytes of a `ledger::Outcome`, committed at this index.
    Outcome {
        /// The entry that holds it.
        index: LedgerIndex,
        /// What the ledger said.
        outcome: Vec<u8>,
    },
    /// To `ReadIndex`.
    Index(LedgerIndex),
    /// To `Follow`: a piece of the ledger, bytes of the replication's own type, or news of who leads, or both.
    Entries {
        /// Who leads, as far as the answering keeper knows.
        leading: Leading,
        /// What the ledger has grown by.
        piece: Option<Vec<u8>>,
    },
    /// To `Raft`.
    Raft(Vec<u8>),
    /// To `Standing`: whether a live leader is known here.
    Standing {
        /// A leader was heard within the last election timeout.
        has_leader: bool,
    },
    /// Not now, or not here.
    Unavailable(Unavailable),
    /// To `Members`: what the answering host knows in turn.
    Members(Vec<u8>),
    /// To `Support`: the newest rules that the answering keeper and all its followers support.
    Support {
        /// Their number.
        rules: u32,
        /// Followers that know none newer than these while the keeper does; a few of them, for people.
        below: Vec<HostId>,
    },
    /// To `StateAt`.
    StateAt {
        /// The hash of the state, unless it was not kept or is not reached.
        digest: Option<Digest>,
    },
    /// To `Hears`.
    Hears {
        /// The answering host's observers whose probes came within the last 10 s (protocol 2.7).
        hosts: u32,
    },
    /// To `Report`: it is kept.
    Reported {
        /// Whether a round is held for it; none is where one was held for a report lately.
        is_looked_at: bool,
    },
    /// To `LookAtCheck`.
    CheckWord(Box<CheckWord>),
}

/// Why a well-formed and permitted request is not served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unavailable {
    /// Only the leader can; this is who leads, if known.
    NotLeader(LeaderHint),
    /// No leader is known.
    NoLeader,
    /// The asked agent holds no such seat, case or role.
    NotMine,
    /// A bound is reached; its name.
    Busy(String),
    /// The time for it ran out.
    TooLate,
    /// The role table refuses it (protocol 1.7).
    Forbidden,
}

/// Who leads in which Raft term, as far as the telling keeper knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leading {
    /// The leader's host, if one is heard.
    pub leader: Option<HostId>,
    /// The keeper's term.
    pub term: u64,
}

/// Who leads, as far as the answering keeper knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaderHint {
    /// The leader's host.
    pub leader: Option<HostId>,
}
