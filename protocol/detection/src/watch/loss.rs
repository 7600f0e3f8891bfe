//! How long does a round trip take, and how many probes are lost, on the way to one subject?

use vocabulary::{Grade, Span};

/// Probes that the grade `reach` looks back on (protocol 2.6): one minute of calm at K = 10.
const WINDOW: u32 = 20;

/// A smoothed round-trip time, as RFC 6298 smooths it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RoundTrip {
    eighths_ms: u64,
}

/// The fate of the last [`WINDOW`] probes; those that met silence are not among them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Losses {
    /// One bit each, newest lowest; set if lost.
    fates: u32,
    known: u32,
}

impl RoundTrip {
    pub(super) fn measured(&mut self, sample: Span) {
        let sample_ms = sample.as_milliseconds();
        if self.eighths_ms == 0 {
            self.eighths_ms = sample_ms.saturating_mul(8);
        } else {
            self.eighths_ms = (self.eighths_ms - self.eighths_ms / 8).saturating_add(sample_ms);
        }
    }

    pub(super) fn smoothed(&self) -> Span {
        Span::milliseconds(self.eighths_ms.div_ceil(8))
    }
}

impl Losses {
    pub(super) fn count(&mut self, is_lost: bool) {
        self.fates = (self.fates << 1 | u32::from(is_lost)) & ((1 << WINDOW) - 1);
        self.known = (self.known + 1).min(WINDOW);
    }

    /// protocol 2.6: `Degraded` from 20 %, `Failed` from 40 %; a window that is not full says nothing yet.
    pub(super) fn grade(&self) -> Grade {
        let percent = self.fates.count_ones() * 100 / WINDOW;
        match percent {
            _ if self.known < WINDOW => Grade::Ok,
            0..20 => Grade::Ok,
            20..40 => Grade::Degraded,
            _ => Grade::Failed,
        }
    }
}
