//! What the rest of the daemon may ask of the running mind: a look at its own standing; and what it may tell it: a report.
//!
//! Law IQ1: nobody waits longer than [`ANSWERED_WITHIN`], or [`REPORTED_WITHIN`] where the leader is told: a loop that is flooded, or stands, has no answer, and that is one.

use std::time::Duration;

use agent::lead::LastLook;
use agent::view::View;
use replication::Queue;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use vocabulary::{HostId, Moment};
use wire::{Report, Response};

use crate::transport::Reply;

/// Inquiries that wait for the loop; more are answered by silence. The admin socket serves 32 at once.
const INQUIRIES_MAX: usize = 64;

/// The loop answers within a millisecond; one that is a second behind has other trouble, which the asker can then be told.
const ANSWERED_WITHIN: Duration = Duration::from_secs(1);

/// The leader has 3 s to answer.
const REPORTED_WITHIN: Duration = Duration::from_secs(4);

/// A question to the loop.
pub(super) enum Inquiry {
    /// Somebody on this host says that a host fails.
    Report(Report, Reply),
    /// Its own standing.
    View(oneshot::Sender<(View, Moment)>),
    /// What its last rounds on a subject gave, if it held any as leader.
    LastLook(HostId, oneshot::Sender<Option<(LastLook, Moment)>>),
}

/// Asks the loop; cheap to clone.
#[derive(Clone, Debug)]
pub struct Inquirer(mpsc::Sender<Inquiry>);

impl Inquirer {
    pub(super) fn new() -> (Self, mpsc::Receiver<Inquiry>) {
        let (sender, receiver) = mpsc::channel(INQUIRIES_MAX);
        (Self(sender), receiver)
    }

    /// What waits for the loop.
    pub(super) fn queue(&self) -> Queue {
        Queue::of_channel("questions of the admin socket", &self.0)
    }

    /// The mind's own standing and the moment of the answer; `None` when the loop does not answer.
    pub async fn view(&self) -> Option<(View, Moment)> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(Inquiry::View(answer)).ok()?;
        timeout(ANSWERED_WITHIN, answered).await.ok()?.ok()
    }

    /// Tells the leader, whoever it is, that a host fails; `None` when nobody answers.
    pub async fn report(&self, report: Report) -> Option<Response> {
        let (reply, mut answered) = Reply::own();
        self.0.try_send(Inquiry::Report(report, reply)).ok()?;
        timeout(REPORTED_WITHIN, answered.recv()).await.ok()?
    }

    /// What the last rounds on a subject gave, if this host held any as leader.
    pub async fn last_look(&self, subject: HostId) -> Option<(LastLook, Moment)> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(Inquiry::LastLook(subject, answer)).ok()?;
        timeout(ANSWERED_WITHIN, answered).await.ok()?.ok()?
    }
}
