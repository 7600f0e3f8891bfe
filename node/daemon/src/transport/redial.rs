//! Keeps warm hosts connected: dials them when they are not, at once and then ever more rarely.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use vocabulary::HostId;

use super::dial::Errand;
use super::luck::Luck;
use super::settings::{LARGER_ID_WAITS, TransportSettings, WARM_DIALS_MAX};
use super::shared::{Shared, State};

/// When each warm host was last dialled, and how long the next wait is. At most the warm hosts.
#[derive(Debug, Default)]
pub(super) struct Redials(BTreeMap<HostId, Redial>);

#[derive(Debug)]
struct Redial {
    dialled_at: Instant,
    wait: Duration,
}

/// How long the loop sleeps when nothing is due; a change wakes it.
const AT_LEAST_EVERY: Duration = Duration::from_secs(60);

/// Runs until the transport closes.
pub(super) async fn keep_warm(shared: Arc<Shared>) {
    let _life = shared.pulses[1].life();
    loop {
        let now = Instant::now();
        shared.pulses[1].begin();
        let due = shared.lock().redial(&shared, now);
        shared.pulses[1].end();
        tokio::select! {
            biased;
            () = shared.closing.cancelled() => return,
            () = shared.warm_changed.notified() => {}
            () = sleep_until(due.unwrap_or(now + AT_LEAST_EVERY)) => {}
        }
    }
}

impl State {
    /// Dials every warm host that is due, and says when the next one is.
    fn redial(&mut self, shared: &Arc<Shared>, now: Instant) -> Option<Instant> {
        let missing: Vec<HostId> = self
            .pool
            .warm()
            .iter()
            .copied()
            .filter(|host| !self.pool.is_connected(*host) && !self.dials.contains_key(host))
            .filter(|host| self.book.address(*host).is_some() && !self.book.is_denied(*host))
            .collect();
        let is_warm = |host: &&HostId| self.pool.warm().contains(host);
        let mut under_way = self.dials.keys().filter(is_warm).count();
        let mut next = None;
        for host in missing {
            let mut due = self.redials.due(host, now, &shared.settings);
            if due <= now && under_way >= WARM_DIALS_MAX {
                // The end of one of them wakes the loop.
                continue;
            }
            if due <= now {
                // A refusal is a bound of ours, and the wait that follows is the right answer to it.
                let _ = self.begin_dial(shared, host, Errand::Warm);
                under_way += 1;
                due = self.redials.dialled(host, now, &shared.settings, &shared.luck);
            }
            next = Some(next.map_or(due, |next: Instant| next.min(due)));
        }
        next
    }
}

impl Redials {
    /// At once if it was not dialled lately; what flaps must wait like what is silent.
    fn due(&self, host: HostId, now: Instant, settings: &TransportSettings) -> Instant {
        match self.0.get(&host) {
            Some(last) if now < last.dialled_at + settings.redial_at_most * 2 => {
                last.dialled_at + last.wait
            }
            _ => now,
        }
    }

    fn dialled(
        &mut self,
        host: HostId,
        now: Instant,
        settings: &TransportSettings,
        luck: &Luck,
    ) -> Instant {
        let wait = match self.0.get(&host) {
            Some(last) if now < last.dialled_at + settings.redial_at_most * 2 => last.wait * 2,
            _ => settings.redial_after,
        };
        let wait = luck.jittered(wait.min(settings.redial_at_most));
        let dialled_at = now;
        self.0.insert(host, Redial { dialled_at, wait });
        dialled_at + wait
    }

    /// Lets a host that has just become warm dial first.
    pub(super) fn let_first(&mut self, host: HostId, now: Instant) {
        let wait = LARGER_ID_WAITS;
        let dialled_at = now;
        self.0.entry(host).or_insert(Redial { dialled_at, wait });
    }

    /// Forgets hosts that are not kept warm any more.
    pub(super) fn retain(&mut self, warm: &BTreeSet<HostId>) {
        self.0.retain(|host, _| warm.contains(host));
    }
}
