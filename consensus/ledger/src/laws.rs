//! The laws that are cheap enough to be checked after every entry, in release builds too.
//!
//! Law L1: at most one live lease per subject. Law L2: fences only rise. Law B2: what is counted is what is leased. Law FL3: at most one slot
//! of a host, and no lease beside it.
//! Not here: B1 and P1, which are checked where a lease is granted and where a remedy begins.

use std::collections::BTreeSet;

use vocabulary::{Fence, Scope};

use crate::ledger::Ledger;

/// Panics with the law if our own rooms have broken one: better no healing than wrong healing.
pub(crate) fn check(ledger: &Ledger, fence_before: Fence) {
    let state = &ledger.state;
    assert!(state.fence >= fence_before, "law L2: fences only rise");
    let leases = state.cases.open().filter_map(|case| {
        let lease = case.counted_lease()?;
        Some((case.subject.clone(), lease.fence))
    });
    let (mut subjects, mut fences, mut count) = (BTreeSet::new(), BTreeSet::new(), 0);
    for (subject, fence) in leases {
        assert!(subjects.insert(subject), "law L1: at most one live lease per subject");
        assert!(
            fences.insert(fence) && fence <= state.fence,
            "law L2: every lease has a fence of its own that was given"
        );
        count += 1;
    }
    assert!(
        state.cases.counts(&Scope::Fleet).in_flight == count,
        "law B2: every lease counts, and nothing else does"
    );
    let mut holders = BTreeSet::new();
    for (client, slot) in ledger.slots() {
        assert!(
            slot.host.is_none_or(|host| holders.insert(host)),
            "law FL3: a host holds at most one slot, and {client} is one more"
        );
        let case = slot.host.and_then(|host| ledger.case_of_host(&host));
        assert!(
            case.is_none_or(|case| case.counted_lease().is_none()),
            "law FL3: a host that holds a slot has no lease"
        );
        assert!(
            fences.insert(slot.fence) && slot.fence <= state.fence,
            "law L2: every slot has a fence of its own that was given"
        );
    }
    debug_assert!(
        state.added.slots.is_derived_true(),
        "law FL5: counts and names are those of the held slots"
    );
    debug_assert!(
        state.begun.is_derived_true(&state.added.slots.granted),
        "law SD2: the hours are those of the kept starts"
    );
    debug_assert!(
        state.cases.is_derived_true(),
        "laws K2, K3: tally and register are those of the open cases"
    );
}
