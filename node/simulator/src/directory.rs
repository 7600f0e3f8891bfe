//! At which place of the fleet a host stands, by its id: asked for at every packet.
//!
//! Ids are digests, evenly spread: their first bits say where in the order of all ids one lies, give or take a few.

use vocabulary::HostId;

use crate::host::Place;

/// All hosts of the setup, in the order of their ids.
pub(crate) struct Directory {
    hosts: Vec<(HostId, Place)>,
    /// For each value of the first bits, the first host that has them; and the end.
    begins: Vec<usize>,
    /// How far an id's first eight bytes are moved down to leave these bits.
    shift: u32,
}

impl Directory {
    pub fn new(ids: impl Iterator<Item = HostId>) -> Self {
        let mut hosts: Vec<(HostId, Place)> = ids.zip(0..).collect();
        hosts.sort_unstable();
        let bits = usize::BITS - hosts.len().leading_zeros();
        let shift = u64::BITS - bits.clamp(1, 16);
        let values = 1_usize << (u64::BITS - shift);
        let begins = (0..=values)
            .map(|value| hosts.partition_point(|(id, _)| first_bits(id, shift) < value))
            .collect();
        Self { hosts, begins, shift }
    }

    pub fn get(&self, host: &HostId) -> Option<Place> {
        let bits = first_bits(host, self.shift);
        let near = self.hosts.get(self.begins[bits]..self.begins[bits + 1])?;
        near.iter().find(|(id, _)| id == host).map(|(_, place)| *place)
    }
}

fn first_bits(host: &HostId, shift: u32) -> usize {
    let [a, b, c, d, e, f, g, h, ..] = host.0;
    usize::try_from(u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> shift).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_is_found_at_its_place_and_a_stranger_nowhere() {
        for count in [0_usize, 1, 2, 3, 100, 1_000] {
            let id = |number: usize| {
                HostId(
                    vocabulary::Digest::of(&[&number.to_be_bytes()]).0[..16]
                        .try_into()
                        .expect("16 of 32"),
                )
            };
            let directory = Directory::new((0..count).map(id));
            for place in 0..count {
                assert_eq!(directory.get(&id(place)), Some(place));
            }
            assert_eq!(directory.get(&id(count)), None);
        }
    }
}
