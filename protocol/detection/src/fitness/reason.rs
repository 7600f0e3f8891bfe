//! Why a host is not unfit by a check: the rule that says no, with its figures, in one sentence for `explain`.

use std::fmt;

use vocabulary::Grade;

/// The first rule that stands between a subject and the verdict `Unfit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotUnfit {
    /// Law FT1: it signed nothing in this round.
    NoAnswer,
    /// protocol 3.4: more than f observers find the check served.
    Contrary {
        /// How many.
        have: usize,
        /// f.
        tolerated: usize,
    },
    /// protocol 3.4: too few observers find it failed.
    TooFewVoices {
        /// How many do.
        have: usize,
        /// How many are needed.
        need: usize,
        /// How many of its seats are vacant.
        vacant: usize,
    },
    /// protocol 3.4: its observers stand in several zones or racks, those that find it failed all in one.
    OneDomainOnly,
    /// Its own word is asked for and is not `Failed`; `None` where it gave none that counts.
    OwnWord(Option<Grade>),
}

impl fmt::Display for NotUnfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer => {
                write!(out, "it did not answer in this round: that is for the check reach")
            }
            Self::Contrary { have, tolerated } => {
                write!(out, "{have} observers find it serving, {tolerated} may be mistaken")
            }
            Self::TooFewVoices { have, need, vacant } => write!(
                out,
                "{have} observers find it failed, {need} are needed ({vacant} seats are vacant)"
            ),
            Self::OneDomainOnly => write!(
                out,
                "its observers stand in several zones or racks, those that find it failed all in one"
            ),
            Self::OwnWord(None) => write!(out, "it says nothing of this check itself"),
            Self::OwnWord(Some(Grade::Unknown)) => write!(out, "it cannot tell itself"),
            Self::OwnWord(Some(Grade::Failed)) => write!(out, "by its own word it fails"),
            Self::OwnWord(Some(Grade::Ok | Grade::Degraded)) => {
                write!(out, "by its own word it serves")
            }
        }
    }
}
