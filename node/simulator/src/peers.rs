//! To whom a life has standing connections, and in which of their lives: asked for at every packet.
//!
//! Two lists in the order of places: a packet looks at a few neighbouring words, where a tree's nodes would lie far apart.

use crate::host::Place;

/// The standing connections of one life.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peers {
    places: Vec<u32>,
    /// Of the peer at the same place of the other list.
    lives: Vec<u64>,
}

impl Peers {
    /// In which of its lives the peer is connected.
    pub fn get(&self, peer: Place) -> Option<u64> {
        self.at(peer).ok().map(|at| self.lives[at])
    }

    pub fn contains(&self, peer: Place) -> bool {
        self.at(peer).is_ok()
    }

    /// A connection stands; of two lives of one peer the later is meant.
    pub fn meet(&mut self, peer: Place, life: u64) {
        match self.at(peer) {
            Ok(at) => self.lives[at] = self.lives[at].max(life),
            Err(at) => {
                self.places.insert(at, short(peer));
                self.lives.insert(at, life);
            }
        }
    }

    pub fn part(&mut self, peer: Place) {
        if let Ok(at) = self.at(peer) {
            self.places.remove(at);
            self.lives.remove(at);
        }
    }

    /// In the order of places.
    pub fn iter(&self) -> impl Iterator<Item = (Place, u64)> {
        let places = self.places.iter().map(|place| Place::try_from(*place).unwrap_or(Place::MAX));
        places.zip(self.lives.iter().copied())
    }

    fn at(&self, peer: Place) -> Result<usize, usize> {
        self.places.binary_search(&short(peer))
    }
}

fn short(place: Place) -> u32 {
    u32::try_from(place).expect("law S2: a virtual fleet has 16,384 hosts at the most")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_known_in_its_latest_life_until_the_connection_is_gone() {
        let mut peers = Peers::default();
        for (peer, life) in [(7, 1), (3, 2), (5, 1), (3, 1), (7, 4)] {
            peers.meet(peer, life);
        }
        assert_eq!(peers.iter().collect::<Vec<_>>(), [(3, 2), (5, 1), (7, 4)]);
        assert_eq!((peers.get(7), peers.get(4)), (Some(4), None));
        peers.part(5);
        peers.part(4);
        assert!(!peers.contains(5) && peers.contains(3));
    }
}
