//! Takes a new certificate, key or list of authorities into use while the agent runs: on SIGHUP, on an order, and when the
//! files have changed; and tells of certificates that end (ARCHITECTURE 5).
//!
//! Law RN1: whatever is wrong with the files, the identity in force stays, and log and `hale status` say why until the files
//! are sound again.
//! Law RN2: the look at the files is slow and small, [`LOOK_EVERY`]: nothing is read unless something has changed.
//! Law RN3: a file system that hangs holds up a thread of its own and this task, not the loop and not the agent's end; it is said
//! (see `watched`), and endings are told all the same.
//! Not here: what may follow what (see `identity::renewal`), the change itself (see `credentials`).

use std::sync::Arc;
use std::time::Duration;

use replication::{Pulse, watch};
use tokio::signal::unix::Signal;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

use super::credentials::Credentials;
use crate::identity::alarm::{Alarm, Nearness};
use crate::identity::{Glance, Identity, IdentityFiles, Renewal, RenewalFault, Watched};
use crate::moments;
use crate::selfwatch::SelfWatch;

/// Three calls of the system every so often cost nothing, and nobody waits longer for a certificate that was put in place.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Orders that wait for the files to be read; more are a loop of somebody's gone wrong.
const ORDERS_MAX: usize = 4;

/// What came of an order.
pub type Ended = Result<Renewal, RenewalFault>;

/// An order to read the files now.
struct Order {
    is_dry_run: bool,
    ended: oneshot::Sender<Ended>,
}

/// The way to the task; cheap to clone.
#[derive(Clone)]
pub struct Renewer {
    orders: mpsc::Sender<Order>,
    trouble: watch::Receiver<Option<String>>,
}

/// The task, which somebody must run; it ends with the [`Renewer`]s.
pub struct Renewing {
    files: IdentityFiles,
    credentials: Credentials,
    /// A service manager is told of each reading.
    own: SelfWatch,
    /// Whether the file system answers.
    pulse: Arc<Pulse>,
    orders: mpsc::Receiver<Order>,
    trouble: watch::Sender<Option<String>>,
    watched: Watched,
    alarm: Alarm,
}

/// Why the files were read.
#[derive(Clone, Copy, Debug)]
enum Cause {
    Hangup,
    Order,
    Change,
}

impl Renewer {
    /// Reads the files, and takes what they hold into use unless it is a dry run.
    pub async fn reload(&self, is_dry_run: bool) -> Ended {
        let (ended, end) = oneshot::channel();
        let order = Order { is_dry_run, ended };
        let gone = |_| RenewalFault::Unusable("this agent is ending".to_owned());
        self.orders.send(order).await.map_err(|_| gone(()))?;
        end.await.map_err(|_| gone(()))?
    }

    /// Why the files as they are were not taken, if they were not.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }
}

impl Renewing {
    /// Nothing watched yet.
    pub fn of(
        files: IdentityFiles,
        credentials: Credentials,
        own: SelfWatch,
        pulse: Arc<Pulse>,
    ) -> (Renewer, Self) {
        let (orders, ordered) = mpsc::channel(ORDERS_MAX);
        let (told, trouble) = watch::channel(None);
        let (watched, alarm) = (Watched::default(), Alarm::default());
        let task =
            Self { files, credentials, own, pulse, orders: ordered, trouble: told, watched, alarm };
        (Renewer { orders, trouble }, task)
    }

    /// Until nobody can order anything any more.
    pub async fn run(mut self, mut hangup: Signal) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                Some(()) = hangup.recv() => drop(self.reload(Cause::Hangup, false).await),
                order = self.orders.recv() => match order {
                    Some(order) => {
                        let ended = self.reload(Cause::Order, order.is_dry_run).await;
                        // Whoever ordered may be gone.
                        let _ = order.ended.send(ended);
                    }
                    None => return,
                },
                _ = look.tick() => {
                    self.tell_endings();
                    self.look().await;
                }
            }
        }
    }

    /// Law RN2.
    async fn look(&mut self) {
        let files = self.files.clone();
        let glance = self.answered(spawn_blocking(move || Glance::at(&files))).await;
        if glance.is_ok_and(|glance| self.watched.is_due(glance)) {
            let _ = self.reload(Cause::Change, false).await;
        }
    }

    async fn reload(&mut self, cause: Cause, is_dry_run: bool) -> Ended {
        self.own.reloading();
        let ended = self.read(cause, is_dry_run).await;
        self.own.reloaded();
        ended
    }

    async fn read(&mut self, cause: Cause, is_dry_run: bool) -> Ended {
        let files = self.files.clone();
        let read = spawn_blocking(move || {
            let glance = Glance::at(&files);
            (glance, Identity::load(&files, moments::now()))
        });
        let (glance, loaded) = self
            .answered(read)
            .await
            .map_err(|why| RenewalFault::Unusable(format!("they were not read: {why}")))?;
        let ended = loaded.map_err(RenewalFault::Unsound).and_then(|next| match is_dry_run {
            true => self.credentials.rehearse(&next),
            false => self.credentials.take(next),
        });
        if !is_dry_run {
            self.watched.read(glance);
            self.tell(cause, &ended);
        }
        ended
    }

    /// Law RN3.
    async fn answered<T>(&mut self, mut job: JoinHandle<T>) -> Result<T, JoinError> {
        self.pulse.begin();
        let mut alarms = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
        loop {
            tokio::select! {
                biased;
                done = &mut job => {
                    self.pulse.end();
                    return done;
                }
                _ = alarms.tick() => self.tell_endings(),
            }
        }
    }

    /// Law RN1.
    fn tell(&mut self, cause: Cause, ended: &Ended) {
        let until = moments::utc(self.credentials.in_force().validity().until);
        let trouble = match ended {
            Ok(Renewal::Other { has_other_key }) => {
                tracing::info!(?cause, %until, other_key = has_other_key, "another certificate is in use");
                self.tell_endings();
                None
            }
            Ok(Renewal::Same) => {
                if !matches!(cause, Cause::Change) {
                    tracing::info!(?cause, %until, "the certificate files hold what is in use already");
                }
                None
            }
            Err(fault) => {
                tracing::error!(?cause, %fault, %until, "the certificate files are not taken; the certificate in use stays");
                Some(format!(
                    "the certificate files are not taken, what is in use stays until {until}: {fault}"
                ))
            }
        };
        self.trouble.send_replace(trouble);
    }

    fn tell_endings(&mut self) {
        let endings = self.credentials.in_force().endings();
        for (nearness, line) in self.alarm.due(moments::now(), &endings) {
            match nearness {
                Nearness::Day | Nearness::Ended => tracing::error!("{line}"),
                Nearness::Far | Nearness::Month | Nearness::Week => tracing::warn!("{line}"),
            }
        }
    }
}
