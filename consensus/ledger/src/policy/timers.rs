//! How long the mesh waits for what.
//!
//! Law T1: every wait of a case has a name here, so that an operator can read why nothing happens yet.
//! Not here: waits of a single rule or rung (see `rule`), and waits within a round, which are fixed (protocol 3).

use serde::{Deserialize, Serialize};
use vocabulary::Span;

/// The waits that a policy may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timers {
    /// An agent that said goodbye is no case for this long (protocol 3.6).
    pub left_grace: Span,
    /// An `AgentDown` that stands calls a person after this (protocol 3.6).
    pub agent_down_for: Span,
    /// No intent until this long after the subject's own doubt and after the last new doubt in its zone and rack
    /// (protocol 7.4).
    pub quiet_for: Span,
    /// How long a lease lives without renewal (protocol 7.1); see [`Timers::renew_every`], [`Timers::lease_margin`].
    pub lease_term: Span,
    /// A healer that does not accept within this is replaced by the next (protocol 7.2).
    pub accept_within: Span,
    /// An orphaned remedy whose end stays `Unknown` for this long is escalated (protocol 7.6).
    pub unknown_for: Span,
    /// A surge lifts by itself once the doubted set has not changed for this long; `None`: a person lifts it
    /// (protocol 6.4).
    pub resume_after: Option<Span>,
    /// A step of the ramp ends after this even if its remedies have not (protocol 6.3).
    pub ramp_step_within: Span,
    /// A doubt that stands without verdict or end for this long is a case (protocol 3.6 `Unsettled`). This and the next are
    /// read from the policy's text again after a snapshot: the layout of the state is older than they.
    #[serde(skip, default = "settle_for")]
    pub settle_for: Span,
    /// Such a case calls a person after this.
    #[serde(skip, default = "unsettled_for")]
    pub unsettled_for: Span,
    /// An approval holds for this long (protocol 6.8). Read from the policy's text again after a snapshot too.
    #[serde(skip, default = "approved_for")]
    pub approved_for: Span,
}

const fn settle_for() -> Span {
    Span::seconds(30)
}

const fn unsettled_for() -> Span {
    Span::minutes(5)
}

/// Long enough for a lease to be free, short enough for the person to be there still when the remedy begins.
const fn approved_for() -> Span {
    Span::minutes(15)
}

impl Timers {
    /// How often a healer renews its lease: three tries within a term.
    pub const fn renew_every(&self) -> Span {
        Span::milliseconds(self.lease_term.as_milliseconds() / 3)
    }

    /// What every external call leaves of a lease: a sixth and a tenth of the term, 5 s + 10 % of 30 s (protocol 7.1).
    pub const fn lease_margin(&self) -> Span {
        let term = self.lease_term.as_milliseconds();
        Span::milliseconds(term / 6 + term / 10)
    }

    /// The longest that a remedy may run under a lease as it is granted: its term less its margin.
    pub const fn remedy_at_most(&self) -> Span {
        self.lease_term.less(self.lease_margin())
    }
}

/// What holds where the policy is silent; the reference page shows the same, a test compares them.
impl Default for Timers {
    fn default() -> Self {
        Self {
            left_grace: Span::minutes(15),
            agent_down_for: Span::minutes(5),
            quiet_for: Span::seconds(5),
            lease_term: Span::seconds(30),
            accept_within: Span::seconds(5),
            unknown_for: Span::minutes(15),
            resume_after: None,
            ramp_step_within: Span::minutes(10),
            settle_for: settle_for(),
            unsettled_for: unsettled_for(),
            approved_for: approved_for(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_of_thirty_seconds_is_renewed_every_ten_and_leaves_eight() {
        let timers = Timers::default();
        assert_eq!(timers.renew_every(), Span::seconds(10));
        assert_eq!(timers.lease_margin(), Span::seconds(8));
        assert_eq!(timers.remedy_at_most(), Span::seconds(22));
    }

    #[test]
    fn the_shortest_lease_still_leaves_time_to_act() {
        let timers = Timers { lease_term: Span::seconds(3), ..Timers::default() };
        assert_eq!(timers.renew_every(), Span::seconds(1));
        assert_eq!(timers.lease_margin(), Span::milliseconds(800));
    }
}
