//! The policy in force, and those before it.

use ledger::Ledger;
use ledger::in_force::{PolicyNote, PolicyShelf};

use super::{Scene, wall};
use crate::admin::answer::{PolicyInForce, PolicyLine, Refusal};

/// The version that was asked for, else the one in force.
pub fn policy(scene: &Scene<'_>, version: Option<u64>) -> Result<PolicyInForce, Refusal> {
    let shelf = scene.ledger.policy_shelf();
    let version = version.unwrap_or_else(|| shelf.version());
    let text = policy_text(scene.ledger, version)?;
    Ok(PolicyInForce {
        version,
        text,
        is_in_force: version == shelf.version(),
        history: shelf.history().map(line).collect(),
    })
}

/// The text of a version, as it was given; empty for version 0, which is none.
pub fn policy_text(ledger: &Ledger, version: u64) -> Result<String, Refusal> {
    let shelf = ledger.policy_shelf();
    match shelf.history().find(|note| note.version == version) {
        Some(note) => Ok(note.text.to_string()),
        None if version == 0 => Ok(String::new()),
        None => {
            let (newest, kept) = (shelf.version(), PolicyShelf::HISTORY_MAX);
            Err(Refusal::new(
                "NoSuch",
                format!(
                    "version {version} of the policy cannot be read back: version {newest} is in force, the last {kept} are kept, \
                     `hale policy history` names them"
                ),
            ))
        }
    }
}

fn line(note: &PolicyNote) -> PolicyLine {
    PolicyLine {
        version: note.version,
        digest: note.digest.to_string(),
        who: note.who.clone(),
        why: note.why.clone(),
        set: wall(note.wall),
    }
}
