//! Which hosts do not admit this one, and why: for its log, where each reason is told rarely, and for `hale status`.
//!
//! Law UW1: one reason is told once in [`AGAIN_AFTER`], however many hosts give it and however often: a retired host dials on,
//! and must not drown its own log.
//! Law UW2: a retired host learns of it even where it never hears of its burial from the ledger: every host that lets it go
//! refuses it with that reason.
//! Not here: what a refused boot means (see `agent::life`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use vocabulary::HostId;
use wire::HelloRefusal;

/// Between two lines of one reason.
const AGAIN_AFTER: Duration = Duration::from_secs(600);

/// Reasons and hosts that are remembered; more add nothing to what is told.
const KEPT_MAX: usize = 64;

/// What was heard.
#[derive(Debug, Default)]
pub(super) struct Unwelcome(Mutex<Heard>);

#[derive(Debug, Default)]
struct Heard {
    told: BTreeMap<String, Instant>,
    retired_by: BTreeSet<HostId>,
}

impl Unwelcome {
    /// A host refuses this one; whether that is to be told now.
    pub fn refused(&self, by: HostId, refusal: &HelloRefusal) -> bool {
        let mut heard = self.heard();
        if *refusal == HelloRefusal::Retired && heard.retired_by.len() < KEPT_MAX {
            heard.retired_by.insert(by);
        }
        heard.is_due(format!("{refusal:?}"))
    }

    /// A host admits this one.
    pub fn admitted(&self, by: &HostId) {
        self.heard().retired_by.remove(by);
    }

    /// Law UW1, for any other reason to be told rarely.
    pub fn is_due(&self, reason: String) -> bool {
        self.heard().is_due(reason)
    }

    /// Law UW2, as a sentence for a person.
    pub fn note(&self) -> Option<String> {
        let by = self.heard().retired_by.len();
        let hosts = if by == 1 { "1 host refuses" } else { &format!("{by} hosts refuse") };
        (by > 0).then(|| {
            format!(
                "{hosts} this one and say that it is retired for good: stop its agent; a host that shall serve again needs a \
                 certificate with a new name"
            )
        })
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    fn is_due(&mut self, reason: String) -> bool {
        let now = Instant::now();
        self.told.retain(|_, told| now < *told + AGAIN_AFTER);
        if self.told.len() >= KEPT_MAX || self.told.contains_key(&reason) {
            return false;
        }
        self.told.insert(reason, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(number: u8) -> HostId {
        HostId([number; 16])
    }

    #[tokio::test(start_paused = true)]
    async fn law_uw1_a_reason_is_told_once_in_ten_minutes_whoever_gives_it() {
        let unwelcome = Unwelcome::default();
        assert!(unwelcome.refused(host(1), &HelloRefusal::Retired));
        assert!(unwelcome.refused(host(1), &HelloRefusal::Busy), "another reason");
        for number in 0..200 {
            assert!(!unwelcome.refused(host(number), &HelloRefusal::Retired));
        }
        tokio::time::advance(AGAIN_AFTER).await;
        assert!(unwelcome.refused(host(2), &HelloRefusal::Retired));
    }

    #[test]
    fn law_uw2_a_retired_host_is_told_so_until_somebody_admits_it() {
        let unwelcome = Unwelcome::default();
        unwelcome.refused(host(1), &HelloRefusal::Busy);
        assert_eq!(unwelcome.note(), None);
        unwelcome.refused(host(1), &HelloRefusal::Retired);
        unwelcome.refused(host(2), &HelloRefusal::Retired);
        assert!(unwelcome.note().is_some_and(|note| note.starts_with("2 hosts refuse this one")));
        unwelcome.admitted(&host(1));
        unwelcome.admitted(&host(2));
        assert_eq!(unwelcome.note(), None);
    }
}
