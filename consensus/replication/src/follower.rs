//! The ledger on a host that is no keeper: takes pieces from any keeper, applies them by the same rules, shows the same.
//!
//! Law F1: entries are applied in order, none twice, none left out; anything else is a fault and moves nothing.

use std::fmt;
use std::sync::Arc;

use ledger::Ledger;
use tokio::sync::watch;
use vocabulary::{Digest, LedgerIndex, Verifier};

use crate::machine::{Machine, applied};
use crate::piece::{Body, Piece, PieceFault};

/// The state of the ledger on this host.
pub struct Follower<M = Ledger> {
    state: watch::Sender<Arc<M>>,
    verifier: Arc<dyn Verifier>,
    upto: LedgerIndex,
    image: Option<Image>,
}

/// A state that is still arriving.
struct Image {
    upto: LedgerIndex,
    parts: u32,
    next: u32,
    head: Digest,
    bytes: Vec<u8>,
}

/// Why a piece is not taken; nothing has moved. Follow again, from another keeper, with [`Follower::wanted`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakeFault {
    /// It is no piece.
    Piece(PieceFault),
    /// It does not begin where this host stands.
    Gap {
        /// Where this host stands.
        have: LedgerIndex,
        /// After which entry the piece begins.
        after: LedgerIndex,
    },
    /// The parts of a state do not fit each other.
    Parts,
    /// The state is larger than any ledger can be.
    TooLarge,
    /// The bytes are no state.
    State(String),
    /// An entry breaks the ledger's own laws; a fault of ours, the same on every host: following again will not help.
    Poison(String),
}

impl<M: Machine> Follower<M> {
    /// A follower that knows nothing yet: `machine` is the empty ledger.
    pub fn new(machine: M, verifier: Arc<dyn Verifier>) -> Self {
        Self {
            state: watch::Sender::new(Arc::new(machine)),
            verifier,
            upto: LedgerIndex(0),
            image: None,
        }
    }

    /// What to ask a keeper for ([`wire::Request::Follow`]): the first entry wanted, and the digest of what is here.
    pub fn wanted(&mut self) -> (LedgerIndex, Option<Digest>) {
        // A state that was cut off in the middle is begun anew.
        self.image = None;
        let known = self.upto > LedgerIndex(0);
        (self.upto.next(), known.then(|| self.state.borrow().audit()))
    }

    /// Up to which entry this host stands.
    pub fn upto(&self) -> LedgerIndex {
        self.upto
    }

    /// The committed state; a kept `Arc` stays as it was.
    pub fn watch(&self) -> watch::Receiver<Arc<M>> {
        self.state.subscribe()
    }

    /// Takes the bytes of one [`wire::Response::Entries`]; up to which entry this host stands now.
    pub fn take(&mut self, bytes: &[u8]) -> Result<LedgerIndex, TakeFault> {
        let piece = Piece::from_bytes(bytes).map_err(TakeFault::Piece)?;
        let seal = piece.seal();
        match piece.body {
            Body::Entries {
                after,
                upto,
                entries,
            } => self.take_entries(after, upto, &entries)?,
            Body::Image {
                upto,
                part,
                parts,
                before,
                bytes,
            } => {
                let begun = self.image.take().filter(|_| part > 0);
                let image = begun.unwrap_or_else(|| Image::begin(upto, parts));
                let image = image.with(part, before, (upto, parts), &bytes)?;
                self.take_image(Image {
                    head: seal,
                    ..image
                })?;
            }
        }
        Ok(self.upto)
    }

    fn take_entries(
        &mut self,
        after: LedgerIndex,
        upto: LedgerIndex,
        entries: &[(LedgerIndex, ledger::command::Entry)],
    ) -> Result<(), TakeFault> {
        let mut last = after;
        for (index, _) in entries {
            if *index <= last || *index > upto {
                return Err(TakeFault::Gap {
                    have: last,
                    after: *index,
                });
            }
            last = *index;
        }
        if after != self.upto || upto < after {
            let have = self.upto;
            return Err(TakeFault::Gap { have, after });
        }
        let mut state = self.state.borrow().clone();
        for (index, entry) in entries {
            let (after, _) =
                applied(&*state, *index, entry, &*self.verifier).map_err(TakeFault::Poison)?;
            state = Arc::new(after);
        }
        self.state.send_replace(state);
        self.upto = upto;
        Ok(())
    }

    fn take_image(&mut self, image: Image) -> Result<(), TakeFault> {
        if image.next < image.parts {
            self.image = Some(image);
            return Ok(());
        }
        let machine = M::from_bytes(&image.bytes).map_err(TakeFault::State)?;
        self.state.send_replace(Arc::new(machine));
        self.upto = image.upto;
        Ok(())
    }
}

impl Image {
    /// Largest state that is taken.
    const BYTES_MAX: usize = wire::codec::STATE_BYTES_MAX;

    fn begin(upto: LedgerIndex, parts: u32) -> Self {
        Self {
            upto,
            parts,
            next: 0,
            head: Digest::default(),
            bytes: Vec::new(),
        }
    }

    fn with(
        mut self,
        part: u32,
        before: Digest,
        of: (LedgerIndex, u32),
        bytes: &[u8],
    ) -> Result<Self, TakeFault> {
        if part != self.next || before != self.head || of != (self.upto, self.parts) {
            return Err(TakeFault::Parts);
        }
        if self.bytes.len() + bytes.len() > Self::BYTES_MAX {
            return Err(TakeFault::TooLarge);
        }
        self.bytes.extend_from_slice(bytes);
        self.next += 1;
        Ok(self)
    }
}

impl fmt::Display for TakeFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Piece(fault) => fault.fmt(out),
            Self::Gap { have, after } => write!(
                out,
                "the piece begins after entry {after}, this host stands at {have}"
            ),
            Self::Parts => write!(out, "the parts of the ledger's state do not fit each other"),
            Self::TooLarge => write!(
                out,
                "the ledger's state claims more than {} bytes",
                Image::BYTES_MAX
            ),
            Self::State(why) => write!(out, "the bytes are no state of the ledger: {why}"),
            Self::Poison(why) => write!(out, "the ledger cannot go on: {why}"),
        }
    }
}

impl std::error::Error for TakeFault {}
