//! Where does one observer stand with one subject?
//!
//! | from | to | when |
//! |---|---|---|
//! | `Calm` | `Probing` | its slot has come |
//! | `Probing` | `Streaming` | the third probe is missed (protocol 2.3) |
//! | `Calm`, `Probing`, `Streaming` | `Dialling` | the connection was reset; or the stream brought nothing |
//! | `Dialling` | `Doubting` | the dial failed, and silence is evidence or has lasted (law P1) |
//! | any | `Calm` | the subject answered, or began another life (law P2) |
//! | any but `Left` | `Left` | it said goodbye |

use vocabulary::{Boot, Moment};

use super::AttemptId;

/// One of the stages above.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// All is well; the next probe goes out at `next`.
    Calm { next: Moment },
    /// Up to three probes are out.
    Probing { chain: Chain, until: Moment },
    /// No probe was answered; a stream asks.
    Streaming { chain: Chain, id: AttemptId, until: Moment },
    /// Nothing on the standing connection; a fresh dial decides.
    Dialling { chain: Chain, id: AttemptId, until: Moment },
    /// Told to the leader.
    Doubting(Doubt),
    /// Gone by its own word, until it is seen in another life.
    Left,
}

/// The probes of one private retry.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    /// Number and moment of each; at most [`Chain::PROBES_MAX`].
    pub(super) sent: Vec<(u64, Moment)>,
}

/// A doubt that stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doubt {
    /// When it began.
    pub(super) since: Moment,
    /// On which life.
    pub(super) boot: Boot,
    /// Only answers to looks numbered from here on end it (law P2).
    pub(super) from: u64,
    /// When to look again.
    pub(super) next_look: Moment,
    /// No dial earlier.
    pub(super) next_dial: Moment,
    /// A dial under way, and until when it may be.
    pub(super) dial: Option<(AttemptId, Moment)>,
}

impl Chain {
    /// The probe and its two repetitions (protocol 2.3).
    pub(super) const PROBES_MAX: usize = 3;

    /// Whether an answer to this number answers this chain: late answers to earlier chains do not.
    pub(super) fn holds(&self, number: u64) -> bool {
        self.sent.first().is_none_or(|(first, _)| number >= *first)
    }

    /// When the probe of this number went out.
    pub(super) fn sent_at(&self, number: u64) -> Option<Moment> {
        let probe = self.sent.iter().find(|(sent, _)| *sent == number);
        probe.map(|(_, at)| *at)
    }
}

impl Stage {
    /// The chain under way, if one is.
    pub(super) fn chain(&self) -> Option<&Chain> {
        match self {
            Self::Probing { chain, .. }
            | Self::Streaming { chain, .. }
            | Self::Dialling { chain, .. } => Some(chain),
            Self::Calm { .. } | Self::Doubting(_) | Self::Left => None,
        }
    }

    /// When this stage ends or acts by itself.
    pub(super) fn deadline(&self) -> Option<Moment> {
        match self {
            Self::Calm { next } => Some(*next),
            Self::Probing { until, .. }
            | Self::Streaming { until, .. }
            | Self::Dialling { until, .. } => Some(*until),
            Self::Doubting(doubt) => Some(doubt.next_look),
            Self::Left => None,
        }
    }
}
