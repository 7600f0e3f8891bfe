//! What stands between sets of hosts: cuts, and troubles of the ways from these to those.
//!
//! Hosts that nothing tells apart are one class, and what stands between hosts stands between their classes: so a cut of a zone from
//! the rest is two entries, and a packet's way is one look-up, however many sets were named.
//! Law N1: a class is split where a set holds some of its hosts and not others; nothing else changes by that.
//! Not here: what stands before one host (see `network`).

use std::collections::BTreeMap;

use crate::fault::Trouble;
use crate::host::Place;
use crate::network::Quality;

/// A class's number; there are never more than hosts.
type Class = u16;

/// What stands between all classes.
#[derive(Debug)]
pub(crate) struct Sides {
    /// By place.
    classes: Vec<Class>,
    count: Class,
    /// Only where something stands: from, to.
    between: BTreeMap<(Class, Class), Between>,
    has_cuts: bool,
}

/// What stands on the way from one class to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Between {
    is_cut: bool,
    quality: Quality,
}

impl Sides {
    pub fn new(hosts: usize) -> Self {
        Self { classes: vec![0; hosts], count: 1, between: BTreeMap::new(), has_cuts: false }
    }

    /// It is none of those that were named before.
    pub fn add_host(&mut self) {
        let class = self.count;
        self.count += 1;
        self.classes.push(class);
    }

    pub fn cut(&mut self, from: &[Place], to: &[Place]) {
        self.change(from, to, |between| between.is_cut = true);
        self.has_cuts = true;
    }

    /// No way is cut any more; other troubles stay.
    pub fn join(&mut self) {
        self.between.values_mut().for_each(|between| between.is_cut = false);
        self.has_cuts = false;
        self.forget();
    }

    pub fn take(&mut self, from: &[Place], to: &[Place], trouble: Trouble) {
        self.change(from, to, |between| between.quality.take(trouble));
        self.forget();
    }

    pub fn has_cuts(&self) -> bool {
        self.has_cuts
    }

    pub fn is_cut(&self, from: Place, to: Place) -> bool {
        self.has_cuts && self.between(from, to).is_some_and(|between| between.is_cut)
    }

    pub fn quality(&self, from: Place, to: Place) -> Quality {
        self.between(from, to).map_or_else(Quality::default, |between| between.quality)
    }

    fn between(&self, from: Place, to: Place) -> Option<&Between> {
        if self.between.is_empty() {
            return None;
        }
        self.between.get(&(self.classes[from], self.classes[to]))
    }

    fn change(&mut self, from: &[Place], to: &[Place], change: impl Fn(&mut Between)) {
        self.split(from);
        self.split(to);
        let classes = |places: &[Place]| {
            let mut classes: Vec<Class> = places.iter().map(|place| self.classes[*place]).collect();
            classes.sort_unstable();
            classes.dedup();
            classes
        };
        let (from, to) = (classes(from), classes(to));
        for near in &from {
            for far in &to {
                change(self.between.entry((*near, *far)).or_default());
            }
        }
    }

    /// Law N1.
    fn split(&mut self, places: &[Place]) {
        let mut sizes: BTreeMap<Class, usize> = BTreeMap::new();
        self.classes.iter().for_each(|class| *sizes.entry(*class).or_default() += 1);
        let mut named: BTreeMap<Class, Vec<Place>> = BTreeMap::new();
        for place in places {
            named.entry(self.classes[*place]).or_default().push(*place);
        }
        for (class, mut places) in named {
            places.sort_unstable();
            places.dedup();
            if sizes.get(&class) == Some(&places.len()) {
                continue;
            }
            let new = self.count;
            self.count += 1;
            places.into_iter().for_each(|place| self.classes[place] = new);
            self.copy(class, new);
        }
    }

    /// What stood before and behind the one stands before and behind the other as well.
    fn copy(&mut self, old: Class, new: Class) {
        let of = |class: Class| if class == old { vec![old, new] } else { vec![class] };
        let mut copied = BTreeMap::new();
        for ((from, to), between) in &self.between {
            for from in of(*from) {
                for to in of(*to) {
                    copied.insert((from, to), *between);
                }
            }
        }
        self.between = copied;
    }

    /// What is as if nothing stood there needs no entry; without any entry nothing tells hosts apart.
    fn forget(&mut self) {
        self.between.retain(|_, between| *between != Between::default());
        if self.between.is_empty() {
            self.classes.fill(0);
            self.count = 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_core::{Rng, SeedableRng};

    use super::*;

    const HOSTS: usize = 12;

    #[test]
    fn law_n1_each_way_is_as_if_every_pair_of_hosts_were_kept_by_itself() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut some = || {
            let bits = random.next_u64();
            (0..HOSTS).filter(|place| bits >> place & 1 == 1).collect::<Vec<Place>>()
        };
        let mut sides = Sides::new(HOSTS);
        let mut pairs: BTreeMap<(Place, Place), Between> = BTreeMap::new();
        for turn in 0..60_u32 {
            let (from, to) = (some(), some());
            let trouble = Trouble::Loss(turn % 3 * 100);
            let mut each = |change: &dyn Fn(&mut Between)| {
                for from in &from {
                    for to in &to {
                        change(pairs.entry((*from, *to)).or_default());
                    }
                }
            };
            match turn % 4 {
                0 => {
                    sides.cut(&from, &to);
                    each(&|pair| pair.is_cut = true);
                }
                3 if turn % 16 == 15 => {
                    sides.join();
                    pairs.values_mut().for_each(|pair| pair.is_cut = false);
                }
                _ => {
                    sides.take(&from, &to, trouble);
                    each(&|pair| pair.quality.take(trouble));
                }
            }
            for from in 0..HOSTS {
                for to in 0..HOSTS {
                    let pair = pairs.get(&(from, to)).copied().unwrap_or_default();
                    assert_eq!(sides.is_cut(from, to), pair.is_cut, "turn {turn}: {from} {to}");
                    assert_eq!(sides.quality(from, to), pair.quality, "turn {turn}: {from} {to}");
                }
            }
        }
    }

    #[test]
    fn a_cut_of_many_from_many_is_two_entries_and_a_later_host_has_none_of_it() {
        let (near, far): (Vec<Place>, Vec<Place>) = ((0..400).collect(), (400..1_000).collect());
        let mut sides = Sides::new(1_000);
        sides.cut(&near, &far);
        sides.cut(&far, &near);
        assert_eq!(sides.between.len(), 2);
        sides.add_host();
        assert!(!sides.is_cut(1_000, 5) && !sides.is_cut(500, 1_000));
        assert!(sides.is_cut(500, 5) && !sides.is_cut(5, 6));
        sides.join();
        assert_eq!((sides.between.len(), sides.count), (0, 1));
    }
}
