//! The body of a FleetLock request, as whoever reaches the door sends it.

use daemon::fleetlock::question::{Question, QuestionFault};
use ledger::bindings::FleetLockId;

/// A line in a client's log.
const FAULT_BYTES_MAX: usize = 1024;

/// Law FQ1: a question whose id and group are sound, or a named fault; what was read is read again from what a client would write.
pub fn fleetlock(bytes: &[u8]) {
    match Question::from_body(bytes) {
        Err(fault) => told(&fault),
        Ok(question) => {
            let Question { client, group } = &question;
            assert!((1..=FleetLockId::BYTES_MAX).contains(&client.as_str().len()));
            assert!(!client.as_str().contains(char::is_control), "an id breaks no line");
            let is_letter = |letter: char| letter.is_ascii_alphanumeric() || ".-".contains(letter);
            assert!(!group.is_empty() && group.chars().all(is_letter), "group {group:?}");
            let written = serde_json::json!({
                "client_params": { "id": client.as_str(), "group": group },
            });
            assert_eq!(Question::from_body(written.to_string().as_bytes()), Ok(question));
        }
    }
}

fn told(fault: &QuestionFault) {
    let said = fault.to_string();
    assert!(!said.contains(char::is_control), "no fault breaks a line: {said:?}");
    assert!(said.len() <= FAULT_BYTES_MAX, "a fault of {} bytes", said.len());
}
