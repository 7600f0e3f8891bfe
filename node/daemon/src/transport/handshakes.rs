//! Places for the handshakes that others have begun: each holds some 30 KiB until it ends.
//!
//! Law TR10: whoever stops half way leaves room for others: one address, be it of the mesh, for all others; all strangers
//! together and sixteen addresses of the mesh for a host at a seventeenth.
//! Not here: how many are begun in a second (see `knocks`).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::settings::{
    HANDSHAKES_CROWDED_FROM, HANDSHAKES_FULL_FROM, HANDSHAKES_MAX, HANDSHAKES_OF_HOSTS,
    HANDSHAKES_OF_ONE_CROWDED_FROM, HANDSHAKES_OF_ONE_MAX, HANDSHAKES_OF_ONE_WHEN_FULL,
    HANDSHAKES_OF_STRANGERS_MAX,
};

/// All places.
#[derive(Debug, Default)]
pub(super) struct Handshakes(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    strangers: usize,
    /// By address of the mesh; none stands here with nothing.
    homes: BTreeMap<IpAddr, usize>,
}

/// One handshake's; it is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    of: &'a Handshakes,
    home: Option<IpAddr>,
    /// So many of its kind are under way that it has less time.
    pub is_crowded: bool,
}

impl Handshakes {
    /// How many are under way.
    pub fn under_way(&self) -> usize {
        self.taken().all
    }

    /// Whether another fits; `home`: the address, where it is one of the mesh.
    pub fn has_room(&self, home: Option<IpAddr>) -> bool {
        self.taken().has_room(home)
    }

    /// A place, if one is left.
    pub fn take(&self, home: Option<IpAddr>) -> Option<Place<'_>> {
        let mut taken = self.taken();
        if !taken.has_room(home) {
            return None;
        }
        let is_full = taken.is_full();
        taken.all += 1;
        let is_crowded = if let Some(home) = home {
            let here = taken.homes.entry(home).or_default();
            *here += 1;
            *here > HANDSHAKES_OF_ONE_CROWDED_FROM
        } else {
            taken.strangers += 1;
            taken.strangers > HANDSHAKES_CROWDED_FROM
        };
        Some(Place { of: self, home, is_crowded: is_crowded || is_full })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn is_full(&self) -> bool {
        self.all >= HANDSHAKES_FULL_FROM
    }

    fn has_room(&self, home: Option<IpAddr>) -> bool {
        let of_one =
            if self.is_full() { HANDSHAKES_OF_ONE_WHEN_FULL } else { HANDSHAKES_OF_ONE_MAX };
        let of_kind = match home {
            Some(home) => self.homes.get(&home).is_none_or(|here| *here < of_one),
            None => {
                self.strangers < HANDSHAKES_OF_STRANGERS_MAX
                    && self.all < HANDSHAKES_MAX - HANDSHAKES_OF_HOSTS
            }
        };
        self.all < HANDSHAKES_MAX && of_kind
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut taken = self.of.taken();
        taken.all -= 1;
        match self.home {
            None => taken.strangers -= 1,
            Some(home) => {
                if let Some(here) = taken.homes.get_mut(&home) {
                    *here -= 1;
                    if *here == 0 {
                        taken.homes.remove(&home);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(last: u8) -> Option<IpAddr> {
        Some([192, 0, 2, last].into())
    }

    fn fill(handshakes: &Handshakes, home: Option<IpAddr>) -> Vec<Place<'_>> {
        std::iter::from_fn(|| handshakes.take(home)).collect()
    }

    #[test]
    fn all_strangers_and_sixteen_addresses_of_the_mesh_that_take_all_they_can_leave_room_for_another()
     {
        for strangers_come_first in [true, false] {
            let handshakes = Handshakes::default();
            let mut strangers = Vec::new();
            if strangers_come_first {
                strangers = fill(&handshakes, None);
                assert_eq!(strangers.len(), HANDSHAKES_OF_STRANGERS_MAX);
            }
            let first = fill(&handshakes, home(1));
            assert_eq!(first.len(), HANDSHAKES_OF_ONE_MAX);
            assert!(!handshakes.has_room(home(1)));
            let rest: Vec<_> = (2..=16).map(|last| fill(&handshakes, home(last))).collect();
            strangers.extend(fill(&handshakes, None));
            assert!(!handshakes.has_room(None) && handshakes.has_room(home(17)), "{rest:?}");
        }
    }

    #[test]
    fn one_address_that_takes_all_it_can_costs_another_no_time() {
        let handshakes = Handshakes::default();
        let _first = (fill(&handshakes, home(1)), fill(&handshakes, None));
        assert!(!handshakes.take(home(2)).expect("there is room").is_crowded);
    }

    #[test]
    fn whoever_comes_when_many_of_its_kind_are_under_way_has_less_time() {
        let crowded = |home| {
            let handshakes = Handshakes::default();
            let places = fill(&handshakes, home);
            places.iter().filter(|place| !place.is_crowded).count()
        };
        assert_eq!(crowded(None), HANDSHAKES_CROWDED_FROM);
        assert_eq!(crowded(home(1)), HANDSHAKES_OF_ONE_CROWDED_FROM);
    }

    #[test]
    fn a_place_is_free_again_when_its_handshake_ends() {
        let handshakes = Handshakes::default();
        for home in [None, home(1)] {
            drop(fill(&handshakes, home));
            assert_eq!(handshakes.under_way(), 0);
        }
        let taken = handshakes.taken();
        assert!(taken.strangers == 0 && taken.homes.is_empty());
    }

    #[test]
    fn all_places_together_are_bounded() {
        let handshakes = Handshakes::default();
        let many = (0..=u8::MAX).filter_map(|last| handshakes.take(home(last)));
        let mut places: Vec<_> = many.collect();
        places.extend((0..=u8::MAX).filter_map(|last| handshakes.take(home(last))));
        places.extend((0..=u8::MAX).filter_map(|last| handshakes.take(home(last))));
        assert_eq!((places.len(), handshakes.under_way()), (HANDSHAKES_MAX, HANDSHAKES_MAX));
    }
}
