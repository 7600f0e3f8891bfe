//! Whether something that works still gets on: counters that it turns and that somebody else reads. No clock, no lock, so that
//! whoever reads can do so while everything else stands still.
//!
//! Not here: how long is too long (see the daemon's self-watch).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::mpsc;

/// What one worker shows of itself; it is written by the worker and read by anybody.
#[derive(Debug, Default)]
pub struct Pulse {
    begun: AtomicU64,
    ended: AtomicU64,
    /// It must turn even when nothing is asked of it.
    never_rests: bool,
    is_gone: AtomicBool,
}

/// A pulse as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// Rises with whatever the worker begins or ends.
    pub count: u64,
    /// Whether it has something to do, so that a count that stands is a worker that stands.
    pub is_busy: bool,
    /// Whether it has ended for good.
    pub is_gone: bool,
}

/// A bounded queue as its watcher knows it.
pub struct Queue {
    /// What waits in it, in words that follow "the queue of".
    pub name: &'static str,
    /// Most that may wait.
    pub bound: usize,
    /// How much waits now.
    pub used: Box<dyn Fn() -> usize + Send + Sync>,
}

/// All that a keeper shows of itself (see [`LedgerPort::signs`](crate::LedgerPort::signs)).
pub struct Signs {
    /// The thread of the store's disk: begun is a job that was handed over, ended one that was done.
    pub store: Arc<Pulse>,
    /// The task that writes entries.
    pub proposer: Arc<Pulse>,
    /// The task that watches who leads.
    pub warden: Arc<Pulse>,
    /// The task that puts new stores in the place of lost ones.
    pub replacer: Arc<Pulse>,
    /// The task that compares keepers' states: whether it is there.
    pub comparer: Arc<Pulse>,
    /// Raft itself: whether it runs.
    pub raft: Box<dyn Fn() -> Beat + Send + Sync>,
    /// What waits for them.
    pub queues: Vec<Queue>,
}

impl Pulse {
    /// Of a worker that rests while nothing is asked of it.
    pub fn of_worker() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Of a worker that turns by itself, whatever is asked of it.
    pub fn of_ticker() -> Arc<Self> {
        Arc::new(Self { never_rests: true, ..Self::default() })
    }

    /// Something is to be done.
    pub fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    /// It is done.
    pub fn end(&self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    /// As long as this lives, the worker does.
    pub fn life(self: &Arc<Self>) -> Life {
        Life(Arc::clone(self))
    }

    /// The worker's task; whenever it is over, however it came to that, the worker is gone.
    pub fn of_task<F: Future>(
        self: &Arc<Self>,
        task: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        let life = self.life();
        async move {
            let _life = life;
            task.await
        }
    }

    /// What it shows now.
    pub fn read(&self) -> Beat {
        let (ended, begun) =
            (self.ended.load(Ordering::Relaxed), self.begun.load(Ordering::Relaxed));
        Beat {
            count: begun.wrapping_add(ended),
            is_busy: self.never_rests || begun > ended,
            is_gone: self.is_gone.load(Ordering::Relaxed),
        }
    }
}

/// Says that its worker has ended when it is dropped, for whatever reason.
#[derive(Debug)]
pub struct Life(Arc<Pulse>);

impl Drop for Life {
    fn drop(&mut self) {
        self.0.is_gone.store(true, Ordering::Relaxed);
    }
}

impl Queue {
    /// Of a channel; it does not keep the channel open.
    pub fn of_channel<T: Send + 'static>(name: &'static str, sender: &mpsc::Sender<T>) -> Self {
        let (bound, weak) = (sender.max_capacity(), sender.downgrade());
        let used = move || weak.upgrade().map_or(0, |sender| bound - sender.capacity());
        Self { name, bound, used: Box::new(used) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_busy_from_begin_to_end_and_a_ticker_always() {
        let (worker, ticker) = (Pulse::of_worker(), Pulse::of_ticker());
        assert_eq!(worker.read(), Beat { count: 0, is_busy: false, is_gone: false });
        worker.begin();
        assert_eq!(worker.read(), Beat { count: 1, is_busy: true, is_gone: false });
        worker.end();
        assert_eq!(worker.read(), Beat { count: 2, is_busy: false, is_gone: false });
        assert!(ticker.read().is_busy);
        drop(worker.life());
        assert!(worker.read().is_gone);
    }

    #[tokio::test]
    async fn a_worker_is_gone_when_its_task_has_ended_or_was_dropped() {
        let (ends, dropped) = (Pulse::of_worker(), Pulse::of_worker());
        ends.of_task(async { assert!(!ends.read().is_gone) }).await;
        assert!(ends.read().is_gone);
        let task = dropped.of_task(std::future::pending::<()>());
        assert!(!dropped.read().is_gone);
        drop(task);
        assert!(dropped.read().is_gone);
    }

    #[test]
    fn a_queue_is_counted_and_not_kept_open_by_whoever_counts() {
        let (sender, mut receiver) = mpsc::channel(4);
        let queue = Queue::of_channel("letters", &sender);
        for letter in 0..3 {
            sender.try_send(letter).expect("room");
        }
        assert_eq!((queue.bound, (queue.used)()), (4, 3));
        assert_eq!(receiver.try_recv(), Ok(0));
        assert_eq!((queue.used)(), 2);
        drop(sender);
        assert_eq!((queue.used)(), 0);
        while receiver.try_recv().is_ok() {}
        assert_eq!(receiver.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
    }
}
