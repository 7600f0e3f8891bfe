//! hale's side of a trial: a settled fleet of whole agents, what is done to it, and what came of it by somebody who knows the truth.

use std::collections::BTreeSet;

use ledger::case::{Case, Closure, Stage};
use simulator::tally::Judged;
use simulator::{Fault, Fleet, Habit, Line, Setup, library};
use vocabulary::{Moment, Span, VerdictKind};

use crate::samples::Sample;

/// By then every host has its connections and has calibrated its paths.
const WARM_UP: Span = Span::seconds(40);

/// Probes come round once in so long: each seed's faults strike at a moment of its own within it.
const ROUND_MS: u64 = 3_000;

/// How long a trial of this seed is calm before anything is done.
pub fn warm_up(seed: u64) -> Span {
    // Any odd number that is no neighbour's multiple spreads the seeds.
    WARM_UP.plus(Span::milliseconds(seed.wrapping_mul(1_117) % ROUND_MS))
}

/// More remedies than any trial begins: none of them changes anything, so that what is done to a host lasts.
const REMEDIES: usize = 20_000;

/// Of one trial: the rest follows from these.
const BREACHES_TOLD: usize = 3;

/// One trial.
pub struct Mesh {
    /// The fleet.
    pub fleet: Fleet,
    begun: Moment,
}

impl Mesh {
    /// Under the policy of the library's scenarios, and calm; what happens from now on is counted.
    pub fn new(setup: Setup) -> Self {
        Self::checked(setup, "")
    }

    /// The same with these checks beside.
    pub fn checked(setup: Setup, checks: &str) -> Self {
        let seed = setup.seed;
        let setup = setup.with_policy(&format!("{}{checks}", library::POLICY)).settled();
        let mut fleet = Fleet::new(setup).expect("the fleet of an experiment is sound");
        fleet.run(warm_up(seed));
        let begun = fleet.now();
        fleet.begin_trace();
        fleet.strike(Fault::Remedies(vec![Habit::DoesNothing; REMEDIES]));
        Self { fleet, begun }
    }

    /// What was thought and done of hosts other than these, and what law was broken.
    pub fn note_falsehoods(&self, sample: &mut Sample, ill: &BTreeSet<String>) {
        let names: Vec<&str> = self.fleet.names().collect();
        let well =
            names.iter().zip(self.fleet.opinions()).filter(|(name, _)| !ill.contains(**name));
        let mut sums = [0; 4];
        for (_, opinions) in well {
            sums[0] += opinions.called_down;
            sums[1] += opinions.called_down_by_well;
            sums[2] += opinions.doubted;
            sums[3] += opinions.doubted_by_well;
        }
        sample.note("members_called_down", sums[0]);
        sample.note("members_called_down_by_well", sums[1]);
        sample.note("doubts", sums[2]);
        sample.note("doubts_by_well", sums[3]);
        let tally = self.fleet.tally();
        let is_false = |judged: &&Judged| {
            !judged.is_true || judged.hosts.iter().any(|host| !ill.contains(host))
        };
        sample.note("false_verdicts", tally.verdicts.iter().filter(is_false).count() as u64);
        sample.note("true_verdicts", tally.verdicts_true);
        sample.note("remedies", tally.remedies_begun);
        sample.note("remedies_on_well", tally.remedies_on_well);
        let noted = |kind| tally.notices.get(&kind).copied().unwrap_or(0);
        sample.note("surges", noted(VerdictKind::Surge));
        sample.note("unsettled", noted(VerdictKind::Unsettled));
        let is_call = |line: &&Line| line.text.starts_with("a person is called");
        sample.note("calls", self.fleet.trace().iter().filter(is_call).count() as u64);
        sample.note("breaches", self.fleet.breaches().len() as u64);
        for breach in self.fleet.breaches().iter().take(BREACHES_TOLD) {
            let at = breach.at.since(Moment::default());
            eprintln!("{} seed {} after {at}: {}", sample.cell, sample.seed, breach.law);
        }
    }

    /// From this moment of the trace on: when each of these was first judged, who was never, and in how many entries.
    pub fn note_verdicts(&self, sample: &mut Sample, (struck, ill): (Span, &BTreeSet<String>)) {
        let tally = self.fleet.tally();
        let mut moments = BTreeSet::new();
        let mut host_verdicts = 0;
        let mut found: BTreeSet<&String> = BTreeSet::new();
        for judged in tally.verdicts.iter().filter(|judged| judged.at >= struck) {
            let new: Vec<&String> = judged
                .hosts
                .iter()
                .filter(|host| ill.contains(*host) && found.insert(*host))
                .collect();
            for _ in &new {
                sample.note("verdict_ms", judged.at.less(struck).as_milliseconds());
            }
            if !new.is_empty() {
                moments.insert(judged.at);
            }
            host_verdicts += u64::from(judged.kind != VerdictKind::DomainDown);
        }
        // Racks that became part of their zone's case are told by that one.
        let is_part =
            |case: &Case| matches!(case.stage, Stage::Closed { how: Closure::MergedInto(_), .. });
        let ledger = self.fleet.ledger();
        let cases = ledger.cases().chain(ledger.closed_cases());
        let domains =
            cases.filter(|case| case.kind == VerdictKind::DomainDown && !is_part(case)).count();
        sample.note("missed", (ill.len() - found.len()) as u64);
        sample.note("entries", moments.len() as u64);
        sample.note("host_verdicts", host_verdicts);
        sample.note("domain_cases", domains as u64);
    }

    /// The same of cases `Unfit`, from the earliest moment at which an observer can have seen its check fail often enough.
    pub fn note_unfit(&self, sample: &mut Sample, (from, ill): (Span, &BTreeSet<String>)) {
        let is_of = |line: &&Line| {
            let mut words = line.text.split([' ', ':']).filter(|word| !word.is_empty());
            let is_unfit = words.nth(2).is_some_and(|kind| kind.starts_with("Unfit("));
            is_unfit && words.next().is_some_and(|host| ill.contains(host))
        };
        let first = self.fleet.trace().iter().find(is_of);
        if let Some(line) = first {
            sample.note("verdict_ms", line.at.less(from).as_milliseconds());
        }
        let ledger = self.fleet.ledger();
        let cases = ledger.cases().chain(ledger.closed_cases());
        let hosts = cases.filter(|case| case.is_unfit()).filter_map(|case| case.host());
        let others = hosts.filter(|host| !ill.contains(&self.fleet.name_of(host))).count();
        sample.note("missed", u64::from(first.is_none()));
        sample.note("others_judged", others as u64);
    }

    /// Whether nobody is doubted, no case is open but a surge's, which waits for a person, and every host knows every other.
    fn is_whole(&self) -> bool {
        let fleet = &self.fleet;
        let others = fleet.names().count() - 1;
        let is_full = |name: &str| {
            let now = fleet.clock_of(name);
            fleet.agent(name).is_some_and(|agent| {
                agent.view(now).up.keys().filter(|host| fleet.name_of(host) != name).count()
                    == others
            })
        };
        !fleet.is_any_doubted()
            && fleet.ledger().cases().all(|case| case.kind == VerdictKind::Surge)
            && fleet.names().all(is_full)
    }

    /// How long it takes until the mesh is whole, looked at every quarter of a second; `None` within a minute.
    pub fn whole_after(&mut self) -> Option<Span> {
        let begun = self.fleet.now();
        for _ in 0..240 {
            if self.is_whole() {
                return Some(self.fleet.now().since(begun));
            }
            self.fleet.run(Span::milliseconds(250));
        }
        None
    }

    /// The moment of the trace.
    pub fn at(&self) -> Span {
        self.fleet.now().since(self.begun)
    }
}
