//! What happens next: one queue, ordered by moment and then by the order in which it was put down.

use std::collections::BTreeMap;

use vocabulary::Moment;

/// Most things that may be awaited at once: a thousand hosts with their calls need a tenth of it; more is a loop.
const AWAITED_MAX: usize = 4_000_000;

/// The one queue of a virtual fleet.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    awaited: BTreeMap<(Moment, u64), T>,
    last: u64,
}

impl<T> Queue<T> {
    pub fn new() -> Self {
        Self { awaited: BTreeMap::new(), last: 0 }
    }

    pub fn put(&mut self, at: Moment, what: T) {
        assert!(
            self.awaited.len() < AWAITED_MAX,
            "law S2: a virtual fleet awaits a bounded number of things"
        );
        self.last += 1;
        self.awaited.insert((at, self.last), what);
    }

    pub fn next_at(&self) -> Option<Moment> {
        self.awaited.keys().next().map(|(at, _)| *at)
    }

    pub fn take(&mut self) -> Option<(Moment, T)> {
        let ((at, _), what) = self.awaited.pop_first()?;
        Some((at, what))
    }
}
