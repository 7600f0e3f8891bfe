//! How one subject's voices add up: vacant seats, what may be a lie, how many voices are needed (protocol 3.3, 3.4).
//!
//! Law V1: no verdict without K' - f voices of one round, more than K/2 and at least two.
//! Law V4: what f hosts say makes no verdict and prevents none.
//! Not here: which verdict it is (see `verdict`).

use std::collections::{BTreeMap, BTreeSet};

use vocabulary::{HostId, Life, Voice};

use super::discount::Discount;
use super::grounds::{Heard, VerifiedGrounds};
use super::seat_set::SeatSet;
use super::voice::NamedPorts;
use crate::seats::Seating;

/// From so many filled seats on one of them may lie (protocol 3.4).
const TOLERATES_FROM: usize = 4;

/// protocol 3.1: whom so many of its observers find failed, and from whom nothing is heard, is silent.
const SILENT_BY: usize = 2;

/// protocol 3.4: one host's voice alone is never a verdict.
const VOICES_MIN: usize = 2;

/// Up to so many filled seats a disruptive or destructive rung needs three consecutive rounds (protocol 3.4).
pub const THREE_ROUNDS_UP_TO: usize = 4;

/// The seats of one subject in one proposal; what `explain` shows and the ledger keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// K: the seats that there are.
    pub seats: usize,
    /// Seats whose attestation counts or may count.
    pub attested: SeatSet,
    /// Voices against the subject that count.
    pub against: SeatSet,
    /// Seats that say `Ok`, vacant and discounted ones too.
    pub well: SeatSet,
    /// Seats with a proof of life of the host, vacant and discounted ones too.
    pub proving: SeatSet,
    /// Voices against whose connections were accepted without bytes.
    pub accepting: SeatSet,
    /// Voices against to whom every calibrated named port is silent.
    pub named_silent: SeatSet,
    /// Voices against to whom a named port gave something.
    pub named_stirring: SeatSet,
    /// Vacant: the holder is silent or without a voice, or the attestation is discounted.
    pub vacant: SeatSet,
    /// The discounted among the vacant.
    pub discounted: SeatSet,
}

/// How many of so many filled seats may lie: f.
pub fn tolerated(filled: usize) -> usize {
    usize::from(filled >= TOLERATES_FROM)
}

/// How many voices a verdict needs: K' - f, more than K/2, at least two.
pub fn needed(seats: usize, filled: usize) -> usize {
    let quorum = filled - tolerated(filled);
    quorum.max(seats / 2 + 1).max(VOICES_MIN)
}

impl Tally {
    /// K': the seats that are filled.
    pub fn filled(&self) -> usize {
        self.seats - self.vacant.count()
    }

    /// f for contrary voices and proofs of life: how many of those that may speak may lie. A discounted seat is vacant but
    /// may still say `Ok` or carry a proof, so it is counted here; else a liar that contradicts everybody would be
    /// discounted, lower f to 0 by that, and prevent with its one voice what it could not prevent undiscounted.
    pub fn tolerated(&self) -> usize {
        tolerated(self.filled() + self.discounted.count())
    }

    /// How many voices a verdict needs.
    pub fn needed(&self) -> usize {
        needed(self.seats, self.filled())
    }

    /// The seats that are not vacant.
    pub fn filled_seats(&self) -> SeatSet {
        SeatSet::from_iter(0..self.seats).without(self.vacant)
    }

    /// protocol 7.7: K' - f voices say `Ok`; never none.
    pub fn is_seen_well(&self) -> bool {
        let needed = self.filled() - tolerated(self.filled());
        self.well.count() >= needed.max(1)
    }

    /// The same, and more of them than may lie of all who may speak: what proves a remedy ([`WellTakes::OneThatIsTrue`](super::WellTakes)),
    /// beside its own proof.
    pub fn is_truly_seen_well(&self) -> bool {
        self.is_seen_well() && self.well.count() > self.tolerated()
    }

    /// The same, and more of them than may lie of all seats: what ends a case of a host that does not answer for itself.
    pub fn is_surely_seen_well(&self) -> bool {
        self.is_seen_well() && self.well.count() > tolerated(self.seats)
    }

    /// More than f voices found a kernel that accepts and a process that says nothing.
    pub fn is_accepting(&self) -> bool {
        self.accepting.count() > self.tolerated()
    }

    /// protocol 3.6: the calibrated named ports are silent too, by more than half of the voices and more than f of them,
    /// and at most f found one stirring.
    pub fn is_agreed_by_ports(&self) -> bool {
        let silent = self.named_silent.count();
        silent > self.tolerated()
            && silent * 2 > self.against.count()
            && self.named_stirring.count() <= self.tolerated()
    }

    /// protocol 7.7: more than f voices speak against it; such a round ends a soak.
    pub fn is_adverse(&self) -> bool {
        self.against.count() > self.tolerated()
    }
}

/// Every subject's tally without its silent holders: silence is judged first, on all K seats, so that no seat's vacancy
/// hangs on its own.
pub(super) fn first_tallies(
    grounds: &VerifiedGrounds,
    seating: &Seating,
    discounts: &BTreeMap<HostId, Discount>,
) -> BTreeMap<HostId, Tally> {
    let mut tallies = BTreeMap::new();
    let void_subjects = grounds.void.iter().map(|void| void.subject);
    let subjects = void_subjects.chain(grounds.answered.keys().copied());
    for subject in subjects.filter(|subject| seating.hosts().binary_search(subject).is_ok()) {
        tallies.insert(subject, Tally { seats: seating.seats(), ..Tally::default() });
    }
    for row in grounds.heard.chunk_by(|one, other| one.subject == other.subject) {
        let mut tally = Tally { seats: seating.seats(), ..Tally::default() };
        for heard in row {
            if let Some(seat) = seating.seat(&heard.observer, &heard.subject) {
                tally.count(seat, heard, discounts.contains_key(&heard.observer));
            }
        }
        tallies.insert(row[0].subject, tally);
    }
    tallies
}

/// protocol 3.1: nothing signed by it, at least two observers against it, at most f for it.
pub(super) fn silent(
    grounds: &VerifiedGrounds,
    tallies: &BTreeMap<HostId, Tally>,
) -> BTreeSet<HostId> {
    let is_silent = |(host, tally): (&HostId, &Tally)| {
        let is_mute = !grounds.has_spoken(host);
        let is_failed = tally.against.count() >= SILENT_BY;
        (is_mute && is_failed && tally.well.count() <= tolerated(tally.seats)).then_some(*host)
    };
    tallies.iter().filter_map(is_silent).collect()
}

impl Tally {
    fn count(&mut self, seat: usize, heard: &Heard, is_author_discounted: bool) {
        let sight = heard.sight;
        self.attested.insert(seat);
        if sight.voice == Voice::Ok {
            self.well.insert(seat);
        }
        if sight.life == Life::Proven {
            self.proving.insert(seat);
        }
        if is_author_discounted || sight.is_self_doubting {
            self.vacant.insert(seat);
            self.discounted.insert(seat);
        } else if let Voice::Against(life) = sight.voice {
            self.against.insert(seat);
            if life == Life::Accepted {
                self.accepting.insert(seat);
            }
            match sight.named {
                NamedPorts::Absent => {}
                NamedPorts::Silent => self.named_silent.insert(seat),
                NamedPorts::Stirring => self.named_stirring.insert(seat),
            }
        }
    }

    /// protocol 3.3: a seat is vacant when its holder is silent in the same proposal, or has no voice (protocol 1.2).
    pub(super) fn vacate(&mut self, observers: &[HostId], gone: &BTreeSet<HostId>) {
        for (seat, observer) in observers.iter().enumerate() {
            if gone.contains(observer) {
                self.vacant.insert(seat);
            }
        }
    }
}
