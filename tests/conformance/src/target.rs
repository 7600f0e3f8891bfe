//! What does an actuator work on, and what can be seen of that from outside?

use actuators::Actuator;
use vocabulary::actuation::{CommandRemedy, RemedyOrder};
use vocabulary::{CaseId, Fence, HostId, HostName, RemedyClass, RemedyId, Span, VerdictKind};

/// One thing that an actuator works on, fresh for one claim.
pub trait Target: Send + Sync {
    /// The driver that is judged.
    fn actuator(&self) -> &dyn Actuator;

    /// Puts into the order what makes this thing behave so, when the remedy comes and when it is inspected.
    fn prepare(&self, order: &mut RemedyOrder, conduct: Conduct, past: Past);

    /// What was done to it, oldest first, told by the thing itself.
    fn deeds(&self) -> Vec<Deed>;

    /// Whether any part of a remedy or of an inspection is still at it.
    fn is_being_worked_on(&self) -> bool;
}

/// What the thing does with a remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// Carries it out.
    Obeys,
    /// Promises that nothing was begun.
    Declines,
    /// Begins, and ends in a way that says nothing.
    Fails,
    /// Begins, and does not end.
    Stalls,
    /// Carries it out, and says far more than anybody wants to read, control characters among it.
    Rambles,
}

/// What the thing says of a remedy when it is inspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Past {
    /// It was done.
    Done,
    /// It was not, and may be done again.
    NotDone,
    /// It cannot tell.
    Unclear,
    /// It does not answer.
    Stalls,
}

/// One remedy that has begun at the thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Which.
    pub remedy: RemedyId,
    /// Under which fence.
    pub fence: Fence,
}

impl Deed {
    /// What this order asks for.
    pub fn of(order: &RemedyOrder) -> Self {
        Self { remedy: order.remedy, fence: order.fence }
    }
}

/// An order that names no conduct yet, with time enough on the busiest machine.
pub fn order(remedy: u64) -> RemedyOrder {
    let command = CommandRemedy {
        argv: Vec::new(),
        inspect: None,
        class: RemedyClass::Gentle,
        time_limit: Span::minutes(10),
    };
    RemedyOrder {
        case: CaseId(42),
        subject: HostId([7; 16]),
        subject_name: HostName::new("web-b-17").expect("a sound name"),
        verdict: VerdictKind::AgentDown,
        fence: Fence(100 + remedy),
        remedy: RemedyId(remedy),
        command,
        at_most: Span::minutes(1),
    }
}
