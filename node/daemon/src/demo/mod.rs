//! `hale demo`: a mesh of real processes on loopback, four faults, every proof checked.
//!
//! Law D1: exit 0 only if every act was played and every proof of it held.
//! Law D2: whatever ends the demo, none of its processes runs on.
//! Not here: any shortcut into an agent. The demo breaks hosts from outside and reads what any operator can read.

pub mod acts;
pub mod fleet;
pub mod folder;
pub mod history;
pub mod journal;
pub mod links;
pub mod opening;
pub mod plan;
pub mod policy;
pub mod ports;
pub mod process;
pub mod proofs;
pub mod relay;
pub mod remedy;
pub mod report;
pub mod sight;
pub mod stage;
pub mod starter;
pub mod story;

#[cfg(test)]
mod chain;

use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};

use acts::Act;
use folder::Folder;
use proofs::Proof;
use stage::Stage;
use starter::Starter;
use story::{Ear, Story};

/// How the demo is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Leave mesh and folder for a look until interrupted.
    pub keep: bool,
    /// One JSON object on standard output; the story is told beside it.
    pub json: bool,
}

/// How the demo ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every proof of every act held.
    Held,
    /// Not so; the story says which.
    Failed(String),
    /// A signal ended it.
    Interrupted,
}

/// Plays the demo; `program` is the binary whose agents are shown.
pub fn run(program: &Path, wish: Wish) -> Result<Ending, std::io::Error> {
    let mut folder = Folder::make()?;
    // Outlived by the folder: whatever its tasks hold is dropped, and every process with it, before the folder goes.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut told_to_end = async || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        let (left, ending) = tokio::select! {
            ended = perform(program, wish, &mut folder) => ended,
            () = told_to_end() => return Ok(Ending::Interrupted),
        };
        let Some(Left { stage, starter }) = left else {
            return Ok(ending);
        };
        if wish.keep {
            report::invite(&stage, program);
            told_to_end().await;
        }
        drop(starter);
        let ended = stage.fleet.end().await;
        Ok(ended.map_or_else(|fault| Ending::Failed(fault.to_string()), |()| ending))
    })
}

/// What is there when the story is told.
struct Left {
    stage: Stage,
    starter: Starter,
}

async fn perform(program: &Path, wish: Wish, folder: &mut Folder) -> (Option<Left>, Ending) {
    let story = Story::begin(if wish.json { Ear::Beside } else { Ear::Output });
    let opened = opening::open(program, folder.path(), story).await;
    let (mut stage, starter) = match opened {
        Ok(opened) => opened,
        Err((story, fault)) => {
            folder.keep();
            report::broken_off(&story, &fault, folder.path());
            return (None, Ending::Failed(fault));
        }
    };
    let mut played = Vec::new();
    let fault = play_all(&mut stage, &mut played).await;
    report::print(&stage.story, &played, wish.json);
    let is_held = fault.is_none() && played.len() == ACTS.len() && played.iter().all(Act::held);
    if wish.keep || !is_held {
        folder.keep();
    }
    let ending = if is_held {
        Ending::Held
    } else {
        report::look_into(&stage.story, folder.path());
        Ending::Failed(fault.unwrap_or_else(|| "a proof did not hold".to_owned()))
    };
    (Some(Left { stage, starter }), ending)
}

/// Their names, in order.
const ACTS: [(&str, &str); 4] = [
    ("death", "Act 1: an agent is killed"),
    ("frozen host", "Act 2: a host freezes, and its network with it"),
    ("cut", "Act 3: a zone is cut off"),
    ("surge", "Act 4: three hosts of three zones at once"),
];

/// Plays the acts; one that breaks off ends the play, since the next would begin on a mesh that is not well.
async fn play_all(stage: &mut Stage, played: &mut Vec<Act>) -> Option<String> {
    for (number, (name, title)) in ACTS.into_iter().enumerate() {
        stage.story.head(title);
        let mut act = Act::named(name);
        let ended = play(number, stage, &mut act).await;
        let broke_off = ended.err().map(|proof| {
            let why = format!("{}: {}", proof.claim, proof.seen);
            act.proofs.push(proof);
            why
        });
        report::act(&stage.story, &act);
        played.push(act);
        if broke_off.is_some() {
            return broke_off;
        }
    }
    None
}

async fn play(number: usize, stage: &mut Stage, act: &mut Act) -> Result<(), Proof> {
    match number {
        0 => acts::death::play(stage, act).await,
        1 => acts::frozen::play(stage, act).await,
        2 => acts::cut::play(stage, act).await,
        _ => acts::surge::play(stage, act).await,
    }
}
