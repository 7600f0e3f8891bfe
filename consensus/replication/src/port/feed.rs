//! The ledger for one follower, piece by piece: entries while the log has them, else the whole state.
//!
//! Law F2: only what is committed and applied here is sent. The follower's pace is the feed's pace: nothing is queued.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use openraft::EntryPayload;
use tokio::time::{Instant, timeout};
use vocabulary::{Digest, LedgerIndex};

use super::image::{IMAGE_WITHIN, Image};
use crate::log::REPLICATED_BYTES_MAX;
use crate::machine::Machine;
use crate::piece::{Body, Piece};
use crate::raft::LogEntry;
use crate::state::{Shown, settled};
use crate::store::{Store, StoreFault};
use crate::watch;

/// What one follower is sent.
pub struct Feed<M> {
    store: Store,
    shown: Arc<Shown<M>>,
    applied: watch::Receiver<LedgerIndex>,
    stop: watch::Receiver<bool>,
    after: LedgerIndex,
    audit: Option<Digest>,
    image: Option<Sending>,
    /// The follower says that it has entries which are not here; until this keeper has them, too.
    is_beyond: bool,
    /// The follower claims to stand there, where this leader has not been: before it is, the feed ends, so that nothing of this ledger is put
    /// behind what is another's.
    ends_at: Option<LedgerIndex>,
}

/// The whole state on its way.
struct Sending {
    image: Arc<Image>,
    next: usize,
    until: Instant,
}

/// Why a feed ends; the follower asks another keeper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedFault {
    /// The store does not serve.
    Store(StoreFault),
    /// This keeper stops.
    Stopped,
    /// The follower has what this keeper has not; its leader knows whether there is such an entry.
    Beyond,
    /// Other followers fetch the whole state, so many that this one must wait.
    Crowded,
    /// The follower takes the whole state in too slowly.
    Slow,
}

impl<M: Machine> Feed<M> {
    pub(super) fn new(
        store: Store,
        shown: Arc<Shown<M>>,
        stop: watch::Receiver<bool>,
        (from, audit): (LedgerIndex, Option<Digest>),
    ) -> Self {
        Self {
            is_beyond: from > shown.both().0.next(),
            applied: shown.applied(),
            store,
            shown,
            stop,
            after: LedgerIndex(from.0.saturating_sub(1)),
            audit,
            image: None,
            ends_at: None,
        }
    }

    /// The same, from its beginning, for a follower that claims to stand at `claimed`, which no entry of this ledger has reached.
    pub(super) fn anew(
        store: Store,
        shown: Arc<Shown<M>>,
        stop: watch::Receiver<bool>,
        claimed: LedgerIndex,
    ) -> Self {
        let begun = Self::new(store, shown, stop, (LedgerIndex(0), None));
        Self { ends_at: Some(claimed), ..begun }
    }

    /// The next piece, as soon as there is one. Dropping the wait loses nothing.
    pub async fn next(&mut self) -> Result<Piece, FeedFault> {
        if let Some(part) = self.image_part() {
            return part;
        }
        if self.is_beyond {
            let reached = timeout(CATCHES_UP_WITHIN, self.wait_for(self.after)).await;
            reached.map_err(|_| FeedFault::Beyond)??;
            self.is_beyond = false;
        }
        self.wait_for(self.after.next()).await?;
        if self.ends_at.is_some_and(|claimed| self.shown.both().0 >= claimed) {
            return Err(FeedFault::Beyond);
        }
        if self.has_diverged() {
            return self.whole().await;
        }
        let after = self.after;
        if let Some((upto, entries)) = self.shown.since(after) {
            self.after = upto;
            return Ok(Piece::of(Body::Entries { after, upto, entries }));
        }
        match self.logged().await?.filter(|entries| !entries.is_empty()) {
            Some(entries) => Ok(self.growth(entries)),
            // Purged: the whole state stands for the entries.
            None => self.whole().await,
        }
    }

    /// What the log has after the last piece; `None` if that was purged.
    async fn logged(&self) -> Result<Option<Vec<LogEntry>>, FeedFault> {
        let (after, applied) = (self.after.0, self.shown.both().0.0);
        let read = move |shelf: &mut crate::shelf::Shelf| {
            if shelf.purged().is_some_and(|purged| purged.index > after) {
                return Ok(None);
            }
            shelf.read(after + 1..applied + 1, REPLICATED_BYTES_MAX).map(Some)
        };
        self.store.ask(read).await.map_err(FeedFault::Store)
    }

    async fn wait_for(&mut self, index: LedgerIndex) -> Result<(), FeedFault> {
        tokio::select! {
            biased;
            _ = self.stop.wait_for(|stopped| *stopped) => Err(FeedFault::Stopped),
            grown = self.applied.wait_for(|applied| *applied >= index) => {
                grown.map(drop).map_err(|_| FeedFault::Stopped)
            }
        }
    }

    /// Compared once, when the feed begins. What is too long ago to be compared may be another ledger's: such a follower has
    /// most to fetch in any case.
    fn has_diverged(&mut self) -> bool {
        let Some(audit) = self.audit.take() else {
            return false;
        };
        let agrees = self.shown.agrees(self.after, audit);
        if agrees == Some(false) && self.shown.may_say_that_one_differs() {
            tracing::error!(
                at = %self.after,
                "a follower's ledger differs from ours: it is sent the whole state"
            );
        }
        agrees != Some(true)
    }

    fn growth(&mut self, read: Vec<LogEntry>) -> Piece {
        let after = self.after;
        let mut entries = Vec::new();
        for entry in read {
            let index = LedgerIndex(entry.log_id.index);
            self.after = index;
            if let EntryPayload::Normal(stamped) = entry.payload {
                entries.push((index, settled(stamped, entry.log_id.leader_id.term)));
            }
        }
        Piece::of(Body::Entries { after, upto: self.after, entries })
    }

    /// Law F3.
    async fn whole(&mut self) -> Result<Piece, FeedFault> {
        let (shown, after) = (Arc::clone(&self.shown), self.after);
        let image = tokio::select! {
            biased;
            _ = self.stop.wait_for(|stopped| *stopped) => return Err(FeedFault::Stopped),
            image = timeout(PLACE_WITHIN, shown.images().get((&shown, &self.store), after)) => {
                image.map_err(|_| FeedFault::Crowded)?
            }
        };
        self.image = Some(Sending { image, next: 0, until: Instant::now() + IMAGE_WITHIN });
        self.image_part().unwrap_or(Err(FeedFault::Stopped))
    }

    /// The next part of the whole state while one is being sent.
    fn image_part(&mut self) -> Option<Result<Piece, FeedFault>> {
        let sending = self.image.as_mut()?;
        if Instant::now() > sending.until {
            self.image = None;
            return Some(Err(FeedFault::Slow));
        }
        let piece = sending.image.pieces.get(sending.next).cloned();
        sending.next += 1;
        if sending.next >= sending.image.pieces.len() {
            self.image = None;
        }
        let piece = piece?;
        self.after = piece.upto();
        Some(Ok(piece))
    }
}

/// A keeper that is sound is behind its leader by a heartbeat; one that is behind for longer must not hold its followers up.
const CATCHES_UP_WITHIN: Duration = Duration::from_secs(5);

/// A follower that waits longer for the whole state asks another keeper, which may have less to do.
const PLACE_WITHIN: Duration = Duration::from_secs(10);

impl fmt::Display for FeedFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(fault) => fault.fmt(out),
            Self::Stopped => write!(out, "this keeper stops"),
            Self::Beyond => write!(out, "the follower has entries that this keeper has not"),
            Self::Crowded => write!(out, "too many followers fetch the whole state at once"),
            Self::Slow => write!(out, "the follower takes the whole state in too slowly"),
        }
    }
}

impl std::error::Error for FeedFault {}
