//! Entries of the log, applied to a ledger that has lived a little.

use ledger::command::{Command, Entry, Outcome, Refused};
use ledger::{Ledger, verify_chain_after};
use vocabulary::{CaseId, LedgerIndex, ModelVerifier};

use crate::{spelling, world};

/// Entries that are applied; what comes behind them is left alone (law FZ2).
const ENTRIES_MAX: usize = 6;

/// A state grows by what was said, with room for what is noted about it: a policy, cases with their grounds, records.
const GROWN_TIMES: usize = 24;

/// Records and anchors that an entry adds of itself.
const GROWN_FIXED: usize = 16 * 1024;

/// The first byte says which ledger, the second whether the hosts lend their keys; the rest are entries.
pub fn command(bytes: &[u8]) {
    let [which, lent, rest @ ..] = bytes else {
        return;
    };
    let mut ledger = world::ledger(*which);
    let mut rest = rest;
    for _ in 0..ENTRIES_MAX {
        let Ok((mut entry, used)) = wire::decode_prefix::<Entry>(rest) else {
            return;
        };
        assert_eq!(spelling::read::<Entry>(&rest[..used]).as_ref(), Some(&entry));
        rest = &rest[used..];
        if lent % 2 == 1 {
            lend(&mut entry, &ledger);
        }
        // Law C6: rules that are not known here are for a newer version to apply.
        if ledger.unknown_rules(&entry).is_some() {
            return;
        }
        ledger = applied(&ledger, &entry);
    }
}

/// Every word in it signed by whoever it names, for the newest anchor.
fn lend(entry: &mut Entry, ledger: &Ledger) {
    let anchor = ledger.anchor();
    for proposed in &mut entry.commands {
        match &mut proposed.command {
            Command::Verdicts { grounds, .. }
            | Command::Recovered { grounds, .. }
            | Command::Intend { grounds, .. }
            | Command::Verify { grounds, .. }
            | Command::Unsettled { grounds, .. } => world::lend(grounds, anchor),
            Command::Unfit { grounds, .. } | Command::Fit { grounds, .. } => {
                world::lend_words(grounds, anchor);
            }
            _ => {}
        }
    }
}

/// The state after an entry, when it has kept its laws; those that are cheap it asserts itself (L1, L2, B2, K2).
fn applied(before: &Ledger, entry: &Entry) -> Ledger {
    let index = before.index().next();
    let (after, outcomes) = step(before, index, entry);
    assert_eq!(outcomes.len(), entry.commands.len(), "each command has its outcome");
    let (again, _) = step(before, index, entry);
    let bytes = after.to_bytes();
    assert!(bytes == again.to_bytes(), "law C3: the same entry gives the same bytes");
    match Ledger::from_bytes(&bytes) {
        Ok(read) => assert!(read == after, "law C3: a snapshot is the state"),
        Err(why) => panic!("law C4: our own snapshot is refused: {why}"),
    }
    let said = wire::encode(entry).len();
    let most = before.to_bytes().len() + GROWN_FIXED + GROWN_TIMES * said;
    assert!(bytes.len() <= most, "{} bytes came of {said}, {most} at most", bytes.len());
    let added = after.time().since(before.time());
    assert!(added <= Entry::ELAPSED_MAX, "law T1: one entry adds {added}");
    let head = before.audit().head();
    let records: Vec<_> = after.audit_since(head.number).cloned().collect();
    assert_eq!(verify_chain_after(head, &records), Ok(()), "law A1: the audit is one chain");
    assert!(after.next_fence() >= before.next_fence(), "law L2: fences only rise");
    refused(before, &after, (entry, &outcomes));
    after
}

fn step(before: &Ledger, index: LedgerIndex, entry: &Entry) -> (Ledger, Vec<Outcome>) {
    let mut after = before.clone();
    let outcomes = after.apply(index, entry, &ModelVerifier);
    (after, outcomes)
}

/// Law C1: what is refused names its rule, and moves nothing but a note on the case it is about.
fn refused(before: &Ledger, after: &Ledger, (entry, outcomes): (&Entry, &[Outcome])) {
    for outcome in outcomes {
        if let Outcome::Refused(why) = outcome {
            assert!(!why.to_string().is_empty(), "law C1: a refusal names its rule");
        }
    }
    // protocol 1.2: a life that is refused as the second of one number is a case.
    let is_still = |outcome: &Outcome| match outcome {
        Outcome::Refused(why) => !matches!(why, Refused::Duplicate(_)),
        _ => false,
    };
    if outcomes.iter().all(is_still) {
        let silent = Entry { commands: Vec::new(), ..entry.clone() };
        let (bare, _) = step(before, after.index(), &silent);
        assert!(moved(after) == moved(&bare), "law C1: a refusal moves nothing: {outcomes:?}");
    }
}

/// What a refusal may not move.
fn moved(ledger: &Ledger) -> impl PartialEq {
    let stages: Vec<(CaseId, &str, bool)> = ledger
        .cases()
        .map(|case| (case.id, case.stage.word(), case.counted_lease().is_some()))
        .collect();
    (
        (ledger.roster().clone(), ledger.policy_shelf().clone(), ledger.brake().clone()),
        (ledger.next_fence(), ledger.rules(), ledger.time(), stages),
        ledger.founding().cloned(),
    )
}
