//! One plan, played before every checker, from its first act to the end of its calm.
//!
//! Law T1: what panics is red like what breaks a law: our asserts are laws too.
//! Not here: what is drawn (see `drawing`), what is judged (see `checkers`).

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ledger::audit::{Record, What};
use simulator::Fleet;
use simulator::script::{Script, ScriptFault};
use vocabulary::Span;

use super::checkers::{self, endings};
use super::picture::Camera;

/// What a sound run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// How many events there were.
    pub events: u64,
    /// How much virtual time went by.
    pub time: Span,
    /// How many verdicts of death were reached.
    pub verdicts: u64,
    /// How many remedies were begun.
    pub remedies: u64,
    /// How often votes of the ledger moved.
    pub moves: u64,
    /// How many fleets have sealed their audit.
    pub sealed: u64,
}

/// What a run broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which law, and how.
    pub law: String,
    /// The trace up to then; none of a run that panicked.
    pub trace: Vec<String>,
}

/// Why there is no end to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Red {
    /// A law was broken.
    Broken(Broken),
    /// The text is no script.
    Script(ScriptFault),
}

/// Plays it before every checker.
pub fn play(script: &Script) -> Result<Ran, Red> {
    let played = catch_unwind(AssertUnwindSafe(|| watched(script)));
    played.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
        Err(Red::Broken(Broken { law: format!("panicked: {said}"), trace: Vec::new() }))
    })
}

fn watched(script: &Script) -> Result<Ran, Red> {
    let (mut camera, mut checkers) = (Camera::default(), checkers::all());
    let mut broken: Option<String> = None;
    let mut look = |fleet: &Fleet| {
        let Some(picture) = camera.look(fleet) else {
            return ControlFlow::Continue(());
        };
        broken = checkers.iter_mut().find_map(|checker| checker.look(&picture).err());
        if broken.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let fleet = script.play_watched(&mut look).map_err(Red::Script)?;
    match broken.map_or_else(|| endings::check(&fleet), Err) {
        Ok(()) => Ok(ran(&fleet)),
        Err(law) => {
            let trace = fleet.trace().iter().map(ToString::to_string).collect();
            Err(Red::Broken(Broken { law, trace }))
        }
    }
}

fn ran(fleet: &Fleet) -> Ran {
    let tally = fleet.tally();
    let is_move =
        |record: &&Record| matches!(record.what, What::VoteMoved { .. } | What::VotesMoved { .. });
    let moves = fleet.ledger().audit_since(0).filter(is_move);
    Ran {
        events: fleet.happened(),
        time: fleet.now().since(vocabulary::Moment::default()),
        verdicts: tally.verdicts_true + tally.verdicts_false,
        remedies: tally.remedies_begun,
        moves: moves.count() as u64,
        sealed: u64::from(fleet.ledger().seal().is_some()),
    }
}

impl Ran {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            events: self.events + other.events,
            time: self.time.plus(other.time),
            verdicts: self.verdicts + other.verdicts,
            remedies: self.remedies + other.remedies,
            moves: self.moves + other.moves,
            sealed: self.sealed + other.sealed,
        }
    }
}
