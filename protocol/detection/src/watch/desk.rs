//! What all subjects of one observer have in common: what each of them is lent while it acts, and what is kept of each.
//!
//! Not here: what a subject's machine does at the desk (see `watched`).

use rand_chacha::ChaCha8Rng;
use rand_core::Rng;
use vocabulary::{Moment, Span};

use super::watched::Watched;
use super::{DIALS_MAX, Effect, Settings};

/// What every subject's machine shares while it acts.
pub(super) struct Desk<'a> {
    pub(super) now: Moment,
    pub(super) settings: &'a Settings,
    /// Dials under way, of all subjects.
    pub(super) dials: usize,
    pub(super) next_number: &'a mut u64,
    pub(super) random: &'a mut ChaCha8Rng,
    pub(super) effects: &'a mut Vec<Effect>,
}

impl Desk<'_> {
    pub(super) fn draw_number(&mut self) -> u64 {
        let number = *self.next_number;
        *self.next_number = number.saturating_add(1);
        number
    }

    pub(super) fn draw_nonce(&mut self) -> u128 {
        u128::from(self.random.next_u64()) << 64 | u128::from(self.random.next_u64())
    }

    /// Anything from nothing to `most`.
    pub(super) fn draw_span(&mut self, most: Span) -> Span {
        Span::milliseconds(self.random.next_u64() % most.as_milliseconds().max(1))
    }

    pub(super) fn can_dial(&self) -> bool {
        self.dials < DIALS_MAX
    }
}

/// What all subjects' machines together are asked for, of one of them.
pub(super) struct Standing {
    pub(super) due: Option<Moment>,
    pub(super) dials: usize,
    pub(super) is_doubted: bool,
}

impl Standing {
    pub(super) fn of(watched: &Watched) -> Self {
        Self {
            due: watched.next_deadline(),
            dials: watched.dials(),
            is_doubted: watched.is_doubted(),
        }
    }
}
