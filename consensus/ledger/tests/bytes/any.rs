//! Whatever a host proposes, a keeper tells, or a snapshot holds.

use ledger::audit::Record;
use ledger::case::Case;
use ledger::command::{Command, Entry, Outcome, Proposed};
use ledger::{Ledger, command};
use proptest::prelude::*;
use vocabulary::{LedgerIndex, ModelVerifier, Span, WallNote};

use crate::bent::{any_bytes, bent, is_value_or_fault};
use crate::fleet::{Fleet, id};
use crate::{commands, records, state};

fn is_sound_everywhere(bytes: &[u8]) -> Result<(), TestCaseError> {
    is_value_or_fault::<Command>(bytes)?;
    is_value_or_fault::<Entry>(bytes)?;
    is_value_or_fault::<Outcome>(bytes)?;
    is_value_or_fault::<command::Refused>(bytes)?;
    is_value_or_fault::<Record>(bytes)?;
    is_value_or_fault::<Case>(bytes)
}

fn sound() -> Vec<Vec<u8>> {
    let (commands, records) = (commands::whole(), records::whole());
    commands.rows().values().chain(records.rows().values()).cloned().collect()
}

/// The golden state is as good as its bytes: either another state, or a fault with a name.
fn is_state_or_fault(bytes: &[u8]) -> Result<(), TestCaseError> {
    match Ledger::from_bytes(bytes) {
        Err(why) => prop_assert!(!why.to_string().is_empty()),
        Ok(read) => {
            let again = Ledger::from_bytes(&read.to_bytes());
            prop_assert_eq!(again, Ok(read));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_command_or_a_named_fault(bytes in any_bytes(600)) {
        is_sound_everywhere(&bytes)?;
        is_state_or_fault(&bytes)?;
    }

    #[test]
    fn a_command_bent_in_any_way_is_a_command_or_a_named_fault(bytes in bent(sound())) {
        is_sound_everywhere(&bytes)?;
    }

    /// What decodes is also taken: every command of every author is done or refused by name, and nothing panics.
    #[test]
    fn a_command_bent_in_any_way_is_done_or_refused(bytes in bent(sound()), by in 0..9_usize) {
        if let Ok(command) = wire::decode::<Command>(&bytes) {
            let mut ledger = FLEET.with(Clone::clone);
            let by = id(crate::fleet::NINE[by]);
            let commands = vec![Proposed { by, command }];
            let entry = Entry { elapsed: Span::seconds(1), wall: WallNote(0), commands };
            let index = LedgerIndex(ledger.index().0 + 1);
            prop_assert_eq!(ledger.apply(index, &entry, &ModelVerifier).len(), 1);
        }
    }

    #[test]
    fn a_state_bent_in_any_way_is_a_state_or_a_named_fault(bytes in bent(vec![state::lived().ledger.to_bytes()])) {
        is_state_or_fault(&bytes)?;
    }
}

thread_local! {
    static FLEET: Ledger = Fleet::healing().ledger;
}
