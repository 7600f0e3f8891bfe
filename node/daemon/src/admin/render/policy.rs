//! The policy in force, and those before it.

use ledger::in_force::PolicyNote;

use super::{Scene, wall};
use crate::admin::answer::{PolicyInForce, PolicyLine, Refusal};

/// The version that was asked for, else the one in force.
pub fn policy(scene: &Scene<'_>, version: Option<u64>) -> Result<PolicyInForce, Refusal> {
    let shelf = scene.ledger.policy_shelf();
    let version = version.unwrap_or_else(|| shelf.version());
    let text = match shelf.history().find(|note| note.version == version) {
        Some(note) => note.text.to_string(),
        None if version == 0 => String::new(),
        None => {
            let newest = shelf.version();
            return Err(Refusal::new(
                "NoSuch",
                format!(
                    "version {version} of the policy cannot be read back: version {newest} is in force, `hale policy history` \
                     names those that can"
                ),
            ));
        }
    };
    Ok(PolicyInForce {
        version,
        text,
        is_in_force: version == shelf.version(),
        history: shelf.history().map(line).collect(),
    })
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
