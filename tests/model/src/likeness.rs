//! Which worlds are alike: what of them decides what may happen from here on, told relative to now.
//!
//! The index, the audit's digests, ledger time and the numbers given so far differ with every way that leads to a state; what
//! follows from it does not depend on them, only on their order and their distance from now. A test takes every step from
//! worlds that are alike and finds the same worlds behind it.
//! Not here: terms that are longer than any search goes (an hour's count, fifteen minutes of patience).

use std::hash::{Hash, Hasher};

use ledger::case::{Case, RemedyNote, Stage};
use vocabulary::{Fence, HostId, LedgerTime, ReceiptKind, RemedyId};

use crate::fleet::{HEALERS, SUBJECTS, id};
use crate::judge::Breach;
use crate::world::{Bounds, Call, Healer, Look, World};

/// What decides what may happen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Likeness {
    subjects: [OfSubject; 2],
    healers: [OfHealer; 2],
    calls: Vec<OfCall>,
    brake: (bool, Option<(u32, u32)>),
    left: Bounds,
    breach: Option<Breach>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct OfSubject {
    stage: &'static str,
    /// Until when the stage stands, if by something else than its lease.
    until: Option<i128>,
    lease: Option<OfLease>,
    last: Option<OfRemedy>,
    may_recover: bool,
    takeovers: u32,
    rung: u32,
    attempts: u32,
    is_well: bool,
    fence: u64,
    touched: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct OfLease {
    fence: u64,
    healer: usize,
    ends: i128,
    apply_after: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct OfRemedy {
    remedy: u64,
    fence: u64,
    healer: usize,
    receipt: Option<ReceiptKind>,
    is_proven: Option<bool>,
    is_provable: bool,
    is_done: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct OfHealer {
    task: Option<OfTask>,
    untold: Option<(usize, u64, u64, ReceiptKind)>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct OfTask {
    subject: usize,
    fence: u64,
    since_asked: u64,
    look: Option<OfLook>,
    intended: Option<u64>,
    begun: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct OfLook {
    age: u64,
    is_after_grant: bool,
    says_well: [bool; 2],
    was_well: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct OfCall {
    healer: usize,
    subject: usize,
    fence: u64,
    remedy: u64,
    /// How long its guard lets it run; all that are over are alike.
    left: u64,
    is_running: bool,
}

/// From where numbers are told: in the order of those that are still in play.
struct Now<'a> {
    world: &'a World,
    fences: Vec<Fence>,
    remedies: Vec<RemedyId>,
}

impl World {
    /// What decides what may happen from here on; the same for worlds in which healers or subjects have only changed places.
    pub fn likeness(&self) -> Likeness {
        let own = Now::of(self).likeness();
        let (swapped, other) = (own.with_subjects_swapped(), own.with_healers_swapped());
        let both = swapped.with_healers_swapped();
        own.min(swapped).min(other).min(both)
    }
}

impl Likeness {
    fn with_subjects_swapped(&self) -> Self {
        let mut own = self.clone();
        own.subjects.swap(0, 1);
        for healer in &mut own.healers {
            if let Some(task) = &mut healer.task {
                task.subject = 1 - task.subject;
                task.look.iter_mut().for_each(|look| look.says_well.swap(0, 1));
            }
            healer.untold.iter_mut().for_each(|untold| untold.0 = 1 - untold.0);
        }
        own.calls.iter_mut().for_each(|call| call.subject = 1 - call.subject);
        own.calls.sort();
        own
    }

    fn with_healers_swapped(&self) -> Self {
        let mut own = self.clone();
        own.healers.swap(0, 1);
        for subject in &mut own.subjects {
            subject.lease.iter_mut().for_each(|lease| lease.healer = 1 - lease.healer);
            subject.last.iter_mut().for_each(|last| last.healer = 1 - last.healer);
        }
        own.calls.iter_mut().for_each(|call| call.healer = 1 - call.healer);
        own.calls.sort();
        own
    }
}

impl<'a> Now<'a> {
    fn of(world: &'a World) -> Self {
        let mut now = Self { world, fences: Vec::new(), remedies: Vec::new() };
        for place in 0..SUBJECTS.len() {
            let (case, own) = (world.case(place), &world.subjects[place]);
            now.fences.extend([own.fence, own.touched]);
            now.fences.extend(case.counted_lease().map(|lease| lease.fence));
            now.fences.extend(case.remedies.last().map(|note| note.fence));
            now.remedies.extend(case.remedies.last().map(|note| note.id));
        }
        for healer in &world.healers {
            now.fences.extend(healer.task.as_ref().map(|task| task.fence));
            now.remedies.extend(healer.task.as_ref().and_then(|task| task.intended));
            now.fences.extend(healer.untold.as_ref().map(|untold| untold.fence));
            now.remedies.extend(healer.untold.as_ref().map(|untold| untold.remedy));
        }
        now.fences.extend(world.calls.iter().map(|call| call.fence));
        now.remedies.extend(world.calls.iter().map(|call| call.remedy));
        now.fences.sort_unstable();
        now.fences.dedup();
        now.remedies.sort_unstable();
        now.remedies.dedup();
        now
    }

    fn likeness(&self) -> Likeness {
        let world = self.world;
        let brakes = world.keeper.ledger.brake();
        let mut calls: Vec<OfCall> = world.calls.iter().map(|call| self.call(call)).collect();
        calls.sort();
        Likeness {
            subjects: [self.subject(0), self.subject(1)],
            healers: [0, 1].map(|place: usize| self.healer(&world.healers[place])),
            calls,
            brake: (brakes.pause.is_some(), brakes.ramp.map(|ramp| (ramp.limit, ramp.ended))),
            left: world.left,
            breach: world.breach,
        }
    }

    fn fence(&self, fence: Fence) -> u64 {
        self.fences.iter().take_while(|known| **known < fence).count() as u64
    }

    fn remedy(&self, remedy: RemedyId) -> u64 {
        self.remedies.iter().take_while(|known| **known < remedy).count() as u64
    }

    fn until(&self, at: LedgerTime) -> i128 {
        let now = self.world.keeper.ledger.time();
        i128::from(at.as_milliseconds()) - i128::from(now.as_milliseconds())
    }

    fn subject(&self, place: usize) -> OfSubject {
        let (case, own) = (self.world.case(place), &self.world.subjects[place]);
        let until = match &case.stage {
            Stage::Offered(lease) => Some(lease.granted),
            Stage::Verifying { until, .. } => Some(*until),
            _ => None,
        };
        OfSubject {
            stage: case.stage.word(),
            until: until.map(|at| self.until(at)),
            lease: self.lease(case),
            last: case.remedies.last().map(|note| self.note(place, note)),
            may_recover: case.may_recover(),
            takeovers: case.takeovers,
            rung: case.rung,
            attempts: case.attempts,
            is_well: own.is_well,
            fence: self.fence(own.fence),
            touched: self.fence(own.touched),
        }
    }

    fn lease(&self, case: &Case) -> Option<OfLease> {
        let lease = case.counted_lease()?;
        let time = self.world.keeper.ledger.time();
        Some(OfLease {
            fence: self.fence(lease.fence),
            healer: place_of(lease.healer),
            ends: self.until(lease.ends),
            apply_after: lease.apply_after.since(time).as_milliseconds(),
        })
    }

    fn note(&self, place: usize, note: &RemedyNote) -> OfRemedy {
        let own = &self.world.subjects[place];
        OfRemedy {
            remedy: self.remedy(note.id),
            fence: self.fence(note.fence),
            healer: place_of(note.healer),
            receipt: note.receipt.as_ref().map(|receipt| receipt.kind),
            is_proven: note.is_proven,
            is_provable: note.boot.map_or(0, |boot| boot.number) <= own.boots,
            is_done: own.done.contains(&note.id),
        }
    }

    fn healer(&self, healer: &Healer) -> OfHealer {
        OfHealer {
            task: healer.task.as_ref().map(|task| OfTask {
                subject: task.subject,
                fence: self.fence(task.fence),
                since_asked: healer.clock.less(task.asked).as_milliseconds(),
                look: task.look.map(|look| self.look(task.subject, &look)),
                intended: task.intended.map(|remedy| self.remedy(remedy)),
                begun: task.begun,
            }),
            untold: healer.untold.as_ref().map(|untold| {
                let (fence, remedy) = (self.fence(untold.fence), self.remedy(untold.remedy));
                (untold.subject, fence, remedy, untold.kind)
            }),
        }
    }

    fn look(&self, subject: usize, look: &Look) -> OfLook {
        let lease = self.world.case(subject).counted_lease();
        OfLook {
            age: self.world.keeper.ledger.time().since(look.at).as_milliseconds(),
            is_after_grant: lease.is_some_and(|lease| look.anchor.index > lease.granted_at),
            says_well: look.says_well,
            was_well: look.was_well,
        }
    }

    fn call(&self, call: &Call) -> OfCall {
        let clock = self.world.healers[call.healer].clock;
        OfCall {
            healer: call.healer,
            subject: call.subject,
            fence: self.fence(call.fence),
            remedy: self.remedy(call.remedy),
            left: call.deadline.less(clock).as_milliseconds(),
            is_running: call.is_running,
        }
    }
}

fn place_of(healer: HostId) -> usize {
    usize::from(healer != id(HEALERS[0]))
}

impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        self.likeness() == other.likeness()
    }
}

impl Eq for World {}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.likeness().hash(state);
    }
}
