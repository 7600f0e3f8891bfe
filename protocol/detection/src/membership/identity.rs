//! Who a member is, in gossip: {host, boot, renewal}.
//!
//! Law SW1: of two identities of one host the higher boot stands; within one boot, the higher renewal (protocol 1.1).

use serde::{Deserialize, Serialize};
use vocabulary::{Boot, HostId};

/// A member as foca knows it. Packed: foca holds one of these for each member, and a nonce's alignment alone would make each a
/// third larger.
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
    type Addr = HostId;

    /// protocol 1.1: raises the renewal only, so that a new boot always means a new life.
    fn renew(&self) -> Option<Self> {
        let renewal = self.renewal.checked_add(1)?;
        Some(Self { renewal, ..*self })
    }

    fn addr(&self) -> HostId {
        self.host
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        (self.boot, self.renewal) > (adversary.boot, adversary.renewal)
    }
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
}
