//! What came of a run, counted from the run itself by somebody who knows the truth: who was in trouble, what was judged of
//! whom and how soon, what was begun, and when all was well again.
//!
//! Law T1: a verdict is true if every host that it is about was in trouble when it was committed, or had said goodbye, or was
//! so within [`AFTERMATH`] before; any other verdict is false.
//! Law T2: to count changes nothing: a run is the same with and without its tally.
//! Not here: what may never be (see `laws`), words and screens (see `daemon`).

use std::collections::BTreeMap;

use ledger::Ledger;
use ledger::audit::What;
use vocabulary::{HostId, Moment, Scope, Span, VerdictKind};

use crate::fleet::Fleet;
use crate::host::Place;
use crate::laws::AFTERMATH;

/// As many verdicts are listed one by one as a ledger holds open cases; beyond, they are counted.
const LISTED_MAX: usize = 10_000;

/// A host whose own link loses so much of one direction is cut off from most others, if by chance.
const UNHEARD_PERMILLE: u32 = 500;

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// How many hosts there are.
    pub hosts: usize,
    /// For how long it was counted.
    pub ran: Span,
    /// How often a host came into trouble: its agent dead or frozen, the machine off or silent, cut off from most others.
    pub troubles: u64,
    /// In how many of them a true verdict was reached.
    pub troubles_found: u64,
    /// From the beginning of a trouble to its first true verdict; none where nothing was found.
    pub time_to_verdict: Option<Times>,
    /// Verdicts of death, and of domains, about hosts in trouble.
    pub verdicts_true: u64,
    /// The same about others.
    pub verdicts_false: u64,
    /// Of the true ones, how many say of one host that it is dead or hung while its agent runs: it is cut off, or nearly.
    pub verdicts_of_living: u64,
    /// Each of them, the first 10,000.
    pub verdicts: Vec<Judged>,
    /// What else was concluded and condemns nobody: surges, unsettled doubts, goodbyes, duplicates.
    pub notices: BTreeMap<VerdictKind, u64>,
    /// How many cases were given to a person.
    pub escalated: u64,
    /// How many remedies were begun.
    pub remedies_begun: u64,
    /// How many of them on hosts that were well.
    pub remedies_on_well: u64,
    /// The most leases that counted at once in each scope that had any.
    pub in_flight: Vec<InFlight>,
    /// How long the fleet was not whole.
    pub whole: Whole,
}

/// The middle and the longest of several spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Half of them were no longer.
    pub p50: Span,
    /// None was longer.
    pub max: Span,
}

/// One verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Since the trace began.
    pub at: Span,
    /// What was concluded.
    pub kind: VerdictKind,
    /// Of whom.
    pub subject: Scope,
    /// The names of the hosts that it is about.
    pub hosts: Vec<String>,
    /// Law T1.
    pub is_true: bool,
}

/// The most leases that counted at once in one scope, and how many might.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// Which.
    pub scope: Scope,
    /// So many.
    pub most: u32,
    /// Of so many, at that moment.
    pub limit: u32,
}

/// Whether every host is well and no case is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// It was so all the time.
    Always,
    /// It was so for good after this, counted from the first trouble.
    After(Span),
    /// It was not so at the end.
    NotYet,
}

/// What is counted while a fleet runs; nothing until it is begun.
#[derive(Debug, Default)]
pub(crate) struct Tallying {
    begun: Option<Moment>,
    /// By place; copies have none.
    truths: Vec<Truth>,
    times: Vec<Span>,
    verdicts: Vec<Judged>,
    counted: Counted,
    in_flight: BTreeMap<Scope, (u32, u32)>,
    broken_at: Option<Moment>,
    whole_at: Option<Moment>,
}

/// The plain sums.
#[derive(Debug, Default)]
struct Counted {
    troubles: u64,
    verdicts_true: u64,
    verdicts_false: u64,
    verdicts_of_living: u64,
    notices: BTreeMap<VerdictKind, u64>,
    escalated: u64,
    remedies_begun: u64,
    remedies_on_well: u64,
}

/// How one host really is.
#[derive(Clone, Debug, Default)]
struct Truth {
    /// When its last trouble began, and whether a true verdict was reached in it.
    began: Option<(Moment, bool)>,
    /// Whether that lasts.
    is_in_trouble: bool,
    /// Whether it said goodbye and has not come back.
    is_away: bool,
    /// When it was last in trouble or away, if that is over.
    unwell_at: Option<Moment>,
}

impl Fleet {
    /// What has come of it since [`Fleet::begin_trace`].
    pub fn tally(&self) -> Tally {
        let own = &self.tally;
        let begun = own.begun.unwrap_or(self.now);
        Tally {
            hosts: own.truths.len(),
            ran: self.now.since(begun),
            troubles: own.counted.troubles,
            troubles_found: own.times.len() as u64,
            time_to_verdict: Times::of(&own.times),
            verdicts_true: own.counted.verdicts_true,
            verdicts_false: own.counted.verdicts_false,
            verdicts_of_living: own.counted.verdicts_of_living,
            verdicts: own.verdicts.clone(),
            notices: own.counted.notices.clone(),
            escalated: own.counted.escalated,
            remedies_begun: own.counted.remedies_begun,
            remedies_on_well: own.counted.remedies_on_well,
            in_flight: own
                .in_flight
                .iter()
                .map(|(scope, (most, limit))| InFlight {
                    scope: scope.clone(),
                    most: *most,
                    limit: *limit,
                })
                .collect(),
            whole: own.whole(),
        }
    }

    pub(crate) fn begin_tally(&mut self) {
        self.tally = Tallying {
            begun: Some(self.now),
            truths: vec![Truth::default(); self.hosts.len()],
            ..Tallying::default()
        };
        self.tally_hosts();
    }

    /// After something was done to the fleet: how is everybody?
    pub(crate) fn tally_hosts(&mut self) {
        for place in 0..self.tally.truths.len() {
            self.tally_host(place);
        }
        self.tally_whole();
    }

    /// After a life began or ended.
    pub(crate) fn tally_life(&mut self, place: Place) {
        if place < self.tally.truths.len() {
            self.tally_host(place);
            self.tally_whole();
        }
    }

    fn tally_host(&mut self, place: Place) {
        let is_in_trouble = self.is_in_trouble(place);
        let is_away = self.hosts[place].is_away;
        let now = self.now;
        let truth = &mut self.tally.truths[place];
        if truth.is_in_trouble || truth.is_away {
            truth.unwell_at = Some(now);
        }
        if is_in_trouble && !truth.is_in_trouble {
            truth.began = Some((now, false));
            self.tally.counted.troubles += 1;
        }
        truth.is_in_trouble = is_in_trouble;
        truth.is_away = is_away;
    }

    /// Whether it is in no trouble, and has been in none for a while (law T1).
    pub(crate) fn is_well(&self, place: Place) -> bool {
        !self.tally.was_unwell(place, self.now)
    }

    /// A goodbye is no trouble, and neither is a link that is cut to a few.
    fn is_in_trouble(&self, place: Place) -> bool {
        let host = &self.hosts[place];
        let is_down = !host.is_running() && !host.is_away;
        let is_unheard = self.network.loss_of(place) >= UNHEARD_PERMILLE;
        is_down || host.is_mute() || is_unheard || self.is_cut_off(place)
    }

    fn is_cut_off(&self, place: Place) -> bool {
        if !self.network.has_cuts() {
            return false;
        }
        let others = self.tally.truths.len().saturating_sub(1);
        let is_cut = |other: &Place| {
            self.network.is_cut(place, *other) || self.network.is_cut(*other, place)
        };
        (0..self.tally.truths.len()).filter(is_cut).count() * 2 > others
    }

    fn tally_whole(&mut self) {
        let is_well = |truth: &Truth| !truth.is_in_trouble;
        let is_whole =
            self.tally.truths.iter().all(is_well) && self.keepers.ledger.cases().next().is_none();
        let now = self.now;
        let own = &mut self.tally;
        if !is_whole {
            own.broken_at.get_or_insert(now);
            own.whole_at = None;
        } else if own.broken_at.is_some() {
            own.whole_at.get_or_insert(now);
        }
    }

    /// One record of an entry that was just committed.
    pub(crate) fn tally_record(&mut self, after: &Ledger, what: &What) {
        if self.tally.begun.is_none() {
            return;
        }
        match what {
            What::Verdict { subject, kind, .. } => self.tally_verdict(subject, kind),
            What::Granted { .. } => self.tally.note_in_flight(after),
            What::Escalated { .. } => self.tally.counted.escalated += 1,
            _ => {}
        }
        self.tally_whole();
    }

    fn tally_verdict(&mut self, subject: &Scope, kind: &VerdictKind) {
        let hosts: Vec<HostId> = match (kind, subject) {
            (
                VerdictKind::AgentDown | VerdictKind::HostDown | VerdictKind::HostHung,
                Scope::Host(host),
            ) => {
                vec![*host]
            }
            (VerdictKind::DomainDown, _) => {
                // A case names some of a large zone's hosts; the verdict is about all of them.
                self.ledger().hosts_of(subject)
            }
            _ => {
                *self.tally.counted.notices.entry(kind.clone()).or_default() += 1;
                return;
            }
        };
        let places: Vec<Place> = hosts.iter().filter_map(|host| self.places.get(host)).collect();
        let now = self.now;
        let is_true = places.iter().all(|place| self.tally.was_unwell(*place, now));
        if is_true {
            self.tally.counted.verdicts_true += 1;
            let lives =
                |place: &Place| self.hosts[*place].is_running() && !self.hosts[*place].is_off;
            let is_of_living = *kind != VerdictKind::DomainDown && places.iter().all(lives);
            self.tally.counted.verdicts_of_living += u64::from(is_of_living);
            places.iter().for_each(|place| self.tally.found(*place, now));
        } else {
            self.tally.counted.verdicts_false += 1;
        }
        if self.tally.verdicts.len() < LISTED_MAX {
            let mut hosts: Vec<String> = hosts.iter().map(|host| self.name_of(host)).collect();
            hosts.sort();
            let at = now.since(self.tally.begun.unwrap_or(now));
            let (kind, subject) = (kind.clone(), subject.clone());
            self.tally.verdicts.push(Judged { at, kind, subject, hosts, is_true });
        }
    }

    /// A remedy begins.
    pub(crate) fn tally_remedy(&mut self, subject: &HostId) {
        if self.tally.begun.is_none() {
            return;
        }
        self.tally.counted.remedies_begun += 1;
        let is_well = self.places.get(subject).is_some_and(|place| !self.is_in_trouble(place));
        self.tally.counted.remedies_on_well += u64::from(is_well);
    }
}

impl Tallying {
    fn whole(&self) -> Whole {
        match (self.broken_at, self.whole_at) {
            (None, _) => Whole::Always,
            (Some(broken), Some(whole)) => Whole::After(whole.since(broken)),
            (Some(_), None) => Whole::NotYet,
        }
    }

    /// Law T1.
    fn was_unwell(&self, place: Place, now: Moment) -> bool {
        self.truths.get(place).is_some_and(|truth| {
            let is_lately = |at: Moment| now.since(at) <= AFTERMATH;
            truth.is_in_trouble || truth.is_away || truth.unwell_at.is_some_and(is_lately)
        })
    }

    /// The first true verdict of a trouble is its time to verdict.
    fn found(&mut self, place: Place, now: Moment) {
        let began = self.truths.get_mut(place).and_then(|truth| truth.began.as_mut());
        if let Some((began, is_found)) = began.filter(|(_, is_found)| !*is_found) {
            *is_found = true;
            self.times.push(now.since(*began));
        }
    }

    fn note_in_flight(&mut self, after: &Ledger) {
        for line in after.budgets().into_iter().filter(|line| line.used > 0) {
            let most = self.in_flight.entry(line.scope).or_default();
            if line.used > most.0 {
                *most = (line.used, line.limit);
            }
        }
    }
}

impl Times {
    fn of(times: &[Span]) -> Option<Self> {
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        let max = *sorted.last()?;
        let p50 = sorted[(sorted.len() - 1) / 2];
        Some(Self { p50, max })
    }
}

#[cfg(test)]
mod tests {
    use vocabulary::{Anchor, CaseId, Digest};

    use super::*;
    use crate::fault::{Fault, Whom};
    use crate::setup::Setup;

    /// A fleet in calm, and how often a verdict of death of its host `b2` is true and false by now.
    struct Trial(Fleet);

    impl Trial {
        fn new() -> Self {
            let mut fleet = Fleet::new(Setup::demo(3)).expect("sound");
            fleet.run(Span::seconds(40));
            fleet.begin_trace();
            Self(fleet)
        }

        fn strike(&mut self, fault: fn(Vec<Whom>) -> Fault) {
            self.0.strike(fault(vec![Whom::Named("b2".into())]));
        }

        fn judged(&mut self) -> (u64, u64) {
            let place = self.0.names().position(|name| name == "b2").expect("of the demo");
            let what = What::Verdict {
                case: CaseId(1),
                subject: Scope::Host(self.0.hosts[place].id),
                kind: VerdictKind::HostDown,
                anchor: Anchor::default(),
                grounds: Digest::default(),
                against: 5,
                well: 0,
                vacant: 0,
            };
            let ledger = self.0.ledger().clone();
            self.0.tally_record(&ledger, &what);
            let tally = self.0.tally();
            (tally.verdicts_true, tally.verdicts_false)
        }
    }

    #[test]
    fn law_t1_a_verdict_is_true_of_a_host_in_trouble_and_shortly_after_and_else_false() {
        let mut trial = Trial::new();
        assert_eq!(trial.judged(), (0, 1));
        trial.strike(Fault::Freeze);
        trial.0.run(Span::milliseconds(800));
        assert_eq!(trial.judged(), (1, 1));
        trial.strike(Fault::Thaw);
        trial.0.run(Span::seconds(5));
        assert_eq!(trial.judged(), (2, 1));
        trial.0.run(Span::seconds(5));
        assert_eq!(trial.judged(), (2, 2));
        let tally = trial.0.tally();
        assert_eq!((tally.troubles, tally.troubles_found), (1, 1));
        let first = Span::milliseconds(800);
        assert_eq!(tally.time_to_verdict, Some(Times { p50: first, max: first }));
    }

    #[test]
    fn a_goodbye_is_no_trouble_and_a_cut_from_most_is() {
        let mut trial = Trial::new();
        trial.strike(Fault::Leave);
        trial.0.run(Span::seconds(5));
        assert_eq!(trial.0.tally().troubles, 0);
        assert_eq!(trial.judged(), (1, 0));
        trial.strike(Fault::Start);
        let cut = |from: &[&str], to: &[&str]| {
            let whom =
                |names: &[&str]| names.iter().map(|name| Whom::Named((*name).into())).collect();
            Fault::Cut { from: whom(from), to: whom(to), both: false }
        };
        trial.0.strike(cut(&["b2"], &["a1", "a2"]));
        assert_eq!(trial.0.tally().troubles, 0);
        trial.0.run(Span::seconds(1));
        trial.0.strike(cut(&["b2"], &["b1"]));
        assert_eq!(trial.0.tally().troubles, 1);
    }

    #[test]
    fn a_fleet_is_whole_when_the_last_trouble_is_over_for_good() {
        let mut trial = Trial::new();
        assert_eq!(trial.0.tally().whole, Whole::Always);
        trial.strike(Fault::Silence);
        trial.0.run(Span::milliseconds(200));
        assert_eq!(trial.0.tally().whole, Whole::NotYet);
        trial.strike(Fault::Unsilence);
        trial.0.run(Span::milliseconds(300));
        trial.strike(Fault::Silence);
        trial.0.run(Span::milliseconds(100));
        trial.strike(Fault::Unsilence);
        trial.0.run(Span::seconds(9));
        assert_eq!(trial.0.tally().whole, Whole::After(Span::milliseconds(600)));
    }

    #[test]
    fn half_of_the_times_are_no_longer_than_the_middle_one() {
        let of = |times: &[u64]| {
            let spans: Vec<Span> = times.iter().map(|ms| Span::milliseconds(*ms)).collect();
            Times::of(&spans)
                .map(|times| (times.p50.as_milliseconds(), times.max.as_milliseconds()))
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[7]), Some((7, 7)));
        assert_eq!(of(&[9, 1]), Some((1, 9)));
        assert_eq!(of(&[3, 9, 1]), Some((3, 9)));
    }
}
