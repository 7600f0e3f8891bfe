//! What the words of one round on one check add up to: the host is unfit, or the rule that says no (protocol 3.6 `Unfit`).
//!
//! Law FT1: no `Unfit` without the subject's own signed word of that round: who cannot be reached is for `reach`.
//! Law FT2: by peers it takes the quorum of law V1: K' - f voices, more than K/2, at least two, in enough domains.
//! Law FT3: what f observers say makes no host unfit, keeps none unfit and makes none well again; one alone makes none unfit.
//! Law FT4: pure and total, as law Q0: the leader and every keeper come to the same conclusion.
//! Rooms: [`watch`] one host's own runs and its part in rounds; [`rounds`] whom the leader asks, and when.
//! Not here: how old grounds may be, what else stands against the host (see `ledger`).

mod laws;
mod reason;
pub mod rounds;
pub mod watch;
mod words;

use std::collections::BTreeSet;

use vocabulary::{CheckFrom, CheckGrounds, Grade, HostId, Label};

pub use reason::NotUnfit;
pub use words::{HeardWord, VerifiedWords};

use crate::verdict::{Court, Fleet, SeatSet, check_spread, needed, tolerated};

/// What is asked of the words of one anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Of whom.
    pub subject: HostId,
    /// Which check.
    pub check: Label,
    /// Whose words count, as the policy says.
    pub from: CheckFrom,
    /// Hosts that the ledger holds down, departed or doubled: they have no word, and the seats they hold are vacant.
    pub gone: &'a BTreeSet<HostId>,
}

/// What is concluded on one check of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitness {
    /// Whose words count.
    pub from: CheckFrom,
    /// How its observers' words add up.
    pub tally: CheckTally,
    /// What it says of itself; `None` where it said nothing of this check, or nothing that counts.
    pub own: Option<Grade>,
    /// It signed something for this anchor: it can be reached (law FT1).
    pub has_answered: bool,
    /// The verdict, or the first rule that says no.
    pub verdict: Result<UnfitVerdict, NotUnfit>,
}

/// By whose word a host is unfit; by one of them at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnfitVerdict {
    /// A quorum of its observers found the check failed.
    pub by_peers: bool,
    /// It says so itself.
    pub by_itself: bool,
}

/// The seats of one subject in one round on one check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckTally {
    /// K: the seats that there are.
    pub seats: usize,
    /// Seats whose word counts, `Unknown` among them.
    pub worded: SeatSet,
    /// `Failed`.
    pub failed: SeatSet,
    /// `Ok` or `Degraded`: it serves.
    pub well: SeatSet,
    /// The holder is gone, or cannot tell. A seat without any word is filled: it makes the quorum harder.
    pub vacant: SeatSet,
}

/// Concludes on one check of one subject from all that was signed at one anchor.
pub fn judge(court: &Court<'_>, grounds: &CheckGrounds, asked: &Asked<'_>) -> Fitness {
    VerifiedWords::verify(grounds, court).judge(court.fleet, asked)
}

impl VerifiedWords {
    /// The same from words that were checked before, for whoever asks of several subjects and checks.
    pub fn judge(&self, fleet: Fleet<'_>, asked: &Asked<'_>) -> Fitness {
        assert!(
            fleet.seating.epoch() == fleet.roster.epoch,
            "law S1: seats are those of the roster they are used with"
        );
        let Asked { subject, from, .. } = asked;
        let tally = self.tally(fleet, asked);
        let own = self.said(asked).find(|word| word.author == *subject).map(|word| word.grade);
        let has_answered = self.has_spoken(subject) && !asked.gone.contains(subject);
        let mut fitness =
            Fitness { from: *from, tally, own, has_answered, verdict: Err(NotUnfit::NoAnswer) };
        if has_answered {
            fitness.verdict = fitness.named(fleet, subject);
        }
        laws::check(fleet, self, asked, &fitness);
        fitness
    }

    fn tally(&self, fleet: Fleet<'_>, asked: &Asked<'_>) -> CheckTally {
        let mut tally = CheckTally { seats: fleet.seating.seats(), ..CheckTally::default() };
        let observers = fleet.seating.observers(&asked.subject);
        for (seat, observer) in observers.iter().enumerate() {
            if asked.gone.contains(observer) {
                tally.vacant.insert(seat);
            }
        }
        for word in self.said(asked) {
            if let Some(seat) = fleet.seating.seat(&word.author, &asked.subject) {
                tally.count(seat, word.grade);
            }
        }
        tally
    }
}

impl Fitness {
    /// The check is well again, by all whose word the policy asks for; what ends a case.
    pub fn is_well(&self) -> bool {
        let (by_peers, by_itself) = (self.tally.is_seen_well(), self.own.is_some_and(serves));
        match self.from {
            CheckFrom::Own => by_itself,
            CheckFrom::Peers => by_peers,
            CheckFrom::Both => by_peers && by_itself,
        }
    }

    fn named(&self, fleet: Fleet<'_>, subject: &HostId) -> Result<UnfitVerdict, NotUnfit> {
        let peers = self.from.asks_peers().then(|| self.tally.check_quorum(fleet, subject));
        let says = match self.own {
            Some(Grade::Failed) => Ok(()),
            other => Err(NotUnfit::OwnWord(other)),
        };
        let own = self.from.asks_the_host().then_some(says);
        let is_unfit = |found: &Option<Result<(), NotUnfit>>| matches!(found, Some(Ok(())));
        let verdict = UnfitVerdict { by_peers: is_unfit(&peers), by_itself: is_unfit(&own) };
        if verdict.by_peers || verdict.by_itself {
            return Ok(verdict);
        }
        // Its observers' reason first: it has the figures, and the host's own word is shown beside it.
        Err(peers.or(own).and_then(Result::err).unwrap_or(NotUnfit::OwnWord(self.own)))
    }
}

impl CheckTally {
    /// K': the seats that are filled.
    pub fn filled(&self) -> usize {
        self.seats - self.vacant.count()
    }

    /// f: how many of the filled seats may lie. That of `verdict` counts discounted seats too, whose `Ok` counts; here whoever
    /// cannot tell says nothing else.
    pub fn tolerated(&self) -> usize {
        tolerated(self.filled())
    }

    /// How many words a verdict by peers needs.
    pub fn needed(&self) -> usize {
        needed(self.seats, self.filled())
    }

    /// The seats that are not vacant.
    pub fn filled_seats(&self) -> SeatSet {
        SeatSet::from_iter(0..self.seats).without(self.vacant)
    }

    /// K' - f words find it serving, and more than the f of all seats: where nearly all cannot tell, one liar would be
    /// K' (law FT3).
    pub fn is_seen_well(&self) -> bool {
        let well = self.well.count();
        well >= self.filled() - self.tolerated() && well > tolerated(self.seats)
    }

    /// protocol 3.4, law FT2.
    fn check_quorum(&self, fleet: Fleet<'_>, subject: &HostId) -> Result<(), NotUnfit> {
        let (have, tolerated) = (self.well.count(), self.tolerated());
        if have > tolerated {
            return Err(NotUnfit::Contrary { have, tolerated });
        }
        let (have, need) = (self.failed.count(), self.needed());
        if have < need {
            return Err(NotUnfit::TooFewVoices { have, need, vacant: self.vacant.count() });
        }
        let observers = fleet.seating.observers(subject);
        check_spread(fleet.roster, observers, self.filled_seats(), self.failed)
            .map_err(|_| NotUnfit::OneDomainOnly)
    }

    fn count(&mut self, seat: usize, grade: Grade) {
        self.worded.insert(seat);
        match grade {
            Grade::Failed => self.failed.insert(seat),
            Grade::Ok | Grade::Degraded => self.well.insert(seat),
            Grade::Unknown => self.vacant.insert(seat),
        }
    }
}

/// Worse than it should be is not unfit.
fn serves(grade: Grade) -> bool {
    matches!(grade, Grade::Ok | Grade::Degraded)
}
