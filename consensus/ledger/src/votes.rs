//! Which hosts carry the ledger's votes: those of the founding, until a person or the loss of one of them changes that (protocol 1.10).
//!
//! Law KV1: the voters are 1, 3, 5 or 7 different hosts of the roster. Until the stores have followed a change, those before it carry the
//! ledger too: they may lead, are not retired, and neither set's majority is taken.
//! Law KV2: by itself a vote moves only from a host that has been lost for [`LOST_FOR`], or whose store has not come to vote for as long, to
//! one that is fit for it, one vote at a time; not while a brake is on, nor while a lease on that host counts or a window of maintenance covers it.
//! Law KV3: a person's order takes no more votes than leave the others a majority that is in no trouble.
//! Not here: the stores that vote for these hosts (see `replication::replacing`), who proposes that a vote moves (see `agent`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{Boot, HostId, LedgerTime, Span, VerdictKind};

use crate::audit::What;
use crate::command::{Order, Outcome, Refused};
use crate::founding::Founding;
use crate::ledger::Ledger;
use crate::rules;

/// So long a voter is lost before its vote moves: a reboot and most remedies are over by then.
pub const LOST_FOR: Span = Span::minutes(10);

/// So long after a vote has moved by itself no other does: the stores follow within seconds.
const SETTLES_FOR: Span = Span::minutes(1);

/// Hosts that are passed over at once; beyond it whichever has the lowest id is tried again.
const PASSED_MAX: usize = 16;

/// Who moved a vote, where no person has.
const BY_ITSELF: &str = "the ledger";

/// Hosts that voted since the stores followed last: two whole sets. Beyond it no further change is taken but one back to them.
const BEFORE_MAX: usize = 14;

/// Who carries a vote, once that is not the founding's word any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Votes {
    /// None: those of the founding.
    voters: Vec<HostId>,
    /// Who had one since the stores followed last; at most [`BEFORE_MAX`] and one set of voters more.
    before: Vec<HostId>,
    /// How many votes there were when there were fewest since then; none once the stores have followed.
    fewest: Option<u32>,
    /// When a vote moved by itself last.
    moved: Option<LedgerTime>,
    /// Voters whose stores have not been seen to vote, and since when they are to.
    asked: BTreeMap<HostId, LedgerTime>,
    /// Hosts whose stores did not come to vote in time, in which life; at most [`PASSED_MAX`].
    passed: BTreeMap<HostId, Option<Boot>>,
}

/// A vote that moves by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Whose vote it was.
    pub from: HostId,
    /// The fit host that gets it.
    pub to: HostId,
    /// Not before this.
    pub at: LedgerTime,
}

impl Ledger {
    /// The voters of the ledger's Raft; empty before the founding.
    pub fn voters(&self) -> &[HostId] {
        let moved = &self.state.added.votes.voters;
        match &self.state.founding {
            Some(founding) if moved.is_empty() => &founding.voters,
            _ => moved,
        }
    }

    /// Whether it had a vote that was taken from it, and the stores have not followed yet: until then it votes, and may lead.
    pub fn had_a_vote(&self, host: &HostId) -> bool {
        self.state.added.votes.before.contains(host) && !self.voters().contains(host)
    }

    /// Whether it may lead, as far as the ledger knows.
    pub fn may_lead(&self, host: &HostId) -> bool {
        self.voters().contains(host) || self.had_a_vote(host)
    }

    /// Whether the stores that vote are those of the voters.
    pub fn have_votes_followed(&self) -> bool {
        self.state.added.votes.before.is_empty()
    }

    /// Whether this host is to vote and has not been seen to, since the last change.
    pub fn is_yet_to_vote(&self, host: &HostId) -> bool {
        let before = &self.state.added.votes.before;
        !before.is_empty() && self.voters().contains(host) && !before.contains(host)
    }

    /// Since when this voter's store is to vote and has not been seen to.
    pub fn to_vote_since(&self, voter: &HostId) -> Option<LedgerTime> {
        self.state.added.votes.asked.get(voter).copied()
    }

    /// The hosts of which a majority must be there: the voters, and until the stores have followed whoever had a vote since they did last.
    pub(crate) fn carriers(&self) -> impl Iterator<Item = &HostId> {
        let before = self.state.added.votes.before.iter();
        self.voters().iter().chain(before.filter(|host| !self.voters().contains(host)))
    }

    /// One more would take a majority, where so many of the carriers are lost: that of the smallest set that may vote now.
    pub(crate) fn beyond_majority(&self, used: usize) -> Option<Refused> {
        let now = u32::try_from(self.voters().len()).unwrap_or(u32::MAX);
        let fewest = self.state.added.votes.fewest.map_or(now, |fewest| fewest.min(now));
        let (used, limit) = (u32::try_from(used).unwrap_or(u32::MAX), fewest.saturating_sub(1) / 2);
        (used >= limit).then_some(Refused::Keepers { used, limit })
    }

    /// Why this host is given no vote, in words that follow its name; `None`: it is fit for one.
    pub fn unfit_for_a_vote(&self, host: &HostId) -> Option<String> {
        let why = match self.state.roster.get(host) {
            None => "does not belong to the mesh",
            Some(entry) if !entry.claims.roles.keeper => "has a certificate that names no keeper",
            Some(entry) if entry.store.is_none() => "has told of no store yet",
            Some(_) if self.state.departures.get(host).is_some() => "said goodbye",
            Some(_) if self.slot_of_host(host).is_some() => "holds a reboot slot",
            Some(_) if self.is_in_the_dark(host) => "stands in a dark rack or zone",
            Some(entry) if self.state.added.votes.passed.get(host) == Some(&entry.boot) => {
                "was given a vote, and its store did not follow; it is tried again in its agent's next life"
            }
            Some(_) => {
                let case = self.case_of_host(host)?;
                return Some(format!("has an open case, {}", case.id));
            }
        };
        Some(why.to_owned())
    }

    /// The hosts that are no voters and whose certificate says keeper, in order.
    pub fn spare_keepers(&self) -> impl Iterator<Item = HostId> {
        let keepers = self.state.roster.present().filter(|(_, entry)| entry.claims.roles.keeper);
        keepers.map(|(host, _)| *host).filter(|host| !self.voters().contains(host))
    }

    /// Since when a voter has been lost: a verdict says that it is dead, or it said goodbye and is not back.
    pub fn voter_lost_since(&self, voter: &HostId) -> Option<LedgerTime> {
        let case = self.case_of_host(voter).filter(|case| {
            let is_dead = matches!(
                case.kind,
                VerdictKind::AgentDown | VerdictKind::HostDown | VerdictKind::HostHung
            );
            is_dead || case.kind == VerdictKind::Left
        });
        case.map(|case| case.stands_since)
    }

    /// The vote that moves by itself next, if none is held up (law KV2).
    pub fn next_move(&self) -> Option<Move> {
        let (from, at) = self.next_lost()?;
        let to = self.successor(&from)?;
        Some(Move { from, to, at })
    }

    /// The voter whose vote moves by itself next, if there is a fit host for it, and when.
    pub fn next_lost(&self) -> Option<(HostId, LedgerTime)> {
        let is_full = self.carriers().count() > BEFORE_MAX;
        if self.rules() < rules::SECOND || self.state.brakes.standing().is_some() || is_full {
            return None;
        }
        let is_let_be = |voter: &&HostId| {
            let case = self.case_of_host(voter);
            self.maintenance_of(voter).is_some()
                || case.is_some_and(|case| case.counted_lease().is_some())
        };
        let lost = self.voters().iter().filter(|voter| !is_let_be(voter));
        // Whoever is dead goes before whoever does not follow.
        let since = |voter: &HostId| {
            let lost = self.voter_lost_since(voter).map(|since| (false, since));
            lost.or_else(|| Some((true, self.to_vote_since(voter)?)))
        };
        let lost = lost.filter_map(|voter| Some((since(voter)?, *voter)));
        let ((_, since), from) = lost.min()?;
        let settled = self.state.added.votes.moved.map(|moved| moved.after(SETTLES_FOR));
        Some((from, since.after(LOST_FOR).max(settled.unwrap_or_default())))
    }

    /// Whether ledger time must go on for a vote to move: it may have to be said more than once.
    pub(crate) fn awaits_a_move(&self) -> bool {
        let next = self.next_lost();
        next.is_some_and(|(_, at)| self.state.time < at.after(SETTLES_FOR))
    }

    /// The leader finds that a voter is lost: who gets its vote every keeper finds out by itself.
    pub(crate) fn replace_voter(&mut self, lost: HostId) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        let now = self.state.time;
        let due = self.next_move().filter(|due| due.from == lost).ok_or(Refused::Nothing)?;
        if due.at > now {
            let what = "for the vote of a lost keeper to move".into();
            return Err(Refused::TooSoon { what, left: due.at.since(now) });
        }
        let put = |voter: &HostId| if *voter == lost { due.to } else { *voter };
        let voters = self.voters().iter().map(put).collect();
        let is_lost = self.voter_lost_since(&lost).is_some();
        self.set_voters(voters, Some(now));
        if is_lost {
            self.record(What::VoteMoved { from: lost, to: due.to });
            return Ok(Outcome::Done);
        }
        self.pass_over(lost);
        let why = format!("its store has not come to vote for {LOST_FOR}");
        let (added, removed) = (vec![due.to], vec![lost]);
        self.record(What::VotesMoved { added, removed, who: BY_ITSELF.into(), why });
        Ok(Outcome::Done)
    }

    fn pass_over(&mut self, host: HostId) {
        let boot = self.state.roster.get(&host).and_then(|entry| entry.boot);
        let votes = Arc::make_mut(&mut self.state.added.votes);
        votes.passed.insert(host, boot);
        while votes.passed.len() > PASSED_MAX {
            votes.passed.pop_first();
        }
    }

    /// The leader sees that the stores which vote are those of the voters.
    pub(crate) fn votes_followed(&mut self, voting: &[HostId]) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        if !self.are_to_be_told(voting) {
            return Err(Refused::Nothing);
        }
        let are_all = self.are_all_voting(voting);
        let votes = Arc::make_mut(&mut self.state.added.votes);
        votes.asked.retain(|host, _| !voting.contains(host));
        if are_all {
            votes.before.clear();
            votes.fewest = None;
        }
        Ok(Outcome::Done)
    }

    /// Whether it is news to the ledger that the stores of these hosts vote, and no others.
    pub fn are_to_be_told(&self, voting: &[HostId]) -> bool {
        let is_one_more = self.state.added.votes.asked.keys().any(|host| voting.contains(host));
        !self.have_votes_followed() && (is_one_more || self.are_all_voting(voting))
    }

    fn are_all_voting(&self, voting: &[HostId]) -> bool {
        let (voting, wanted): (BTreeSet<_>, BTreeSet<_>) =
            (voting.iter().collect(), self.voters().iter().collect());
        voting == wanted
    }

    /// A person gives votes and takes them (`hale keeper add`, `hale keeper remove`).
    pub(crate) fn move_votes(
        &mut self,
        by: HostId,
        (add, remove): (&[HostId], &[HostId]),
        order: &Order,
    ) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        self.ordered(by, order)?;
        let voters = self.voters_with(by, (add, remove))?;
        let moved = self.state.added.votes.moved;
        self.set_voters(voters, moved);
        let Order { who, why } = order.clone();
        let (added, removed) = (add.to_vec(), remove.to_vec());
        self.record(What::VotesMoved { added, removed, who, why });
        Ok(Outcome::Done)
    }

    fn voters_with(
        &self,
        by: HostId,
        (add, remove): (&[HostId], &[HostId]),
    ) -> Result<Vec<HostId>, Refused> {
        let named: BTreeSet<&HostId> = add.iter().chain(remove).collect();
        if named.is_empty() || named.len() < add.len().saturating_add(remove.len()) {
            return Err(Refused::Malformed("each host is named once, and one at least".into()));
        }
        for host in add {
            self.member(*host)?;
            let name = self.host_name(host);
            if self.voters().contains(host) {
                return Err(Refused::Malformed(format!("{name} has a vote already")));
            }
            if let Some(why) = self.unfit_for_a_vote(host) {
                return Err(Refused::NotPermitted(format!("{name} {why}")));
            }
        }
        if let Some(host) = remove.iter().find(|host| !self.voters().contains(host)) {
            return Err(Refused::Malformed(format!("{} has no vote", self.host_name(host))));
        }
        let stays = self.voters().iter().filter(|voter| !remove.contains(voter));
        let voters: Vec<HostId> = stays.chain(add).copied().collect();
        // Law KV1.
        if !Founding::VOTERS.contains(&voters.len()) {
            return Err(Refused::Malformed(format!(
                "{} voters would be left: 1, 3, 5 or 7 are expected, since one more than those outlives no more losses; name two hosts \
                 at once, or the one whose vote another gets",
                voters.len()
            )));
        }
        let before = &self.state.added.votes.before;
        let known = self.carriers().count();
        if known > BEFORE_MAX && !voters.iter().all(|voter| before.contains(voter)) {
            return Err(Refused::Bound(format!(
                "hosts that voted since the stores have followed last: {known} of {BEFORE_MAX}; `hale keeper list` shows them"
            )));
        }
        // Law KV3.
        let is_lost = |voter: &&HostId| {
            let is_away = self.state.departures.get(voter).is_some();
            // Whoever brings the order lives, whatever was found before.
            **voter != by && (is_away || self.is_in_trouble(voter) || self.is_in_the_dark(voter))
        };
        let lost = voters.iter().filter(is_lost).count();
        let limit = voters.len().saturating_sub(1) / 2;
        if lost > limit {
            return Err(Refused::Keepers {
                used: u32::try_from(lost).unwrap_or(u32::MAX),
                limit: u32::try_from(limit).unwrap_or(u32::MAX),
            });
        }
        Ok(voters)
    }

    /// The fittest host for the vote of another, in no window of maintenance: rather one that nobody doubted lately, in a zone that then has
    /// the fewest other voters, rather in the other's own, then in such a rack, and of several the first.
    fn successor(&self, lost: &HostId) -> Option<HostId> {
        let place = |host: &HostId| Some(&self.state.roster.get(host)?.claims.domain);
        let own = place(lost)?;
        let left: Vec<_> =
            self.voters().iter().filter(|voter| *voter != lost).filter_map(place).collect();
        let is_fit = |host: &HostId| {
            self.unfit_for_a_vote(host).is_none() && self.maintenance_of(host).is_none()
        };
        let fit = self.spare_keepers().filter(is_fit);
        fit.filter_map(|host| {
            let domain = place(&host)?;
            let in_zone = left.iter().filter(|other| other.zone() == domain.zone()).count();
            let in_rack = left.iter().filter(|other| **other == domain).count();
            let is_doubted = self.is_lately_doubted(&host);
            Some((is_doubted, in_zone, own.zone() != domain.zone(), in_rack, host))
        })
        .min()
        .map(|(.., host)| host)
    }

    fn set_voters(&mut self, voters: Vec<HostId>, moved: Option<LedgerTime>) {
        let different: BTreeSet<&HostId> = voters.iter().collect();
        let is_whole = different.len() == voters.len()
            && Founding::VOTERS.contains(&voters.len())
            && voters.iter().all(|voter| self.state.roster.get(voter).is_some());
        assert!(is_whole, "law KV1: the voters are 1, 3, 5 or 7 different hosts of the roster");
        let before: Vec<HostId> = self.carriers().copied().collect();
        let count = |voters: &[HostId]| u32::try_from(voters.len()).unwrap_or(u32::MAX);
        let known = self.state.added.votes.fewest.unwrap_or(u32::MAX);
        let fewest = Some(known.min(count(self.voters())).min(count(&voters)));
        let is_new =
            |voter: &&HostId| !before.contains(voter) || self.to_vote_since(voter).is_some();
        let since = |voter: &HostId| self.to_vote_since(voter).unwrap_or(self.state.time);
        let asked = voters.iter().filter(is_new).map(|voter| (*voter, since(voter))).collect();
        let passed = self.state.added.votes.passed.clone();
        let votes = Votes { voters, before, fewest, moved, asked, passed };
        *Arc::make_mut(&mut self.state.added.votes) = votes;
    }

    fn host_name(&self, host: &HostId) -> String {
        let entry = self.state.roster.get_even_retired(host);
        entry.map_or_else(|| host.to_string(), |entry| entry.claims.host.to_string())
    }
}
