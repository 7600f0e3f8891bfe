//! What is done to the hosts of a virtual fleet, and what its people and programs do.
//!
//! Not here: what follows (see `fleet`).

use std::fmt;

use vocabulary::{GroupName, Span};

use crate::actuator::Habit;
use crate::lies::Lie;
use crate::ports::PortGives;

/// Which hosts a fault is about; asked again at the moment it strikes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whom {
    /// By its name.
    Named(String),
    /// All of a zone.
    Zone(String),
    /// All of a rack, by its own name.
    Rack(String),
    /// The first, second, ... host, dealt over the zones, keepers last.
    NthHost(usize),
    /// All of the first, second, ... zone, by name.
    NthZone(usize),
    /// All of the first, second, ... rack; those of several hosts and without a keeper first.
    NthRack(usize),
    /// So many of a thousand hosts, as [`Whom::NthHost`] counts them; rounded up.
    Share(u32),
    /// Whoever leads.
    Leader,
    /// Whoever holds the newest lease.
    Healer,
}

/// What is wrong with a way between hosts, from now on; nought is perfect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// So many of a thousand datagrams are lost; streams repeat themselves and come later.
    Loss(u32),
    /// It takes so long; where hosts are named, so much longer than everywhere.
    Latency(Span),
    /// And at most so much more.
    Jitter(Span),
    /// So many of a thousand datagrams come twice.
    Duplication(u32),
    /// So many of a thousand datagrams are overtaken by later ones.
    Reordering(u32),
    /// A host's link carries so many bytes a second; what finds no room before it is lost. `None`: it holds nothing up.
    Bandwidth(Option<u64>),
}

/// Which of the ways between hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ways {
    /// Every one.
    All,
    /// The links of these, out and in: what passes between two of them meets the trouble twice.
    Of(Vec<Whom>),
    /// Out of these.
    From(Vec<Whom>),
    /// Into these.
    To(Vec<Whom>),
    /// From these to those, that direction alone.
    Across(Vec<Whom>, Vec<Whom>),
    /// Between these and those, in both directions.
    Between(Vec<Whom>, Vec<Whom>),
}

/// What holds a host up that lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plight {
    /// Its agent does everything so much later; zero: at its own pace.
    Slow(Span),
    /// Its agent sends nothing and reads nothing for so long, while its timers run; what it would send waits, and so does what
    /// comes, as far as the buffers go.
    Stall {
        /// For how long.
        lasts: Span,
        /// Free for so long, and then stalled again; `None`: once.
        free: Option<Span>,
    },
    /// It is stalled no more.
    Unstall,
    /// The whole machine stands still: nothing runs, nothing passes.
    Suspend {
        /// For how long.
        lasts: Span,
        /// Whether its CLOCK_BOOTTIME counts the time: it does where a guest is suspended, and not where a hypervisor pauses it.
        is_counted: bool,
    },
    /// Its clock is so many of a thousand too fast, or too slow.
    Drift(i32),
    /// Its clock leaps ahead while it runs, as a hypervisor may set it after a migration.
    Jump(Span),
    /// Its disk is lost; the agent is started again on an empty one.
    LoseDisk,
}

/// What is wrong with the ledger's service, as an agent sees it; nought ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceTrouble {
    /// Every entry takes so much longer.
    Slow(Span),
    /// Nobody leads, and nobody is elected, for so long.
    Leaderless(Span),
    /// So many of a thousand answers to proposals and reads are lost.
    LosesAnswers(u32),
}

/// One thing that happens to the fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL to the agent.
    Kill(Vec<Whom>),
    /// The agent is started again, a boot higher.
    Start(Vec<Whom>),
    /// The machine is copied as it was before this life of its agent, key and all, and the copy is started: one name, two
    /// machines.
    Clone(Vec<Whom>),
    /// SIGSTOP to the agent: its kernel goes on accepting.
    Freeze(Vec<Whom>),
    /// SIGCONT.
    Thaw(Vec<Whom>),
    /// Every link of the host is silent, in both directions.
    Silence(Vec<Whom>),
    /// They speak again.
    Unsilence(Vec<Whom>),
    /// The machine is off.
    PowerOff(Vec<Whom>),
    /// SIGTERM to the agent: it says goodbye.
    Leave(Vec<Whom>),
    /// SIGTERM to the agent, which is started again as its service manager would: a boot higher, three seconds later.
    Restart(Vec<Whom>),
    /// Nothing passes from these to those, and back where both directions are cut.
    Cut {
        /// From whom.
        from: Vec<Whom>,
        /// To whom; empty: to everybody else.
        to: Vec<Whom>,
        /// Whether the other direction is cut as well.
        both: bool,
    },
    /// No link is cut any more.
    Join,
    /// From now on the ways between hosts are so.
    Links {
        /// How.
        trouble: Trouble,
        /// Which of them.
        on: Ways,
    },
    /// Something holds hosts up that live.
    Befall {
        /// Whom.
        whom: Vec<Whom>,
        /// What.
        plight: Plight,
    },
    /// A port of these hosts gives something else from now on.
    Port {
        /// Whose.
        whom: Vec<Whom>,
        /// Which, what and to whom.
        gives: PortGives,
    },
    /// These hosts lie from now on, all in the same way.
    Lie {
        /// Whose agents.
        whom: Vec<Whom>,
        /// How.
        lie: Lie,
    },
    /// Something is wrong with the ledger's service.
    Service(ServiceTrouble),
    /// The next remedies go like this, one each; after that they work.
    Remedies(Vec<Habit>),
    /// Every remedy takes so long from now on.
    RemedyTakes(Span),
    /// A person stops all healing, and says why.
    Pause(String),
    /// A person lifts the brakes, and says why.
    Resume(String),
    /// A person releases each of these from its quarantine.
    Release(Vec<Whom>),
    /// A person releases this group from whatever is stopped in it.
    ReleaseGroup(GroupName),
    /// A person allows what would be tried next on each of these.
    Approve(Vec<Whom>),
    /// A person forbids what would be tried next on each of these.
    Deny(Vec<Whom>),
    /// A person opens a window of maintenance on each of these.
    Maintain {
        /// On whom.
        whom: Vec<Whom>,
        /// For how long.
        lasts: Span,
    },
    /// The FleetLock client of each of these asks its own host's agent for leave to reboot it.
    TakeSlot(Vec<Whom>),
    /// The FleetLock client of each of these gives its leave back.
    ReturnSlot(Vec<Whom>),
    /// A person takes back every reboot slot that is held.
    RevokeSlots,
    /// A person takes the votes of the ledger from these and gives as many to those.
    MoveVotes {
        /// From whom.
        from: Vec<Whom>,
        /// To whom.
        to: Vec<Whom>,
    },
    /// A person sets this policy.
    Policy(String),
}

impl fmt::Display for Whom {
    /// As a script says it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => out.write_str(name),
            Self::Zone(zone) => write!(out, "zone={zone}"),
            Self::Rack(rack) => write!(out, "rack={rack}"),
            Self::NthHost(number) => write!(out, "host:{number}"),
            Self::NthZone(number) => write!(out, "zone:{number}"),
            Self::NthRack(number) => write!(out, "rack:{number}"),
            Self::Share(permille) if permille.is_multiple_of(10) => {
                write!(out, "{}%", permille / 10)
            }
            Self::Share(permille) => write!(out, "{}.{}%", permille / 10, permille % 10),
            Self::Leader => out.write_str("leader"),
            Self::Healer => out.write_str("healer"),
        }
    }
}

impl Fault {
    /// Everybody it speaks of.
    pub fn whom(&self) -> Vec<Whom> {
        let mut own = self.clone();
        own.parties().into_iter().flat_map(std::mem::take).collect()
    }

    /// The same of one host; what is done to no host in particular, or between two sides, stays as it is.
    pub(crate) fn of(&self, one: Whom) -> Self {
        let mut own = self.clone();
        if let [whom] = &mut own.parties()[..] {
            **whom = vec![one];
        }
        own
    }

    /// The lists of those it speaks of: one, two where it stands between them, or none.
    fn parties(&mut self) -> Vec<&mut Vec<Whom>> {
        match self {
            Self::Kill(whom)
            | Self::Start(whom)
            | Self::Clone(whom)
            | Self::Freeze(whom)
            | Self::Thaw(whom)
            | Self::Silence(whom)
            | Self::Unsilence(whom)
            | Self::PowerOff(whom)
            | Self::Leave(whom)
            | Self::Restart(whom)
            | Self::Release(whom)
            | Self::Approve(whom)
            | Self::Deny(whom)
            | Self::Maintain { whom, .. }
            | Self::TakeSlot(whom)
            | Self::ReturnSlot(whom)
            | Self::Lie { whom, .. }
            | Self::Port { whom, .. }
            | Self::Befall { whom, .. } => vec![whom],
            Self::Cut { from, to, .. } | Self::MoveVotes { from, to } => vec![from, to],
            Self::Links { on, .. } => on.parties(),
            Self::Join
            | Self::Service(_)
            | Self::Remedies(_)
            | Self::RemedyTakes(_)
            | Self::ReleaseGroup(_)
            | Self::RevokeSlots
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::Policy(_) => Vec::new(),
        }
    }
}

impl Ways {
    fn parties(&mut self) -> Vec<&mut Vec<Whom>> {
        match self {
            Self::All => Vec::new(),
            Self::Of(whom) | Self::From(whom) | Self::To(whom) => vec![whom],
            Self::Across(from, to) | Self::Between(from, to) => vec![from, to],
        }
    }
}

impl fmt::Display for Trouble {
    /// As a trace says it of the ways that come after it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loss(permille) => write!(out, "{permille} of 1,000 datagrams are lost"),
            Self::Latency(span) => write!(out, "every way takes {span} longer"),
            Self::Jitter(span) => write!(out, "every way takes up to {span} more"),
            Self::Duplication(permille) => write!(out, "{permille} of 1,000 datagrams come twice"),
            Self::Reordering(permille) => {
                write!(out, "{permille} of 1,000 datagrams are overtaken")
            }
            Self::Bandwidth(Some(bytes)) => write!(out, "{bytes} bytes a second pass"),
            Self::Bandwidth(None) => out.write_str("as many bytes pass as come"),
        }
    }
}

impl fmt::Display for Plight {
    /// As a trace says it of the hosts before it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slow(by) => write!(out, "everything comes {by} later"),
            Self::Stall { lasts, free: None } => write!(out, "stalled for {lasts}"),
            Self::Stall { lasts, free: Some(free) } => {
                write!(out, "stalled for {lasts}, free for {free}, and so on")
            }
            Self::Unstall => out.write_str("stalled no more"),
            Self::Suspend { lasts, is_counted: true } => write!(out, "suspended for {lasts}"),
            Self::Suspend { lasts, is_counted: false } => {
                write!(out, "suspended for {lasts} that no clock counts")
            }
            Self::Drift(permille) => write!(out, "the clock is {permille} of 1,000 fast"),
            Self::Jump(by) => write!(out, "the clock leaps by {by}"),
            Self::LoseDisk => out.write_str("starts anew on an empty disk"),
        }
    }
}

impl fmt::Display for ServiceTrouble {
    /// As a trace says it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slow(by) => write!(out, "every entry takes {by} longer"),
            Self::Leaderless(span) => write!(out, "nobody leads for {span}"),
            Self::LosesAnswers(permille) => {
                write!(out, "{permille} of 1,000 answers of the ledger are lost")
            }
        }
    }
}
