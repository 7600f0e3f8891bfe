//! The ledger on a host that is no keeper: takes pieces from any keeper, applies them by the same rules, shows the same.
//!
//! Law F1: entries are applied in order, none twice, none left out; anything else is a fault and moves nothing.
//! Law F3: a state that was kept on a disk gives way to the first keeper that does not go on from it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use ledger::Ledger;
use ledger::command::Entry;
use vocabulary::{Digest, LedgerIndex, Verifier};

use crate::machine::{Machine, StepFault, applied, read_back};
use crate::piece::{Body, Part, Piece, PieceFault};
use crate::watch;

/// The state of the ledger on this host. Pieces of several keepers may come in any mixture: what is known is passed over.
pub struct Follower<M = Ledger> {
    state: watch::Sender<Arc<M>>,
    verifier: Arc<dyn Verifier>,
    upto: LedgerIndex,
    /// What to begin from again, while the state rests on this host's own disk and no keeper has gone on from it.
    unconfirmed: Option<M>,
    images: VecDeque<Image>,
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
    /// It begins after where this host stands.
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
    /// An entry is of a newer version, which applies it otherwise (protocol 1.6): that version of the agent takes it.
    Foreign(String),
}

impl<M: Machine> Follower<M> {
    /// A follower that knows nothing yet: `machine` is the empty ledger.
    pub fn new(machine: M, verifier: Arc<dyn Verifier>) -> Self {
        Self {
            state: watch::Sender::new(Arc::new(machine)),
            verifier,
            upto: LedgerIndex(0),
            unconfirmed: None,
            images: VecDeque::new(),
        }
    }

    /// A follower that begins with what this host has kept (see [`crate::kept`]); `machine` is the empty ledger.
    pub fn resumed(machine: M, verifier: Arc<dyn Verifier>, kept: M) -> Self {
        let upto = kept.index();
        let unconfirmed = Some(machine.clone());
        let state = watch::Sender::new(Arc::new(kept));
        Self { state, upto, unconfirmed, ..Self::new(machine, verifier) }
    }

    /// What to ask a keeper for ([`wire::Request::Follow`]): the first entry wanted, and the digest of what is here.
    pub fn wanted(&self) -> (LedgerIndex, Option<Digest>) {
        let known = self.upto > LedgerIndex(0);
        (self.upto.next(), known.then(|| self.state.borrow().audit()))
    }

    /// Whether all that is known here was kept on this host's own disk.
    pub fn is_unconfirmed(&self) -> bool {
        self.unconfirmed.is_some()
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
        if piece.upto() <= self.upto {
            self.begin_again();
        }
        if piece.upto() > self.upto {
            let seal = piece.seal();
            match piece.body {
                Body::Entries { after, upto, entries } => {
                    self.take_entries(after, upto, &entries)?
                }
                Body::Image(part) => self.take_part(seal, part)?,
            }
        }
        Ok(self.upto)
    }

    /// Law F3. A keeper is asked for what follows; one that sends what came before has another ledger (see `port::Feed`).
    fn begin_again(&mut self) {
        if let Some(empty) = self.unconfirmed.take() {
            self.stand(Arc::new(empty), LedgerIndex(0));
        }
    }

    fn take_entries(
        &mut self,
        after: LedgerIndex,
        upto: LedgerIndex,
        entries: &[(LedgerIndex, Entry)],
    ) -> Result<(), TakeFault> {
        let have = self.upto;
        if after > have {
            return Err(TakeFault::Gap { have, after });
        }
        let mut last = after;
        for (index, _) in entries {
            if *index <= last || *index > upto {
                return Err(TakeFault::Gap { have: last, after: *index });
            }
            last = *index;
        }
        let mut state = self.state.borrow().clone();
        for (index, entry) in entries.iter().filter(|(index, _)| *index > have) {
            let (next, _) =
                applied(&*state, *index, entry, &*self.verifier).map_err(TakeFault::from)?;
            state = Arc::new(next);
        }
        self.stand(state, upto);
        Ok(())
    }

    fn take_part(&mut self, seal: Digest, part: Part) -> Result<(), TakeFault> {
        if part.part == 0 {
            self.images.truncate(IMAGES_MAX - 1);
            self.images.push_front(Image::begin(&part));
        }
        let place = self.images.iter().position(|image| image.awaits(&part));
        let image = place.and_then(|place| self.images.get_mut(place));
        let image = image.ok_or(TakeFault::Parts)?;
        image.add(seal, &part.bytes)?;
        if image.next < image.parts {
            return Ok(());
        }
        let upto = image.upto;
        let machine: M = read_back(&image.bytes).map_err(TakeFault::State)?;
        self.stand(Arc::new(machine), upto);
        Ok(())
    }

    fn stand(&mut self, state: Arc<M>, upto: LedgerIndex) {
        self.images.retain(|image| image.upto > upto);
        self.unconfirmed = None;
        self.state.send_replace(state);
        self.upto = upto;
    }
}

impl Image {
    /// Largest state that is taken.
    const BYTES_MAX: usize = wire::codec::STATE_BYTES_MAX;

    fn begin(part: &Part) -> Self {
        Self {
            upto: part.upto,
            parts: part.parts,
            next: 0,
            head: Digest::default(),
            bytes: Vec::new(),
        }
    }

    /// The chain of seals tells the parts of two states apart.
    fn awaits(&self, part: &Part) -> bool {
        part.part == self.next
            && part.before == self.head
            && (part.upto, part.parts) == (self.upto, self.parts)
    }

    fn add(&mut self, seal: Digest, bytes: &[u8]) -> Result<(), TakeFault> {
        if self.bytes.len() + bytes.len() > Self::BYTES_MAX {
            return Err(TakeFault::TooLarge);
        }
        self.bytes.extend_from_slice(bytes);
        self.head = seal;
        self.next += 1;
        Ok(())
    }
}

/// States that may arrive at once: a host follows two keepers (protocol 1.5).
const IMAGES_MAX: usize = 2;

impl From<StepFault> for TakeFault {
    fn from(fault: StepFault) -> Self {
        match fault {
            StepFault::Poison(why) => Self::Poison(why),
            StepFault::Foreign(why) => Self::Foreign(why),
        }
    }
}

impl fmt::Display for TakeFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Piece(fault) => fault.fmt(out),
            Self::Gap { have, after } => {
                write!(out, "the piece begins after entry {after}, this host stands at {have}")
            }
            Self::Parts => write!(out, "the parts of the ledger's state do not fit each other"),
            Self::TooLarge => {
                write!(out, "the ledger's state claims more than {} bytes", Image::BYTES_MAX)
            }
            Self::State(why) => write!(out, "the bytes are no state of the ledger: {why}"),
            Self::Poison(why) => write!(out, "the ledger cannot go on: {why}"),
            Self::Foreign(why) => write!(
                out,
                "the ledger goes on only in a newer version of hale ({why}): start that version"
            ),
        }
    }
}

impl std::error::Error for TakeFault {}
