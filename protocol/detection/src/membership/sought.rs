//! Which of many members are among a few: a walk through all of them that looks up only those that may be.

use std::collections::BTreeSet;

use vocabulary::HostId;

/// So many first bits of an id have a mark each. Ids are digests: of a thousand others sixteen share one with any of 64 hosts.
const BITS: u32 = 12;

const WORDS: usize = (1 << BITS) / 64;

/// The few.
pub(super) struct Sought<'a> {
    hosts: &'a BTreeSet<HostId>,
    marks: [u64; WORDS],
}

impl<'a> Sought<'a> {
    pub fn new(hosts: &'a BTreeSet<HostId>) -> Self {
        let mut marks = [0; WORDS];
        for host in hosts {
            let (word, bit) = place(host);
            marks[word] |= 1 << bit;
        }
        Self { hosts, marks }
    }

    pub fn holds(&self, host: &HostId) -> bool {
        let (word, bit) = place(host);
        self.marks[word] >> bit & 1 == 1 && self.hosts.contains(host)
    }
}

fn place(host: &HostId) -> (usize, u32) {
    let [first, second, ..] = host.0;
    let bits = u32::from(u16::from_be_bytes([first, second])) >> (u16::BITS - BITS);
    (usize::try_from(bits / 64).unwrap_or_default() % WORDS, bits % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_few_are_found_and_nobody_who_only_begins_like_one_of_them() {
        let host = |first: u8, last: u8| {
            let mut id = [first; 16];
            id[15] = last;
            HostId(id)
        };
        let few = BTreeSet::from([host(0, 1), host(7, 1), host(255, 1)]);
        let sought = Sought::new(&few);
        for first in 0..=255 {
            assert_eq!(sought.holds(&host(first, 1)), few.contains(&host(first, 1)));
            assert!(!sought.holds(&host(first, 2)));
        }
    }
}
