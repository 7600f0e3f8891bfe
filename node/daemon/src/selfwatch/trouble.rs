//! What may be wrong with the agent itself, in words, and all of it at a glance.

use std::fmt;

use vocabulary::Span;

/// One thing that is wrong with the agent itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A worker has something to do and does nothing.
    Stuck {
        /// Which, as a noun.
        name: &'static str,
        /// For how long.
        since: Span,
        /// With what, where it is known.
        doing: Option<&'static str>,
    },
    /// A worker that must not end has ended.
    Gone {
        /// Which, as a noun.
        name: &'static str,
    },
    /// Timers fire late: the machine is starved, or something works too long at once.
    Late {
        /// By so much.
        by: Span,
    },
    /// A queue is nearly full.
    Filled(Fill),
    /// Memory comes near its ceiling.
    MemoryHigh(Share),
    /// Memory is at its ceiling: connections that nobody needs are let go.
    MemoryFull(Share),
    /// Descriptors come near what the system allows.
    Descriptors(Share),
}

/// How full a queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Of what.
    pub name: &'static str,
    /// So much waits.
    pub used: usize,
    /// So much may.
    pub bound: usize,
}

/// How much of what may be taken is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Taken.
    pub used: u64,
    /// Allowed.
    pub bound: u64,
}

/// Which trouble it is, whatever its figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// By the worker's name.
    Stuck(&'static str),
    /// By the worker's name.
    Gone(&'static str),
    /// Of all timers.
    Late,
    /// By the queue's name.
    Filled(&'static str),
    /// Near the ceiling.
    MemoryHigh,
    /// At the ceiling.
    MemoryFull,
    /// Of descriptors.
    Descriptors,
}

/// All that the agent knows of its own state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What is wrong, one sentence each.
    pub troubles: Vec<String>,
    /// Memory that the process holds, in bytes.
    pub memory: Share,
    /// Open descriptors.
    pub descriptors: Share,
    /// How late timers were at the last look.
    pub late: Span,
    /// Every queue.
    pub queues: Vec<Fill>,
}

impl Share {
    /// Whether this part of what is allowed is taken, in percent.
    pub fn is_at(&self, percent: u64) -> bool {
        u128::from(self.used) * 100 >= u128::from(self.bound) * u128::from(percent)
    }
}

impl Trouble {
    /// Which it is.
    pub fn topic(&self) -> Topic {
        match self {
            Self::Stuck { name, .. } => Topic::Stuck(name),
            Self::Gone { name } => Topic::Gone(name),
            Self::Late { .. } => Topic::Late,
            Self::Filled(fill) => Topic::Filled(fill.name),
            Self::MemoryHigh(_) => Topic::MemoryHigh,
            Self::MemoryFull(_) => Topic::MemoryFull,
            Self::Descriptors(_) => Topic::Descriptors,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stuck { name, since, doing: None } => {
                write!(out, "{name} stands still for {since}")
            }
            Self::Stuck { name, since, doing: Some(doing) } => {
                write!(out, "{name} stands still for {since}, with {doing}")
            }
            Self::Gone { name } => write!(out, "{name} has ended"),
            Self::Late { by } => write!(out, "timers are {by} late"),
            Self::Filled(Fill { name, used, bound }) => {
                write!(out, "the queue of {name} holds {used} of {bound}")
            }
            Self::MemoryHigh(share) => {
                write!(
                    out,
                    "memory: {} of {} (limits.memory_max)",
                    Bytes(share.used),
                    Bytes(share.bound)
                )
            }
            Self::MemoryFull(share) => write!(
                out,
                "memory: {} of {} (limits.memory_max): connections that nobody needs are let go, and the agent ends at {}",
                Bytes(share.used),
                Bytes(share.bound),
                Bytes(super::judge::end_at(share.bound)),
            ),
            Self::Descriptors(share) => write!(
                out,
                "{} of {} descriptors are open: raise the limit (LimitNOFILE=, ulimit -n) or lower limits.connections_max",
                share.used, share.bound
            ),
        }
    }
}

/// Bytes as people say them.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} MiB", self.0 >> 20)
    }
}
