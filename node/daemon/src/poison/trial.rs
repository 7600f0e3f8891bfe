//! Handlers that cannot bear one input, for the test of a whole agent; outside of such a build nobody stumbles.
//!
//! Where the agent is built with the feature `trial`, `HALE_TRIAL=PLACE:HEX` in its environment names a place and bytes: whoever
//! handles an input with these bytes there panics. That input is what is held: a place that holds nothing bears everything.

/// One of the places where input is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A datagram or a request, or the end of a call, in the loop.
    Loop,
    /// A request to the ledger, in a task of its own.
    Ledger,
    /// An answer that is read in the task that asked.
    Answer,
    /// A hello.
    Hello,
    /// A certificate.
    Certificate,
}

/// Panics where it was told to.
#[cfg(feature = "trial")]
pub(crate) fn stumble(place: Place) {
    let Ok(told) = std::env::var("HALE_TRIAL") else { return };
    let Some(input) = super::held::held_now() else { return };
    let mut bytes = String::new();
    for byte in &input.bytes {
        bytes.push_str(&format!("{byte:02x}"));
    }
    if let Some((at, hex)) = told.split_once(':') {
        let is_here = at == format!("{place:?}") && bytes.contains(hex);
        assert!(!is_here, "a trial: {place:?} cannot bear {hex}");
    }
}

/// Bears everything.
#[cfg(not(feature = "trial"))]
pub(crate) fn stumble(_: Place) {}
