//! A keeper's store: one file, one thread that does all its work in the order it was asked, one fault that ends it.
//!
//! Law T1: jobs are done in the order they were asked, votes and entries alike.
//! Law T2: after the first fault nothing is read or written any more; that keeper votes no more (protocol 1.8).
//! A disk that never waits is worked on in place, so that a test's paused clock stays exact.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};
use vocabulary::StoreId;

use crate::contained::{contained, words};
use crate::disk::Disk;
use crate::machine::StepFault;
use crate::pulse::{Pulse, Queue};
use crate::shelf::Shelf;
use crate::watch;

/// A handle on an open store; clones are the same store.
#[derive(Clone)]
pub struct Store {
    id: StoreId,
    desk: Desk,
    fault: watch::Receiver<Option<StoreFault>>,
    pulse: Arc<Pulse>,
}

/// Why a store does not serve; which of them is damage, see [`StoreFault::is_damage`] (protocol 1.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// The disk holds bytes that do not open as a store; it is left as it is and never started empty.
    Unopenable(String),
    /// A record is not what was written.
    Damaged(String),
    /// What is there was written so, by another version of this code.
    Foreign(String),
    /// The device refuses.
    Disk(String),
    /// Raft asked for what would break the log; a fault of ours.
    Unlawful(String),
    /// A committed entry breaks the ledger's own laws; a fault of ours, the same on every keeper.
    Poison(String),
    /// Most voters have another state after the same entries; a fault of ours or of this machine.
    Diverged(String),
    /// Store ids are drawn at random and never 0.
    NoIdentity,
    /// The store was closed.
    Closed,
}

impl Store {
    /// Opens the store on this disk; an empty disk becomes a store under `offered`, which is drawn at random.
    pub async fn open(disk: Arc<dyn Disk>, offered: StoreId) -> Result<Self, StoreFault> {
        if offered == StoreId(0) {
            return Err(StoreFault::NoIdentity);
        }
        let (report, fault) = watch::channel(None);
        let pulse = Pulse::of_worker();
        let (id, desk) = if disk.may_block() {
            Self::open_on_thread(disk, offered, (report, &pulse)).await?
        } else {
            let bench = Bench::open(disk, offered, report)?;
            (bench.id, Desk::InPlace(Arc::new(Mutex::new(bench))))
        };
        Ok(Self { id, desk, fault, pulse })
    }

    /// The id that was drawn with the store: its Raft node id (protocol 1.4).
    pub fn id(&self) -> StoreId {
        self.id
    }

    /// Says so when the store has met its first fault.
    pub fn fault(&self) -> watch::Receiver<Option<StoreFault>> {
        self.fault.clone()
    }

    /// Whether its thread gets on.
    pub(crate) fn pulse(&self) -> Arc<Pulse> {
        Arc::clone(&self.pulse)
    }

    /// What waits for its thread, where it has one.
    pub(crate) fn queue(&self) -> Option<Queue> {
        match &self.desk {
            Desk::Thread(jobs) => Some(Queue::of_channel("jobs for the store's disk", jobs)),
            Desk::InPlace(_) => None,
        }
    }

    /// Ends the store for a reason that is not its own: this keeper votes no more (law T2).
    pub(crate) async fn condemn(&self, why: StoreFault) {
        // The reason comes back as the fault; there is nothing else to learn from it.
        let _ = self.ask(|_| Err::<(), _>(why)).await;
    }

    /// Ends the store for good: most voters have another state after the same entries, and at no later start is it used again
    /// (protocol 1.6).
    pub async fn diverged(&self, why: String) {
        let job = move |shelf: &mut Shelf| {
            if let Err(fault) = shelf.mark_diverged(&why) {
                tracing::error!(%fault, "that this store's state is not the others' cannot be written: it would be used again at the next start");
            }
            Err::<(), _>(StoreFault::Diverged(why))
        };
        // As for `condemn`.
        let _ = self.ask(job).await;
    }

    /// Writes what is still held back and lets go of the disk.
    pub async fn close(&self) -> Result<(), StoreFault> {
        let flushed = self.ask(Shelf::flush).await;
        match &self.desk {
            Desk::Thread(jobs) => {
                let (done, closed) = oneshot::channel();
                let close: Job = Box::new(move |bench: &mut Bench| {
                    let released = bench.release();
                    // The asker may have gone; the store is closed all the same.
                    let _ = done.send(released);
                });
                jobs.send(close).await.map_err(|_| StoreFault::Closed)?;
                flushed.and(closed.await.map_err(|_| StoreFault::Closed)?)
            }
            Desk::InPlace(bench) => flushed.and(held(bench).release()),
        }
    }

    /// Works out what takes long without the disk: beside the thread that asks, on which a state's bytes would hold up an
    /// election; in place where the disk never waits.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        match &self.desk {
            Desk::InPlace(_) => work(),
            Desk::Thread(_) => match tokio::task::spawn_blocking(work).await {
                Ok(done) => done,
                Err(end) => match end.try_into_panic() {
                    // Said again by the thread that asked: only there it ends the agent (protocol 1.9).
                    Ok(panic) => panic!("beside the thread that asks: {}", words(&*panic)),
                    // The runtime ends, and whoever asks with it.
                    Err(_) => std::future::pending().await,
                },
            },
        }
    }

    /// Has one job done, after all that were asked before it (law T1).
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Shelf) -> Result<T, StoreFault> + Send + 'static,
    ) -> Result<T, StoreFault> {
        match &self.desk {
            Desk::InPlace(bench) => held(bench).work(job),
            Desk::Thread(jobs) => {
                let (answer, answered) = oneshot::channel();
                let pulse = self.pulse();
                let job: Job = Box::new(move |bench: &mut Bench| {
                    let done = bench.work(job);
                    pulse.end();
                    // An asker that is gone wants no answer; the work is done all the same.
                    let _ = answer.send(done);
                });
                let place = jobs.reserve().await.map_err(|_| StoreFault::Closed)?;
                self.pulse.begin();
                place.send(job);
                answered.await.map_err(|_| StoreFault::Closed)?
            }
        }
    }

    async fn open_on_thread(
        disk: Arc<dyn Disk>,
        offered: StoreId,
        (report, pulse): (watch::Sender<Option<StoreFault>>, &Arc<Pulse>),
    ) -> Result<(StoreId, Desk), StoreFault> {
        let (jobs, mut asked) = mpsc::channel::<Job>(JOBS_MAX);
        let (opened, answer) = oneshot::channel();
        let life = pulse.life();
        std::thread::Builder::new()
            .name("hale-store".to_owned())
            .spawn(move || match Bench::open(disk, offered, report) {
                Ok(mut bench) => {
                    let _life = life;
                    if opened.send(Ok(bench.id)).is_ok() {
                        while let Some(job) = asked.blocking_recv() {
                            job(&mut bench);
                        }
                    }
                }
                Err(fault) => {
                    // The asker may have gone; there is nothing to close.
                    let _ = opened.send(Err(fault));
                }
            })
            .map_err(|why| StoreFault::Disk(why.to_string()))?;
        let id = answer.await.map_err(|_| StoreFault::Closed)??;
        Ok((id, Desk::Thread(jobs)))
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "store {}", self.id)
    }
}

#[derive(Clone)]
enum Desk {
    Thread(mpsc::Sender<Job>),
    InPlace(Arc<Mutex<Bench>>),
}

type Job = Box<dyn FnOnce(&mut Bench) + Send>;

struct Bench {
    id: StoreId,
    shelf: Option<Shelf>,
    broken: Option<StoreFault>,
    report: watch::Sender<Option<StoreFault>>,
}

impl Bench {
    fn open(
        disk: Arc<dyn Disk>,
        offered: StoreId,
        report: watch::Sender<Option<StoreFault>>,
    ) -> Result<Self, StoreFault> {
        let shelf = guarded(|| Shelf::open(disk, offered))?;
        Ok(Self { id: shelf.id(), shelf: Some(shelf), broken: None, report })
    }

    /// Law T2.
    fn work<T>(
        &mut self,
        job: impl FnOnce(&mut Shelf) -> Result<T, StoreFault>,
    ) -> Result<T, StoreFault> {
        if let Some(fault) = &self.broken {
            return Err(fault.clone());
        }
        let shelf = self.shelf.as_mut().ok_or(StoreFault::Closed)?;
        let done = guarded(|| job(shelf));
        if let Err(fault) = &done {
            tracing::error!(store = %self.id, %fault, "this keeper's store has failed: it votes no more");
            self.broken = Some(fault.clone());
            // Nobody may listen yet; whoever asks next is told.
            self.report.send_replace(Some(fault.clone()));
        }
        done
    }

    /// Lets go of the disk. redb writes as it does so, for its own next start alone: what was acknowledged is durable before (law S3
    /// of `shelf`).
    fn release(&mut self) -> Result<(), StoreFault> {
        let shelf = self.shelf.take();
        guarded(|| {
            drop(shelf);
            Ok(())
        })
    }
}

/// A store that nobody has closed is let go of as carefully.
impl Drop for Bench {
    fn drop(&mut self) {
        if let Err(fault) = self.release() {
            tracing::error!(store = %self.id, %fault, "this keeper's store could not be let go of in order");
        }
    }
}

/// redb may panic on a damaged file; that is damage, not the end of the agent.
fn guarded<T>(job: impl FnOnce() -> Result<T, StoreFault>) -> Result<T, StoreFault> {
    contained(job)
        .unwrap_or_else(|said| Err(StoreFault::Damaged(format!("reading it panicked: {said}"))))
}

fn held(bench: &Mutex<Bench>) -> MutexGuard<'_, Bench> {
    // `work` catches every panic before it can poison the lock.
    bench.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Most jobs that wait for the disk: Raft asks for one at a time, each follower's feed for one; beyond this askers wait.
const JOBS_MAX: usize = 64;

impl StoreFault {
    /// Whether what was kept is lost, so that only a fresh store helps (protocol 1.8); a device that refuses may serve again.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Unopenable(_) | Self::Damaged(_) | Self::Diverged(_) => true,
            Self::Foreign(_)
            | Self::Disk(_)
            | Self::Unlawful(_)
            | Self::Poison(_)
            | Self::NoIdentity
            | Self::Closed => false,
        }
    }
}

impl From<StepFault> for StoreFault {
    fn from(fault: StepFault) -> Self {
        match fault {
            StepFault::Poison(why) => Self::Poison(why),
            StepFault::Foreign(why) => Self::Foreign(why),
        }
    }
}

impl fmt::Display for StoreFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unopenable(why) => write!(out, "the disk holds no readable store ({why})"),
            Self::Damaged(why) => write!(out, "the store is damaged ({why})"),
            Self::Foreign(why) => write!(
                out,
                "the store was written by another version of hale ({why}); it is left as it is: start that version"
            ),
            Self::Disk(why) => write!(out, "the store's disk refuses: {why}"),
            Self::Unlawful(why) => write!(out, "the log would be broken: {why}"),
            Self::Poison(why) => write!(out, "the ledger cannot go on: {why}"),
            Self::Diverged(why) => write!(out, "the state is not the others' ({why})"),
            Self::NoIdentity => write!(out, "a store id of 0 was offered, ids are drawn above 0"),
            Self::Closed => write!(out, "the store is closed"),
        }
    }
}

impl std::error::Error for StoreFault {}
