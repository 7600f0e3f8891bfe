//! What is left when the story is told: figures, proofs, and where to look.

use std::path::Path;

use serde::Serialize;

use super::acts::Act;
use super::plan::HOSTS;
use super::stage::Stage;
use super::story::{Story, seconds};

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    acts: &'a [Act],
}

/// The proofs of one act, held or not, each with what was seen.
pub fn act(story: &Story, act: &Act) {
    story.line("");
    for proof in &act.proofs {
        let mark = if proof.held { "held  " } else { "FAILED" };
        story.line(&format!("  {mark}  {}", proof.claim));
        story.line(&format!("          {}", proof.seen));
    }
}

/// All acts on one screen, and as JSON where that was asked for.
pub fn print(story: &Story, acts: &[Act], is_json: bool) {
    story.head("What it took, from the fault on");
    story.line(
        "act            doubt   verdict     lease    remedy    closed  remedies  at once  proofs",
    );
    for act in acts {
        let lease = act
            .verdict_to_lease_ms
            .zip(act.fault_to_verdict_ms)
            .map(|(lease, verdict)| verdict + lease);
        let held = act.proofs.iter().filter(|proof| proof.held).count();
        story.line(&format!(
            "{:<12} {:>7} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8}  {held} of {} held",
            act.name,
            seconds(act.fault_to_doubt_ms),
            seconds(act.fault_to_verdict_ms),
            seconds(lease),
            seconds(act.fault_to_remedy_ms),
            seconds(act.fault_to_closed_ms),
            act.remedies,
            act.in_flight_max,
            act.proofs.len()
        ));
    }
    story.line("");
    story.say("the end");
    if is_json {
        // Three kinds of values that JSON has: it cannot fail.
        let text = serde_json::to_string(&Report { acts }).unwrap_or_default();
        use std::io::Write as _;
        // Whoever asked for it may be gone; the exit code still tells.
        let _ = writeln!(std::io::stdout(), "{text}");
    }
}

/// How to look at the mesh that was left up.
pub fn invite(stage: &Stage, program: &Path) {
    let socket = stage.fleet.files(0).socket();
    let hale = program.display();
    stage.story.head("The mesh stays up until you interrupt this (Ctrl-C)");
    stage.story.line(&format!("export HALE_SOCKET={}", socket.display()));
    for (verb, what) in [
        ("status", "the mesh on one screen"),
        ("hosts", "who belongs, and how each of them is"),
        ("cases --all", "what trouble there was"),
        ("explain 1", "who looked, what each saw, what was decided"),
        ("audit verify", "the whole history, each digest computed again"),
    ] {
        stage.story.line(&format!("{:<40} # {what}", format!("{hale} {verb}")));
    }
    let names: Vec<&str> = HOSTS.iter().map(|host| host.name).collect();
    stage.story.line(&format!(
        "every agent answers for the whole mesh: {} each have their admin.sock",
        names.join(", ")
    ));
}

/// Where to look when something did not hold.
pub fn look_into(story: &Story, folder: &Path) {
    story.line(&format!(
        "not every proof held; logs and the journal of remedies are left in {}",
        folder.display()
    ));
}

/// The mesh could not be opened.
pub fn broken_off(story: &Story, fault: &str, folder: &Path) {
    story.say(fault);
    story.line(&format!("what there is was left in {}", folder.display()));
}
