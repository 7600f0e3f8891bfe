//! Checks that fail on a host that is reached: a case `Unfit(check)`, and its end (protocol 3.6, 3.10).
//!
//! Law FC1: it stands on a fresh round that the ledger has judged itself, on a check that the policy in force has on the host's
//! group; a policy that has it no more ends it.
//! Law FC2: trouble of reach goes before it: no such case is opened beside another one, inside a dark domain or on a host that
//! said goodbye, and a verdict or an unsettled doubt on its host takes it over.
//! Law FC3: nothing follows from it: no lease, no brake, no call. Its host counts as unhealthy, votes, heals and observes.
//! Law FC4: only a round on the check ends it as recovered; that its host is reached says nothing of it.
//! Not here: what words add up to (see `detection::fitness`), who looks and when (see `agent`).

use std::collections::BTreeSet;
use std::sync::Arc;

use detection::fitness::{Asked, Fitness, UnfitVerdict, VerifiedWords};
use detection::verdict::{Court, Void, needed};
use vocabulary::{
    Anchor, CaseId, CheckGrounds, Digest, Grade, HostId, Label, Scope, VerdictKind, Verifier,
};

use crate::case::{Case, Closure, FrozenScopes, GroundsKept, SightKept};
use crate::cases::Cases;
use crate::command::{Command, Order, Outcome, Refused, UnfitFinding};
use crate::ledger::Ledger;
use crate::policy::Check;
use crate::rules;
use crate::verdicts::covers;

/// A check that is wrong for the whole of a large fleet must not take the room of cases that are healed.
pub const UNFIT_OPEN_MAX: usize = Cases::OPEN_MAX / 2;

/// A fresh round on checks, every word verified.
struct Looked {
    anchor: Anchor,
    digest: Digest,
    words: VerifiedWords,
    gone: BTreeSet<HostId>,
}

impl Ledger {
    /// One outcome for each finding, in order.
    pub(crate) fn unfit(
        &mut self,
        grounds: &CheckGrounds,
        findings: &[UnfitFinding],
        verifier: &dyn Verifier,
    ) -> Result<Outcome, Refused> {
        bounded(findings.len())?;
        let looked = self.look_at_checks(grounds, verifier)?;
        let outcomes = findings.iter().map(|finding| self.find_unfit(finding, &looked)).collect();
        Ok(Outcome::Findings(outcomes))
    }

    /// One outcome for each case, in order.
    pub(crate) fn fit(
        &mut self,
        cases: &[CaseId],
        grounds: &CheckGrounds,
        verifier: &dyn Verifier,
    ) -> Result<Outcome, Refused> {
        bounded(cases.len())?;
        let looked = self.look_at_checks(grounds, verifier)?;
        let outcomes = cases.iter().map(|id| {
            let case = self.found_fit(*id, &looked)?;
            self.close(case, Closure::Recovered);
            Ok(*id)
        });
        Ok(Outcome::Findings(outcomes.collect()))
    }

    /// Which of these the grounds make a case of, or tell otherwise than its case knows: the very check that the command makes,
    /// for the leader.
    pub fn can_unfit(
        &self,
        grounds: &CheckGrounds,
        findings: &[UnfitFinding],
        verifier: &dyn Verifier,
    ) -> Vec<UnfitFinding> {
        let Ok(looked) = self.look_at_checks(grounds, verifier) else {
            return Vec::new();
        };
        let is_news = |finding: &&UnfitFinding| {
            let standing = self.case_of_host(&finding.host);
            self.unfit_grounds(finding, &looked).is_ok_and(|kept| {
                standing.is_none_or(|case| {
                    self.unfit_by(&finding.host, &case.grounds)
                        != self.unfit_by(&finding.host, &kept)
                })
            })
        };
        findings.iter().filter(is_news).take(Command::FINDINGS_MAX).cloned().collect()
    }

    /// Which of these cases the grounds end; likewise.
    pub fn can_fit(
        &self,
        cases: &[CaseId],
        grounds: &CheckGrounds,
        verifier: &dyn Verifier,
    ) -> Vec<CaseId> {
        let Ok(looked) = self.look_at_checks(grounds, verifier) else {
            return Vec::new();
        };
        let ends = |id: &&CaseId| self.found_fit(**id, &looked).is_ok();
        cases.iter().filter(ends).take(Command::FINDINGS_MAX).copied().collect()
    }

    /// The checks on this host by the policy in force; none before rules 2 know of checks.
    pub fn checks_of(&self, host: &HostId) -> Vec<&Check> {
        let entry = self.roster().get(host).filter(|_| self.rules() >= rules::SECOND);
        entry.map_or(Vec::new(), |entry| self.policy().checks_on(&entry.claims.group).collect())
    }

    /// The hosts that have no word on checks and whose seats are vacant: held down, doubted without an end, departed, doubled, or in a
    /// dark domain.
    pub fn gone(&self) -> BTreeSet<HostId> {
        let is_gone = |case: &&Arc<Case>| match case.kind {
            VerdictKind::AgentDown
            | VerdictKind::HostDown
            | VerdictKind::HostHung
            | VerdictKind::Left
            // Who is doubted and answers no round has no word; its filled seat would keep a case open as long as nobody mends it.
            | VerdictKind::Unsettled
            | VerdictKind::Duplicate => true,
            VerdictKind::Unfit(_) | VerdictKind::DomainDown | VerdictKind::Surge => false,
        };
        let cases = self.cases().filter(is_gone).filter_map(|case| case.host());
        let mut gone: BTreeSet<HostId> = cases.chain(self.state.departures.hosts()).collect();
        let dark: Vec<&Scope> = self.domain_cases().map(|case| &case.subject).collect();
        if !dark.is_empty() {
            let present = self.roster().present();
            let is_dark = |scopes: &[&Scope], place| scopes.iter().any(|dark| covers(dark, place));
            let hosts = present.filter(|(_, entry)| is_dark(&dark, &entry.claims.domain));
            gone.extend(hosts.map(|(host, _)| *host));
        }
        gone
    }

    /// Whether its rack or zone is dark.
    pub(crate) fn is_in_the_dark(&self, host: &HostId) -> bool {
        let home = self.state.roster.get(host).map(|entry| &entry.claims.domain);
        home.is_some_and(|home| self.domain_case_over(home).is_some())
    }

    /// By whose word a host is unfit, as its case keeps it.
    pub fn unfit_by(&self, host: &HostId, kept: &GroundsKept) -> UnfitVerdict {
        let seats = self.seating().seats();
        let peers = kept.against.iter().filter(|author| *author != host).count();
        let filled = seats.saturating_sub(kept.vacant.len());
        UnfitVerdict {
            by_peers: peers >= needed(seats, filled),
            by_itself: kept.against.contains(host),
        }
    }

    /// Law FC1: the policy has been set anew; what it looks at no more is unfit no more, and that by a person.
    pub(crate) fn end_unlooked(&mut self, order: &Order) {
        let is_unlooked = |case: &&Arc<Case>| match (&case.kind, case.host()) {
            (VerdictKind::Unfit(check), Some(host)) => self.check_of(&host, check).is_err(),
            _ => false,
        };
        let over: Vec<Arc<Case>> = self.cases().filter(is_unlooked).cloned().collect();
        for case in over {
            let why = format!("{}: the policy has this check no more on its host", order.who);
            self.close(Case::clone(&case), Closure::ByPerson(why));
        }
    }

    fn look_at_checks(
        &self,
        grounds: &CheckGrounds,
        verifier: &dyn Verifier,
    ) -> Result<Looked, Refused> {
        self.since_rules(rules::SECOND)?;
        self.fresh(grounds.anchor, None)?;
        Ok(Looked {
            anchor: grounds.anchor,
            digest: Digest::of(&[&wire::codec::encode(grounds)]),
            words: VerifiedWords::verify(grounds, &Court { fleet: self.fleet(), verifier }),
            gone: self.gone(),
        })
    }

    fn find_unfit(&mut self, finding: &UnfitFinding, looked: &Looked) -> Result<CaseId, Refused> {
        let kept = self.unfit_grounds(finding, looked)?;
        let (host, kind) = (finding.host, VerdictKind::Unfit(finding.check.clone()));
        if let Some(case) = self.case_of_host(&host).cloned() {
            return Ok(self.unfit_still(Case::clone(&case), kept));
        }
        let entry = self.member(host)?;
        let (boot, scopes) = (entry.boot, FrozenScopes::of(&entry.claims));
        let mut case = match self.ended_lately(&host, &kind)? {
            Some(case) => self.opened_again(case, kind, kept)?,
            None => self.new_case(Scope::Host(host), kind, kept)?,
        };
        // Nothing is begun for it, so nothing is held off.
        case.held_off_until = self.state.time;
        case.boot = boot;
        case.scopes = Some(scopes);
        let id = case.id;
        self.record_verdict(&case);
        self.state.cases.put(case);
        Ok(id)
    }

    /// Every rule, in the order it is told; what is kept of the grounds where none says no.
    fn unfit_grounds(
        &self,
        finding: &UnfitFinding,
        looked: &Looked,
    ) -> Result<GroundsKept, Refused> {
        let UnfitFinding { host, check } = finding;
        let entry = self.member(*host)?;
        if let Some(domain) = self.domain_case_over(&entry.claims.domain) {
            return Err(Refused::CaseOpen(domain.id));
        }
        self.left_hold(host)?;
        let standing = self.case_of_host(host);
        let is_other = |case: &&Arc<Case>| case.kind != VerdictKind::Unfit(check.clone());
        if let Some(other) = standing.filter(is_other) {
            return Err(Refused::CaseOpen(other.id));
        }
        if standing.is_none() {
            self.ended_lately(host, &VerdictKind::Unfit(check.clone()))?;
        }
        let fitness = self.fitness(host, check, looked)?;
        fitness.verdict.map_err(|no| Refused::Grounds(no.to_string()))?;
        let is_unfit = |case: &&Arc<Case>| case.is_unfit();
        if standing.is_none() && self.cases().filter(is_unfit).count() >= UNFIT_OPEN_MAX {
            return Err(Refused::Bound(format!("open cases Unfit: {UNFIT_OPEN_MAX}")));
        }
        Ok(self.unfit_kept((host, check), &fitness, looked))
    }

    fn found_fit(&self, id: CaseId, looked: &Looked) -> Result<Case, Refused> {
        let case = self.open_case(id)?;
        let (VerdictKind::Unfit(check), Some(host)) = (&case.kind, case.host()) else {
            return Err(Refused::Grounds(format!("no check ends a case {}", case.kind)));
        };
        // A round from before the last one that found it unfit says nothing against it.
        let at_least = case.opened_at.max(case.grounds.anchor.index.next());
        if looked.anchor.index < at_least {
            return Err(Refused::Stale { anchor: looked.anchor.index, at_least });
        }
        if !self.fitness(&host, check, looked)?.is_well() {
            return Err(Refused::Grounds(format!("they do not find {check} well")));
        }
        Ok(case)
    }

    fn fitness(&self, host: &HostId, check: &Label, looked: &Looked) -> Result<Fitness, Refused> {
        let asked = Asked {
            subject: *host,
            check: check.clone(),
            from: self.check_of(host, check)?.from,
            gone: &looked.gone,
        };
        Ok(looked.words.judge(self.fleet(), &asked))
    }

    fn check_of(&self, host: &HostId, name: &Label) -> Result<&Check, Refused> {
        let found = self.checks_of(host).into_iter().find(|check| check.name == *name);
        found.ok_or_else(|| {
            Refused::Grounds(format!("the policy has no check {name} on this host's group"))
        })
    }

    /// A newer round that finds the same is what is shown; the history has it where another's word says so now.
    fn unfit_still(&mut self, mut case: Case, kept: GroundsKept) -> CaseId {
        let id = case.id;
        if kept.anchor.index > case.grounds.anchor.index {
            let by = |grounds: &GroundsKept| case.host().map(|host| self.unfit_by(&host, grounds));
            let is_news = by(&case.grounds) != by(&kept);
            case.grounds = kept;
            case.upheld_at = self.state.time;
            case.rounds_upheld = case.rounds_upheld.saturating_add(1);
            if is_news {
                self.record_verdict(&case);
            }
            self.state.cases.put(case);
        }
        id
    }

    /// What is kept of the grounds (protocol 3.7): the host itself is among those against, or for, where its own word counts.
    fn unfit_kept(
        &self,
        (host, check): (&HostId, &Label),
        fitness: &Fitness,
        looked: &Looked,
    ) -> GroundsKept {
        let (from, tally) = (fitness.from, &fitness.tally);
        let observers = if from.asks_peers() { self.seating().observers(host) } else { &[] };
        let own = fitness.own.filter(|_| from.asks_the_host());
        let itself = |says: &[Grade]| own.filter(|own| says.contains(own)).map(|_| *host);
        let asked = Asked { subject: *host, check: check.clone(), from, gone: &looked.gone };
        let mut sights: Vec<SightKept> =
            looked.words.said(&asked).map(|word| sight(word.author, None)).collect();
        for void in looked.words.void.iter().filter(|void| void.subject == *host) {
            if sights.iter().all(|sight| sight.observer != void.observer) {
                sights.push(sight(void.observer, Some(void.why)));
            }
        }
        GroundsKept {
            anchor: looked.anchor,
            digest: looked.digest,
            against: itself(&[Grade::Failed])
                .into_iter()
                .chain(tally.failed.hosts(observers).copied())
                .collect(),
            well: itself(&[Grade::Ok, Grade::Degraded])
                .into_iter()
                .chain(tally.well.hosts(observers).copied())
                .collect(),
            vacant: tally.vacant.hosts(observers).copied().collect(),
            sights,
        }
    }
}

impl Case {
    /// Whether it is about a check and not about reaching its host.
    pub fn is_unfit(&self) -> bool {
        matches!(self.kind, VerdictKind::Unfit(_))
    }
}

fn sight(observer: HostId, void: Option<Void>) -> SightKept {
    SightKept { observer, paths: Vec::new(), discount: None, void }
}

fn bounded(count: usize) -> Result<(), Refused> {
    let most = Command::FINDINGS_MAX;
    if count <= most {
        return Ok(());
    }
    Err(Refused::Bound(format!("verdicts of one entry: {most}")))
}
