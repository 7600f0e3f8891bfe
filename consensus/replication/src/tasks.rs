//! Where the tasks of a host begin. In earnest a task is a task of the process; where many hosts live in one runtime, as in
//! tests, each host's tasks are held by one [`Tether`], by which they are frozen as SIGSTOP would, or ended as SIGKILL would.
//!
//! Law TT1: a task that is begun by a task on a tether is on the same tether.
//! Law TT2: a task on a tether that is frozen or cut does not run at all, and after the cut is dropped without a further word.
//! Not here: the world's side of it: what becomes of packets and files while a host stands still (see whoever holds the tether).

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::task::{AbortHandle, JoinHandle};

tokio::task_local! {
    static TETHER: Tether;
}

/// Begins a task; on the tether of the task that begins it, if there is one.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match TETHER.try_with(Tether::clone) {
        Ok(tether) => tether.spawn(future),
        Err(_) => tokio::spawn(future),
    }
}

/// Makes a future that others will spawn (a `JoinSet`, say) stand still with its host; whoever spawns it drops it, too.
pub fn tethered<F>(future: F) -> impl Future<Output = F::Output> + Send
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let tether = TETHER.try_with(Tether::clone).ok();
    async move {
        match tether {
            Some(tether) => tether.around(future).await,
            None => future.await,
        }
    }
}

/// All tasks of one host. Clones are the same tether.
#[derive(Clone, Debug, Default)]
pub struct Tether(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    state: State,
    tasks: Vec<AbortHandle>,
    /// So many tasks are held before those that have ended are let go.
    pruned_at: usize,
    /// Whom to wake at the thaw.
    still: Vec<Waker>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Free,
    Frozen,
    Cut,
}

/// Ended tasks are looked for each time that the number of those held has doubled, from here on.
const PRUNED_FROM: usize = 256;

impl Tether {
    /// Begins a task on this tether.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let task = tokio::spawn(self.around(future));
        let mut held = self.held();
        if held.state == State::Cut {
            task.abort();
        } else {
            held.keep(task.abort_handle());
        }
        task
    }

    /// No task runs until the thaw; what would have woken them wakes them then.
    pub fn freeze(&self) {
        let mut held = self.held();
        if held.state == State::Free {
            held.state = State::Frozen;
        }
    }

    /// They go on.
    pub fn thaw(&self) {
        let mut held = self.held();
        if held.state == State::Frozen {
            held.state = State::Free;
        }
        let still = std::mem::take(&mut held.still);
        drop(held);
        still.into_iter().for_each(Waker::wake);
    }

    /// Ends all of them, for ever.
    pub fn cut(&self) {
        let mut held = self.held();
        held.state = State::Cut;
        let tasks = std::mem::take(&mut held.tasks);
        held.still.clear();
        drop(held);
        tasks.iter().for_each(AbortHandle::abort);
    }

    /// How many of its tasks have not ended.
    pub fn alive(&self) -> usize {
        self.held().tasks.iter().filter(|task| !task.is_finished()).count()
    }

    fn around<F>(&self, future: F) -> impl Future<Output = F::Output> + Send + use<F>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let held = OnTether { tether: self.clone(), future: Box::pin(future) };
        TETHER.scope(self.clone(), held)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Plain values, each change whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn keep(&mut self, task: AbortHandle) {
        self.tasks.push(task);
        if self.tasks.len() > self.pruned_at.max(PRUNED_FROM) {
            self.tasks.retain(|task| !task.is_finished());
            self.pruned_at = self.tasks.len() * 2;
        }
    }
}

struct OnTether<F> {
    tether: Tether,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for OnTether<F> {
    type Output = F::Output;

    /// Law TT2.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let mut held = self.tether.held();
        match held.state {
            State::Free => drop(held),
            State::Frozen => {
                held.still.push(context.waker().clone());
                return Poll::Pending;
            }
            State::Cut => return Poll::Pending,
        }
        self.future.as_mut().poll(context)
    }
}

/// openraft's tasks begin here, too; all else of it is tokio's.
pub(crate) mod raft {
    use std::future::Future;
    use std::time::Duration;

    use openraft::{AsyncRuntime, OptionalSend, TokioRuntime};

    /// tokio, with our own beginning of tasks.
    #[derive(Debug, Default, PartialEq, Eq)]
    pub(crate) struct Tethering;

    type Tokio = TokioRuntime;

    impl AsyncRuntime for Tethering {
        type JoinError = <Tokio as AsyncRuntime>::JoinError;
        type JoinHandle<T: OptionalSend + 'static> = <Tokio as AsyncRuntime>::JoinHandle<T>;
        type Sleep = <Tokio as AsyncRuntime>::Sleep;
        type Instant = <Tokio as AsyncRuntime>::Instant;
        type TimeoutError = <Tokio as AsyncRuntime>::TimeoutError;
        type Timeout<R, T: Future<Output = R> + OptionalSend> =
            <Tokio as AsyncRuntime>::Timeout<R, T>;
        type ThreadLocalRng = <Tokio as AsyncRuntime>::ThreadLocalRng;
        type OneshotSender<T: OptionalSend> = <Tokio as AsyncRuntime>::OneshotSender<T>;
        type OneshotReceiver<T: OptionalSend> = <Tokio as AsyncRuntime>::OneshotReceiver<T>;
        type OneshotReceiverError = <Tokio as AsyncRuntime>::OneshotReceiverError;

        fn spawn<T>(future: T) -> Self::JoinHandle<T::Output>
        where
            T: Future + OptionalSend + 'static,
            T::Output: OptionalSend + 'static,
        {
            super::spawn(future)
        }

        fn sleep(duration: Duration) -> Self::Sleep {
            Tokio::sleep(duration)
        }

        fn sleep_until(deadline: Self::Instant) -> Self::Sleep {
            Tokio::sleep_until(deadline)
        }

        fn timeout<R, F: Future<Output = R> + OptionalSend>(
            duration: Duration,
            future: F,
        ) -> Self::Timeout<R, F> {
            Tokio::timeout(duration, future)
        }

        fn timeout_at<R, F: Future<Output = R> + OptionalSend>(
            deadline: Self::Instant,
            future: F,
        ) -> Self::Timeout<R, F> {
            Tokio::timeout_at(deadline, future)
        }

        fn is_panic(join_error: &Self::JoinError) -> bool {
            Tokio::is_panic(join_error)
        }

        fn thread_rng() -> Self::ThreadLocalRng {
            Tokio::thread_rng()
        }

        fn oneshot<T: OptionalSend>() -> (Self::OneshotSender<T>, Self::OneshotReceiver<T>) {
            Tokio::oneshot()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use tokio::time::{interval, sleep};

    use super::*;

    /// Counts its ticks from a task that a task begins.
    fn ticking(tether: &Tether) -> Arc<AtomicU64> {
        let count = Arc::new(AtomicU64::new(0));
        let counted = count.clone();
        tether.spawn(async move {
            spawn(async move {
                let mut ticks = interval(Duration::from_secs(1));
                loop {
                    ticks.tick().await;
                    counted.fetch_add(1, Ordering::SeqCst);
                }
            });
        });
        count
    }

    #[tokio::test(start_paused = true)]
    async fn a_frozen_host_stands_still_and_finds_at_the_thaw_that_its_timers_are_late() {
        let tether = Tether::default();
        let count = ticking(&tether);
        sleep(Duration::from_millis(3_500)).await;
        assert_eq!(count.load(Ordering::SeqCst), 4);
        tether.freeze();
        sleep(Duration::from_secs(10)).await;
        assert_eq!(count.load(Ordering::SeqCst), 4);
        tether.thaw();
        sleep(Duration::from_millis(1)).await;
        assert_eq!(count.load(Ordering::SeqCst), 14);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cut_tether_ends_what_its_tasks_have_begun_and_nothing_else() {
        let (one, other) = (Tether::default(), Tether::default());
        let (ended, goes_on) = (ticking(&one), ticking(&other));
        sleep(Duration::from_millis(500)).await;
        one.cut();
        sleep(Duration::from_secs(5)).await;
        assert_eq!((ended.load(Ordering::SeqCst), one.alive()), (1, 0));
        assert_eq!(goes_on.load(Ordering::SeqCst), 6);
        assert_eq!(other.alive(), 1);
        assert!(one.spawn(async {}).await.is_err(), "a dead host begins nothing");
    }
}
