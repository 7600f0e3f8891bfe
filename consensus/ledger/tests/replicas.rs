//! Two keepers, one history: the same entries give the same bytes, and bytes give the same ledger back.

mod fleet;

use fleet::*;
use ledger::{Ledger, SnapshotFault};
use vocabulary::{ModelVerifier, ReceiptKind};

fn busy() -> Fleet {
    let mut fleet = Fleet::healing();
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.receive(("c2", case, fence), remedy, ReceiptKind::Unknown);
    fleet.opened("c3", Seen::HostDown);
    fleet
}

#[test]
fn the_same_entries_give_the_same_bytes() {
    let fleet = busy();
    let mut other = Ledger::new();
    for (index, entry) in &fleet.log {
        other.apply(*index, entry, &ModelVerifier);
    }
    assert_eq!(other.to_bytes(), fleet.ledger.to_bytes());
    assert_eq!(other, fleet.ledger);
}

#[test]
fn a_snapshot_in_the_middle_changes_nothing_of_what_follows() {
    let fleet = busy();
    for middle in [1, fleet.log.len() / 2, fleet.log.len() - 1] {
        let mut ledger = Ledger::new();
        for (place, (index, entry)) in fleet.log.iter().enumerate() {
            if place == middle {
                ledger = Ledger::from_bytes(&ledger.to_bytes()).expect("our own bytes");
            }
            ledger.apply(*index, entry, &ModelVerifier);
        }
        assert_eq!(ledger, fleet.ledger, "snapshot after {middle} entries");
    }
}

#[test]
fn a_held_version_does_not_move_with_the_next_entry() {
    let mut fleet = Fleet::healing();
    let held = fleet.ledger.clone();
    let bytes = held.to_bytes();
    fleet.begun("b2", Seen::AgentDown, "c2");
    assert_eq!(held.to_bytes(), bytes);
    assert_ne!(fleet.ledger.to_bytes(), bytes);
}

#[test]
fn what_is_no_snapshot_is_refused_by_name() {
    let bytes = busy().ledger.to_bytes();
    assert!(Ledger::from_bytes(&[]).is_err());
    assert!(Ledger::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    let mut later = bytes.clone();
    assert_eq!(later[3], 3, "the layout of the second rules");
    later[3] = 9;
    assert_eq!(Ledger::from_bytes(&later), Err(SnapshotFault::Layout(9)));
    let mut longer = bytes;
    longer.push(0);
    assert!(Ledger::from_bytes(&longer).is_err());
}
