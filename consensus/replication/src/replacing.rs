//! Brings the stores that vote to what the ledger says: the new store of a keeper's host in the place of the one that it has lost
//! (protocol 1.4), the store of a host that was given a vote in the place of one whose host has none any more (protocol 1.10). One task
//! beside the warden, at work on the leader alone.
//!
//! Law R4: one change of keepers at a time; a store votes only for a host to which the ledger gives a vote, by that host's own committed
//! word, and only once it holds what the ledger holds.
//! Law R5: nothing is begun while this keeper does not know that a majority of voters follows it; votes move only to stores of which most have
//! lately taken an entry that was new then: a joint change whose stores are dead is never ended, and never taken back.
//! Not here: how a host comes to a new store (see `daemon`), whose host carries a vote (see `ledger::votes`).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ledger::command::{Command, Proposed};
use openraft::{ChangeMembers, RaftMetrics};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use vocabulary::{HostId, StoreId};

use crate::machine::Machine;
use crate::port::Leadership;
use crate::proposer::Ask;
use crate::pulse::Pulse;
use crate::raft::{Member, Raft};
use crate::state::Shown;
use crate::watch;

pub(crate) struct Replacer<M> {
    pub(crate) raft: Raft,
    pub(crate) shown: std::sync::Arc<Shown<M>>,
    pub(crate) leadership: watch::Receiver<Leadership>,
    /// Whatever it has put into the ledger.
    pub(crate) asks: mpsc::Sender<Ask>,
    pub(crate) host: HostId,
    pub(crate) within: Duration,
    pub(crate) pulse: std::sync::Arc<Pulse>,
}

/// One change of the stores that carry the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    /// A leader before this one went in the middle of a change: it is brought to its end.
    Finish(Vec<u64>),
    /// This host's new store is to be filled; it does not vote.
    Learn(u64, HostId),
    /// A store that was to be filled, and that its host has lost as well or whose host is to have no vote any more.
    Forget(u64),
    /// The new store of a host votes from now on, its old one never again.
    Replace { old: u64, new: u64 },
    /// The ledger has moved votes: these stores vote from now on, and no others.
    Move(Vec<u64>),
}

/// The stores as Raft knows them now.
#[derive(Clone, Debug, Default)]
struct Stores {
    /// This keeper's.
    own: u64,
    /// Two sets while a change is under way.
    voters: Vec<Vec<u64>>,
    hosts: BTreeMap<u64, HostId>,
    /// Up to where each store's log is known to reach, by this leader.
    reached: BTreeMap<u64, u64>,
    last: u64,
}

/// Law R5: that most of these stores have an entry which did not exist as they were looked at first: they live.
struct Proof {
    term: u64,
    voters: Vec<u64>,
    after: u64,
}

impl Proof {
    fn is_of(&self, term: u64, voters: &[u64]) -> bool {
        self.term == term && self.voters == voters
    }
}

impl<M: Machine> Replacer<M> {
    /// Until it is stopped.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut proof: Option<Proof> = None;
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let _life = self.pulse.life();
        loop {
            self.pulse.begin();
            tokio::select! {
                biased;
                _ = stop.wait_for(|stopped| *stopped) => return,
                _ = looks.tick() => {}
            }
            // Law R5.
            let leadership = *self.leadership.borrow();
            if !leadership.am_leader {
                proof = None;
                continue;
            }
            let stores = Stores::of(&self.raft.metrics().borrow());
            let machine = self.shown.both().1;
            match stores.due(|host| machine.store_of(host), &machine.voters()) {
                Some(Change::Move(voters)) => {
                    let asked = proof.take().filter(|proof| proof.is_of(leadership.term, &voters));
                    match asked {
                        Some(asked)
                            if stores.have_reached(&voters, asked.after.saturating_add(1)) =>
                        {
                            self.carry_out(&stores, Change::Move(voters)).await;
                        }
                        Some(asked) => proof = Some(asked),
                        None => {
                            self.put(Command::Tick);
                            let (term, after) = (leadership.term, stores.last);
                            proof = Some(Proof { term, voters, after });
                        }
                    }
                }
                Some(change) => self.carry_out(&stores, change).await,
                None => {
                    if let Some(news) = machine.votes_followed(&stores.voting_hosts()) {
                        self.put(news);
                    }
                }
            }
        }
    }

    /// What does not come in is put again at the next look, if it is still due.
    fn put(&self, command: Command) {
        let asked = Ask::new(vec![Proposed { by: self.host, command }]);
        if let Ok((ask, _)) = asked
            && let Err(why) = self.asks.try_send(ask)
        {
            tracing::debug!(%why, "a word about the votes is not put into the ledger now");
        }
    }

    async fn carry_out(&self, stores: &Stores, change: Change) {
        tracing::info!(?change, "the keepers' stores change");
        let members = match change.clone() {
            Change::Learn(store, host) => {
                ChangeMembers::AddNodes([(store, Member { host })].into())
            }
            Change::Forget(store) => ChangeMembers::RemoveNodes([store].into()),
            Change::Finish(voters) | Change::Move(voters) => {
                ChangeMembers::ReplaceAllVoters(voters.into_iter().collect())
            }
            Change::Replace { old, new } => ChangeMembers::ReplaceAllVoters(
                stores.voting().filter(|store| *store != old).chain([new]).collect(),
            ),
        };
        // What does not end in time ends by itself or with the next leader; the next look sees what has become of it.
        match timeout(self.within, self.raft.change_membership(members, false)).await {
            Ok(Ok(_)) => tell(&change),
            Ok(Err(why)) => tracing::warn!(?change, %why, "the keepers' stores stay as they are"),
            Err(_) => {
                tracing::warn!(?change, "the change of the keepers' stores has not ended yet")
            }
        }
    }
}

/// What an operator wants to find in the log.
fn tell(change: &Change) {
    match change {
        Change::Replace { old, new } => tracing::warn!(
            old,
            new,
            "a keeper's new store votes from now on, its old one never again"
        ),
        Change::Move(stores) => tracing::warn!(?stores, "these stores vote from now on"),
        Change::Finish(_) | Change::Learn(..) | Change::Forget(_) => {}
    }
}

impl Stores {
    fn of(known: &RaftMetrics<u64, Member>) -> Self {
        let membership = known.membership_config.membership();
        let reached = known.replication.iter().flatten();
        Self {
            own: known.id,
            voters: membership
                .get_joint_config()
                .iter()
                .map(|voters| voters.iter().copied().collect())
                .collect(),
            hosts: membership.nodes().map(|(store, member)| (*store, member.host)).collect(),
            reached: reached
                .filter_map(|(store, upto)| Some((*store, upto.as_ref()?.index)))
                .collect(),
            last: known.last_log_index.unwrap_or_default(),
        }
    }

    /// The next change, if any (law R4); `claimed` is the store that a host has committed for its present life, `wanted` the hosts that
    /// are to vote, if the ledger says so.
    fn due(
        &self,
        claimed: impl Fn(&HostId) -> Option<StoreId>,
        wanted: &[HostId],
    ) -> Option<Change> {
        if let [_, .., last] = &self.voters[..] {
            return Some(Change::Finish(last.clone()));
        }
        let may_vote = |host: &HostId| wanted.is_empty() || wanted.contains(host);
        self.given_up(&claimed, may_vote).or_else(|| {
            let voters = self.voting().filter_map(|old| Some((old, *self.hosts.get(&old)?)));
            voters
                .filter(|(_, host)| may_vote(host))
                .filter_map(|(old, host)| self.succession(old, host, claimed(&host)?.0))
                .next()
                .or_else(|| self.moved(&claimed, wanted))
        })
    }

    fn succession(&self, old: u64, host: HostId, new: u64) -> Option<Change> {
        if new == old {
            return None;
        }
        match self.hosts.get(&new) {
            None => Some(Change::Learn(new, host)),
            Some(owner) if *owner == host => (self.is_filled(new)
                && !self.voting().any(|voter| voter == new))
            .then_some(Change::Replace { old, new }),
            // Another host's store is no host's to claim.
            Some(_) => None,
        }
    }

    /// The votes go where the ledger wants them, in one change, as far as the stores that are new to them are filled: in the place of each
    /// that is not, one that is to leave stays.
    fn moved(
        &self,
        claimed: impl Fn(&HostId) -> Option<StoreId>,
        wanted: &[HostId],
    ) -> Option<Change> {
        let votes_for =
            |host: &HostId| self.voting().find(|store| self.hosts.get(store) == Some(host));
        let (mut stores, mut unfilled) = (Vec::new(), 0);
        for host in wanted {
            let store = votes_for(host).or_else(|| Some(claimed(host)?.0));
            match store.map(|store| (store, self.hosts.get(&store))) {
                Some((store, None)) => return Some(Change::Learn(store, *host)),
                Some((store, Some(owner))) if owner == host && self.may_join(store) => {
                    stores.push(store);
                }
                // It is not filled, has not said which store it has, or claims another host's.
                _ => unfilled += 1,
            }
        }
        let is_leaving =
            |store: &u64| self.hosts.get(store).is_none_or(|host| !wanted.contains(host));
        let mut leaving: Vec<u64> = self.voting().filter(is_leaving).collect();
        leaving.sort_by_key(|store| Reverse(self.reached.get(store).copied().unwrap_or_default()));
        stores.extend(leaving.into_iter().take(unfilled));
        let (voting, next): (BTreeSet<u64>, BTreeSet<u64>) =
            (self.voting().collect(), stores.iter().copied().collect());
        let is_odd = !stores.len().is_multiple_of(2);
        (voting != next && is_odd && self.have_reached(&stores, self.last.saturating_sub(LAG_MAX)))
            .then_some(Change::Move(stores))
    }

    fn may_join(&self, store: u64) -> bool {
        self.voting().any(|voter| voter == store) || self.is_filled(store)
    }

    /// Whether most of these stores, and each that is new to a vote, are known to have this entry.
    fn have_reached(&self, stores: &[u64], index: u64) -> bool {
        let has = |store: &&u64| {
            let reached = self.reached.get(store);
            **store == self.own || reached.is_some_and(|upto| *upto >= index)
        };
        let is_new = |store: &&u64| !self.voting().any(|voter| voter == **store);
        stores.iter().filter(is_new).all(|store| has(&store))
            && stores.iter().filter(has).count() * 2 > stores.len()
    }

    fn voting_hosts(&self) -> Vec<HostId> {
        self.voting().filter_map(|store| self.hosts.get(&store).copied()).collect()
    }

    fn is_filled(&self, store: u64) -> bool {
        self.reached.get(&store).is_some_and(|upto| upto + LAG_MAX >= self.last)
    }

    fn given_up(
        &self,
        claimed: impl Fn(&HostId) -> Option<StoreId>,
        may_vote: impl Fn(&HostId) -> bool,
    ) -> Option<Change> {
        let is_voter = |store: &u64| self.voting().any(|voter| voter == *store);
        let learners = self.hosts.iter().filter(|(store, _)| !is_voter(store));
        let mut lost = learners.filter(|(store, host)| {
            !may_vote(host) || claimed(host).is_some_and(|claimed| claimed.0 != **store)
        });
        lost.next().map(|(store, _)| Change::Forget(*store))
    }

    fn voting(&self) -> impl Iterator<Item = u64> {
        self.voters.last().into_iter().flatten().copied()
    }
}

/// A lost store is no hurry: the ledger goes on without it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// So many entries may be under way to a store that counts as filled: what a busy leader writes within one answer.
const LAG_MAX: u64 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn host(number: u8) -> HostId {
        HostId([number; 16])
    }

    /// Hosts 1 to 3 with the stores 1 to 3, which vote.
    fn three() -> Stores {
        Stores {
            own: 1,
            voters: vec![vec![1, 2, 3]],
            hosts: [(1, host(1)), (2, host(2)), (3, host(3))].into(),
            reached: [(1, 90), (2, 90)].into(),
            last: 90,
        }
    }

    fn with(more: &[(u64, u8, u64)]) -> Stores {
        let mut stores = three();
        for (store, owner, reached) in more {
            stores.hosts.insert(*store, host(*owner));
            stores.reached.insert(*store, *reached);
        }
        stores
    }

    /// Each host claims the store of its number, but for these.
    fn but(claims: &'static [(u8, Option<u64>)]) -> impl Fn(&HostId) -> Option<StoreId> {
        |host: &HostId| {
            let other = claims.iter().find(|(number, _)| *number == host.0[0]);
            other.map_or(Some(u64::from(host.0[0])), |(_, store)| *store).map(StoreId)
        }
    }

    #[test]
    fn nothing_is_due_while_every_host_has_the_store_that_votes_for_it_or_none() {
        assert_eq!(three().due(but(&[]), &[]), None);
        assert_eq!(three().due(but(&[(3, None)]), &[]), None, "it has not spoken in this life");
        assert_eq!(
            with(&[(9, 9, 90)]).due(but(&[(9, Some(9))]), &[]),
            None,
            "a learner that nobody replaces"
        );
    }

    #[test]
    fn a_new_store_is_filled_first_and_then_replaces_the_old_one_of_its_own_host() {
        let lost = but(&[(3, Some(50))]);
        assert_eq!(three().due(&lost, &[]), Some(Change::Learn(50, host(3))));
        assert_eq!(with(&[(50, 3, 73)]).due(&lost, &[]), None, "17 entries behind");
        let replaced = Change::Replace { old: 3, new: 50 };
        assert_eq!(with(&[(50, 3, 74)]).due(&lost, &[]), Some(replaced));
        let mut unheard = with(&[(50, 3, 0)]);
        unheard.reached.remove(&50);
        assert_eq!(unheard.due(&lost, &[]), None, "nothing is known of it");
    }

    #[test]
    fn one_change_at_a_time_and_one_that_was_begun_is_ended_first() {
        let both = but(&[(2, Some(60)), (3, Some(50))]);
        assert_eq!(three().due(&both, &[]), Some(Change::Learn(60, host(2))));
        let mut joint = with(&[(50, 3, 90)]);
        joint.voters.push(vec![1, 2, 50]);
        assert_eq!(joint.due(&both, &[]), Some(Change::Finish(vec![1, 2, 50])));
    }

    #[test]
    fn a_store_that_was_lost_before_it_was_filled_is_forgotten() {
        let again = but(&[(3, Some(51))]);
        assert_eq!(with(&[(50, 3, 40)]).due(&again, &[]), Some(Change::Forget(50)));
        assert_eq!(three().due(&again, &[]), Some(Change::Learn(51, host(3))));
    }

    #[test]
    fn no_host_claims_the_store_of_another() {
        assert_eq!(three().due(but(&[(3, Some(1))]), &[]), None, "a voter's");
        assert_eq!(
            with(&[(50, 2, 90)]).due(but(&[(2, Some(2)), (3, Some(50))]), &[]),
            Some(Change::Forget(50))
        );
        assert_eq!(
            with(&[(50, 2, 90)]).due(but(&[(1, Some(50)), (2, Some(50))]), &[]),
            Some(Change::Replace { old: 2, new: 50 }),
            "filled, it takes the vote of its own host"
        );
    }

    /// The hosts of these numbers.
    fn hosts(numbers: &[u8]) -> Vec<HostId> {
        numbers.iter().copied().map(host).collect()
    }

    #[test]
    fn a_vote_moves_to_the_store_of_another_host_once_that_is_filled() {
        let wanted = hosts(&[1, 2, 4]);
        assert_eq!(three().due(but(&[]), &wanted), Some(Change::Learn(4, host(4))));
        assert_eq!(three().due(but(&[(4, None)]), &wanted), None, "it has told of no store");
        assert_eq!(with(&[(4, 4, 73)]).due(but(&[]), &wanted), None, "17 entries behind");
        let moved = Some(Change::Move(vec![1, 2, 4]));
        assert_eq!(with(&[(4, 4, 74)]).due(but(&[]), &wanted), moved);
        assert_eq!(with(&[(4, 5, 90)]).due(but(&[(5, Some(5))]), &wanted), Some(Change::Forget(4)));
        assert_eq!(three().due(but(&[(4, Some(3))]), &wanted), None, "no host claims another's");
        assert_eq!(three().due(but(&[]), &hosts(&[3, 2, 1])), None, "it votes already");
    }

    #[test]
    fn several_votes_move_at_once_and_none_leaves_them_to_stores_that_are_empty() {
        let five = hosts(&[1, 2, 3, 4, 5]);
        let one = with(&[(4, 4, 90)]);
        assert_eq!(one.due(but(&[]), &five), Some(Change::Learn(5, host(5))));
        let both = with(&[(4, 4, 90), (5, 5, 0)]);
        assert_eq!(both.due(but(&[]), &five), None);
        let both = with(&[(4, 4, 90), (5, 5, 90)]);
        assert_eq!(both.due(but(&[]), &five), Some(Change::Move(vec![1, 2, 3, 4, 5])));
        // Store 3 is away: it and its own host's vote alone would be left, or it and one other.
        assert_eq!(three().due(but(&[]), &hosts(&[3])), None);
        assert_eq!(three().due(but(&[]), &hosts(&[2])), Some(Change::Move(vec![2])));
    }

    #[test]
    fn a_learner_whose_host_is_to_have_no_vote_is_forgotten_and_a_lost_store_is_followed_first() {
        let three_hosts = hosts(&[1, 2, 3]);
        assert_eq!(with(&[(4, 4, 90)]).due(but(&[]), &three_hosts), Some(Change::Forget(4)));
        let lost = but(&[(2, Some(60))]);
        assert_eq!(three().due(&lost, &hosts(&[1, 2, 4])), Some(Change::Learn(60, host(2))));
        assert_eq!(
            three().due(&lost, &hosts(&[1, 3, 4])),
            Some(Change::Learn(4, host(4))),
            "whoever has no vote any more needs no new store"
        );
    }

    #[test]
    fn one_store_that_cannot_be_filled_holds_no_other_vote_up() {
        // Of the two whose votes go the one stays that is there.
        let mut five = with(&[(4, 4, 90), (5, 5, 20), (6, 6, 0), (7, 7, 90)]);
        five.voters = vec![vec![1, 2, 3, 4, 5]];
        let wanted = hosts(&[1, 2, 3, 6, 7]);
        assert_eq!(five.due(but(&[]), &wanted), Some(Change::Move(vec![1, 2, 3, 7, 4])));
        five.voters = vec![vec![1, 2, 3, 7, 4]];
        five.hosts.remove(&5);
        assert_eq!(five.due(but(&[]), &wanted), None, "it waits for the other");
        five.reached.insert(6, 90);
        assert_eq!(five.due(but(&[]), &wanted), Some(Change::Move(vec![1, 2, 3, 6, 7])));
    }

    #[test]
    fn law_r5_stores_that_are_filled_and_silent_get_no_majority() {
        let mut five = with(&[(3, 3, 90), (4, 4, 90), (5, 5, 90)]);
        five.voters = vec![vec![1, 2, 3, 4, 5]];
        assert_eq!(five.due(but(&[]), &hosts(&[3, 4, 5])), Some(Change::Move(vec![3, 4, 5])));
        // A new entry was written since, and only one of them has it.
        (five.last, five.reached) = (91, [(1, 91), (2, 91), (3, 91), (4, 90), (5, 90)].into());
        assert!(!five.have_reached(&[3, 4, 5], 91));
        five.reached.insert(4, 91);
        assert!(five.have_reached(&[3, 4, 5], 91));
        assert!(!five.have_reached(&[1, 2, 6], 91), "each that is new must have it");
    }
}
