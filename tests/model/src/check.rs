//! The search: every order of steps, breadth first, and what came of it.
//!
//! Not here: what a step does (see `steps`).

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use stateright::{Checker as _, HasDiscoveries, Model, Property};

use crate::fleet::{HEALERS, SUBJECTS};
use crate::judge::{Breach, Law};
use crate::likeness::Likeness;
use crate::steps::{Ending, Step};
use crate::world::{Bounds, Seen, Variant, World};

/// A small world to be searched.
#[derive(Clone, Debug)]
pub struct Search {
    /// How far.
    pub bounds: Bounds,
    /// Of what.
    pub variant: Variant,
    /// Far rooms reached so far, as the bits of [`Seen`]: worlds that are alike were reached on different ways.
    reached: Arc<AtomicU8>,
    /// The breach that was found first: the search goes by length, so no way to one is shorter.
    first: Arc<OnceLock<Likeness>>,
}

/// What a search has found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Worlds that are not alike.
    pub worlds: usize,
    /// Steps taken, to worlds known and new.
    pub steps: usize,
    /// The longest way.
    pub depth: usize,
    /// The shortest way to each law that was broken.
    pub broken: Vec<Way>,
    /// Far rooms that were reached.
    pub reached: Vec<&'static str>,
}

/// A way to a breach.
#[derive(Clone, Debug)]
pub struct Way {
    /// The breach.
    pub breach: Breach,
    /// How it came about.
    pub steps: Vec<Step>,
}

impl Search {
    /// A search that has not begun.
    pub fn new(bounds: Bounds, variant: Variant) -> Self {
        Self { bounds, variant, reached: Arc::default(), first: Arc::default() }
    }

    /// Tries everything, or until a law is broken.
    pub fn run(self) -> Found {
        let reached = Arc::clone(&self.reached);
        let checker = self.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
        let reached = reached.load(Ordering::Relaxed);
        let rooms = Seen::NAMED.iter().filter(|(_, room)| reached & room.0 != 0);
        let ways = checker.discoveries().into_values().filter_map(|path| {
            let breach = path.last_state().breach?;
            Some(Way { breach, steps: path.into_actions() })
        });
        Found {
            worlds: checker.unique_state_count(),
            steps: checker.state_count(),
            depth: checker.max_depth(),
            broken: ways.collect(),
            reached: rooms.map(|(name, _)| *name).collect(),
        }
    }
}

impl Search {
    /// Whether a law holds in this world; every breach but the first is passed over, so that the way to it is a shortest one.
    fn holds(&self, world: &World, law: Law) -> bool {
        let is_broken = world.breach.is_some_and(|breach| breach.law == law);
        if !is_broken {
            return true;
        }
        let likeness = world.likeness();
        *self.first.get_or_init(|| likeness.clone()) != likeness
    }
}

impl Model for Search {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self.bounds)]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        world.steps(steps);
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        let mut next = world.clone();
        next.seen = Seen::default();
        if !next.take(step, self.variant) {
            return None;
        }
        next.judge();
        self.reached.fetch_or(next.seen.0, Ordering::Relaxed);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("L1", |search, world| search.holds(world, Law::L1)),
            Property::always("L2", |search, world| search.holds(world, Law::L2)),
            Property::always("L3", |search, world| search.holds(world, Law::L3)),
            Property::always("B1", |search, world| search.holds(world, Law::B1)),
            Property::always("B2", |search, world| search.holds(world, Law::B2)),
            Property::always("A1", |search, world| search.holds(world, Law::A1)),
            Property::always("V3", |search, world| search.holds(world, Law::V3)),
        ]
    }
}

impl fmt::Display for Found {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { worlds, steps, depth, .. } = self;
        writeln!(out, "{worlds} worlds, {steps} steps, the longest way {depth}")?;
        writeln!(out, "reached: {}", self.reached.join(", "))?;
        self.broken.iter().try_for_each(|way| way.fmt(out))
    }
}

impl fmt::Display for Way {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "law {:?} is broken: {}", self.breach.law, self.breach.how)?;
        let mut numbered = self.steps.iter().zip(1..);
        numbered.try_for_each(|(step, number)| writeln!(out, "{number:4} {step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (healer, subject) = (|place: &usize| HEALERS[*place], |place: &usize| SUBJECTS[*place]);
        match self {
            Self::Offer(place, to) => {
                write!(out, "{} is offered to {}", subject(place), healer(to))
            }
            Self::Accept(who) => write!(out, "{} accepts", healer(who)),
            Self::Renew(who) => write!(out, "{} renews", healer(who)),
            Self::Look(who) => write!(out, "{} looks last", healer(who)),
            Self::Intend(who) => write!(out, "{} asks for its intent", healer(who)),
            Self::Begin(who) => write!(out, "{}'s guard looks at the clock and goes", healer(who)),
            Self::GiveUp(who) => write!(out, "{} sees a brake and gives up", healer(who)),
            Self::Inspect(who) => write!(out, "{} inspects", healer(who)),
            Self::Tell(who) => write!(out, "{}'s receipt comes to the ledger", healer(who)),
            Self::Verify(who) => write!(out, "{} verifies", healer(who)),
            Self::Restart(who) => write!(out, "{} dies and starts again", healer(who)),
            Self::Leave(who) => write!(out, "{} leaves and comes back", healer(who)),
            Self::Arrive(call) => write!(out, "call {} comes to its subject", call + 1),
            Self::End(call, ending) => write!(out, "call {} ends: {}", call + 1, ending.word()),
            Self::Recover(place) => write!(out, "{} is well by itself", subject(place)),
            Self::SeeWell(place) => write!(out, "a round sees {} well", subject(place)),
            Self::Pause => write!(out, "a person pauses"),
            Self::Resume => write!(out, "a person resumes"),
            Self::Time => write!(out, "5 s go by"),
            Self::TimeUnderNewLeader => write!(out, "5 s go by, and a new leader counts none"),
        }
    }
}

impl Ending {
    fn word(self) -> &'static str {
        match self {
            Self::Worked => "it worked",
            Self::InVain => "in vain",
            Self::Cut => "cut short",
        }
    }
}
