//! A dialler whose first words get lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use quinn::Endpoint;

use crate::fleet::loopback;
use crate::muffled::{self, Muffle};

/// What is sent gets lost as long as this says so.
pub type IsMute = Arc<AtomicBool>;

struct Mute(IsMute);

/// An endpoint that is mute at first; it has no client configuration yet.
pub fn endpoint() -> (Endpoint, IsMute) {
    let is_mute = IsMute::new(AtomicBool::new(true));
    (muffled::endpoint(loopback(0), Mute(is_mute.clone())), is_mute)
}

impl Muffle for Mute {
    fn sends(&self) -> bool {
        !self.0.load(Ordering::SeqCst)
    }
}
