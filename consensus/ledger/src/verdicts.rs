//! Verdicts become cases: one open case for each host, one for a whole domain, one for a surge.
//!
//! Law V2: no host case is opened inside an open domain case.
//! Law K1: a host has at most one open case; a later verdict on it moves that case.
//! Law V6: none that rests on silence alone is opened under a surge (see `surges`).
//! Law K3: a host that flips is one case with a growing hold-off (protocol 3.8).
//! Not here: what the grounds bear (see `judging`), what is done about a case (see `leases`).

use std::sync::Arc;

use vocabulary::{CaseId, Domain, Grounds, HostId, LedgerTime, Scope, Span, VerdictKind, Verifier};

use crate::audit::What;
use crate::case::{Case, Closure, FrozenScopes, GroundsKept, Stage};
use crate::cases::Cases;
use crate::command::{Command, Doubted, Finding, Outcome, Refused};
use crate::judging::Judged;
use crate::ledger::Ledger;
use crate::rules;

/// A host that is in trouble again so soon after its case closed as recovered is the same case (protocol 3.8).
pub(crate) const FLIPS_WITHIN: Span = Span::minutes(10);
/// The first hold-off of a host that flips; each further flip doubles it, up to [`HOLD_OFF_MAX`].
const HOLD_OFF: Span = Span::seconds(10);
/// Long enough to stop a see-saw, short enough that a host that then stays down is healed within its hour.
const HOLD_OFF_MAX: Span = Span::minutes(10);

impl Ledger {
    pub(crate) fn verdicts(
        &mut self,
        (by, grounds): (HostId, &Grounds),
        (findings, doubted): (&[Finding], &[Doubted]),
        verifier: &dyn Verifier,
    ) -> Result<Outcome, Refused> {
        if findings.len() > Command::FINDINGS_MAX {
            let most = Command::FINDINGS_MAX;
            return Err(Refused::Bound(format!("verdicts of one entry: {most}")));
        }
        let judged = self.judge(grounds, None, verifier)?;
        self.note_duplicates(grounds, verifier);
        self.note_doubts(doubted);
        self.remember_accepting(&judged);
        // A domain takes its hosts with it, and a surge brakes, before any of their cases is opened (protocol 3.6).
        let mut outcomes: Vec<_> =
            findings.iter().map(|finding| self.domain_finding(finding, &judged, doubted)).collect();
        self.join_racks(&judged, doubted);
        let newly = findings.iter().filter_map(|finding| finding.scope_host());
        self.count_surge(doubted, newly);
        for (finding, outcome) in findings.iter().zip(&mut outcomes) {
            if let Some(host) = finding.scope_host() {
                let before = self.state.audit.head().number;
                *outcome = self.host_finding((host, &finding.kind), &judged, doubted);
                let is_put_down = self.state.audit.head().number > before;
                if let Ok(case) = outcome
                    && is_put_down
                {
                    self.remember_proposer(*case, by);
                }
            }
        }
        Ok(Outcome::Findings(outcomes))
    }

    fn domain_finding(
        &mut self,
        finding: &Finding,
        judged: &Judged,
        doubted: &[Doubted],
    ) -> Result<CaseId, Refused> {
        let Finding { scope, kind } = finding;
        let is_domain = matches!(scope, Scope::Rack(_) | Scope::Zone(_));
        if !is_domain || *kind != VerdictKind::DomainDown {
            return Err(Refused::Grounds(format!(
                "no case is opened for {kind} on such a subject"
            )));
        }
        let Some(verdict) = judged.conclusions.domain(scope) else {
            return Err(Refused::Grounds("they do not show this whole domain silent".into()));
        };
        let over = self.domain_cases().find(|case| holds(&case.subject, scope));
        if let Some(over) = over {
            let (id, is_same) = (over.id, over.subject == *scope);
            if is_same {
                self.dark_again(id);
                return Ok(id);
            }
            return Err(Refused::CaseOpen(id));
        }
        let mut case = self.new_case(scope.clone(), kind.clone(), judged.kept(self, scope))?;
        case.name_members(&verdict.hosts);
        Ok(self.open_domain(case, doubted))
    }

    /// What lies inside of it becomes part of it, a surge too that holds nothing else.
    pub(crate) fn open_domain(&mut self, case: Case, doubted: &[Doubted]) -> CaseId {
        let (id, scope) = (case.id, case.subject.clone());
        self.merge_into(&case);
        self.open_for_a_person(
            case,
            "a whole domain is silent, dead or cut off: look at it, and at what feeds it",
        );
        self.end_surge_of(id, &scope, doubted);
        id
    }

    fn host_finding(
        &mut self,
        (host, kind): (HostId, &VerdictKind),
        judged: &Judged,
        doubted: &[Doubted],
    ) -> Result<CaseId, Refused> {
        let verdict = judged.against(&host, kind)?;
        let entry = self.member(host)?;
        let (boot, scopes) = (entry.boot, FrozenScopes::of(&entry.claims));
        if let Some(domain) = self.domain_case_over(&scopes.domain) {
            return Err(Refused::CaseOpen(domain.id));
        }
        self.left_hold(&host)?;
        self.surge_hold(&host, verdict).map_or(Ok(()), Err)?;
        let subject = Scope::Host(host);
        let kept = judged.kept(self, &subject);
        if let Some(case) = self.state.cases.of_host(&host).cloned() {
            if case.kind == VerdictKind::Duplicate {
                return Err(Refused::CaseOpen(case.id));
            }
            return Ok(self.uphold(Case::clone(&case), kind, kept));
        }
        let mut case = match self.flipped(&host) {
            Some(case) => self.opened_again(case, kind.clone(), kept)?,
            None => {
                let opened = self.opens_at(&host, doubted);
                Case { opened, ..self.new_case(subject, kind.clone(), kept)? }
            }
        };
        case.boot = boot;
        case.scopes = Some(scopes);
        case.rule = self.rule_name(&case);
        let is_braked = self.state.brakes.surge.is_some() && self.rules() >= rules::SECOND;
        assert!(
            !is_braked || case.kind != VerdictKind::HostDown,
            "law V6: under a surge silence alone opens no case"
        );
        let id = case.id;
        self.record_verdict(&case);
        self.state.cases.put(case.clone());
        self.came_back(&case);
        Ok(id)
    }

    /// A verdict on a host whose case is open: while nothing is begun the latest kind stands.
    fn uphold(&mut self, mut case: Case, kind: &VerdictKind, kept: GroundsKept) -> CaseId {
        let id = case.id;
        // protocol 3.6: one trouble, one case: what was unsettled is settled now, even if a person was called for it.
        let was_unsettled = case.kind == VerdictKind::Unsettled;
        let was_unfit = case.is_unfit();
        let is_movable = was_unsettled || case.is_live() && case.pending().is_none();
        let is_newer = kept.anchor.index > case.grounds.anchor.index;
        let was_acted_on = self.rule_of(&case).is_some_and(|rule| rule.acts());
        if was_unsettled {
            case.stage = Stage::Open;
            case.refused = None;
        }
        if case.kind != *kind && is_movable {
            case.kind = kind.clone();
            case.stands_since = self.state.time;
            case.rounds_upheld = 1;
            case.rung = 0;
            case.rule = self.rule_name(&case);
            if was_unfit {
                self.begin_anew(&mut case);
            }
        } else if case.kind == *kind && is_newer {
            case.rounds_upheld = case.rounds_with(self.state.time);
        } else {
            return id;
        }
        case.upheld_at = self.state.time;
        let is_changed = case.rounds_upheld == 1;
        if is_movable {
            case.boot = case.host().and_then(|host| self.state.roster.get(&host)?.boot);
            case.grounds = kept;
        }
        if is_changed {
            self.record_verdict(&case);
        }
        self.state.cases.put(case.clone());
        if is_changed && !was_acted_on {
            self.came_back(&case);
        }
        id
    }

    /// Trouble of reach takes a failed check's case over: it begins now, for whoever counts what is new, and that a check came and went
    /// is no see-saw of the host.
    pub(crate) fn begin_anew(&self, case: &mut Case) {
        case.flips = 0;
        case.opened = self.state.time;
        case.opened_wall = self.state.wall;
        case.opened_at = self.state.index;
    }

    /// A new case, not yet among the others.
    pub(crate) fn new_case(
        &mut self,
        subject: Scope,
        kind: VerdictKind,
        grounds: GroundsKept,
    ) -> Result<Case, Refused> {
        if self.state.cases.open_count() >= Cases::OPEN_MAX {
            return Err(Refused::Bound(format!("open cases: {}", Cases::OPEN_MAX)));
        }
        let now = self.state.time;
        Ok(Case {
            id: self.state.cases.draw(),
            subject,
            kind,
            boot: None,
            scopes: None,
            members: Vec::new(),
            members_count: 0,
            opened: now,
            opened_wall: self.state.wall,
            opened_at: self.state.index,
            stands_since: now,
            flips: 0,
            held_off_until: now,
            grounds,
            rounds_upheld: 1,
            upheld_at: now,
            rule: None,
            rung: 0,
            attempts: 0,
            takeovers: 0,
            remedies: Vec::new(),
            refused: None,
            stage: Stage::Open,
        })
    }

    pub(crate) fn opened_again(
        &self,
        mut case: Case,
        kind: VerdictKind,
        grounds: GroundsKept,
    ) -> Result<Case, Refused> {
        if self.state.cases.open_count() >= Cases::OPEN_MAX {
            return Err(Refused::Bound(format!("open cases: {}", Cases::OPEN_MAX)));
        }
        let now = self.state.time;
        let doublings = case.flips.min(16);
        case.flips = case.flips.saturating_add(1);
        case.held_off_until = now.after(HOLD_OFF.times(1 << doublings).min(HOLD_OFF_MAX));
        case.opened = now;
        case.opened_wall = self.state.wall;
        case.opened_at = self.state.index;
        case.stands_since = now;
        case.rounds_upheld = 1;
        case.upheld_at = now;
        case.kind = kind;
        case.grounds = grounds;
        case.stage = Stage::Open;
        Ok(case)
    }

    /// The case of a host that recovered a short while ago.
    fn flipped(&self, host: &HostId) -> Option<Case> {
        let is_recent = |at: LedgerTime| self.state.time.since(at) < FLIPS_WITHIN;
        let is_flip = |case: &&Arc<Case>| {
            let recovered = matches!(
                case.stage,
                Stage::Closed { how: Closure::Recovered, at, .. } if is_recent(at)
            );
            // protocol 3.6: nothing follows from what was never settled, nor from a check, a hold-off neither.
            let was_verdict = !matches!(
                case.kind,
                VerdictKind::Left
                    | VerdictKind::Unsettled
                    | VerdictKind::Duplicate
                    | VerdictKind::Unfit(_)
            );
            recovered && case.host() == Some(*host) && was_verdict
        };
        let closed = self.state.cases.closed();
        closed.filter(is_flip).last().map(|case| Case::clone(case))
    }

    /// Cases inside a domain that have begun nothing become part of its case (protocol 3.5).
    fn merge_into(&mut self, domain: &Case) {
        let is_inside = |case: &Case| match &case.subject {
            Scope::Host(_) => {
                case.scopes.as_ref().is_some_and(|scopes| covers(&domain.subject, &scopes.domain))
            }
            subject => holds(&domain.subject, subject),
        };
        let is_of_persons = |case: &Case| {
            matches!(case.kind, VerdictKind::Left | VerdictKind::Duplicate) || case.is_quarantined()
        };
        let is_free =
            |case: &Case| case.id != domain.id && case.pending().is_none() && !is_of_persons(case);
        let inside: Vec<Arc<Case>> = self
            .state
            .cases
            .open()
            .filter(|case| is_inside(case) && is_free(case))
            .cloned()
            .collect();
        for case in inside {
            self.close(Case::clone(&case), Closure::MergedInto(domain.id));
        }
    }

    /// Opens a case that only a person can end or help.
    pub(crate) fn open_for_a_person(&mut self, case: Case, why: &str) {
        self.record_verdict(&case);
        self.escalate(case, why.to_owned());
    }

    pub(crate) fn record_verdict(&mut self, case: &Case) {
        let count = |hosts: &[HostId]| hosts.len() as u64;
        let grounds = &case.grounds;
        self.record(What::Verdict {
            case: case.id,
            subject: case.subject.clone(),
            kind: case.kind.clone(),
            anchor: grounds.anchor,
            grounds: grounds.digest,
            against: count(&grounds.against),
            well: count(&grounds.well),
            vacant: count(&grounds.vacant),
        });
    }

    /// The open cases of whole domains.
    pub(crate) fn domain_cases(&self) -> impl Iterator<Item = &Arc<Case>> {
        self.state.cases.domains()
    }

    /// The open case of a domain that this place lies in.
    pub(crate) fn domain_case_over(&self, place: &Domain) -> Option<&Arc<Case>> {
        self.domain_cases().find(|case| covers(&case.subject, place))
    }

    fn remember_accepting(&mut self, judged: &Judged) {
        for host in judged.conclusions.accepting() {
            let boot = self.state.roster.get(host).and_then(|entry| entry.boot);
            if self.state.accepting.get(host) != Some(&boot) {
                Arc::make_mut(&mut self.state.accepting).insert(*host, boot);
            }
        }
    }

    pub(crate) fn left_hold(&self, host: &HostId) -> Result<(), Refused> {
        let Some(departure) = self.state.departures.get(host) else {
            return Ok(());
        };
        match departure.case {
            Some(ticket) => Err(Refused::CaseOpen(ticket)),
            None => Err(Refused::TooSoon {
                what: "since its agent said goodbye".into(),
                left: self.timers().left_grace.less(self.state.time.since(departure.at)),
            }),
        }
    }
}

impl Finding {
    fn scope_host(&self) -> Option<HostId> {
        match self.scope {
            Scope::Host(host) => Some(host),
            Scope::Rack(_) | Scope::Zone(_) | Scope::Group(_) | Scope::Fleet => None,
        }
    }
}

/// Whether a rack or zone contains this place.
pub(crate) fn covers(scope: &Scope, place: &Domain) -> bool {
    match scope {
        Scope::Rack(rack) => rack == place,
        Scope::Zone(zone) => *zone == place.zone(),
        Scope::Fleet => true,
        Scope::Host(_) | Scope::Group(_) => false,
    }
}

/// Whether a rack or zone contains this rack or zone.
pub(crate) fn holds(outer: &Scope, inner: &Scope) -> bool {
    match inner {
        Scope::Rack(rack) => covers(outer, rack),
        Scope::Zone(_) => outer == inner,
        Scope::Host(_) | Scope::Group(_) | Scope::Fleet => false,
    }
}
