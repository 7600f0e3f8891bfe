//! Which of a subject's seats: a set of seat numbers, small enough to keep in the ledger (protocol 3.7).

use vocabulary::HostId;

use crate::seats::SEATS_MAX;

/// A set of seats of one subject; a seat's number is its place in [`crate::seats::Seating::observers`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeatSet(u16);

const _: () = assert!(SEATS_MAX <= 16, "a seat's number fits the set");

impl SeatSet {
    /// Adds a seat; numbers past the last seat are no seats and change nothing.
    pub fn insert(&mut self, seat: usize) {
        if seat < SEATS_MAX {
            self.0 |= 1 << seat;
        }
    }

    /// Whether the seat is in it.
    pub fn contains(self, seat: usize) -> bool {
        seat < SEATS_MAX && self.0 & (1 << seat) != 0
    }

    /// How many seats are in it.
    pub fn count(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The seats in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The seats that are not in the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The seats' numbers, in order.
    pub fn seats(self) -> impl Iterator<Item = usize> {
        (0..SEATS_MAX).filter(move |&seat| self.contains(seat))
    }

    /// The hosts that hold the seats, by the subject's list of observers.
    pub fn hosts(self, observers: &[HostId]) -> impl Iterator<Item = &HostId> {
        self.seats().filter_map(|seat| observers.get(seat))
    }
}

impl FromIterator<usize> for SeatSet {
    fn from_iter<I: IntoIterator<Item = usize>>(seats: I) -> Self {
        let mut set = Self::default();
        seats.into_iter().for_each(|seat| set.insert(seat));
        set
    }
}
