//! The figures of this room, checked once.

use std::fmt;
use std::time::Duration;

/// How a keeper beats, elects, and keeps its log. Defaults suit keepers of one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How often a leader speaks to its followers. Default 100 ms; shorter finds a dead leader sooner and costs traffic.
    pub heartbeat: Duration,
    /// The shortest time between two elections that a keeper begins. Default 300 ms; must stay far above the slowest fsync of a
    /// keeper's disk.
    pub election_min: Duration,
    /// For how long a leader that is not heard counts as live, and the longest time that a keeper waits beyond it, drawn for each
    /// election. Default 600 ms; fail-over takes 1 to 2 times this.
    pub election_max: Duration,
    /// After how many entries a snapshot is made and the log before it may go. Default 5,000.
    pub snapshot_every: u64,
    /// How many entries before a snapshot stay in the log for slow followers. Default 1,000.
    pub entries_kept: u64,
    /// After every how many entries the keepers compare their states (protocol 1.6). Default 1,000; the same on all keepers, or
    /// they compare nothing. Each time costs a pass over the whole state.
    pub compared_every: u64,
    /// For how long a proposal may wait for its majority. Default 5 s; then its end is unknown.
    pub propose_within: Duration,
}

/// Why the figures cannot stand; nothing was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsFault {
    /// The shortest election time must be at least twice the heartbeat.
    ElectionNotAboveHeartbeat {
        /// As given.
        heartbeat: Duration,
        /// As given.
        election_min: Duration,
    },
    /// The longest election time must be above the shortest, or keepers campaign in step.
    ElectionRange {
        /// As given.
        election_min: Duration,
        /// As given.
        election_max: Duration,
    },
    /// A snapshot after no entry at all.
    SnapshotEvery,
}

impl Settings {
    /// Every later room may rely on `2 * heartbeat <= election_min < election_max` in whole milliseconds above zero.
    pub fn check(&self) -> Result<(), SettingsFault> {
        if self.heartbeat.as_millis() == 0 || self.election_min < self.heartbeat * 2 {
            return Err(SettingsFault::ElectionNotAboveHeartbeat {
                heartbeat: self.heartbeat,
                election_min: self.election_min,
            });
        }
        if self.election_min.as_millis() >= self.election_max.as_millis() {
            return Err(SettingsFault::ElectionRange {
                election_min: self.election_min,
                election_max: self.election_max,
            });
        }
        if self.snapshot_every == 0 {
            return Err(SettingsFault::SnapshotEvery);
        }
        Ok(())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(100),
            election_min: Duration::from_millis(300),
            election_max: Duration::from_millis(600),
            snapshot_every: 5_000,
            entries_kept: 1_000,
            compared_every: 1_000,
            propose_within: Duration::from_secs(5),
        }
    }
}

impl fmt::Display for SettingsFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ElectionNotAboveHeartbeat { heartbeat, election_min } => write!(
                out,
                "the shortest election time {election_min:?} is not twice the heartbeat {heartbeat:?}"
            ),
            Self::ElectionRange { election_min, election_max } => write!(
                out,
                "the longest election time {election_max:?} is not above the shortest {election_min:?}"
            ),
            Self::SnapshotEvery => write!(out, "a snapshot after every 0 entries has no meaning"),
        }
    }
}

impl std::error::Error for SettingsFault {}
