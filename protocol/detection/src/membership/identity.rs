//! Who a member is, in gossip: {host, boot, renewal}.
//!
//! Law SW1: of two identities of one host the higher boot stands; within one boot, the higher renewal (protocol 1.1).

use serde::{Deserialize, Serialize};
use vocabulary::{Boot, HostId};

/// A member as foca knows it. Packed: foca holds one of these for each member.
#[repr(Rust, packed(4))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Identity {
    /// The host; never an address.
    pub host: HostId,
    /// The life of its agent.
    pub boot: Boot,
    /// How often that life was called down and went on.
    pub renewal: u32,
}

impl Identity {
    /// A life that was never called down.
    pub fn first(host: HostId, boot: Boot) -> Self {
        Self { host, boot, renewal: 0 }
    }
}

impl foca::Identity for Identity {
    type Addr = Halves;

    /// protocol 1.1: raises the renewal only, so that a new boot always means a new life.
    fn renew(&self) -> Option<Self> {
        let renewal = self.renewal.checked_add(1)?;
        Some(Self { renewal, ..*self })
    }

    fn addr(&self) -> Halves {
        let (first, rest) = self.host.0.split_at(8);
        let half = |bytes: &[u8]| u64::from_ne_bytes(bytes.try_into().expect("half of sixteen"));
        Halves { first: half(first), rest: half(rest) }
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        (self.boot, self.renewal) > (adversary.boot, adversary.renewal)
    }
}

/// A host's id as foca looks for it, from one end of all its members to the other at every update: in halves, of which the second
/// is looked at only where the first is the same.
#[derive(Clone, Copy, Debug, Eq)]
pub(super) struct Halves {
    first: u64,
    rest: u64,
}

impl PartialEq for Halves {
    fn eq(&self, other: &Self) -> bool {
        self.first == other.first && is_same(self.rest, other.rest)
    }
}

/// Out of the way of the walk, which then takes half as long.
#[cold]
#[inline(never)]
fn is_same(rest: u64, other: u64) -> bool {
    rest == other
}

#[cfg(test)]
mod tests {
    use super::*;
    use foca::Identity as _;

    #[test]
    fn a_higher_boot_stands_before_any_renewal_of_a_lower_one() {
        let life = |number, renewal| Identity {
            host: HostId([1; 16]),
            boot: Boot { number, nonce: 7 },
            renewal,
        };
        assert!(life(2, 0).win_addr_conflict(&life(1, 900)));
        assert!(!life(1, 900).win_addr_conflict(&life(2, 0)));
        assert!(life(2, 1).win_addr_conflict(&life(2, 0)));
        assert_eq!(life(2, 0).renew(), Some(life(2, 1)));
        assert_eq!(life(2, u32::MAX).renew(), None);
    }

    #[test]
    fn two_hosts_stand_at_one_place_only_if_all_of_their_ids_is_the_same() {
        let place = |byte: usize, value: u8| {
            let mut id = [7; 16];
            id[byte] = value;
            Identity::first(HostId(id), Boot::default()).addr()
        };
        for byte in 0..16 {
            assert_eq!(place(byte, 7), place(0, 7));
            assert_ne!(place(byte, 8), place(0, 7), "byte {byte}");
        }
    }
}
