//! How often hosts were thought badly of: called down by membership, doubted by an observer. Opinions condemn nobody; how many of them
//! are wrong is what experiments count.
//!
//! Law O1: an opinion is one member's or observer's change of mind, counted where it happens, not where it is heard of.
//! Not here: verdicts and remedies (see `tally`).

use vocabulary::HostId;

use crate::fleet::Fleet;
use crate::host::Place;

/// What was thought of one host since [`Fleet::begin_trace`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opinions {
    /// How often a member's membership called it down.
    pub called_down: u64,
    /// How often one did that was well itself, and had been so for a while.
    pub called_down_by_well: u64,
    /// How often an observer began to doubt it.
    pub doubted: u64,
    /// How often one did that was well itself, and had been so for a while.
    pub doubted_by_well: u64,
}

impl Fleet {
    /// What was thought of each host, in the order of the setup; copies are their originals.
    pub fn opinions(&self) -> &[Opinions] {
        &self.opinions
    }

    /// After an event: whom this member's membership called down in it.
    pub(crate) fn note_called_down(&mut self, place: Place) {
        let Some(life) = &self.hosts[place].life else {
            return;
        };
        if !self.trace.is_on() || life.agent.called_down().is_empty() {
            return;
        }
        let called: Vec<HostId> = life.agent.called_down().to_vec();
        let is_well = self.is_well(place);
        for subject in called.iter().filter_map(|host| self.places.get(host)) {
            self.opinions[subject].called_down += 1;
            self.opinions[subject].called_down_by_well += u64::from(is_well);
        }
    }

    pub(crate) fn note_doubted(&mut self, place: Place, subject: &HostId) {
        let is_well = self.is_well(place);
        if let Some(subject) = self.places.get(subject) {
            self.opinions[subject].doubted += 1;
            self.opinions[subject].doubted_by_well += u64::from(is_well);
        }
    }
}
