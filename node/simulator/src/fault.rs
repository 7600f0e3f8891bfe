//! What is done to the hosts of a virtual fleet, and what its people and programs do.
//!
//! Not here: what follows (see `fleet`).

use vocabulary::Span;

use crate::actuator::Habit;

/// Which hosts a fault is about; asked again at the moment it strikes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whom {
    /// By its name.
    Named(String),
    /// All of a zone.
    Zone(String),
    /// All of a rack, by its own name.
    Rack(String),
    /// Whoever leads.
    Leader,
    /// Whoever holds the newest lease.
    Healer,
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
    /// From now on so many of a thousand datagrams are lost.
    Loss(u32),
    /// The next remedies go like this, one each; after that they work.
    Remedies(Vec<Habit>),
    /// Every remedy takes so long from now on.
    RemedyTakes(Span),
    /// A person stops all healing, and says why.
    Pause(String),
    /// A person lifts the brakes, and says why.
    Resume(String),
    /// A person sets this policy.
    Policy(String),
}
