//! The thread that watches: it takes a look, has it judged, tells systemd, then the log.
//!
//! Law SW1: it shares nothing with the watched that could hold it up. Writing to the log can (a full pipe holds whoever
//! writes), so that comes last: what is stuck was told to systemd before, and a sentry that is stuck itself feeds nobody.
//! Not here: any decision (see `judge`, `voice`).

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use replication::Clock;
use vocabulary::Span;

use super::board::{Board, Say, SelfWatch};
use super::judge::{Change, Judge, MemoryBounds};
use super::systemd;
use super::trouble::{Share, Trouble};
use super::voice::{Standing, Voice, Word};
use crate::command_line::Exit;

/// Not yet begun.
pub struct Sentry {
    own: SelfWatch,
    board: Board,
    said: Receiver<Say>,
}

/// The sentry at its post.
struct Post {
    own: SelfWatch,
    board: Board,
    clock: Arc<dyn Clock>,
    judge: Judge,
    voice: Voice,
    /// When the agent was told to end.
    told_to_end: Option<vocabulary::Moment>,
}

impl Sentry {
    /// The sentry, with the loop and the timers on its board.
    pub fn new() -> Self {
        let (own, board, said) = SelfWatch::new();
        Self { own, board, said }
    }

    /// The watched side.
    pub fn watched(&self) -> SelfWatch {
        self.own.clone()
    }

    /// What else is to be watched.
    pub fn board(&mut self) -> &mut Board {
        &mut self.board
    }

    /// Begins to watch, until the life says that it is over.
    pub fn begin(self, clock: Arc<dyn Clock>, memory_bounds: MemoryBounds) -> std::io::Result<()> {
        let Self { own, board, said } = self;
        let voice = Voice::new(systemd::watchdog());
        let judge = Judge::new(memory_bounds);
        let post = Post { own, board, clock, judge, voice, told_to_end: None };
        thread::Builder::new().name("hale-sentry".to_owned()).spawn(move || post.stand(&said))?;
        Ok(())
    }
}

impl Default for Sentry {
    fn default() -> Self {
        Self::new()
    }
}

impl Post {
    fn stand(mut self, said: &Receiver<Say>) {
        let every = Duration::from_millis(self.voice.looks_every(LOOK_EVERY).as_milliseconds());
        loop {
            match said.recv_timeout(every) {
                Ok(Say::Stopping) => return systemd::say(&Word::Stopping),
                Ok(Say::Reloading) => systemd::say(&Word::Reloading),
                Ok(Say::Reloaded) => systemd::say(&Word::Ready),
                Err(RecvTimeoutError::Timeout) if self.own.is_over() => return,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.look();
        }
    }

    fn look(&mut self) {
        let now = self.clock.now();
        let changes = self.judge.handle(now, &self.board.look(&self.own));
        let report = self.judge.report().clone();
        let line = match report.troubles.first() {
            Some(trouble) => format!("TROUBLE: {trouble}; {}", self.own.line()),
            None => self.own.line(),
        };
        let is_well = self.judge.is_vital_well();
        let standing = Standing { has_begun: self.own.has_begun(), is_well, line };
        self.own.set_report(report);
        for word in self.voice.handle(now, &standing) {
            systemd::say(&word);
        }
        for change in changes {
            self.follow(change);
        }
        if self.told_to_end.is_some_and(|told| now.since(told) > END_WITHIN) {
            // The loop does not even end: what it would have closed is sound on disk all the same.
            std::process::exit(Exit::Exhausted as i32);
        }
    }

    fn follow(&mut self, change: Change) {
        match change {
            Change::Begins(trouble @ (Trouble::Stuck { .. } | Trouble::Gone { .. })) => {
                tracing::error!("{trouble}");
            }
            Change::Begins(trouble) => tracing::warn!("{trouble}"),
            Change::Ends(trouble) => tracing::info!("over: {trouble}"),
            Change::LetGo => self.own.order(|orders| orders.let_go += 1),
            Change::End(Share { used, bound }) => {
                if self.told_to_end.is_none() {
                    self.told_to_end = Some(self.clock.now());
                    self.own.order(|orders| orders.end = true);
                    tracing::error!(used, bound, "the agent ends for want of memory");
                }
            }
        }
    }
}

/// A look costs some 100 microseconds.
const LOOK_EVERY: Span = Span::seconds(1);

/// Time for the loop to end in good order: the store closes within a second.
const END_WITHIN: Span = Span::seconds(5);
