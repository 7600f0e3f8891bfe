//! Calls a person through the policy's command.
//!
//! Law: one process at a time, and nobody is left out unsaid. A new leader calls for every case that was given up, all at
//! once; what does not fit into the queue is told as one line when the queue has been told.
//! Not here: which case needs a person (see `agent`).

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actuators::guard::Charge;
use agent::Page;
use ledger::policy::Escalation;
use replication::{Clock, Pulse, Queue, tasks};
use tokio::sync::mpsc;

use super::clock::HostClock;

/// Calls that wait: at the default time limit more than five minutes of a command that hangs. A person who has read so many
/// lines looks at the list of cases.
const WAITING_MAX: usize = 16;

/// Whatever carries one call to a person; a test puts its own in the place of the policy's command.
pub trait PagerDoor: Send + Sync + 'static {
    /// Carries it; returns when that has ended, within the escalation's time limit.
    fn carry(&self, call: Call) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The policy's command, under a guard.
pub struct GuardedCommand {
    program: PathBuf,
}

/// The way to a person; cheap to clone.
#[derive(Clone)]
pub struct Pager {
    queue: mpsc::Sender<Call>,
    /// Calls that found no place since the last line that counted them.
    left_out: Arc<AtomicU64>,
    pulse: Arc<Pulse>,
}

/// One call, and the command that carries it.
pub struct Call {
    /// Which case, and the line to say.
    pub page: Page,
    /// The command and its time limit.
    pub escalation: Escalation,
}

impl Pager {
    /// Starts the one task that calls.
    pub fn start(door: Arc<dyn PagerDoor>) -> Self {
        let (queue, calls) = mpsc::channel(WAITING_MAX);
        let left_out = Arc::new(AtomicU64::new(0));
        let pulse = Pulse::of_worker();
        tasks::spawn(work(calls, (Arc::clone(&left_out), Arc::clone(&pulse)), door));
        Self { queue, left_out, pulse }
    }

    /// Whether its task gets on.
    pub fn pulse(&self) -> Arc<Pulse> {
        Arc::clone(&self.pulse)
    }

    /// What waits for it.
    pub fn queue(&self) -> Queue {
        Queue::of_channel("calls for a person", &self.queue)
    }

    /// Calls as soon as the calls before have ended.
    pub fn call(&self, call: Call) {
        if self.queue.try_send(call).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn work(
    mut calls: mpsc::Receiver<Call>,
    (left_out, pulse): (Arc<AtomicU64>, Arc<Pulse>),
    door: Arc<dyn PagerDoor>,
) {
    let _life = pulse.life();
    while let Some(call) = calls.recv().await {
        let (case, escalation) = (call.page.case, call.escalation.clone());
        pulse.begin();
        door.carry(call).await;
        pulse.end();
        if !calls.is_empty() {
            continue;
        }
        let count = left_out.swap(0, Ordering::Relaxed);
        if count > 0 {
            let line = format!("and {count} more: see `hale cases`");
            door.carry(Call { page: Page { case, line }, escalation }).await;
        }
    }
}

impl GuardedCommand {
    /// `program` is the binary that has the verb `guard`.
    pub fn of(program: PathBuf) -> Self {
        Self { program }
    }

    async fn run(&self, Call { page, escalation }: Call) {
        let ends_at = HostClock.now().after(escalation.time_limit);
        let number = page.case.map(|case| case.0);
        // Where nobody leads there is no case, and the name is not set.
        let named = number.map(|number| ("HALE_CASE".into(), number.to_string()));
        let charge = Charge {
            argv: escalation.argv,
            environment: named.into_iter().chain([("HALE_LINE".into(), page.line)]).collect(),
            ends_at_ms: ends_at.as_milliseconds(),
        };
        match actuators::guarded::run_guarded(&self.program, &charge).await {
            Ok(report) => {
                tracing::info!(case = number, end = ?report.end, "the pager command has ended")
            }
            Err(fault) => {
                tracing::error!(case = number, %fault, "the pager command could not be run")
            }
        }
    }
}

impl PagerDoor for GuardedCommand {
    fn carry(&self, call: Call) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.run(call))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use vocabulary::{CaseId, Span};

    fn call(case: u64) -> Call {
        let escalation =
            Escalation { argv: vec!["/bin/page".into()], time_limit: Span::seconds(20) };
        Call { page: Page { case: Some(CaseId(case)), line: format!("case {case}") }, escalation }
    }

    /// Tells how many calls were under way as each ended, and its line.
    struct Listening {
        ended: mpsc::UnboundedSender<(usize, String)>,
        running: AtomicUsize,
    }

    impl PagerDoor for Listening {
        fn carry(&self, call: Call) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            Box::pin(async move {
                self.running.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                let at_once = self.running.fetch_sub(1, Ordering::SeqCst);
                self.ended.send((at_once, call.page.line)).expect("heard");
            })
        }
    }

    #[tokio::test]
    async fn a_new_leader_with_a_hundred_cases_runs_one_pager_at_a_time_and_counts_the_rest() {
        let (ended, mut lines) = mpsc::unbounded_channel();
        let pager = Pager::start(Arc::new(Listening { ended, running: AtomicUsize::new(0) }));
        for case in 1..=100 {
            pager.call(call(case));
        }
        let mut told = Vec::new();
        while told.last().is_none_or(|line: &String| !line.starts_with("and")) {
            let (at_once, line) = lines.recv().await.expect("it goes on");
            assert_eq!(at_once, 1, "one process at a time");
            told.push(line);
        }
        assert_eq!(told.len(), WAITING_MAX + 1);
        assert_eq!(told[0], "case 1");
        assert_eq!(told[WAITING_MAX], "and 84 more: see `hale cases`");
        pager.call(call(101));
        assert_eq!(lines.recv().await.expect("it goes on").1, "case 101");
    }
}
