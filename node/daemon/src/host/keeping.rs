//! The ledger as this host last knew it, kept on its own disk (protocol 1.3): a host that starts knows keepers and addresses at
//! once, whatever has become of its seeds, and asks only for what it lacks.
//!
//! Law KE1: what is kept is a hint from yesterday: no keeper is ever contradicted with it (see `replication::kept`).
//! Law KE2: what cannot be read is set aside with one line and costs a fetch, never a start.
//! Not here: where it lies (see `folder`).

use std::sync::Arc;
use std::time::Duration;

use ledger::Ledger;
use replication::{Pulse, kept, tasks, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use vocabulary::ClusterName;

use super::home::Home;

/// After a change of who belongs, of a life or an address: a rolling restart of a thousand hosts writes six times a minute, not
/// a thousand times.
const AFTER_ROSTER: Duration = Duration::from_secs(10);

/// After any other change: what an entry or a tick adds is fetched in no time.
const AFTER_ENTRY: Duration = Duration::from_mins(5);

/// The end of a life waits for its last write no longer than this.
const END_WITHIN: Duration = Duration::from_millis(500);

/// What this host has kept, if it is whole and of this cluster.
pub fn read(home: &dyn Home, cluster: &ClusterName) -> Option<Ledger> {
    let bytes = match home.kept() {
        Ok(bytes) => bytes?,
        Err(why) => {
            tracing::warn!(%why, "what this host kept of the ledger cannot be read; it is fetched anew");
            return None;
        }
    };
    let why = match kept::kept::<Ledger>(&bytes) {
        Ok(ledger) if ledger.is_founded() && ledger.roster().cluster == *cluster => {
            return Some(ledger);
        }
        Ok(ledger) => format!("it is of cluster {}", ledger.roster().cluster),
        Err(why) => why.to_string(),
    };
    set_aside(home, &why);
    None
}

/// One line, whatever becomes of the file.
pub fn set_aside(home: &dyn Home, why: &str) {
    match home.set_kept_aside() {
        Ok(place) => tracing::warn!(
            why,
            "what this host kept of the ledger is set aside at {place} and fetched anew"
        ),
        Err(fault) => tracing::warn!(
            why,
            %fault,
            "what this host kept of the ledger is of no use and cannot be set aside; it is fetched anew"
        ),
    }
}

/// The task that keeps what becomes known.
pub struct Keeping {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Keeping {
    /// From now on; what is known now lies on the disk already.
    pub fn start(
        state: watch::Receiver<Arc<Ledger>>,
        home: Arc<dyn Home>,
        pulse: &Arc<Pulse>,
    ) -> Self {
        let stop = CancellationToken::new();
        let (kept, writing) = (Arc::clone(&state.borrow()), Arc::clone(pulse));
        let keeper = Task { state, home, pulse: writing, kept, is_failing: false };
        let task = tasks::spawn(pulse.of_task(keeper.run(stop.clone())));
        Self { stop, task }
    }

    /// Writes what is new for the last time.
    pub async fn end(self) {
        self.stop.cancel();
        // What is not written in time is fetched at the next start.
        let _ = timeout(END_WITHIN, self.task).await;
    }
}

struct Task {
    state: watch::Receiver<Arc<Ledger>>,
    home: Arc<dyn Home>,
    pulse: Arc<Pulse>,
    kept: Arc<Ledger>,
    is_failing: bool,
}

impl Task {
    async fn run(mut self, stop: CancellationToken) {
        let mut written = Instant::now();
        loop {
            let ledger = Arc::clone(&self.state.borrow_and_update());
            let due = pause(&self.kept, &ledger).map(|pause| written + pause);
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    if due.is_some() {
                        self.write(ledger).await;
                    }
                    return;
                }
                () = sleep_until(due.unwrap_or(written)), if due.is_some() => {
                    self.write(ledger).await;
                    written = Instant::now();
                }
                changed = self.state.changed() => if changed.is_err() {
                    return;
                }
            }
        }
    }

    async fn write(&mut self, ledger: Arc<Ledger>) {
        let (home, state) = (Arc::clone(&self.home), Arc::clone(&ledger));
        let write = move || home.keep(&kept::keep(&*state));
        self.pulse.begin();
        let written = match self.home.may_block() {
            true => tokio::task::spawn_blocking(write).await.unwrap_or_else(|why| Err(why.into())),
            false => write(),
        };
        self.pulse.end();
        match written {
            Ok(()) => self.is_failing = false,
            // Told once: a full disk stays full for longer than a line takes to be read.
            Err(why) if !self.is_failing => {
                self.is_failing = true;
                tracing::warn!(%why, "what this host knows of the ledger cannot be kept on its disk");
            }
            Err(_) => {}
        }
        // Also where it failed: the next try comes with the next change.
        self.kept = ledger;
    }
}

/// How long what is on the disk may stand beside what is known now; `None` where it is the same.
fn pause(kept: &Arc<Ledger>, known: &Arc<Ledger>) -> Option<Duration> {
    if kept.index() == known.index() || !known.is_founded() {
        None
    } else if Arc::ptr_eq(kept.roster(), known.roster()) {
        Some(AFTER_ENTRY)
    } else {
        Some(AFTER_ROSTER)
    }
}
