//! How one keeper calls another; the daemon implements it over its streams.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use vocabulary::HostId;
use wire::{Request, Response};

/// Calls a keeper and waits for its one answer.
#[async_trait]
pub trait KeeperLink: Send + Sync + 'static {
    /// Sends `request` to `keeper`; the answer, or a fault once `within` is over at the latest.
    async fn call(
        &self,
        keeper: HostId,
        request: Request,
        within: Duration,
    ) -> Result<Response, LinkFault>;
}

/// Why a call brought no answer; whether the keeper acted on it is unknown unless it was unreachable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkFault {
    /// No connection stands and none could be made; the request was not sent.
    Unreachable(String),
    /// The request may have been sent, the answer did not come in time.
    TimedOut,
    /// The connection broke, or the answer was no message.
    Broken(String),
}

impl fmt::Display for LinkFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(out, "the keeper cannot be reached: {why}"),
            Self::TimedOut => write!(out, "the keeper did not answer in time"),
            Self::Broken(why) => write!(out, "the keeper's answer was cut short: {why}"),
        }
    }
}

impl std::error::Error for LinkFault {}
