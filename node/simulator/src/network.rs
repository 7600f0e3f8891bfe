//! What passes between which hosts, and how long it takes.
//!
//! Law W1: what is cut or silent loses everything, in the cut direction only.
//! Not here: who is there to receive it (see `mail`).

use std::collections::BTreeSet;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use vocabulary::Span;

use crate::host::Place;
use crate::setup::Weather;

/// A lost packet of a stream is sent again after this (a local network's probe timeout).
const AGAIN_AFTER: Span = Span::milliseconds(40);

/// A stream gives up waiting for luck after so many repetitions: its caller's deadline decides then.
const REPEATED_MAX: u32 = 20;

/// The links between all hosts.
#[derive(Debug)]
pub(crate) struct Network {
    pub weather: Weather,
    cut: BTreeSet<(Place, Place)>,
    random: ChaCha8Rng,
}

impl Network {
    pub fn new(weather: Weather, seed: u64) -> Self {
        Self { weather, cut: BTreeSet::new(), random: ChaCha8Rng::seed_from_u64(seed) }
    }

    pub fn cut(&mut self, from: Place, to: Place) {
        self.cut.insert((from, to));
    }

    pub fn join(&mut self) {
        self.cut.clear();
    }

    pub fn has_cuts(&self) -> bool {
        !self.cut.is_empty()
    }

    pub fn is_cut(&self, from: Place, to: Place) -> bool {
        self.cut.contains(&(from, to))
    }

    /// One way of one datagram; `None` if it is lost.
    pub fn datagram(&mut self) -> Option<Span> {
        (!self.is_lost()).then(|| self.way())
    }

    /// One way of something that is repeated until it comes.
    pub fn stream(&mut self) -> Span {
        let mut takes = self.way();
        for _ in 0..REPEATED_MAX {
            if !self.is_lost() {
                break;
            }
            takes = takes.plus(AGAIN_AFTER);
        }
        takes
    }

    /// Any number below this one; below 1: zero.
    pub fn draw(&mut self, below: u64) -> u64 {
        self.random.next_u64() % below.max(1)
    }

    /// A boot's nonce.
    pub fn draw_nonce(&mut self) -> u128 {
        u128::from(self.draw(u64::MAX)) << 64 | u128::from(self.draw(u64::MAX))
    }

    fn way(&mut self) -> Span {
        let jitter = self.weather.jitter.as_milliseconds().saturating_add(1);
        let drawn = Span::milliseconds(self.draw(jitter));
        self.weather.latency.plus(drawn)
    }

    fn is_lost(&mut self) -> bool {
        let loss = u64::from(self.weather.loss_permille);
        loss > 0 && self.draw(1_000) < loss
    }
}
