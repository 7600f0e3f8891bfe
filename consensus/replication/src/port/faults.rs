//! Why the ledger does not do what was asked: the cause, whether anything moved, who can mend it.

use std::fmt;

use openraft::error::{ClientWriteError, RaftError};
use vocabulary::HostId;

use crate::raft::Member;
use crate::settings::SettingsFault;
use crate::store::StoreFault;

/// Why a keeper does not start; nothing has moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortFault {
    /// The figures contradict each other.
    Settings(SettingsFault),
    /// The store does not serve.
    Store(StoreFault),
    /// Raft found no sound beginning in the store.
    Raft(String),
}

/// Why a command has no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProposeFault {
    /// Nothing moved; ask this host.
    NotLeader {
        /// The leader, if known.
        hint: Option<HostId>,
    },
    /// No majority answered in time: whether it will be applied is unknown.
    TimedOut,
    /// Nothing moved; too many are waiting.
    Busy,
    /// Nothing moved; no entry can hold this much.
    TooLarge {
        /// Encoded.
        bytes: usize,
        /// Verdicts in it.
        findings: usize,
    },
    /// This keeper serves no more: whether it will be applied is unknown.
    Stopped,
}

/// Why there is no linearizable read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFault {
    /// Ask this host.
    NotLeader {
        /// The leader, if known.
        hint: Option<HostId>,
    },
    /// No majority confirmed that this keeper still leads.
    NoMajority,
    /// This keeper serves no more.
    Stopped,
}

/// Why the ledger is not founded by this call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InitialiseFault {
    /// A ledger exists here; it is never founded twice.
    AlreadyFounded,
    /// This keeper's store is not among the voters.
    NotAmongVoters,
    /// One host stands under two stores.
    HostTwice,
    /// This keeper serves no more; it is unknown whether the founding was written.
    Stopped(String),
}

/// Why the keepers stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberFault {
    /// Ask this host.
    NotLeader {
        /// The leader, if known.
        hint: Option<HostId>,
    },
    /// Raft refuses the change; its words.
    Refused(String),
    /// This keeper serves no more; whether the change stands is unknown.
    Stopped,
}

impl From<RaftError<u64, ClientWriteError<u64, Member>>> for MemberFault {
    fn from(fault: RaftError<u64, ClientWriteError<u64, Member>>) -> Self {
        match fault {
            RaftError::APIError(ClientWriteError::ForwardToLeader(to)) => {
                Self::NotLeader { hint: to.leader_node.map(|node| node.host) }
            }
            RaftError::APIError(ClientWriteError::ChangeMembershipError(why)) => {
                Self::Refused(why.to_string())
            }
            RaftError::Fatal(_) => Self::Stopped,
        }
    }
}

impl fmt::Display for PortFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(fault) => fault.fmt(out),
            Self::Store(fault) => fault.fmt(out),
            Self::Raft(why) => write!(out, "Raft finds no sound beginning in the store: {why}"),
        }
    }
}

impl fmt::Display for ProposeFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLeader { .. } => write!(out, "this keeper does not lead; nothing moved"),
            Self::TimedOut => write!(
                out,
                "no majority of keepers answered in time; whether it will be applied is unknown"
            ),
            Self::Busy => write!(out, "too many commands wait for the ledger; nothing moved"),
            Self::TooLarge { bytes, findings } => {
                write!(out, "{bytes} bytes with {findings} verdicts are more than one entry holds")
            }
            Self::Stopped => {
                write!(out, "this keeper serves no more; whether it will be applied is unknown")
            }
        }
    }
}

impl fmt::Display for ReadFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLeader { .. } => write!(out, "this keeper does not lead"),
            Self::NoMajority => write!(out, "no majority of keepers confirms who leads"),
            Self::Stopped => write!(out, "this keeper serves no more"),
        }
    }
}

impl fmt::Display for InitialiseFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyFounded => {
                write!(out, "a ledger exists on this keeper and is never founded twice")
            }
            Self::NotAmongVoters => write!(out, "this keeper is not among the founding keepers"),
            Self::HostTwice => write!(out, "one host stands twice among the founding keepers"),
            Self::Stopped(why) => write!(out, "this keeper serves no more: {why}"),
        }
    }
}

impl fmt::Display for MemberFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLeader { .. } => write!(out, "this keeper does not lead; nothing moved"),
            Self::Refused(why) => write!(out, "the change of keepers is refused: {why}"),
            Self::Stopped => {
                write!(out, "this keeper serves no more; whether the change stands is unknown")
            }
        }
    }
}

impl std::error::Error for PortFault {}
impl std::error::Error for ProposeFault {}
impl std::error::Error for ReadFault {}
impl std::error::Error for InitialiseFault {}
impl std::error::Error for MemberFault {}
