//! What happens next: one queue, ordered by moment and then by the order in which it was put down.
//!
//! Nearly everything that is awaited comes within seconds, and moments are whole milliseconds: so the near future is a ring with a
//! place for each of them, and only what lies beyond it is sorted.
//! Not here: what the things are (see `fleet`).

use std::collections::{BTreeMap, VecDeque};

use vocabulary::{Moment, Span};

/// Most things that may be awaited at once: ten thousand hosts with their calls need a tenth of it; more is a loop.
const AWAITED_MAX: usize = 16_000_000;

/// Milliseconds that the ring holds: longer than nearly every call and every slot of a probe.
const NEAR: u64 = 4_096;

/// The one queue of a virtual fleet.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    /// What is awaited at each of the [`NEAR`] moments from `begins` on, at its moment's remainder.
    near: Vec<VecDeque<T>>,
    begins: Moment,
    /// No place of the ring before this moment holds anything.
    searched: Moment,
    near_count: usize,
    /// Rooms of places that are empty now, for those that are filled next: few are in use at once, and so they stay at hand.
    spare: Vec<VecDeque<T>>,
    /// What is awaited later.
    far: BTreeMap<Moment, VecDeque<T>>,
    far_count: usize,
}

impl<T> Queue<T> {
    pub fn new() -> Self {
        let near = (0..NEAR).map(|_| VecDeque::new()).collect();
        let begins = Moment::default();
        Self {
            near,
            begins,
            searched: begins,
            near_count: 0,
            spare: Vec::new(),
            far: BTreeMap::new(),
            far_count: 0,
        }
    }

    pub fn put(&mut self, at: Moment, what: T) {
        assert!(
            self.near_count + self.far_count < AWAITED_MAX,
            "law S2: a virtual fleet awaits a bounded number of things"
        );
        // What is already past is next.
        let at = at.max(self.begins);
        if at.since(self.begins).as_milliseconds() < NEAR {
            self.room_at(at).push_back(what);
            self.near_count += 1;
            self.searched = self.searched.min(at);
        } else {
            self.far.entry(at).or_default().push_back(what);
            self.far_count += 1;
        }
    }

    /// When the next thing happens. Nothing moves: whoever asks may put something down before that.
    pub fn next_at(&mut self) -> Option<Moment> {
        if self.near_count == 0 {
            return self.far.first_key_value().map(|(at, _)| *at);
        }
        while self.near[place(self.searched)].is_empty() {
            self.searched = self.searched.after(Span::milliseconds(1));
        }
        Some(self.searched)
    }

    pub fn take(&mut self) -> Option<(Moment, T)> {
        let at = self.next_at()?;
        self.begin_at(at);
        let room = &mut self.near[place(at)];
        let what = room.pop_front()?;
        self.near_count -= 1;
        if room.is_empty() {
            // Begins at its front again.
            room.clear();
            self.spare.push(std::mem::take(room));
        }
        Some((at, what))
    }

    fn room_at(&mut self, at: Moment) -> &mut VecDeque<T> {
        let room = &mut self.near[place(at)];
        if room.capacity() == 0 {
            *room = self.spare.pop().unwrap_or_default();
        }
        room
    }

    /// Nothing is awaited before this moment: the ring begins there, and what was beyond its end comes into it. Whatever comes so
    /// was put down before anything that is put into the ring itself.
    fn begin_at(&mut self, begins: Moment) {
        self.begins = begins;
        self.searched = begins;
        while let Some(first) = self.far.first_entry() {
            if first.key().since(begins).as_milliseconds() >= NEAR {
                return;
            }
            let (at, mut things) = first.remove_entry();
            self.far_count -= things.len();
            self.near_count += things.len();
            self.room_at(at).append(&mut things);
        }
    }
}

/// A moment's place in the ring.
fn place(at: Moment) -> usize {
    usize::try_from(at.as_milliseconds() % NEAR).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_down_first_for_a_moment_comes_first_near_or_far() {
        let at = Moment::from_milliseconds;
        let mut queue = Queue::new();
        queue.put(at(10_000), "far, first");
        queue.put(at(5), "near");
        queue.put(at(9_999), "far, sooner");
        queue.put(at(5), "near, second");
        assert_eq!(queue.next_at(), Some(at(5)));
        assert_eq!(queue.take(), Some((at(5), "near")));
        assert_eq!(queue.take(), Some((at(5), "near, second")));
        assert_eq!(queue.take(), Some((at(9_999), "far, sooner")));
        assert_eq!(queue.next_at(), Some(at(10_000)));
        queue.put(at(10_000), "far, second");
        queue.put(at(3), "late");
        assert_eq!(queue.take(), Some((at(9_999), "late")), "what is past is next");
        assert_eq!(queue.take(), Some((at(10_000), "far, first")));
        assert_eq!(queue.take(), Some((at(10_000), "far, second")));
        assert_eq!(queue.take(), None);
        queue.put(at(30_000), "far");
        assert_eq!(queue.next_at(), Some(at(30_000)));
        queue.put(at(10_001), "put down after it was asked");
        assert_eq!(queue.take(), Some((at(10_001), "put down after it was asked")));
    }
}
