//! The stores that vote, and how they come to be those of the hosts to which the ledger gives votes (protocol 1.10).
//!
//! Law M4: the leader changes them while it hears a majority, and only so that each store which is new to a vote is filled and most of those
//! that vote afterwards are heard; in the place of each that is not filled one stays that is to leave.
//! Not here: whose host is to vote (the ledger says), a joint change and its terms (see `replication`).

use std::collections::BTreeSet;

use ledger::command::Command;
use vocabulary::{HostId, Span};

use crate::fleet::Fleet;
use crate::host::Place;
use crate::keepers::{Ask, ORDER_WITHIN};

/// As often the leader looks whether a change is due, as the daemon's does.
const LOOK_EVERY: Span = Span::seconds(1);

/// So far behind a store counts as filled, as the daemon's does.
const LAG_MAX: u64 = 64;

impl Fleet {
    /// Law M4, at each beat.
    pub(crate) fn move_stores(&mut self) {
        let is_early = self.now < self.keepers.votes_looked.after(LOOK_EVERY);
        let leader = self.keepers.leader.filter(|leader| self.has_majority(*leader));
        let Some(leader) = leader.filter(|_| !is_early) else {
            return;
        };
        self.keepers.votes_looked = self.now;
        let wanted: Vec<Place> =
            self.keepers.ledger.voters().iter().filter_map(|host| self.first_of(host)).collect();
        let next = self.next_voters(leader, &wanted);
        let (set, own): (BTreeSet<Place>, BTreeSet<Place>) =
            (next.iter().copied().collect(), self.keepers.voters.iter().copied().collect());
        if set != own && self.hear_most(leader, &next) {
            self.note(format!("the stores of {} vote", self.named(&next)));
            self.keepers.voters = next;
            if !set.contains(&leader) {
                self.keepers.lose_leader();
            }
        } else {
            self.tell_who_votes(leader);
        }
    }

    fn next_voters(&self, leader: Place, wanted: &[Place]) -> Vec<Place> {
        let voters = &self.keepers.voters;
        let may_vote = |place: &Place| {
            voters.contains(place)
                || (self.is_filled(*place, LAG_MAX) && self.is_open(leader, *place))
        };
        let (mut next, unfilled): (Vec<Place>, Vec<Place>) =
            wanted.iter().partition(|p| may_vote(p));
        let mut leaving: Vec<Place> =
            voters.iter().copied().filter(|place| !wanted.contains(place)).collect();
        leaving.sort_by_key(|place| !self.is_heard_by(leader, *place));
        next.extend(leaving.into_iter().take(unfilled.len()));
        if next.len().is_multiple_of(2) { voters.clone() } else { next }
    }

    fn hear_most(&self, leader: Place, voters: &[Place]) -> bool {
        voters.iter().filter(|place| self.is_heard_by(leader, **place)).count() * 2 > voters.len()
    }

    fn is_heard_by(&self, leader: Place, place: Place) -> bool {
        self.keepers.service.has_vote(place)
            && self.hosts[place].is_running()
            && self.is_open(leader, place)
    }

    fn tell_who_votes(&mut self, leader: Place) {
        let voting = self.voting();
        if !self.keepers.ledger.are_to_be_told(&voting) {
            return;
        }
        let command = Command::VotesFollowed { voting };
        self.take_in(Ask {
            by: leader,
            command: wire::encode(&command),
            asker: None,
            until: self.now.after(ORDER_WITHIN),
        });
    }

    /// A copy bears the name of the first, and votes for nobody.
    fn first_of(&self, host: &HostId) -> Option<Place> {
        self.hosts.iter().position(|own| own.id == *host)
    }

    /// The hosts whose stores vote.
    pub fn voting(&self) -> Vec<HostId> {
        self.keepers.voters.iter().map(|place| self.hosts[*place].id).collect()
    }
}
