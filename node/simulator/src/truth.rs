//! How every host really is, for those who judge a fleet from outside, and a way to look at it after every event.
//!
//! Law U1: to watch and to ask changes nothing: a run is the same whoever looks.
//! Not here: what is judged by it (see `laws`, `tally`, and the swarm among the tests).

use std::ops::ControlFlow;

use vocabulary::{Boot, Claims, HostId, LedgerIndex, Span};
use wire::DoubtNote;

use crate::fleet::Fleet;
use crate::host::Place;
use crate::laws::WAIT_JUDGED;

/// Whoever looks after every event; a break ends the run.
pub type Watch<'a> = dyn FnMut(&Fleet) -> ControlFlow<()> + 'a;

/// A host that loses more than this of one direction is not reliably heard.
const LOSS_HEARD_PERMILLE: u32 = 200;

/// How one host is; a copy is one of its own.
pub struct Truth<'a> {
    /// Its id.
    pub id: HostId,
    /// Where it stands and what it may do.
    pub claims: &'a Claims,
    /// The life of its agent, if one runs or stands still.
    pub boot: Option<Boot>,
    /// Whether its agent runs, hears and is heard.
    pub is_heard: bool,
    /// Whether its agent runs and is not frozen, whatever becomes of what it says.
    pub is_awake: bool,
    /// Whether nothing passes it: off, silent, or standing still as a whole.
    pub is_dark: bool,
    /// How often its disk was lost.
    pub disks_lost: u64,
    /// Whether its agent comes late to what it does: slow, stalled, or after a leap of its clock.
    pub is_held_up: bool,
    /// Whether nothing comes in or goes out at it, while its timers run.
    pub is_stalled: bool,
    /// Whether its agent lies.
    pub is_lying: bool,
    /// Whom its agent doubts.
    pub doubts: &'a [DoubtNote],
    /// Up to where it knows the ledger.
    pub upto: LedgerIndex,
}

impl Fleet {
    /// Lets time go by until this is true, at most so long, and has somebody look after every event; whether it became true.
    pub fn run_watched(
        &mut self,
        at_most: Span,
        is_reached: &dyn Fn(&Self) -> bool,
        watch: &mut Watch<'_>,
    ) -> ControlFlow<(), bool> {
        let until = self.now.after(at_most);
        while !is_reached(self) {
            if self.queue.next_at().is_none_or(|at| at > until) {
                self.now = until;
                return ControlFlow::Continue(false);
            }
            self.step();
            watch(self)?;
        }
        ControlFlow::Continue(true)
    }

    /// How every host is, in the order of the setup; copies come last.
    pub fn truths(&self) -> impl Iterator<Item = Truth<'_>> {
        (0..self.hosts.len()).map(|place| {
            let host = &self.hosts[place];
            let life = host.life.as_ref();
            Truth {
                id: host.id,
                claims: &host.claims,
                boot: life.map(|life| life.boot),
                is_heard: self.is_heard(place),
                is_awake: host.is_awake(),
                is_dark: host.is_mute(),
                disks_lost: host.held_up.disks_lost,
                is_held_up: host.held_up.is_any(),
                is_stalled: host.held_up.is_stalled,
                is_lying: host.liar.is_some(),
                doubts: life.map_or(&[][..], |life| &life.doubts[..]),
                upto: life.map_or(LedgerIndex::default(), |life| life.upto),
            }
        })
    }

    /// Whether these two, by their places in [`Fleet::truths`], hear each other.
    pub fn hear_each_other(&self, a: usize, b: usize) -> bool {
        self.is_heard(a)
            && self.is_heard(b)
            && self.is_open(a, b)
            && self.network.loss_between(a, b) < LOSS_HEARD_PERMILLE
    }

    /// Whether nothing cuts the ways between these two, whatever their agents do; `None` where nothing is cut at all.
    pub fn is_way_open(&self, a: usize, b: usize) -> Option<bool> {
        self.network.has_cuts().then(|| self.is_open(a, b))
    }

    /// The place of whoever leads by the keepers' own count.
    pub fn leading_place(&self) -> Option<usize> {
        self.keepers.leader
    }

    fn is_heard(&self, place: Place) -> bool {
        let host = &self.hosts[place];
        host.is_running()
            && !host.is_mute()
            && self.network.loss_permille() < LOSS_HEARD_PERMILLE
            && self.network.loss_of(place) < LOSS_HEARD_PERMILLE
            && self.network.waits_of(place, self.now) < WAIT_JUDGED
    }
}
