//! The text of a policy, as a person writes it and as the ledger takes it.

use ledger::Ledger;
use ledger::command::{Command, Entry, Outcome, Proposed, Refused};
use ledger::document::{FAULTS_MAX, Fault, FaultKind};
use ledger::policy::Policy;
use ledger::rules;
use vocabulary::{ModelVerifier, Span, WallNote};

use crate::fleet::order;
use crate::world;

/// The file as faults name it; the ledger's own refusals name another.
const FILE: &str = "fuzz.toml";

/// A line on a screen: place, key, value and expectation, each of which is cut.
const FAULT_BYTES_MAX: usize = 4 * 1024;

/// The ledgers of [`world`] in which a policy is tried, with the rules that they are under.
const LEDGERS: [(u8, u32); 2] = [(1, rules::FIRST), (5, rules::SECOND)];

/// The text under every number of rules. Bytes that are no text are none: a file is refused before, and no command holds them.
pub fn policy(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    for (number, rules) in LEDGERS {
        let read = Policy::read_under(rules, FILE, text);
        if let Err(faults) = &read {
            told(faults, text);
        }
        taken(world::ledger(number), text, read.ok());
    }
}

/// Laws D1 and D2 of `document`: a refusal names at least one fault, each with its line.
fn told(faults: &[Fault], text: &str) {
    assert!(!faults.is_empty(), "law D1: a value or a named fault");
    assert!(faults.len() <= FAULTS_MAX + 1, "{} faults are told", faults.len());
    // What is missing at the end of a text that ends in a line break stands behind its last line.
    let lines = text.lines().count() + 1;
    for fault in faults {
        let said = fault.to_string();
        assert!(!fault.expected.is_empty(), "a fault says what was expected: {said}");
        assert!(!said.contains(char::is_control), "no fault breaks a line: {said:?}");
        assert!(said.len() <= FAULT_BYTES_MAX, "a fault of {} bytes", said.len());
        assert_eq!(fault.file, FILE);
        let is_of_file = matches!(fault.kind, FaultKind::Unreadable | FaultKind::More);
        let (line, column) = (fault.line as usize, fault.column);
        assert!(is_of_file || (line >= 1 && column >= 1), "it names a place: {said}");
        assert!(line <= lines, "it names a line of the text, which has {lines}: {said}");
    }
}

/// Law N2 of `in_force`: the ledger takes what the check takes, and means the same by it, after a snapshot too.
fn taken(mut ledger: Ledger, text: &str, read: Option<Policy>) {
    let before = ledger.policy_shelf().clone();
    let by = ledger.voters()[0];
    let command = Command::Policy { text: text.to_owned(), if_version: None, order: order("fuzz") };
    let commands = vec![Proposed { by, command }];
    let entry = Entry { elapsed: Span::ZERO, wall: WallNote(0), commands };
    let outcomes = ledger.apply(ledger.index().next(), &entry, &ModelVerifier);
    match (&outcomes[..], read) {
        ([Outcome::Policy { version }], Some(read)) => {
            assert_eq!(*version, before.version() + 1, "law N1: versions rise by one");
            assert!(*ledger.policy() == read, "law N2: the ledger reads what the check read");
            let note = ledger.policy_shelf().current().expect("law N1: it is in force");
            assert_eq!(
                note.digest,
                read.digest(),
                "the audit holds the digest that the check prints"
            );
            let again = Ledger::from_bytes(&ledger.to_bytes());
            assert!(again.is_ok_and(|again| again == ledger), "law C3: a snapshot is the state");
        }
        ([Outcome::Refused(Refused::PolicyFaults(lines))], None) => {
            assert!(!lines.is_empty(), "law D1: a value or a named fault");
            assert!(*ledger.policy_shelf() == before, "law N2: it changes nothing");
        }
        (outcomes, read) => panic!("law N2: the check says {read:?}, the ledger {outcomes:?}"),
    }
}
